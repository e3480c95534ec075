//! The ledger: append-only rows, each chained to the one before by its hash.

use serde_json::Value;

use super::{Conn, StoreError, args, row, sha256};
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
    pub struct LedgerRow { seq: i64, at: i64, call_id: String, entry: String, body: String, prev: String, hash: String }
}

impl LedgerRow {
    fn digest(&self) -> String {
        let Self { seq, at, call_id, entry, body, prev, .. } = self;
        sha256(format!("{seq}\n{at}\n{call_id}\n{entry}\n{body}\n{prev}"))
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

const COLUMNS: &str = "SELECT seq, at, call_id, entry, body, prev, hash FROM ledger";

/// The hash before the first row.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

impl Conn {
    /// Appends a row; inside a transaction, so that no other process takes its number.
    pub async fn append(&mut self, call_id: &str, kind: EntryKind, body: &Value) -> Result<(), StoreError> {
        self.append_all(&[(call_id, kind, body)]).await
    }

    /// Appends rows; inside a transaction, so that no other process takes their numbers.
    pub async fn append_all(&mut self, rows: &[(&str, EntryKind, &Value)]) -> Result<(), StoreError> {
        let last: Option<LedgerRow> = self.one(&format!("{COLUMNS} ORDER BY seq DESC LIMIT 1"), &[]).await?;
        let (mut seq, mut prev) = last.map_or((0, GENESIS.to_owned()), |it| (it.seq, it.hash));
        for &(call_id, kind, body) in rows {
            seq += 1;
            let mut row = LedgerRow {
                seq,
                at: Timestamp::now().0,
                call_id: call_id.to_owned(),
                entry: kind.name().to_owned(),
                body: body.to_string(),
                prev,
                hash: String::new(),
            };
            row.hash = row.digest();
            let sql = "INSERT INTO ledger (seq, at, call_id, entry, body, prev, hash) VALUES ($1, $2, $3, $4, $5, $6, $7)";
            self.run(sql, &args![row.seq, row.at, &row.call_id, &row.entry, &row.body, &row.prev, &row.hash]).await?;
            prev = row.hash;
        }
        Ok(())
    }

    /// Calls, newest first: their intent or refusal rows before `seq`.
    pub async fn calls_before(&mut self, seq: i64, since: i64, rows: i64) -> Result<Vec<LedgerRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE entry IN ('intent', 'refusal') AND seq < $1 AND at >= $2 ORDER BY seq DESC LIMIT $3");
        self.all(&sql, &args![seq, since, rows]).await
    }

    /// A call's rows of one kind, oldest first.
    pub async fn entries(&mut self, call_id: &str, kind: EntryKind) -> Result<Vec<LedgerRow>, StoreError> {
        self.all(&format!("{COLUMNS} WHERE call_id = $1 AND entry = $2 ORDER BY seq"), &args![call_id, kind.name()]).await
    }

    /// Intents from before `at` that no outcome was written for.
    pub async fn open_intents(&mut self, at: i64) -> Result<Vec<LedgerRow>, StoreError> {
        let sql = format!(
            "{COLUMNS} WHERE entry = 'intent' AND at < $1 AND call_id NOT IN (SELECT call_id FROM ledger WHERE entry = 'outcome') ORDER BY seq LIMIT 100"
        );
        self.all(&sql, &args![at]).await
    }

    /// Checks every row against its hash and the row before.
    pub async fn verify_ledger(&mut self) -> Result<Verification, StoreError> {
        let mut found = Verification { rows: 0, head: GENESIS.to_owned(), broken: None };
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
                    Some("it was changed after it was written")
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
}
