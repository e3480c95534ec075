"""The vendor's Python package against the sandbox, and Rolecall beside it.

usage: sdk.py BINARY    (run by a Python that has requirements.txt installed)

Three sandboxes begin with the same content. One is driven by the package's clients, one by its command lines, one by
`rolecall call`. Every operation has to give what it should, the three have to send the same requests, and at the end all
three have to hold the same.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pseudo_terminal
from checks import check, end

BINARY = os.path.realpath(sys.argv[1])
TOOLS = Path(sys.executable).parent
WORK = Path(tempfile.mkdtemp())

# Before the package is imported: it looks for its credentials there, and makes the file where there is none.
for name in [it for it in os.environ if it.startswith(("GEAI_", "ROLECALL_"))]:
    del os.environ[name]
os.environ["HOME"] = str(WORK)

import pygeai.core.base.session as session  # noqa: E402
from pygeai.admin.clients import AdminClient  # noqa: E402
from pygeai.auth.clients import AuthClient  # noqa: E402
from pygeai.core.common.exceptions import APIResponseError, InvalidAPIResponseException  # noqa: E402
from pygeai.core.plugins.clients import PluginClient  # noqa: E402
from pygeai.health.clients import HealthClient  # noqa: E402
from pygeai.organization.clients import OrganizationClient  # noqa: E402
from pygeai.organization.limits.clients import UsageLimitClient  # noqa: E402


class Sandbox:
    """A sandbox of its own process, and what came in since the last look."""

    def __init__(self, *arguments):
        command = [BINARY, "sandbox", "geai", "--port", "0", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.variables = {}
        while "GEAI_SANDBOX_ORGANIZATION_ID" not in self.variables:
            line = self.process.stdout.readline()
            assert line, "the sandbox did not start"
            if line.startswith("export "):
                name, value = line.removeprefix("export ").strip().split("=", 1)
                self.variables[name] = value
        self.url = self.variables["GEAI_API_BASE_URL"]

    def get(self, path, method="GET", token=None, headers=None):
        request = urllib.request.Request(self.url + path, method=method, headers=headers or {})
        if token:
            request.add_header("authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def state(self):
        return self.get("/_sandbox/state")

    def journal(self):
        seen = self.get("/_sandbox/journal")
        self.get("/_sandbox/journal", "DELETE")
        return seen

    def end(self):
        self.process.terminate()
        self.process.wait()


by_client, by_command, by_us = Sandbox(), Sandbox(), Sandbox()
SANDBOXES = [by_client, by_command, by_us]

KEY = by_client.variables["GEAI_API_KEY"]
SYSTEM = by_client.variables["GEAI_SANDBOX_SYSTEM_TOKEN"]
ORGANIZATION = by_client.variables["GEAI_SANDBOX_ORGANIZATION_ID"]
ATLAS = by_client.variables["GEAI_SANDBOX_PROJECT_ID"]
PROJECTS = {it["name"]: it["id"] for it in by_client.state()["projects"]}
EMBER = PROJECTS["Ember"]


def made(number):
    """The id of the nth thing that a sandbox has made since its start."""
    return f"5a000000-0000-4000-8000-{number:012x}"


GRANITE, GRANITE_LIMIT, TOKEN = made(1), made(2), f"geai-test-project-{made(3)}"
PERSON, ORGANIZATION_LIMIT, PROJECT_LIMIT, ANOTHER = made(4), made(5), made(6), made(7)

# ---- the package's clients ---------------------------------------------------------------------------------------------


def client(kind):
    session.reset_session()
    return kind(api_key=KEY, base_url=by_client.url)


def as_system(kind):
    session.reset_session()
    return kind(access_token=SYSTEM, base_url=by_client.url, project_id=ATLAS)


def organization(method, *arguments, **named):
    return lambda: getattr(client(OrganizationClient), method)(*arguments, **named)


def system(method, *arguments, **named):
    return lambda: getattr(as_system(OrganizationClient), method)(*arguments, **named)


def limits(method, *arguments, **named):
    return lambda: getattr(client(UsageLimitClient), method)(*arguments, **named)


def auth(method, *arguments, **named):
    return lambda: getattr(client(AuthClient), method)(*arguments, **named)


def admin(method, *arguments, **named):
    return lambda: getattr(client(AdminClient), method)(*arguments, **named)


# ---- its command lines -------------------------------------------------------------------------------------------------

credentials = WORK / ".geai" / "credentials"
credentials.parent.mkdir(exist_ok=True)
credentials.write_text(
    f"[default]\ngeai_api_key = {KEY}\ngeai_api_base_url = {by_command.url}\n\n"
    f"[system]\ngeai_oauth_access_token = {SYSTEM}\ngeai_project_id = {ATLAS}\ngeai_api_base_url = {by_command.url}\n"
)


def command(*arguments, program="globai"):
    done = subprocess.run([TOOLS / program, *arguments], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


# ---- Rolecall ----------------------------------------------------------------------------------------------------------

home = WORK / "rolecall"
home.mkdir()
configuration = home / "system.toml"
configuration.write_text(
    f'[connections.system]\nprovider = "geai"\nsystem = true\nbase_url = "{by_us.url}"\nproject_id = "{ATLAS}"\n'
    'oauth_access_token = { env = "SYSTEM_TOKEN" }\n'
)
OURS = {
    "HOME": str(home),
    "PATH": os.environ["PATH"],
    "TERM": "xterm",
    "NO_COLOR": "1",
    "ROLECALL_STORE": f"sqlite:{home / 'store.db'}",
    "ROLECALL_SECRETS": str(home / "secrets"),
}


@dataclass
class Call:
    """A call of ours. `answer` is what the person types who is asked; without it nobody may be asked."""

    tool: str
    arguments: dict
    answer: str | None = None
    as_system: bool = False

    def words(self):
        return ["call", self.tool, "--json", json.dumps(self.arguments), "--output", "json"]

    def environment(self):
        if self.as_system:
            return OURS | {"ROLECALL_CONFIG": str(configuration), "SYSTEM_TOKEN": SYSTEM}
        return OURS | {name: by_us.variables[name] for name in ("GEAI_API_KEY", "GEAI_API_BASE_URL")}

    def run(self):
        if self.answer is None:
            done = subprocess.run(
                [BINARY, *self.words()], env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
            )
            return done.returncode, done.stdout, done.stderr
        return self.at_terminal()

    def at_terminal(self):
        code, screen = pseudo_terminal.run([BINARY, *self.words()], self.environment(), self.answer)
        return code, screen, screen


# ---- the same requests -------------------------------------------------------------------------------------------------

TARGETS = ("project-id", "organization-id")


def plain(value):
    """A body as it counts: what is null is not there, and a number in a text is a number."""
    if isinstance(value, dict):
        return {name: plain(it) for name, it in value.items() if it is not None}
    if isinstance(value, list):
        return [plain(it) for it in value]
    try:
        return float(value) if not isinstance(value, bool) else value
    except (TypeError, ValueError):
        return value


def request(exchange):
    """A request as it counts, for comparing."""
    target = urlsplit(exchange["target"].replace("//", "/"))
    query = {{"email": "userEmail"}.get(name, name): value for name, value in parse_qsl(target.query)}
    body = plain(json.loads(exchange["body"])) if exchange["body"] else None
    headers = {name: exchange["headers"][name] for name in TARGETS if name in exchange["headers"]}
    # The organization is named in a header, in the query, or in both.
    if target.path.endswith("/organizations/members"):
        headers.pop("organization-id", None)
    assert exchange["authorized"] or "oauth" in target.path or "status" in target.path, exchange
    return json.dumps([exchange["method"], target.path, query, headers, body], sort_keys=True)


VALIDATE = "/v1/accessControl/apitoken/validate"


def requests(journal):
    """What was asked for; that somebody looked up their own organization first counts only where it was all."""
    all_of_them = [it for it in journal if it["target"] != VALIDATE] or journal
    return [request(it) for it in all_of_them]


def same(what, theirs, ours):
    """Changes have to be the same, whatever their order; of reads we may make more."""
    reads = {it for it in theirs if it.startswith('["GET"')}
    check(f"{what}: we read what they read", reads <= set(ours), f"{sorted(reads - set(ours))} is not in {ours}")
    changes = [sorted(it for it in some if not it.startswith('["GET"')) for some in (theirs, ours)]
    check(f"{what}: we change what they change", changes[0] == changes[1], changes)


@dataclass
class Step:
    """One operation, in up to three ways."""

    what: str
    client: Callable[[], Any] | None = None
    expect: Callable[[Any], Any] = bool
    commands: tuple = ()
    ours: Call | None = None
    expect_ours: Callable[[Any], Any] = bool
    # What of the clients' answer a command's output has to show.
    shows: str = ""

    def run(self):
        theirs = None
        if self.client:
            by_client.journal()
            try:
                answer = self.client()
                check(f"client, {self.what}", self.expect(answer), answer)
            except Exception as error:  # noqa: BLE001
                check(f"client, {self.what}", False, repr(error))
            theirs = requests(by_client.journal())
        if self.commands:
            by_command.journal()
            for at, words in enumerate(self.commands):
                program = "geai" if at % 2 else "globai"
                code, out, err = command(*words, program=program)
                check(f"{program} {' '.join(words[:3])}", code == 0 and self.shows in out, (code, out, err))
            commanded = requests(by_command.journal())
            if theirs is not None and len(self.commands) == 1:
                check(f"command and client, {self.what}: the same requests", sorted(commanded) == sorted(theirs), (commanded, theirs))
        if self.ours:
            by_us.journal()
            code, out, err = self.ours.run()
            if self.ours.answer is None:
                check(f"rolecall {self.ours.tool} ends well", code == 0, (code, out, err))
                try:
                    answer = json.loads(out)
                    check(f"rolecall {self.ours.tool}", self.expect_ours(answer), answer)
                except ValueError:
                    check(f"rolecall {self.ours.tool} answers JSON", False, (out, err))
            else:
                check(f"rolecall {self.ours.tool} asks and ends well", code == 0, (code, out))
            check(f"rolecall {self.ours.tool} tells no secret", not re.search("geai-test-(project|organization|oauth)", out + err), out + err)
            ours = requests(by_us.journal())
            if theirs is not None:
                same(f"rolecall {self.ours.tool} and {self.what}", theirs, ours)


def only(key, **wanted):
    """Whether a list under `key` has one item with these values."""
    return lambda answer: any(all(it.get(name) == value for name, value in wanted.items()) for it in answer[key])


def ours(**wanted):
    return lambda answer: any(all(it.get(name) == value for name, value in wanted.items()) for it in answer["items"])


def limit_input(soft, hard, unit="Cost", renewal="Renewable"):
    return {"subscriptionType": "Monthly", "usageUnit": unit, "softLimit": soft, "hardLimit": hard, "renewalStatus": renewal}


def our_limit(soft, hard, unit="Cost", renewal="Renewable"):
    return {"subscription_type": "Monthly", "usage_unit": unit, "soft_limit": soft, "hard_limit": hard, "renewal": renewal}


def limit_options(soft, hard, unit="Cost", renewal="Renewable"):
    return (
        *("--subscription-type", "Monthly", "--usage-unit", unit),
        *("--soft-limit", str(soft), "--hard-limit", str(hard), "--renewal-status", renewal),
    )


def inside(answer, key):
    """The list of the one project of an answer."""
    (project,) = answer["projects"]
    return project[key]


def outcome(error_part):
    """That the service's words come through."""

    def refused(call):
        try:
            return f"answered {call()}"
        except (APIResponseError, InvalidAPIResponseException) as error:
            return "" if error_part in str(error) else str(error)

    return refused


