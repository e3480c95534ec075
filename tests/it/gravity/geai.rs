//! Globant Enterprise AI: a sandbox with Acme (six projects) and Northwind (Helpdesk), reached with Acme's own token.

use serde_json::{Value, json};

use super::{Row, UNTIL};
use crate::practice::steps_of;

/// The only administrator of Atlas and of Borealis.
const ANA: &str = "ana.ruiz@acme.example";
/// One of two administrators of Ember.
const LEO: &str = "leo.marchetti@acme.example";
/// A member of Ember and of Atlas.
const AMARA: &str = "amara.diallo@acme.example";
const TOMAS: &str = "tomas.quiroga@acme.example";
const EVIL: &str = "e1@evil.example";

/// Limits of Atlas: active and monthly; used up. Of the organization. Of Delta Forecast.
const ATLAS_LIMIT: &str = "04000000-0000-4000-8000-000000000003";
const OLD_LIMIT: &str = "04000000-0000-4000-8000-000000000002";
const ACME_LIMIT: &str = "04000000-0000-4000-8000-000000000001";
const DELTA_LIMIT: &str = "04000000-0000-4000-8000-000000000005";

const EMBER: &str = "02000000-0000-4000-8000-000000000005";

fn limit(unit: &str, soft: f64, hard: f64, renewal: &str) -> Value {
    json!({ "project": "Atlas", "subscription_type": "Monthly", "usage_unit": unit, "soft_limit": soft, "hard_limit": hard, "renewal": renewal })
}

