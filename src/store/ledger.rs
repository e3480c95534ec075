//! The ledger: append-only rows, each chained to the one before by its hash.

use serde_json::Value;

use super::{Conn, StoreError, Val, args, row, sha256};
use crate::domain::Timestamp;

/// What a row of the ledger tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A change is about to be sent.
    Intent,
    /// How it ended.
    Outcome,
    /// A change that was not sent, and why.
    Refusal,
    /// A person's answer to a change that waits.
    Answer,
}

impl EntryKind {
    fn name(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Outcome => "outcome",
            Self::Refusal => "refusal",
            Self::Answer => "answer",
        }
    }
}

row! {
    /// A row of the ledger.
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct LedgerRow { seq: i64, at: i64, call_id: String, entry: String, body: String, prev: String, hash: String }
}

impl LedgerRow {
    fn digest(&self) -> String {
        let Self { seq, at, call_id, entry, body, prev, .. } = self;
        sha256(format!("{seq}\n{at}\n{call_id}\n{entry}\n{body}\n{prev}"))
    }

    /// Whether it has the hash of what it says.
    pub fn is_whole(&self) -> bool {
        self.hash == self.digest()
    }

    pub fn body(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// What a check of the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    pub rows: i64,
    /// The last hash; whoever has noted it elsewhere can tell that nothing was cut off or rewritten since.
    pub head: String,
    /// The first row that does not fit, and what is wrong with it.
    pub broken: Option<(i64, &'static str)>,
}

/// The head of a chain that was found whole, as it is noted in the store. Whoever can rewrite the ledger can rewrite this, too; what is
/// noted elsewhere can be held against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    pub rows: i64,
    pub head: String,
    /// When.
    pub at: i64,
}

/// The name of the setting.
const ANCHOR: &str = "ledger_anchor";

const CHANGED: &str = "it was changed after it was written";

/// Which calls are read, and from where on.
#[derive(Debug, Clone, Copy)]
pub struct CallPage<'a> {
    /// Only rows with a lower number.
    pub before: i64,
    pub since: Option<i64>,
    /// Only from before this time.
    pub until: Option<i64>,
    /// Only a job and its rows.
    pub job: Option<&'a str>,
    pub tool: Option<&'a str>,
    /// Whose calls.
    pub principal: Option<&'a str>,
    pub outcome: Option<&'a str>,
    /// What the target or the arguments name, in lower case.
    pub word: Option<&'a str>,
    /// How many at most.
    pub rows: i64,
}

row! {
    /// An intent without an outcome; `at` is the store's time.
    pub struct OpenIntent { call_id: String, at: i64 }
}

row! {
    /// What the next row follows.
    struct Tail { seq: i64, hash: String }
}

row! {
    /// How many calls of a day ended in a way; the day is counted from 1970.
    pub struct CallsOfDay { day: i64, outcome: String, calls: i64 }
}

/// The calls of rows of one kind.
fn calls_of<'a>(rows: &[(&'a str, EntryKind, &Value)], kind: EntryKind) -> Vec<&'a str> {
    rows.iter().filter(|it| it.1 == kind).map(|it| it.0).collect()
}

/// `$3, $4, $5`: places for `count` values from the `first` on.
fn places(first: usize, count: usize) -> String {
    (first..first + count).map(|it| format!("${it}")).collect::<Vec<_>>().join(", ")
}

/// How many things one statement names at most.
const PIECE: usize = 64;

/// A list in pieces of few lengths (64, 32, … 1), so that few different statements are prepared.
fn pieces<T>(list: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let length = PIECE.min(1 << rest.len().checked_ilog2()?);
        let piece;
        (piece, rest) = rest.split_at(length);
        Some(piece)
    })
}

const COLUMNS: &str = "SELECT seq, at, call_id, entry, body, prev, hash FROM ledger";

const COLUMNS_OF_CALL: &str = "SELECT l.seq, l.at, l.call_id, l.entry, l.body, l.prev, l.hash";

/// The ledger's schema has no such rows; whoever can write to the store may have gone around it.
const NOT_NUMBERED: &str = "seq IS NULL OR NOT (seq > 0 AND seq = CAST(seq AS BIGINT))";

/// The hash before the first row.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

impl Conn {
    /// Appends a row; inside a transaction, so that no other process takes its number.
    pub async fn append(&mut self, call_id: &str, kind: EntryKind, body: &Value) -> Result<(), StoreError> {
        self.append_all(&[(call_id, kind, body)]).await
    }

