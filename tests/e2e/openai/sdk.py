"""The official Python client against the sandbox of OpenAI's Administration API, and `rolecall call` beside it.

usage: sdk.py BINARY
"""

import importlib.metadata
import sys
import traceback

import openai
from calls import compare
from checks import check, end
from sandbox import Sandbox, same

BINARY = sys.argv[1]


def refused(what, error, act):
    """The error that a call ends with; a message and a request id belong to it."""
    try:
        check(what, False, act())
    except error as seen:
        check(f"{what}: a message and a request id", bool(seen.message) and seen.request_id.startswith("req_"), seen)
        return seen
    except openai.OpenAIError as seen:
        check(what, False, repr(seen))
    return None


def projects(admin, state):
    every = [it.id for it in admin.projects.list(limit=2)]
    same("projects: pages of two give each once", every, [it["id"] for it in state()["projects"] if not it["archived_at"]])
    same("projects: and the archived one where asked for", len(list(admin.projects.list(include_archived=True))), len(every) + 1)
    made = admin.projects.create(name="Tides", residency="EU_STORAGE_PROCESSING", external_key_id="ext-1")
    same("projects: create", (made.object, made.name, made.status, made.residency, made.external_key_id),
         ("organization.project", "Tides", "active", "EU_STORAGE_PROCESSING", "ext-1"))
    same("projects: retrieve", admin.projects.retrieve(made.id), made)
    renamed = admin.projects.update(made.id, name="High tides")
    same("projects: update leaves alone what is left out", (renamed.name, renamed.external_key_id), ("High tides", "ext-1"))
    same("projects: and clears what is null", admin.projects.update(made.id, external_key_id=None).external_key_id, None)
    archived = admin.projects.archive(made.id)
    check("projects: archive", archived.status == "archived" and archived.archived_at, archived)
    same("projects: again", admin.projects.archive(made.id), archived)
    refused("projects: nothing is done in an archived one", openai.BadRequestError, lambda: admin.projects.update(made.id, name="x"))
    refused("projects: its people are not there", openai.BadRequestError, lambda: admin.projects.users.list(made.id))
    refused("projects: the default one stays", openai.BadRequestError, lambda: admin.projects.archive("proj_default"))
    refused("projects: an unknown one", openai.NotFoundError, lambda: admin.projects.retrieve("proj_none"))
    refused("projects: residency and geography", openai.BadRequestError,
            lambda: admin.projects.create(name="x", residency="GLOBAL", geography="EU"))


def project_users(admin, state):
    at = {"project_id": "proj_atlas"}
    joined = admin.projects.users.create("proj_atlas", role="member", user_id="user-ravi")
    same("project users: create", (joined.object, joined.email, joined.role),
         ("organization.project.user", "ravi.deshpande@acme.example", "member"))
    by_email = admin.projects.users.create("proj_atlas", role="owner", email="linh.tran@acme.example")
    same("project users: by e-mail", (by_email.id, by_email.role), ("user-linh", "owner"))
    every = [it.id for it in admin.projects.users.list("proj_atlas", limit=2)]
    members = [it["members"] for it in state()["projects"] if it["id"] == "proj_atlas"][0]
    same("project users: pages of two give each once", every, [it["user_id"] for it in members])
    same("project users: retrieve", admin.projects.users.retrieve("user-ravi", **at), joined)
    same("project users: update", admin.projects.users.update("user-ravi", role="owner", **at).role, "owner")
    gone = admin.projects.users.delete("user-ravi", **at)
    same("project users: delete", (gone.object, gone.id, gone.deleted), ("organization.project.user.deleted", "user-ravi", True))
    refused("project users: gone", openai.NotFoundError, lambda: admin.projects.users.retrieve("user-ravi", **at))
    refused("project users: twice", openai.BadRequestError,
            lambda: admin.projects.users.create("proj_atlas", role="member", user_id="user-ana"))
    refused("project users: an outsider", openai.BadRequestError,
            lambda: admin.projects.users.create("proj_atlas", role="member", email="nobody@elsewhere.example"))
    refused("project users: neither id nor e-mail", openai.BadRequestError, lambda: admin.projects.users.create("proj_atlas", role="member"))
    refused("project users: an organization's owner stays", openai.BadRequestError, lambda: admin.projects.users.delete("user-oskar", **at))
    refused("project users: the default project keeps all", openai.BadRequestError,
            lambda: admin.projects.users.delete("user-ana", project_id="proj_default"))


