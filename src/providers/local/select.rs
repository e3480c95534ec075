//! Statements that are put together from the conditions that are given, so that the database plans each for what it asks; pages by
//! keys of an index; and how many things there are.

use std::collections::HashMap;

use super::{Session, page::PageQuery};
use crate::{
    domain::{Counted, Query},
    store::{Row, StoreError, Val, args},
};

/// So many things are counted one by one for a total. Where there are more, and nobody keeps their number, there is no total.
pub(super) const COUNTED: i64 = 1000;

/// A statement that reads.
#[derive(Debug, Clone)]
pub(super) struct Select {
    columns: String,
    from: String,
    conditions: Vec<String>,
    values: Vec<Val>,
}

impl Select {
    /// `SELECT columns FROM from`. Where tables are joined with `CROSS JOIN`, SQLite reads them in that order.
    pub(super) fn new(columns: impl Into<String>, from: impl Into<String>) -> Self {
        Self { columns: columns.into(), from: from.into(), conditions: Vec::new(), values: Vec::new() }
    }

    /// Says what it reads from, where that has values of its own.
    pub(super) fn reads(&mut self, from: impl Into<String>) {
        self.from = from.into();
    }

    /// Binds a value; answers how the statement names it.
    pub(super) fn bind(&mut self, value: impl Into<Val>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// Adds a condition.
    pub(super) fn and(&mut self, condition: impl Into<String>) {
        self.conditions.push(condition.into());
    }

    /// Adds a condition in which `{}` is a value.
    pub(super) fn with(&mut self, condition: &str, value: impl Into<Val>) {
        let name = self.bind(value);
        self.and(condition.replace("{}", &name));
    }

    /// Adds the condition that one of these columns contains what is searched for.
    pub(super) fn with_part(&mut self, columns: &[&str], query: &Query) {
        let condition = self.part(columns, query);
        self.and(condition);
    }

    /// The condition that one of these columns contains what is searched for, with its accents or without.
    pub(super) fn part(&mut self, columns: &[&str], query: &Query) -> String {
        let patterns: Vec<String> = query.likes().into_iter().map(|it| self.bind(it)).collect();
        let ways = columns.iter().flat_map(|column| patterns.iter().map(move |it| format!("{column} LIKE {it} ESCAPE '\\'")));
        format!("({})", ways.collect::<Vec<_>>().join(" OR "))
    }

    fn body(&self) -> String {
        let all = self.conditions.join(" AND ");
        if all.is_empty() { self.from.clone() } else { format!("{} WHERE {all}", self.from) }
    }

    /// A part of another statement, in parentheses: the first rows in the order of `order`.
    pub(super) fn first(&self, order: &str, rows: i64) -> String {
        format!("SELECT {} FROM {} ORDER BY {order} LIMIT {rows}", self.columns, self.body())
    }

    /// Rows sorted by `keys`, which begin behind the keys of the page before.
    pub(super) async fn page<R: Row>(
        mut self,
        at: &mut Session,
        keys: &[&str],
        after: Option<Vec<String>>,
        page: &PageQuery,
    ) -> Result<Vec<R>, StoreError> {
        if let Some(after) = after {
            let places: Vec<String> = after.into_iter().map(|it| self.bind(it)).collect();
            self.and(match keys {
                [key] => format!("{key} > {}", places.join("")),
                keys => format!("({}) > ({})", keys.join(", "), places.join(", ")),
            });
        }
        at.db.all(&self.first(&keys.join(", "), page.rows()), &self.values).await
    }

    /// The first rows in an order.
    pub(super) async fn first_rows<R: Row>(&self, at: &mut Session, order: &str, rows: i64) -> Result<Vec<R>, StoreError> {
        at.db.all(&self.first(order, rows), &self.values).await
    }

    /// How many there are; one more than are counted where there are more than that.
    pub(super) async fn count(&self, at: &mut Session) -> Result<i64, StoreError> {
        let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM {} LIMIT {}) found", self.body(), COUNTED + 1);
        at.db.number(&sql, &self.values).await
    }

