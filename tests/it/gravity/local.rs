//! The embedded directory, with its seed: Acme with 38 people, Acme Labs, Northwind Traders with one owner.

use serde_json::{Value, json};

use super::{Row, UNTIL};
use crate::practice::steps_of;

/// In Acme, and in nothing but Ember, as a member.
const AMARA: &str = "amara.diallo@acme.example";
/// The only owner of Atlas and of Borealis; has a key.
const ANA: &str = "ana.ruiz@acme.example";
/// In Atlas and Cobalt by themselves and through Platform.
const JONAS: &str = "jonas.weber@acme.example";
/// In Atlas by themselves, with a further role; in Cobalt through Platform only.
const CHIDI: &str = "chidi.okonjo@acme.example";
/// One of two owners of Ember.
const DECLAN: &str = "declan.byrne@acme.example";
const LENA: &str = "lena@studio-vogel.example";
/// One of two owners of Acme.
const TOMAS: &str = "tomas.quiroga@acme.example";
/// An administrator of Acme.
const PRIYA: &str = "priya.raman@acme.example";
/// A reader of Acme with a further role.
const KATYA: &str = "katya.sidorova@acme.example";
/// In Acme with a role that Acme made.
const GRACE: &str = "grace.whitfield@acme.example";
/// In Kestrel through Security only, as an owner.
const TARIQ: &str = "tariq.mansour@acme.example";
/// Has an account, and is in no organization.
const VIKTOR: &str = "viktor.hale@acme.example";
/// In Northwind only; its only owner.
const ROSA: &str = "rosa.delgado@northwind.example";
const BRIGID: &str = "brigid.oneill@northwind.example";

/// A picture of 8 × 8.
const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAYAAADED76LcmVzdA==";

/// What Acme has, but for the two that are archived; two organizations have a Helpdesk.
const PROJECTS: [&str; 10] = [
    "prj_atlas",
    "prj_borealis",
    "prj_cobalt",
    "prj_delta",
    "prj_ember",
    "prj_fieldnotes",
    "prj_gauge",
    "prj_iris",
    "prj_kestrel",
    "prj_helpdesk",
];

/// Everybody in Acme but Helena Brandt, who owns it, and those who own something alone.
const PEOPLE: [&str; 27] = [
    "amara.diallo",
    "andrei.munteanu",
    "bjorn.eklund",
    "chidi.okonjo",
    "diego.paredes",
    "elif.kaya",
    "fatima.elidrissi",
    "grace.whitfield",
    "jonas.weber",
    "katya.sidorova",
    "kofi.asante",
    "linh.tran",
    "lucia.herrera",
    "marta.nowicka",
    "mateus.carvalho",
    "oskar.lindqvist",
    "owen.prichard",
    "pavel.horak",
    "ravi.deshpande",
    "salma.haddad",
    "tariq.mansour",
    "yuna.seo",
    "yusuf.demirel",
    "noor.vandijk",
    "hiro.nakagawa",
    "ingrid.solheim",
    "declan.byrne",
];

fn people() -> Vec<String> {
    PEOPLE.iter().map(|it| format!("{it}@acme.example")).collect()
}

/// A usage limit of a project: unit, soft, hard, renewal.
fn limit(project: Option<&str>, unit: &str, soft: f64, hard: f64, renewal: &str) -> Value {
    let mut limit =
        json!({ "subscription_type": "Monthly", "usage_unit": unit, "soft_limit": soft, "hard_limit": hard, "renewal": renewal });
    if let Some(project) = project {
        limit["project"] = project.into();
    }
    limit
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = project_members();
    rows.extend(people_of_an_organization());
    rows.extend(roles());
    rows.extend(teams());
    rows.extend(projects_and_organizations());
    rows.extend(keys());
    rows.extend(limits());
    rows.extend(things());
    rows.extend(names());
    rows.extend(sums());
    rows
}

