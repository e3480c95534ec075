"""The official Python client against the sandbox of SeeMe.ai: all 50 methods of organizations and access. Then the program's own
requests beside those of the client.

usage: sdk.py BINARY
"""

import contextlib
import importlib.metadata
import json
import os
import tempfile
import traceback
from pathlib import Path

import calls
import requests
from checks import check, end
from sandbox import KEY, PNG, Sandbox
from seeme import Client, Organization, Permission, Project, Role, Team

JPEG = b"\xff\xd8\xff\xc0\0\x11\x08\0\x08\0\x08\x03\x01\x22\0\x02\x11\x01\x03\x11\x01\xff\xd9"


def refused(what, status, call):
    """Checks that a call is answered with this status."""
    try:
        check(what, False, call())
    except requests.HTTPError as error:
        told = error.response
        fits = told.status_code == status and told.json().get("severity") == "error" and told.json().get("message")
        check(what, fits, f"{told.status_code} {told.text}")


@contextlib.contextmanager
def another(**quirks):
    """A sandbox of another kind, and its client."""
    with tempfile.TemporaryDirectory() as folder:
        with Sandbox() as plain:
            state = plain.state()
        state["quirks"].update(quirks)
        file = Path(folder) / "state.json"
        file.write_text(json.dumps(state))
        with Sandbox("--state", str(file)) as sandbox:
            yield sandbox, sandbox.client()


class Recorder:
    """Calls methods of the client, and compares what it sent."""

    def __init__(self, sandbox):
        self.sandbox, self.client, self.called = sandbox, sandbox.client(), set()

    def __call__(self, request, method, *arguments, body=None, **named):
        """`request` is method and path that the client must send; `body` what its JSON must hold, at least."""
        self.called.add(method)
        answer = getattr(self.client, method)(*arguments, **named)
        seen = self.sandbox.journal()
        sent = [f"{it['method']} {it['target'].removeprefix('/api/v1/')}" for it in seen]
        check(f"{method} sends {request}", sent == [request], sent)
        check(f"{method} sends the key", all(it["authorized"] for it in seen))
        if body is not None:
            told = json.loads(seen[0]["body"])
            check(f"{method} sends {body}", body.items() <= told.items(), told)
            check(f"{method} sends no content type", "content-type" not in seen[0]["headers"], seen[0]["headers"])
        return answer


def one(items, name):
    return next(it for it in items if it.name == name)


def organizations(it):
    listed = it("GET organizations", "get_organizations")
    check("the caller's organizations", [one.name for one in listed] == ["Acme", "Northwind"], listed)
    owners = [one.owner_id for one in listed]
    check("one of them is somebody else's", owners == ["user-helena", "user-rosa"], owners)
    made = it(
        "POST organizations",
        "create_organization",
        Organization(name="Blue Harbour", description="Ships", slug="blue-harbour", website="https://harbour.example"),
        body={"name": "Blue Harbour", "description": "Ships", "slug": "blue-harbour", "id": None},
    )
    check("the caller owns a new one", made.owner_id == "user-helena" and made.website == "https://harbour.example", made)
    made.name, made.website = "Blue Haven", None
    renamed = it(f"PUT organizations/{made.id}", "update_organization", made, body={"id": made.id, "name": "Blue Haven"})
    check("what was changed is changed", (renamed.name, renamed.website, renamed.slug) == ("Blue Haven", None, "blue-harbour"), renamed)
    read = it(f"GET organizations/{made.id}", "get_organization", made.id)
    check("and read again", read == renamed, read)
    refused("a slug is taken once", 409, lambda: it.client.create_organization(Organization(name="Other", slug="acme")))
    refused("a name is needed", 422, lambda: it.client.create_organization(Organization(name="")))
    it.sandbox.journal()
    check("a removal answers nothing", it(f"DELETE organizations/{made.id}", "delete_organization", made.id) == {})
    refused("it is gone", 404, lambda: it.client.get_organization(made.id))
    it.sandbox.journal()
    acme = it("GET organizations/organization-acme", "get_organization", "organization-acme")
    acme.description = "Maps, and more"
    it("PUT organizations/organization-acme", "update_organization", acme)
    kept = next(one for one in it.sandbox.state()["places"] if one["id"] == acme.id)
    check("what a client does not send back is lost", kept["settings"] is None and kept["plan"] == "enterprise", kept)


