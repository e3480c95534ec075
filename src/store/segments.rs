//! What leaves the store: the ledger's first rows, once they were exported, and what nothing refers to any more.

use std::path::Path;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::{Conn, Db, LedgerRow, Pools, StoreError, Verification, args};
use crate::domain::Timestamp;

/// For how long things are kept; `None` for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Jobs with their rows, in days after their end.
    pub jobs_days: Option<u32>,
    /// Approvals, in days after they ended.
    pub approvals_days: Option<u32>,
    /// Which calls the directory has taken in, in days; those that are open stay.
    pub calls_days: Option<u32>,
    /// Rows of the ledger that were exported, in days.
    pub ledger_days: Option<u32>,
    /// How many rows of the ledger stay, of those that were exported.
    pub ledger_rows: Option<u32>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { jobs_days: Some(90), approvals_days: Some(30), calls_days: Some(30), ledger_days: None, ledger_rows: None }
    }
}

/// The row before the first that is still there, and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    pub rows: i64,
    pub head: String,
}

const BASE: &str = "ledger_base";
const EXPORTED: &str = "ledger_exported";
const KEY: &str = "ledger_key";

/// How much is taken away in one transaction, so that nobody waits long for it.
const AT_ONCE: i64 = 200;

impl Conn {
    /// Where the ledger begins now; `None` where it begins with its first row.
    pub async fn ledger_base(&mut self) -> Result<Option<Base>, StoreError> {
        self.noted(BASE).await
    }

    /// The last row that was exported.
    pub async fn ledger_exported(&mut self) -> Result<Option<Base>, StoreError> {
        self.noted(EXPORTED).await
    }

    /// Notes that all rows up to this one were exported.
    pub async fn set_ledger_exported(&mut self, last: &Base) -> Result<(), StoreError> {
        self.note(EXPORTED, last).await
    }

    async fn noted(&mut self, name: &str) -> Result<Option<Base>, StoreError> {
        let Some(noted) = self.texts("SELECT value FROM settings WHERE name = $1", &args![name]).await?.pop() else { return Ok(None) };
        let read = noted.split_once(' ').and_then(|(rows, head)| Some(Base { rows: rows.parse().ok()?, head: head.to_owned() }));
        read.map(Some).ok_or_else(|| StoreError::Unreadable(format!("setting {name}")))
    }

    async fn note(&mut self, name: &str, it: &Base) -> Result<(), StoreError> {
        let sql = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.run(sql, &args![name, format!("{} {}", it.rows, it.head)]).await.map(drop)
    }

    /// The rows behind one, oldest first, at most 500.
    pub async fn ledger_behind(&mut self, seq: i64) -> Result<Vec<LedgerRow>, StoreError> {
        let sql = "SELECT seq, at, call_id, entry, body, prev, hash FROM ledger WHERE seq > $1 ORDER BY seq LIMIT 500";
        self.all(sql, &args![seq]).await
    }

    /// The key with which the head of what is exported is signed; made with the first use.
    pub async fn ledger_key(&mut self) -> Result<LedgerKey, StoreError> {
        let unreadable = || StoreError::Unreadable(format!("setting {KEY}"));
        let fresh = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).map_err(|_| unreadable())?;
        let kept = self.setting(KEY, &BASE64_STANDARD.encode(fresh)).await?;
        let kept = BASE64_STANDARD.decode(kept).map_err(|_| unreadable())?;
        Ed25519KeyPair::from_pkcs8(&kept).map(LedgerKey).map_err(|_| unreadable())
    }

    /// Takes exported rows off the ledger's beginning: those from before `before`, and those of which more than `most` would stay. Calls
    /// that are open keep their intents, and the last row stays. Answers how many; where there may be more, as many as are taken at once.
    pub async fn drop_ledger(&mut self, before: Option<Timestamp>, most: Option<i64>) -> Result<i64, StoreError> {
        let Some(exported) = self.ledger_exported().await? else { return Ok(0) };
        let base = self.ledger_base().await?.map_or(0, |it| it.rows);
        let last = self.number("SELECT MAX(seq) FROM ledger", &[]).await?;
        let sql = "SELECT MIN(l.seq) FROM open_intents o, ledger l WHERE l.call_id = o.call_id";
        let open = self.one::<(Option<i64>,)>(sql, &[]).await?.and_then(|it| it.0).unwrap_or(i64::MAX);
        let old = match before {
            // Clocks may have been set back: it ends before the first row that is not old.
            Some(before) => {
                let sql = "SELECT MIN(seq) FROM ledger WHERE at >= $1";
                self.one::<(Option<i64>,)>(sql, &args![before.0]).await?.and_then(|it| it.0).unwrap_or(last)
            }
            None => 0,
        };
        let many = most.map_or(0, |most| last - most + 1);
        let end = old.max(many).min(open).min(last).min(exported.rows + 1).min(base + 1 + AT_ONCE);
        if end <= base + 1 {
            return Ok(0);
        }
        let head = self.texts("SELECT hash FROM ledger WHERE seq = $1", &args![end - 1]).await?.pop();
        let head = head.ok_or_else(|| StoreError::Unreadable(format!("row {} of the ledger", end - 1)))?;
        self.note(BASE, &Base { rows: end - 1, head }).await?;
        for sql in ["DELETE FROM call_words WHERE seq < $1", "DELETE FROM ledger WHERE seq < $1"] {
            self.run(sql, &args![end]).await?;
        }
        Ok(end - 1 - base)
    }

    /// Takes away what has been over since before these times, and that nothing waits for. Answers whether there may be more.
    pub async fn forget(
        &mut self,
        jobs: Option<Timestamp>,
        approvals: Option<Timestamp>,
        calls: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let mut most = 0;
        if let Some(before) = jobs {
            let sql = "SELECT id FROM jobs WHERE status <> 'running' AND ended_at < $1 ORDER BY ended_at LIMIT 20";
            let old = self.texts(sql, &args![before.0]).await?;
            for id in &old {
                self.run("DELETE FROM job_rows WHERE job_id = $1", &args![id]).await?;
                self.run("DELETE FROM jobs WHERE id = $1", &args![id]).await?;
            }
            most = most.max(if old.len() == 20 { AT_ONCE } else { 0 });
        }
        if let Some(before) = approvals {
            let old = self.texts("SELECT id FROM approvals WHERE expires_at < $1 ORDER BY expires_at LIMIT 200", &args![before.0]).await?;
            for id in &old {
                self.run("DELETE FROM approval_votes WHERE approval_id = $1", &args![id]).await?;
                self.run("DELETE FROM approvals WHERE id = $1", &args![id]).await?;
            }
            most = most.max(i64::try_from(old.len()).unwrap_or_default());
        }
        if let Some(before) = calls {
            let sql = "DELETE FROM applied_calls WHERE call_id IN (SELECT a.call_id FROM applied_calls a WHERE a.at < $1 AND NOT EXISTS \
                       (SELECT 1 FROM open_intents o WHERE o.call_id = a.call_id) LIMIT 200)";
            most = most.max(i64::try_from(self.run(sql, &args![before.0]).await?).unwrap_or_default());
        }
        Ok(most >= AT_ONCE)
    }
}

