//! How fast a project may use each model.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Session, lists, projects::WireProject, resolve::Search};
use crate::{
    domain::{Facts, List, PageRequest, ReferenceText as _, limits::RateLimit},
    error::ProviderError,
    providers::http::{Draft, Sent},
    tools::limits::{ListRateLimits, UpdateRateLimit},
};

#[derive(Debug, Clone, Deserialize)]
struct WireRateLimit {
    id: String,
    #[serde(default)]
    model: String,
    max_requests_per_1_minute: Option<u64>,
    max_tokens_per_1_minute: Option<u64>,
    max_images_per_1_minute: Option<u64>,
    max_audio_megabytes_per_1_minute: Option<u64>,
    max_requests_per_1_day: Option<u64>,
    batch_1_day_max_input_tokens: Option<u64>,
}

impl WireRateLimit {
    fn view(&self, project: &WireProject) -> RateLimit {
        RateLimit {
            model: self.model.clone(),
            id: Some(self.id.clone()),
            project: project.name().to_owned(),
            max_requests_per_1_minute: self.max_requests_per_1_minute,
            max_tokens_per_1_minute: self.max_tokens_per_1_minute,
            max_images_per_1_minute: self.max_images_per_1_minute,
            max_audio_megabytes_per_1_minute: self.max_audio_megabytes_per_1_minute,
            max_requests_per_1_day: self.max_requests_per_1_day,
            batch_1_day_max_input_tokens: self.batch_1_day_max_input_tokens,
        }
    }
}

async fn all(at: &Session, project_id: &str) -> Result<Vec<WireRateLimit>, ProviderError> {
    lists::all(at, lists::BY_ID, |at| at.get("/organization/projects/{project_id}/rate_limits").path("project_id", project_id)).await
}

/// `GET /organization/projects/{project_id}/rate_limits`
pub(super) async fn list(at: &Session, op: &ListRateLimits) -> Result<List<RateLimit>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let request = at.get("/organization/projects/{project_id}/rate_limits").path("project_id", &project.id);
    lists::page(request, &page, |it: WireRateLimit| it.view(&project)).await
}

/// `POST /organization/projects/{project_id}/rate_limits/{rate_limit_id}`
pub(super) async fn update(at: &Session, op: &UpdateRateLimit) -> Result<Draft<RateLimit>, ProviderError> {
    let wanted = op.rates();
    if wanted.iter().all(Option::is_none) {
        return Err(ProviderError::invalid("nothing to change is given", format!("give one of {}", RateLimit::FIELDS.join(", "))));
    }
    let project = at.active_project(&op.project).await?;
    let search = Search { kind: "model", wanted: op.model.text(), scope: project.name(), list_tool: "list_rate_limits" };
    let limit = search.only(&all(at, &project.id).await?, |it| &it.id, |it| &it.model)?;
    let before = limit.view(&project);
    let mut facts = Facts::none().undo("update_rate_limit with the values in `before`");
    let mut body = Map::new();
    for ((name, old), new) in RateLimit::FIELDS.into_iter().zip(before.rates()).zip(wanted) {
        let Some(new) = new else { continue };
        let Some(old) = old else {
            let message = format!("model `{}` has no limit `{name}`", limit.model);
            return Err(ProviderError::invalid(message, "leave it out; list_rate_limits shows which limits there are"));
        };
        facts = facts.lowers(name, rough(old), rough(new), None);
        body.insert(name.to_owned(), new.into());
    }
    let request = at.post("/organization/projects/{project_id}/rate_limits/{rate_limit_id}");
    let request = request.path("project_id", &project.id).path("rate_limit_id", &limit.id).json(Value::Object(body));
    let target = at.target("rate limit", &limit.model, &limit.id).within("project", project.name(), &project.id);
    let back = op.back(&project.id, &before);
    let place = project.clone();
    let sent = move |it: &WireRateLimit| Sent::after(it.view(&place)).inverse(back.clone());
    let (settled, again) = (sent.clone(), at.afresh());
    let draft =
        Draft::new(target, facts, move |permit| async move { Ok(sent(&request.send(&permit).await?.read("look with list_rate_limits")?)) });
    Ok(draft.before(before).read_back(move || {
        let (at, project, id, settled) = (again.afresh(), project.clone(), limit.id.clone(), settled.clone());
        async move {
            let now = all(&at, &project.id).await?.into_iter().find(|it| it.id == id);
            let took = |it: &WireRateLimit| {
                it.view(&project).rates().into_iter().zip(wanted).all(|(now, wanted)| wanted.is_none() || now == wanted)
            };
            Ok(now.filter(took).map(|it| settled(&it)))
        }
    }))
}

#[expect(clippy::cast_precision_loss, reason = "a limit beyond 2^53 is judged by its size, not by its last digit")]
fn rough(limit: u64) -> f64 {
    limit as f64
}
