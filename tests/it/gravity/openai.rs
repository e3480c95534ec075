//! OpenAI: a sandbox with one organization of 13 people, two of them owners, and five projects.

use serde_json::json;

use super::{Row, UNTIL};
use crate::practice::steps_of;

const ANA: &str = "ana.ruiz@acme.example";
/// In Atlas as a member, with a key.
const JONAS: &str = "jonas.weber@acme.example";
/// In Borealis as a member, and through Field crew.
const PRIYA: &str = "priya.raman@acme.example";
/// In Atlas through Reviewers only.
const CHIDI: &str = "chidi.okonjo@acme.example";
/// In no project but the default one.
const LEO: &str = "leo.marchetti@acme.example";
/// Has the role auditor.
const GRACE: &str = "grace.whitfield@acme.example";
/// In Helpdesk as a member.
const LINH: &str = "linh.tran@acme.example";
/// One of two owners.
const OSKAR: &str = "oskar.lindqvist@acme.example";
const EVIL: &str = "e1@evil.example";

pub(super) fn rows() -> Vec<Row> {
    let mut rows = people();
    rows.extend(project_members());
    rows.extend(teams());
    rows.extend(roles());
    rows.extend(projects());
    rows.extend(keys_and_limits());
    rows.extend(sums());
    rows
}

fn people() -> Vec<Row> {
    rows! {
        "an insider plainly" => invite_organization_member { "email": "new@acme.example", "role": "reader" };
        "an insider plainly, until a time" => invite_organization_member { "email": "new@acme.example", "role": "reader", "ends_at": UNTIL };
        "an insider, without a role being named" => invite_organization_member { "email": "new@acme.example" };
        "an insider as owner" => invite_organization_member { "email": "new@acme.example", "role": "owner" };
        "an insider with a project" => invite_organization_member { "email": "new@acme.example", "role": "reader", "projects": ["Atlas"] };
        "an outsider plainly" => invite_organization_member { "email": EVIL, "role": "reader" };
        "an outsider as owner" => invite_organization_member { "email": EVIL, "role": "owner" };
        "an outsider as owner after another outsider was invited plainly" after invite_organization_member { "email": "e2@evil.example", "role": "reader" } => invite_organization_member { "email": EVIL, "role": "owner" };
        "an outsider as owner while another is a plain member" given "/users/10/email" = "e2@evil.example" => invite_organization_member { "email": EVIL, "role": "owner" };
        "an insider" => cancel_invitation { "invitation": "invite-owen" };
        "an outsider" => cancel_invitation { "invitation": "lena@studio-vogel.example" };
        "an owner" after invite_organization_member { "email": "new@acme.example", "role": "owner" } => cancel_invitation { "invitation": "new@acme.example" };

        "a reader becomes owner" => update_organization_member { "member": JONAS, "role": "owner" };
        "an outsider becomes owner" given "/users/10/email" = "e1@evil.example" => update_organization_member { "member": EVIL, "role": "owner" };
        "an outsider becomes owner while another is a plain member" given "/users/10/email" = "e1@evil.example" given "/users/11/email" = "e2@evil.example" => update_organization_member { "member": EVIL, "role": "owner" };
        "one of two owners becomes reader" => update_organization_member { "member": OSKAR, "role": "reader" };
        "the last owner becomes reader" after update_organization_member { "member": OSKAR, "role": "reader" } => update_organization_member { "member": "user-marta", "role": "reader" };
        "a reader gets a role of the organization's own" => update_organization_member { "member": JONAS, "role": "auditor" };
        "a reader gets a role that cannot read" after create_role { "name": "blind", "permissions": [] } => update_organization_member { "member": JONAS, "role": "blind" };

        "with projects and a key" => remove_organization_member { "member": ANA };
        "with a key" => remove_organization_member { "member": LEO };
        "with a project through a team" => remove_organization_member { "member": CHIDI };
        "with hardly anything" => remove_organization_member { "member": GRACE };
        "one of two owners" => remove_organization_member { "member": OSKAR };
        "with a pending invitation as owner" given "/invites/1/email" = "leo.marchetti@acme.example" given "/invites/1/role" = "owner" => remove_organization_member { "member": LEO };
        "somebody who is only invited" => remove_organization_member { "member": "lena@studio-vogel.example" };
        "the name of the person is a space" given "/users/10/name" = " " => remove_organization_member { "member": LEO };
        "the e-mail has an invisible character" given "/users/10/email" = "leo\u{200b}@acme.example" => remove_organization_member { "member": "user-leo" };
    }
}