    /// Appends rows; inside a transaction, so that no other process takes their numbers. An intent is open until its outcome is there.
    pub async fn append_all(&mut self, rows: &[(&str, EntryKind, &Value)]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        self.ledger_turn().await?;
        let last: Option<Tail> = self.one("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1", &[]).await?;
        let (mut seq, mut prev) = last.map_or((0, GENESIS.to_owned()), |it| (it.seq, it.hash));
        let mut chain = Vec::with_capacity(rows.len());
        for &(call_id, kind, body) in rows {
            seq += 1;
            let mut row = LedgerRow {
                seq,
                at: Timestamp::now().0,
                call_id: call_id.to_owned(),
                entry: kind.name().to_owned(),
                body: body.to_string(),
                prev: std::mem::take(&mut prev),
                hash: String::new(),
            };
            row.hash = row.digest();
            prev.clone_from(&row.hash);
            chain.push(row);
        }
        for piece in pieces(&chain) {
            let mut values = Vec::with_capacity(7 * piece.len());
            for it in piece {
                values.extend(args![it.seq, it.at, &it.call_id, &it.entry, &it.body, &it.prev, &it.hash]);
            }
            let rows: Vec<String> = (0..piece.len()).map(|at| format!("({})", places(7 * at + 1, 7))).collect();
            let sql = format!("INSERT INTO ledger (seq, at, call_id, entry, body, prev, hash) VALUES {}", rows.join(", "));
            let written = self.run(&sql, &values).await;
            // A program of a version that takes no turn may be at work on the same store: then this one comes too late.
            written.map_err(|error| if error.is_duplicate() { StoreError::Busy } else { error })?;
        }
        // What begins and ends here was never open.
        let (mut begun, mut ended) = (calls_of(rows, EntryKind::Intent), calls_of(rows, EntryKind::Outcome));
        let whole: Vec<&str> = begun.iter().filter(|it| ended.contains(it)).copied().collect();
        begun.retain(|it| !whole.contains(it));
        ended.retain(|it| !whole.contains(it));
        self.opened(&begun).await?;
        self.add_ends(rows).await?;
        self.closed(&ended).await
    }

    /// Waits until nobody else appends, until the end of the transaction. Whoever looks at the ledger and appends by what it says has to
    /// have its turn before the look; it is taken last, so that nobody who has it waits for something else.
    pub async fn ledger_turn(&mut self) -> Result<(), StoreError> {
        self.turn("ledger_turn").await
    }

    async fn opened(&mut self, calls: &[&str]) -> Result<(), StoreError> {
        if calls.is_empty() {
            return Ok(());
        }
        let now = self.now().await?;
        for piece in pieces(calls) {
            let mut values = args![now.0].to_vec();
            values.extend(piece.iter().map(|it| Val::from(*it)));
            let rows: Vec<String> = (2..=values.len()).map(|at| format!("(${at}, $1, 0)")).collect();
            let sql =
                format!("INSERT INTO open_intents (call_id, at, looked_at) VALUES {} ON CONFLICT (call_id) DO NOTHING", rows.join(", "));
            self.run(&sql, &values).await?;
        }
        Ok(())
    }

    async fn closed(&mut self, calls: &[&str]) -> Result<(), StoreError> {
        for piece in pieces(calls) {
            let values: Vec<Val> = piece.iter().map(|it| Val::from(*it)).collect();
            self.run(&format!("DELETE FROM open_intents WHERE call_id IN ({})", places(1, piece.len())), &values).await?;
        }
        Ok(())
    }

    /// Calls, newest first: their intent or refusal rows.
    pub async fn calls(&mut self, page: &CallPage<'_>) -> Result<Vec<LedgerRow>, StoreError> {
        let mut values = args![page.before, page.rows].to_vec();
        let mut bind = |it: Val| {
            values.push(it);
            format!("${}", values.len())
        };
        let (mut sql, seq) = match page.word {
            None => (format!("{COLUMNS_OF_CALL} FROM calls c CROSS JOIN ledger l WHERE l.seq = c.seq"), "c.seq"),
            Some(word) => {
                let word = bind(word.into());
                let from = format!("FROM call_words w CROSS JOIN calls c CROSS JOIN ledger l WHERE w.word = {word}");
                (format!("{COLUMNS_OF_CALL} {from} AND c.seq = w.seq AND l.seq = w.seq"), "w.seq")
            }
        };
        sql += &format!(" AND {seq} < $1");
        for (column, wanted) in [("tool", page.tool), ("principal", page.principal), ("outcome", page.outcome)] {
            if let Some(wanted) = wanted {
                sql += &format!(" AND c.{column} = {}", bind(wanted.into()));
            }
        }
        if let Some(until) = page.until {
            sql += &format!(" AND c.at < {}", bind(until.into()));
        }
        if let Some(job) = page.job {
            let job = bind(job.into());
            sql += &format!(
                " AND c.call_id IN (SELECT call_id FROM job_rows WHERE job_id = {job} AND call_id IS NOT NULL UNION SELECT call_id FROM jobs WHERE id = {job})"
            );
        }
        if let Some(since) = page.since {
            let first = "SELECT seq FROM calls WHERE latest >= $1 ORDER BY latest, seq LIMIT 1";
            let Some((first,)) = self.one::<(i64,)>(first, &args![since]).await? else { return Ok(Vec::new()) };
            // A clock that was set back has left earlier times among those behind the first.
            sql += &format!(" AND {seq} >= {} AND c.at >= {}", bind(first.into()), bind(since.into()));
        }
        self.all(&format!("{sql} ORDER BY {seq} DESC LIMIT $2"), &values).await
    }