fn project_members() -> Vec<Row> {
    rows! {
        "a member who reaches it no other way" => remove_project_member { "project": "Ember", "member": AMARA };
        "a member who reaches it through a team as well" => remove_project_member { "project": "Cobalt", "member": JONAS };
        "one of two owners" => remove_project_member { "project": "Ember", "member": DECLAN };
        "the only owner" => remove_project_member { "project": "Atlas", "member": ANA };
        "somebody with a further role" => remove_project_member { "project": "Atlas", "member": CHIDI };
        "somebody who is in it through a team only" => remove_project_member { "project": "Kestrel", "member": TARIQ };

        "a member becomes owner" => update_project_member { "project": "Ember", "member": AMARA, "role": "owner" };
        "an outsider becomes owner" => update_project_member { "project": "Atlas", "member": LENA, "role": "owner" };
        "a member becomes viewer, and still reads" => update_project_member { "project": "Ember", "member": AMARA, "role": "viewer" };
        "a viewer becomes member" => update_project_member { "project": "Atlas", "member": GRACE, "role": "member" };
        "one of two owners becomes member" => update_project_member { "project": "Ember", "member": DECLAN, "role": "member" };
        "the only owner becomes member" => update_project_member { "project": "Atlas", "member": ANA, "role": "member" };
        "a member gets a role that cannot read" after create_role { "project": "Ember", "name": "blind", "permissions": ["project.limits"] } => update_project_member { "project": "Ember", "member": AMARA, "role": "blind" };
        "a member gets a role without permissions" after create_role { "project": "Ember", "name": "nothing", "permissions": [] } => update_project_member { "project": "Ember", "member": AMARA, "role": "nothing" };
        "one of two owners gets a role that cannot read" after create_role { "project": "Ember", "name": "blind", "permissions": ["project.limits"] } => update_project_member { "project": "Ember", "member": DECLAN, "role": "blind" };
        "a member gets a role that cannot read, and still reads through a team" after create_role { "project": "Cobalt", "name": "blind", "permissions": ["project.limits"] } => update_project_member { "project": "Cobalt", "member": JONAS, "role": "blind" };
        "somebody with a further role gets a weaker one" => update_project_member { "project": "Atlas", "member": CHIDI, "role": "viewer" };

        "an insider joins plainly" => add_project_member { "project": "Ember", "member": ANA, "roles": ["member"] };
        "an insider joins plainly, until a time" => add_project_member { "project": "Ember", "member": ANA, "roles": ["member"], "ends_at": UNTIL };
        "an insider joins as owner" => add_project_member { "project": "Ember", "member": ANA, "roles": ["owner"] };
        "an insider joins with two roles" => add_project_member { "project": "Ember", "member": ANA, "roles": ["viewer", "owner"] };
        "an outsider joins plainly" => add_project_member { "project": "Ember", "member": LENA, "roles": ["member"] };
        "an outsider joins as owner" => add_project_member { "project": "Ember", "member": LENA, "roles": ["owner"] };
        "an outsider joins as owner after another outsider was added plainly" after create_user { "email": "e2@evil.example", "name": "E Two", "organization": "Acme" } after create_user { "email": "e1@evil.example", "name": "E One", "organization": "Acme" } => add_project_member { "project": "Ember", "member": "e1@evil.example", "roles": ["owner"] };
        "somebody who is not in the organization" => add_project_member { "project": "Ember", "member": BRIGID, "roles": ["member"] };

        "insiders join plainly" => add_project_members { "people": [{ "project": "Ember", "member": ANA, "roles": ["member"] }, { "project": "Ember", "member": JONAS, "roles": ["viewer"] }] };
        "an insider among them gets power" => add_project_members { "people": [{ "project": "Ember", "member": ANA, "roles": ["owner"] }, { "project": "Ember", "member": JONAS, "roles": ["viewer"] }] };
        "an outsider among them joins plainly" => add_project_members { "csv": "Ember,ana.ruiz@acme.example,member\nEmber,lena@studio-vogel.example,member" };
        "an outsider among them gets power" => add_project_members { "csv": "Ember,ana.ruiz@acme.example,member\nEmber,lena@studio-vogel.example,owner" };
        "somebody among them is nobody" => add_project_members { "csv": "Ember,ana.ruiz@acme.example,member\nEmber,nobody@acme.example,member" };
    }
}