fn project_members() -> Vec<Row> {
    rows! {
        "an insider joins plainly" => add_project_member { "project": "Atlas", "member": LINH, "roles": ["member"] };
        "an insider joins plainly, until a time" => add_project_member { "project": "Atlas", "member": LINH, "roles": ["member"], "ends_at": UNTIL };
        "an insider joins as owner" => add_project_member { "project": "Atlas", "member": LINH, "roles": ["owner"] };
        "an insider joins with a role that swaps keys" => add_project_member { "project": "Atlas", "member": LINH, "roles": ["member", "key master"] };
        "an outsider joins plainly" given "/users/10/email" = "e1@evil.example" => add_project_member { "project": "Atlas", "member": EVIL, "roles": ["member"] };
        "an outsider joins as owner" given "/users/10/email" = "e1@evil.example" => add_project_member { "project": "Atlas", "member": EVIL, "roles": ["owner"] };
        "an outsider joins as owner while another is a plain member" given "/users/10/email" = "e1@evil.example" given "/users/11/email" = "e2@evil.example" => add_project_member { "project": "Atlas", "member": EVIL, "roles": ["owner"] };
        "somebody who is not in the organization" => add_project_member { "project": "Atlas", "member": EVIL, "roles": ["member"] };
        "insiders join plainly" => add_project_members { "csv": "Atlas,linh.tran@acme.example,member\nAtlas,leo.marchetti@acme.example,member" };
        "one insider joins plainly" => add_project_members { "csv": "Atlas,linh.tran@acme.example,member" };
        "an insider among them gets power" => add_project_members { "csv": "Atlas,linh.tran@acme.example,owner\nAtlas,leo.marchetti@acme.example,member" };
        "an outsider among them gets power" given "/users/10/email" = "e1@evil.example" => add_project_members { "csv": "Atlas,e1@evil.example,owner\nAtlas,linh.tran@acme.example,member" };
        "an outsider among them joins plainly" given "/users/10/email" = "e1@evil.example" => add_project_members { "csv": "Atlas,e1@evil.example,member\nAtlas,linh.tran@acme.example,member" };

        "a member becomes owner" => update_project_member { "project": "Atlas", "member": JONAS, "role": "owner" };
        "an owner becomes member" => update_project_member { "project": "Atlas", "member": ANA, "role": "member" };
        "a member gets a role that cannot read" after create_role { "project": "Atlas", "name": "blind", "permissions": [] } => update_project_member { "project": "Atlas", "member": JONAS, "role": "blind" };
        "a member gets a role that only reads" => update_project_member { "project": "Atlas", "member": JONAS, "role": "viewer" };
        "a member gets a role that swaps keys" => update_project_member { "project": "Atlas", "member": JONAS, "role": "key master" };
        "a member who reaches it no other way" => remove_project_member { "project": "Atlas", "member": JONAS };
        "a member who reaches it through a team as well" => remove_project_member { "project": "Borealis", "member": PRIYA };
        "an owner" => remove_project_member { "project": "Atlas", "member": ANA };
        "somebody who is in it through a team only" => remove_project_member { "project": "Atlas", "member": CHIDI };
    }
}

fn teams() -> Vec<Row> {
    rows! {
        "an empty one" => create_team { "name": "Sailors" };
        "another name" => update_team { "team": "Field crew", "name": "Old crew" };
        "some reach a project only through it" => delete_team { "team": "Reviewers" };
        "its people reach its project anyway" => delete_team { "team": "Field crew" };
        "kept elsewhere" => delete_team { "team": "Engineering" };
        "its name is a space" given "/groups/1/name" = " " => delete_team { "team": "group_reviewers" };
        "an insider, into a team with some power" => add_team_member { "team": "Reviewers", "member": LEO };
        "an insider, into a team with some power, until a time" => add_team_member { "team": "Reviewers", "member": LEO, "ends_at": UNTIL };
        "an insider, into a team without power" => add_team_member { "team": "Field crew", "member": LEO };
        "an outsider, into a team with some power" given "/users/10/email" = "e1@evil.example" => add_team_member { "team": "Reviewers", "member": EVIL };
        "an outsider, into a team without power" given "/users/10/email" = "e1@evil.example" => add_team_member { "team": "Field crew", "member": EVIL };
        "somebody who reaches a project only through it" => remove_team_member { "team": "Reviewers", "member": CHIDI };
        "somebody who reaches its project anyway" => remove_team_member { "team": "Field crew", "member": PRIYA };
        "as member" => add_project_team { "project": "Helpdesk", "team": "Field crew", "role": "member" };
        "as member, until a time" => add_project_team { "project": "Helpdesk", "team": "Field crew", "role": "member", "ends_at": UNTIL };
        "as owner" => add_project_team { "project": "Helpdesk", "team": "Field crew", "role": "owner" };
        "with an outsider, as owner" given "/users/10/email" = "e1@evil.example" after add_team_member { "team": "Field crew", "member": EVIL } => add_project_team { "project": "Helpdesk", "team": "Field crew", "role": "owner" };
        "some reach it only so" => remove_project_team { "project": "Atlas", "team": "Reviewers" };
        "all of it reach it otherwise" => remove_project_team { "project": "Borealis", "team": "Field crew" };
    }
}

