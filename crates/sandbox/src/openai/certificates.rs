//! Certificates of the organization, and where they are active.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Openai,
    page::{Paging, Row},
    reply::{Refusal, Reply},
    request::{Ask, given},
    state::now,
};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Certificate {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) created_at: i64,
    pub(super) valid_at: i64,
    pub(super) expires_at: i64,
    pub(super) content: String,
    /// In the organization; a project keeps its own list.
    pub(super) active: bool,
}

const MOST: usize = 50;
const YEAR: i64 = 365 * 24 * 60 * 60;

impl Certificate {
    fn view(&self, object: &str) -> Value {
        json!({
            "object": object,
            "id": self.id,
            "name": self.name,
            "created_at": self.created_at,
            "certificate_details": { "valid_at": self.valid_at, "expires_at": self.expires_at },
        })
    }
}

impl Openai {
    fn certificate(&self, id: &str) -> Result<&Certificate, Refusal> {
        self.certificates.iter().find(|it| it.id == id).ok_or_else(|| Refusal::missing("certificate", id))
    }

    /// How a certificate looks from the organization or a project.
    fn certificate_view(&self, project_id: Option<&str>, it: &Certificate) -> Value {
        let active = match project_id {
            Some(project) => self.project(project).is_ok_and(|project| project.certificates.contains(&it.id)),
            None => it.active,
        };
        let mut view = it.view(&format!("{}.certificate", scope(project_id)));
        view["active"] = active.into();
        view
    }
}

fn scope(project_id: Option<&str>) -> &'static str {
    if project_id.is_some() { "organization.project" } else { "organization" }
}

pub(super) fn list(state: &Openai, ask: &Ask, project_id: Option<&str>) -> Reply {
    let paging = Paging::TWENTY.ordered().newest_first();
    let query = ask.query(&paging.names())?;
    project_id.map(|it| state.active_project(it)).transpose()?;
    let rows = state.certificates.iter().map(|it| Row {
        place: state.place_of(&it.id).unwrap_or_default(),
        id: it.id.clone(),
        view: state.certificate_view(project_id, it),
    });
    state.page_by_id(&query, paging, "", rows.collect())
}

pub(super) fn create(state: &mut Openai, ask: &Ask) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        certificate: String,
        #[serde(default, deserialize_with = "given")]
        name: Option<String>,
    }
    let body: Body = ask.body()?;
    if !body.certificate.trim_start().starts_with("-----BEGIN CERTIFICATE-----") {
        return Err(Refusal::bad("certificate", "Invalid 'certificate': it has to be PEM."));
    }
    if state.certificates.len() >= MOST {
        return Err(Refusal::bad("certificate", format!("An organization has at most {MOST} certificates.")));
    }
    let created_at = now();
    let certificate = Certificate {
        id: state.new_id("cert_"),
        name: body.name,
        created_at,
        valid_at: created_at,
        expires_at: created_at + YEAR,
        content: body.certificate,
        active: false,
    };
    let view = certificate.view("certificate");
    state.note(ask, "certificate.created", None, json!({ "id": certificate.id, "name": certificate.name }));
    state.certificates.push(certificate);
    Ok(view)
}

pub(super) fn retrieve(state: &Openai, ask: &Ask, id: &str) -> Reply {
    let query = ask.query(&["include"])?;
    if let Some(other) = query.all("include").iter().find(|it| *it != "content") {
        return Err(Refusal::bad("include", format!("Invalid value: '{other}'. Supported values are: content.")));
    }
    let certificate = state.certificate(id)?;
    let mut view = certificate.view("certificate");
    if !query.all("include").is_empty() {
        view["certificate_details"]["content"] = certificate.content.as_str().into();
    }
    Ok(view)
}

pub(super) fn update(state: &mut Openai, ask: &Ask, id: &str) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(default, deserialize_with = "given")]
        name: Option<String>,
    }
    let body: Body = ask.body()?;
    state.certificate(id)?;
    if let Some(kept) = state.certificates.iter_mut().find(|it| it.id == id) {
        kept.name = body.name.or_else(|| kept.name.take());
    }
    let view = state.certificate(id)?.view("certificate");
    state.note(ask, "certificate.updated", None, json!({ "id": id, "name": view["name"] }));
    Ok(view)
}

pub(super) fn delete(state: &mut Openai, ask: &Ask, id: &str) -> Reply {
    let certificate = state.certificate(id)?;
    if certificate.active || state.projects.iter().any(|it| it.certificates.contains(id)) {
        return Err(Refusal::bad("certificate_id", "The certificate is active; deactivate it everywhere first."));
    }
    let data = json!({ "id": id, "name": certificate.name, "certificate": certificate.content });
    state.certificates.retain(|it| it.id != id);
    state.note(ask, "certificate.deleted", None, data);
    Ok(json!({ "object": "certificate.deleted", "id": id }))
}

pub(super) fn activate(state: &mut Openai, ask: &Ask, project_id: Option<&str>) -> Reply {
    switch(state, ask, project_id, true)
}

pub(super) fn deactivate(state: &mut Openai, ask: &Ask, project_id: Option<&str>) -> Reply {
    switch(state, ask, project_id, false)
}

/// All of the certificates or none.
fn switch(state: &mut Openai, ask: &Ask, project_id: Option<&str>, on: bool) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        certificate_ids: Vec<String>,
    }
    let Body { certificate_ids: ids } = ask.body()?;
    project_id.map(|it| state.active_project(it)).transpose()?;
    if !(1..=10).contains(&ids.len()) || ids.iter().collect::<BTreeSet<_>>().len() != ids.len() {
        return Err(Refusal::bad("certificate_ids", "Between 1 and 10 different certificates are required."));
    }
    let names = ids.iter().map(|id| Ok(json!({ "id": id, "name": state.certificate(id)?.name }))).collect::<Result<Vec<_>, Refusal>>()?;
    match project_id {
        Some(project) => {
            let active = &mut state.active_project_mut(project)?.certificates;
            if on {
                active.extend(ids.iter().cloned());
            } else {
                active.retain(|it| !ids.contains(it));
            }
        }
        None => state.certificates.iter_mut().filter(|it| ids.contains(&it.id)).for_each(|it| it.active = on),
    }
    let (word, event) = if on { ("activation", "certificates.activated") } else { ("deactivation", "certificates.deactivated") };
    state.note(ask, event, project_id, json!({ "certificates": names }));
    let data = ids.iter().map(|id| Ok(state.certificate_view(project_id, state.certificate(id)?))).collect::<Result<Vec<_>, Refusal>>()?;
    Ok(json!({ "object": format!("{}.certificate.{word}", scope(project_id)), "data": data }))
}
