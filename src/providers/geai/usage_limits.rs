//! Usage limits of the organization and of projects.

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Session,
    limit_steps::Steps,
    resolve::FoundProject,
    wire::{WireLimit, list as items, read, time},
};
use crate::{
    domain::{
        Counted, Facts, Inverse, List, ProjectRef, ReferenceText as _, Target, Thing, UsageLimitRef,
        limits::{Renewal, SubscriptionType, UsageLimit, UsageUnit},
    },
    error::ProviderError,
    guard::Permit,
    providers::http::{Draft, Reading, Request, Sent, Writing},
    tools::limits::{DeleteUsageLimit, ListUsageLimits, SetUsageLimit, UpdateUsageLimit, UsageLimitInput},
};

/// Whose limits are meant: a project's, or the organization's.
#[derive(Debug, Clone)]
pub(super) struct Extent {
    organization_id: String,
    organization: String,
    project: Option<FoundProject>,
}

impl Extent {
    pub(super) async fn of(at: &Session, project: Option<&FoundProject>) -> Result<Self, ProviderError> {
        let own = at.organization(None).await?;
        Ok(Self { organization_id: own.id, organization: own.name, project: project.cloned() })
    }

    async fn named(at: &Session, project: Option<&ProjectRef>) -> Result<Self, ProviderError> {
        match project {
            Some(named) => Self::of(at, Some(&at.project(named).await?)).await,
            None => Self::of(at, None).await,
        }
    }

    fn path(&self, rest: &str) -> String {
        let project = if self.project.is_some() { "/projects/{project}" } else { "" };
        format!("/v2/usageLimits/organizations/{{organization}}{project}/limits{rest}")
    }

    fn fill<K>(&self, request: Request<K>) -> Request<K> {
        let request = request.path("organization", &self.organization_id);
        match &self.project {
            Some(project) => request.path("project", &project.id),
            None => request,
        }
    }

    fn get(&self, at: &Session, rest: &str) -> Request<Reading> {
        self.fill(at.get(&self.path(rest)))
    }

    /// Changes one part of a limit.
    pub(super) fn put(&self, at: &Session, id: &str, part: &str, body: Value) -> Request<Writing> {
        self.fill(at.put(&self.path(&format!("/{{id}}/{part}"))).path("id", id)).json(body)
    }

    fn project_ref(&self) -> Option<ProjectRef> {
        self.project.as_ref().map(FoundProject::reference)
    }

    /// For sentences.
    fn says(&self) -> String {
        self.project.as_ref().map_or_else(|| format!("organization `{}`", self.organization), FoundProject::says)
    }

    fn target(&self, limit: &UsageLimit, id: Option<&str>) -> Target {
        let name = label(limit);
        if let Some(project) = &self.project {
            return project.target("usage_limit", &name, id);
        }
        let organization = Some(self.organization.clone());
        Target { kind: "usage_limit".into(), name, id: id.map(str::to_owned), within: None, organization }
    }

    /// All limits, those of the past too.
    pub(super) async fn all(&self, at: &Session) -> Result<Vec<WireLimit>, ProviderError> {
        let answer = self.get(at, "").value().await?;
        match answer.get("limits") {
            Some(_) => read(at, &items(&answer, "limits", &[])),
            None => read(at, &items(&answer, "usageLimits", &[])),
        }
    }

    fn view(&self, it: &WireLimit) -> Result<UsageLimit, ProviderError> {
        let unknown = |what: &str, value: &str| {
            ProviderError::conflict(
                "unreadable_answer",
                format!("the service told a usage limit with {what} `{value}`"),
                "look at it in the console",
            )
        };
        Ok(UsageLimit {
            usage_limit: it.id.clone(),
            organization: self.organization.clone(),
            project: self.project.as_ref().map(|it| it.name.clone()),
            subscription_type: named(&it.subscription_type).ok_or_else(|| unknown("subscription type", &it.subscription_type))?,
            usage_unit: named(&it.usage_unit).ok_or_else(|| unknown("unit", &it.usage_unit))?,
            soft_limit: it.soft_limit,
            hard_limit: it.hard_limit,
            renewal: named(&it.renewal_status).ok_or_else(|| unknown("renewal", &it.renewal_status))?,
            active: holds(it),
            used: it.used_amount.or(it.current_usage),
            remaining: it.remaining_usage,
            // Which one the service counts costs in, it tells nowhere.
            currency: None,
            ends_at: time(it.valid_until.as_ref()),
            created_at: time(it.valid_from.as_ref()),
        })
    }
}

