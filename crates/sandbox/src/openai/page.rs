//! Lists: their limits, cursors and envelopes.

use serde_json::{Value, json};

use super::{
    Openai, Pages,
    reply::{Refusal, Reply},
    request::Query,
};

/// An entry of a list: where it stands, what it is called as a cursor, and how it looks.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) place: u64,
    pub(super) id: String,
    pub(super) view: Value,
}

/// What a list lets one ask for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paging {
    default: usize,
    least: usize,
    most: usize,
    newest_first: bool,
    ordered: bool,
    before: bool,
}

impl Paging {
    /// Twenty at a time, a hundred at most, in the list's own order.
    pub(super) const TWENTY: Self = Self { default: 20, least: 1, most: 100, newest_first: false, ordered: false, before: false };
    /// A hundred at a time, a thousand at most, oldest first.
    pub(super) const HUNDRED: Self = Self { default: 100, least: 0, most: 1000, ordered: true, ..Self::TWENTY };
    /// A thousand at a time, oldest first.
    pub(super) const THOUSAND: Self = Self { default: 1000, ..Self::HUNDRED };

    pub(super) const fn ordered(self) -> Self {
        Self { ordered: true, ..self }
    }

    pub(super) const fn newest_first(self) -> Self {
        Self { newest_first: true, ..self }
    }

    /// With `before`, to page backwards.
    pub(super) const fn with_before(self) -> Self {
        Self { before: true, ..self }
    }

    /// Other numbers: how many at a time, and between which bounds.
    pub(super) const fn with_limits(self, default: usize, least: usize, most: usize) -> Self {
        Self { default, least, most, ..self }
    }

    /// The names of its parameters.
    pub(super) fn names(self) -> Vec<&'static str> {
        let mut names = vec!["after", "limit"];
        names.extend(self.ordered.then_some("order"));
        names.extend(self.before.then_some("before"));
        names
    }

    fn limit(self, query: &Query) -> Result<usize, Refusal> {
        let Some(limit) = query.number("limit")? else { return Ok(self.default) };
        let Self { least, most, .. } = self;
        let limit = usize::try_from(limit).ok().filter(|it| (least..=most).contains(it));
        limit.ok_or_else(|| Refusal::bad("limit", format!("Invalid 'limit': it has to be between {least} and {most}.")))
    }

    /// The rows that were asked for, oldest given first, and whether there are more.
    fn cut(self, query: &Query, mut rows: Vec<Row>, place: impl Fn(&str) -> Option<u64>) -> Result<(Vec<Row>, bool), Refusal> {
        let newest_first = query.word("order", &["asc", "desc"])?.map_or(self.newest_first, |it| it == "desc");
        let limit = self.limit(query)?;
        let place = |name| {
            let unknown = |it: &str| Refusal::bad(name, format!("Invalid '{name}': there is no cursor '{it}'."));
            query.one(name)?.map(|it| place(it).ok_or_else(|| unknown(it))).transpose()
        };
        let (after, before) = (place("after")?, place("before")?);
        rows.sort_by_key(|it| it.place);
        if newest_first {
            rows.reverse();
        }
        let comes_later = |row: &Row, than: u64| if newest_first { row.place < than } else { row.place > than };
        rows.retain(|row| after.is_none_or(|it| comes_later(row, it)));
        rows.retain(|row| before.is_none_or(|it| row.place != it && !comes_later(row, it)));
        let more = rows.len() > limit;
        if before.is_some() && more {
            rows.drain(..rows.len() - limit);
        }
        rows.truncate(limit);
        Ok((rows, more))
    }
}

impl Openai {
    /// A list whose cursor is the last entry's id. `scope` is what its entries' places are kept under.
    pub(super) fn page_by_id(&self, query: &Query, paging: Paging, scope: &str, rows: Vec<Row>) -> Reply {
        let (rows, more) = paging.cut(query, rows, |id| self.place_of(&format!("{scope}{id}")))?;
        let first = rows.first().map(|it| it.id.clone());
        let last = rows.last().map(|it| it.id.clone());
        let (more, last) = self.quirks.pages.bend(query, more, last);
        let data: Vec<Value> = rows.into_iter().map(|it| it.view).collect();
        Ok(envelope(more, json!({ "object": "list", "data": data, "first_id": first, "last_id": last })))
    }

    /// A list whose cursor is a text of its own.
    pub(super) fn page_by_next(&self, query: &Query, paging: Paging, rows: Vec<Row>) -> Reply {
        let place = |cursor: &str| u64::from_str_radix(cursor.strip_prefix("next_")?, 16).ok();
        let (rows, more) = paging.cut(query, rows, place)?;
        let bends = self.quirks.pages != Pages::Honest;
        let next = rows.last().filter(|_| more || bends).map(|it| format!("next_{:x}", it.place));
        let (more, next) = self.quirks.pages.bend(query, more, next);
        let data: Vec<Value> = rows.into_iter().map(|it| it.view).collect();
        Ok(envelope(more, json!({ "object": "list", "data": data, "next": next })))
    }
}

fn envelope(more: Option<bool>, mut list: Value) -> Value {
    if let Some(more) = more {
        list["has_more"] = more.into();
    }
    list
}

impl Pages {
    /// What a page says of more pages, and the cursor it gives.
    fn bend(self, query: &Query, more: bool, cursor: Option<String>) -> (Option<bool>, Option<String>) {
        match self {
            Self::Honest => (Some(more), cursor),
            Self::MoreWithoutCursor => (Some(true), None),
            Self::EndWithEmptyPage => (Some(true), cursor),
            Self::RepeatCursor => (Some(true), query.all("after").first().cloned().or(cursor)),
            Self::SayNothing => (None, cursor),
        }
    }
}
