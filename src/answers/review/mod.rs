//! A review of who holds what: what accounts tell is gathered here, judged by `rules.rs`, written by `sheet.rs`, and held against the
//! review that was kept before by `kept.rs`.

mod kept;
mod rules;
mod sheet;
mod told;

use std::collections::BTreeSet;

use rules::{Found, Rule, find};
use told::Seen;

use super::Ask;
use crate::{
    access::is_called,
    domain::{
        Cursor, ReferenceText as _, Timestamp,
        access::{Holder, Place},
    },
    error::{CallError, ProviderError},
    tools::access::{Finding, Review, ReviewAccess, ReviewFormat, RuleCount},
};

/// A finding with the account it is of.
struct Line {
    connection: String,
    /// Whether there are several accounts, of which each finding says its own.
    named: bool,
    found: Found,
    /// What tells it from all others, now and in the next review.
    id: String,
    is_new: Option<bool>,
}

/// Reviews the accounts that the call is about.
///
/// # Errors
///
/// A rule or a cursor that is none; a project or organization that no account has; a person of whom none knows.
pub(super) async fn review(ask: Ask<'_>, op: ReviewAccess) -> Result<Review, CallError> {
    let rule = op.rule.as_deref().map(named_rule).transpose()?;
    let now = Timestamp::now();
    let (readers, gaps) = ask.readers();
    let trusted = ask.guard.trusted_domains();
    let gathered = ask
        .gather(readers, |reader| {
            let (op, trusted) = (op.clone(), trusted.clone());
            async move { told::look(ask, &reader, &op, trusted).await }
        })
        .await;
    let mut all_gaps = if gathered.found.is_empty() { gathered.all_gaps() } else { gathered.gaps.clone() };
    all_gaps.extend(gaps);
    if gathered.found.is_empty()
        && let Some((_, error)) = gathered.unresolved.into_iter().next()
        && gathered.gaps.failed.is_empty()
    {
        return Err(error.into());
    }
    let (mut lines, mut seen, mut known) = (Vec::new(), BTreeSet::new(), false);
    for (reader, accounts) in gathered.found {
        let name = &reader.connection.name;
        for Seen { told, sources } in accounts {
            seen.extend(sources.iter().map(|it| format!("{name}:{it}")));
            let meant: Option<Vec<Holder>> = op.member.as_ref().map(|it| {
                let mut people: Vec<Holder> =
                    told.grants.iter().map(|it| &it.holder).filter(|who| is_called(who, it.text())).cloned().collect();
                people.dedup();
                people
            });
            known = known || meant.as_ref().is_none_or(|it| !it.is_empty());
            let found = find(&told, now).into_iter().filter(|it| is_meant(it, op.project.is_some(), meant.as_deref()));
            lines.extend(found.map(|it| Line::new(name, it, ask.connections.len() > 1, ask.several)));
        }
    }
    if let (Some(member), false) = (&op.member, known) {
        let fix = "find them with find_person, or look at all with review_access alone".to_owned();
        let nobody = ProviderError::NotFound { kind: "member", name: member.text().to_owned(), scope: String::new(), fix };
        return Err(nobody.into());
    }
    lines.sort_by(|one, other| one.key().cmp(&other.key()));
    lines.dedup_by(|one, other| one.id == other.id);
    let scope = kept::scope(&ask, &op);
    let before = kept::read(ask.db, &scope).await.map_err(ProviderError::from)?;
    let compared = before.map(|it| it.compare(&mut lines, &seen));
    let kept_at = match op.keep {
        Some(true) => {
            kept::write(ask.db, &scope, &lines, &seen, now).await.map_err(ProviderError::from)?;
            Some(now)
        }
        _ => None,
    };
    lines.retain(|it| rule.is_none_or(|rule| it.found.rule == rule));
    let counts = Rule::ALL.into_iter().map(|rule| (rule, lines.iter().filter(|it| it.found.rule == rule).count() as u64));
    let rules = counts.filter(|it| it.1 > 0).map(|(rule, count)| RuleCount { rule: rule.name().to_owned(), count }).collect();
    let whole = Review { rules, compared, kept_at, total: lines.len() as u64, gaps: all_gaps, ..Review::default() };
    Ok(match op.format {
        Some(ReviewFormat::Csv) => Review { report: Some(sheet::csv(&lines)), ..whole },
        Some(ReviewFormat::Markdown) => {
            let report = sheet::markdown(&lines, &whole, now);
            Review { report: Some(report), ..whole }
        }
        _ => page(whole, lines, &op, ask.guard.review_limits().page as usize)?,
    })
}

/// A page of the findings.
fn page(whole: Review, lines: Vec<Line>, op: &ReviewAccess, most: usize) -> Result<Review, CallError> {
    let broken = || CallError::InvalidArguments {
        message: "`cursor` is none of a review".into(),
        fix: "send back `next_cursor` as it was, or leave it out for the first page".into(),
    };
    let from = match &op.cursor {
        None => 0,
        Some(cursor) => cursor.key().and_then(|it| it.parse::<usize>().ok()).ok_or_else(broken)?,
    };
    let has_more = lines.len() > from + most;
    let items: Vec<Finding> = lines.into_iter().skip(from).take(most).map(Line::told).collect();
    let next_cursor = has_more.then(|| Cursor::after(&(from + most).to_string()).0);
    Ok(Review { shown: items.len(), items, has_more, next_cursor, ..whole })
}

fn named_rule(text: &str) -> Result<Rule, CallError> {
    let plain = text.trim().to_lowercase().replace(['-', ' '], "_");
    Rule::ALL.into_iter().find(|it| it.name() == plain).ok_or_else(|| CallError::InvalidArguments {
        message: format!("`{}` is no rule", crate::shape::cut(text, 80)),
        fix: format!("use one of: {}", Rule::ALL.map(Rule::name).join(", ")),
    })
}

/// Whether a finding is about the project or the person that the review is about.
fn is_meant(found: &Found, of_project: bool, people: Option<&[Holder]>) -> bool {
    let here = !of_project || matches!(found.place, Some(Place::Project { .. }));
    here && people.is_none_or(|people| found.people.iter().any(|it| people.iter().any(|who| who.is_same(it))))
}

impl Line {
    /// `several`: calls have to say which account they are for.
    fn new(connection: &str, mut found: Found, named: bool, several: bool) -> Self {
        if let (Some(mend), true) = (&mut found.mend, several) {
            mend.arguments.insert("connection".to_owned(), connection.into());
        }
        let place = found.place.as_ref().map(|it| format!("{it} {}", rules::id_of(it))).unwrap_or_default();
        let id = crate::store::sha256(format!("{connection}\n{}\n{place}\n{}", found.rule.name(), found.subject.id));
        Self { connection: connection.to_owned(), named, found, id, is_new: None }
    }

    /// What lines are sorted by.
    fn key(&self) -> (rules::Weight, Rule, &str, &str, &str, &str) {
        let place = self.found.place.as_ref().map_or("", Place::name);
        (self.found.rule.weight(), self.found.rule, &self.connection, place, &self.found.subject.name, &self.id)
    }

    /// Where it is, unless that is what it is about.
    fn place(&self) -> Option<String> {
        self.found.place.as_ref().map(ToString::to_string)
    }

    fn told(self) -> Finding {
        Finding {
            rule: self.found.rule.name().to_owned(),
            weight: self.found.rule.weight().name().to_owned(),
            place: self.place(),
            subject: self.found.subject.name,
            evidence: self.found.evidence,
            new: self.is_new.filter(|it| *it),
            mend: self.found.mend,
            connection: Some(self.connection).filter(|_| self.named),
        }
    }
}
