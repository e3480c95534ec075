//! Projects.

use serde_json::{Value, json};

use super::{
    Audit, Call, Engine, Project, Refusal, Seat,
    configs::{OWNER, PROJECT_OWNER},
    records::role_of,
    wire::Fields,
};

impl Engine {
    pub(super) fn org_projects(&self, caller: &str, id: &str) -> Result<Value, Refusal> {
        self.org_of_member(caller, id)?;
        let projects = self.projects.iter().filter(|it| it.org == id && self.sees(caller, it));
        Ok(json!({ "projects": projects.map(|it| self.project_reply(it)).collect::<Vec<_>>() }))
    }

    /// The projects that the caller has a place in.
    pub(super) fn own_projects(&self, caller: &str) -> Value {
        let projects = self.projects.iter().filter(|it| role_of(&it.seats, caller).is_some());
        json!({ "projects": projects.map(|it| self.project_reply(it)).collect::<Vec<_>>() })
    }

    pub(super) fn project(&self, caller: &str, id: &str) -> Result<Value, Refusal> {
        Ok(self.project_reply(self.seen_project(caller, id)?))
    }

    /// Whoever creates a project owns it.
    pub(super) fn create_project(&mut self, caller: &str, call: &Call) -> Result<Value, Refusal> {
        let fields = Fields::read(call, &["name", "description", "org_id"])?;
        let (name, org) = (fields.required("name")?.to_owned(), fields.required("org_id")?.to_owned());
        self.org_of_editor(caller, &org)?;
        let stamp = self.stamp(caller);
        let project = Project {
            id: format!("p-{}", self.next()),
            name,
            description: fields.owned("description"),
            org,
            seats: vec![Seat { user: caller.to_owned(), role: PROJECT_OWNER.to_owned() }],
            audit: Audit::new(stamp),
        };
        let reply = self.project_reply(&project);
        self.projects.push(project);
        Ok(reply)
    }

    /// Replaces both fields: one that is left out arrives as "".
    pub(super) fn update_project(&mut self, caller: &str, id: &str, call: &Call) -> Result<Value, Refusal> {
        self.owned_project(caller, id)?;
        let fields = Fields::read(call, &["name", "description"])?;
        fields.required("name")?;
        self.change_project(id, caller, |it| {
            it.name = fields.owned("name");
            it.description = fields.owned("description");
        });
        self.project(caller, id)
    }

    pub(super) fn delete_project(&mut self, caller: &str, id: &str) -> Result<Value, Refusal> {
        self.owned_project(caller, id)?;
        self.projects.retain(|it| it.id != id);
        Ok(json!({}))
    }

    pub(super) fn change_project(&mut self, id: &str, caller: &str, change: impl FnOnce(&mut Project)) {
        let stamp = self.stamp(caller);
        if let Some(project) = self.projects.iter_mut().find(|it| it.id == id) {
            change(project);
            project.audit.updated = stamp;
        }
    }

    /// The project, for somebody who sees it; to others it does not exist.
    pub(super) fn seen_project(&self, caller: &str, id: &str) -> Result<&Project, Refusal> {
        let project = self.projects.iter().find(|it| it.id == id && self.sees(caller, it));
        project.ok_or_else(|| Refusal::missing("project", id))
    }

    /// The project, for somebody who owns it or its organization.
    pub(super) fn owned_project(&self, caller: &str, id: &str) -> Result<&Project, Refusal> {
        let project = self.seen_project(caller, id)?;
        let owns = role_of(&project.seats, caller) == Some(PROJECT_OWNER) || self.owns_org(caller, &project.org);
        owns.then_some(project).ok_or_else(|| Refusal::denied("project owner"))
    }

    fn sees(&self, caller: &str, project: &Project) -> bool {
        role_of(&project.seats, caller).is_some() || self.owns_org(caller, &project.org)
    }

    fn owns_org(&self, caller: &str, id: &str) -> bool {
        self.orgs.iter().any(|it| it.id == id && role_of(&it.seats, caller) == Some(OWNER))
    }

    fn project_reply(&self, project: &Project) -> Value {
        let org = self.org_by_id(&project.org).map_or("", |it| it.name.as_str());
        json!({
            "id": project.id,
            "name": project.name,
            "description": project.description,
            "org": { "id": project.org, "name": org },
            "config": {
                "cluster": { "name": "shared" },
                "storage": {
                    "bucket": format!("bucket-of-{}", project.id),
                    "access_key": "engine-test-storage-key",
                    "secret_key": "engine-test-storage-secret",
                },
            },
            "stats": { "members": project.seats.len().to_string() },
            "audit": self.audit_reply(&project.audit),
        })
    }
}