    /// How many calls there were by day and outcome, since a time.
    pub async fn calls_by_day(&mut self, since: Timestamp) -> Result<Vec<CallsOfDay>, StoreError> {
        let sql = "SELECT CAST(at / 86400000 AS BIGINT) AS day, outcome, COUNT(*) AS calls FROM calls WHERE latest >= $1 AND at >= $1 \
                   GROUP BY 1, 2 ORDER BY 1, 2";
        self.all(sql, &args![since.0]).await
    }

    /// The outcomes of calls, oldest first.
    pub async fn outcomes(&mut self, calls: &[&str]) -> Result<Vec<LedgerRow>, StoreError> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let values: Vec<Val> = calls.iter().map(|it| Val::from(*it)).collect();
        let sql = format!("{COLUMNS} WHERE entry = 'outcome' AND call_id IN ({}) ORDER BY seq", places(1, calls.len()));
        self.all(&sql, &values).await
    }

    /// The people who approved each of some changes that waited for them: the approval and the person.
    pub async fn approvers(&mut self, approvals: &[&str]) -> Result<Vec<(String, String)>, StoreError> {
        if approvals.is_empty() {
            return Ok(Vec::new());
        }
        let values: Vec<Val> = approvals.iter().map(|it| Val::from(*it)).collect();
        let sql = format!("{COLUMNS} WHERE entry = 'answer' AND call_id IN ({}) ORDER BY seq", places(1, approvals.len()));
        let rows: Vec<LedgerRow> = self.all(&sql, &values).await?;
        let person = |row: &LedgerRow| {
            let body = row.body();
            let said = body["person"].as_str().filter(|_| body["answer"] == "approved")?;
            Some((row.call_id.clone(), said.to_owned()))
        };
        Ok(rows.iter().filter_map(person).collect())
    }

    /// The intents that began some jobs: the job and its row of the ledger.
    pub async fn beginnings(&mut self, jobs: &[&str]) -> Result<Vec<(String, LedgerRow)>, StoreError> {
        let mut found = Vec::new();
        for id in jobs {
            let Some(job) = self.job(id).await? else { continue };
            let intent = self.entries(&job.call_id, EntryKind::Intent).await?.into_iter().next();
            found.extend(intent.map(|it| ((*id).to_owned(), it)));
        }
        Ok(found)
    }

    /// A call's rows of one kind, oldest first.
    pub async fn entries(&mut self, call_id: &str, kind: EntryKind) -> Result<Vec<LedgerRow>, StoreError> {
        self.all(&format!("{COLUMNS} WHERE call_id = $1 AND entry = $2 ORDER BY seq"), &args![call_id, kind.name()]).await
    }

    /// Intents from before `at` that have no outcome and that nobody has looked at since `looked_at`: those first that were looked at
    /// longest ago, so that none that nobody can settle stands in others' way.
    pub async fn open_intents(&mut self, at: Timestamp, looked_at: Timestamp) -> Result<Vec<OpenIntent>, StoreError> {
        let sql = "SELECT call_id, at FROM open_intents WHERE at < $1 AND looked_at < $2 ORDER BY looked_at, at, call_id LIMIT 100";
        self.all(sql, &args![at.0, looked_at.0]).await
    }

    /// Notes that somebody has looked what became of these.
    pub async fn looked_at(&mut self, calls: &[&str], now: Timestamp) -> Result<(), StoreError> {
        if calls.is_empty() {
            return Ok(());
        }
        // Those who close intents change these rows in another order.
        self.ledger_turn().await?;
        let mut values = args![now.0].to_vec();
        values.extend(calls.iter().map(|it| Val::from(*it)));
        let sql = format!("UPDATE open_intents SET looked_at = $1 WHERE call_id IN ({})", places(2, calls.len()));
        self.run(&sql, &values).await.map(drop)
    }

    /// Checks every row against its hash and the row before, and that no row stands beside the chain.
    pub async fn verify_ledger(&mut self) -> Result<Verification, StoreError> {
        // Asked first: such a row may have a number that cannot be read as one.
        let beside = self.number(&format!("SELECT COUNT(*) FROM ledger WHERE {NOT_NUMBERED}"), &[]).await?;
        let strays = self.number("SELECT COUNT(*) FROM ledger_strays", &[]).await?;
        if beside + strays > 0 {
            return Ok(Verification {
                rows: 0,
                head: GENESIS.to_owned(),
                broken: Some((0, "rows stand beside the chain, without a number in it")),
            });
        }
        let mut found = self.verify_ledger_behind(0).await?;
        if found.broken.is_none() {
            // What was written in the meantime has higher numbers.
            let rows = self.number("SELECT COUNT(*) FROM ledger WHERE seq <= $1", &args![found.rows]).await?;
            let exported = self.ledger_base().await?.map_or(0, |it| it.rows);
            found.broken = (rows != found.rows - exported).then_some((found.rows, "rows up to it have the same number"));
        }
        Ok(found)
    }

    /// The number of the last row; 0 where there is none.
    pub async fn ledger_rows(&mut self) -> Result<i64, StoreError> {
        self.number("SELECT MAX(seq) FROM ledger", &[]).await
    }

    /// Checks the rows behind one, and that one against its own hash.
    pub async fn verify_ledger_behind(&mut self, seq: i64) -> Result<Verification, StoreError> {
        let mut found = Verification { rows: 0, head: GENESIS.to_owned(), broken: None };
        let base = self.ledger_base().await?;
        if let Some(base) = base.filter(|it| it.rows >= seq) {
            // What came before was exported and taken off: the chain goes on from there.
            found = Verification { rows: base.rows, head: base.head, broken: None };
        } else if seq > 0 {
            let row: Option<LedgerRow> = self.one(&format!("{COLUMNS} WHERE seq = $1"), &args![seq]).await?;
            match row {
                Some(row) if row.hash == row.digest() => found = Verification { rows: seq, head: row.hash, broken: None },
                Some(_) => return Ok(Verification { broken: Some((seq, CHANGED)), ..found }),
                None => return Ok(Verification { broken: Some((seq, "it is missing")), ..found }),
            }
        }
        loop {
            let rows: Vec<LedgerRow> = self.all(&format!("{COLUMNS} WHERE seq > $1 ORDER BY seq LIMIT 500"), &args![found.rows]).await?;
            if rows.is_empty() {
                return Ok(found);
            }
            for row in rows {
                let fault = if row.seq != found.rows + 1 {
                    Some("a row before it is missing")
                } else if row.prev != found.head {
                    Some("it does not follow the row before it")
                } else if row.hash != row.digest() {
                    Some(CHANGED)
                } else {
                    None
                };
                if let Some(fault) = fault {
                    found.broken = Some((row.seq, fault));
                    return Ok(found);
                }
                found.rows = row.seq;
                found.head = row.hash;
            }
        }
    }

    /// Checks what was written since the chain was last found whole, and that the row which was its head then still has that hash.
    pub async fn verify_ledger_since(&mut self, anchor: &Anchor) -> Result<Verification, StoreError> {
        let hash = match self.ledger_base().await? {
            Some(base) if base.rows == anchor.rows => Some(base.head),
            Some(base) if base.rows > anchor.rows => return self.verify_ledger_behind(0).await,
            _ => self.texts("SELECT hash FROM ledger WHERE seq = $1", &args![anchor.rows]).await?.into_iter().next(),
        };
        if anchor.rows > 0 && hash.is_none_or(|it| it != anchor.head) {
            return Ok(Verification {
                rows: 0,
                head: anchor.head.clone(),
                broken: Some((anchor.rows, "it was another one when the ledger was checked")),
            });
        }
        self.verify_ledger_behind(anchor.rows).await
    }

    /// What was noted when the chain was last found whole.
    pub async fn anchor(&mut self) -> Result<Option<Anchor>, StoreError> {
        let noted = self.texts("SELECT value FROM settings WHERE name = $1", &args![ANCHOR]).await?.into_iter().next();
        let Some(noted) = noted else { return Ok(None) };
        let mut parts = noted.split(' ');
        let mut number = || parts.next().and_then(|it| it.parse().ok());
        Ok(number().zip(number()).zip(noted.split(' ').nth(2)).map(|((rows, at), head)| Anchor { rows, at, head: head.to_owned() }))
    }

    /// Notes that the chain was found whole.
    pub async fn set_anchor(&mut self, found: &Verification) -> Result<(), StoreError> {
        let noted = format!("{} {} {}", found.rows, Timestamp::now().0, found.head);
        let sql = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.run(sql, &args![ANCHOR, noted]).await.map(drop)
    }
}
