//! What a service begins with.

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
    state::now,
    users::User,
};

const DAY: i64 = 24 * 60 * 60;

/// Name before the `@`, name, role, days in the organization.
const PEOPLE: [(&str, &str, &str, i64); 12] = [
    ("oskar.lindqvist", "Oskar Lindqvist", "owner", 720),
    ("ana.ruiz", "Ana Ruiz", "reader", 610),
    ("jonas.weber", "Jonas Weber", "reader", 600),
    ("mei.tanaka", "Mei Tanaka", "reader", 540),
    ("priya.raman", "Priya Raman", "reader", 500),
    ("chidi.okonjo", "Chidi Okonjo", "reader", 420),
    ("elif.kaya", "Elif Kaya", "reader", 390),
    ("linh.tran", "Linh Tran", "reader", 300),
    ("noor.vandijk", "Noor van Dijk", "reader", 260),
    ("ravi.deshpande", "Ravi Deshpande", "reader", 180),
    ("leo.marchetti", "Leo Marchetti", "reader", 120),
    ("grace.whitfield", "Grace Whitfield", "reader", 30),
];

/// Id after `proj_`, name, residency, days.
const PROJECTS: [(&str, &str, &str, i64); 5] = [
    ("atlas", "Atlas", "EU_STORAGE_PROCESSING", 400),
    ("borealis", "Borealis", "GLOBAL", 330),
    ("helpdesk", "Helpdesk", "GLOBAL", 200),
    ("weather", "Weather map", "US_STORAGE_PROCESSING", 90),
    ("regatta", "Regatta 2024", "GLOBAL", 640),
];

/// Who is in which project, as what.
const MEMBERS: [(&str, &str, &str); 10] = [
    ("atlas", "ana.ruiz", "owner"),
    ("atlas", "jonas.weber", "member"),
    ("atlas", "mei.tanaka", "member"),
    ("borealis", "ana.ruiz", "owner"),
    ("borealis", "priya.raman", "member"),
    ("borealis", "noor.vandijk", "member"),
    ("helpdesk", "elif.kaya", "owner"),
    ("helpdesk", "linh.tran", "member"),
    ("weather", "ravi.deshpande", "owner"),
    ("weather", "mei.tanaka", "member"),
];

struct Key {
    project: &'static str,
    /// After `key_`.
    id: &'static str,
    name: &'static str,
    /// A service account's id, or the name before a person's `@`.
    owner: &'static str,
    /// Days since it was made, since it was used, until it ends.
    made: i64,
    used: Option<i64>,
    ends: Option<i64>,
}

const fn key(project: &'static str, id: &'static str, name: &'static str, owner: &'static str, made: i64) -> Key {
    Key { project, id, name, owner, made, used: None, ends: None }
}

/// Chidi has access to Atlas through a group and is no member of it; Leo has none at all.
const KEYS: [Key; 8] = [
    Key { used: Some(1), ..key("atlas", "ana_laptop", "laptop", "ana.ruiz", 350) },
    Key { used: Some(40), ..key("atlas", "jonas_notebook", "notebook", "jonas.weber", 300) },
    Key { used: Some(0), ..key("atlas", "beacon", "Secret Key", "svc_acct_beacon", 250) },
    Key { ends: Some(-10), ..key("atlas", "beacon_old", "before the move", "svc_acct_beacon", 249) },
    Key { used: Some(3), ..key("atlas", "chidi_review", "review", "chidi.okonjo", 100) },
    Key { used: Some(70), ..key("atlas", "leo_trial", "trial", "leo.marchetti", 80) },
    Key { ends: Some(30), ..key("borealis", "priya_probe", "probe", "priya.raman", 60) },
    Key { used: Some(2), ..key("borealis", "tide", "Secret Key", "svc_acct_tide", 50) },
];

/// Project, id after `svc_acct_`, name, role, days.
const SERVICE_ACCOUNTS: [(&str, &str, &str, &str, i64); 3] =
    [("atlas", "beacon", "Beacon", "member", 250), ("atlas", "drift", "Drift", "none", 120), ("borealis", "tide", "Tide", "owner", 50)];

/// Id, name, description, permissions; the last one is a role of Atlas.
const ROLES: [(&str, &str, &str, &[&str]); 3] = [
    (
        "role_auditor",
        "auditor",
        "Sees projects and their keys",
        &["api.organization.projects.read", "api.organization.projects.api_keys.read"],
    ),
    ("role_webhooks", "webhook keeper", "Looks after webhooks", &["api.webhooks.read", "api.webhooks.write"]),
    (
        "role_key_master",
        "key master",
        "Swaps the keys of Atlas",
        &["api.organization.projects.api_keys.read", "api.organization.projects.api_keys.write"],
    ),
];