fn roles() -> Vec<Row> {
    rows! {
        "with permissions that only read" => create_role { "name": "looker", "permissions": ["api.organization.projects.read"] };
        "without permissions" => create_role { "name": "nothing", "permissions": [] };
        "with power" => create_role { "name": "boss", "permissions": ["api.organization.users.write"] };
        "with everything" => create_role { "name": "boss", "permissions": ["*"] };
        "of a project, with power" => create_role { "project": "Atlas", "name": "boss", "permissions": ["api.organization.projects.api_keys.write"] };
        "with a permission that nobody knows" => create_role { "name": "odd", "permissions": ["api.something.new"] };
        "another name" => update_role { "role": "auditor", "name": "examiner" };
        "an insider holds it, and it gets power" => update_role { "role": "auditor", "permissions": ["*"] };
        "an outsider holds it, and it gets power" given "/users/12/email" = "e1@evil.example" => update_role { "role": "auditor", "permissions": ["*"] };
        "an outsider holds it while another is a plain member, and it gets power" given "/users/12/email" = "e1@evil.example" given "/users/11/email" = "e2@evil.example" => update_role { "role": "auditor", "permissions": ["*"] };
        "nobody holds it, and it gets power" after create_role { "name": "looker", "permissions": ["api.organization.projects.read"] } => update_role { "role": "looker", "permissions": ["*"] };
        "emptied with a holder" => update_role { "role": "auditor", "permissions": [] };
        "a holder loses a part" => update_role { "role": "auditor", "permissions": ["api.organization.projects.read"] };
        "a team holds it, and it is emptied" => update_role { "project": "Atlas", "role": "key master", "permissions": [] };
        "an insider holds it" => delete_role { "role": "auditor" };
        "a team holds it" => delete_role { "role": "webhook keeper" };
        "of a project, a team holds it" => delete_role { "project": "Atlas", "role": "key master" };
        "nobody holds it" after create_role { "name": "looker", "permissions": ["api.organization.projects.read"] } => delete_role { "role": "looker" };
        "one that only reads, to a member" => assign_role { "role": "auditor", "member": JONAS };
        "one that only reads, to a member, until a time" => assign_role { "role": "auditor", "member": JONAS, "ends_at": UNTIL };
        "owner, to a member" => assign_role { "role": "owner", "member": JONAS };
        "owner, to an outsider" given "/users/10/email" = "e1@evil.example" => assign_role { "role": "owner", "member": EVIL };
        "one with some power, to a team" => assign_role { "role": "webhook keeper", "team": "Field crew" };
        "one that swaps keys, in a project" => assign_role { "project": "Atlas", "role": "key master", "member": JONAS };
        "a further one, from a person" => unassign_role { "role": "auditor", "member": GRACE };
        "the only one that lets somebody read" => unassign_role { "role": "reader", "member": JONAS };
        "the only one in a project" => unassign_role { "project": "Atlas", "role": "member", "member": JONAS };
        "from a team" => unassign_role { "role": "webhook keeper", "team": "Engineering" };
        "in a project, from a team" => unassign_role { "project": "Atlas", "role": "key master", "team": "Reviewers" };
    }
}

