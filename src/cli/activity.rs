//! `rolecall activity`: past changes, and the check of the ledger.

use std::{io::Write as _, process::ExitCode};

use super::{Ended, Failure, Output};
use crate::{
    config::{Config, Overrides, Reach},
    domain::{Cursor, Limit, Timestamp},
    guard,
    store::{Db, StoreError, transaction},
    tools::context::{Activity as Call, ListActivity},
};

/// List past changes, made or refused, newest first.
#[derive(Debug, clap::Args)]
pub struct Activity {
    /// Verify every row of the ledger: its hash, and its link to the row before
    #[arg(long, conflicts_with_all = ["since", "limit"])]
    verify: bool,
    /// With --verify: verify only what was written since the ledger was last found intact
    #[arg(long, requires = "verify")]
    new: bool,
    /// List only changes since this time: 2026-11-22 or 2026-11-22T10:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// List at most this many
    #[arg(long, value_name = "N", default_value_t = 25)]
    limit: usize,
    #[command(flatten)]
    output: Output,
}

impl Activity {
    /// Lists calls, or checks the chain.
    pub async fn run(&self, overrides: &Overrides) -> Ended {
        let config = Config::load(overrides)?;
        if self.verify { verify(&Db::open(&config.store).await?, self.new, &self.output).await } else { self.list(&config).await }
    }

    async fn list(&self, config: &Config) -> Ended {
        let setup = config.setup(Reach::Local);
        let mut calls: Vec<Call> = Vec::new();
        let mut cursor: Option<Cursor> = None;
        while calls.len() < self.limit {
            let rest = i64::try_from((self.limit - calls.len()).min(100)).unwrap_or(100);
            let op = ListActivity {
                since: self.since.clone(),
                tool: None,
                member: None,
                outcome: None,
                limit: Limit::try_from(rest).ok(),
                cursor: cursor.take(),
            };
            let page = guard::list_activity(&setup.db, &op, None).await;
            let page = page.map_err(|error| Failure { code: 2, ..Failure::from(crate::error::CallError::from(error)) })?;
            calls.extend(page.items);
            match page.next_cursor {
                Some(next) => cursor = Some(Cursor(next)),
                None => break,
            }
        }
        let mut out = anstream::stdout().lock();
        if !self.output.is_table() {
            self.output.data(&mut out, &calls)?;
        } else if calls.is_empty() {
            writeln!(anstream::stderr(), "No change was made or refused yet.")?;
        } else {
            let row = |it: &Call| {
                let how = it.consent.as_deref().or(it.reason.as_deref()).unwrap_or_default();
                vec![it.at.to_string(), it.tool.clone(), it.target.clone(), it.outcome.name().to_owned(), how.to_owned(), it.client.clone()]
            };
            self.output.table(&mut out, &["at", "tool", "target", "outcome", "consent or reason", "client"], calls.iter().map(row))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn verify(db: &Db, new: bool, output: &Output) -> Ended {
    let mut conn = db.read().await?;
    let anchor = if new { conn.anchor().await? } else { None };
    let found = match &anchor {
        Some(anchor) => conn.verify_ledger_since(anchor).await?,
        None => conn.verify_ledger().await?,
    };
    drop(conn);
    if found.broken.is_none() {
        transaction!(db, StoreError, tx => { tx.set_anchor(&found).await })?;
    }
    let mut out = anstream::stdout().lock();
    if output.is_table() {
        writeln!(out, "rows  {}\nhead  {}", found.rows, found.head)?;
        if found.broken.is_none() {
            match &anchor {
                None => writeln!(out, "OK: no row was changed, removed or inserted.")?,
                Some(it) => writeln!(
                    out,
                    "OK: after row {} no row was changed, removed or inserted; up to that row all were verified at {}.",
                    it.rows,
                    Timestamp(it.at)
                )?,
            }
        }
    } else {
        let broken = found.broken.map(|(row, why)| serde_json::json!({ "row": row, "why": why }));
        let checked_before = anchor.as_ref().map(|it| serde_json::json!({ "rows": it.rows, "at": Timestamp(it.at) }));
        let report = serde_json::json!({
            "ok": broken.is_none(), "rows": found.rows, "head": found.head, "broken": broken, "checked_before": checked_before,
        });
        output.data(&mut out, &report)?;
    }
    match found.broken {
        None => Ok(ExitCode::SUCCESS),
        Some((row, why)) => {
            let fix = "everything before that row is as it was written; compare with a backup, and find out who can write to the store";
            Err(Failure::new(format!("the ledger is broken at row {row}: {why}"), fix))
        }
    }
}