fn people_of_an_organization() -> Vec<Row> {
    rows! {
        "a member with projects" => remove_organization_member { "organization": "Acme", "member": JONAS };
        "a member of one project" => remove_organization_member { "organization": "Acme", "member": AMARA };
        "a member with projects through a team only" => remove_organization_member { "organization": "Acme", "member": TARIQ };
        "the only owner of two projects" => remove_organization_member { "organization": "Acme", "member": ANA };
        "an administrator" => remove_organization_member { "organization": "Acme", "member": PRIYA };
        "one of two owners" => remove_organization_member { "organization": "Acme", "member": TOMAS };
        "the last owner" => remove_organization_member { "organization": "Northwind Traders", "member": ROSA };
        "a member with a pending invitation as owner" given "UPDATE invitations SET email = 'amara.diallo@acme.example', role_id = 'role_organization_owner' WHERE id = 'inv_tunde'" = null => remove_organization_member { "organization": "Acme", "member": AMARA };
        "somebody who is only invited" => remove_organization_member { "organization": "Acme", "member": "petra@consulting.example" };

        "a member becomes owner" => update_organization_member { "organization": "Acme", "member": JONAS, "role": "owner" };
        "a member becomes admin" => update_organization_member { "organization": "Acme", "member": JONAS, "role": "admin" };
        "a member becomes reader" => update_organization_member { "organization": "Acme", "member": JONAS, "role": "reader" };
        "a reader becomes member" => update_organization_member { "organization": "Acme", "member": KATYA, "role": "member" };
        "one of two owners becomes member" => update_organization_member { "organization": "Acme", "member": TOMAS, "role": "member" };
        "an admin becomes reader" => update_organization_member { "organization": "Acme", "member": PRIYA, "role": "reader" };
        "the last owner becomes admin" => update_organization_member { "organization": "Northwind Traders", "member": ROSA, "role": "admin" };
        "an outsider becomes owner" => update_organization_member { "organization": "Acme", "member": LENA, "role": "owner" };
        "an outsider gets a role with some power" => update_organization_member { "organization": "Acme", "member": LENA, "role": "people partner" };
        "an outsider gets a role that only reads" => update_organization_member { "organization": "Acme", "member": LENA, "role": "auditor" };
        "an outsider becomes owner after another outsider was added plainly" after create_user { "email": "e2@evil.example", "name": "E Two", "organization": "Acme" } after create_user { "email": "e1@evil.example", "name": "E One", "organization": "Acme" } => update_organization_member { "organization": "Acme", "member": "e1@evil.example", "role": "owner" };
        "a member gets a role that cannot read" after create_role { "organization": "Acme", "name": "blind", "permissions": ["limits.write"] } => update_organization_member { "organization": "Acme", "member": JONAS, "role": "blind" };
        "an admin gets a role that cannot read" after create_role { "organization": "Acme", "name": "blind", "permissions": ["limits.write"] } => update_organization_member { "organization": "Acme", "member": PRIYA, "role": "blind" };
        "a member gets a role without permissions" after create_role { "organization": "Acme", "name": "nothing", "permissions": [] } => update_organization_member { "organization": "Acme", "member": JONAS, "role": "nothing" };

        "an insider plainly" => invite_organization_member { "organization": "Acme", "email": "new@acme.example", "role": "member" };
        "an insider plainly, until a time" => invite_organization_member { "organization": "Acme", "email": "new@acme.example", "role": "member", "ends_at": UNTIL };
        "an insider, without a role being named" => invite_organization_member { "organization": "Acme", "email": "new@acme.example" };
        "an insider as admin" => invite_organization_member { "organization": "Acme", "email": "new@acme.example", "role": "admin" };
        "an insider with projects" => invite_organization_member { "organization": "Acme", "email": "new@acme.example", "role": "member", "projects": ["Atlas", "Ember"] };
        "an outsider plainly" => invite_organization_member { "organization": "Acme", "email": "e1@evil.example", "role": "member" };
        "an outsider with a role that only reads" => invite_organization_member { "organization": "Acme", "email": "e1@evil.example", "role": "auditor" };
        "an outsider as owner" => invite_organization_member { "organization": "Acme", "email": "e1@evil.example", "role": "owner" };
        "an outsider as owner after another outsider was added plainly" after create_user { "email": "e2@evil.example", "name": "E Two", "organization": "Acme" } => invite_organization_member { "organization": "Acme", "email": "e1@evil.example", "role": "owner" };

        "an insider plainly" => create_user { "organization": "Acme", "email": "new@acme.example", "name": "New" };
        "an insider plainly, until a time" => create_user { "organization": "Acme", "email": "new@acme.example", "name": "New", "ends_at": UNTIL };
        "an insider as admin" => create_user { "organization": "Acme", "email": "new@acme.example", "name": "New", "role": "admin" };
        "an outsider plainly" => create_user { "organization": "Acme", "email": "e1@evil.example", "name": "E One" };
        "an outsider as owner" => create_user { "organization": "Acme", "email": "e1@evil.example", "name": "E One", "role": "owner" };
        "an outsider as owner after another outsider was added plainly" after create_user { "email": "e2@evil.example", "name": "E Two", "organization": "Acme" } => create_user { "organization": "Acme", "email": "e1@evil.example", "name": "E One", "role": "owner" };

        "an account of the company, plainly" => add_organization_member { "organization": "Acme", "email": VIKTOR };
        "an account of the company, plainly, until a time" => add_organization_member { "organization": "Acme", "email": VIKTOR, "ends_at": UNTIL };
        "an account of the company, as owner" => add_organization_member { "organization": "Acme", "email": VIKTOR, "role": "owner" };
        "an account of another company, plainly" => add_organization_member { "organization": "Acme", "email": BRIGID };
        "an account of another company, as admin" => add_organization_member { "organization": "Acme", "email": BRIGID, "role": "admin" };

        "a plain one" => cancel_invitation { "organization": "Acme", "invitation": "noemi.farkas@acme.example" };
        "of an outsider with power" => cancel_invitation { "organization": "Acme", "invitation": "petra@consulting.example" };
    }
}

