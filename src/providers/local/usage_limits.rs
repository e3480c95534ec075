//! Usage limits of the directory: at most one is active for a project, and one for an organization as a whole.

use serde_json::json;

use super::{
    Session,
    extent::{Extent, Part},
    select::Select,
};
use crate::{
    domain::{
        Change, Counted, Facts, Inverse, List, ProjectRef, ReferenceText as _, Thing, Timestamp, UsageLimitRef,
        limits::{Renewal, SubscriptionType, UsageLimit, UsageUnit},
    },
    error::ProviderError,
    providers::fields,
    store::{StoreError, Val, args, new_id, row},
    tools::limits::{DeleteUsageLimit, ListUsageLimits, SetUsageLimit, UpdateUsageLimit},
};

/// The highest amount, as in the schema of the arguments.
const HIGHEST: f64 = 1e9;
/// Amounts are kept in millionths.
const UNIT: f64 = 1e6;
/// One of its unit, in millionths.
const ONE: i64 = 1_000_000;
/// Past limits stay in the list as history; older ones are only counted.
const SHOWN: i64 = 100;

/// What a change of it is called.
const RENEWAL: &str = "the renewal";

row! {
    struct LimitRow {
        id: String, organization_id: String, organization: String, project_id: Option<String>, project: Option<String>,
        subscription_type: String, usage_unit: String, soft_limit: i64, hard_limit: i64, renewal: String, active: bool, created_at: i64,
    }
}

const SELECTED: &str = "l.id, l.organization_id, o.name AS organization, l.project_id, p.name AS project, l.subscription_type, \
     l.usage_unit, l.soft_limit, l.hard_limit, l.renewal, l.active, l.created_at";
const FROM: &str = "usage_limits l JOIN organizations o ON o.id = l.organization_id LEFT JOIN projects p ON p.id = l.project_id";

const COLUMNS: &str = "SELECT l.id, l.organization_id, o.name AS organization, l.project_id, p.name AS project, l.subscription_type, \
     l.usage_unit, l.soft_limit, l.hard_limit, l.renewal, l.active, l.created_at FROM usage_limits l \
     JOIN organizations o ON o.id = l.organization_id LEFT JOIN projects p ON p.id = l.project_id";

pub(super) async fn list(at: &mut Session, op: &ListUsageLimits) -> Result<List<UsageLimit>, ProviderError> {
    let scope = Extent::read_in(at, op.organization.as_ref(), op.project.as_ref()).await?;
    let mut found = Select::new(SELECTED, FROM);
    found.with("l.organization_id = {}", &scope.organization_id);
    match scope.project_id() {
        Some(project) => found.with("l.project_id = {}", project),
        None => found.and("l.project_id IS NULL"),
    }
    if let Some(active) = op.active {
        found.and(if active { "l.active" } else { "NOT l.active" });
    }
    let total = found.total(at, 0).await?;
    let rows: Vec<LimitRow> = found.first_rows(at, "l.active DESC, l.created_at DESC, l.id", SHOWN).await?;
    let items = rows.into_iter().map(view).collect::<Result<Vec<_>, _>>()?;
    let has_more = total.is_none_or(|it| it > SHOWN);
    Ok(List { total: total.and_then(|it| u64::try_from(it).ok()), has_more, ..List::whole(items) })
}

pub(super) async fn set(at: &mut Session, op: &SetUsageLimit) -> Result<Change<UsageLimit>, ProviderError> {
    let scope = Extent::write(at, op.project.as_ref()).await?;
    let limit = NewLimit::of(op.subscription_type, op.usage_unit, op.soft_limit, op.hard_limit, op.renewal)?;
    let mut values = args![&scope.organization_id].to_vec();
    values.extend(scope.project_id().map(Val::from));
    let of = if scope.project.is_some() { "l.project_id = $2" } else { "l.project_id IS NULL" };
    let sql = format!("{COLUMNS} WHERE l.organization_id = $1 AND {of} AND l.active");
    let old: Option<LimitRow> = at.db.one(&sql, &values).await?;
    if let Some(old) = &old {
        at.db.run("UPDATE usage_limits SET active = FALSE WHERE id = $1", &args![&old.id]).await?;
    }
    let id = limit.insert(at, &scope.organization_id, scope.project_id()).await?;
    let after = view(by_id(at, &id).await?)?;
    let target = scope.target("usage_limit", &label(&after), None);
    let Some(old) = old else {
        let facts = limit.first().note(format!("{} had no active usage limit", scope.says())).undo("delete_usage_limit");
        let inverse = Inverse::call::<DeleteUsageLimit>(json!({ "usage_limit": id, "project": scope.project_id() }));
        return Ok(Change::created(target, facts, after).inverse(inverse));
    };
    let facts = limit.instead_of(&old);
    let old = view(old)?;
    let facts = facts.note(format!("takes the place of {}, which is no longer active", sentence(&old)));
    let inverse = set_again(&scope, &old);
    Ok(Change::updated(target, facts.undo("set_usage_limit with the values in `before`"), old, after).inverse(inverse))
}