/// `GET …/limits`; `GET …/limits/active` where only the active one of a project is wanted.
pub(super) async fn list(at: &Session, op: &ListUsageLimits) -> Result<List<UsageLimit>, ProviderError> {
    if op.organization.is_some() {
        at.organization(op.organization.as_ref()).await?;
    }
    let scope = Extent::named(at, op.project.as_ref()).await?;
    if let (Some(_), Some(true)) = (&scope.project, op.active) {
        let active: Result<WireLimit, _> = scope.get(at, "/active").send().await;
        return match active {
            Ok(it) => Ok(List::whole(vec![scope.view(&it)?])),
            Err(ProviderError::Remote(error)) if error.code == "not_found" => Ok(List::whole(Vec::new())),
            Err(error) => Err(error),
        };
    }
    let limits = scope.all(at).await?;
    let wanted = limits.iter().filter(|it| op.active.is_none_or(|active| active == holds(it)));
    let mut items = wanted.map(|it| scope.view(it)).collect::<Result<Vec<_>, _>>()?;
    items.sort_by(|one, other| other.active.cmp(&one.active).then(other.created_at.cmp(&one.created_at)));
    Ok(List::whole(items))
}

/// The limits that hold, by what a person calls them.
pub(super) async fn in_force(at: &Session, scope: &Extent) -> Result<Vec<String>, ProviderError> {
    let limits = scope.all(at).await?;
    Ok(limits.iter().filter(|it| holds(it)).map(|it| format!("{} {}", it.subscription_type, it.usage_unit)).collect())
}

/// `POST …/limits`.
pub(super) async fn set(at: &Session, op: &SetUsageLimit) -> Result<Draft<UsageLimit>, ProviderError> {
    let input = UsageLimitInput {
        subscription_type: op.subscription_type,
        usage_unit: op.usage_unit,
        soft_limit: op.soft_limit,
        hard_limit: op.hard_limit,
        renewal: op.renewal,
    };
    let body = checked(&input, op.project.is_some())?;
    let scope = Extent::named(at, op.project.as_ref()).await?;
    let old = scope.all(at).await?.into_iter().rfind(holds);
    let before = old.as_ref().map(|it| scope.view(it)).transpose()?;
    let facts = tightened(before.as_ref(), &input);
    let facts = match &before {
        None => facts.note(format!("{} had no active usage limit", scope.says())).undo("delete_usage_limit"),
        Some(old) => {
            let note = format!("takes the place of {}, which is no longer active", sentence(old));
            facts.note(note).undo("set_usage_limit with the values in `before`")
        }
    };
    let planned = scope.view(&wire(&input))?;
    let target = scope.target(&planned, None);
    let (session, undo) = (at.clone(), before.as_ref().map(|it| setting(&scope, it)));
    let last = old.map(|it| it.id);
    let (again, undo_again) = (scope.clone(), undo.clone());
    let send = {
        let session = session.clone();
        move |permit: Permit| async move {
            let request = scope.fill(session.post(&scope.path("")));
            let reply = request.json(body).send(&permit).await?;
            let set: WireLimit = read(&session, &reply.read::<Value>("list_usage_limits shows which one holds")?)?;
            made(&scope, &set, undo)
        }
    };
    let draft = Draft::new(target, facts, send);
    let draft = if let Some(before) = before { draft.before(before) } else { draft };
    Ok(draft.read_back(move || {
        let (session, scope, undo, last) = (session.afresh(), again.clone(), undo_again.clone(), last.clone());
        let input = input.clone();
        async move {
            let now = scope.all(&session).await?.into_iter().rfind(|it| holds(it) && Some(&it.id) != last.as_ref() && is(it, &input));
            now.map(|it| made(&scope, &it, undo)).transpose()
        }
    }))
}

fn made(scope: &Extent, set: &WireLimit, undo: Option<Inverse>) -> Result<Sent<UsageLimit>, ProviderError> {
    let after = scope.view(set)?;
    let target = scope.target(&after, Some(&set.id));
    let delete = || Inverse::of(&DeleteUsageLimit { project: scope.project_ref(), usage_limit: UsageLimitRef::read(&set.id) });
    Ok(Sent::after(after).target(target).inverse(undo.unwrap_or_else(delete)))
}

/// The call that sets a limit as it was.
fn setting(scope: &Extent, it: &UsageLimit) -> Inverse {
    Inverse::of(&SetUsageLimit {
        project: scope.project_ref(),
        subscription_type: it.subscription_type,
        usage_unit: it.usage_unit,
        soft_limit: it.soft_limit,
        hard_limit: it.hard_limit,
        renewal: it.renewal,
    })
}

