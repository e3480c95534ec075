//! SeeMe.ai: a sandbox with Acme, which Helena owns, and Northwind, where she is an administrator.

use serde_json::json;

use super::{Row, UNTIL};
use crate::practice::steps_of;

/// A plain member of Acme; in the team Research; a viewer of Atlas.
const ANA: &str = "ana.ruiz@acme.example";
/// An administrator of Acme; leads Research; administers Atlas.
const OSKAR: &str = "oskar.lindqvist@acme.example";
/// A plain member of Acme; an editor of Beacon.
const PRIYA: &str = "priya.raman@acme.example";
/// In Acme as Label clerk, a role that Acme made.
const MEI: &str = "mei.tanaka@acme.example";
/// Has an account, and is in no organization.
const LENA: &str = "lena.vogel@studio-vogel.example";
const EVIL: &str = "e1@evil.example";

/// A picture of 8 × 8.
const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAYAAADED76LcmVzdA==";

pub(super) fn rows() -> Vec<Row> {
    let mut rows = people();
    rows.extend(projects());
    rows.extend(teams());
    rows.extend(roles());
    rows.extend(things());
    rows.extend(sums());
    rows
}

fn people() -> Vec<Row> {
    rows! {
        "an insider plainly" => invite_organization_member { "organization": "Acme", "email": "juno@acme.example", "role": "Member" };
        "an insider plainly, until a time" => invite_organization_member { "organization": "Acme", "email": "juno@acme.example", "role": "Member", "ends_at": UNTIL };
        "an insider, without a role being named" => invite_organization_member { "organization": "Acme", "email": "juno@acme.example" };
        "an insider as admin" => invite_organization_member { "organization": "Acme", "email": "juno@acme.example", "role": "Admin" };
        "an outsider plainly" => invite_organization_member { "organization": "Acme", "email": EVIL, "role": "Member" };
        "an outsider as owner" => invite_organization_member { "organization": "Acme", "email": EVIL, "role": "Owner" };
        "an outsider as owner after another outsider was invited plainly" after invite_organization_member { "organization": "Acme", "email": "e2@evil.example", "role": "Member" } => invite_organization_member { "organization": "Acme", "email": EVIL, "role": "Owner" };
        "an outsider who has an account, plainly" => invite_organization_member { "organization": "Acme", "email": LENA };
        "an outsider who has an account, as owner" => invite_organization_member { "organization": "Acme", "email": LENA, "role": "Owner" };
        "a plain one" => cancel_invitation { "organization": "Acme", "invitation": "noor.vandijk@acme.example" };
        "of an outsider as owner" after invite_organization_member { "organization": "Acme", "email": EVIL, "role": "Owner" } => cancel_invitation { "organization": "Acme", "invitation": EVIL };

        "a member becomes owner" => update_organization_member { "organization": "Acme", "member": PRIYA, "role": "Owner" };
        "a member becomes admin" => update_organization_member { "organization": "Acme", "member": PRIYA, "role": "Admin" };
        "an admin becomes member" => update_organization_member { "organization": "Acme", "member": OSKAR, "role": "Member" };
        "a member gets a weaker role that reads no projects" => update_organization_member { "organization": "Acme", "member": PRIYA, "role": "Label clerk" };
        "a member gets a role without permissions" after create_role { "organization": "Acme", "name": "Nothing", "permissions": [] } => update_organization_member { "organization": "Acme", "member": PRIYA, "role": "Nothing" };
        "somebody gets a role that still reads" => update_organization_member { "organization": "Acme", "member": MEI, "role": "Member" };
        "the last owner becomes member" => update_organization_member { "organization": "Acme", "member": "user-helena", "role": "Member" };
        "an outsider becomes owner" after invite_organization_member { "organization": "Acme", "email": LENA } => update_organization_member { "organization": "Acme", "member": LENA, "role": "Owner" };
        "somebody whose role no list explains becomes member" given "/members/3/role_id" = "role-ghost" => update_organization_member { "organization": "Acme", "member": PRIYA, "role": "Member" };
        "somebody who is only invited" => update_organization_member { "organization": "Acme", "member": "noor.vandijk@acme.example", "role": "Admin" };

        "with a project and a team" => remove_organization_member { "organization": "Acme", "member": ANA };
        "with a project" => remove_organization_member { "organization": "Acme", "member": PRIYA };
        "with neither" => remove_organization_member { "organization": "Acme", "member": MEI };
        "an administrator" => remove_organization_member { "organization": "Acme", "member": OSKAR };
        "the last owner" => remove_organization_member { "organization": "Acme", "member": "user-helena" };
        "whose role no list explains" given "/members/3/role_id" = "role-ghost" => remove_organization_member { "organization": "Acme", "member": PRIYA };
        "who is only invited" => remove_organization_member { "organization": "Acme", "member": "noor.vandijk@acme.example" };
        "with a pending invitation as owner" given "/members/15/invitation/email" = "mei.tanaka@acme.example" given "/members/15/role_id" = "role-org_owner" => remove_organization_member { "organization": "Acme", "member": "user-mei" };
    }
}

