"""The requests of `rolecall call` beside those of the official client for the same operation.

Both work through the same steps, each on a sandbox of its own; since ids are given out in order, what they leave behind must be
the same as well. What counts as equal: fields that are null or have their default may be left out; a change of an object sends
back what the service told, also what the client does not know; what is looked up before is each one's own affair.
"""

import base64
import json
import os
import pty
import re
import select
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from checks import check
from sandbox import BINARY, PNG, Sandbox
from seeme import Organization, Project, Role, Team

ACME = "organization-acme"
DEFAULTS = (None, "", False, [])


class Program:
    """The program, with a person at its terminal who agrees."""

    def __init__(self, sandbox, folder):
        self.environment = sandbox.environment | {
            "HOME": folder,
            "XDG_CONFIG_HOME": folder,
            "XDG_DATA_HOME": folder,
            "ROLECALL_STORE": f"sqlite:{folder}/store.db",
            "PATH": os.environ["PATH"],
            "TERM": "xterm",
        }
        self.folder = folder

    def call(self, tool, arguments, *more):
        """Gives what the tool answers; types the name, or yes, where that is asked for."""
        ours, theirs = pty.openpty()
        command = [BINARY, "call", tool, "--json", json.dumps(arguments), *(more or ("--output", "json"))]
        running = subprocess.Popen(command, env=self.environment, cwd=self.folder, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE)
        os.close(theirs)
        screen, typed, deadline = "", False, time.monotonic() + 30
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.05)[0]:
                try:
                    some = os.read(ours, 4096)
                except OSError:  # the program has ended
                    break
                screen += some.decode(errors="replace")
            elif not typed and (prompt := re.search(r"Name|Do it\?", screen)):
                name = re.search(r"To confirm, type: ([^\r\n\x1b]+)", screen)
                os.write(ours, (name[1] if name and prompt[0] == "Name" else "y").encode() + b"\r")
                typed = True
        answer = running.stdout.read().decode()
        running.stdout.close()
        os.close(ours)
        code = running.wait(10)
        check(f"{tool} ends well", code == 0, f"{code} {answer} {screen}")
        return json.loads(answer) if code == 0 and not more else answer


def writes(journal):
    return [it for it in journal if it["method"] != "GET"]


def reads(journal):
    return {place(it) for it in journal if it["method"] == "GET"}


def place(it):
    parts = urlsplit(it["target"])
    return unquote(parts.path), tuple(sorted(parse_qsl(parts.query)))


def filled(body):
    """An object without what is null or has its default."""
    return {name: value for name, value in body.items() if value not in DEFAULTS and (name, value) != ("scope", "organization")}


def form(body):
    """The parts of a form, without the line between them, which is drawn by lot."""
    mark = body.split("\r\n", 1)[0]
    parts = [part.strip("\r\n") for part in body.split(mark)]
    return [part for part in parts if part not in ("", "--")]


def same(what, theirs, ours, told):
    check(f"{what}: {theirs['method']} to one place", (theirs["method"], place(theirs)) == (ours["method"], place(ours)), (theirs, ours))
    check(f"{what}: with the key", ours["authorized"])
    if theirs["headers"].get("content-type", "").startswith("multipart/form-data"):
        check(f"{what}: the same form", form(theirs["body"]) == form(ours["body"]), (theirs, ours))
    elif theirs["body"]:
        sent, own = json.loads(theirs["body"]), json.loads(ours["body"])
        # Of two lists of a role's permissions the client sends a stale one.
        sent.pop("permission_list", None)
        known = {name: value for name, value in filled(own).items() if name in sent}
        check(f"{what}: the same fields", filled(sent) == known, (sent, own))
        extra = {name: value for name, value in filled(own).items() if name not in sent}
        check(f"{what}: and of others what was told", theirs["method"] == "PUT" and extra.items() <= told.items() or not extra, extra)
    else:
        check(f"{what}: without a body", ours["body"] == "", ours)