    /// How many there are among so many that are looked through; `None` where those are too many, or these.
    pub(super) async fn total(&self, at: &mut Session, among: i64) -> Result<Option<i64>, StoreError> {
        if among > COUNTED {
            return Ok(None);
        }
        Ok(Some(self.count(at).await?).filter(|it| *it <= COUNTED))
    }
}

/// What there is a number of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kept {
    /// People of an organization, a team or a project: their own memberships.
    Members,
    /// Teams of an organization.
    Teams,
    /// Active projects of an organization.
    Projects,
    /// Archived projects of an organization.
    Archived,
    /// Keys of a project or a service account; of an organization those that are not blocked.
    Keys,
}

impl Kept {
    fn name(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Teams => "teams",
            Self::Projects => "projects",
            Self::Archived => "archived",
            Self::Keys => "keys",
        }
    }
}

impl Session {
    /// The numbers that are kept of some owners.
    pub(super) async fn kept(&mut self, what: Kept, owners: impl IntoIterator<Item = &str>) -> Result<HashMap<String, i64>, StoreError> {
        let mut values = args![what.name()].to_vec();
        values.extend(owners.into_iter().map(Val::from));
        if values.len() == 1 {
            return Ok(HashMap::new());
        }
        let sql = format!(
            "SELECT owner_id, CAST(SUM(n) AS BIGINT) FROM counters WHERE what = $1 AND owner_id IN ({}) GROUP BY owner_id",
            places(2, values.len() - 1)
        );
        Ok(self.db.all::<(String, i64)>(&sql, &values).await?.into_iter().collect())
    }

    /// The number that is kept of one owner.
    pub(super) async fn kept_of(&mut self, what: Kept, owner: &str) -> Result<i64, StoreError> {
        let sql = "SELECT CAST(SUM(n) AS BIGINT) FROM counters WHERE owner_id = $1 AND what = $2";
        self.db.number(sql, &args![owner, what.name()]).await
    }
}

impl Session {
    /// How many texts a query selects, with the first few.
    pub(super) async fn counted(&mut self, sql: &str, values: &[Val]) -> Result<Counted, StoreError> {
        let names = self.db.texts(&format!("{sql} LIMIT {}", Counted::KEPT + 1), values).await?;
        if names.len() <= Counted::KEPT {
            return Ok(names.into());
        }
        let count = self.db.number(&format!("SELECT COUNT(*) FROM ({sql}) found"), values).await?;
        Ok(Counted::new(count.unsigned_abs(), names))
    }

    /// So many, with the first few that a query selects.
    pub(super) async fn so_many(&mut self, (count, sql): (i64, &str), values: &[Val]) -> Result<Counted, StoreError> {
        if count == 0 {
            return Ok(Counted::default());
        }
        let names = self.db.texts(&format!("{sql} LIMIT {}", Counted::KEPT), values).await?;
        Ok(Counted::new(count.unsigned_abs(), names))
    }

    /// What a change writes once nothing is read any more: a plan, which is rolled back in any case, does without it.
    pub(super) async fn last(&mut self, statements: &[&str], values: &[Val]) -> Result<(), StoreError> {
        if self.makes {
            for sql in statements {
                self.db.run(sql, values).await?;
            }
        }
        Ok(())
    }
}

/// `$2, $3, $4`: as many as there are values, from the first number on.
pub(super) fn places(first: usize, count: usize) -> String {
    (first..first + count).map(|it| format!("${it}")).collect::<Vec<_>>().join(", ")
}

/// The kept number of one of those that were read, for a view.
pub(super) fn of(kept: &HashMap<String, i64>, owner: &str) -> Option<u64> {
    u64::try_from(kept.get(owner).copied().unwrap_or_default()).ok()
}