def role_assignments(what, at, principal, role, other, ids, kind):
    """The four calls of a roles resource; `ids` are what they want besides."""
    made = at.create(principal, role_id=role, **ids)
    same(f"{what}: create", (made.object, getattr(made, kind).id), (f"{kind}.role", principal))
    check(f"{what}: another id may come back", made.role.id.startswith(role.split("__")[0]), made.role)
    same(f"{what}: again is the same", at.create(principal, role_id=role, **ids), made)
    at.create(principal, role_id=other, **ids)
    listed = [it.id for it in at.list(principal, limit=1, **ids)]
    check(f"{what}: pages of one give each once", {made.role.id, other} <= set(listed) and len(listed) == len(set(listed)), listed)
    one = at.retrieve(made.role.id, **{f"{kind}_id": principal}, **ids)
    same(f"{what}: retrieve", (one.id, one.predefined_role), (made.role.id, made.role.predefined_role))
    gone = at.delete(made.role.id, **{f"{kind}_id": principal}, **ids)
    same(f"{what}: delete", (gone.object, gone.deleted), (f"{kind}.role.deleted", True))
    refused(f"{what}: twice", openai.NotFoundError, lambda: at.delete(made.role.id, **{f"{kind}_id": principal}, **ids))


def roles_of_people(admin, _state):
    here = {"project_id": "proj_atlas"}
    role_assignments("project roles of a user", admin.projects.users.roles, "user-mei", "role-api-project-viewer", "role_key_master", here, "user")
    role_assignments("project roles of a group", admin.projects.groups.roles, "group_reviewers", "role-api-project-member", "role_key_master",
                     here, "group")
    role_assignments("roles of a user", admin.users.roles, "user-mei", "role_auditor", "role_webhooks", {}, "user")
    role_assignments("roles of a group", admin.groups.roles, "group_crew", "role_auditor", "role_webhooks", {}, "group")
    inherited = [it for it in admin.projects.users.roles.list("user-chidi", **here) if it.id == "role_key_master"]
    same("inherited roles say through which group", [(it.principal_id, it.principal_type) for it in inherited[0].assignment_sources],
         [("group_reviewers", "group")])
    refused("a role of a project is none of the organization", openai.NotFoundError,
            lambda: admin.users.roles.create("user-mei", role_id="role_key_master"))


def service_accounts(admin, state):
    at = {"project_id": "proj_atlas"}
    made = admin.projects.service_accounts.create("proj_atlas", name="Lantern", expires_in_seconds=86400)
    same("service accounts: create", (made.object, made.role, made.api_key.object),
         ("organization.project.service_account", "member", "organization.project.service_account.api_key"))
    same("service accounts: the key ends", made.api_key.expires_at, made.api_key.created_at + 86400)
    bare = admin.projects.service_accounts.create("proj_atlas", name="Bare", create_service_account_only=True)
    same("service accounts: without a key", (bare.role, bare.api_key), ("none", None))
    every = [it.id for it in admin.projects.service_accounts.list("proj_atlas", limit=2)]
    same("service accounts: pages of two give each once", every, ["svc_acct_beacon", "svc_acct_drift", made.id, bare.id])
    same("service accounts: retrieve", admin.projects.service_accounts.retrieve(made.id, **at).name, "Lantern")
    changed = admin.projects.service_accounts.update(made.id, name="Lamp", role="owner", **at)
    same("service accounts: update", (changed.name, changed.role), ("Lamp", "owner"))
    key = admin.projects.service_accounts.api_keys.create(made.id, name="second", scopes=["api.model.request"], **at)
    same("service accounts: another key", (key.name, key.expires_at), ("second", None))
    unnamed = admin.projects.service_accounts.api_keys.create(bare.id, **at)
    check("service accounts: a key without a word", unnamed.value.startswith("sk-"), unnamed)
    values = [made.api_key.value, key.value, unnamed.value]
    check("service accounts: values are shown once", not any(it in str(state()) for it in values), values)
    gone = admin.projects.service_accounts.delete(made.id, **at)
    same("service accounts: delete", (gone.object, gone.id, gone.deleted), ("organization.project.service_account.deleted", made.id, True))
    left = [it.id for it in admin.projects.api_keys.list("proj_atlas", owner_project_access="any")]
    check("service accounts: their keys go with them", made.api_key.id not in left and key.id not in left and unnamed.id in left, left)
    refused("service accounts: an end without a key", openai.BadRequestError,
            lambda: admin.projects.service_accounts.create("proj_atlas", name="x", create_service_account_only=True, expires_in_seconds=5))


