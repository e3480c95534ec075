//! The organizations of the demo company, and the roles that they made.

use super::{Ago, Rows, json_array};
use crate::{domain::fold, store::args};

pub(super) const ACME: &str = "org_acme";
pub(super) const LABS: &str = "org_acme_labs";
pub(super) const NORTHWIND: &str = "org_northwind";

const POLICIES: &str =
    r#"[{"name":"chatSharingPermissions","value":"organization"},{"name":"externalExecutionPermissions","value":"none"}]"#;

struct Role {
    id: &'static str,
    organization: &'static str,
    level: &'static str,
    name: &'static str,
    description: &'static str,
    permissions: &'static [&'static str],
}

/// Roles that can be held anywhere in their organization; those of one project come with the projects.
const ROLES: &[Role] = &[
    Role {
        id: "role_acme_auditor",
        organization: ACME,
        level: "organization",
        name: "auditor",
        description: "Sees everything, changes nothing",
        permissions: &["certificates.read", "keys.read", "limits.read", "members.read", "organization.read", "projects.read", "roles.read"],
    },
    Role {
        id: "role_acme_people_partner",
        organization: ACME,
        level: "organization",
        name: "people partner",
        description: "Welcomes people and sees them off",
        permissions: &["members.invite", "members.read", "members.remove", "organization.read", "teams.members", "teams.read"],
    },
    Role {
        id: "role_acme_analyst",
        organization: ACME,
        level: "project",
        name: "analyst",
        description: "Reads a project and its keys",
        permissions: &["project.keys.read", "project.read"],
    },
    Role {
        id: "role_labs_experimenter",
        organization: LABS,
        level: "project",
        name: "experimenter",
        description: "Works in a project and swaps its data",
        permissions: &["project.read", "project.resources", "project.write"],
    },
    Role {
        id: "role_northwind_bookkeeper",
        organization: NORTHWIND,
        level: "organization",
        name: "bookkeeper",
        description: "Sets what may be spent",
        permissions: &["limits.read", "limits.write", "organization.read", "projects.read"],
    },
];

pub(super) fn rows(ago: Ago) -> Vec<Rows> {
    let organizations = [
        (ACME, "Acme", "acme", "Instruments that measure wind, water and ice", "https://acme.example", Some(POLICIES), 1460),
        (LABS, "Acme Labs", "acme-labs", "What Acme may sell in five years", "https://labs.acme.example", None, 720),
        (NORTHWIND, "Northwind Traders", "northwind-traders", "Freight and a shop for sailors", "https://northwind.example", None, 980),
    ];
    let organizations = organizations.map(|(id, name, slug, description, website, policies, days)| {
        args![id, name, fold(name), slug, description, website, policies, ago.days(days)]
    });
    let roles = ROLES.iter().map(|it| {
        args![it.id, it.organization, it.level, it.name, fold(it.name), it.description, json_array(it.permissions), false, ago.days(400)]
    });
    vec![
        Rows::of(
            "organizations",
            &["id", "name", "name_key", "slug", "description", "website", "runtime_policies", "created_at"],
            organizations,
        ),
        Rows::of(
            "roles",
            &["id", "organization_id", "level", "name", "name_key", "description", "permissions", "built_in", "created_at"],
            roles,
        ),
    ]
}
