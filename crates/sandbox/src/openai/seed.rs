//! What a service begins with.

use serde::Deserialize;

use super::{
    ADMIN_KEY, Openai, READING_KEY, Seed,
    admin_keys::AdminKey,
    api_keys::{ApiKey, Owner},
    assignments::Principal,
    certificates::Certificate,
    groups::Group,
    invites::{Invite, InviteProject, SECONDS},
    project_users::Membership,
    projects::Project,
    roles::Role,
    service_accounts::ServiceAccount,
    spending::Spending,
    state::now,
    users::User,
};
use crate::seed::read;

const DAY: i64 = 24 * 60 * 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    people: Vec<Person>,
    projects: Vec<SeededProject>,
    members: Vec<Seat>,
    service_accounts: Vec<SeededAccount>,
    keys: Vec<Key>,
    groups: Vec<SeededGroup>,
    admitted: Vec<Admitted>,
    certificates: Vec<SeededCertificate>,
    invites: Vec<SeededInvite>,
    roles: Vec<SeededRole>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    /// Before the `@`.
    login: String,
    name: String,
    role: String,
    /// In the organization.
    days: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededProject {
    /// After `proj_`.
    id: String,
    name: String,
    residency: String,
    days: i64,
    #[serde(default)]
    spending: Spending,
}