/// The key that signs what is exported.
#[derive(Debug)]
pub struct LedgerKey(Ed25519KeyPair);

impl LedgerKey {
    /// By which others check what was signed.
    pub fn public(&self) -> String {
        BASE64_STANDARD.encode(self.0.public_key())
    }

    pub fn sign(&self, text: &str) -> String {
        BASE64_STANDARD.encode(self.0.sign(text.as_bytes()))
    }

    /// Whether a text was signed by the key of this public one.
    pub fn signed(public: &str, text: &str, signature: &str) -> bool {
        let decode = |text: &str| BASE64_STANDARD.decode(text).unwrap_or_default();
        ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, decode(public))
            .verify(text.as_bytes(), &decode(signature))
            .is_ok()
    }
}

impl Db {
    /// Takes away what need not be kept any more, a little at a time.
    pub async fn tidy(&self, kept: &Retention) -> Result<(), StoreError> {
        use super::transaction;
        loop {
            let more = transaction!(self.recording(), StoreError, tx => {
                let now = tx.now().await?;
                let since = |days: Option<u32>| days.map(|it| now.plus_seconds(-i64::from(it) * 24 * 3600));
                let more = tx.forget(since(kept.jobs_days), since(kept.approvals_days), since(kept.calls_days)).await?;
                let dropped = match (kept.ledger_days, kept.ledger_rows) {
                    (None, None) => 0,
                    (days, rows) => tx.drop_ledger(since(days), rows.map(i64::from)).await?,
                };
                Ok(more || dropped >= AT_ONCE)
            })?;
            if !more {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await; // others have their turn
        }
    }

    /// Copies a store in a file, while it is used, to a file that is not there yet, and checks the ledger of the copy.
    pub async fn backup(&self, to: &Path) -> Result<Verification, StoreError> {
        let folder = |source| StoreError::Folder { path: to.display().to_string(), source };
        let Pools::Sqlite { reader, .. } = self.pools().await? else {
            return Err(StoreError::Url("postgres://…` is copied by PostgreSQL's own pg_dump; `postgres://…".to_owned()));
        };
        // Made here, so that nobody else can read it; SQLite writes into an empty file.
        super::open::private_new_file(to).map_err(folder)?;
        let copied = sqlx::query("VACUUM INTO ?").bind(to.display().to_string()).execute(reader).await;
        let checked = async {
            copied?;
            std::fs::File::open(to).and_then(|it| it.sync_all()).map_err(folder)?;
            let copy = Self::read_only_at(&format!("sqlite:{}", to.display()));
            let mut conn = copy.read().await?;
            let sound = conn.texts("PRAGMA integrity_check", &[]).await?;
            if sound != ["ok"] {
                return Err(StoreError::Unreadable(format!("the copy: {}", sound.join("; "))));
            }
            let found = conn.verify_ledger().await?;
            drop(conn);
            copy.close().await;
            Ok(found)
        };
        let checked = checked.await;
        if checked.is_err() {
            let _ = std::fs::remove_file(to);
        }
        checked
    }
}
