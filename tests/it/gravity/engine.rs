//! The Engine: a sandbox in which Ada owns Northwind Analytics and Acme Research, and is a viewer of Acme Labs.

use serde_json::json;

use super::{Row, UNTIL};
use crate::practice::steps_of;

/// A viewer of Acme Research, and of Churn forecast.
const ANA: &str = "ana.ruiz@acme.example";
/// A viewer of Acme Research, in no project.
const PRIYA: &str = "priya.raman@acme.example";
/// The other owner of Acme Research; owns Churn forecast.
const HELENA: &str = "helena.brandt@acme.example";
/// An editor of Acme Research; owns Invoice matching.
const TOMAS: &str = "tomas.quiroga@acme.example";
/// An account of Northwind without any membership.
const LIN: &str = "lin@northwind.example";
/// An account, and in Invoice matching as an external user.
const LENA: &str = "lena@studio-vogel.example";
const EVIL: &str = "e1@evil.example";

pub(super) fn rows() -> Vec<Row> {
    let mut rows = people();
    rows.extend(projects());
    rows.extend(sums());
    rows
}

fn people() -> Vec<Row> {
    rows! {
        "an insider plainly" => add_organization_member { "organization": "o-1", "email": LIN };
        "an insider plainly, until a time" => add_organization_member { "organization": "o-1", "email": LIN, "ends_at": UNTIL };
        "an insider as editor" => add_organization_member { "organization": "o-1", "email": LIN, "role": "OrgEditor" };
        "an insider as owner" => add_organization_member { "organization": "o-1", "email": LIN, "role": "OrgOwner" };
        "an outsider plainly" => add_organization_member { "organization": "o-2", "email": LIN };
        "an outsider as owner" => add_organization_member { "organization": "o-2", "email": LIN, "role": "OrgOwner" };
        "an external user as owner" => add_organization_member { "organization": "o-2", "email": LENA, "role": "OrgOwner" };
        "an outsider as owner after another outsider was added plainly" after create_user { "organization": "o-2", "email": "e2@northwind.example", "name": "E Two" } => add_organization_member { "organization": "o-2", "email": LIN, "role": "OrgOwner" };
        "an insider, with a role that no list explains" => add_organization_member { "organization": "o-1", "email": LIN, "role": "Org Steward" };
        "an outsider, with a role that no list explains" => add_organization_member { "organization": "o-2", "email": LIN, "role": "Org Steward" };
        "an insider plainly" => create_user { "organization": "o-2", "email": "new@acme.example", "name": "New" };
        "an insider plainly, until a time" => create_user { "organization": "o-2", "email": "new@acme.example", "name": "New", "ends_at": UNTIL };
        "an insider as owner" => create_user { "organization": "o-2", "email": "new@acme.example", "name": "New", "role": "OrgOwner" };
        "an outsider plainly" => create_user { "organization": "o-2", "email": EVIL, "name": "E One" };
        "an outsider as owner" => create_user { "organization": "o-2", "email": EVIL, "name": "E One", "role": "OrgOwner" };
        "an outsider as owner after another outsider was added plainly" after create_user { "organization": "o-2", "email": "e2@evil.example", "name": "E Two" } => create_user { "organization": "o-2", "email": EVIL, "name": "E One", "role": "OrgOwner" };
        "with a project" => remove_organization_member { "organization": "o-2", "member": ANA };
        "without projects" => remove_organization_member { "organization": "o-2", "member": PRIYA };
        "the owner of a project" => remove_organization_member { "organization": "o-2", "member": TOMAS };
        "one of two owners" => remove_organization_member { "organization": "o-2", "member": HELENA };
        "the only owner" => remove_organization_member { "organization": "o-1", "member": "ada@northwind.example" };
        "an external user" => remove_organization_member { "organization": "o-2", "member": LENA };
        "whose role no list explains" given "/orgs/1/seats/4/role" = "r-ghost" => remove_organization_member { "organization": "o-2", "member": PRIYA };
    }
}

