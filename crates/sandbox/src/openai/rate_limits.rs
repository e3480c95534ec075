//! How much of each model a project may use.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Openai,
    page::{Paging, Row},
    reply::{Refusal, Reply},
    request::{Ask, given},
};

/// Six numbers, in the order of [`FIELDS`]; `None` where the model knows no such limit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RateLimit {
    pub(super) id: String,
    model: String,
    values: [Option<i64>; 6],
}

const FIELDS: [&str; 6] = [
    "max_requests_per_1_minute",
    "max_tokens_per_1_minute",
    "max_images_per_1_minute",
    "max_audio_megabytes_per_1_minute",
    "max_requests_per_1_day",
    "batch_1_day_max_input_tokens",
];

/// What the organization may use, by model; a project may be given that much.
const OF_ORGANIZATION: [(&str, [Option<i64>; 6]); 5] = [
    ("gpt-6-astra", [Some(10_000), Some(2_000_000), None, None, None, Some(200_000_000)]),
    ("gpt-6-astra-mini", [Some(30_000), Some(10_000_000), None, None, Some(500_000), Some(1_000_000_000)]),
    ("canvas-3", [Some(500), Some(800_000), Some(250), None, None, None]),
    ("chorus-2", [Some(500), Some(200_000), None, Some(40), None, None]),
    ("lattice-embed-4", [Some(10_000), Some(5_000_000), None, None, None, None]),
];

impl RateLimit {
    fn view(&self) -> Value {
        let mut view = json!({ "object": "project.rate_limit", "id": self.id, "model": self.model });
        for (name, value) in FIELDS.iter().zip(self.values) {
            if let Some(value) = value {
                view[*name] = value.into();
            }
        }
        view
    }
}

/// A project begins with what the organization has.
pub(super) fn of_new_project() -> Vec<RateLimit> {
    OF_ORGANIZATION
        .iter()
        .map(|(model, values)| RateLimit { id: format!("rl-{model}"), model: (*model).to_owned(), values: *values })
        .collect()
}

pub(super) fn list(state: &Openai, ask: &Ask, project_id: &str) -> Reply {
    let paging = Paging::TWENTY.with_limits(100, 1, 100).with_before();
    let query = ask.query(&paging.names())?;
    // Rows that come with a project need no places of their own: there are as many as models, in one order everywhere.
    let rows = state.active_project(project_id)?.rate_limits.iter().map(|it| Row {
        place: state.place_of(&it.id).unwrap_or_default(),
        id: it.id.clone(),
        view: it.view(),
    });
    state.page_by_id(&query, paging, "", rows.collect())
}

pub(super) fn update(state: &mut Openai, ask: &Ask, project_id: &str, id: &str) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(default, deserialize_with = "given")]
        max_requests_per_1_minute: Option<i64>,
        #[serde(default, deserialize_with = "given")]
        max_tokens_per_1_minute: Option<i64>,
        #[serde(default, deserialize_with = "given")]
        max_images_per_1_minute: Option<i64>,
        #[serde(default, deserialize_with = "given")]
        max_audio_megabytes_per_1_minute: Option<i64>,
        #[serde(default, deserialize_with = "given")]
        max_requests_per_1_day: Option<i64>,
        #[serde(default, deserialize_with = "given")]
        batch_1_day_max_input_tokens: Option<i64>,
    }
    let body: Body = ask.body()?;
    let asked = [
        body.max_requests_per_1_minute,
        body.max_tokens_per_1_minute,
        body.max_images_per_1_minute,
        body.max_audio_megabytes_per_1_minute,
        body.max_requests_per_1_day,
        body.batch_1_day_max_input_tokens,
    ];
    let project = state.active_project_mut(project_id)?;
    let limit = project.rate_limits.iter_mut().find(|it| it.id == id).ok_or_else(|| Refusal::missing("rate limit", id))?;
    let most = OF_ORGANIZATION.iter().find(|it| it.0 == limit.model).map(|it| it.1).unwrap_or_default();
    for ((name, asked), most) in FIELDS.iter().zip(asked).zip(most) {
        let Some(asked) = asked else { continue };
        let most = most.ok_or_else(|| Refusal::bad(name, format!("The model has no limit '{name}'.")))?;
        if !(0..=most).contains(&asked) {
            return Err(Refusal::bad(name, format!("Invalid '{name}': the organization's limit is {most}.")));
        }
    }
    for (value, asked) in limit.values.iter_mut().zip(asked) {
        *value = asked.or(*value);
    }
    let view = limit.view();
    let changes: Value =
        FIELDS.iter().zip(asked).filter_map(|(name, it)| Some(((*name).to_owned(), it?.into()))).collect::<serde_json::Map<_, _>>().into();
    state.note(ask, "rate_limit.updated", Some(project_id), json!({ "id": id, "changes_requested": changes }));
    Ok(view)
}

impl Openai {
    /// Rate limits have the same names in every project, and so the same places.
    pub(super) fn place_rate_limits(&mut self) {
        for (model, _) in OF_ORGANIZATION {
            self.place(format!("rl-{model}"));
        }
    }
}