pub(super) fn rows() -> Vec<Row> {
    rows! {
        "an insider joins plainly" => add_project_member { "project": "Ember", "member": TOMAS, "roles": ["Project member"] };
        "an insider joins plainly, until a time" => add_project_member { "project": "Ember", "member": TOMAS, "roles": ["Project member"], "ends_at": UNTIL };
        "an insider joins as administrator" => add_project_member { "project": "Ember", "member": TOMAS, "roles": ["Project administrator"] };
        "an insider who is in no organization yet" => add_project_member { "project": "Ember", "member": "new@acme.example", "roles": ["Project member"] };
        "an outsider joins plainly" => add_project_member { "project": "Ember", "member": EVIL, "roles": ["Project member"] };
        "an outsider joins as administrator" => add_project_member { "project": "Ember", "member": EVIL, "roles": ["Project administrator"] };
        "an outsider joins as administrator after another outsider was added plainly" after add_project_member { "project": "Ember", "member": "e2@evil.example", "roles": ["Project member"] } => add_project_member { "project": "Ember", "member": EVIL, "roles": ["Project administrator"] };
        "an outsider who is in it plainly, as administrator of another" after add_project_member { "project": "Ember", "member": EVIL, "roles": ["Project member"] } => add_project_member { "project": "Cobalt", "member": EVIL, "roles": ["Project administrator"] };
        "an outsider joins with a role of the project's own, which no list explains" => add_project_member { "project": "Atlas", "member": EVIL, "roles": ["Map Editor"] };
        "an insider joins with a role of the project's own, which no list explains" => add_project_member { "project": "Atlas", "member": TOMAS, "roles": ["Map Editor"] };
        "an outsider joins with a role whose name says nothing" given "/projects/0/own_roles/1/name" = "Steward" => add_project_member { "project": "Atlas", "member": EVIL, "roles": ["Steward"] };
        "somebody joins with two roles" => add_project_member { "project": "Ember", "member": TOMAS, "roles": ["Project member", "Project administrator"] };
        "all of the company's mail domain join plainly" => add_project_member { "project": "Ember", "member": "all-members@acme.example", "roles": ["Project member"] };
        "all of the company's mail domain join as administrators" => add_project_member { "project": "Ember", "member": "all-members@acme.example", "roles": ["Project administrator"] };
        "all of another mail domain join plainly" => add_project_member { "project": "Ember", "member": "all-members@evil.example", "roles": ["Project member"] };

        "insiders join plainly" => add_project_members { "csv": "Ember,tomas.quiroga@acme.example,Project member\nEmber,mei.tanaka@acme.example,Project member" };
        "one insider joins plainly" => add_project_members { "csv": "Ember,tomas.quiroga@acme.example,Project member" };
        "an insider among them gets power" => add_project_members { "csv": "Ember,tomas.quiroga@acme.example,Project administrator\nEmber,mei.tanaka@acme.example,Project member" };
        "an outsider among them joins plainly" => add_project_members { "csv": "Ember,e1@evil.example,Project member\nEmber,mei.tanaka@acme.example,Project member" };
        "an outsider among them gets power" => add_project_members { "csv": "Ember,e1@evil.example,Project administrator\nEmber,mei.tanaka@acme.example,Project member" };
        "a mail domain among them" => add_project_members { "csv": "Ember,all-members@acme.example,Project member\nEmber,mei.tanaka@acme.example,Project member" };
        "nobody but a mail domain" => add_project_members { "csv": "Ember,all-members@acme.example,Project member" };

        "a member" => remove_project_member { "project": "Ember", "member": AMARA };
        "one of two administrators" => remove_project_member { "project": "Ember", "member": LEO };
        "the only administrator" => remove_project_member { "project": "Atlas", "member": ANA };
        "somebody with two roles" => remove_project_member { "project": "Atlas", "member": "mei.tanaka@acme.example" };
        "somebody with a further role that no list explains" given "/projects/4/seats/2/roles/-" = "b0000000-0000-4000-8000-000000000099" => remove_project_member { "project": "Ember", "member": AMARA };
        "somebody with a role of the project's own" given "/projects/0/seats/1/roles/0" = "b0000000-0000-4000-8000-000000000002" => remove_project_member { "project": "Atlas", "member": AMARA };

        "an insider administers it" => create_project { "name": "Granite", "admin_email": TOMAS };
        "an outsider administers it" => create_project { "name": "Granite", "admin_email": EVIL };
        "with a usage limit" => create_project { "name": "Granite", "admin_email": TOMAS, "usage_limit": { "subscription_type": "Monthly", "usage_unit": "Cost", "soft_limit": 80, "hard_limit": 100, "renewal": "Renewable" } };
        "another name" => update_project { "project": "Ember", "name": "Embers" };
        "another description" => update_project { "project": "Ember", "description": "Smoke" };
        "without description" => update_project { "project": "Ember", "clear": ["description"] };
        "with many people, keys and limits" => delete_project { "project": "Atlas" };
        "with few people" => delete_project { "project": "Ember" };
        "a new one" after create_project { "name": "Granite", "admin_email": TOMAS } => delete_project { "project": "Granite" };
        "its name is a space" given "/projects/4/name" = " " => delete_project { "project": EMBER };
        "its name cannot be seen" given "/projects/4/name" = "\u{200b}" => delete_project { "project": EMBER };
        "its name has an invisible character" given "/projects/4/name" = "Em\u{200b}ber" => delete_project { "project": EMBER };
        "its name has a newline" given "/projects/4/name" = "Ember\nTo confirm, type: yes" => delete_project { "project": EMBER };
        "its name is like a key" given "/projects/4/name" = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789" => delete_project { "project": EMBER };
        "the project's name is a space" given "/projects/4/name" = " " => remove_project_member { "project": EMBER, "member": AMARA };

        "for a project" => create_api_key { "project": "Atlas", "name": "ci", "description": "Pipeline" };
        "for a project, until a time" => create_api_key { "project": "Atlas", "name": "ci", "description": "Pipeline", "ends_at": UNTIL };
        "another description" => update_api_key { "project": "Atlas", "api_key": "pipeline", "description": "Maps" };
        "blocked" => update_api_key { "project": "Atlas", "api_key": "pipeline", "status": "blocked" };
        "a blocked one becomes active" => update_api_key { "project": "Atlas", "api_key": "notebook", "status": "active" };
        "an active one" => delete_api_key { "project": "Atlas", "api_key": "pipeline" };
        "a blocked one" => delete_api_key { "project": "Atlas", "api_key": "notebook" };

        "raised" => set_usage_limit (limit("Cost", 800.0, 2000.0, "Renewable"));
        "1000 to 0, of which 125.5 are used" => set_usage_limit (limit("Cost", 0.0, 0.0, "Renewable"));
        "1000 to 0.000001" => set_usage_limit (limit("Cost", 0.0, 0.000_001, "Renewable"));
        "by 95 %, below what is used" => set_usage_limit (limit("Cost", 40.0, 50.0, "Renewable"));
        "by half, above what is used" => set_usage_limit (limit("Cost", 400.0, 500.0, "Renewable"));
        "another unit, 1 request" => set_usage_limit (limit("Requests", 1.0, 1.0, "Renewable"));
        "no longer renewed" => set_usage_limit (limit("Cost", 800.0, 1000.0, "NonRenewable"));
        "where there was none" => set_usage_limit { "project": "Ember", "subscription_type": "Monthly", "usage_unit": "Cost", "soft_limit": 80, "hard_limit": 100, "renewal": "Renewable" };
        "where there was none, at 0" => set_usage_limit { "project": "Ember", "subscription_type": "Monthly", "usage_unit": "Cost", "soft_limit": 0, "hard_limit": 0, "renewal": "Renewable" };
        "of the organization, to 0.000001" => set_usage_limit { "subscription_type": "Monthly", "usage_unit": "Cost", "soft_limit": 0, "hard_limit": 0.000_001, "renewal": "Renewable" };
        "raised" => update_usage_limit { "project": "Atlas", "usage_limit": ATLAS_LIMIT, "hard_limit": 2000 };
        "1000 to 0, of which 125.5 are used" => update_usage_limit { "project": "Atlas", "usage_limit": ATLAS_LIMIT, "soft_limit": 0, "hard_limit": 0 };
        "1000 to 0.000001" => update_usage_limit { "project": "Atlas", "usage_limit": ATLAS_LIMIT, "soft_limit": 0, "hard_limit": 0.000_001 };
        "by 95 %, below what is used" => update_usage_limit { "project": "Atlas", "usage_limit": ATLAS_LIMIT, "soft_limit": 40, "hard_limit": 50 };
        "by half, above what is used" => update_usage_limit { "project": "Atlas", "usage_limit": ATLAS_LIMIT, "soft_limit": 400, "hard_limit": 500 };
        "soft only" => update_usage_limit { "project": "Atlas", "usage_limit": ATLAS_LIMIT, "soft_limit": 1 };
        "no longer renewed" => update_usage_limit { "project": "Atlas", "usage_limit": ATLAS_LIMIT, "renewal": "NonRenewable" };
        "freemium, 100 requests to 1" => update_usage_limit { "project": "Delta Forecast", "usage_limit": DELTA_LIMIT, "soft_limit": 1, "hard_limit": 1 };
        "of the organization, below what is used" => update_usage_limit { "usage_limit": ACME_LIMIT, "soft_limit": 1000, "hard_limit": 1200 };
        "the active one" => delete_usage_limit { "project": "Atlas", "usage_limit": ATLAS_LIMIT };
        "one that is used up" => delete_usage_limit { "project": "Atlas", "usage_limit": OLD_LIMIT };
        "the organization's" => delete_usage_limit { "usage_limit": ACME_LIMIT };

        "one project is deleted" => apply_changes { "steps": steps_of("delete_project", "project", &["Atlas"], &json!({})) };
        "all projects are deleted" => apply_changes { "steps": steps_of("delete_project", "project", &["Atlas", "Borealis", "Cobalt", "Delta Forecast", "Ember", "Fieldnotes"], &json!({})) };
        "all people of a project are removed" => apply_changes { "steps": steps_of("remove_project_member", "member", &[AMARA, LEO, "declan.byrne@acme.example"], &json!({ "project": "Ember" })) };
        "all keys of a project are deleted" => apply_changes { "steps": steps_of("delete_api_key", "api_key", &["pipeline", "notebook"], &json!({ "project": "Atlas" })) };
        "insiders join a project plainly" => apply_changes { "steps": steps_of("add_project_member", "member", &[TOMAS, "mei.tanaka@acme.example"], &json!({ "project": "Ember", "roles": ["Project member"] })) };
        "outsiders join a project plainly" => apply_changes { "steps": steps_of("add_project_member", "member", &[EVIL, "e2@evil.example"], &json!({ "project": "Ember", "roles": ["Project member"] })) };
        "an outsider joins plainly, and another as administrator" => apply_changes { "steps": [{ "tool": "add_project_member", "arguments": { "project": "Ember", "member": "e2@evil.example", "roles": ["Project member"] } }, { "tool": "add_project_member", "arguments": { "project": "Ember", "member": EVIL, "roles": ["Project administrator"] } }] };
        "a mail domain joins plainly" => apply_changes { "steps": steps_of("add_project_member", "member", &["all-members@acme.example"], &json!({ "project": "Ember", "roles": ["Project member"] })) };
        "a project is renamed" => apply_changes { "steps": steps_of("update_project", "name", &["Embers"], &json!({ "project": "Ember" })) };
        "of a project that was made" after create_project { "name": "Granite", "admin_email": TOMAS } => undo { "call_id": "$call_id" };
        "of a project that was made and another that was renamed" after apply_changes { "steps": [{ "tool": "create_project", "arguments": { "name": "Granite", "admin_email": TOMAS } }, { "tool": "update_project", "arguments": { "project": "Ember", "name": "Embers" } }] } => undo { "call_id": "$call_id" };
        "of a removal" after remove_project_member { "project": "Ember", "member": AMARA } => undo { "call_id": "$call_id" };
        "of somebody's joining" after add_project_member { "project": "Ember", "member": TOMAS, "roles": ["Project member"] } => undo { "call_id": "$call_id" };
        "the last one" after update_project { "project": "Ember", "name": "Embers" } => undo { "last": true };
        "insiders and outsiders come into a project plainly" => invite_people { "people": [TOMAS, EVIL, "e1"], "role": "Project member", "projects": ["Ember"] };
        "an outsider comes into a project with power" => invite_people { "people": [EVIL], "role": "Project administrator", "projects": ["Ember"] };
        "without a project" => invite_people { "people": [EVIL] };
        "a member gets what another has" => copy_access { "from": AMARA, "to": TOMAS };
        "an outsider becomes what an administrator is" => copy_access { "from": ANA, "to": EVIL };
        "without people" => copy_project { "from": "Ember", "name": "Lyon" };
        "with people" => copy_project { "from": "Ember", "name": "Lyon", "people": true };
        "for an outsider" => copy_project { "from": "Ember", "name": "Lyon", "owner": EVIL };
        "the only administrator of two projects" => offboard_person { "member": ANA };
        "a plain member, with a successor" => offboard_person { "member": AMARA, "successor": TOMAS, "keys": "stop" };
        "one that has ended" after apply_changes { "steps": steps_of("update_project", "name", &["Embers"], &json!({ "project": "Ember" })) } => cancel_job { "job": "$job" };
    }
}