BATCH = WORK / "people.csv"
BATCH.write_text(f"{EMBER},kofi.asante@acme.example,Project member\n{EMBER},linh.tran@acme.example,Project member\n")
ATLAS_TOKEN = "geai-test-project-atlas-pipeline-0a1b2c3d"
ANA = "ana.ruiz@acme.example"
NEW = "noemi.farkas@acme.example"

READS = [
    Step("get_assistant_list", organization("get_assistant_list", "full"), lambda it: it["projectName"] == "Atlas" and it["assistants"][0]["intents"]),
    Step(
        "get_project_list",
        organization("get_project_list"),
        lambda it: len(it["projects"]) == 6 and "tokens" not in it["projects"][0],
        (("org", "list-projects"),),
        Call("list_projects", {}),
        lambda it: it["total"] == 6 and it["items"][0]["project"] == "Atlas",
        "Borealis",
    ),
    Step(
        "get_project_list, full",
        organization("get_project_list", "full"),
        lambda it: it["projects"][0]["tokens"] and it["projects"][0]["usageLimit"],
        (("org", "list-projects", "-d", "full"),),
        Call("list_projects", {"detail": "full"}),
        ours(project="Atlas", description="Maps of where every sensor is", api_keys=2),
        "searchProfiles",
    ),
    Step(
        "get_project_list by name",
        organization("get_project_list", "summary", "Ember"),
        lambda it: [one["projectName"] for one in it["projects"]] == ["Ember"],
        (("org", "list-projects", "--name", "Ember"),),
        shows="Forest fire",
    ),
    Step(
        "get_project_data",
        organization("get_project_data", ATLAS),
        lambda it: it["projectName"] == "Atlas" and it["organizationName"] == "Acme",
        (("org", "get-project", "--pid", ATLAS),),
        Call("get_project", {"project": ATLAS}),
        lambda it: it["project"] == "Atlas" and it["api_keys"] == 2,
        "Maps of",
    ),
    Step(
        "get_project_tokens",
        organization("get_project_tokens", ATLAS),
        only("tokens", name="notebook", status="Blocked"),
        (("org", "get-tokens", "--pid", ATLAS),),
        Call("list_api_keys", {"project": "Atlas"}),
        ours(api_key="notebook", status="blocked"),
        "pipeline",
    ),
    Step(
        "export_request_data",
        organization("export_request_data", "Cartographer", "succeeded", 1, 1),
        only("items", prompt="Show the northern stations"),
        (("org", "export-request", "--assistant-name", "Cartographer", "--status", "succeeded", "--skip", "1", "--count", "1"),),
        shows="northern",
    ),
    Step(
        "get_memberships",
        organization("get_memberships"),
        only("organizations", organizationName="Acme"),
        (("org", "get-memberships"),),
        Call("list_organizations", {"limit": 20}),
        ours(organization="Acme", id=ORGANIZATION),
        "Fieldnotes",
    ),
    Step(
        "get_memberships of somebody",
        organization("get_memberships", ANA, 1, 5),
        lambda it: {one["projectName"] for one in it["organizations"][0]["projects"]} == {"Atlas", "Borealis"},
        (("org", "get-memberships", "-e", ANA, "--page-size", "5"),),
        Call("list_memberships", {"email": ANA, "limit": 5}),
        ours(organization="Acme", roles=["Project administrator (Atlas)", "Project administrator (Borealis)"]),
        "Borealis",
    ),
    Step(
        "get_project_memberships",
        organization("get_project_memberships", ANA, order_key="projectName", order_direction="asc"),
        lambda it: [one["projectName"] for one in it["projects"]] == ["Atlas", "Borealis"],
        (("org", "get-project-memberships", "-e", ANA, "--order-key", "projectName", "--order-direction", "asc"),),
        Call("list_project_memberships", {"email": ANA, "order": "asc", "limit": 20}),
        ours(project="Borealis", roles=["Project administrator"]),
        "Atlas",
    ),
    Step(
        "get_project_roles",
        organization("get_project_roles", ATLAS),
        lambda it: {one["name"] for one in inside(it, "roles")} >= {"Project member", "Map Reader"} and it["count"] == 5,
        (("org", "get-project-roles", "--pid", ATLAS),),
        Call("list_roles", {"project": "Atlas", "limit": 20}),
        ours(role="Map Reader", built_in=False),
        "Map Editor",
    ),
    Step(
        "get_project_roles by role type",
        organization("get_project_roles", ATLAS, role_types="backend,frontend"),
        lambda it: {one["name"] for one in inside(it, "roles")} >= {"Project member", "Map Reader"},
        (("org", "get-project-roles", "--pid", ATLAS, "--role-types", "backend,frontend"),),
        Call("list_roles", {"project": "Atlas", "limit": 20, "role_types": ["backend", "frontend"]}),
        ours(role="Map Reader", built_in=False),
        "Map Editor",
    ),
    Step(
        "get_project_memberships by role type",
        organization("get_project_memberships", ANA, role_types="backend"),
        lambda it: [one["projectName"] for one in it["projects"]] == ["Borealis", "Atlas"],
        (("org", "get-project-memberships", "-e", ANA, "--role-types", "backend"),),
        Call("list_project_memberships", {"email": ANA, "limit": 20, "role_types": ["backend"]}),
        ours(project="Borealis", roles=["Project administrator"]),
        "Atlas",
    ),
    Step(
        "get_project_members, second page",
        organization("get_project_members", ATLAS, 1, 20),
        lambda it: it["pages"] == 2 and len(inside(it, "members")) == 20,
        (("org", "get-project-members", "--pid", ATLAS),),
        Call("list_project_members", {"project": "Atlas", "limit": 20}),
        lambda it: it["shown"] == 20 and it["has_more"] and it["total"] > 20,
        "accessType",
    ),
    Step(
        "get_project_members by role type",
        organization("get_project_members", ATLAS, 1, 20, "name", "asc", "frontend"),
        lambda it: [one["name"] for one in inside(it, "members")] == ["Grace Whitfield", "Mei Tanaka"],
        (("org", "get-project-members", "--pid", ATLAS, "--order-key", "name", "--order-direction", "asc", "--role-types", "frontend"),),
        shows="Grace Whitfield",
    ),
    Step(
        "get_organization_members",
        organization("get_organization_members", ORGANIZATION),
        lambda it: len(it["organization"]["members"]) == 20 and it["count"] == 30,
        (("org", "get-organization-members", "--oid", ORGANIZATION),),
        Call("list_organization_members", {"limit": 20}),
        lambda it: it["total"] == 30 and it["items"][0]["roles"] == ["Organization member"],
        "Organization member",
    ),
    Step(
        "get_runtime_policies",
        organization("get_runtime_policies"),
        lambda it: it["policies"]["chatSharingPermissions"] == "project",
        (("org", "get-runtime-policies"),),
        Call("get_runtime_policies", {}),
        lambda it: {"name": "externalExecutionPermissions", "value": "none"} in it["policies"],
        "chatSharingPermissions",
    ),
    Step(
        "validate_api_token",
        admin("validate_api_token"),
        lambda it: it["scope"] == "Pia.Data.Organization" and it["organizationId"] == ORGANIZATION,
        (("admin", "vt"),),
        Call("get_current_user", {}),
        lambda it: (it["user"], it["scope"], it["organization"]) == ("organization API token", "Pia.Data.Organization", "Acme"),
        "Pia.Data.Organization",
    ),
    Step(
        "get_authorized_organizations",
        admin("get_authorized_organizations"),
        only("organizations", organizationName="Acme"),
        (("admin", "auth-org"),),
        shows="Acme",
    ),
    Step(
        "get_authorized_projects_by_organization",
        admin("get_authorized_projects_by_organization", ORGANIZATION),
        lambda it: len(it["projects"]) == 6,
        (("admin", "auth-proj", "-o", ORGANIZATION),),
        shows="Delta Forecast",
    ),
    Step(
        "get_project_visibility",
        admin("get_project_visibility", ORGANIZATION, PROJECTS["Fieldnotes"], SYSTEM),
        lambda it: it == {},
        (("admin", "pv", "-o", ORGANIZATION, "-p", PROJECTS["Fieldnotes"], "--at", SYSTEM),),
    ),
    Step(
        "get_project_api_token (by a person)",
        admin("get_project_api_token", ORGANIZATION, ATLAS, "geai-test-oauth-member-0e1f2a3b4c5d"),
        lambda it: it == {"apiToken": ATLAS_TOKEN},
        (("admin", "pt", "-o", ORGANIZATION, "-p", ATLAS, "--at", "geai-test-oauth-member-0e1f2a3b4c5d"),),
        shows=ATLAS_TOKEN,
    ),
    Step(
        "get_organization_list",
        system("get_organization_list", 1, 20),
        only("organizations", name="Northwind"),
        ours=Call("list_organizations", {"limit": 20}, as_system=True),
        expect_ours=ours(organization="Northwind"),
    ),
    Step(
        "get_organization_list, filtered",
        system("get_organization_list", 1, 20, "name", "desc", "name", "north"),
        lambda it: it["count"] == 1,
        (
            (
                *("org", "get-organization-list", "--alias", "system", "--start-page", "1", "--page-size", "20"),
                *("--order-key", "name", "--filter-key", "name", "--filter-value", "north"),
            ),
        ),
        Call("list_organizations", {"limit": 20, "query": "North"}, as_system=True),
        lambda it: [one["organization"] for one in it["items"]] == ["Northwind"],
        "Northwind",
    ),
    Step(
        "list_assistants (plugins)",
        lambda: client(PluginClient).list_assistants(ORGANIZATION, ATLAS),
        only("plugins", name="Surveyor"),
        (("org", "list-assistants", "--oid", ORGANIZATION, "--pid", ATLAS),),
        shows="Surveyor",
    ),
    Step("check_api_status", lambda: client(HealthClient).check_api_status(), lambda it: it["running"] is True, (("status",),), shows="running"),
]

