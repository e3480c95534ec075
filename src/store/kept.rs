//! The time of a store on SQLite: one that only goes forward, and is the same for all processes on its machine.

use sqlx::SqlitePool;

use super::{
    Clock,
    open::{Opened, Pools},
};
use crate::domain::Timestamp;

/// The time of a store in a file.
#[derive(Debug, Clone)]
pub struct KeptTime {
    pub(super) clock: Clock,
    /// What the store's time was when the machine was started; `None` where nobody knows when that was, and its clock has to do.
    pub(super) origin: Option<i64>,
}

impl KeptTime {
    /// The time now.
    pub(super) fn now(&self) -> Timestamp {
        let since = self.origin.and_then(|origin| Some(origin + self.clock.since_start()?.1));
        since.map_or_else(|| self.clock.now(), Timestamp)
    }
}

/// The name of the setting: which start of the machine, the time then, and the latest time that is known.
const SETTING: &str = "store_clock";

/// What the store's time was when the machine was started. The first process after that agrees with the clock on the wall, unless the
/// store knows that it was later already; all others take its word.
pub(super) async fn origin(opened: &Opened, clock: &Clock) -> Option<i64> {
    let Pools::Sqlite { writer, reader } = &opened.pools else { return None };
    let (start, _) = clock.since_start()?;
    let writer = Some(writer).filter(|_| opened.read_only.is_none());
    match kept(reader, writer, clock, &start).await {
        Ok(origin) => origin,
        Err(error) => {
            tracing::warn!(%error, "the store's time could not be kept; the machine's clock is used");
            None
        }
    }
}

async fn kept(reader: &SqlitePool, writer: Option<&SqlitePool>, clock: &Clock, start: &str) -> Result<Option<i64>, sqlx::Error> {
    const READ: &str = "SELECT value FROM settings WHERE name = $1";
    let known: Option<String> = sqlx::query_scalar(READ).bind(SETTING).fetch_optional(reader).await?;
    if let Some(origin) = known.as_deref().and_then(|it| of_start(it, start)) {
        return Ok(Some(origin));
    }
    let Some(writer) = writer else { return Ok(None) };
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
    let known: Option<String> = sqlx::query_scalar(READ).bind(SETTING).fetch_optional(&mut *tx).await?;
    if let Some(origin) = known.as_deref().and_then(|it| of_start(it, start)) {
        return Ok(Some(origin));
    }
    let Some((_, since)) = clock.since_start() else { return Ok(None) };
    let latest = known.as_deref().and_then(|it| it.split(' ').nth(2)?.parse::<i64>().ok()).unwrap_or_default();
    let now = clock.now().0.max(latest);
    let sql = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    sqlx::query(sql).bind(SETTING).bind(format!("{start} {} {now}", now - since)).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(Some(now - since))
}

/// The time then, where the setting is of this start of the machine.
fn of_start(kept: &str, start: &str) -> Option<i64> {
    let mut parts = kept.split(' ');
    (parts.next()? == start).then(|| parts.next()?.parse().ok())?
}