def logos(it):
    kinds = [("organization", "organization-northwind"), ("team", "team-platform"), ("project", "project-beacon")]
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("mark.png", PNG), ("mark.jpg", JPEG), ("mark.jpeg", JPEG), ("mark.JPG", JPEG), ("notes.txt", b"words")):
            (Path(folder) / name).write_bytes(content)
        got = Path(folder) / "got"
        for kind, target in kinds:
            path = f"{kind}s/{target}/logo"
            for name, content_type in (("mark.jpg", "image/jpg"), ("mark.jpeg", "image/jpeg"), ("mark.JPG", "image/jpeg"), ("mark.png", "image/png")):
                getattr(it.client, f"upload_{kind}_logo")(target, folder, name)
                head = it.sandbox.journal()[0]["body"].split("\r\n\r\n")[0]
                fits = f'name="file"; filename="{name}"' in head and head.endswith(f"Content-Type: {content_type}")
                check(f"upload_{kind}_logo sends {name} as {content_type}", fits, head)
            held = it(f"POST {path}", f"upload_{kind}_logo", target, folder, "mark.png")
            check(f"the {kind} has a logo", held.has_logo and held.logo == ".png", held)
            refused(f"a text is no logo of a {kind}", 422, lambda: getattr(it.client, f"upload_{kind}_logo")(target, folder, "notes.txt"))
            it.sandbox.journal()
            it(f"GET {path}", f"get_{kind}_logo", target, str(got))
            check(f"the logo of the {kind} comes back", got.read_bytes() == PNG, got.read_bytes())
            it(f"DELETE {path}", f"delete_{kind}_logo", target)
            refused(f"the {kind} has no logo any more", 404, lambda: getattr(it.client, f"get_{kind}_logo")(target, str(got)))
            left = getattr(it.client, f"get_{kind}")(target)
            check(f"the {kind} says so", not left.has_logo and left.logo == "", left)
            it.sandbox.journal()


def members(it):
    path = "organizations/organization-acme/members"
    listed = it(f"GET {path}", "get_organization_members", "organization-acme")
    check("members and an invitation", [one.user_id for one in listed].count("") == 1 and len(listed) == 6, listed)
    oskar = one(listed, "Lindqvist")
    check("a member is told whole", (oskar.role_name, oskar.email, oskar.firstname) == ("Admin", "oskar.lindqvist@acme.example", "Oskar"), oskar)
    known = it(
        f"POST {path}",
        "invite_to_organization",
        "organization-acme",
        "lena.vogel@studio-vogel.example",
        body={"email": "lena.vogel@studio-vogel.example", "role_id": None},
    )
    check("who has an account joins", known.user_id == "user-lena" and known.role_name == "Member", known)
    new = it(
        f"POST {path}", "invite_to_organization", "organization-acme", "juno@acme.example", "role-org_admin", body={"email": "juno@acme.example", "role_id": "role-org_admin"}
    )
    check("who has none is asked", new.user_id == "" and new.role_name == "Admin", new)
    refused("nobody is asked twice", 409, lambda: it.client.invite_to_organization("organization-acme", "juno@acme.example"))
    refused("only at an address", 422, lambda: it.client.invite_to_organization("organization-acme", "juno"))
    it.sandbox.journal()
    changed = it(
        f"PUT {path}/{known.id}/role", "update_organization_member_role", "organization-acme", known.id, "role-label_clerk", body={"role_id": "role-label_clerk"}
    )
    check("a role is changed", changed.role_name == "Label clerk", changed)
    refused("to one there is", 422, lambda: it.client.update_organization_member_role("organization-acme", known.id, "role-bookkeeper"))
    refused("a user id is no member id", 404, lambda: it.client.remove_organization_member("organization-acme", "user-lena"))
    owner = one(it.client.get_organization_members("organization-northwind"), "Delgado")
    refused("an owner stays", 409, lambda: it.client.remove_organization_member("organization-northwind", owner.id))
    refused("as what they are", 409, lambda: it.client.update_organization_member_role("organization-northwind", owner.id, "role-org_member"))
    it.sandbox.journal()
    it(f"DELETE {path}/{new.id}", "remove_organization_member", "organization-acme", new.id)
    it(f"DELETE {path}/{known.id}", "remove_organization_member", "organization-acme", known.id)
    check("both are gone", len(it.client.get_organization_members("organization-acme")) == 6)
    it.sandbox.journal()