def steps(client, folder):
    """Name of the client's method, what it is called with, our tool, what it is called with."""

    def changed(read, update, target, **fields):
        def work():
            thing = getattr(client, read)(target)
            for name, value in fields.items():
                setattr(thing, name, value)
            getattr(client, update)(thing)

        return work

    def called(name):
        return next(it.id for it in client.get_organizations() + client.get_teams() + client.get_projects() + client.get_roles() if it.name == name)

    def seat(members, user):
        return next(it.id for it in members if user in (it.user_id, it.email))

    one = lambda method, *arguments: lambda: getattr(client, method)(*arguments)
    later = lambda method, *arguments: lambda: getattr(client, method)(*[it() if callable(it) else it for it in arguments])
    harbour, design, comet, reader = (lambda name=name: called(name) for name in ("Harbour", "Design", "Comet", "Reader"))
    person = {"organization": "Acme", "member": "lena.vogel@studio-vogel.example"}
    lena = lambda: seat(client.get_organization_members(ACME), "user-lena")
    ana_in_design = lambda: seat(client.get_team_members(design()), "user-ana")
    mei_in_comet = lambda: seat(client.get_project_members(comet()), "user-mei")
    graph = {"project": "Comet", "resource_type": "graph", "resource_id": "g-1"}
    image = base64.b64encode(PNG).decode()
    got = str(Path(folder) / "got")
    yield "get_organizations", one("get_organizations"), "list_organizations", {}
    website = "https://harbour.example"
    organization = Organization(name="Harbour", description="Ships", slug="harbour", website=website)
    given = {"name": "Harbour", "description": "Ships", "slug": "harbour", "website": website}
    yield "create_organization", one("create_organization", organization), "create_organization", given
    yield "get_organization", later("get_organization", harbour), "get_organization", {"organization": "Harbour"}
    work = lambda: changed("get_organization", "update_organization", harbour(), description="Boats")()
    yield "update_organization", work, "update_organization", {"organization": "Harbour", "description": "Boats"}
    yield "get_organization_members", one("get_organization_members", ACME), "list_organization_members", {"organization": "Acme"}
    given = {"organization": "Acme", "email": person["member"]}
    yield "invite_to_organization", one("invite_to_organization", ACME, person["member"]), "invite_organization_member", given
    given = person | {"role": "Label clerk"}
    work = later("update_organization_member_role", ACME, lena, "role-label_clerk")
    yield "update_organization_member_role", work, "update_organization_member", given
    yield "remove_organization_member", later("remove_organization_member", ACME, lena), "remove_organization_member", person
    given = {"organization": "Acme", "email": "juno@acme.example", "role": "Admin"}
    work = one("invite_to_organization", ACME, "juno@acme.example", "role-org_admin")
    yield "invite_to_organization with a role", work, "invite_organization_member", given
    given = {"organization": "Acme", "invitation": "juno@acme.example"}
    juno = lambda: seat(client.get_organization_members(ACME), "juno@acme.example")
    yield "remove_organization_member of an invitation", later("remove_organization_member", ACME, juno), "cancel_invitation", given
    yield "get_organization_teams", one("get_organization_teams", ACME), "list_teams", {"organization": "Acme"}
    yield "get_teams", one("get_teams"), "list_teams", {}
    team = Team(name="Design", description="Looks", organization_id=ACME, slug="design")
    given = {"name": "Design", "description": "Looks", "organization": "Acme", "slug": "design"}
    yield "create_team", one("create_team", team), "create_team", given
    yield "get_team", later("get_team", design), "get_team", {"team": "Design"}
    work = lambda: changed("get_team", "update_team", design(), description="Looks and words")()
    yield "update_team", work, "update_team", {"team": "Design", "description": "Looks and words"}
    given = {"team": "Design", "member": "ana.ruiz@acme.example"}
    yield "add_team_member", later("add_team_member", design, "user-ana"), "add_team_member", given
    yield "get_team_members", later("get_team_members", design), "list_team_members", {"team": "Design"}
    work = later("update_team_member_role", design, ana_in_design, "role-team_lead")
    yield "update_team_member_role", work, "update_team_member", given | {"role": "Team lead"}
    yield "remove_team_member", later("remove_team_member", design, ana_in_design), "remove_team_member", given
    yield "get_projects", one("get_projects"), "list_projects", {}
    work = lambda: client.get_projects(organization_id=ACME, team_id="team-research")
    yield "get_projects by both", work, "list_projects", {"organization": "Acme", "team": "Research"}
    yield "get_organization_projects", one("get_organization_projects", ACME), "list_projects", {"organization": "Acme"}
    yield "get_team_projects", one("get_team_projects", "team-research"), "list_projects", {"team": "Research"}
    work = lambda: client.create_project(Project(name="Comet", organization_id=ACME, team_id=design(), slug="comet"))
    yield "create_project", work, "create_project", {"name": "Comet", "organization": "Acme", "team": "Design", "slug": "comet"}
    yield "get_project", later("get_project", comet), "get_project", {"project": "Comet"}
    work = lambda: changed("get_project", "update_project", comet(), name="Comet", description="Fast")()
    yield "update_project", work, "update_project", {"project": "Comet", "description": "Fast"}
    given = {"project": "Comet", "member": "mei.tanaka@acme.example"}
    work = later("add_project_member", comet, "user-mei", "role-project_viewer")
    yield "add_project_member", work, "add_project_member", given | {"roles": ["Project viewer"]}
    yield "get_project_members", later("get_project_members", comet), "list_project_members", {"project": "Comet"}
    work = later("update_project_member_role", comet, mei_in_comet, "role-project_admin")
    yield "update_project_member_role", work, "update_project_member", given | {"role": "Project admin"}
    yield "remove_project_member", later("remove_project_member", comet, mei_in_comet), "remove_project_member", given
    work = later("assign_resource_to_project", comet, "graph", "g-1")
    yield "assign_resource_to_project", work, "assign_project_resource", graph
    yield "get_project_resources", later("get_project_resources", comet), "list_project_resources", {"project": "Comet"}
    work = later("remove_resource_from_project", comet, "graph", "g-1")
    yield "remove_resource_from_project", work, "remove_project_resource", graph
    for kind, target, name in (("organization", harbour, "Harbour"), ("team", design, "Design"), ("project", comet, "Comet")):
        given = {"of": kind, "target": name}
        work = later(f"upload_{kind}_logo", target, folder, "logo.png")
        yield f"upload_{kind}_logo", work, "set_logo", given | {"image": image}
        yield f"get_{kind}_logo", later(f"get_{kind}_logo", target, got), "get_logo", given
        yield f"delete_{kind}_logo", later(f"delete_{kind}_logo", target), "delete_logo", given
    yield "get_roles", one("get_roles"), "list_roles", {}
    yield "get_organization_roles", one("get_organization_roles", ACME), "list_roles", {"organization": "Acme"}
    role = Role(name="Reader", description="Looks", organization_id=ACME, permissions=["models:read", "models:list"])
    given = {"name": "Reader", "description": "Looks", "organization": "Acme", "permissions": ["models:read", "models:list"]}
    yield "create_role", one("create_role", role), "create_role", given
    yield "get_role", later("get_role", reader), "get_role", {"role": "Reader"}
    work = lambda: changed("get_role", "update_role", reader(), permissions=["models:*"])()
    yield "update_role", work, "update_role", {"role": "Reader", "permissions": ["models:*"]}
    yield "delete_role", later("delete_role", reader), "delete_role", {"role": "Reader"}
    yield "get_permissions", one("get_permissions"), "list_permissions", {}
    yield "get_current_user_context", one("get_current_user_context"), "get_current_user", {}
    yield "delete_project", later("delete_project", comet), "delete_project", {"project": "Comet"}
    yield "delete_team", later("delete_team", design), "delete_team", {"team": "Design"}
    yield "delete_organization", later("delete_organization", harbour), "delete_organization", {"organization": "Harbour"}


