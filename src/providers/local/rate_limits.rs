//! Rate limits of the directory: each model's own, unless a project has others.

use super::{Session, page::PageQuery, resolve::ProjectRow};
use crate::{
    domain::{
        Change, Facts, List, PageRequest, ReferenceText as _, Target, fold,
        limits::{RateLimit, Rates},
    },
    error::ProviderError,
    store::{args, row},
    tools::limits::{ListRateLimits, UpdateRateLimit},
};

/// The highest value of a limit, as in the schema of the arguments.
const HIGHEST: u64 = 1_000_000_000;

/// A model, and what each project may do with it unless told otherwise. A limit that is `None` does not exist for the model.
struct Model {
    name: &'static str,
    limits: Rates,
}

/// All models, sorted by name: pages of the list depend on it.
const MODELS: &[Model] = &[
    Model { name: "gpt-5", limits: [Some(10_000), Some(2_000_000), None, None, Some(1_000_000), Some(200_000_000)] },
    Model { name: "gpt-5-mini", limits: [Some(30_000), Some(10_000_000), None, None, Some(5_000_000), Some(500_000_000)] },
    Model { name: "gpt-image-1", limits: [Some(500), Some(250_000), Some(50), None, Some(20_000), None] },
    Model { name: "text-embedding-3-large", limits: [Some(10_000), Some(5_000_000), None, None, None, Some(500_000_000)] },
    Model { name: "whisper-1", limits: [Some(500), None, None, Some(200), Some(50_000), None] },
];

row! {
    struct Override {
        model: String, max_requests_per_1_minute: Option<i64>, max_tokens_per_1_minute: Option<i64>, max_images_per_1_minute: Option<i64>,
        max_audio_megabytes_per_1_minute: Option<i64>, max_requests_per_1_day: Option<i64>, batch_1_day_max_input_tokens: Option<i64>,
    }
}

pub(super) async fn list(at: &mut Session, op: &ListRateLimits) -> Result<List<RateLimit>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    let project = at.project(&op.project).await?;
    let overrides = overrides(at, &project.id).await?;
    let all = MODELS.iter().map(|model| merged(model, &overrides, &project));
    let rest = all.filter(|it| page.after.as_deref().is_none_or(|after| it.model.as_str() > after)).collect();
    Ok(page.page(rest, i64::try_from(MODELS.len()).ok(), |it: &RateLimit| it.model.clone(), |it| it))
}

pub(super) async fn update(at: &mut Session, op: &UpdateRateLimit) -> Result<Change<RateLimit>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let wanted = op.rates();
    let model = model(op.model.text())?;
    checked(model, &wanted)?;
    let rows = overrides(at, &project.id).await?;
    let before = merged(model, &rows, &project);
    let column = |at: usize| wanted[at].and_then(|it| i64::try_from(it).ok());
    // What is not named keeps its value, the model's own included.
    let keep = RateLimit::FIELDS.map(|it| format!("{it} = COALESCE(excluded.{it}, rate_limits.{it})")).join(", ");
    let columns = RateLimit::FIELDS.join(", ");
    let sql = format!(
        "INSERT INTO rate_limits (project_id, model, {columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (project_id, model) DO UPDATE SET {keep}"
    );
    let bound = args![&project.id, model.name, column(0), column(1), column(2), column(3), column(4), column(5)];
    at.db.run(&sql, &bound).await?;
    let after = merged(model, &overrides(at, &project.id).await?, &project);
    let facts = lowered(&before, &after).undo("update_rate_limit with the values in `before`");
    let target = Target::new_one("rate limit", model.name, &project.organization).within("project", &project.name, &project.id);
    let back = op.back(&project.id, &before);
    Ok(Change::updated(target, facts, before, after).inverse(back))
}

/// The limits that fall.
fn lowered(before: &RateLimit, after: &RateLimit) -> Facts {
    #[expect(clippy::cast_precision_loss, reason = "at most a thousand million, which is exact")]
    let number = |it: u64| it as f64;
    let pairs = RateLimit::FIELDS.iter().zip(before.rates().into_iter().zip(after.rates()));
    pairs.fold(Facts::none(), |facts, (name, pair)| match pair {
        (Some(old), Some(new)) => facts.lowers(*name, number(old), number(new), None),
        _ => facts,
    })
}

fn model(named: &str) -> Result<&'static Model, ProviderError> {
    let key = fold(named);
    MODELS.iter().find(|it| it.name == key).ok_or_else(|| ProviderError::NotFound {
        kind: "model",
        name: named.to_owned(),
        scope: "the rate limits of the project".into(),
        fix: format!("use one of: {}", MODELS.iter().map(|it| it.name).collect::<Vec<_>>().join(", ")),
    })
}

fn checked(model: &Model, wanted: &Rates) -> Result<(), ProviderError> {
    let has: Vec<_> = RateLimit::FIELDS.iter().zip(model.limits).filter(|(_, own)| own.is_some()).map(|(name, _)| *name).collect();
    let has = has.join(", ");
    if wanted.iter().all(Option::is_none) {
        return Err(ProviderError::invalid("no limit is named", format!("give at least one of: {has}")));
    }
    for (name, (own, wanted)) in RateLimit::FIELDS.iter().zip(model.limits.iter().zip(wanted)) {
        match wanted {
            Some(_) if own.is_none() => {
                return Err(ProviderError::invalid(format!("model `{}` has no limit `{name}`", model.name), format!("it has: {has}")));
            }
            Some(it) if *it > HIGHEST => {
                return Err(ProviderError::invalid(format!("`{name}` is too high: `{it}`"), format!("give at most {HIGHEST}")));
            }
            _ => {}
        }
    }
    Ok(())
}

async fn overrides(at: &mut Session, project_id: &str) -> Result<Vec<Override>, ProviderError> {
    let sql = format!("SELECT model, {} FROM rate_limits WHERE project_id = $1", RateLimit::FIELDS.join(", "));
    Ok(at.db.all(&sql, &args![project_id]).await?)
}

fn merged(model: &Model, overrides: &[Override], project: &ProjectRow) -> RateLimit {
    let row = overrides.iter().find(|it| it.model == model.name);
    let own = row.map_or([None; 6], |it| {
        [
            it.max_requests_per_1_minute,
            it.max_tokens_per_1_minute,
            it.max_images_per_1_minute,
            it.max_audio_megabytes_per_1_minute,
            it.max_requests_per_1_day,
            it.batch_1_day_max_input_tokens,
        ]
    });
    let value = |at: usize| own[at].and_then(|it| u64::try_from(it).ok()).or(model.limits[at]);
    RateLimit {
        model: model.name.to_owned(),
        id: None,
        project: project.name.clone(),
        max_requests_per_1_minute: value(0),
        max_tokens_per_1_minute: value(1),
        max_images_per_1_minute: value(2),
        max_audio_megabytes_per_1_minute: value(3),
        max_requests_per_1_day: value(4),
        batch_1_day_max_input_tokens: value(5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_sorted_and_can_all_be_asked() {
        assert!(MODELS.is_sorted_by(|a, b| a.name < b.name), "pages go by name");
        assert!(MODELS.iter().all(|it| it.limits[0].is_some()));
    }
}
