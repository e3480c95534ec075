//! Reviews that were kept, for the next to be held against them.

use super::{Conn, StoreError, args};
use crate::domain::Timestamp;

impl Conn {
    /// When the review of a scope was kept, and what it found.
    pub async fn kept_review(&mut self, scope: &str) -> Result<Option<(i64, String)>, StoreError> {
        self.one("SELECT kept_at, found FROM reviews WHERE scope = $1", &args![scope]).await
    }

    /// Keeps a review in the place of the one of the same scope.
    pub async fn keep_review(&mut self, scope: &str, at: Timestamp, found: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO reviews (scope, kept_at, found) VALUES ($1, $2, $3) \
                   ON CONFLICT (scope) DO UPDATE SET kept_at = excluded.kept_at, found = excluded.found";
        self.run(sql, &args![scope, at.0, found]).await.map(|_| ())
    }
}
