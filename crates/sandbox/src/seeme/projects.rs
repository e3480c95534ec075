//! Projects.

use super::{Kind, Reply, Seeme, account::Caller, body::Body, refusal::Refusal};
use crate::Call;

impl Seeme {
    pub(super) fn list_projects(&self, caller: &Caller, call: &Call) -> Reply {
        self.need(caller, None, "projects:list")?;
        let known = |it: &(String, String)| ["organization_id", "team_id"].contains(&it.0.as_str()) && !it.1.is_empty();
        if let Some((name, _)) = call.query.iter().find(|it| !known(it)) {
            return Err(Refusal::malformed(format!("the filter `{name}` is unknown or empty")));
        }
        let fits = |wanted: Option<&str>, is: Option<&str>| wanted.is_none() || wanted == is;
        let mine = self.organizations_of(caller).into_iter().flat_map(|it| self.places_in(&it.id, Kind::Project));
        Ok(self.places_json(mine.filter(|it| {
            fits(call.param("organization_id"), it.organization_id.as_deref()) && fits(call.param("team_id"), it.team_id.as_deref())
        })))
    }

    pub(super) fn organization_projects(&self, caller: &Caller, organization: &str) -> Reply {
        let organization = self.seen(caller, Kind::Organization, organization)?;
        self.need(caller, Some(&organization), "projects:list")?;
        Ok(self.places_json(self.places_in(&organization.id, Kind::Project)))
    }

    pub(super) fn create_project(&mut self, caller: &Caller, call: &Call) -> Reply {
        let body = Body::read(call, &Kind::Project.fields())?;
        let organization = self.organization_for(caller, &body, "projects:create")?;
        let mut project = self.drafted(caller, Kind::Project, &body)?;
        project.organization_id = Some(organization);
        project.team_id = self.team_in(&project, body.filled("team_id")?)?;
        self.slug_is_free(&project)?;
        Ok(self.founded(project, "project_admin"))
    }
}