fn roles() -> Vec<Row> {
    rows! {
        "with permissions that only read" => create_role { "organization": "Acme", "name": "looker", "permissions": ["organization.read"] };
        "without permissions" => create_role { "organization": "Acme", "name": "nothing", "permissions": [] };
        "with power" => create_role { "organization": "Acme", "name": "boss", "permissions": ["members.write"] };
        "with everything" => create_role { "organization": "Acme", "name": "boss", "permissions": ["*"] };
        "of a project, with power" => create_role { "project": "Ember", "name": "boss", "permissions": ["project.members"] };

        "another name" => update_role { "role": "auditor", "name": "examiner" };
        "another description" => update_role { "role": "auditor", "description": "Looks" };
        "nobody holds it, and it gets power" after create_role { "organization": "Acme", "name": "looker", "permissions": ["organization.read"] } => update_role { "role": "looker", "permissions": ["organization.read", "members.write"] };
        "insiders and a team hold it, and it gets power" => update_role { "role": "auditor", "permissions": ["*"] };
        "an insider's seat, and it gets everything" => update_role { "role": "people partner", "permissions": ["*"] };
        "an outsider holds it, and it gets power" after assign_role { "organization": "Acme", "role": "auditor", "member": LENA } => update_role { "role": "auditor", "permissions": ["*"] };
        "an outsider's seat, and it gets everything" after update_organization_member { "organization": "Acme", "member": LENA, "role": "auditor" } => update_role { "role": "auditor", "permissions": ["*"] };
        "an outsider is invited with it, and it gets everything" after create_role { "organization": "Acme", "name": "looker", "permissions": ["organization.read"] } after invite_organization_member { "organization": "Acme", "email": "e1@evil.example", "role": "looker" } => update_role { "role": "looker", "permissions": ["*"] };
        "an insider is invited with it, and it gets everything" after create_role { "organization": "Acme", "name": "looker", "permissions": ["organization.read"] } after invite_organization_member { "organization": "Acme", "email": "new@acme.example", "role": "looker" } => update_role { "role": "looker", "permissions": ["*"] };
        "its holders still read, and lose the rest" => update_role { "role": "auditor", "permissions": ["organization.read"] };
        "further role, emptied with holders" => update_role { "role": "auditor", "permissions": [] };
        "seat, emptied with a holder" => update_role { "role": "people partner", "permissions": [] };
        "of projects, emptied while a team holds it" => update_role { "project": "Borealis", "role": "analyst", "permissions": [] };
        "of a project, cannot read any more" => update_role { "project": "Atlas", "role": "release manager", "permissions": ["project.keys.write"] };
        "seat, cannot read any more, with many holders" after create_role { "organization": "Acme", "name": "looker", "permissions": ["organization.read", "projects.read"] } after update_organization_member { "organization": "Acme", "member": JONAS, "role": "looker" } after update_organization_member { "organization": "Acme", "member": AMARA, "role": "looker" } => update_role { "role": "looker", "permissions": ["limits.read"] };
        "nobody holds it, and it is emptied" after create_role { "organization": "Acme", "name": "looker", "permissions": ["organization.read"] } => update_role { "role": "looker", "permissions": [] };

        "nobody holds it" after create_role { "organization": "Acme", "name": "looker", "permissions": ["organization.read"] } => delete_role { "role": "looker" };
        "a person and a team hold it" => delete_role { "role": "auditor" };
        "somebody's seat" => delete_role { "role": "people partner" };
        "of projects, a team holds it" => delete_role { "project": "Borealis", "role": "analyst" };
        "of a project" => delete_role { "project": "Atlas", "role": "release manager" };

        "one that only reads, to a member" => assign_role { "organization": "Acme", "role": "auditor", "member": JONAS };
        "one that only reads, to a member, until a time" => assign_role { "organization": "Acme", "role": "auditor", "member": JONAS, "ends_at": UNTIL };
        "one with power, to a member" => assign_role { "organization": "Acme", "role": "people partner", "member": JONAS };
        "one with power, to an outsider" => assign_role { "organization": "Acme", "role": "people partner", "member": LENA };
        "one with power, to a team" => assign_role { "organization": "Acme", "role": "people partner", "team": "Platform" };
        "one with power, to a team with an outsider" => assign_role { "organization": "Acme", "role": "people partner", "team": "Design" };
        "owner of a project, to a member of it" => assign_role { "project": "Ember", "role": "owner", "member": AMARA };
        "one that only reads, in a project" => assign_role { "project": "Ember", "role": "analyst", "member": AMARA };
        "one with power, in a project" => assign_role { "project": "Atlas", "role": "release manager", "member": JONAS };

        "a further one, from a person" => unassign_role { "organization": "Acme", "role": "auditor", "member": KATYA };
        "a further one, from a team" => unassign_role { "organization": "Acme", "role": "auditor", "team": "Security" };
        "one with power, in a project" => unassign_role { "project": "Atlas", "role": "release manager", "member": CHIDI };
        "one that only reads, in a project" => unassign_role { "project": "Atlas", "role": "analyst", "member": "mei.tanaka@acme.example" };
        "the only one of a member in a project" => unassign_role { "project": "Ember", "role": "member", "member": AMARA };
    }
}

fn teams() -> Vec<Row> {
    rows! {
        "an empty one" => create_team { "organization": "Acme", "name": "Night watch" };
        "another name" => update_team { "team": "Platform", "name": "Foundations" };
        "another description" => update_team { "team": "Platform", "description": "Below" };
        "without description" => update_team { "team": "Platform", "clear": ["description"] };
        "some reach projects only through it" => delete_team { "team": "Platform" };
        "it owns a project" => delete_team { "team": "Security" };
        "empty" after create_team { "organization": "Acme", "name": "Night watch" } => delete_team { "team": "Night watch" };

        "an insider, plainly" => add_team_member { "team": "Platform", "member": ANA };
        "an insider, plainly, until a time" => add_team_member { "team": "Platform", "member": ANA, "ends_at": UNTIL };
        "an insider, as maintainer" => add_team_member { "team": "Platform", "member": ANA, "role": "maintainer" };
        "an insider, into a team that owns a project" => add_team_member { "team": "Security", "member": ANA };
        "an outsider, plainly" => add_team_member { "team": "Platform", "member": LENA };
        "an outsider, into a team that owns a project" => add_team_member { "team": "Security", "member": LENA };
        "an outsider, as maintainer" => add_team_member { "team": "Platform", "member": LENA, "role": "maintainer" };
        "a member becomes maintainer" => update_team_member { "team": "Platform", "member": JONAS, "role": "maintainer" };
        "the maintainer becomes member" => update_team_member { "team": "Platform", "member": PRIYA, "role": "member" };
        "somebody who reaches a project only through it" => remove_team_member { "team": "Platform", "member": CHIDI };
        "somebody who reaches everything anyway" => remove_team_member { "team": "Platform", "member": JONAS };
        "the only maintainer" => remove_team_member { "team": "Platform", "member": PRIYA };
        "somebody who owns a project through it" => remove_team_member { "team": "Security", "member": TARIQ };

        "as member" => add_project_team { "project": "Ember", "team": "Platform", "role": "member" };
        "as member, until a time" => add_project_team { "project": "Ember", "team": "Platform", "role": "member", "ends_at": UNTIL };
        "as owner" => add_project_team { "project": "Ember", "team": "Platform", "role": "owner" };
        "with an outsider, as member" => add_project_team { "project": "Ember", "team": "Design", "role": "member" };
        "with an outsider, as owner" => add_project_team { "project": "Ember", "team": "Design", "role": "owner" };
        "some reach it only so" => remove_project_team { "project": "Cobalt", "team": "Platform" };
        "as owner, some reach it only so" => remove_project_team { "project": "Kestrel", "team": "Security" };
        "nobody in it reaches it otherwise" => remove_project_team { "project": "Cobalt", "team": "Security" };
        "all of it reach it otherwise" after create_team { "organization": "Acme", "name": "Smoke" } after add_team_member { "team": "Smoke", "member": AMARA } after add_project_team { "project": "Ember", "team": "Smoke", "role": "member" } => remove_project_team { "project": "Ember", "team": "Smoke" };
    }
}