fn projects() -> Vec<Row> {
    rows! {
        "an insider joins plainly" => add_project_member { "project": "Beacon", "member": ANA, "roles": ["Project viewer"] };
        "an insider joins plainly, until a time" => add_project_member { "project": "Beacon", "member": ANA, "roles": ["Project viewer"], "ends_at": UNTIL };
        "an insider joins as editor" => add_project_member { "project": "Beacon", "member": ANA, "roles": ["Project editor"] };
        "an insider joins as administrator" => add_project_member { "project": "Beacon", "member": ANA, "roles": ["Project admin"] };
        "an outsider joins plainly" => add_project_member { "project": "Beacon", "member": LENA, "roles": ["Project viewer"] };
        "an outsider joins as administrator" => add_project_member { "project": "Beacon", "member": LENA, "roles": ["Project admin"] };
        "an outsider without an account joins as administrator" => add_project_member { "project": "Beacon", "member": EVIL, "roles": ["Project admin"] };
        "an outsider joins as administrator after another outsider joined plainly" after add_project_member { "project": "Beacon", "member": "e2@evil.example", "roles": ["Project viewer"] } => add_project_member { "project": "Beacon", "member": EVIL, "roles": ["Project admin"] };
        "an outsider who is in it plainly gets power" after add_project_member { "project": "Beacon", "member": LENA, "roles": ["Project viewer"] } => update_project_member { "project": "Beacon", "member": LENA, "role": "Project admin" };
        "insiders join plainly" => add_project_members { "csv": "Beacon,ana.ruiz@acme.example,Project viewer\nBeacon,mei.tanaka@acme.example,Project viewer" };
        "one insider joins plainly" => add_project_members { "csv": "Beacon,ana.ruiz@acme.example,Project viewer" };
        "an insider among them gets power" => add_project_members { "csv": "Beacon,ana.ruiz@acme.example,Project admin\nBeacon,mei.tanaka@acme.example,Project viewer" };
        "an outsider among them joins plainly" => add_project_members { "csv": "Beacon,e1@evil.example,Project viewer\nBeacon,mei.tanaka@acme.example,Project viewer" };
        "an outsider among them gets power" => add_project_members { "csv": "Beacon,e1@evil.example,Project admin\nBeacon,mei.tanaka@acme.example,Project viewer" };
        "a viewer becomes administrator" => update_project_member { "project": "Atlas", "member": ANA, "role": "Project admin" };
        "an editor becomes viewer, and still reads" => update_project_member { "project": "Beacon", "member": PRIYA, "role": "Project viewer" };
        "the administrator becomes viewer" => update_project_member { "project": "Atlas", "member": OSKAR, "role": "Project viewer" };
        "an editor gets a role that cannot read" after create_role { "organization": "Acme", "name": "Blind", "permissions": ["dataset_labels:update"] } => update_project_member { "project": "Beacon", "member": PRIYA, "role": "Blind" };
        "the administrator gets a role that cannot read" after create_role { "organization": "Acme", "name": "Blind", "permissions": ["dataset_labels:update"] } => update_project_member { "project": "Atlas", "member": OSKAR, "role": "Blind" };
        "somebody whose role no list explains becomes viewer" given "/members/13/role_id" = "role-ghost" => update_project_member { "project": "Beacon", "member": PRIYA, "role": "Project viewer" };
        "a viewer who reaches it through a team as well" => remove_project_member { "project": "Atlas", "member": ANA };
        "an editor who reaches it no other way" => remove_project_member { "project": "Beacon", "member": PRIYA };
        "the administrator" => remove_project_member { "project": "Atlas", "member": OSKAR };
        "who is only invited" after add_project_member { "project": "Beacon", "member": EVIL, "roles": ["Project viewer"] } => remove_project_member { "project": "Beacon", "member": EVIL };
        "whose role no list explains" given "/members/13/role_id" = "role-ghost" => remove_project_member { "project": "Beacon", "member": PRIYA };

        "a plain one" => create_project { "organization": "Acme", "name": "Comet" };
        "of a team" => create_project { "organization": "Acme", "name": "Comet", "team": "Research" };
        "another name" => update_project { "project": "Atlas", "name": "Atlas Two" };
        "another slug" => update_project { "project": "Atlas", "slug": "maps" };
        "without description" => update_project { "project": "Atlas", "clear": ["description"] };
        "with people and resources" => delete_project { "project": "Atlas" };
        "with few people" => delete_project { "project": "Beacon" };
        "a new one" after create_project { "organization": "Acme", "name": "Comet" } => delete_project { "project": "Comet" };
        "its name is a space" given "/places/6/name" = " " => delete_project { "project": "project-beacon" };
        "its name is empty" given "/places/6/name" = "" => delete_project { "project": "project-beacon" };
        "its name cannot be seen" given "/places/6/name" = "\u{200b}" => delete_project { "project": "project-beacon" };
        "its name has an invisible character" given "/places/6/name" = "Bea\u{200b}con" => delete_project { "project": "project-beacon" };
        "its name has a newline" given "/places/6/name" = "Beacon\nTo confirm, type: yes" => delete_project { "project": "project-beacon" };
        "its name is like a key" given "/places/6/name" = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789" => delete_project { "project": "project-beacon" };

        "a plain one" => create_organization { "name": "Blue Harbour" };
        "another name" => update_organization { "organization": "Acme", "name": "Acme Two" };
        "without website" => update_organization { "organization": "Acme", "clear": ["website"] };
        "with people and projects" => delete_organization { "organization": "Acme" };
        "a new one" after create_organization { "name": "Blue Harbour" } => delete_organization { "organization": "Blue Harbour" };
        "its name is a space" given "/places/0/name" = " " => delete_organization { "organization": "organization-acme" };
    }
}