/// Who is in which project, as what.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seat {
    project: String,
    login: String,
    role: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededAccount {
    project: String,
    /// After `svc_acct_`.
    id: String,
    name: String,
    role: String,
    days: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    project: String,
    /// After `key_`.
    id: String,
    name: String,
    /// A service account's id, or the name before a person's `@`.
    owner: String,
    /// Days since it was made, since it was used, until it ends.
    made: i64,
    used: Option<i64>,
    ends: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededGroup {
    id: String,
    name: String,
    is_scim_managed: bool,
    days: i64,
    /// Names before the `@`.
    members: Vec<String>,
}

/// A group that is in a project.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Admitted {
    project: String,
    group: String,
    /// One that every project has.
    role: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededCertificate {
    id: String,
    name: String,
    active: bool,
    days: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededInvite {
    id: String,
    email: String,
    role: String,
    days: i64,
    /// Days ago.
    accepted: Option<i64>,
    projects: Vec<InviteProject>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededRole {
    id: String,
    name: String,
    description: String,
    permissions: Vec<String>,
    /// `None`: a role of the organization.
    project: Option<String>,
}

pub(super) fn seeded(seed: Seed) -> Openai {
    let mut at = Openai::of("org-acme");
    at.add_built_in_roles(None);
    at.place_rate_limits();
    at.add_user("marta.nowicka", "Marta Nowicka", "owner", 730);
    at.add_key("key_admin_acme", "operations", ADMIN_KEY, &[]);
    at.add_key("key_admin_reads", "reports", READING_KEY, &["api.management.read"]);
    at.add_project(&SeededProject {
        id: "default".to_owned(),
        name: "Default project".to_owned(),
        residency: "GLOBAL".to_owned(),
        days: 730,
        spending: Spending::default(),
    });
    if seed == Seed::Acme {
        let data: Data = read(include_str!("seed.toml"));
        for it in &data.people {
            at.add_user(&it.login, &it.name, &it.role, it.days);
        }
        for it in &data.projects {
            at.add_project(it);
        }
        for it in &data.members {
            at.join(&format!("proj_{}", it.project), &user_id(&it.login), &it.role);
        }
        at.archive("proj_regatta");
        for it in data.service_accounts {
            at.add_service_account(it);
        }
        for it in data.groups {
            at.add_group(it);
        }
        for it in &data.admitted {
            let role = at.built_in_role(Some(&it.project), &it.role);
            at.admit_group(&it.project, &it.group, &role);
        }
        for it in data.roles {
            at.add_role(it);
        }
        at.assign_to_user(&user_id("grace"), "role_auditor");
        at.assign(Principal::group("group_engineering"), "role_webhooks");
        at.assign(Principal::group("group_reviewers"), "role_key_master");
        for it in data.keys {
            at.add_project_key(it);
        }
        for it in data.certificates {
            at.add_certificate(it);
        }
        if let Some(atlas) = at.project_named("atlas") {
            atlas.certificates.insert("cert_quay".to_owned());
        }
        for it in data.invites {
            at.add_invite(it);
        }
    }
    at.backdate();
    at
}

fn user_id(login: &str) -> String {
    format!("user-{}", login.split('.').next().unwrap_or(login))
}

impl Openai {
    fn add_user(&mut self, login: &str, name: &str, role: &str, days: i64) {
        let id = user_id(login);
        self.place(id.clone());
        let user = User {
            id: id.clone(),
            name: name.to_owned(),
            email: format!("{login}@acme.example"),
            added_at: now() - days * DAY,
            ..User::default()
        };
        self.users.push(user);
        self.assign_to_user(&id, &self.built_in_role(None, role));
        if role == "owner" {
            self.own_all_projects(&id);
        } else if self.projects.iter().any(|it| it.is_default) {
            self.join("proj_default", &id, "member");
        }
    }

    fn add_key(&mut self, id: &str, name: &str, value: &str, scopes: &[&str]) {
        self.place(id.to_owned());
        self.admin_keys.push(AdminKey {
            id: id.to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
            created_at: now() - 365 * DAY,
            expires_at: None,
            owner_id: user_id("marta"),
            scopes: scopes.iter().map(|it| (*it).to_owned()).collect(),
        });
    }

    fn add_project(&mut self, it: &SeededProject) {
        let id = format!("proj_{}", it.id);
        self.place(id.clone());
        self.found_project(Project {
            is_default: id == "proj_default",
            id,
            name: it.name.clone(),
            created_at: now() - it.days * DAY,
            residency: it.residency.clone(),
            spending: it.spending.clone(),
            ..Project::default()
        });
    }

    fn archive(&mut self, id: &str) {
        if let Some(project) = self.projects.iter_mut().find(|it| it.id == id) {
            project.archived_at = Some(now() - 30 * DAY);
            project.members.clear();
        }
        self.unassign_in_project(id, |_| true);
    }

    /// People and groups have been in projects since there are these projects.
    fn backdate(&mut self) {
        for project in &mut self.projects {
            let since = project.created_at;
            project.members.iter_mut().for_each(|it| it.added_at = since);
            project.groups.iter_mut().for_each(|it| it.created_at = since);
        }
    }

    fn project_named(&mut self, id: &str) -> Option<&mut Project> {
        self.projects.iter_mut().find(|it| it.id.strip_prefix("proj_") == Some(id))
    }

    fn add_service_account(&mut self, it: SeededAccount) {
        let id = format!("svc_acct_{}", it.id);
        self.place(id.clone());
        let account = ServiceAccount { id, name: it.name, role: it.role, created_at: now() - it.days * DAY, hidden: 0 };
        if let Some(project) = self.project_named(&it.project) {
            project.service_accounts.push(account);
        }
    }

    fn add_project_key(&mut self, key: Key) {
        let Some(owner) = self.owner(&key.owner) else { return };
        let id = format!("key_{}", key.id);
        self.place(id.clone());
        let mask = if matches!(owner, Owner::User { .. }) { "sk-proj-***" } else { "sk-svcac***" };
        let made = ApiKey {
            redacted_value: format!("{mask}{}", &id[id.len() - 3..]),
            id,
            name: key.name,
            created_at: now() - key.made * DAY,
            last_used_at: key.used.map(|it| now() - it * DAY),
            expires_at: key.ends.map(|it| now() + it * DAY),
            scopes: Vec::new(),
            owner,
        };
        if let Some(project) = self.project_named(&key.project) {
            project.api_keys.push(made);
        }
    }

    fn owner(&self, named: &str) -> Option<Owner> {
        let mut accounts = self.projects.iter().flat_map(|it| &it.service_accounts);
        if let Some(it) = accounts.find(|it| it.id == named) {
            return Some(Owner::ServiceAccount { id: it.id.clone(), name: it.name.clone(), created_at: it.created_at });
        }
        let it = self.user(&user_id(named)).ok()?;
        Some(Owner::User { id: it.id.clone(), name: it.name.clone(), email: it.email.clone(), created_at: it.added_at })
    }

    fn add_group(&mut self, it: SeededGroup) {
        self.place(it.id.clone());
        let added_at = now() - it.days * DAY;
        let mut members = Vec::new();
        for login in &it.members {
            self.place(format!("{}/{}", it.id, user_id(login)));
            members.push(Membership { user_id: user_id(login), added_at });
        }
        self.groups.push(Group { id: it.id, name: it.name, created_at: added_at, is_scim_managed: it.is_scim_managed, members });
    }

    fn add_role(&mut self, it: SeededRole) {
        self.place(it.id.clone());
        self.roles.push(Role {
            id: it.id,
            name: it.name,
            description: Some(it.description),
            permissions: it.permissions,
            project_id: it.project,
            predefined: false,
            created_at: Some(now() - 150 * DAY),
            updated_at: Some(now() - 90 * DAY),
            created_by: Some(user_id("marta")),
        });
    }

    fn add_certificate(&mut self, it: SeededCertificate) {
        self.place(it.id.clone());
        let created_at = now() - it.days * DAY;
        self.certificates.push(Certificate {
            id: it.id,
            name: Some(it.name),
            created_at,
            valid_at: created_at,
            expires_at: created_at + 730 * DAY,
            content: "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n".to_owned(),
            active: it.active,
        });
    }

    fn add_invite(&mut self, it: SeededInvite) {
        self.place(it.id.clone());
        let created_at = now() - it.days * DAY;
        self.invites.push(Invite {
            id: it.id,
            email: it.email,
            role: it.role,
            created_at,
            expires_at: created_at + SECONDS,
            accepted_at: it.accepted.map(|days| now() - days * DAY),
            projects: it.projects,
        });
    }
}