fn projects_and_organizations() -> Vec<Row> {
    rows! {
        "a plain one" => create_project { "organization": "Acme", "name": "Zephyr" };
        "for a team, with residency and key" => create_project { "organization": "Acme", "name": "Zephyr", "team": "Platform", "residency": "eu", "external_key_id": "vault-9" };
        "an insider owns it" => create_project { "organization": "Acme", "name": "Zephyr", "admin_email": JONAS };
        "an outsider owns it" => create_project { "organization": "Acme", "name": "Zephyr", "admin_email": LENA };
        "with a usage limit" => create_project { "organization": "Acme", "name": "Zephyr", "usage_limit": limit(None, "Cost", 5.0, 9.0, "Renewable") };
        "another name" => update_project { "project": "Atlas", "name": "Atlas Two" };
        "another slug" => update_project { "project": "Atlas", "slug": "maps" };
        "without description" => update_project { "project": "Atlas", "clear": ["description"] };
        "external_key_id set" => update_project { "project": "Ember", "external_key_id": "vault-9" };
        "external_key_id replaced" => update_project { "project": "Atlas", "external_key_id": "vault-9" };
        "external_key_id cleared" => update_project { "project": "Atlas", "clear": ["external_key_id"] };
        "with people and keys" => archive_project { "project": "Atlas" };
        "with few people" => archive_project { "project": "Ember" };
        "a new one" after create_project { "organization": "Acme", "name": "Zephyr" } => archive_project { "project": "Zephyr" };
        "with people and keys" => delete_project { "project": "Atlas" };
        "with few people" => delete_project { "project": "Ember" };
        "an archived one" => delete_project { "project": "Juniper" };
        "a new one" after create_project { "organization": "Acme", "name": "Zephyr" } => delete_project { "project": "Zephyr" };

        "a plain one" => create_organization { "name": "Basalt" };
        "an account of the company owns it" => create_organization { "name": "Basalt", "admin_email": JONAS };
        "somebody unknown owns it" => create_organization { "name": "Basalt", "admin_email": "e1@evil.example" };
        "another name" => update_organization { "organization": "Acme", "name": "Acme Two" };
        "another slug" => update_organization { "organization": "Acme", "slug": "acme-two" };
        "another website" => update_organization { "organization": "Acme", "website": "https://two.acme.example" };
        "without website" => update_organization { "organization": "Acme", "clear": ["website"] };
        "with people and projects" => delete_organization { "organization": "Acme" };
        "an empty one" after create_organization { "name": "Basalt" } => delete_organization { "organization": "Basalt" };
    }
}

fn keys() -> Vec<Row> {
    rows! {
        "with a key" => create_service_account { "project": "Ember", "name": "bot" };
        "with a key, until a time" => create_service_account { "project": "Ember", "name": "bot", "ends_at": UNTIL };
        "without a key" => create_service_account { "project": "Ember", "name": "bot", "without_key": true };
        "another name" => update_service_account { "project": "Atlas", "service_account": "ci-deploy", "name": "cd" };
        "becomes owner" => update_service_account { "project": "Atlas", "service_account": "ci-deploy", "role": "owner" };
        "an owner becomes member" => update_service_account { "project": "Kestrel", "service_account": "scanner", "role": "member" };
        "with a key in use" => delete_service_account { "project": "Atlas", "service_account": "ci-deploy" };

        "that only reads" => create_api_key { "project": "Atlas", "name": "new", "scopes": ["project.read"] };
        "that only reads, until a time" => create_api_key { "project": "Atlas", "name": "new", "scopes": ["project.read"], "ends_at": UNTIL };
        "without scopes" => create_api_key { "project": "Atlas", "name": "new" };
        "with power" => create_api_key { "project": "Atlas", "name": "new", "scopes": ["project.keys.write"] };
        "with everything" => create_api_key { "project": "Atlas", "name": "new", "scopes": ["*"] };
        "of a service account that owns its project" => create_api_key { "project": "Kestrel", "name": "new", "service_account": "scanner", "scopes": ["project.*"] };
        "that expires" => create_api_key { "project": "Atlas", "name": "new", "scopes": ["project.read"], "expires_in_seconds": 3600 };
        "another description" => update_api_key { "project": "Atlas", "api_key": "ci-deploy", "description": "x" };
        "blocked" => update_api_key { "project": "Atlas", "api_key": "ci-deploy", "status": "blocked" };
        "a blocked one becomes active" => update_api_key { "project": "Borealis", "api_key": "notebook", "status": "active" };
        "fewer scopes" => update_api_key { "project": "Atlas", "api_key": "ci-deploy", "scopes": ["project.read"] };
        "other scopes, without reading" => update_api_key { "project": "Atlas", "api_key": "ci-deploy", "scopes": ["project.limits"] };
        "scopes emptied" => update_api_key { "project": "Atlas", "api_key": "ci-deploy", "scopes": [] };
        "scopes widened to power" => update_api_key { "project": "Atlas", "api_key": "ci-deploy", "scopes": ["project.*"] };
        "expires in a minute" => update_api_key { "project": "Atlas", "api_key": "ci-deploy", "expires_in_seconds": 60 };
        "never expires any more" => update_api_key { "project": "Atlas", "api_key": "metrics", "clear": ["expires_at"] };
        "in use" => delete_api_key { "project": "Atlas", "api_key": "ci-deploy" };
        "never used" => delete_api_key { "project": "Cobalt", "api_key": "spare" };
        "expired" => delete_api_key { "project": "Cobalt", "api_key": "temporary-audit" };
    }
}