pub(super) async fn update(at: &mut Session, op: &UpdateUsageLimit) -> Result<Change<UsageLimit>, ProviderError> {
    let row = find(at, op.project.as_ref(), &op.usage_limit).await?;
    if !row.active {
        return Err(ProviderError::conflict(
            "usage_limit_inactive",
            format!("usage limit `{}` is no longer active", row.id),
            "set a new one with set_usage_limit, or find the active one with list_usage_limits",
        ));
    }
    if op.soft_limit.is_none() && op.hard_limit.is_none() && op.renewal.is_none() {
        return Err(ProviderError::invalid("nothing to change", "give at least one of: soft_limit, hard_limit, renewal"));
    }
    let before = view(row.clone())?;
    let soft = op.soft_limit.map_or(Ok(row.soft_limit), |it| millionths("soft_limit", it))?;
    let hard = op.hard_limit.map_or(Ok(row.hard_limit), |it| millionths("hard_limit", it))?;
    let renewal = op.renewal.unwrap_or(before.renewal);
    // The pair is checked as it will be: both are written at once, so that no order can break the rule on the way.
    ordered(soft, hard)?;
    renewable(before.subscription_type, renewal)?;
    let sql = "UPDATE usage_limits SET soft_limit = $2, hard_limit = $3, renewal = $4 WHERE id = $1";
    at.db.run(sql, &args![&row.id, soft, hard, name(&renewal)?]).await?;
    let after = view(by_id(at, &row.id).await?)?;
    let facts = bounded(row.hard_limit, hard).rewires(RENEWAL, Some(row.renewal.clone()), Some(name(&renewal)?));
    let target = extent_of(&row).target("usage_limit", &label(&before), Some(&row.id));
    let now = [("soft_limit", op.soft_limit), ("hard_limit", op.hard_limit)].map(|(name, it)| (name, it.is_some()));
    let now = [now[0], now[1], ("renewal", op.renewal.is_some())];
    let former = [
        ("soft_limit", Some(json!(before.soft_limit))),
        ("hard_limit", Some(json!(before.hard_limit))),
        ("renewal", Some(json!(before.renewal))),
    ];
    let inverse = fields::back::<UpdateUsageLimit>(json!({ "usage_limit": row.id, "project": row.project_id }), &now, &former);
    Ok(Change::updated(target, facts.undo("update_usage_limit with the values in `before`"), before, after).inverse(inverse))
}

pub(super) async fn delete(at: &mut Session, op: &DeleteUsageLimit) -> Result<Change<UsageLimit>, ProviderError> {
    let row = find(at, op.project.as_ref(), &op.usage_limit).await?;
    let before = view(row.clone())?;
    at.db.run("DELETE FROM usage_limits WHERE id = $1", &args![&row.id]).await?;
    let scope = extent_of(&row);
    let facts = Facts::none().ends(Thing::UsageLimit, Counted::one(label(&before)));
    let facts = if row.active {
        let now = format!("the use of {} is no longer bounded by {}", scope.says(), sentence(&before));
        facts.note(now).undo("set_usage_limit with the values in `before`")
    } else {
        facts.note("it is not active: only its record goes")
    };
    let target = scope.target("usage_limit", &label(&before), Some(&row.id));
    let inverse = if row.active { vec![set_again(&scope, &before)] } else { Vec::new() };
    Ok(Change::removed(target, facts, before).inverses(inverse))
}