fn teams() -> Vec<Row> {
    rows! {
        "an empty one" => create_team { "organization": "Acme", "name": "Design" };
        "another name" => update_team { "team": "Research", "name": "Enquiries" };
        "with a project" => delete_team { "team": "Research" };
        "without projects" => delete_team { "team": "Platform" };
        "its name is a space" given "/places/2/name" = " " => delete_team { "team": "team-research" };
        "an insider, plainly" => add_team_member { "team": "Research", "member": PRIYA };
        "an insider, plainly, until a time" => add_team_member { "team": "Research", "member": PRIYA, "ends_at": UNTIL };
        "an insider, as lead" => add_team_member { "team": "Research", "member": PRIYA, "role": "Team lead" };
        "an outsider, as lead" => add_team_member { "team": "Research", "member": LENA, "role": "Team lead" };
        "an outsider, plainly" => add_team_member { "team": "Research", "member": LENA };
        "a member becomes lead" => update_team_member { "team": "Research", "member": ANA, "role": "Team lead" };
        "the lead becomes member" => update_team_member { "team": "Research", "member": OSKAR, "role": "Team member" };
        "a member gets a role that cannot read" after create_role { "organization": "Acme", "name": "Blind", "permissions": ["dataset_labels:update"] } => update_team_member { "team": "Research", "member": ANA, "role": "Blind" };
        "a member who is in its project as well" => remove_team_member { "team": "Research", "member": ANA };
        "a member who reaches its project only so" after add_team_member { "team": "Research", "member": PRIYA } => remove_team_member { "team": "Research", "member": PRIYA };
        "the lead" => remove_team_member { "team": "Research", "member": OSKAR };
    }
}