fn limits() -> Vec<Row> {
    rows! {
        "raised" => update_rate_limit { "project": "Atlas", "model": "gpt-5", "max_requests_per_1_minute": 1000 };
        "a little lower" => update_rate_limit { "project": "Atlas", "model": "gpt-5", "max_requests_per_1_minute": 450 };
        "to a tenth" => update_rate_limit { "project": "Atlas", "model": "gpt-5", "max_requests_per_1_minute": 50 };
        "100000 to 1" => update_rate_limit { "project": "Atlas", "model": "gpt-5", "max_tokens_per_1_minute": 1 };
        "to 0" => update_rate_limit { "project": "Atlas", "model": "gpt-5", "max_requests_per_1_minute": 0 };
        "a limit where there was none" => update_rate_limit { "project": "Atlas", "model": "gpt-5", "max_requests_per_1_day": 1 };
        "a model without limits" => update_rate_limit { "project": "Atlas", "model": "gpt-5-mini", "max_requests_per_1_minute": 10 };

        "where there was none" => set_usage_limit (limit(Some("Ember"), "Cost", 50.0, 90.0, "Renewable"));
        "where there was none, at 0" => set_usage_limit (limit(Some("Ember"), "Cost", 0.0, 0.0, "Renewable"));
        "raised" => set_usage_limit (limit(Some("Atlas"), "Cost", 1500.0, 3000.0, "Renewable"));
        "2000 to 0" => set_usage_limit (limit(Some("Atlas"), "Cost", 0.0, 0.0, "Renewable"));
        "2000 to 0.000001" => set_usage_limit (limit(Some("Atlas"), "Cost", 0.0, 0.000_001, "Renewable"));
        "by 95 %" => set_usage_limit (limit(Some("Atlas"), "Cost", 50.0, 100.0, "Renewable"));
        "by 5 %" => set_usage_limit (limit(Some("Atlas"), "Cost", 1500.0, 1900.0, "Renewable"));
        "another unit, 1 request" => set_usage_limit (limit(Some("Atlas"), "Requests", 1.0, 1.0, "Renewable"));
        "no longer renewed" => set_usage_limit (limit(Some("Atlas"), "Cost", 1500.0, 2000.0, "NonRenewable"));
        "another period" => set_usage_limit { "project": "Atlas", "subscription_type": "Daily", "usage_unit": "Cost", "soft_limit": 1500, "hard_limit": 2000, "renewal": "Renewable" };

        "raised" => update_usage_limit { "project": "Atlas", "usage_limit": "lim_atlas", "hard_limit": 3000 };
        "soft only" => update_usage_limit { "project": "Atlas", "usage_limit": "lim_atlas", "soft_limit": 1 };
        "2000 to 0" => update_usage_limit { "project": "Atlas", "usage_limit": "lim_atlas", "soft_limit": 0, "hard_limit": 0 };
        "2000 to 0.000001" => update_usage_limit { "project": "Atlas", "usage_limit": "lim_atlas", "soft_limit": 0, "hard_limit": 0.000_001 };
        "by 95 %" => update_usage_limit { "project": "Atlas", "usage_limit": "lim_atlas", "soft_limit": 50, "hard_limit": 100 };
        "by 5 %" => update_usage_limit { "project": "Atlas", "usage_limit": "lim_atlas", "hard_limit": 1900 };
        "no longer renewed" => update_usage_limit { "project": "Atlas", "usage_limit": "lim_atlas", "renewal": "NonRenewable" };
        "50000 requests to 1" => update_usage_limit { "project": "Borealis", "usage_limit": "lim_borealis", "soft_limit": 1, "hard_limit": 1 };
        "the active one" => delete_usage_limit { "project": "Atlas", "usage_limit": "lim_atlas" };
        "a past one" given "UPDATE usage_limits SET project_id = 'prj_ember' WHERE id = 'lim_acme_before'" = null => delete_usage_limit { "project": "Ember", "usage_limit": "lim_acme_before" };
    }
}

fn things() -> Vec<Row> {
    rows! {
        "for a project" => activate_certificates { "project": "Ember", "certificates": ["cert_acme_staging"] };
        "the only one of a project" => deactivate_certificates { "project": "Borealis", "certificates": ["cert_acme_staging"] };
        "one of two" => deactivate_certificates { "project": "Atlas", "certificates": ["cert_acme_staging"] };
        "both" => deactivate_certificates { "project": "Atlas", "certificates": ["cert_acme_staging", "cert_acme_production"] };
        "an expired one" => deactivate_certificates { "project": "Cobalt", "certificates": ["cert_acme_retired"] };
        "a new one" => assign_project_resource { "project": "Ember", "resource_type": "dataset", "resource_id": "smoke" };
        "one of three" => remove_project_resource { "project": "Atlas", "resource_type": "dataset", "resource_id": "survey-points" };
        "where there was none" => set_logo { "of": "team", "target": "Platform", "image": PICTURE };
        "over another" => set_logo { "of": "project", "target": "Atlas", "image": PICTURE };
        "over the organization's" => set_logo { "of": "organization", "target": "Acme", "image": PICTURE };
        "of a project" => delete_logo { "of": "project", "target": "Atlas" };
        "of an organization" => delete_logo { "of": "organization", "target": "Acme" };
    }
}