def api_keys(admin, _state):
    at = {"project_id": "proj_atlas"}
    every = {access: [it.id for it in admin.projects.api_keys.list("proj_atlas", limit=2, owner_project_access=access)]
             for access in ("any", "active", "inactive")}
    same("keys: of all, some may and some may not", sorted(every["any"]), sorted(every["active"] + every["inactive"]))
    same("keys: whose owner has gone", every["inactive"], ["key_leo_trial"])
    quiet = [it.id for it in admin.projects.api_keys.list("proj_atlas")]
    same("keys: those of members, where nothing is said", set(every["any"]) - set(quiet), {"key_leo_trial", "key_chidi_review"})
    one = admin.projects.api_keys.retrieve("key_ana_laptop", **at)
    same("keys: a person's", (one.owner.type, one.owner.user.email, one.owner.service_account), ("user", "ana.ruiz@acme.example", None))
    program = admin.projects.api_keys.retrieve("key_beacon", **at)
    same("keys: a program's", (program.owner.type, program.owner.service_account.id), ("service_account", "svc_acct_beacon"))
    changed = admin.projects.api_keys.update("key_beacon", expires_in_seconds=60, scopes=["api.all.read"], **at)
    check("keys: update", changed.expires_at and changed.redacted_value == program.redacted_value, changed)
    refused("keys: nothing to update", openai.BadRequestError, lambda: admin.projects.api_keys.update("key_beacon", **at))
    refused("keys: one that has ended", openai.BadRequestError, lambda: admin.projects.api_keys.update("key_beacon_old", scopes=[], **at))
    for key in ("key_jonas_notebook", "key_beacon"):
        gone = admin.projects.api_keys.delete(key, **at)
        same(f"keys: delete {key}", (gone.object, gone.id, gone.deleted), ("organization.project.api_key.deleted", key, True))
    refused("keys: gone", openai.NotFoundError, lambda: admin.projects.api_keys.retrieve("key_beacon", **at))
    check("keys: the account stays", admin.projects.service_accounts.retrieve("svc_acct_beacon", **at).id == "svc_acct_beacon")


def rate_limits(admin, _state):
    every = list(admin.projects.rate_limits.list_rate_limits("proj_atlas", limit=2))
    same("rate limits: pages of two give each once", len({it.id for it in every}), len(every))
    image = next(it for it in every if it.model == "canvas-3")
    check("rate limits: only what the model has", image.max_images_per_1_minute and image.max_requests_per_1_day is None, image)
    changed = admin.projects.rate_limits.update_rate_limit("rl-canvas-3", project_id="proj_atlas", max_images_per_1_minute=5)
    same("rate limits: update", (changed.max_images_per_1_minute, changed.max_requests_per_1_minute), (5, image.max_requests_per_1_minute))
    earlier = admin.projects.rate_limits.list_rate_limits("proj_atlas", before=every[2].id, limit=100)
    same("rate limits: backwards", [it.id for it in earlier.data], [it.id for it in every[:2]])
    refused("rate limits: not above the organization's", openai.BadRequestError,
            lambda: admin.projects.rate_limits.update_rate_limit("rl-canvas-3", project_id="proj_atlas", max_images_per_1_minute=10**9))
    refused("rate limits: an unknown model", openai.NotFoundError,
            lambda: admin.projects.rate_limits.update_rate_limit("rl-none", project_id="proj_atlas", max_images_per_1_minute=1))