CHANGES = [
    Step(
        "create_project with a limit",
        organization("create_project", "Granite", "tomas.quiroga@acme.example", "Quarries", limit_input(80, 100)),
        lambda it: it["projectId"] == GRANITE and it["usageLimit"]["id"] == GRANITE_LIMIT,
        # The command drops the limit.
        (
            ("org", "create-project", "-n", "Granite", "-e", "tomas.quiroga@acme.example", "-d", "Quarries", *limit_options(1, 2)),
            ("ulim", "set-proj-lim", "-o", ORGANIZATION, "-p", GRANITE, *limit_options(80, 100)),
        ),
        Call(
            "create_project",
            {"name": "Granite", "admin_email": "tomas.quiroga@acme.example", "description": "Quarries", "usage_limit": our_limit(80, 100)},
            "y",
        ),
    ),
    Step(
        "update_project",
        organization("update_project", GRANITE, "Granite Two", "Quarries and pits"),
        lambda it: it["projectName"] == "Granite Two" and it["projectDescription"] == "Quarries and pits",
        (("org", "update-project", "--pid", GRANITE, "-n", "Granite Two", "-d", "Quarries and pits"),),
        Call("update_project", {"project": "Granite", "name": "Granite Two", "description": "Quarries and pits"}),
        lambda it: it["after"]["project"] == "Granite Two",
        "Granite Two",
    ),
    Step(
        "update_project without a description",
        organization("update_project", GRANITE, "Granite"),
        lambda it: it["projectDescription"] == "Quarries and pits",
        (("org", "update-project", "--pid", GRANITE, "-n", "Granite"),),
        Call("update_project", {"project": GRANITE, "name": "Granite"}),
        lambda it: it["after"]["description"] == "Quarries and pits",
        "Granite",
    ),
    Step(
        "create_project_api_token",
        auth("create_project_api_token", ATLAS, "ci", "Pipeline"),
        lambda it: it["id"] == TOKEN and it["errors"] == [] and it["status"] == "Active",
        (("auth", "create-api-token", "--pid", ATLAS, "-n", "ci", "-d", "Pipeline"),),
        Call("create_api_key", {"project": "Atlas", "name": "ci", "description": "Pipeline"}, "y"),
        shows=TOKEN,
    ),
    Step(
        "get_project_api_token",
        auth("get_project_api_token", TOKEN),
        lambda it: it["name"] == "ci" and it["scope"] == "Pia.Data.Project",
        (("auth", "get-api-token", "--tid", TOKEN),),
        Call("get_api_key", {"project": "Atlas", "api_key": "ci"}),
        lambda it: it["scopes"] == ["Pia.Data.Project"] and it["id"].startswith("key-"),
        "Pipeline",
    ),
    Step(
        "update_project_api_token",
        auth("update_project_api_token", TOKEN, "Pipelines", "active"),
        lambda it: it["description"] == "Pipelines",
        (("auth", "uat", "--tid", TOKEN, "-d", "Pipelines", "--status", "active"),),
        Call("update_api_key", {"project": "Atlas", "api_key": "ci", "description": "Pipelines", "status": "active"}),
        lambda it: it["after"]["description"] == "Pipelines",
        "Pipelines",
    ),
    Step(
        "delete_project_api_token",
        auth("delete_project_api_token", TOKEN),
        lambda it: it["errors"] == [],
        (("auth", "dat", "--tid", TOKEN),),
        Call("delete_api_key", {"project": "Atlas", "api_key": "ci"}, "ci"),
    ),
    Step(
        "add_project_member",
        organization("add_project_member", EMBER, NEW, ["Project member", "Access all Project Assistants"]),
        lambda it: it == {"userEmail": NEW, "roles": ["Project member", "Access all Project Assistants"]},
        (("org", "add-project-member", "--pid", EMBER, "-e", NEW, "-r", "Project member, Access all Project Assistants"),),
        Call("add_project_member", {"project": "Ember", "member": NEW, "roles": ["Project member", "Access all Project Assistants"]}),
        lambda it: it["after"]["status"] == "invited",
        NEW,
    ),
    Step(
        "add_project_member, a batch",
        lambda: [
            client(OrganizationClient).add_project_member(EMBER, f"{it}@acme.example", ["Project member"])
            for it in ("kofi.asante", "linh.tran")
        ],
        lambda it: len(it) == 2,
        (("org", "add-project-member", "--batch", str(BATCH)),),
        Call("add_project_members", {"csv": BATCH.read_text()}, "y"),
        shows="2 successful, 0 failed",
    ),
    Step(
        "set_organization_usage_limit",
        limits("set_organization_usage_limit", ORGANIZATION, limit_input(700, 900)),
        lambda it: it["id"] == ORGANIZATION_LIMIT and it["status"] == 1,
        (("usage-limit", "set-organization-limit", "-o", ORGANIZATION, *limit_options(700, 900)),),
        # Below what is used already: a person is asked.
        Call("set_usage_limit", our_limit(700, 900), "y"),
        shows=ORGANIZATION_LIMIT,
    ),
    Step(
        "get_all_usage_limits_from_organization",
        limits("get_all_usage_limits_from_organization", ORGANIZATION),
        only("usageLimits", hardLimit=900.0),
        (("ulim", "get-all-org-lim", "-o", ORGANIZATION),),
        Call("list_usage_limits", {}),
        ours(usage_limit=ORGANIZATION_LIMIT, active=True, hard_limit=900),
        ORGANIZATION_LIMIT,
    ),
    Step(
        "get_organization_latest_usage_limit",
        limits("get_organization_latest_usage_limit", ORGANIZATION),
        lambda it: it["id"] == ORGANIZATION_LIMIT,
        (("ulim", "get-latest-org-lim", "-o", ORGANIZATION),),
        shows=ORGANIZATION_LIMIT,
    ),
    Step(
        "set_organization_…, three requests",
        lambda: [
            client(UsageLimitClient).set_organization_hard_limit(ORGANIZATION, ORGANIZATION_LIMIT, 1900),
            client(UsageLimitClient).set_organization_soft_limit(ORGANIZATION, ORGANIZATION_LIMIT, 850),
            client(UsageLimitClient).set_organization_renewal_status(ORGANIZATION, ORGANIZATION_LIMIT, "NonRenewable"),
        ],
        lambda it: (it[2]["hardLimit"], it[2]["softLimit"], it[2]["renewalStatus"]) == (1900, 850, "NonRenewable"),
        (("ulim", "up-org-lim", "-o", ORGANIZATION, "--lid", ORGANIZATION_LIMIT, *limit_options(850, 1900, renewal="NonRenewable")[4:]),),
        Call("update_usage_limit", {"usage_limit": ORGANIZATION_LIMIT, "soft_limit": 850, "hard_limit": 1900, "renewal": "NonRenewable"}, "y"),
        shows="NonRenewable",
    ),
    Step(
        "list_usage_limits, after three requests",
        ours=Call("list_usage_limits", {}),
        expect_ours=ours(usage_limit=ORGANIZATION_LIMIT, hard_limit=1900, renewal="NonRenewable"),
    ),
    Step(
        "delete_usage_limit_from_organization",
        limits("delete_usage_limit_from_organization", ORGANIZATION, ORGANIZATION_LIMIT),
        lambda it: it["status"] == 4,
        (("ulim", "del-org-lim", "-o", ORGANIZATION, "--lid", ORGANIZATION_LIMIT),),
        Call("delete_usage_limit", {"usage_limit": ORGANIZATION_LIMIT}, "y"),
    ),
    Step(
        "set_project_usage_limit",
        limits("set_project_usage_limit", ORGANIZATION, GRANITE, limit_input(10, 20, "Requests")),
        lambda it: it["id"] == PROJECT_LIMIT,
        (("ulim", "set-project-limit", "-o", ORGANIZATION, "-p", GRANITE, *limit_options(10, 20, "Requests")),),
        # Another unit than the limit that it takes the place of: a person is asked.
        Call("set_usage_limit", {"project": "Granite", **our_limit(10, 20, "Requests")}, "y"),
        shows=PROJECT_LIMIT,
    ),
    Step(
        "get_all_usage_limits_from_project",
        limits("get_all_usage_limits_from_project", ORGANIZATION, GRANITE),
        lambda it: [one["status"] for one in it["usageLimits"]] == [4, 1],
        (("ulim", "get-all-proj-lim", "-o", ORGANIZATION, "-p", GRANITE),),
        Call("list_usage_limits", {"project": "Granite"}),
        ours(usage_limit=PROJECT_LIMIT, active=True, usage_unit="Requests", hard_limit=20),
        PROJECT_LIMIT,
    ),
    Step(
        "get_latest_usage_limit_from_project",
        limits("get_latest_usage_limit_from_project", ORGANIZATION, GRANITE),
        lambda it: it["id"] == PROJECT_LIMIT,
        (("ulim", "get-latest-proj-lim", "-o", ORGANIZATION, "-p", GRANITE),),
        shows=PROJECT_LIMIT,
    ),
    Step(
        "get_active_usage_limit_from_project",
        limits("get_active_usage_limit_from_project", ORGANIZATION, GRANITE),
        lambda it: it["id"] == PROJECT_LIMIT,
        (("ulim", "get-active-proj-lim", "-o", ORGANIZATION, "-p", GRANITE),),
        Call("list_usage_limits", {"project": "Granite", "active": True}),
        lambda it: [one["usage_limit"] for one in it["items"]] == [PROJECT_LIMIT],
        PROJECT_LIMIT,
    ),
    Step(
        "set_…_limit_from_project, three requests",
        lambda: [
            client(UsageLimitClient).set_soft_limit_for_active_usage_limit_from_project(ORGANIZATION, GRANITE, PROJECT_LIMIT, 5),
            client(UsageLimitClient).set_hard_limit_for_active_usage_limit_from_project(ORGANIZATION, GRANITE, PROJECT_LIMIT, 15),
            client(UsageLimitClient).set_project_renewal_status(ORGANIZATION, GRANITE, PROJECT_LIMIT, "NonRenewable"),
        ],
        lambda it: (it[2]["softLimit"], it[2]["hardLimit"]) == (5, 15),
        (("ulim", "up-proj-lim", "-o", ORGANIZATION, "-p", GRANITE, "--lid", PROJECT_LIMIT, *limit_options(5, 15, renewal="NonRenewable")[4:]),),
        Call(
            "update_usage_limit",
            {"project": "Granite", "usage_limit": PROJECT_LIMIT, "soft_limit": 5, "hard_limit": 15, "renewal": "NonRenewable"},
            "y",
        ),
        shows="NonRenewable",
    ),
    Step(
        "list_usage_limits of a project, after three requests",
        ours=Call("list_usage_limits", {"project": "Granite"}),
        expect_ours=ours(usage_limit=PROJECT_LIMIT, soft_limit=5, hard_limit=15),
    ),
    Step(
        "delete_usage_limit_from_project",
        limits("delete_usage_limit_from_project", ORGANIZATION, GRANITE, PROJECT_LIMIT),
        lambda it: it["status"] == 4,
        (("ulim", "del-proj-lim", "-o", ORGANIZATION, "-p", GRANITE, "--lid", PROJECT_LIMIT),),
        Call("delete_usage_limit", {"project": "Granite", "usage_limit": PROJECT_LIMIT}, "y"),
    ),
    Step(
        "create_organization",
        system("create_organization", "Basalt", ANA),
        lambda it: it["organizationName"] == "Basalt" and it["organizationId"] == ANOTHER,
        (("org", "create-organization", "-n", "Basalt", "-e", ANA, "--alias", "system"),),
        Call("create_organization", {"name": "Basalt", "admin_email": ANA}, "y", as_system=True),
        shows=ANOTHER,
    ),
    Step(
        "delete_organization",
        system("delete_organization", ANOTHER),
        lambda it: it == {},
        (("org", "delete-organization", "--oid", ANOTHER, "-a", "system"),),
        Call("delete_organization", {"organization": "Basalt"}, "Basalt", as_system=True),
    ),
    Step(
        "delete_project",
        organization("delete_project", GRANITE),
        lambda it: it == {},
        (("org", "delete-project", "--pid", GRANITE),),
        Call("delete_project", {"project": "Granite"}, "Granite"),
    ),
]


