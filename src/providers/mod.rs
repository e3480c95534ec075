//! Adapters: a provider is a table of handlers, one function per operation that it supports.
//!
//! That table is the only statement of support. Nothing here sends anything: handlers hand over
//! `UnsentRead` and `UnsentChange`, which the guard sends.

use std::{collections::HashMap, sync::Arc};

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use crate::{
    error::{CallError, ProviderError},
    guard::{UnsentChange, UnsentRead},
    tools::{Changes, Operation, Read},
};

pub mod local;
pub mod own;

/// A configured account at a provider, and what it can do.
pub struct Connection {
    pub name: String,
    pub provider: &'static str,
    /// The organization that writes are kept to.
    pub pin: Option<String>,
    handlers: HashMap<&'static str, Handler>,
    health: HealthFn,
    settle: Option<SettleFn>,
}

type HealthFn = Box<dyn Fn() -> BoxFuture<'static, Result<(), ProviderError>> + Send + Sync>;
type SettleFn = Box<dyn Fn(String, bool) -> BoxFuture<'static, Result<bool, ProviderError>> + Send + Sync>;
type Decode<T> = Box<dyn Fn(Map<String, Value>) -> Result<T, CallError> + Send + Sync>;

/// How a connection serves one operation.
struct Handler {
    /// Fields that this provider cannot honour.
    ignores: &'static [&'static str],
    prepare: Prepare,
}

enum Prepare {
    Read(Decode<UnsentRead>),
    Change(Decode<(Value, UnsentChange)>),
}

/// A call that was decoded, with nothing sent.
pub(crate) enum Prepared {
    Read(UnsentRead),
    Change {
        /// The arguments as they were understood: trimmed, folded, without what was left out.
        arguments: Value,
        change: UnsentChange,
    },
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("name", &self.name).field("provider", &self.provider).finish_non_exhaustive()
    }
}

impl Connection {
    pub(crate) fn builder<P: Send + Sync + 'static>(name: &str, kind: &'static str, provider: P) -> Builder<P> {
        let connection = Self {
            name: name.to_owned(),
            provider: kind,
            pin: None,
            handlers: HashMap::new(),
            health: Box::new(|| Box::pin(async { Ok(()) })),
            settle: None,
        };
        Builder { connection, provider: Arc::new(provider) }
    }

    /// The tools it serves, unsorted.
    pub fn tools(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.handlers.keys().copied()
    }

    pub fn serves(&self, tool: &str) -> bool {
        self.handlers.contains_key(tool)
    }

    /// The fields of a tool that it cannot honour.
    pub fn ignores(&self, tool: &str) -> &'static [&'static str] {
        self.handlers.get(tool).map_or(&[], |it| it.ignores)
    }

    /// Decodes a call; nothing is sent.
    pub(crate) fn prepare(&self, tool: &str, arguments: Map<String, Value>) -> Result<Prepared, CallError> {
        let handler = self.handlers.get(tool).ok_or(CallError::Internal)?;
        Ok(match &handler.prepare {
            Prepare::Read(decode) => Prepared::Read(decode(arguments)?),
            Prepare::Change(decode) => {
                let (arguments, change) = decode(arguments)?;
                Prepared::Change { arguments, change }
            }
        })
    }

    /// One harmless read: whether the account can be used.
    pub async fn health(&self) -> Result<(), ProviderError> {
        (self.health)().await
    }

    /// Whether the change of a call took effect; `None` where the provider cannot tell. With `give_up`, a change that has
    /// not taken effect by now never will, however late its process wakes up.
    pub(crate) async fn settle(&self, call_id: &str, give_up: bool) -> Option<bool> {
        match &self.settle {
            Some(settle) => settle(call_id.to_owned(), give_up).await.ok(),
            None => None,
        }
    }
}

/// Builds a connection, handler by handler.
pub(crate) struct Builder<P> {
    connection: Connection,
    provider: Arc<P>,
}