/// Names that cannot be typed as they are shown.
fn names() -> Vec<Row> {
    rows! {
        "its name is a space" given "UPDATE projects SET name = ' ' WHERE id = 'prj_ember'" = null => archive_project { "project": "prj_ember" };
        "its name is a space" given "UPDATE projects SET name = ' ' WHERE id = 'prj_ember'" = null => delete_project { "project": "prj_ember" };
        "its name is empty" given "UPDATE projects SET name = '' WHERE id = 'prj_ember'" = null => delete_project { "project": "prj_ember" };
        "its name cannot be seen" given "UPDATE projects SET name = char(8203) WHERE id = 'prj_ember'" = null => delete_project { "project": "prj_ember" };
        "its name has an invisible character" given "UPDATE projects SET name = 'Em' || char(8203) || 'ber' WHERE id = 'prj_ember'" = null => delete_project { "project": "prj_ember" };
        "its name turns the text around" given "UPDATE projects SET name = 'Em' || char(8238) || 'reb' WHERE id = 'prj_ember'" = null => delete_project { "project": "prj_ember" };
        "its name has a newline" given "UPDATE projects SET name = 'Ember' || char(10) || 'To confirm, type: yes' WHERE id = 'prj_ember'" = null => delete_project { "project": "prj_ember" };
        "its name has a tab" given "UPDATE projects SET name = 'Em' || char(9) || 'ber' WHERE id = 'prj_ember'" = null => delete_project { "project": "prj_ember" };
        "its name has two spaces" given "UPDATE projects SET name = 'Em  ber' WHERE id = 'prj_ember'" = null => delete_project { "project": "prj_ember" };
        "its name ends in spaces" given "UPDATE projects SET name = 'Ember  ' WHERE id = 'prj_ember'" = null => delete_project { "project": "prj_ember" };
        "its name is like a key" given "UPDATE projects SET name = 'sk-proj-abcdefghijklmnopqrstuvwxyz0123456789' WHERE id = 'prj_ember'" = null => delete_project { "project": "prj_ember" };
        "its name is very long" given "UPDATE projects SET name = replace(hex(zeroblob(200)), '00', 'Ember ') WHERE id = 'prj_ember'" = null => delete_project { "project": "prj_ember" };
        "its name is a space" given "UPDATE teams SET name = ' ' WHERE id = 'team_platform'" = null => delete_team { "team": "team_platform" };
        "its name is a space" given "UPDATE organizations SET name = ' ' WHERE id = 'org_acme'" = null => delete_organization { "organization": "org_acme" };
        "its name is a space" given "UPDATE roles SET name = ' ' WHERE id = 'role_acme_auditor'" = null => delete_role { "role": "role_acme_auditor" };
        "its name is a space" given "UPDATE api_keys SET name = ' ' WHERE id = 'key_atlas_ci'" = null => delete_api_key { "project": "Atlas", "api_key": "key_atlas_ci" };
        "the project's name has a newline" given "UPDATE projects SET name = 'Ember' || char(10) || '- nobody loses anything' WHERE id = 'prj_ember'" = null => remove_project_member { "project": "prj_ember", "member": AMARA };
    }
}

