//! Client certificates: where those of the organization are active.

use serde::Deserialize;
use serde_json::json;

use super::{Session, held, lists, projects::WireProject, resolve::Search, time};
use crate::{
    domain::{
        CertificateRef, Counted, Facts, Inverse, List, PageRequest, ProjectRef, ReferenceText as _, Target, Thing, limits::Certificate,
    },
    error::ProviderError,
    providers::http::{Draft, Reading, Request, Sent},
    tools::certificates::{ActivateCertificates, DeactivateCertificates, ListCertificates},
};

#[derive(Debug, Clone, Deserialize)]
struct WireCertificate {
    id: String,
    name: Option<String>,
    #[serde(default)]
    active: bool,
    #[serde(default)]
    certificate_details: WireDetails,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct WireDetails {
    valid_at: Option<i64>,
    expires_at: Option<i64>,
}

/// The certificates after they were activated or deactivated: always all of them.
#[derive(Deserialize)]
struct WireSwitched {
    #[serde(default)]
    data: Vec<WireCertificate>,
}

impl WireCertificate {
    fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    fn view(&self, at: &Session, project: Option<&WireProject>) -> Certificate {
        Certificate {
            certificate: self.label().to_owned(),
            id: self.id.clone(),
            organization: at.organization(),
            project: project.map(|it| it.name().to_owned()),
            active: self.active,
            fingerprint: None,
            valid_at: self.certificate_details.valid_at.map(time),
            expires_at: self.certificate_details.expires_at.map(time),
        }
    }
}

fn listing(at: &Session, project: Option<&WireProject>) -> Request<Reading> {
    match project {
        Some(it) => at.get("/organization/projects/{project_id}/certificates").path("project_id", &it.id),
        None => at.get("/organization/certificates"),
    }
}

async fn scope(at: &Session, named: Option<&ProjectRef>) -> Result<Option<WireProject>, ProviderError> {
    match named {
        Some(named) => at.active_project(named).await.map(Some),
        None => Ok(None),
    }
}

/// `GET …/certificates`
pub(super) async fn list(at: &Session, op: &ListCertificates) -> Result<List<Certificate>, ProviderError> {
    let project = scope(at, op.project.as_ref()).await?;
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    lists::page(listing(at, project.as_ref()), &page, |it: WireCertificate| it.view(at, project.as_ref())).await
}

/// `POST …/certificates/activate`
pub(super) async fn activate(at: &Session, op: &ActivateCertificates) -> Result<Draft<List<Certificate>>, ProviderError> {
    let choice = Choice::of(at, op.project.as_ref(), &op.certificates).await?;
    if let Some(it) = choice.chosen.iter().find(|it| it.active) {
        let message = format!("certificate `{}` is active already", it.label());
        return Err(ProviderError::conflict("certificate_already_active", message, "leave it out"));
    }
    let facts = Facts::none().undo("deactivate_certificates with the same certificates");
    let (project, certificates) = choice.references();
    let back = Inverse::of(&DeactivateCertificates { project, certificates });
    Ok(choice.switch(at, true, facts, back))
}

/// `POST …/certificates/deactivate`
pub(super) async fn deactivate(at: &Session, op: &DeactivateCertificates) -> Result<Draft<List<Certificate>>, ProviderError> {
    let choice = Choice::of(at, op.project.as_ref(), &op.certificates).await?;
    if let Some(it) = choice.chosen.iter().find(|it| !it.active) {
        let message = format!("certificate `{}` is not active", it.label());
        return Err(ProviderError::conflict("certificate_not_active", message, "leave it out"));
    }
    let names: Vec<String> = choice.chosen.iter().map(|it| it.label().to_owned()).collect();
    let mut facts = Facts::none().about(held::called(at));
    if names.len() > Counted::NAMED {
        // A loss has only a few examples, and a person should see everything.
        facts = facts.note(format!("all of them: {}", names.join(", ")));
    }
    facts = facts.stops(Thing::Certificate, names);
    if choice.active == choice.chosen.len() {
        let place = choice.project.as_ref().map_or_else(|| "the organization".to_owned(), |it| format!("project {}", it.name()));
        facts = facts.none_active(Thing::Certificate, place);
    }
    let facts = facts.undo("activate_certificates with the same certificates");
    let (project, certificates) = choice.references();
    let back = Inverse::of(&ActivateCertificates { project, certificates });
    Ok(choice.switch(at, false, facts, back))
}

/// The certificates that are meant, and where.
struct Choice {
    project: Option<WireProject>,
    chosen: Vec<WireCertificate>,
    /// How many are active there.
    active: usize,
}

impl Choice {
    async fn of(at: &Session, project: Option<&ProjectRef>, named: &[CertificateRef]) -> Result<Self, ProviderError> {
        if !(1..=10).contains(&named.len()) {
            return Err(ProviderError::invalid(format!("{} certificates are named", named.len()), "name 1 to 10"));
        }
        let project = scope(at, project).await?;
        let all: Vec<WireCertificate> = lists::all(at, lists::BY_ID, |at| listing(at, project.as_ref())).await?;
        let mut chosen: Vec<WireCertificate> = Vec::new();
        for it in named {
            let search = Search { kind: "certificate", wanted: it.text(), scope: "", list_tool: "list_certificates" };
            let found = search.only(&all, |it| &it.id, WireCertificate::label)?;
            if !chosen.iter().any(|it| it.id == found.id) {
                chosen.push(found);
            }
        }
        Ok(Self { project, chosen, active: all.iter().filter(|it| it.active).count() })
    }

