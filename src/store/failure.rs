//! What can go wrong with the store, and whether it passes.

use std::{sync::Arc, time::Duration};

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store could not be used: {0}")]
    Database(#[source] sqlx::Error),
    /// The transaction lost against others and was taken back; it may succeed when it is run again.
    #[error("the store is busy with the changes of others")]
    Busy,
    /// One that several wait for.
    #[error(transparent)]
    Shared(Arc<StoreError>),
    #[error("the store's tables could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("the store's folder `{path}` cannot be used: {source}")]
    Folder { path: String, source: std::io::Error },
    #[error("`{0}` is not a store; use sqlite:PATH or postgres://…")]
    Url(String),
    #[error("the store holds something unreadable: {0}")]
    Unreadable(String),
    /// No server answers, or none that may be written to, and the call could wait no longer.
    #[error("no database server can be used: {cause}")]
    Away { cause: String },
    /// There is a server, and all that this process may use of it is in use.
    #[error("all connections to the database are in use")]
    Full,
    #[error("the database took longer than {0} seconds over one statement, which was stopped")]
    Slow(u64),
    #[error(
        "the store was made by a newer program: {made_by} keeps it in form {store}, and this is Rolecall {}, which knows forms up to {known}; \
         use the newer program",
        env!("CARGO_PKG_VERSION")
    )]
    Newer { made_by: String, store: i64, known: i64 },
    #[error("the store at `{0}` cannot be written to, and {1}")]
    ReadOnly(String, &'static str),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        // PostgreSQL: serialization failure, deadlock; SQLite: busy, locked, busy snapshot. What a database says of them helps nobody.
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        if code.is_some_and(|code| matches!(&*code, "40001" | "40P01" | "5" | "6" | "261" | "517")) {
            tracing::debug!(%error, "a transaction lost against another one");
            return Self::Busy;
        }
        Self::Database(error)
    }
}

impl StoreError {
    /// As it was before several were told of it.
    fn own(&self) -> &Self {
        if let Self::Shared(it) = self { it.own() } else { self }
    }

    /// Whether the same transaction may succeed when it is run again; it has left nothing behind.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.own(), Self::Busy)
    }

    /// Whether the database did not take what it was told, and can be used otherwise.
    pub(crate) fn is_of_a_statement(&self) -> bool {
        matches!(self.own(), Self::Database(sqlx::Error::Database(_))) && !self.is_away()
    }

    /// Whether something was made or taken away meanwhile by another transaction that this one could not see.
    pub(super) fn met_another(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self.own() else { return false };
        error.is_unique_violation() || error.is_foreign_key_violation()
    }

    /// Whether a server that may be written to is likely to be there again soon: it was ended, is starting, or has become a standby.
    pub(crate) fn is_away(&self) -> bool {
        match self.own() {
            Self::Away { .. } | Self::Full => true,
            Self::Database(error) | Self::Migration(sqlx::migrate::MigrateError::Execute(error)) => is_away(error),
            _ => false,
        }
    }

    /// What is said of work whose end nobody saw.
    pub(crate) fn broken_off() -> Self {
        Self::Database(sqlx::Error::WorkerCrashed)
    }

    /// Whether this process has closed the store.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.own(), Self::Database(sqlx::Error::PoolClosed))
    }

    /// Whether the way to the database broke, or it does not know itself: a commit that was on it may have been taken in.
    pub(crate) fn may_be_committed(&self) -> bool {
        use sqlx::Error::{Io, Protocol, Tls, WorkerCrashed};
        match self.own() {
            Self::Database(Io(_) | Protocol(_) | Tls(_) | WorkerCrashed) => true,
            // The server ends what is under way, and may do so when the commit is written and not answered; or it says that it cannot tell.
            _ => self.code().is_some_and(|code| matches!(&*code, "57P01" | "57P02" | "40003")),
        }
    }

    pub fn is_duplicate(&self) -> bool {
        matches!(self.own(), Self::Database(sqlx::Error::Database(error)) if error.is_unique_violation())
    }

    fn code(&self) -> Option<std::borrow::Cow<'_, str>> {
        if let Self::Database(sqlx::Error::Database(error)) = self.own() { error.code() } else { None }
    }

    /// What a statement ended with that was allowed so many seconds.
    pub(super) fn of_statement(error: sqlx::Error, allowed: Duration) -> Self {
        let stopped = match &error {
            // PostgreSQL's statement_timeout; SQLite's interrupt.
            sqlx::Error::Database(it) => it.code().is_some_and(|code| matches!(&*code, "57014" | "9")),
            _ => false,
        };
        if stopped { Self::Slow(allowed.as_secs()) } else { error.into() }
    }
}

/// Whether it is the server that is not there, and not the statement that is wrong.
pub(super) fn is_away(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Io, PoolTimedOut, Protocol, Tls};
    match error {
        Io(_) | Protocol(_) | Tls(_) | PoolTimedOut => true,
        // Shut down, crashed, starting, too many connections, may not be written to; and what concerns the connection.
        sqlx::Error::Database(it) => it.code().is_some_and(|code| {
            matches!(&*code, "57P01" | "57P02" | "57P03" | "57P05" | "53300" | "25006") || (code.starts_with("08") && code.len() == 5)
        }),
        _ => false,
    }
}
