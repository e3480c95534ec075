//! The program put together: connections, catalog and guard, with no transport yet.

mod across;

use std::{path::PathBuf, sync::Arc};

use serde_json::{Map, Value};

use crate::{
    catalog::Catalog,
    error::CallError,
    guard::{AllowLists, Caller, ChangeRequest, Given, Guard, GuardSettings, Verdict},
    providers::{Connection, Prepared, own},
    secrets::SecretSink,
    shape::shape,
    store::{Db, StoreError, sha256, transaction},
};

/// What a server needs to run.
#[derive(Debug)]
pub struct Setup {
    pub db: Db,
    pub connections: Vec<Connection>,
    pub lists: AllowLists,
    pub guard: GuardSettings,
    pub secrets: SecretSink,
}

impl Setup {
    /// The embedded directory alone, with the defaults: everything on offer, secrets in `secrets`.
    pub fn local(db: Db, secrets: PathBuf) -> Self {
        let connection = crate::providers::local::connect("local", db.clone(), crate::providers::local::Settings::default());
        Self {
            db,
            connections: vec![connection],
            lists: AllowLists::default(),
            guard: GuardSettings::default(),
            secrets: SecretSink::Folder(secrets),
        }
    }
}

/// Everything behind the protocol. Cheap to share.
#[derive(Debug)]
pub struct App {
    pub catalog: Catalog,
    pub connections: Vec<Arc<Connection>>,
    pub db: Db,
    guard: Guard,
}

impl App {
    pub fn new(setup: Setup) -> Self {
        let connections: Vec<Arc<Connection>> = setup.connections.into_iter().map(Arc::new).collect();
        let own = Arc::new(own::connect(own::Own { connections: connections.clone(), db: setup.db.clone() }));
        let token = setup.guard.fallback == crate::guard::Fallback::Token;
        let catalog = Catalog::new(&connections, &own, &setup.lists, token);
        let guard = Guard::new(setup.db.clone(), Box::new(setup.lists), setup.guard, setup.secrets);
        Self { catalog, connections, db: setup.db, guard }
    }

    /// Calls a tool: decode, resolve, guard, send, shape. `given` is what came back for an earlier question.
    pub async fn call(&self, tool: &str, mut arguments: Map<String, Value>, caller: &Caller, given: Given) -> Result<Verdict, CallError> {
        let offer = self.catalog.offer(tool)?;
        let envelope = offer.open(&mut arguments)?;
        if offer.is_across() && envelope.connection.is_none() {
            return Ok(Verdict::Done(across::read(self, offer, arguments, caller).await?));
        }
        let connection = offer.connection(envelope.connection.as_deref())?;
        let tool = &offer.tool;
        honoured(tool.name, &arguments, connection)?;
        let verdict = match connection.prepare(&connection.open(), tool.name, arguments)? {
            Prepared::Read(read) => Verdict::Done(self.guard.read(tool, connection, caller, read).await?),
            Prepared::Change { arguments, change } => {
                let request = ChangeRequest {
                    tool,
                    connection,
                    arguments,
                    change,
                    dry_run: envelope.dry_run,
                    idempotency_key: envelope.idempotency_key,
                };
                self.guard.change(request, caller, given).await?
            }
        };
        Ok(match verdict {
            Verdict::Done(mut result) => {
                if let Value::Object(fields) = &mut result {
                    fields.insert("connection".into(), connection.name.as_str().into());
                }
                shape(&mut result);
                Verdict::Done(result)
            }
            Verdict::Token { question, ticket, mut receipt } => {
                receipt.insert("connection".into(), connection.name.as_str().into());
                let mut shaped = Value::from(receipt);
                shape(&mut shaped);
                let Value::Object(receipt) = shaped else { return Err(CallError::Internal) };
                Verdict::Token { question, ticket, receipt }
            }
            ask @ Verdict::Ask(..) => ask,
        })
    }

    /// The key that seals consents on their way through clients; the same for all processes on one store.
    pub async fn sealing_key(&self) -> Result<[u8; 32], StoreError> {
        use sha2::Digest as _;
        let fresh = sha256(format!("{}{}", uuid::Uuid::new_v4(), uuid::Uuid::new_v4()));
        let kept = transaction!(self.db, StoreError, tx => { tx.setting("sealing_key", &fresh).await })?;
        Ok(sha2::Sha256::digest(format!("rolecall consent\n{kept}")).into())
    }
}

/// Arguments that the connection's provider knows nothing to do with are refused: whoever gave them counts on them.
fn honoured(tool: &str, arguments: &Map<String, Value>, connection: &Connection) -> Result<(), CallError> {
    match connection.ignores(tool).iter().find(|it| arguments.contains_key(**it)) {
        None => Ok(()),
        Some(field) => Err(CallError::InvalidArguments {
            message: format!("`{field}` is not supported by connection `{}`", connection.name),
            fix: "leave it out".into(),
        }),
    }
}