impl<P: Send + Sync + 'static> Builder<P> {
    /// Serves a read. The operation is found from the function's signature.
    pub(crate) fn on<O, F>(self, f: F) -> Self
    where
        O: Operation<Effect = Read>,
        F: for<'a> Operate<'a, P, O>,
    {
        self.read(move |provider: Arc<P>, operation: O| async move { f(&provider, operation).await })
    }

    /// Serves a read by a function that owns what it works on.
    pub(crate) fn read<O, F, Fut>(mut self, f: F) -> Self
    where
        O: Operation<Effect = Read>,
        F: Fn(Arc<P>, O) -> Fut + Copy + Send + Sync + 'static,
        Fut: Future<Output = Result<O::Output, ProviderError>> + Send + 'static,
    {
        let provider = Arc::clone(&self.provider);
        let decode: Decode<UnsentRead> = Box::new(move |arguments| {
            let operation: O = decode(arguments)?;
            let provider = Arc::clone(&provider);
            Ok(UnsentRead::new(async move { json(&f(provider, operation).await?) }))
        });
        self.connection.handlers.insert(O::NAME, Handler { ignores: &[], prepare: Prepare::Read(decode) });
        self
    }

    /// Serves a change: `unsent` says how it is planned and how it is made.
    pub(crate) fn change<O>(mut self, unsent: impl Fn(Arc<P>, O) -> UnsentChange + Send + Sync + 'static) -> Self
    where
        O: Operation<Effect: Changes>,
    {
        let provider = Arc::clone(&self.provider);
        let decode: Decode<(Value, UnsentChange)> = Box::new(move |arguments| {
            let operation: O = decode(arguments)?;
            let understood = json(&operation).map_err(CallError::from)?;
            Ok((understood, unsent(Arc::clone(&provider), operation)))
        });
        self.connection.handlers.insert(O::NAME, Handler { ignores: &[], prepare: Prepare::Change(decode) });
        self
    }

    /// Names the organization that writes are kept to.
    pub(crate) fn pinned(mut self, organization: Option<String>) -> Self {
        self.connection.pin = organization;
        self
    }

    /// Names the one harmless read that tells whether the account can be used.
    pub(crate) fn health<Fut>(mut self, check: impl Fn(Arc<P>) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = Result<(), ProviderError>> + Send + 'static,
    {
        let provider = Arc::clone(&self.provider);
        self.connection.health = Box::new(move || Box::pin(check(Arc::clone(&provider))));
        self
    }

    /// Names what tells whether the change of a call took effect, and keeps it from doing so later; see [`Connection::settle`].
    pub(crate) fn settle<Fut>(mut self, read: impl Fn(Arc<P>, String, bool) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = Result<bool, ProviderError>> + Send + 'static,
    {
        let provider = Arc::clone(&self.provider);
        self.connection.settle = Some(Box::new(move |call_id, give_up| Box::pin(read(Arc::clone(&provider), call_id, give_up))));
        self
    }

    pub(crate) fn build(self) -> Connection {
        self.connection
    }
}

/// An `async fn(&P, O) -> Result<O::Output, ProviderError>` whose future is `Send`.
pub(crate) trait Operate<'a, P: 'a, O: Operation>: Fn(&'a P, O) -> Self::Future + Copy + Send + Sync + 'static {
    type Future: Future<Output = Result<O::Output, ProviderError>> + Send + 'a;
}

impl<'a, P: 'a, O: Operation, F, Fut> Operate<'a, P, O> for F
where
    F: Fn(&'a P, O) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<O::Output, ProviderError>> + Send + 'a,
{
    type Future = Fut;
}

/// Decodes arguments; what does not fit is named with its path.
fn decode<O: Operation>(arguments: Map<String, Value>) -> Result<O, CallError> {
    if let Some((name, _)) = arguments.iter().find(|(_, value)| value.is_null()) {
        return Err(CallError::InvalidArguments {
            message: format!("`{name}` is null"),
            fix: "leave the argument out; to empty a field, name it in `clear` where the tool has it".into(),
        });
    }
    serde_path_to_error::deserialize(Value::Object(arguments)).map_err(|error| {
        let path = error.path().to_string();
        let message = match path.as_str() {
            "." => error.inner().to_string(),
            path if error.inner().to_string().contains(path) => error.inner().to_string(),
            path => format!("`{path}`: {}", error.inner()),
        };
        CallError::InvalidArguments { message, fix: format!("see the input schema of {}", O::NAME) }
    })
}

pub(crate) fn json(value: &impl serde::Serialize) -> Result<Value, ProviderError> {
    serde_json::to_value(value).map_err(|error| ProviderError::Store(crate::store::StoreError::Unreadable(error.to_string())))
}