fn set_again(scope: &Extent, limit: &UsageLimit) -> Inverse {
    Inverse::call::<SetUsageLimit>(json!({
        "project": scope.project_id(),
        "subscription_type": limit.subscription_type,
        "usage_unit": limit.usage_unit,
        "soft_limit": limit.soft_limit,
        "hard_limit": limit.hard_limit,
        "renewal": limit.renewal,
    }))
}

/// A usage limit that keeps the rules and is not stored yet.
pub(super) struct NewLimit {
    subscription_type: String,
    usage_unit: String,
    soft: i64,
    hard: i64,
    renewal: String,
}

impl NewLimit {
    /// Checks the rules.
    pub(super) fn of(
        subscription_type: SubscriptionType,
        usage_unit: UsageUnit,
        soft_limit: f64,
        hard_limit: f64,
        renewal: Renewal,
    ) -> Result<Self, ProviderError> {
        let (soft, hard) = (millionths("soft_limit", soft_limit)?, millionths("hard_limit", hard_limit)?);
        ordered(soft, hard)?;
        renewable(subscription_type, renewal)?;
        Ok(Self { subscription_type: name(&subscription_type)?, usage_unit: name(&usage_unit)?, soft, hard, renewal: name(&renewal)? })
    }

    /// What it means where nothing bounded the use. Less than one of its unit ends it, and that is not told by how far it falls.
    fn first(&self) -> Facts {
        if self.hard < ONE {
            Facts::none().rewires("the hard limit", None, Some(format!("{} {}", amount(self.hard), self.usage_unit)))
        } else {
            Facts::none()
        }
    }

    /// What it means in the place of another. Bounds of different units are not higher or lower than each other.
    fn instead_of(&self, old: &LimitRow) -> Facts {
        let same = old.subscription_type == self.subscription_type && old.usage_unit == self.usage_unit;
        let facts = if same {
            bounded(old.hard_limit, self.hard)
        } else {
            Facts::none().note(format!(
                "the hard limit was {} {}, and is {} {}",
                amount(old.hard_limit),
                old.usage_unit,
                amount(self.hard),
                self.usage_unit
            ))
        };
        facts
            .rewires("the unit", Some(old.usage_unit.clone()), Some(self.usage_unit.clone()))
            .rewires("the subscription type", Some(old.subscription_type.clone()), Some(self.subscription_type.clone()))
            .rewires(RENEWAL, Some(old.renewal.clone()), Some(self.renewal.clone()))
    }

    /// Stores it as the active one; the caller has seen to it that there is no other. Answers its id.
    pub(super) async fn insert(&self, at: &mut Session, organization_id: &str, project_id: Option<&str>) -> Result<String, ProviderError> {
        let id = new_id("lim");
        let sql = "INSERT INTO usage_limits (id, organization_id, project_id, subscription_type, usage_unit, soft_limit, hard_limit, renewal, \
                   active, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, TRUE, $9)";
        let values = args![
            &id,
            organization_id,
            project_id,
            &self.subscription_type,
            &self.usage_unit,
            self.soft,
            self.hard,
            &self.renewal,
            Timestamp::now().0
        ];
        at.db.run(sql, &values).await?;
        Ok(id)
    }
}

/// The limit with this id, within the connection's organization and, where one is named, the project.
async fn find(at: &mut Session, project: Option<&ProjectRef>, named: &UsageLimitRef) -> Result<LimitRow, ProviderError> {
    let within = match project {
        Some(named) => Some(at.active_project(named).await?),
        None => None,
    };
    let pinned = at.pinned().await?.map(|it| it.id);
    let sql = format!("{COLUMNS} WHERE l.id = $1 AND ($2 IS NULL OR l.project_id = $2) AND ($3 IS NULL OR l.organization_id = $3)");
    let found: Option<LimitRow> = at.db.one(&sql, &args![named.text(), within.as_ref().map(|it| it.id.as_str()), pinned]).await?;
    let Some(found) = found else {
        return Err(ProviderError::NotFound {
            kind: "usage limit",
            name: named.text().to_owned(),
            scope: within.map(|it| format!("project `{}`", it.name)).unwrap_or_default(),
            fix: "take an id from list_usage_limits, with the same `project`".into(),
        });
    };
    if let (None, Some(id)) = (&within, &found.project_id) {
        at.active_project(&ProjectRef::read(id)).await?;
    }
    Ok(found)
}

