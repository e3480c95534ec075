//! Calls with an `idempotency_key`: what was asked, and what came of it.

use super::{Conn, StoreError, args, row};
use crate::domain::Timestamp;

row! {
    /// A call with a key.
    pub struct Repeat { digest: String, call_id: String, result: Option<String>, created_at: i64 }
}

/// Whose key it is: keys of different callers and connections have nothing to do with each other.
#[derive(Debug, Clone)]
pub struct RepeatKey {
    pub principal: String,
    pub connection: String,
    pub key: String,
}

const KEPT_SECONDS: i64 = 7 * 24 * 3600;

impl Conn {
    pub async fn repeat(&mut self, it: &RepeatKey) -> Result<Option<Repeat>, StoreError> {
        let sql =
            "SELECT digest, call_id, result, created_at FROM repeatable_calls WHERE principal = $1 AND connection = $2 AND repeat_key = $3";
        self.one(sql, &args![&it.principal, &it.connection, &it.key]).await
    }

    /// Takes the key for a call; false where another call has it.
    pub async fn claim(&mut self, it: &RepeatKey, digest: &str, call_id: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.run("DELETE FROM repeatable_calls WHERE created_at < $1", &args![now.plus_seconds(-KEPT_SECONDS).0]).await?;
        let sql = "INSERT INTO repeatable_calls (principal, connection, repeat_key, digest, call_id, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
                   ON CONFLICT (principal, connection, repeat_key) DO NOTHING";
        Ok(self.run(sql, &args![&it.principal, &it.connection, &it.key, digest, call_id, now.0]).await? == 1)
    }

    /// Keeps what came of a call; with `None` the key is free again, because nothing was changed.
    pub async fn record_repeat(&mut self, call_id: &str, result: Option<&str>) -> Result<(), StoreError> {
        match result {
            Some(result) => self.run("UPDATE repeatable_calls SET result = $2 WHERE call_id = $1", &args![call_id, result]).await?,
            None => self.run("DELETE FROM repeatable_calls WHERE call_id = $1", &args![call_id]).await?,
        };
        Ok(())
    }
}