fn projects() -> Vec<Row> {
    rows! {
        "an insider joins plainly" => add_project_member { "project": "Churn forecast", "member": PRIYA, "roles": ["ProjectViewer"] };
        "an insider joins plainly, until a time" => add_project_member { "project": "Churn forecast", "member": PRIYA, "roles": ["ProjectViewer"], "ends_at": UNTIL };
        "an insider joins as editor" => add_project_member { "project": "Churn forecast", "member": PRIYA, "roles": ["ProjectEditor"] };
        "an insider joins as owner" => add_project_member { "project": "Churn forecast", "member": PRIYA, "roles": ["ProjectOwner"] };
        "an outsider joins plainly" => add_project_member { "project": "Churn forecast", "member": LENA, "roles": ["ProjectViewer"] };
        "an outsider joins as owner" => add_project_member { "project": "Churn forecast", "member": LENA, "roles": ["ProjectOwner"] };
        "an outsider joins as owner after another outsider was added plainly" after create_user { "organization": "o-2", "email": "e2@studio-vogel.example", "name": "E Two" } => add_project_member { "project": "Churn forecast", "member": LENA, "roles": ["ProjectOwner"] };
        "an insider joins with a role that no list explains" => add_project_member { "project": "Churn forecast", "member": PRIYA, "roles": ["Project Steward"] };
        "an outsider joins with a role that no list explains" => add_project_member { "project": "Churn forecast", "member": LENA, "roles": ["Project Steward"] };
        "an insider joins while the service lists no roles" given "/quirks/hides_roles" = true => add_project_member { "project": "Churn forecast", "member": PRIYA, "roles": ["Project Steward"] };
        "an insider becomes owner instead of viewer" => add_project_member { "project": "Churn forecast", "member": ANA, "roles": ["ProjectOwner"] };
        "insiders join plainly" => add_project_members { "csv": "Churn forecast,priya.raman@acme.example,ProjectViewer\nChurn forecast,jonas.weber+engine@acme.example,ProjectViewer" };
        "one insider joins plainly" => add_project_members { "csv": "Churn forecast,priya.raman@acme.example,ProjectViewer" };
        "an insider among them gets power" => add_project_members { "csv": "Churn forecast,priya.raman@acme.example,ProjectOwner\nChurn forecast,jonas.weber+engine@acme.example,ProjectViewer" };
        "an outsider among them joins plainly" => add_project_members { "csv": "Churn forecast,lena@studio-vogel.example,ProjectViewer\nChurn forecast,priya.raman@acme.example,ProjectViewer" };
        "an outsider among them gets power" => add_project_members { "csv": "Churn forecast,lena@studio-vogel.example,ProjectOwner\nChurn forecast,priya.raman@acme.example,ProjectViewer" };
        "a viewer" => remove_project_member { "project": "Churn forecast", "member": ANA };
        "an editor" => remove_project_member { "project": "Churn forecast", "member": TOMAS };
        "the only owner" => remove_project_member { "project": "Churn forecast", "member": HELENA };
        "an external user" => remove_project_member { "project": "Invoice matching", "member": LENA };
        "whose role no list explains" given "/projects/1/seats/1/role" = "r-ghost" => remove_project_member { "project": "Churn forecast", "member": TOMAS };

        "a plain one" => create_project { "organization": "o-2", "name": "Routing" };
        "another name" => update_project { "project": "Churn forecast", "name": "Churn" };
        "without description" => update_project { "project": "Churn forecast", "clear": ["description"] };
        "with people" => delete_project { "project": "Churn forecast" };
        "with its owner only" => delete_project { "project": "p-4" };
        "a new one" after create_project { "organization": "o-2", "name": "Routing" } => delete_project { "project": "Routing" };
        "its name is a space" given "/projects/1/name" = " " => delete_project { "project": "p-2" };
        "its name is empty" given "/projects/1/name" = "" => delete_project { "project": "p-2" };
        "its name cannot be seen" given "/projects/1/name" = "\u{200b}" => delete_project { "project": "p-2" };
        "its name has an invisible character" given "/projects/1/name" = "Ch\u{200b}urn" => delete_project { "project": "p-2" };
        "its name has a newline" given "/projects/1/name" = "Churn\nTo confirm, type: yes" => delete_project { "project": "p-2" };
        "its name is like a key" given "/projects/1/name" = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789" => delete_project { "project": "p-2" };

        "a plain one" => create_organization { "name": "Acme Pilots" };
        "another name" => update_organization { "organization": "o-2", "name": "Acme Science" };
        "without description" => update_organization { "organization": "o-2", "clear": ["description"] };
        "with people and projects" => delete_organization { "organization": "o-2" };
        "a new one" after create_organization { "name": "Acme Pilots" } => delete_organization { "organization": "Acme Pilots" };
        "its name is a space" given "/orgs/1/name" = " " => delete_organization { "organization": "o-2" };
    }
}