def project_groups(admin, _state):
    made = admin.projects.groups.create("proj_helpdesk", group_id="group_crew", role="role-api-project-member")
    same("project groups: create", (made.object, made.group_name, made.project_id), ("project.group", "Field crew", "proj_helpdesk"))
    admin.projects.groups.create("proj_helpdesk", group_id="group_reviewers", role="role-api-project-viewer")
    every = [it.group_id for it in admin.projects.groups.list("proj_helpdesk", limit=1)]
    same("project groups: pages of one give each once", every, ["group_crew", "group_reviewers"])
    same("project groups: retrieve", admin.projects.groups.retrieve("group_crew", project_id="proj_helpdesk", group_type="group"), made)
    gone = admin.projects.groups.delete("group_crew", project_id="proj_helpdesk")
    same("project groups: delete", (gone.object, gone.deleted), ("project.group.deleted", True))
    refused("project groups: twice", openai.BadRequestError,
            lambda: admin.projects.groups.create("proj_helpdesk", group_id="group_reviewers", role="role-api-project-viewer"))
    refused("project groups: a role's name is no id", openai.NotFoundError,
            lambda: admin.projects.groups.create("proj_helpdesk", group_id="group_crew", role="member"))


def roles(what, at, *where):
    ids = {"project_id": where[0]} if where else {}
    made = at.create(*where, role_name="tide watcher", permissions=["api.model.request"], description="watches")
    same(f"{what}: create", (made.object, made.name, made.permissions, made.description, made.predefined_role),
         ("role", "tide watcher", ["api.model.request"], "watches", False))
    same(f"{what}: the level", made.resource_type, "api.project" if where else "api.organization")
    every = [it.id for it in at.list(*where, limit=2)]
    check(f"{what}: pages of two give each once", made.id in every and len(every) == len(set(every)), every)
    same(f"{what}: retrieve", at.retrieve(made.id, **ids), made)
    changed = at.update(made.id, description=None, permissions=[], **ids)
    same(f"{what}: update", (changed.name, changed.description, changed.permissions), ("tide watcher", None, []))
    refused(f"{what}: a name that is taken", openai.ConflictError, lambda: at.create(*where, role_name="tide watcher", permissions=[]))
    built_in = next(it for it in every if "owner" in it)
    refused(f"{what}: a built-in one stays", openai.PermissionDeniedError, lambda: at.delete(built_in, **ids))
    gone = at.delete(made.id, **ids)
    same(f"{what}: delete", (gone.object, gone.id, gone.deleted), ("role.deleted", made.id, True))


def all_roles(admin, _state):
    roles("roles", admin.roles)
    roles("project roles", admin.projects.roles, "proj_atlas")