fn projects() -> Vec<Row> {
    rows! {
        "a plain one" => create_project { "name": "Tides" };
        "with residency and key" => create_project { "name": "Tides", "residency": "JP_STORAGE", "external_key_id": "k" };
        "another name" => update_project { "project": "Atlas", "name": "Atlas Two" };
        "external_key_id set" => update_project { "project": "Atlas", "external_key_id": "k" };
        "external_key_id replaced" given "/projects/1/external_key_id" = "old" => update_project { "project": "Atlas", "external_key_id": "k" };
        "external_key_id cleared" given "/projects/1/external_key_id" = "old" => update_project { "project": "Atlas", "clear": ["external_key_id"] };
        "with people and keys" => archive_project { "project": "Atlas" };
        "with few people" => archive_project { "project": "Weather map" };
        "a new one" after create_project { "name": "Tides" } => archive_project { "project": "Tides" };
        "its name is a space" given "/projects/1/name" = " " => archive_project { "project": "proj_atlas" };
        "its name is empty" given "/projects/1/name" = "" => archive_project { "project": "proj_atlas" };
        "its name cannot be seen" given "/projects/1/name" = "\u{200b}" => archive_project { "project": "proj_atlas" };
        "its name has an invisible character" given "/projects/1/name" = "At\u{200b}las" => archive_project { "project": "proj_atlas" };
        "its name turns the text around" given "/projects/1/name" = "At\u{202e}sal" => archive_project { "project": "proj_atlas" };
        "its name has a newline" given "/projects/1/name" = "Atlas\nTo confirm, type: yes" => archive_project { "project": "proj_atlas" };
        "its name is like a key" given "/projects/1/name" = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789" => archive_project { "project": "proj_atlas" };
    }
}

fn keys_and_limits() -> Vec<Row> {
    rows! {
        "with a key" => create_service_account { "project": "Atlas", "name": "Lantern" };
        "with a key, until a time" => create_service_account { "project": "Atlas", "name": "Lantern", "ends_at": UNTIL };
        "without a key" => create_service_account { "project": "Atlas", "name": "Lantern", "without_key": true };
        "another name" => update_service_account { "project": "Atlas", "service_account": "Beacon", "name": "Lamp" };
        "becomes owner" => update_service_account { "project": "Atlas", "service_account": "Beacon", "role": "owner" };
        "an owner becomes member" => update_service_account { "project": "Borealis", "service_account": "Tide", "role": "member" };
        "with keys" => delete_service_account { "project": "Atlas", "service_account": "Beacon" };
        "without keys" => delete_service_account { "project": "Atlas", "service_account": "Drift" };
        "of a member" => create_api_key { "project": "Atlas", "name": "new", "service_account": "Beacon" };
        "of a member, until a time" => create_api_key { "project": "Atlas", "name": "new", "service_account": "Beacon", "ends_at": UNTIL };
        "of an owner" => create_api_key { "project": "Borealis", "name": "new", "service_account": "Tide" };
        "with everything as its scope" => create_api_key { "project": "Atlas", "name": "new", "service_account": "Beacon", "scopes": ["api.all"] };
        "that only reads" => create_api_key { "project": "Atlas", "name": "new", "service_account": "Beacon", "scopes": ["api.all.read"] };
        "another scope" => update_api_key { "project": "Atlas", "api_key": "key_beacon", "scopes": ["api.all.read"] };
        "scopes emptied" given "/projects/1/api_keys/2/scopes" = ["api.all.read"] => update_api_key { "project": "Atlas", "api_key": "key_beacon", "scopes": [] };
        "fewer scopes" given "/projects/1/api_keys/2/scopes" = ["api.all.read", "api.model.request"] => update_api_key { "project": "Atlas", "api_key": "key_beacon", "scopes": ["api.model.request"] };
        "expires in a minute" => update_api_key { "project": "Atlas", "api_key": "key_beacon", "expires_in_seconds": 60 };
        "in use" => delete_api_key { "project": "Atlas", "api_key": "laptop" };
        "of a service account" => delete_api_key { "project": "Atlas", "api_key": "key_beacon" };
        "expired" => delete_api_key { "project": "Atlas", "api_key": "before the move" };

        "raised" given "/projects/1/rate_limits/0/values/0" = 100 => update_rate_limit { "project": "Atlas", "model": "gpt-6-astra", "max_requests_per_1_minute": 200 };
        "a little lower" => update_rate_limit { "project": "Atlas", "model": "gpt-6-astra", "max_requests_per_1_minute": 9000 };
        "to a tenth" => update_rate_limit { "project": "Atlas", "model": "gpt-6-astra", "max_requests_per_1_minute": 1000 };
        "10000 to 1" => update_rate_limit { "project": "Atlas", "model": "gpt-6-astra", "max_requests_per_1_minute": 1 };
        "to 0" => update_rate_limit { "project": "Atlas", "model": "gpt-6-astra", "max_requests_per_1_minute": 0 };
        "one of two raised, the other to 1" given "/projects/1/rate_limits/0/values/0" = 100 => update_rate_limit { "project": "Atlas", "model": "gpt-6-astra", "max_requests_per_1_minute": 200, "max_tokens_per_1_minute": 1 };
        "for the organization" => activate_certificates { "certificates": ["Spare"] };
        "for a project" => activate_certificates { "project": "Atlas", "certificates": ["Harbor gateway"] };
        "one of the organization's" => deactivate_certificates { "certificates": ["Harbor gateway"] };
        "all of the organization's" => deactivate_certificates { "certificates": ["Quay gateway", "Harbor gateway"] };
        "the only one of a project" => deactivate_certificates { "project": "Atlas", "certificates": ["Quay gateway"] };
    }
}

