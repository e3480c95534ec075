//! Many calls as one piece of work: made, watched, ended, taken back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::operation;
use crate::domain::{
    Cursor, JobRef, Limit, List,
    jobs::{EndingAccess, Job, JobRows, JobState, StepItem},
    members::{Batch, ItemOutcome},
};

/// The noun under which these tools are found.
pub(crate) const DOMAIN: &str = super::last_segment(module_path!());

/// Makes `steps` in order (`${id.field}`: an earlier result), or `tool` for each row of `csv`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyChanges {
    /// Calls, with `connection` in `arguments`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub steps: Vec<StepCall>,
    /// Of rows: continue.
    pub on_failure: Option<OnFailure>,
    /// For rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Header: arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csv: Option<String>,
    /// For all rows.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(with = "Option<OpenObject>")]
    pub common: Map<String, Value>,
}

/// One call of another tool.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct StepCall {
    pub tool: String,
    #[serde(default)]
    #[schemars(with = "Option<OpenObject>")]
    pub arguments: Map<String, Value>,
    pub id: Option<String>,
}

/// An object whose fields nobody can list beforehand, also as JSON text: clients that are strict empty an open object, and some
/// converters refuse it where nothing else is allowed.
pub(crate) struct OpenObject;

impl JsonSchema for OpenObject {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OpenObject".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [{ "type": "object" }, { "type": "string" }] })
    }
}

/// What happens to the steps behind one that failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum OnFailure {
    /// They are not made.
    #[default]
    Stop,
    /// They are made, but for those that build on it.
    Continue,
}

operation!(ApplyChanges, "apply_changes", "Apply changes", Destroy => Batch<StepItem>);

/// Tells how far a job is, row by row.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetJob {
    pub job: JobRef,
    /// Outcome.
    pub outcome: Option<ItemOutcome>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

operation!(GetJob, "get_job", "Get job", Read => JobRows);

/// Lists jobs, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListJobs {
    /// State.
    pub status: Option<JobState>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

operation!(ListJobs, "list_jobs", "List jobs", Read => List<Job>);

/// Stops a job; what was done stays.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelJob {
    pub job: JobRef,
}

operation!(CancelJob, "cancel_job", "Cancel job", Write => Job);

/// Undoes a call, job or the last change.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// Ledger entry.
    pub call_id: Option<String>,
    pub job: Option<JobRef>,
    /// Your last change.
    pub last: Option<bool>,
}

operation!(Undo, "undo", "Undo", Destroy => Batch<StepItem>);

/// Lists access that ends.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListEndingAccess {
    /// Over too.
    pub all: Option<bool>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

operation!(ListEndingAccess, "list_ending_access", "List ending access", Read => List<EndingAccess>);