pub(super) fn seeded(seed: Seed) -> Openai {
    let mut at = Openai::of("org-acme");
    at.add_built_in_roles(None);
    at.place_rate_limits();
    at.add_user("marta.nowicka", "Marta Nowicka", "owner", 730);
    at.add_key("key_admin_acme", "operations", ADMIN_KEY, &[]);
    at.add_key("key_admin_reads", "reports", READING_KEY, &["api.management.read"]);
    at.add_project("default", "Default project", "GLOBAL", 730);
    if seed == Seed::Acme {
        for (login, name, role, days) in PEOPLE {
            at.add_user(login, name, role, days);
        }
        for (id, name, residency, days) in PROJECTS {
            at.add_project(id, name, residency, days);
        }
        for (project, login, role) in MEMBERS {
            at.join(&format!("proj_{project}"), &user_id(login), role);
        }
        at.archive("proj_regatta");
        at.add_service_accounts();
        at.add_groups();
        at.add_roles();
        for key in &KEYS {
            at.add_project_key(key);
        }
        at.add_certificates();
        at.add_invites();
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

    fn add_project(&mut self, id: &str, name: &str, residency: &str, days: i64) {
        let id = format!("proj_{id}");
        self.place(id.clone());
        self.found_project(Project {
            is_default: id == "proj_default",
            id,
            name: name.to_owned(),
            created_at: now() - days * DAY,
            residency: residency.to_owned(),
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

    fn add_service_accounts(&mut self) {
        for (project, id, name, role, days) in SERVICE_ACCOUNTS {
            let id = format!("svc_acct_{id}");
            self.place(id.clone());
            let account = ServiceAccount { id, name: name.to_owned(), role: role.to_owned(), created_at: now() - days * DAY, hidden: 0 };
            if let Some(project) = self.project_named(project) {
                project.service_accounts.push(account);
            }
        }
    }

    fn add_project_key(&mut self, key: &Key) {
        let Some(owner) = self.owner(key.owner) else { return };
        let id = format!("key_{}", key.id);
        self.place(id.clone());
        let mask = if matches!(owner, Owner::User { .. }) { "sk-proj-***" } else { "sk-svcac***" };
        let made = ApiKey {
            redacted_value: format!("{mask}{}", &id[id.len() - 3..]),
            id,
            name: key.name.to_owned(),
            created_at: now() - key.made * DAY,
            last_used_at: key.used.map(|it| now() - it * DAY),
            expires_at: key.ends.map(|it| now() + it * DAY),
            scopes: Vec::new(),
            owner,
        };
        if let Some(project) = self.project_named(key.project) {
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

    fn add_groups(&mut self) {
        let groups: [(&str, &str, bool, i64, &[&str]); 3] = [
            ("group_crew", "Field crew", false, 380, &["priya.raman", "noor.vandijk"]),
            ("group_reviewers", "Reviewers", false, 210, &["chidi.okonjo", "elif.kaya"]),
            ("group_engineering", "Engineering", true, 200, &["ana.ruiz", "jonas.weber", "ravi.deshpande"]),
        ];
        for (id, name, is_scim_managed, days, members) in groups {
            self.place(id.to_owned());
            let created_at = now() - days * DAY;
            let mut group = Group { id: id.to_owned(), name: name.to_owned(), created_at, is_scim_managed, members: Vec::new() };
            for login in members {
                self.place(format!("{id}/{}", user_id(login)));
                group.members.push(Membership { user_id: user_id(login), added_at: created_at });
            }
            self.groups.push(group);
        }
        let viewer = self.built_in_role(Some("proj_atlas"), "viewer");
        self.admit_group("proj_atlas", "group_reviewers", &viewer);
        let member = self.built_in_role(Some("proj_borealis"), "member");
        self.admit_group("proj_borealis", "group_crew", &member);
    }

    fn add_roles(&mut self) {
        for (id, name, description, permissions) in ROLES {
            self.place(id.to_owned());
            self.roles.push(Role {
                id: id.to_owned(),
                name: name.to_owned(),
                description: Some(description.to_owned()),
                permissions: permissions.iter().map(|it| (*it).to_owned()).collect(),
                project_id: (id == "role_key_master").then(|| "proj_atlas".to_owned()),
                predefined: false,
                created_at: Some(now() - 150 * DAY),
                updated_at: Some(now() - 90 * DAY),
                created_by: Some(user_id("marta")),
            });
        }
        self.assign_to_user(&user_id("grace"), "role_auditor");
        self.assign(Principal::group("group_engineering"), "role_webhooks");
        self.assign(Principal::group("group_reviewers"), "role_key_master");
    }

    fn add_certificates(&mut self) {
        for (id, name, active, days) in
            [("cert_quay", "Quay gateway", true, 200), ("cert_harbor", "Harbor gateway", true, 100), ("cert_spare", "Spare", false, 20)]
        {
            self.place(id.to_owned());
            let created_at = now() - days * DAY;
            self.certificates.push(Certificate {
                id: id.to_owned(),
                name: Some(name.to_owned()),
                created_at,
                valid_at: created_at,
                expires_at: created_at + 730 * DAY,
                content: "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n".to_owned(),
                active,
            });
        }
        if let Some(atlas) = self.project_named("atlas") {
            atlas.certificates.insert("cert_quay".to_owned());
        }
    }

    fn add_invites(&mut self) {
        let atlas = || vec![InviteProject { id: "proj_atlas".to_owned(), role: "member".to_owned() }];
        let invites = [
            ("invite-grace", "grace.whitfield@acme.example", "reader", 31, Some(30), Vec::new()),
            ("invite-owen", "owen.prichard@acme.example", "reader", 20, None, atlas()),
            ("invite-lena", "lena@studio-vogel.example", "reader", 1, None, atlas()),
        ];
        for (id, email, role, days, accepted, projects) in invites {
            self.place(id.to_owned());
            let created_at = now() - days * DAY;
            self.invites.push(Invite {
                id: id.to_owned(),
                email: email.to_owned(),
                role: role.to_owned(),
                created_at,
                expires_at: created_at + SECONDS,
                accepted_at: accepted.map(|it: i64| now() - it * DAY),
                projects,
            });
        }
    }
}