def certificates(admin, state):
    pem = "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n"
    made = admin.certificates.create(certificate=pem, name="Pier")
    same("certificates: create", (made.object, made.name), ("certificate", "Pier"))
    same("certificates: update", admin.certificates.update(made.id, name="Long pier").name, "Long pier")
    same("certificates: content where asked for", admin.certificates.retrieve(made.id, include=["content"]).certificate_details.content, pem)
    same("certificates: and not else", admin.certificates.retrieve(made.id).certificate_details.content, None)
    every = [it.id for it in admin.certificates.list(limit=2, order="asc")]
    same("certificates: pages of two give each once", every, [it["id"] for it in state()["certificates"]])
    same("certificates: newest first", [it.id for it in admin.certificates.list()], every[::-1])
    on = admin.certificates.activate(certificate_ids=[made.id])
    same("certificates: activate", [(it.object, it.active) for it in on.data], [("organization.certificate", True)])
    here = admin.projects.certificates.activate("proj_atlas", certificate_ids=[made.id])
    same("certificates: in a project", [(it.object, it.active) for it in here.data], [("organization.project.certificate", True)])
    active = {it.id for it in admin.projects.certificates.list("proj_atlas", limit=1) if it.active}
    same("certificates: active in the project", active, {"cert_quay", made.id})
    refused("certificates: all or none", openai.NotFoundError,
            lambda: admin.projects.certificates.deactivate("proj_atlas", certificate_ids=[made.id, "cert_none"]))
    refused("certificates: an active one stays", openai.BadRequestError, lambda: admin.certificates.delete(made.id))
    off = admin.projects.certificates.deactivate("proj_atlas", certificate_ids=[made.id])
    same("certificates: deactivate in the project", [it.active for it in off.data], [False])
    same("certificates: deactivate", [it.active for it in admin.certificates.deactivate(certificate_ids=[made.id]).data], [False])
    gone = admin.certificates.delete(made.id)
    same("certificates: delete", (gone.object, gone.id), ("certificate.deleted", made.id))
    refused("certificates: eleven at once", openai.BadRequestError,
            lambda: admin.certificates.activate(certificate_ids=[f"cert_{it}" for it in range(11)]))


def users(admin, state):
    every = [it.id for it in admin.users.list(limit=5)]
    same("users: pages of five give each once", every, [it["id"] for it in state()["users"]])
    found = list(admin.users.list(emails=["mei.tanaka@acme.example", "nobody@acme.example", "leo.marchetti@acme.example"]))
    same("users: by e-mail", [it.id for it in found], ["user-mei", "user-leo"])
    one = admin.users.retrieve("user-mei")
    same("users: retrieve", (one.object, one.role, one.user.email), ("organization.user", "reader", "mei.tanaka@acme.example"))
    same("users: with projects", {it.id for it in one.projects.data}, {"proj_default", "proj_atlas", "proj_weather"})
    promoted = admin.users.update("user-mei", role="owner", technical_level="expert")
    same("users: update", (promoted.role, promoted.technical_level), ("owner", "expert"))
    demoted = admin.users.update("user-mei", role_id="role-api-organization-reader")
    same("users: by a role's id", (demoted.role, demoted.technical_level), ("reader", "expert"))
    gone = admin.users.delete("user-leo")
    same("users: delete", (gone.object, gone.id, gone.deleted), ("organization.user.deleted", "user-leo", True))
    refused("users: gone", openai.NotFoundError, lambda: admin.users.retrieve("user-leo"))
    admin.users.update("user-oskar", role="reader")
    refused("users: the last owner stays", openai.BadRequestError, lambda: admin.users.delete("user-marta"))


def invites(admin, _state):
    legacy = admin.invites.create(email="vera@elsewhere.example", role="reader")
    same("invites: nothing said about projects", [(it.id, it.role) for it in legacy.projects], [("proj_default", "member")])
    none = admin.invites.create(email="ivo@elsewhere.example", role="reader", projects=[])
    same("invites: no project", (none.projects, none.status), ([], "pending"))
    some = admin.invites.create(email="uma@elsewhere.example", role="owner", projects=[{"id": "proj_atlas", "role": "owner"}])
    same("invites: a project", [(it.id, it.role) for it in some.projects], [("proj_atlas", "owner")])
    every = list(admin.invites.list(limit=2))
    same("invites: pages of two give each once", len({it.id for it in every}), len(every))
    same("invites: in their states", {it.status for it in every}, {"accepted", "expired", "pending"})
    same("invites: retrieve", admin.invites.retrieve(some.id), some)
    gone = admin.invites.delete(some.id)
    same("invites: delete", (gone.object, gone.id, gone.deleted), ("organization.invite.deleted", some.id, True))
    refused("invites: an accepted one stays", openai.BadRequestError, lambda: admin.invites.delete("invite-grace"))