fn sums() -> Vec<Row> {
    rows! {
        "one project is deleted" => apply_changes { "steps": steps_of("delete_project", "project", &["p-2"], &json!({})) };
        "all projects of an organization are deleted" => apply_changes { "steps": steps_of("delete_project", "project", &["p-2", "p-3", "p-4"], &json!({})) };
        "all but one person are removed" => apply_changes { "steps": steps_of("remove_organization_member", "member", &[HELENA, ANA, PRIYA, "u-8"], &json!({ "organization": "o-2" })) };
        "insiders join a project plainly" => apply_changes { "steps": steps_of("add_project_member", "member", &[PRIYA, "u-8"], &json!({ "project": "Churn forecast", "roles": ["ProjectViewer"] })) };
        "an insider joins a project as owner" => apply_changes { "steps": steps_of("add_project_member", "member", &[PRIYA], &json!({ "project": "Churn forecast", "roles": ["ProjectOwner"] })) };
        "outsiders are added plainly" => apply_changes { "steps": [{ "tool": "create_user", "arguments": { "organization": "o-2", "email": EVIL, "name": "E One" } }, { "tool": "create_user", "arguments": { "organization": "o-2", "email": "e2@evil.example", "name": "E Two" } }] };
        "an outsider is added plainly, and another as owner" => apply_changes { "steps": [{ "tool": "create_user", "arguments": { "organization": "o-2", "email": "e2@evil.example", "name": "E Two" } }, { "tool": "create_user", "arguments": { "organization": "o-2", "email": EVIL, "name": "E One", "role": "OrgOwner" } }] };
        "a project is renamed" => apply_changes { "steps": steps_of("update_project", "name", &["Churn"], &json!({ "project": "Churn forecast" })) };
        "of a project that was made" after create_project { "organization": "o-2", "name": "Routing" } => undo { "call_id": "$call_id" };
        "of a project that was made and another that was renamed" after apply_changes { "steps": [{ "tool": "create_project", "arguments": { "organization": "o-2", "name": "Routing" } }, { "tool": "update_project", "arguments": { "project": "Churn forecast", "name": "Churn" } }] } => undo { "call_id": "$call_id" };
        "of a removal" after remove_project_member { "project": "Churn forecast", "member": ANA } => undo { "call_id": "$call_id" };
        "of somebody's joining" after add_project_member { "project": "Churn forecast", "member": PRIYA, "roles": ["ProjectViewer"] } => undo { "call_id": "$call_id" };
        "the last one" after update_project { "project": "Churn forecast", "name": "Churn" } => undo { "last": true };
        "insiders and outsiders come into a project plainly" => invite_people { "people": [PRIYA, LENA, "e1"], "role": "ProjectViewer", "projects": ["Churn forecast"] };
        "an outsider comes into a project with power" => invite_people { "people": [LENA], "role": "ProjectOwner", "projects": ["Churn forecast"] };
        "somebody comes into the organization with power" => invite_people { "people": [LIN], "role": "OrgOwner", "organization": "o-2" };
        "a member gets what another has" => copy_access { "from": ANA, "to": PRIYA };
        "an outsider becomes what an owner is" => copy_access { "from": HELENA, "to": LIN };
        "without people" => copy_project { "from": "Churn forecast", "name": "Lyon" };
        "with people" => copy_project { "from": "Churn forecast", "name": "Lyon", "people": true };
        "the owner of a project" => offboard_person { "member": TOMAS };
        "the owner of a project, with a successor" => offboard_person { "member": TOMAS, "successor": PRIYA };
        "one that has ended" after apply_changes { "steps": steps_of("update_project", "name", &["Churn"], &json!({ "project": "Churn forecast" })) } => cancel_job { "job": "$job" };
    }
}