fn sums() -> Vec<Row> {
    rows! {
        "one project is archived" => apply_changes { "steps": steps_of("archive_project", "project", &["Atlas"], &json!({})) };
        "all projects are archived" => apply_changes { "steps": steps_of("archive_project", "project", &["Atlas", "Borealis", "Helpdesk", "Weather map"], &json!({})) };
        "most people are removed" => apply_changes { "steps": steps_of("remove_organization_member", "member", &["user-ana", "user-jonas", "user-mei", "user-priya", "user-chidi", "user-elif", "user-linh", "user-noor", "user-ravi", "user-leo", "user-grace"], &json!({})) };
        "all keys of a project are deleted" => apply_changes { "steps": steps_of("delete_api_key", "api_key", &["key_ana_laptop", "key_jonas_notebook", "key_chidi_review", "key_leo_trial"], &json!({ "project": "Atlas" })) };
        "insiders join a project plainly" => apply_changes { "steps": steps_of("add_project_member", "member", &[LINH, LEO], &json!({ "project": "Atlas", "roles": ["member"] })) };
        "an insider joins a project as owner" => apply_changes { "steps": steps_of("add_project_member", "member", &[LINH], &json!({ "project": "Atlas", "roles": ["owner"] })) };
        "outsiders are invited plainly" => apply_changes { "steps": steps_of("invite_organization_member", "email", &[EVIL, "e2@evil.example"], &json!({ "role": "reader" })) };
        "an outsider is invited plainly, and another as owner" => apply_changes { "steps": [{ "tool": "invite_organization_member", "arguments": { "email": "e2@evil.example", "role": "reader" } }, { "tool": "invite_organization_member", "arguments": { "email": EVIL, "role": "owner" } }] };
        "a team is renamed" => apply_changes { "steps": steps_of("update_team", "name", &["Old crew"], &json!({ "team": "Field crew" })) };
        "of a project that was made" after create_project { "name": "Tides" } => undo { "call_id": "$call_id" };
        "of a project that was made and a team that was renamed" after apply_changes { "steps": [{ "tool": "create_project", "arguments": { "name": "Tides" } }, { "tool": "update_team", "arguments": { "team": "Field crew", "name": "Old crew" } }] } => undo { "call_id": "$call_id" };
        "of a removal" after remove_project_member { "project": "Atlas", "member": JONAS } => undo { "call_id": "$call_id" };
        "of somebody's joining" after add_project_member { "project": "Atlas", "member": LINH, "roles": ["member"] } => undo { "call_id": "$call_id" };
        "the last one" after update_team { "team": "Field crew", "name": "Old crew" } => undo { "last": true };
        "insiders and outsiders come into a project plainly" => invite_people { "people": [LINH, EVIL, "e1"], "role": "member", "projects": ["Atlas"] };
        "an insider gets power in a project, an outsider is invited" => invite_people { "people": [LINH, EVIL], "role": "owner", "projects": ["Atlas"] };
        "an outsider is invited to the organization with power" => invite_people { "people": [EVIL], "role": "owner" };
        "a member gets what another has" => copy_access { "from": JONAS, "to": LINH };
        "an outsider becomes what an owner is" => copy_access { "from": OSKAR, "to": EVIL };
        "without people" => copy_project { "from": "Atlas", "name": "Lyon" };
        "with people" => copy_project { "from": "Atlas", "name": "Lyon", "people": true };
        "for an insider" => copy_project { "from": "Atlas", "name": "Lyon", "owner": LINH };
        "with projects and a key" => offboard_person { "member": ANA, "keys": "stop" };
        "one of two owners, with a successor" => offboard_person { "member": OSKAR, "successor": LINH };
        "one that has ended" after apply_changes { "steps": steps_of("update_team", "name", &["Old crew"], &json!({ "team": "Field crew" })) } => cancel_job { "job": "$job" };
    }
}