    fn target(&self, at: &Session) -> Target {
        let names: Vec<&str> = self.chosen.iter().map(WireCertificate::label).collect();
        let target = at.new_target("certificates", &names.join(", "));
        match (&self.project, self.chosen.as_slice()) {
            (Some(project), _) => target.within("project", project.name(), &project.id),
            (None, [one]) => at.target("certificates", one.label(), &one.id),
            (None, _) => target,
        }
    }

    fn references(&self) -> (Option<ProjectRef>, Vec<CertificateRef>) {
        let project = self.project.as_ref().map(|it| ProjectRef::read(&it.id));
        (project, self.chosen.iter().map(|it| CertificateRef::read(&it.id)).collect())
    }

    /// The change itself: all of them or none.
    fn switch(self, at: &Session, on: bool, facts: Facts, back: Inverse) -> Draft<List<Certificate>> {
        let target = self.target(at);
        let Self { project, chosen, .. } = self;
        let request = match (&project, on) {
            (Some(it), true) => at.post("/organization/projects/{project_id}/certificates/activate").path("project_id", &it.id),
            (Some(it), false) => at.post("/organization/projects/{project_id}/certificates/deactivate").path("project_id", &it.id),
            (None, true) => at.post("/organization/certificates/activate"),
            (None, false) => at.post("/organization/certificates/deactivate"),
        };
        let ids: Vec<String> = chosen.iter().map(|it| it.id.clone()).collect();
        let request = request.json(json!({ "certificate_ids": ids }));
        let before = List::whole(chosen.iter().map(|it| it.view(at, project.as_ref())).collect());
        let (by, place) = (at.clone(), project.clone());
        let sent = move |it: &[WireCertificate]| {
            let after = List::whole(it.iter().map(|it| it.view(&by, place.as_ref())).collect());
            Sent::after(after).inverse(back.clone())
        };
        let (settled, again) = (sent.clone(), at.afresh());
        let draft = Draft::new(target, facts, move |permit| async move {
            let switched: WireSwitched = request.send(&permit).await?.read("look with list_certificates")?;
            Ok(sent(&switched.data))
        });
        draft.before(before).read_back(move || {
            let (at, project, ids, settled) = (again.afresh(), project.clone(), ids.clone(), settled.clone());
            async move {
                let all: Vec<WireCertificate> = lists::all(&at, lists::BY_ID, |at| listing(at, project.as_ref())).await?;
                let now: Vec<WireCertificate> = all.into_iter().filter(|it| ids.contains(&it.id)).collect();
                Ok((now.len() == ids.len() && now.iter().all(|it| it.active == on)).then(|| settled(&now)))
            }
        })
    }
}