def removal():
    """The package has no removal; the documented requests are compared with ours."""
    ember = by_us.state()["projects"][4]
    person = next(it["id"] for it in by_us.state()["people"] if it["email"] == "amara.diallo@acme.example")
    check("amara is in Ember", ember["name"] == "Ember" and any(it["person"] == person for it in ember["seats"]), ember)
    paths = [
        (by_client, f"/v2/accessControl/projects/{EMBER}/members/{person}"),
        (by_command, "/accessControl/projects/Ember/members/amara.diallo@acme.example"),
    ]
    for sandbox, path in paths:
        answer = sandbox.get(path, "DELETE", KEY)
        check(f"removal by {path}", answer["status"] == "Revoked" and answer["projectRoles"] == ["Project member"], answer)
    by_us.journal()
    code, screen, _ = Call("remove_project_member", {"project": "Ember", "member": "amara.diallo@acme.example"}, "amara.diallo@acme.example").run()
    check("rolecall remove_project_member asks and ends well", code == 0, screen)
    sent = [f"{it['method']} {it['target']}" for it in by_us.journal() if it["method"] != "GET"]
    check("rolecall remove_project_member sends the documented request", sent == [f"DELETE /v2/accessControl/projects/{EMBER}/members/{person}"], sent)


def refusals():
    """What the service refuses, in its own words, which the package passes on."""
    cases = [
        ("Organization or Project mismatch: verify the provided authorization", organization("get_project_roles", "no-such-id")),
        ("Organization or Project mismatch", organization("get_project_members", PROJECTS["Helpdesk"])),
        ("Field roleTypes is out of range", organization("get_project_members", ATLAS, role_types="sideways")),
        ("expected: projectName", organization("get_project_memberships", ANA, order_key="name")),
        ("Invalid order (expected: |name|)", system("get_organization_list", order_key="id")),
        ("Not Found, Email", organization("get_project_memberships", "nobody@acme.example")),
        ("No Organizations found matching the search criteria.", system("get_organization_list", filter_key="name", filter_value="zzz")),
        ("Access token not found, login again", organization("get_organization_list")),
        ("Project not in Organization", organization("get_project_tokens", PROJECTS["Helpdesk"])),
        ("Not Found", organization("get_project_tokens", "")),
        ("(required %1) Description", auth("create_project_api_token", ATLAS, "ci")),
        ("(required %1) project-id", auth("create_project_api_token", "", "ci", "x")),
        ("Forbidden", auth("create_project_api_token", PROJECTS["Helpdesk"], "ci", "x")),
        ("already exists", auth("create_project_api_token", ATLAS, "pipeline", "x")),
        ("Not Found", auth("create_project_api_token", ATLAS, "n" * 201, "x")),
        ("Cannot update: [ asleep ] is not a valid status", auth("update_project_api_token", ATLAS_TOKEN, None, "asleep")),
        ("Not Found", auth("delete_project_api_token", "no-such-token")),
        ("Method Not Allowed", auth("get_project_api_token", "")),
        ("Unauthorized", lambda: (session.reset_session(), AdminClient(api_key="geai-test-wrong", base_url=by_client.url).validate_api_token())),
        ("hardLimit must be", limits("set_project_usage_limit", ORGANIZATION, ATLAS, limit_input(20, 10))),
        ("usageUnit", limits("set_organization_usage_limit", ORGANIZATION, limit_input(1, 2, "Requests"))),
        ("already exists", organization("create_project", "Atlas", ANA)),
    ]
    before = by_client.state()
    for part, call in cases:
        seen = outcome(part)(call)
        check(f"refused: {part}", not seen, seen)
    check("what is refused changes nothing", by_client.state() == before)
    code, out, err = command("org", "get-project-roles", "--pid", "no-such-id")
    check("the command ends with 3 on a refusal", code == 3 and "mismatch" in out + err, (code, out, err))