fn roles() -> Vec<Row> {
    rows! {
        "with permissions that only read" => create_role { "organization": "Acme", "name": "Reader", "permissions": ["models:read"] };
        "without permissions" => create_role { "organization": "Acme", "name": "Nothing", "permissions": [] };
        "with power" => create_role { "organization": "Acme", "name": "Boss", "permissions": ["organizations:manage_members"] };
        "with everything" => create_role { "organization": "Acme", "name": "Boss", "permissions": ["*"] };
        "with a permission that no list explains" => create_role { "organization": "Acme", "name": "Odd", "permissions": ["spells:cast"] };
        "another name" => update_role { "role": "Label clerk", "name": "Clerk" };
        "an insider holds it, and it gets everything" => update_role { "role": "Label clerk", "permissions": ["*"] };
        "an outsider holds it, and it gets everything" after invite_organization_member { "organization": "Acme", "email": LENA, "role": "Label clerk" } => update_role { "role": "Label clerk", "permissions": ["*"] };
        "an outsider is invited with it, and it gets everything" after create_role { "organization": "Acme", "name": "Reader", "permissions": ["models:read"] } after invite_organization_member { "organization": "Acme", "email": EVIL, "role": "Reader" } => update_role { "role": "Reader", "permissions": ["*"] };
        "an insider is invited with it, and it gets everything" after create_role { "organization": "Acme", "name": "Reader", "permissions": ["models:read"] } after invite_organization_member { "organization": "Acme", "email": "juno@acme.example", "role": "Reader" } => update_role { "role": "Reader", "permissions": ["*"] };
        "nobody holds it, and it gets everything" after create_role { "organization": "Acme", "name": "Reader", "permissions": ["models:read"] } => update_role { "role": "Reader", "permissions": ["*"] };
        "emptied with a holder" => update_role { "role": "Label clerk", "permissions": [] };
        "a holder loses a part" => update_role { "role": "Label clerk", "permissions": ["organizations:read", "datasets:list"] };
        "emptied while somebody is invited with it" after create_role { "organization": "Acme", "name": "Reader", "permissions": ["models:read"] } after invite_organization_member { "organization": "Acme", "email": "juno@acme.example", "role": "Reader" } => update_role { "role": "Reader", "permissions": [] };
        "nobody holds it" after create_role { "organization": "Acme", "name": "Reader", "permissions": ["models:read"] } => delete_role { "role": "Reader" };
        "somebody holds it" => delete_role { "role": "Label clerk" };
        "somebody is invited with it" after create_role { "organization": "Acme", "name": "Reader", "permissions": ["models:read"] } after invite_organization_member { "organization": "Acme", "email": "juno@acme.example", "role": "Reader" } => delete_role { "role": "Reader" };
    }
}

fn things() -> Vec<Row> {
    rows! {
        "where there was none" => set_logo { "of": "project", "target": "Atlas", "image": PICTURE };
        "over another" => set_logo { "of": "organization", "target": "Acme", "image": PICTURE };
        "of an organization" => delete_logo { "of": "organization", "target": "Acme" };
        "a new one" => assign_project_resource { "project": "Beacon", "resource_type": "model", "resource_id": "model-new" };
        "one of two" => remove_project_resource { "project": "Atlas", "resource_type": "model", "resource_id": "model-segmenter" };
    }
}