def groups(admin, _state):
    made = admin.groups.create(name="Sailors")
    same("groups: create", (made.name, made.is_scim_managed, made.group_type), ("Sailors", False, "group"))
    every = [it.id for it in admin.groups.list(limit=2)]
    check("groups: pages of two give each once", made.id in every and len(every) == len(set(every)), every)
    same("groups: retrieve", admin.groups.retrieve(made.id), made)
    same("groups: update", admin.groups.update(made.id, name="Old sailors").name, "Old sailors")
    for user in ("user-ana", "user-mei", "user-ana"):
        added = admin.groups.users.create(made.id, user_id=user)
        same(f"groups: {user} comes", (added.object, added.user_id, added.group_id), ("group.user", user, made.id))
    same("groups: pages of one, newest first", [it.id for it in admin.groups.users.list(made.id, limit=1)], ["user-mei", "user-ana"])
    same("groups: one of them", admin.groups.users.retrieve("user-ana", group_id=made.id).email, "ana.ruiz@acme.example")
    left = admin.groups.users.delete("user-ana", group_id=made.id)
    same("groups: leaves", (left.object, left.deleted), ("group.user.deleted", True))
    refused("groups: another's to run", openai.PermissionDeniedError, lambda: admin.groups.update("group_engineering", name="x"))
    refused("groups: an unknown person", openai.NotFoundError, lambda: admin.groups.users.create(made.id, user_id="user-none"))
    gone = admin.groups.delete(made.id)
    same("groups: delete", (gone.object, gone.id, gone.deleted), ("group.deleted", made.id, True))


def admin_keys(admin, state, at):
    made = admin.admin_api_keys.create(name="nightly", expires_in_seconds=3600)
    check("admin keys: create", made.value.startswith("sk-admin-test-") and made.owner.role == "owner", made)
    same("admin keys: it opens", at.client(made.value).admin.organization.admin_api_keys.retrieve(made.id).name, "nightly")
    same("admin keys: pages of one", [it.id for it in admin.admin_api_keys.list(limit=1)], [it["id"] for it in state()["admin_keys"]])
    gone = admin.admin_api_keys.delete(made.id)
    same("admin keys: delete", (gone.object, gone.id, gone.deleted), ("organization.admin_api_key.deleted", made.id, True))
    refused("admin keys: it opens no more", openai.AuthenticationError, lambda: at.client(made.value).admin.organization.projects.list())
    refused("admin keys: one that reads only", openai.PermissionDeniedError,
            lambda: at.client("sk-admin-test-reads").admin.organization.projects.create(name="x"))


def audit_logs(admin, state):
    every = [it.id for it in admin.audit_logs.list(limit=10)]
    same("audit logs: pages of ten give each once, newest first", every, [it["id"] for it in state()["events"]][::-1])
    of_project = list(admin.audit_logs.list(event_types=["project.created", "project.archived"], resource_ids=["proj_none"]))
    same("audit logs: nothing of an unknown thing", of_project, [])
    made = list(admin.audit_logs.list(event_types=["project.created"], effective_at={"gte": 1}, actor_emails=["marta.nowicka@acme.example"]))
    same("audit logs: what was made", [it.project_created.data.name for it in made], ["Tides"])


def main():
    with Sandbox(BINARY) as at:
        admin = at.client().admin.organization
        parts = [projects, project_users, roles_of_people, service_accounts, api_keys, rate_limits, project_groups, all_roles, certificates,
                 users, invites, groups, lambda *it: admin_keys(*it, at), audit_logs]
        for part in parts:
            try:
                part(admin, at.state)
            except Exception:
                check(f"{getattr(part, '__name__', part)}: it broke off", False, traceback.format_exc(limit=-3))


main()
compare(BINARY)
end(f"openai {importlib.metadata.version('openai')}")
