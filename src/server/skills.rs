//! The prompts once more as skills, for clients that let a model take up a job by itself instead of a person picking it.
//!
//! A skill says the same as its prompt, with what the user has to say left open. It leads to the same tools, and so to the same
//! questions.

use rmcp::{
    ErrorData,
    model::{ReadResourceResult, ResourceContents, Skill, SkillFrontmatter, SkillResource, SkillResources},
};
use serde_json::{Value, json};

use super::prompts::{self, Open};
use crate::{app::App, domain::clean, shape::cut};

const SCHEME: &str = "skill://";
const FILE: &str = "/SKILL.md";

/// The skills whose tools are on offer.
pub(super) fn list(app: &App) -> Vec<Skill> {
    prompts::open(app).map(|it| skill(&it)).collect()
}

/// The skill at `uri`.
pub(super) fn get(app: &App, uri: &str) -> Result<Skill, ErrorData> {
    find(app, uri).map(|it| skill(&it)).ok_or_else(|| {
        let uri = cut(&clean(uri), 200);
        ErrorData::invalid_params(format!("there is no skill `{uri}`; see skills/list"), Some(json!({ "uri": uri })))
    })
}

/// The text of the skill at `uri`; nothing where `uri` is that of something else.
pub(super) fn read(app: &App, uri: &str) -> Option<ReadResourceResult> {
    let found = find(app, uri)?;
    Some(ReadResourceResult::new(vec![ResourceContents::text(text(&found), uri).with_mime_type("text/markdown")]))
}

fn find(app: &App, uri: &str) -> Option<Open<'static>> {
    let name = uri.strip_prefix(SCHEME)?.strip_suffix(FILE)?;
    prompts::open(app).find(|it| it.name == name)
}

fn skill(job: &Open<'_>) -> Skill {
    let uri = format!("{SCHEME}{}{FILE}", job.name);
    let file = SkillResource::from_bytes(uri.as_str(), text(job).as_bytes());
    Skill::new(uri, SkillFrontmatter::new(job.name, job.description), SkillResources::Files(vec![file]))
}

/// The file. A text of JSON is one of YAML, too.
fn text(job: &Open<'_>) -> String {
    format!("---\nname: {}\ndescription: {}\n---\n\n{}\n", job.name, Value::from(job.description), job.text)
}
