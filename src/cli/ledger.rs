//! `rolecall ledger`: the ledger in a file that others can check.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde::{Deserialize, Serialize};

use super::{Ended, Failure};
use crate::{
    config::{Config, Overrides},
    domain::Timestamp,
    store::{Base, LedgerKey, LedgerRow, StoreError, private_new_file, transaction},
};

/// Export the ledger to a file, or verify such a file.
#[derive(Debug, clap::Args)]
pub struct Ledger {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Write the ledger to a new file: a row a line as JSON, then its head, signed
    Export {
        /// Write only what was not exported before
        #[arg(long)]
        new: bool,
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Verify an exported file: each row, the chain, and the signature of its head
    Verify {
        /// Accept only this public key, which `rolecall ledger export` told
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// The last line of an exported file.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    /// The hash of the last row.
    head: String,
    /// The numbers of the first and the last row.
    first: i64,
    last: i64,
    exported_at: String,
    key: String,
    /// Over the text of [`Head::text`].
    signature: String,
}

impl Head {
    fn text(&self) -> String {
        format!("rolecall ledger 1\n{}\n{}\n{}\n{}", self.first, self.last, self.head, self.exported_at)
    }
}

impl Ledger {
    /// Exports, or verifies.
    pub async fn run(&self, overrides: &Overrides) -> Ended {
        match &self.command {
            Command::Export { new, file } => export(&Config::load(overrides)?, *new, file).await,
            Command::Verify { key, file } => verify(file, key.as_deref()),
        }
    }
}

async fn export(config: &Config, new: bool, file: &Path) -> Ended {
    let db = config.db();
    let mut conn = db.read().await?;
    let start = if new { conn.ledger_exported().await? } else { None };
    let start = match start {
        Some(it) => Some(it),
        None => conn.ledger_base().await?,
    };
    let mut at = start.map_or(0, |it| it.rows);
    let first = at + 1;
    let cannot = |error: std::io::Error| Failure::new(format!("{} cannot be written: {error}", file.display()), "name a new file");
    private_new_file(file).map_err(cannot)?;
    let mut out = BufWriter::new(File::options().append(true).open(file).map_err(cannot)?);
    let mut head = None;
    loop {
        let rows = conn.ledger_behind(at).await?;
        let Some(last) = rows.last() else { break };
        (at, head) = (last.seq, Some(last.hash.clone()));
        for row in &rows {
            writeln!(out, "{}", serde_json::to_string(row).map_err(std::io::Error::from)?).map_err(cannot)?;
        }
    }
    drop(conn);
    let Some(head) = head else {
        drop(out);
        let _ = std::fs::remove_file(file);
        return Err(Failure::new("there is no row to export; no file was written", "export again once something was changed"));
    };
    let key = transaction!(db, StoreError, tx => { tx.ledger_key().await })?;
    let mut end = Head { head, first, last: at, exported_at: Timestamp::now().to_string(), key: key.public(), signature: String::new() };
    end.signature = key.sign(&end.text());
    writeln!(out, "{}", serde_json::to_string(&end).map_err(std::io::Error::from)?).map_err(cannot)?;
    let out = out.into_inner().map_err(|error| cannot(error.into_error()))?;
    out.sync_all().map_err(cannot)?;
    // What may be taken off the store is what can be read again.
    let read = read(file, Some(&end.key))?;
    let last = Base { rows: read.last, head: read.head };
    transaction!(db, StoreError, tx => { tx.set_ledger_exported(&last).await })?;
    tell(&end, file)?;
    db.close().await;
    Ok(ExitCode::SUCCESS)
}

fn verify(file: &Path, key: Option<&str>) -> Ended {
    let end = read(file, key)?;
    tell(&end, file)?;
    let mut out = anstream::stdout();
    writeln!(out, "OK: no row was changed, removed or inserted.")?;
    if key.is_none() {
        writeln!(out, "The head is signed by the key above; compare it with the one that the export printed, or give it with --key.")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(end: &Head, file: &Path) -> std::io::Result<()> {
    let mut out = anstream::stdout();
    writeln!(out, "file  {}\nrows  {} to {}\nhead  {}\nkey   {}", file.display(), end.first, end.last, end.head, end.key)
}

/// Reads a file and checks all of it.
fn read(file: &Path, key: Option<&str>) -> Result<Head, Failure> {
    let fix = "compare with another copy of the file, and find out who can write to it";
    let wrong = |what: String| Failure::new(format!("{}: {what}", file.display()), fix);
    let text = File::open(file).map_err(|error| Failure::usage(format!("{} cannot be read: {error}", file.display()), "name a file"))?;
    let mut before: Option<LedgerRow> = None;
    let (mut first, mut end): (Option<i64>, Option<Head>) = (None, None);
    for (at, line) in BufReader::new(text).lines().enumerate() {
        let line = line.map_err(|error| wrong(error.to_string()))?;
        if end.is_some() {
            return Err(wrong(format!("line {} comes after the head", at + 1)));
        }
        if let Ok(head) = serde_json::from_str::<Head>(&line) {
            end = Some(head);
            continue;
        }
        let row: LedgerRow = serde_json::from_str(&line).map_err(|_| wrong(format!("line {} is no row of a ledger", at + 1)))?;
        if !row.is_whole() {
            return Err(wrong(format!("row {} was changed after it was written", row.seq)));
        }
        if before.as_ref().is_some_and(|it| it.seq + 1 != row.seq || it.hash != row.prev) {
            return Err(wrong(format!("row {} does not follow the row before it", row.seq)));
        }
        first = first.or(Some(row.seq));
        before = Some(row);
    }
    let end = end.ok_or_else(|| wrong("it has no signed head: its end is missing".to_owned()))?;
    let is_its_head = before.is_some_and(|it| it.seq == end.last && it.hash == end.head) && first == Some(end.first);
    if !is_its_head {
        return Err(wrong("its head is not that of its rows".to_owned()));
    }
    if !LedgerKey::signed(&end.key, &end.text(), &end.signature) {
        return Err(wrong("its head has no valid signature".to_owned()));
    }
    match key {
        Some(key) if key != end.key => Err(wrong(format!("its head is signed by another key, {}", end.key))),
        _ => Ok(end),
    }
}