async fn by_id(at: &mut Session, id: &str) -> Result<LimitRow, ProviderError> {
    let row = at.db.one(&format!("{COLUMNS} WHERE l.id = $1"), &args![id]).await?;
    row.ok_or_else(|| StoreError::Unreadable(format!("usage limit {id} is missing")).into())
}

/// What another hard limit of the same unit means; both are in millionths. How much is used, the directory does not know.
fn bounded(old: i64, hard: i64) -> Facts {
    Facts::none().lowers("the hard limit", amount(old), amount(hard), None)
}

fn ordered(soft: i64, hard: i64) -> Result<(), ProviderError> {
    if soft <= hard {
        return Ok(());
    }
    Err(ProviderError::conflict(
        "soft_above_hard",
        format!("soft limit `{}` is above hard limit `{}`", amount(soft), amount(hard)),
        "keep soft_limit at or below hard_limit; give both to move them together",
    ))
}

fn renewable(subscription: SubscriptionType, renewal: Renewal) -> Result<(), ProviderError> {
    if subscription == SubscriptionType::Freemium && renewal == Renewal::Renewable {
        return Err(ProviderError::conflict(
            "renewal_not_allowed",
            "a `Freemium` usage limit cannot be `Renewable`",
            "use renewal NonRenewable, or subscription_type Daily, Weekly or Monthly",
        ));
    }
    Ok(())
}

/// An amount in millionths: exact, or refused.
fn millionths(field: &str, it: f64) -> Result<i64, ProviderError> {
    let fix = "give 0 to 1000000000 with at most 6 decimals";
    if !(0.0..=HIGHEST).contains(&it) {
        return Err(ProviderError::invalid(format!("`{field}` is out of range: `{it}`"), fix));
    }
    let whole = (it * UNIT).round();
    // Both are exact below 2^53, so the way back meets the same number unless there were more decimals.
    #[expect(clippy::float_cmp, reason = "exactness is the question")]
    let exact = whole / UNIT == it;
    if !exact {
        return Err(ProviderError::invalid(format!("`{field}` has more than 6 decimals: `{it}`"), fix));
    }
    #[expect(clippy::cast_possible_truncation, reason = "a whole number of at most 10^15")]
    Ok(whole as i64)
}

#[expect(clippy::cast_precision_loss, reason = "at most 10^15 millionths are stored, and those are exact")]
fn amount(millionths: i64) -> f64 {
    millionths as f64 / UNIT
}

/// The name of an enum's value, as on the wire.
fn name<T: serde::Serialize>(value: &T) -> Result<String, ProviderError> {
    let text = crate::providers::json(value)?.as_str().map(str::to_owned);
    text.ok_or_else(|| StoreError::Unreadable("a name is not a text".into()).into())
}

fn named<T: serde::de::DeserializeOwned>(text: String) -> Result<T, ProviderError> {
    serde_json::from_value(text.into()).map_err(|error| StoreError::Unreadable(error.to_string()).into())
}

fn view(it: LimitRow) -> Result<UsageLimit, ProviderError> {
    Ok(UsageLimit {
        usage_limit: it.id,
        organization: it.organization,
        project: it.project,
        subscription_type: named(it.subscription_type)?,
        usage_unit: named(it.usage_unit)?,
        soft_limit: amount(it.soft_limit),
        hard_limit: amount(it.hard_limit),
        renewal: named(it.renewal)?,
        active: it.active,
        used: None,
        remaining: None,
        currency: None,
        ends_at: None,
        created_at: Some(Timestamp(it.created_at)),
    })
}

/// What a person calls it: `Monthly Cost limit of Atlas`.
fn label(it: &UsageLimit) -> String {
    let of = it.project.as_ref().unwrap_or(&it.organization);
    format!("{:?} {:?} limit of {of}", it.subscription_type, it.usage_unit)
}

fn sentence(it: &UsageLimit) -> String {
    format!("the {:?} limit of {} {:?} (soft {})", it.subscription_type, it.hard_limit, it.usage_unit, it.soft_limit)
}

fn extent_of(it: &LimitRow) -> Extent {
    let part = it.project_id.clone().zip(it.project.clone()).map(|(id, name)| Part { id, name });
    Extent { organization_id: it.organization_id.clone(), organization: it.organization.clone(), project: part }
}