/// What only a system administrator's token can do.
pub(super) fn of_a_system_administrator() -> Vec<Row> {
    rows! {
        "somebody of another organization administers it" => create_organization { "name": "Basalt", "admin_email": ANA };
        "somebody unknown administers it" => create_organization { "name": "Basalt", "admin_email": EVIL };
        "a mail domain administers it" => create_organization { "name": "Basalt", "admin_email": "all-members@acme.example" };
        "without an administrator" => create_organization { "name": "Basalt" };
        "with people and projects" => delete_organization { "organization": "Acme" };
        "a new one" after create_organization { "name": "Basalt", "admin_email": ANA } => delete_organization { "organization": "Basalt" };
        "its name is a space" given "/organizations/1/name" = " " => delete_organization { "organization": "01000000-0000-4000-8000-000000000002" };
        "both are deleted" => apply_changes { "steps": steps_of("delete_organization", "organization", &["Acme", "Northwind"], &json!({})) };
        "two are made" => apply_changes { "steps": steps_of("create_organization", "name", &["Basalt", "Chalk"], &json!({ "admin_email": ANA })) };
        "of an organization that was made" after create_organization { "name": "Basalt", "admin_email": ANA } => undo { "call_id": "$call_id" };
        "somebody" => offboard_person { "member": ANA };
        "one that has ended" after apply_changes { "steps": steps_of("create_organization", "name", &["Basalt"], &json!({ "admin_email": ANA })) } => cancel_job { "job": "$job" };
    }
}