def teams(it):
    listed = it("GET organizations/organization-acme/teams", "get_organization_teams", "organization-acme")
    check("the teams of an organization", [one.name for one in listed] == ["Research", "Platform"], listed)
    everywhere = it("GET teams", "get_teams")
    check("the teams of all", [one.name for one in everywhere] == ["Research", "Platform", "Finance"], everywhere)
    made = it(
        "POST teams",
        "create_team",
        Team(name="Design", description="Looks", organization_id="organization-acme"),
        body={"name": "Design", "organization_id": "organization-acme"},
    )
    check("a team is made", made.slug == "design" and made.user_id == "user-helena", made)
    made.name = "Design and print"
    check("and renamed", it(f"PUT teams/{made.id}", "update_team", made, body={"name": made.name}).name == made.name)
    check("and read", it(f"GET teams/{made.id}", "get_team", made.id).name == made.name)
    check("its maker leads it", [one.role_name for one in it(f"GET teams/{made.id}/members", "get_team_members", made.id)] == ["Team lead"])
    path = f"teams/{made.id}/members"
    added = it(f"POST {path}", "add_team_member", made.id, "user-ana", body={"user_id": "user-ana", "role_id": None})
    check("somebody is added", (added.team_id, added.username, added.role_name) == (made.id, "ana", "Team member"), added)
    refused("not twice", 409, lambda: it.client.add_team_member(made.id, "user-ana"))
    refused("not from elsewhere", 422, lambda: it.client.add_team_member(made.id, "user-rosa"))
    it.sandbox.journal()
    lead = it(f"PUT {path}/{added.id}/role", "update_team_member_role", made.id, added.id, "role-team_lead", body={"role_id": "role-team_lead"})
    check("and leads", lead.role_name == "Team lead", lead)
    it(f"DELETE {path}/{added.id}", "remove_team_member", made.id, added.id)
    check("and is out", len(it.client.get_team_members(made.id)) == 1)
    it.sandbox.journal()
    it(f"DELETE teams/{made.id}", "delete_team", made.id)
    refused("a deleted team is gone", 404, lambda: it.client.get_team(made.id))
    it.sandbox.journal()


def projects(it):
    names = lambda listed: [one.name for one in listed]
    check("all projects", names(it("GET projects", "get_projects")) == ["Atlas", "Beacon", "Ledger"])
    both = it(
        "GET projects?organization_id=organization-acme&team_id=team-research",
        "get_projects",
        organization_id="organization-acme",
        team_id="team-research",
    )
    check("projects by both filters", names(both) == ["Atlas"], both)
    within = it("GET organizations/organization-acme/projects", "get_organization_projects", "organization-acme")
    check("projects of an organization", names(within) == ["Atlas", "Beacon"], within)
    of_team = it("GET projects?team_id=team-research", "get_team_projects", "team-research")
    check("projects of a team", names(of_team) == ["Atlas"], of_team)
    made = it(
        "POST projects",
        "create_project",
        Project(name="Comet", organization_id="organization-acme", team_id="team-platform", slug="comet"),
        body={"name": "Comet", "organization_id": "organization-acme", "team_id": "team-platform", "slug": "comet"},
    )
    check("a project is made", (made.team_id, made.slug) == ("team-platform", "comet"), made)
    refused("a team of another organization", 422, lambda: it.client.create_project(Project(name="X", organization_id="organization-acme", team_id="team-finance")))
    refused("an organization of others", 404, lambda: it.client.create_project(Project(name="X", organization_id="organization-none")))
    it.sandbox.journal()
    made.team_id = None
    check("and leaves its team", it(f"PUT projects/{made.id}", "update_project", made, body={"team_id": None}).team_id is None)
    check("and is read", it(f"GET projects/{made.id}", "get_project", made.id).team_id is None)
    path = f"projects/{made.id}/members"
    check("its maker is in it", len(it(f"GET {path}", "get_project_members", made.id)) == 1)
    added = it(f"POST {path}", "add_project_member", made.id, "user-mei", "role-project_editor", body={"user_id": "user-mei", "role_id": "role-project_editor"})
    check("somebody joins", (added.project_id, added.firstname, added.role_name) == (made.id, "Mei", "Project editor"), added)
    viewer = it(f"PUT {path}/{added.id}/role", "update_project_member_role", made.id, added.id, "role-project_viewer", body={"role_id": "role-project_viewer"})
    check("and only looks", viewer.role_id == "role-project_viewer", viewer)
    it(f"DELETE {path}/{added.id}", "remove_project_member", made.id, added.id)
    path = f"projects/{made.id}/resources"
    check("a new one has no resources", it(f"GET {path}", "get_project_resources", made.id) == [])
    resource = it(f"POST {path}", "assign_resource_to_project", made.id, "workflow", "wf-7", body={"resource_type": "workflow", "resource_id": "wf-7"})
    check("a resource is assigned", (resource.project_id, resource.resource_type, resource.resource_id) == (made.id, "workflow", "wf-7"), resource)
    refused("of a type there is", 422, lambda: it.client.assign_resource_to_project(made.id, "spreadsheet", "s-1"))
    it.sandbox.journal()
    it(f"DELETE {path}/workflow/wf-7", "remove_resource_from_project", made.id, "workflow", "wf-7")
    refused("and is no more", 404, lambda: it.client.remove_resource_from_project(made.id, "workflow", "wf-7"))
    it.sandbox.journal()
    it(f"DELETE projects/{made.id}", "delete_project", made.id)
    check("the project is gone", names(it.client.get_projects()) == ["Atlas", "Beacon", "Ledger"])
    it.sandbox.journal()


