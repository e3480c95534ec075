//! Pages by number.

use serde_json::{Map, Value, json};

use super::{Request, quirks::Quirks, refusal::Refusal};

/// What a caller wants to see of a list.
#[derive(Debug)]
pub(super) struct Page {
    start: usize,
    size: usize,
    pub(super) ascending: bool,
    /// In the spelling of a role's `type`; all where it is empty.
    pub(super) role_types: Vec<String>,
}

impl Page {
    /// Reads and checks the paging of a call. `order` are the keys it may name, `types` the role types.
    pub(super) fn of(request: &Request<'_>, order: &[&str], refusal: &str, types: &[&str]) -> Result<Self, Refusal> {
        let number = |name: &str, absent: usize| match request.param(name) {
            None => Ok(absent),
            Some(text) => text.parse().ok().filter(|it| *it > 0).ok_or_else(|| Refusal::out_of_range(name)),
        };
        if request.param("orderKey").is_some_and(|it| !order.contains(&it)) {
            return Err(Refusal::new(400, 400, format!("Invalid order ({refusal})")));
        }
        let ascending = match request.param("orderDirection").unwrap_or("desc") {
            "asc" => true,
            "desc" => false,
            _ => return Err(Refusal::out_of_range("orderDirection")),
        };
        let mut role_types = Vec::new();
        for asked in request.param("roleTypes").unwrap_or_default().split(',').map(str::trim).filter(|it| !it.is_empty()) {
            let known = types.iter().find(|it| it.eq_ignore_ascii_case(asked));
            role_types.push((*known.ok_or_else(|| Refusal::out_of_range("roleTypes"))?).to_owned());
        }
        Ok(Self { start: number("startPage", 1)?, size: number("pageSize", 20)?, ascending, role_types })
    }

    /// Sorts by a name, cuts the page out, and counts.
    pub(super) fn cut(&self, mut items: Vec<(String, Value)>, quirks: &Quirks) -> (Map<String, Value>, Vec<Value>) {
        items.sort_by(|one, other| if self.ascending { one.0.cmp(&other.0) } else { other.0.cmp(&one.0) });
        let count = items.len();
        let pages = count.div_ceil(self.size).max(usize::from(quirks.one_page_of_nothing));
        let mut head = Map::new();
        head.insert("count".to_owned(), json!(count));
        head.insert("pages".to_owned(), json!(pages));
        let skipped = (self.start - 1).saturating_mul(self.size);
        (head, items.into_iter().skip(skipped).take(self.size).map(|it| it.1).collect())
    }

    pub(super) fn wants(&self, role_type: &str) -> bool {
        self.role_types.is_empty() || self.role_types.iter().any(|it| it == role_type)
    }
}