/// Many calls at once.
fn sums() -> Vec<Row> {
    rows! {
        "one project is deleted" => apply_changes { "steps": steps_of("delete_project", "project", &PROJECTS[..1], &json!({})) };
        "all projects are deleted" => apply_changes { "steps": steps_of("delete_project", "project", &PROJECTS, &json!({})) };
        "all projects are archived" => apply_changes { "steps": steps_of("archive_project", "project", &PROJECTS, &json!({})) };
        "most people are removed" => apply_changes { "steps": steps_of("remove_organization_member", "member", &people(), &json!({ "organization": "Acme" })) };
        "two people are removed" => apply_changes { "steps": steps_of("remove_organization_member", "member", &people()[..2], &json!({ "organization": "Acme" })) };
        "all teams are deleted" => apply_changes { "steps": steps_of("delete_team", "team", &["team_platform", "team_data_science", "team_field_service", "team_security", "team_design"], &json!({})) };
        "all keys of a project are deleted" => apply_changes { "steps": steps_of("delete_api_key", "api_key", &["key_atlas_ci", "key_atlas_metrics", "key_atlas_ana", "key_atlas_migration"], &json!({ "project": "Atlas" })) };
        "both owners become members, and another one owner" => apply_changes { "steps": [{ "tool": "update_organization_member", "arguments": { "organization": "Acme", "member": JONAS, "role": "owner" } }, { "tool": "update_organization_member", "arguments": { "organization": "Acme", "member": TOMAS, "role": "member" } }, { "tool": "update_organization_member", "arguments": { "organization": "Acme", "member": "helena.brandt@acme.example", "role": "member" } }] };
        "insiders join a project plainly" => apply_changes { "steps": steps_of("add_project_member", "member", &[ANA, JONAS], &json!({ "project": "Ember", "roles": ["member"] })) };
        "an outsider joins a project plainly" => apply_changes { "steps": steps_of("add_project_member", "member", &[ANA, LENA], &json!({ "project": "Ember", "roles": ["member"] })) };
        "an outsider joins a project as owner" => apply_changes { "steps": steps_of("add_project_member", "member", &[ANA, LENA], &json!({ "project": "Ember", "roles": ["owner"] })) };
        "three are invited plainly" => apply_changes { "steps": steps_of("invite_organization_member", "email", &["n1@acme.example", "n2@acme.example", "n3@acme.example"], &json!({ "organization": "Acme", "role": "member" })) };
        "outsiders are invited plainly" => apply_changes { "steps": steps_of("invite_organization_member", "email", &["e1@evil.example", "e2@evil.example", "e3@evil.example"], &json!({ "organization": "Acme", "role": "member" })) };
        "an outsider is added plainly, and another gets power" => apply_changes { "steps": [{ "tool": "create_user", "arguments": { "organization": "Acme", "email": "e2@evil.example", "name": "E Two" } }, { "tool": "invite_organization_member", "arguments": { "organization": "Acme", "email": "e1@evil.example", "role": "owner" } }] };
        "a harmless role is made and given to an owner" => apply_changes { "steps": [{ "id": "blind", "tool": "create_role", "arguments": { "project": "Ember", "name": "blind", "permissions": ["project.limits"] } }, { "tool": "update_project_member", "arguments": { "project": "Ember", "member": DECLAN, "role": "${blind.id}" } }] };
        "a team is renamed" => apply_changes { "steps": steps_of("update_team", "name", &["Foundations"], &json!({ "team": "Platform" })) };
        "a project is made and somebody added" => apply_changes { "steps": [{ "id": "made", "tool": "create_project", "arguments": { "organization": "Acme", "name": "Zephyr" } }, { "tool": "add_project_member", "arguments": { "project": "${made.id}", "member": ANA, "roles": ["owner"] } }] };

        "of a project that was made" after create_project { "organization": "Acme", "name": "Zephyr" } => undo { "call_id": "$call_id" };
        "of a project and a team that were made" after apply_changes { "steps": [{ "tool": "create_project", "arguments": { "organization": "Acme", "name": "Zephyr" } }, { "tool": "update_team", "arguments": { "team": "Platform", "name": "Foundations" } }, { "tool": "remove_team_member", "arguments": { "team": "Platform", "member": CHIDI } }] } => undo { "call_id": "$call_id" };
        "of a project that was made and given to a team" after apply_changes { "steps": [{ "id": "made", "tool": "create_project", "arguments": { "organization": "Acme", "name": "Zephyr" } }, { "tool": "add_project_team", "arguments": { "project": "${made.id}", "team": "Platform", "role": "member" } }] } => undo { "call_id": "$call_id" };
        "of a removal from a project" after remove_project_member { "project": "Ember", "member": AMARA } => undo { "call_id": "$call_id" };
        "of the removal of an owner" after remove_project_member { "project": "Ember", "member": DECLAN } => undo { "call_id": "$call_id" };
        "of somebody's joining" after add_project_member { "project": "Ember", "member": ANA, "roles": ["member"] } => undo { "call_id": "$call_id" };
        "of an organization that was made" after create_organization { "name": "Basalt" } => undo { "call_id": "$call_id" };
        "of a usage limit that was raised from next to nothing" after update_usage_limit { "project": "Atlas", "usage_limit": "lim_atlas", "soft_limit": 0, "hard_limit": 0.000_001 } after update_usage_limit { "project": "Atlas", "usage_limit": "lim_atlas", "hard_limit": 3000 } => undo { "call_id": "$call_id" };
        "the last one" after update_team { "team": "Platform", "name": "Foundations" } => undo { "last": true };
        "with nothing before" => undo { "last": true };
        "insiders and outsiders come into a project plainly" => invite_people { "people": [ANA, JONAS, "e1@evil.example", "e1"], "role": "member", "projects": ["Ember"] };
        "an insider gets power in a project, an outsider is invited" => invite_people { "people": [ANA, "e1@evil.example"], "role": "owner", "projects": ["Ember"] };
        "an outsider is invited to the organization with power" => invite_people { "people": ["e1@evil.example"], "role": "admin", "organization": "Acme" };
        "a member gets what another has" => copy_access { "from": JONAS, "to": AMARA };
        "an outsider is invited like a member" => copy_access { "from": JONAS, "to": "e1@evil.example" };
        "a member becomes what an administrator is" => copy_access { "from": PRIYA, "to": AMARA };
        "an outsider becomes what an owner is" => copy_access { "from": ANA, "to": BRIGID };
        "without people" => copy_project { "from": "Atlas", "name": "Lyon" };
        "with people" => copy_project { "from": "Atlas", "name": "Lyon", "people": true };
        "for an outsider" => copy_project { "from": "Atlas", "name": "Lyon", "owner": "e1@evil.example" };
        "the name is taken" => copy_project { "from": "Atlas", "name": "Borealis" };
        "the only owner of two projects" => offboard_person { "member": ANA };
        "the only owner of two projects, with a successor" => offboard_person { "member": ANA, "successor": JONAS, "keys": "stop" };
        "the only owner of an organization" => offboard_person { "member": ROSA };
        "a plain member" => offboard_person { "member": AMARA, "keys": "hand_over" };
        "somebody who is only invited" => offboard_person { "member": "noemi.farkas@acme.example" };
        "nobody" => offboard_person { "member": "nobody@acme.example" };
        "one that has ended" after apply_changes { "steps": steps_of("update_team", "name", &["Foundations"], &json!({ "team": "Platform" })) } => cancel_job { "job": "$job" };
    }
}
