//! What was changed, by whom.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Openai,
    page::{Paging, Row},
    reply::{Refusal, Reply},
    request::{Ask, Query},
};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) effective_at: i64,
    pub(super) project_id: Option<String>,
    pub(super) key_id: String,
    pub(super) actor_id: String,
    pub(super) actor_email: String,
    /// Its payload, kept under the key that is the event's kind.
    pub(super) data: Value,
}

impl Openai {
    fn event_view(&self, event: &Event) -> Value {
        let mut view = json!({
            "id": event.id,
            "type": event.kind,
            "effective_at": event.effective_at,
            "actor": {
                "type": "api_key",
                "api_key": { "id": event.key_id, "type": "user", "user": { "id": event.actor_id, "email": event.actor_email } },
            },
        });
        view[&event.kind] = event.data.clone();
        if let Some(id) = &event.project_id {
            view["project"] = json!({ "id": id, "name": self.project(id).ok().map(|it| &it.name) });
        }
        view
    }
}

pub(super) fn list(state: &Openai, ask: &Ask) -> Reply {
    const FILTERS: [&str; 10] = [
        "effective_at[gt]",
        "effective_at[gte]",
        "effective_at[lt]",
        "effective_at[lte]",
        "project_ids",
        "event_types",
        "actor_ids",
        "actor_emails",
        "resource_ids",
        "tenant_only",
    ];
    let paging = Paging::TWENTY.newest_first().with_before();
    let query = ask.query(&[paging.names(), FILTERS.to_vec()].concat())?;
    let tenant_only = query.flag("tenant_only")?;
    if let Some(kind) = query.all("event_types").iter().find(|it| tenant_only && !it.starts_with("tenant.")) {
        return Err(Refusal::bad("event_types", format!("'{kind}' is not scoped to the tenant.")));
    }
    let between = times(&query)?;
    let any = |name: &str, values: &[&str]| {
        let wanted = query.all(name);
        wanted.is_empty() || wanted.iter().any(|it| values.contains(&it.as_str()))
    };
    let meant = |it: &&Event| {
        between(it.effective_at)
            && (!tenant_only || it.kind.starts_with("tenant."))
            && any("project_ids", &[it.project_id.as_deref().unwrap_or_default()])
            && any("event_types", &[&it.kind])
            && any("actor_ids", &[&it.key_id, &it.actor_id])
            && any("actor_emails", &[&it.actor_email])
            && any("resource_ids", &[it.data["id"].as_str().unwrap_or_default()])
    };
    let row = |it: &Event| Row { place: state.place_of(&it.id).unwrap_or_default(), id: it.id.clone(), view: state.event_view(it) };
    state.page_by_id(&query, paging, "", state.events.iter().filter(meant).map(row).collect())
}

fn times(query: &Query) -> Result<impl Fn(i64) -> bool + use<>, Refusal> {
    let (after, from) = (query.number("effective_at[gt]")?, query.number("effective_at[gte]")?);
    let (before, to) = (query.number("effective_at[lt]")?, query.number("effective_at[lte]")?);
    Ok(move |at: i64| {
        after.is_none_or(|it| at > it) && from.is_none_or(|it| at >= it) && before.is_none_or(|it| at < it) && to.is_none_or(|it| at <= it)
    })
}