/// `PUT …/limits/{id}/hardLimit`, `…/softLimit`, `…/renewalStatus`: as many as are named, in the order that keeps soft at or
/// below hard on the way.
pub(super) async fn update(at: &Session, op: &UpdateUsageLimit) -> Result<Draft<UsageLimit>, ProviderError> {
    if op.soft_limit.is_none() && op.hard_limit.is_none() && op.renewal.is_none() {
        return Err(ProviderError::invalid("nothing to change", "give at least one of: soft_limit, hard_limit, renewal"));
    }
    let scope = Extent::named(at, op.project.as_ref()).await?;
    let limit = find(at, &scope, &op.usage_limit).await?;
    if !holds(&limit) {
        return Err(ProviderError::conflict(
            "usage_limit_inactive",
            format!("usage limit `{}` is no longer active", limit.id),
            "set a new one with set_usage_limit, or find the active one with list_usage_limits",
        ));
    }
    let before = scope.view(&limit)?;
    let input = UsageLimitInput {
        subscription_type: before.subscription_type,
        usage_unit: before.usage_unit,
        soft_limit: op.soft_limit.unwrap_or(before.soft_limit),
        hard_limit: op.hard_limit.unwrap_or(before.hard_limit),
        renewal: op.renewal.unwrap_or(before.renewal),
    };
    checked(&input, scope.project.is_some())?;
    let steps = Steps::of(op, &before);
    let facts = tightened(Some(&before), &input);
    let facts = facts.note(format!("made in this order: {}", steps.says())).undo("update_usage_limit with the values in `before`");
    let target = scope.target(&before, Some(&limit.id));
    let after = UsageLimit { soft_limit: input.soft_limit, hard_limit: input.hard_limit, renewal: input.renewal, ..before.clone() };
    let undo = Inverse::of(&UpdateUsageLimit {
        project: scope.project_ref(),
        usage_limit: op.usage_limit.clone(),
        soft_limit: op.soft_limit.map(|_| before.soft_limit),
        hard_limit: op.hard_limit.map(|_| before.hard_limit),
        renewal: op.renewal.map(|_| before.renewal),
    });
    let (session, id) = (at.clone(), limit.id);
    let (again, undo_again, place, looked_for) = (after.clone(), undo.clone(), scope.clone(), id.clone());
    let send = {
        let session = session.clone();
        move |permit: Permit| async move {
            steps.send(&session, &scope, &id, &permit).await?;
            Ok(Sent::after(after).inverse(undo))
        }
    };
    Ok(Draft::new(target, facts, send).before(before).read_back(move || {
        let (session, scope, id) = (session.afresh(), place.clone(), looked_for.clone());
        let (after, undo, input) = (again.clone(), undo_again.clone(), input.clone());
        async move {
            let now = scope.all(&session).await?.into_iter().find(|it| it.id == id);
            Ok(now.filter(|it| is(it, &input)).map(|_| Sent::after(after).inverse(undo)))
        }
    }))
}

/// `DELETE …/limits/{id}`.
pub(super) async fn delete(at: &Session, op: &DeleteUsageLimit) -> Result<Draft<UsageLimit>, ProviderError> {
    let scope = Extent::named(at, op.project.as_ref()).await?;
    let limit = find(at, &scope, &op.usage_limit).await?;
    let before = scope.view(&limit)?;
    let facts = if before.active {
        let now = format!("the use of {} is no longer bounded by {}", scope.says(), sentence(&before));
        let facts = Facts::none().ends(Thing::UsageLimit, Counted::one(label(&before)));
        facts.note(now).undo("set_usage_limit with the values in `before`")
    } else {
        Facts::none().note("it is not active: only its record goes")
    };
    let target = scope.target(&before, Some(&limit.id));
    let undo = before.active.then(|| setting(&scope, &before));
    let (session, id) = (at.clone(), limit.id);
    let (place, undo_again, gone) = (scope.clone(), undo.clone(), id.clone());
    let send = {
        let session = session.clone();
        move |permit: Permit| async move {
            scope.fill(session.delete(&scope.path("/{id}"))).path("id", &id).send(&permit).await?;
            Ok(Sent::gone().undone_by(undo))
        }
    };
    Ok(Draft::new(target, facts, send).before(before).read_back(move || {
        let (session, scope, id, undo) = (session.afresh(), place.clone(), gone.clone(), undo_again.clone());
        async move {
            let there = scope.all(&session).await?.iter().any(|it| it.id == id && holds(it));
            Ok((!there).then(|| Sent::gone().undone_by(undo)))
        }
    }))
}

