//! What is assigned to projects.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Kind, Reply, Seeme, account::Caller, body::Body, refusal::Refusal};
use crate::{Answer, Call};

/// A model, dataset, workflow or graph that belongs to a project.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Resource {
    pub id: String,
    pub created_at: String,
    pub project_id: String,
    pub resource_type: String,
    pub resource_id: String,
    pub resource_name: Option<String>,
}

impl Seeme {
    pub(super) fn list_resources(&self, caller: &Caller, project: &str) -> Reply {
        let project = self.allowed(caller, Kind::Project, project, "read")?;
        let resources = self.resources.iter().filter(|it| it.project_id == project.id);
        Ok(self.list(&resources.map(|it| self.resource_json(it)).collect::<Vec<_>>()))
    }

    pub(super) fn assign_resource(&mut self, caller: &Caller, call: &Call, project: &str) -> Reply {
        let project = self.allowed(caller, Kind::Project, project, "update")?;
        let body = Body::read(call, &["resource_type", "resource_id"])?;
        let (resource_type, resource_id) = (body.required("resource_type")?, body.required("resource_id")?);
        if !["model", "dataset", "workflow", "graph"].contains(&resource_type.as_str()) {
            return Err(Refusal::invalid(format!("no resource type `{resource_type}`")));
        }
        if self.assigned(&project.id, &resource_type, &resource_id).is_some() {
            return Err(Refusal::conflict(format!("{resource_type} `{resource_id}` is assigned already")));
        }
        let id = self.fresh("resource");
        let created_at = self.now();
        let resource = Resource { id, created_at, project_id: project.id, resource_type, resource_id, resource_name: None };
        let told = self.resource_json(&resource);
        self.resources.push(resource);
        Ok(Answer::json(201, &told))
    }

    pub(super) fn remove_resource(&mut self, caller: &Caller, project: &str, of: &str, id: &str) -> Reply {
        let project = self.allowed(caller, Kind::Project, project, "update")?;
        let at = self.assigned(&project.id, of, id).ok_or_else(|| Refusal::missing("resource"))?;
        self.resources.remove(at);
        Ok(self.nothing())
    }

    fn assigned(&self, project: &str, of: &str, id: &str) -> Option<usize> {
        self.resources.iter().position(|it| it.project_id == project && it.resource_type == of && it.resource_id == id)
    }

    fn resource_json(&self, resource: &Resource) -> Value {
        json!({
            "id": resource.id,
            "created_at": resource.created_at,
            "updated_at": self.quirks.time(None),
            "project_id": resource.project_id,
            "resource_type": resource.resource_type,
            "resource_id": resource.resource_id,
            "resource_name": resource.resource_name,
        })
    }
}