def things(state):
    """What the service tells of things, by their ids; who made one owns it."""
    return {it["id"]: it | {"owner_id": it.get("user_id")} for it in state["places"] + state["roles"]}


def compare():
    with tempfile.TemporaryDirectory() as folder, Sandbox() as theirs, Sandbox() as ours:
        Path(folder, "logo.png").write_bytes(PNG)
        client, program = theirs.client(), Program(ours, folder)
        for what, work, tool, arguments in steps(client, folder):
            theirs.journal()
            work()
            seen = theirs.journal()
            told = things(ours.state())
            ours.journal()
            more = ("--save", f"{folder}/saved") if tool == "get_logo" else ()
            program.call(tool, arguments, *more)
            own = ours.journal()
            if tool == "get_logo":
                check(f"{what}: the picture is saved", Path(folder, "saved").read_bytes() == PNG)
            sent, made = writes(seen), writes(own)
            check(f"{what}: as many changes", len(sent) == len(made), (sent, made))
            for one, other in zip(sent, made):
                same(what, one, other, told.get(one["target"].split("/")[-1], {}))
            if not sent:
                check(f"{what}: the same look", reads(seen[-1:]) <= reads(own), (seen, own))
        left, kept = ({name: it for name, it in one.state().items() if name != "minutes"} for one in (theirs, ours))
        for name in left:
            check(f"both leave the same {name}", timeless(left[name]) == timeless(kept[name]), (left[name], kept[name]))


def timeless(part):
    """A part of the state without times, which count the calls that were made."""
    return json.loads(re.sub(r'"\d{4}-\d\d-\d\dT[\d:]+Z"', '"T"', json.dumps(part)))