def signing_in():
    """OAuth: these make sessions, so they come after the comparison."""
    password = "geai-test-password-ana-ruiz"
    answer = client(AuthClient).get_oauth2_access_token("geai-test-client", ANA, password)
    check("get_oauth2_access_token", answer["token_type"] == "Bearer" and answer["user_guid"], answer)
    token = answer["access_token"]
    profile = client(AuthClient).get_user_profile_information(token, project_id=ATLAS)
    check("get_user_profile_information", profile["username"] == ANA, profile)
    code, out, err = command("auth", "get-access-token", "--cid", "geai-test-client", "-u", ANA, "-p", password)
    check("auth get-access-token", code == 0 and "access_token" in out, (code, out, err))
    os.environ["GEAI_PROJECT_ID"] = ATLAS
    code, out, err = command("auth", "gui", "--token", "geai-test-oauth-member-0e1f2a3b4c5d")
    del os.environ["GEAI_PROJECT_ID"]
    check("auth get-user-information", code == 0 and ANA in out, (code, out, err))


def told(state):
    """What a sandbox holds, without what depends on the clock and on the order of what came in."""
    text = re.sub(r'"(timestamp|validFrom)": "[^"]*"', r'"\1": ""', json.dumps(state))
    state = json.loads(text)
    for project in state["projects"]:
        project["seats"].sort(key=lambda it: it["person"])
    state["invitations"].sort(key=lambda it: (it["project"], it["email"]))
    return state


def differences(one, other):
    return [name for name in one if one[name] != other[name]]


def main():
    for step in READS + CHANGES:
        step.run()
    removal()
    states = [told(it.state()) for it in SANDBOXES]
    check("clients and commands leave the same", states[0] == states[1], differences(states[0], states[1]))
    check("clients and rolecall leave the same", states[0] == states[2], differences(states[0], states[2]))
    mails = states[2]["invitations"]
    check("nobody was invited twice", len(mails) == 3 and all(it["count"] == 1 for it in mails), mails)
    refusals()
    signing_in()
    secrets = [it.read_text() for it in (home / "secrets").rglob("*") if it.is_file()]
    check("the new key went to the secrets folder", any(TOKEN in it for it in secrets), len(secrets))


try:
    main()
finally:
    for sandbox in SANDBOXES:
        sandbox.end()
end("the vendor's package, its commands and rolecall on the sandbox")
