//! A console that is open: its pages, and the word of it in the store, so that whoever asks can name its address.

use std::{sync::Arc, time::Duration};

use axum::Router;
use rolecall_console::BASE;
use sha2::Digest as _;
use tokio_util::sync::CancellationToken;

use super::Program;
use crate::{
    app::App,
    store::{Db, StoreError, transaction},
};

/// How often a console says that it is still open; the store believes it for three times as long.
const ROUND: Duration = Duration::from_secs(10);

/// A console that others are told of, until it is closed.
#[derive(Debug)]
pub struct Open {
    id: String,
    db: Db,
    stop: CancellationToken,
}

impl Open {
    /// The pages of a program. Pages that listen are let go when `stop` is cancelled.
    ///
    /// # Errors
    ///
    /// Where the store cannot be used.
    pub async fn pages(app: &Arc<App>, stop: CancellationToken) -> Result<Router, StoreError> {
        let mut key = sha2::Sha256::new();
        key.update(b"rolecall console\n");
        key.update(app.sealing_key().await?);
        let program = Program { app: Arc::clone(app), asked_here: std::sync::Mutex::default() };
        Ok(rolecall_console::router(Arc::new(program), &key.finalize().into(), stop))
    }

    /// Says in the store that the pages are served at `origin`, such as `http://127.0.0.1:7413`, now and as long as this lives.
    ///
    /// # Errors
    ///
    /// Where the store cannot be used.
    pub async fn at(app: &Arc<App>, origin: &str, stop: &CancellationToken) -> Result<Self, StoreError> {
        let open = Self { id: crate::store::new_id("con"), db: app.db.clone(), stop: stop.child_token() };
        let address = format!("{origin}{BASE}");
        say(&open.db, &open.id, &address).await?;
        let (db, id, stop) = (open.db.clone(), open.id.clone(), open.stop.clone());
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(ROUND) => {}
                }
                if let Err(error) = say(&db, &id, &address).await {
                    tracing::warn!(%error, "nobody can be told that the console is open");
                }
            }
        });
        Ok(open)
    }

    /// Says that it is open no longer.
    pub async fn close(self) {
        self.stop.cancel();
        let closed = transaction!(self.db, StoreError, tx => { tx.console_is_closed(&self.id).await });
        if let Err(error) = closed {
            tracing::warn!(%error, "for half a minute, others are told of a console that is closed");
        }
    }
}

async fn say(db: &Db, id: &str, address: &str) -> Result<(), StoreError> {
    transaction!(db, StoreError, tx => { tx.console_is_open(id, address).await })
}

/// A link by which a person signs in to the console at `address`, once and soon. Its code stands behind a `#`, which browsers send to
/// nobody.
///
/// # Errors
///
/// Where the store cannot be used.
pub async fn link(db: &Db, address: &str, person: &str) -> Result<String, StoreError> {
    let code = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let code = &code[..40];
    transaction!(db, StoreError, tx => { tx.add_code(code, person).await })?;
    Ok(format!("{address}/sign-in#{code}"))
}