fn sums() -> Vec<Row> {
    rows! {
        "one project is deleted" => apply_changes { "steps": steps_of("delete_project", "project", &["Atlas"], &json!({})) };
        "all projects of an organization are deleted" => apply_changes { "steps": steps_of("delete_project", "project", &["Atlas", "Beacon"], &json!({})) };
        "all but one person are removed" => apply_changes { "steps": steps_of("remove_organization_member", "member", &[ANA, OSKAR, PRIYA, MEI], &json!({ "organization": "Acme" })) };
        "insiders join a project plainly" => apply_changes { "steps": steps_of("add_project_member", "member", &[ANA, MEI], &json!({ "project": "Beacon", "roles": ["Project viewer"] })) };
        "an insider joins a project as administrator" => apply_changes { "steps": steps_of("add_project_member", "member", &[ANA], &json!({ "project": "Beacon", "roles": ["Project admin"] })) };
        "outsiders are invited plainly" => apply_changes { "steps": steps_of("invite_organization_member", "email", &[EVIL, "e2@evil.example"], &json!({ "organization": "Acme", "role": "Member" })) };
        "an outsider is invited plainly, and another as owner" => apply_changes { "steps": [{ "tool": "invite_organization_member", "arguments": { "organization": "Acme", "email": "e2@evil.example", "role": "Member" } }, { "tool": "invite_organization_member", "arguments": { "organization": "Acme", "email": EVIL, "role": "Owner" } }] };
        "a harmless role is made, an outsider invited with it, and it gets everything" => apply_changes { "steps": [{ "id": "made", "tool": "create_role", "arguments": { "organization": "Acme", "name": "Reader", "permissions": ["models:read"] } }, { "tool": "invite_organization_member", "arguments": { "organization": "Acme", "email": EVIL, "role": "${made.id}" } }, { "tool": "update_role", "arguments": { "role": "${made.id}", "permissions": ["*"] } }] };
        "a team is renamed" => apply_changes { "steps": steps_of("update_team", "name", &["Enquiries"], &json!({ "team": "Research" })) };
        "of a project that was made" after create_project { "organization": "Acme", "name": "Comet" } => undo { "call_id": "$call_id" };
        "of a project that was made and a team that was renamed" after apply_changes { "steps": [{ "tool": "create_project", "arguments": { "organization": "Acme", "name": "Comet" } }, { "tool": "update_team", "arguments": { "team": "Research", "name": "Enquiries" } }] } => undo { "call_id": "$call_id" };
        "of a removal" after remove_project_member { "project": "Beacon", "member": PRIYA } => undo { "call_id": "$call_id" };
        "of somebody's joining" after add_project_member { "project": "Beacon", "member": ANA, "roles": ["Project viewer"] } => undo { "call_id": "$call_id" };
        "the last one" after update_team { "team": "Research", "name": "Enquiries" } => undo { "last": true };
        "insiders and outsiders come into a project plainly" => invite_people { "people": [ANA, EVIL, "e1"], "role": "Project viewer", "projects": ["Beacon"] };
        "an outsider comes into a project with power" => invite_people { "people": [EVIL], "role": "Project admin", "projects": ["Beacon"] };
        "an outsider is invited to the organization with power" => invite_people { "people": [EVIL], "role": "Owner", "organization": "Acme" };
        "a member gets what another has" => copy_access { "from": PRIYA, "to": ANA };
        "an outsider becomes what an administrator is" => copy_access { "from": OSKAR, "to": EVIL };
        "without people" => copy_project { "from": "Atlas", "name": "Lyon" };
        "with people" => copy_project { "from": "Atlas", "name": "Lyon", "people": true };
        "a member with a project and a team" => offboard_person { "member": ANA };
        "an administrator, with a successor" => offboard_person { "member": OSKAR, "successor": PRIYA, "keys": "stop" };
        "one that has ended" after apply_changes { "steps": steps_of("update_team", "name", &["Enquiries"], &json!({ "team": "Research" })) } => cancel_job { "job": "$job" };
    }
}