async fn find(at: &Session, scope: &Extent, named: &UsageLimitRef) -> Result<WireLimit, ProviderError> {
    let found = scope.all(at).await?.into_iter().find(|it| it.id == named.text());
    found.ok_or_else(|| ProviderError::NotFound {
        kind: "usage limit",
        name: named.text().to_owned(),
        scope: scope.says(),
        fix: "take an id from list_usage_limits, with the same `project`".into(),
    })
}

/// Whether a limit holds: it is active, or active and used up.
fn holds(it: &WireLimit) -> bool {
    matches!(it.status.as_i64(), Some(1 | 3)) || it.status.as_str().is_some_and(|it| matches!(it, "1" | "3"))
}

/// Whether a limit is as it was wanted; amounts come back rounded.
fn is(it: &WireLimit, wanted: &UsageLimitInput) -> bool {
    let near = |one: f64, other: f64| (one - other).abs() < 1e-6;
    near(it.soft_limit, wanted.soft_limit)
        && near(it.hard_limit, wanted.hard_limit)
        && named(&it.renewal_status) == Some(wanted.renewal)
        && named(&it.subscription_type) == Some(wanted.subscription_type)
        && named(&it.usage_unit) == Some(wanted.usage_unit)
}

/// A limit as the service wants it, if it keeps the rules.
pub(super) fn checked(it: &UsageLimitInput, of_project: bool) -> Result<Value, ProviderError> {
    for (field, amount) in [("soft_limit", it.soft_limit), ("hard_limit", it.hard_limit)] {
        if !(amount.is_finite() && amount >= 0.0) {
            return Err(ProviderError::invalid(format!("`{field}` is out of range: `{amount}`"), "give 0 or more"));
        }
    }
    if it.soft_limit > it.hard_limit {
        return Err(ProviderError::conflict(
            "soft_above_hard",
            format!("soft limit `{}` is above hard limit `{}`", it.soft_limit, it.hard_limit),
            "keep soft_limit at or below hard_limit; give both to move them together",
        ));
    }
    if it.subscription_type == SubscriptionType::Freemium && it.renewal == Renewal::Renewable {
        return Err(ProviderError::conflict(
            "renewal_not_allowed",
            "a `Freemium` usage limit cannot be `Renewable`",
            "use renewal NonRenewable, or subscription_type Daily, Weekly or Monthly",
        ));
    }
    if !of_project && it.usage_unit != UsageUnit::Cost {
        return Err(ProviderError::invalid("a limit of an organization counts `Cost` only", "use usage_unit Cost, or name a `project`"));
    }
    Ok(json!({
        "subscriptionType": it.subscription_type,
        "usageUnit": it.usage_unit,
        "softLimit": it.soft_limit,
        "hardLimit": it.hard_limit,
        "renewalStatus": it.renewal,
    }))
}

fn wire(it: &UsageLimitInput) -> WireLimit {
    WireLimit {
        id: String::new(),
        subscription_type: text(&it.subscription_type),
        usage_unit: text(&it.usage_unit),
        soft_limit: it.soft_limit,
        hard_limit: it.hard_limit,
        used_amount: None,
        current_usage: None,
        remaining_usage: None,
        valid_until: None,
        renewal_status: text(&it.renewal),
        status: json!(1),
        valid_from: None,
    }
}

/// The name of an enum's value, as on the wire.
fn text(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
}

fn named<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(text.into()).ok()
}

/// Tells of a hard limit that stops use earlier than the old one did, and of one that counts otherwise.
fn tightened(old: Option<&UsageLimit>, new: &UsageLimitInput) -> Facts {
    let Some(old) = old else {
        // What was not bounded before ends at once with a limit of one request or less.
        let hardly = Some(new.hard_limit).filter(|it| *it <= 1.0).map(|it| it.to_string());
        return Facts::none().rewires("the hard limit", None, hardly);
    };
    let facts = Facts::none()
        .rewires("the unit", Some(text(&old.usage_unit)), Some(text(&new.usage_unit)))
        .rewires("the subscription type", Some(text(&old.subscription_type)), Some(text(&new.subscription_type)))
        .rewires("the renewal", Some(text(&old.renewal)), Some(text(&new.renewal)));
    if old.usage_unit == new.usage_unit { facts.lowers("the hard limit", old.hard_limit, new.hard_limit, old.used) } else { facts }
}

/// What a person calls it: `Monthly Cost limit of Atlas`.
fn label(it: &UsageLimit) -> String {
    let of = it.project.as_ref().unwrap_or(&it.organization);
    format!("{:?} {:?} limit of {of}", it.subscription_type, it.usage_unit)
}

fn sentence(it: &UsageLimit) -> String {
    format!("the {:?} limit of {} {:?} (soft {})", it.subscription_type, it.hard_limit, it.usage_unit, it.soft_limit)
}
