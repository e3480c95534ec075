"""`rolecall call …` beside the official client: the same operation, the same request."""

import json
import os
import re
import subprocess
import tempfile
from urllib.parse import parse_qsl, urlsplit

import pseudo_terminal
from checks import check
from sandbox import Sandbox, same


class Program:
    """`rolecall` with a home of its own, and a person at a terminal who agrees."""

    def __init__(self, binary, at, home):
        self.binary = binary
        self.environment = {**at.environment, "HOME": home, "PATH": os.environ["PATH"], "TERM": "xterm"}

    def call(self, tool, arguments):
        """Exit code and result. What waits for an approval is approved, and called once more."""
        words = [self.binary, "call", tool, "--json", json.dumps(arguments)]
        done = subprocess.run(words, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            return done.returncode, done.stdout + done.stderr
        if answer.get("status") == "pending_approval":
            self.approve(answer["approval_id"])
            return self.call(tool, arguments)
        return done.returncode, answer

    def approve(self, number):
        """Types the name that is asked for, or yes."""

        def answer(screen):
            asked = re.findall(r"type:? ([^\r\n]+?):?\s*[\r\n]", screen)
            return asked[-1] if asked else "y"

        code, screen = pseudo_terminal.run([self.binary, "approve", number], self.environment, answer, seconds=20)
        check(f"approve {number}", code == 0, screen)


def requests(at, reads=True):
    """What came in, comparable: method, path, query without what only says how much, body."""
    found = []
    for it in at.journal():
        parts = urlsplit(it["target"])
        query = sorted((name, value) for name, value in parse_qsl(parts.query) if name != "limit")
        body = json.loads(it["body"]) if it["body"] else None
        if reads or it["method"] != "GET":
            found.append((it["method"], parts.path, query, body))
    return found


# Tool, arguments, and the client's call for the same operation. Each pair runs on a sandbox of its own.
PAIRS = [
    ("list_projects", {}, lambda it: it.projects.list()),
    ("list_projects", {"include_archived": True}, lambda it: it.projects.list(include_archived=True)),
    ("get_project", {"project": "Atlas"}, lambda it: it.projects.retrieve("proj_atlas")),
    ("create_project", {"name": "Tides", "residency": "JP_STORAGE"}, lambda it: it.projects.create(name="Tides", residency="JP_STORAGE")),
    ("update_project", {"project": "Atlas", "name": "Atlas II"}, lambda it: it.projects.update("proj_atlas", name="Atlas II")),
    ("update_project", {"project": "Atlas", "clear": ["external_key_id"]}, lambda it: it.projects.update("proj_atlas", external_key_id=None)),
    ("archive_project", {"project": "Atlas"}, lambda it: it.projects.archive("proj_atlas")),
    ("list_project_members", {"project": "Atlas"}, lambda it: it.projects.users.list("proj_atlas")),
    ("get_project_member", {"project": "Atlas", "member": "ana.ruiz@acme.example"},
     lambda it: it.projects.users.retrieve("user-ana", project_id="proj_atlas")),
    ("add_project_member", {"project": "Atlas", "member": "linh.tran@acme.example", "roles": ["member"]},
     lambda it: it.projects.users.create("proj_atlas", role="member", user_id="user-linh")),
    ("update_project_member", {"project": "Atlas", "member": "jonas.weber@acme.example", "role": "owner"},
     lambda it: it.projects.users.update("user-jonas", project_id="proj_atlas", role="owner")),
    ("remove_project_member", {"project": "Atlas", "member": "jonas.weber@acme.example"},
     lambda it: it.projects.users.delete("user-jonas", project_id="proj_atlas")),
    ("list_role_assignments", {"project": "Atlas", "member": "user-ana"},
     lambda it: it.projects.users.roles.list("user-ana", project_id="proj_atlas")),
    ("assign_role", {"project": "Atlas", "member": "user-mei", "role": "key master"},
     lambda it: it.projects.users.roles.create("user-mei", project_id="proj_atlas", role_id="role_key_master")),
    ("unassign_role", {"role": "auditor", "member": "grace.whitfield@acme.example"},
     lambda it: it.users.roles.delete("role_auditor", user_id="user-grace")),
    ("list_role_assignments", {"project": "Atlas", "team": "Reviewers"},
     lambda it: it.projects.groups.roles.list("group_reviewers", project_id="proj_atlas")),
    ("assign_role", {"team": "Field crew", "role": "auditor"}, lambda it: it.groups.roles.create("group_crew", role_id="role_auditor")),
    ("list_service_accounts", {"project": "Atlas"}, lambda it: it.projects.service_accounts.list("proj_atlas")),
    ("get_service_account", {"project": "Atlas", "service_account": "Beacon"},
     lambda it: it.projects.service_accounts.retrieve("svc_acct_beacon", project_id="proj_atlas")),
    ("create_service_account", {"project": "Atlas", "name": "Lantern", "expires_in_seconds": 3600},
     lambda it: it.projects.service_accounts.create("proj_atlas", name="Lantern", expires_in_seconds=3600)),
    ("update_service_account", {"project": "Atlas", "service_account": "Beacon", "name": "Lamp", "role": "owner"},
     lambda it: it.projects.service_accounts.update("svc_acct_beacon", project_id="proj_atlas", name="Lamp", role="owner")),
    ("delete_service_account", {"project": "Atlas", "service_account": "Beacon"},
     lambda it: it.projects.service_accounts.delete("svc_acct_beacon", project_id="proj_atlas")),
    ("list_api_keys", {"project": "Atlas"}, lambda it: it.projects.api_keys.list("proj_atlas", owner_project_access="any")),
    ("list_api_keys", {"project": "Atlas", "owner_access": "inactive"},
     lambda it: it.projects.api_keys.list("proj_atlas", owner_project_access="inactive")),
    ("get_api_key", {"project": "Atlas", "api_key": "laptop"},
     lambda it: it.projects.api_keys.retrieve("key_ana_laptop", project_id="proj_atlas")),
    ("create_api_key", {"project": "Atlas", "service_account": "Beacon", "name": "second", "scopes": ["api.model.request"]},
     lambda it: it.projects.service_accounts.api_keys.create("svc_acct_beacon", project_id="proj_atlas", name="second",
                                                            scopes=["api.model.request"])),
    ("update_api_key", {"project": "Atlas", "api_key": "laptop", "expires_in_seconds": 600, "scopes": ["api.all.read"]},
     lambda it: it.projects.api_keys.update("key_ana_laptop", project_id="proj_atlas", expires_in_seconds=600, scopes=["api.all.read"])),
    ("delete_api_key", {"project": "Atlas", "api_key": "laptop"},
     lambda it: it.projects.api_keys.delete("key_ana_laptop", project_id="proj_atlas")),
    ("list_rate_limits", {"project": "Atlas"}, lambda it: it.projects.rate_limits.list_rate_limits("proj_atlas")),
    ("update_rate_limit", {"project": "Atlas", "model": "canvas-3", "max_images_per_1_minute": 5},
     lambda it: it.projects.rate_limits.update_rate_limit("rl-canvas-3", project_id="proj_atlas", max_images_per_1_minute=5)),
    ("list_project_teams", {"project": "Atlas"}, lambda it: it.projects.groups.list("proj_atlas")),
    ("add_project_team", {"project": "Helpdesk", "team": "Field crew", "role": "member"},
     lambda it: it.projects.groups.create("proj_helpdesk", group_id="group_crew", role="role-api-project-member__api-project__proj_helpdesk")),
    ("remove_project_team", {"project": "Atlas", "team": "Reviewers"},
     lambda it: it.projects.groups.delete("group_reviewers", project_id="proj_atlas")),
    ("list_roles", {"project": "Atlas"}, lambda it: it.projects.roles.list("proj_atlas")),
    ("create_role", {"project": "Atlas", "name": "watcher", "permissions": ["api.model.request"]},
     lambda it: it.projects.roles.create("proj_atlas", role_name="watcher", permissions=["api.model.request"])),
    ("update_role", {"project": "Atlas", "role": "key master", "name": "locksmith"},
     lambda it: it.projects.roles.update("role_key_master", project_id="proj_atlas", role_name="locksmith")),
    ("delete_role", {"project": "Atlas", "role": "key master"}, lambda it: it.projects.roles.delete("role_key_master", project_id="proj_atlas")),
    ("get_role", {"role": "auditor"}, lambda it: it.roles.retrieve("role_auditor")),
    ("create_role", {"name": "watcher", "permissions": []}, lambda it: it.roles.create(role_name="watcher", permissions=[])),
    ("list_certificates", {"project": "Atlas"}, lambda it: it.projects.certificates.list("proj_atlas")),
    ("activate_certificates", {"project": "Atlas", "certificates": ["Spare"]},
     lambda it: it.projects.certificates.activate("proj_atlas", certificate_ids=["cert_spare"])),
    ("deactivate_certificates", {"project": "Atlas", "certificates": ["Quay gateway"]},
     lambda it: it.projects.certificates.deactivate("proj_atlas", certificate_ids=["cert_quay"])),
    ("deactivate_certificates", {"certificates": ["Quay gateway"]}, lambda it: it.certificates.deactivate(certificate_ids=["cert_quay"])),
    ("list_organization_members", {}, lambda it: it.users.list()),
    ("get_organization_member", {"member": "mei.tanaka@acme.example"}, lambda it: it.users.list(emails=["mei.tanaka@acme.example"])),
    ("update_organization_member", {"member": "mei.tanaka@acme.example", "role": "owner"}, lambda it: it.users.update("user-mei", role="owner")),
    ("remove_organization_member", {"member": "leo.marchetti@acme.example"}, lambda it: it.users.delete("user-leo")),
    ("list_invitations", {}, lambda it: it.invites.list()),
    ("invite_organization_member", {"email": "new@acme.example", "projects": ["Atlas"]},
     lambda it: it.invites.create(email="new@acme.example", role="reader", projects=[{"id": "proj_atlas", "role": "member"}])),
    ("cancel_invitation", {"invitation": "lena@studio-vogel.example"}, lambda it: it.invites.delete("invite-lena")),
    ("list_teams", {}, lambda it: it.groups.list()),
    ("get_team", {"team": "Reviewers"}, lambda it: it.groups.retrieve("group_reviewers")),
    ("create_team", {"name": "Sailors"}, lambda it: it.groups.create(name="Sailors")),
    ("update_team", {"team": "Reviewers", "name": "Readers"}, lambda it: it.groups.update("group_reviewers", name="Readers")),
    ("delete_team", {"team": "Reviewers"}, lambda it: it.groups.delete("group_reviewers")),
    ("list_team_members", {"team": "Reviewers"}, lambda it: it.groups.users.list("group_reviewers")),
    ("add_team_member", {"team": "Reviewers", "member": "ravi.deshpande@acme.example"},
     lambda it: it.groups.users.create("group_reviewers", user_id="user-ravi")),
    ("remove_team_member", {"team": "Reviewers", "member": "chidi.okonjo@acme.example"},
     lambda it: it.groups.users.delete("user-chidi", group_id="group_reviewers")),
]


def compare(binary):
    for tool, arguments, act in PAIRS:
        with Sandbox(binary) as theirs, Sandbox(binary) as ours, tempfile.TemporaryDirectory() as home:
            act(theirs.client().admin.organization)
            wanted = requests(theirs)[:1]
            code, answer = Program(binary, ours, home).call(tool, arguments)
            check(f"{tool} {arguments}", code == 0, answer)
            if wanted[0][0] == "GET":
                check(f"{tool} {arguments} reads what the client reads", wanted[0] in requests(ours), f"{wanted} in {requests(ours)}")
            else:
                same(f"{tool} {arguments} sends what the client sends", requests(ours, reads=False), wanted)