def roles(it):
    listed = it("GET roles", "get_roles")
    check("ten roles, eight of the system", [one.is_system for one in listed].count(True) == 8 and len(listed) == 10, listed)
    within = it("GET organizations/organization-acme/roles", "get_organization_roles", "organization-acme")
    check("those of an organization", [one.name for one in within if not one.is_system] == ["Label clerk"], within)
    made = it(
        "POST roles",
        "create_role",
        Role(name="Reader", organization_id="organization-acme", permissions=[Permission.MODELS_READ, "datasets:read"]),
        body={"name": "Reader", "permissions": ["models:read", "datasets:read"], "scope": "organization", "organization_id": "organization-acme"},
    )
    check("a role is made", made.permissions == ["models:read", "datasets:read"] and not made.is_system, made)
    made.permissions = ["models:*"]
    wider = it(f"PUT roles/{made.id}", "update_role", made, body={"permissions": ["models:*"], "permission_list": ["models:read", "datasets:read"]})
    check("the new list counts, not the old one beside it", wider.permissions == ["models:*"], wider)
    check("and is read", it(f"GET roles/{made.id}", "get_role", made.id).permissions == ["models:*"])
    refused("a code has a form", 422, lambda: it.client.create_role(Role(name="Odd", organization_id="organization-acme", permissions=["models"])))
    refused("the system's roles stay", 403, lambda: it.client.delete_role("role-org_admin"))
    refused("as they are", 403, lambda: it.client.update_role(Role(id="role-org_admin", name="Boss")))
    it.sandbox.journal()
    it(f"DELETE roles/{made.id}", "delete_role", made.id)
    refused("a deleted role is gone", 404, lambda: it.client.get_role(made.id))
    it.sandbox.journal()
    codes = it("GET permissions", "get_permissions")
    check("93 permissions", len(codes) == 93 and {one.code for one in codes} == {str(one.value) for one in Permission}, codes[:3])
    check("with names", codes[1].name == "list models" and codes[1].category == "models", codes[1])


def context(it):
    me = it("GET me/context", "get_current_user_context")
    check("who the caller is", (me.user_id, me.current_organization.name) == ("user-helena", "Acme"), me)
    check("and what they may do", "*" in me.permissions and {"Owner", "Admin"} <= {one.name for one in me.roles}, me)


def accounts(it):
    with Sandbox() as sandbox:
        stranger = Client(backend=sandbox.backend, env_file="/dev/null")
        joined = stranger.register("juno", "juno@acme.example", "seeme-test-password", "Juno", "Park")
        check("an account is made", joined.username == "juno" and joined.apikey.startswith("seeme-test-"), joined)
        try:
            check("an account is made once", False, stranger.register("juno", "juno@acme.example", "x", "Juno", "Park"))
        except ValueError as error:
            check("an account is made once", "already" in str(error), error)
        refused("a wrong password", 401, lambda: stranger.login("juno", "guess"))
        signed_in = stranger.login("juno", "seeme-test-password")
        check("who signs in gets a key", signed_in.apikey not in ("", joined.apikey), signed_in)
        check("and may begin", stranger.get_organizations() == [] and stranger.get_current_user_context().permissions != [])
        made = stranger.create_organization(Organization(name="Juno and company"))
        check("with an organization", stranger.get_current_user_context().current_organization_id == made.id)
        sandbox.journal()
        stranger.logout()
        check("signing out is said", [one["target"] for one in sandbox.journal()] == ["/api/v1/logout"])
        refused("and ends the key", 401, lambda: sandbox.client(signed_in.apikey))
        check("but no other", [one.name for one in sandbox.client(joined.apikey).get_organizations()] == ["Juno and company"])
    key = it.client.create_api_key("laptop", 30)
    check("a key is shown once", key.key.startswith("seeme-test-") and all(one.key is None for one in it.client.get_api_keys()), key)
    it.client.delete_api_key(key.id)
    check("and deleted", key.id not in [one.id for one in it.client.get_api_keys()])
    check("shares have roles", it.client.get_share_role_id("share_editor") == "role-share_editor")
    it.sandbox.journal()


def guards(it):
    ana = it.sandbox.client("seeme-test-ana")
    check("a member looks", [one.name for one in ana.get_projects()] == ["Atlas", "Beacon"])
    refused("and changes nothing", 403, lambda: ana.delete_project("project-atlas"))
    refused("and invites nobody", 403, lambda: ana.invite_to_organization("organization-acme", "x@acme.example"))
    refused("and sees no other organization", 404, lambda: ana.get_organization("organization-northwind"))
    reading = it.sandbox.client("seeme-test-reading")
    check("a limited key reads", len(reading.get_organizations()) == 2)
    refused("what it is limited to", 403, lambda: reading.get_teams())
    refused("an admin is no owner", 403, lambda: it.client.delete_organization("organization-northwind"))
    refused("an unknown key", 401, lambda: it.sandbox.client("seeme-test-wrong"))
    with Sandbox("--seed", "empty") as sandbox:
        client = sandbox.client()
        check("an empty service has an account and the system's roles", client.get_organizations() == [] and client.get_permissions() != [])
        client.create_organization(Organization(name="First"))
        check("that can begin", [one.scope for one in client.get_roles()] == ["organization"] * 3 + ["team"] * 2 + ["project"] * 3)


def alternatives():
    for empty in ("NoContent", "NoBody", "Json"):
        with another(empty=empty) as (sandbox, client):
            client.remove_resource_from_project("project-atlas", "model", "model-segmenter")
            check(f"{empty}: a removal succeeds", [one.resource_type for one in client.get_project_resources("project-atlas")] == ["dataset"])
    with another(null_lists=True) as (_, client):
        check("a list may be null", client.get_project_resources("project-beacon") == [])
    with another(invites="Invitations") as (sandbox, client):
        try:
            check("the client does not know invitations", False, client.invite_to_organization("organization-acme", "lena.vogel@studio-vogel.example"))
        except ValueError:
            check("the client does not know invitations", True)
        told = sandbox.state()["members"][-1]
        check("but one was made", told["user_id"] is None and told["invitation"]["email"] == "lena.vogel@studio-vogel.example", told)
    with another(system_roles="IsSystemRole", permission_names="Code", permission_lists=True, bare_organizations=True) as (_, client):
        check("roles under the other flag", [one.is_system_role for one in client.get_roles()].count(True) == 8)
        check("codes in the other list", client.get_role("role-label_clerk").permission_list[0] == "organizations:read")
        check("codes as names", {one.name for one in client.get_permissions()} == {str(one.value) for one in Permission})
        check("organizations without an owner", client.get_organization("organization-acme").owner_id is None)
    with another(no_role_routes=True, paid_roles=True) as (_, client):
        refused("no single roles", 404, lambda: client.get_role("role-org_admin"))
        refused("no roles of one's own without a plan", 402, lambda: client.create_role(Role(name="Odd", organization_id="organization-northwind")))
    with another(add_by_email_only=True, absent="YearOne") as (_, client):
        refused("nobody is added by id", 400, lambda: client.add_project_member("project-beacon", "user-ana"))
        check("a time that never was", client.get_project("project-beacon").updated_at == "0001-01-01T00:00:00Z")
    with another(logos_from="") as (sandbox, client), tempfile.TemporaryDirectory() as folder:
        client.get_organization_logo("organization-acme", f"{folder}/logo")
        check("a logo is fetched from where it lies", Path(folder, "logo").read_bytes().startswith(PNG[:8]))
        check("at another path", [one["target"] for one in sandbox.journal()][-1] == "/storage/organization-acme")


def main():
    with Sandbox() as sandbox:
        check("the environment is told", sandbox.environment["SEEME_API_KEY"] == KEY, sandbox.environment)
        it = Recorder(sandbox)
        for part in (organizations, logos, members, teams, projects, roles, context, accounts, guards):
            run(part, it)
        methods = len(it.called)
        check("all 50 methods were called", methods == 50, sorted(it.called))
    run(alternatives)
    run(calls.compare)


def run(part, *arguments):
    try:
        part(*arguments)
    except Exception:
        check(f"{part.__name__}: it broke off", False, traceback.format_exc(limit=3))


os.environ["NO_COLOR"] = "1"
main()
end(f"seeme {importlib.metadata.version('seeme')}")
