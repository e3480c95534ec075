//! Adapters: a provider is a table of handlers, one function per operation that it supports.
//!
//! That table is the only statement of support. Nothing here sends anything: handlers hand over
//! `UnsentRead` and `UnsentChange`, which the guard sends.

use std::{any::Any, collections::HashMap, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use crate::{
    error::{CallError, ProviderError},
    guard::{UnsentChange, UnsentRead},
    tools::{Changes, Operation, Read},
};

pub(crate) mod cursor;
pub mod engine;
pub mod geai;
pub mod http;
pub mod local;
pub mod openai;
pub mod own;
mod pictures;
pub(crate) mod role_types;
pub mod seeme;

/// A configured account at a provider, and what it can do.
pub struct Connection {
    pub name: String,
    pub provider: &'static str,
    /// The organization that writes are kept to.
    pub pin: Option<String>,
    handlers: HashMap<&'static str, Handler>,
    open: Box<dyn Fn(Option<Duration>) -> Scope + Send + Sync>,
    health: HealthFn,
    settle: Option<SettleFn>,
    longest: Duration,
}

/// How long a change may be on its way to a provider that no network lies before: the store gives up long before.
const LONGEST_HERE: Duration = Duration::from_secs(45);

/// What the calls of one piece of work have in common: what one of them has looked up, the next need not. Never kept
/// from one call of a client to the next: what was told a minute ago may no longer be so.
#[derive(Clone)]
pub(crate) struct Scope(Arc<dyn Any + Send + Sync>);

type HealthFn = Box<dyn Fn() -> BoxFuture<'static, Result<(), ProviderError>> + Send + Sync>;
type SettleFn = Box<dyn Fn(String, bool) -> BoxFuture<'static, Result<bool, ProviderError>> + Send + Sync>;
type Decode<T> = Box<dyn Fn(&Scope, Map<String, Value>) -> Result<T, CallError> + Send + Sync>;

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
    /// A connection whose calls all work on `provider`.
    pub(crate) fn builder<P: Send + Sync + 'static>(name: &str, kind: &'static str, provider: P) -> Builder<P> {
        let provider = Arc::new(provider);
        Self::with_scopes(name, kind, move |_| Arc::clone(&provider))
    }

    /// A connection whose calls work on what `open` makes for each piece of work. It is told how long the work's requests may
    /// wait for their turn, where that is not for the provider to say.
    pub(crate) fn with_scopes<P: Send + Sync + 'static>(
        name: &str,
        kind: &'static str,
        open: impl Fn(Option<Duration>) -> Arc<P> + Send + Sync + 'static,
    ) -> Builder<P> {
        let open = Arc::new(open);
        let make = Arc::clone(&open);
        let connection = Self {
            name: name.to_owned(),
            provider: kind,
            pin: None,
            handlers: HashMap::new(),
            open: Box::new(move |patience| Scope(make(patience))),
            health: Box::new(|| Box::pin(async { Ok(()) })),
            settle: None,
            longest: LONGEST_HERE,
        };
        Builder { connection, open, last: "" }
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

    /// Begins a piece of work: one call, or many that belong together.
    pub(crate) fn open(&self) -> Scope {
        (self.open)(None)
    }

    /// Begins a piece of work in which nobody waits for a single request: each may wait this long for its turn.
    pub(crate) fn open_patient(&self, patience: Duration) -> Scope {
        (self.open)(Some(patience))
    }

    /// Decodes a call; nothing is sent.
    pub(crate) fn prepare(&self, scope: &Scope, tool: &str, arguments: Map<String, Value>) -> Result<Prepared, CallError> {
        let handler = self.handlers.get(tool).ok_or(CallError::Internal)?;
        Ok(match &handler.prepare {
            Prepare::Read(decode) => Prepared::Read(decode(scope, arguments)?),
            Prepare::Change(decode) => {
                let (arguments, change) = decode(scope, arguments)?;
                Prepared::Change { arguments, change }
            }
        })
    }

    /// One harmless read: whether the account can be used.
    pub async fn health(&self) -> Result<(), ProviderError> {
        (self.health)().await
    }

    /// The longest that one request may be on its way, counted from when it may be sent: after that it has arrived, or never will. A
    /// request that is sent again needs leave again, and so counts anew.
    pub fn longest(&self) -> Duration {
        self.longest
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
    open: Arc<dyn Fn(Option<Duration>) -> Arc<P> + Send + Sync>,
    /// The tool that was named last.
    last: &'static str,
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
    pub(crate) fn read<O, F, Fut>(self, f: F) -> Self
    where
        O: Operation<Effect = Read>,
        F: Fn(Arc<P>, O) -> Fut + Copy + Send + Sync + 'static,
        Fut: Future<Output = Result<O::Output, ProviderError>> + Send + 'static,
    {
        let decode: Decode<UnsentRead> = Box::new(move |scope, arguments| {
            let operation: O = decode(arguments)?;
            let provider = scope.downcast::<P>()?;
            Ok(UnsentRead::new(async move { json(&f(provider, operation).await?) }))
        });
        self.serve::<O>(Prepare::Read(decode))
    }

    /// Serves a change: `unsent` says how it is planned and how it is made.
    pub(crate) fn change<O>(self, unsent: impl Fn(Arc<P>, O) -> UnsentChange + Send + Sync + 'static) -> Self
    where
        O: Operation<Effect: Changes>,
    {
        let decode: Decode<(Value, UnsentChange)> = Box::new(move |scope, arguments| {
            let operation: O = decode(arguments)?;
            let understood = json(&operation).map_err(CallError::from)?;
            Ok((understood, unsent(scope.downcast::<P>()?, operation)))
        });
        self.serve::<O>(Prepare::Change(decode))
    }

    fn serve<O: Operation>(mut self, prepare: Prepare) -> Self {
        self.last = O::NAME;
        self.connection.handlers.insert(O::NAME, Handler { ignores: &[], prepare });
        self
    }

    /// Names the fields of the tool before that this provider cannot honour; the tool's schema leaves them out.
    pub(crate) fn except(mut self, fields: &'static [&'static str]) -> Self {
        if let Some(handler) = self.connection.handlers.get_mut(self.last) {
            handler.ignores = fields;
        }
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
        let open = Arc::clone(&self.open);
        self.connection.health = Box::new(move || Box::pin(check(open(None))));
        self
    }

    /// Names what tells whether the change of a call took effect, and keeps it from doing so later; see [`Connection::settle`].
    pub(crate) fn settle<Fut>(mut self, read: impl Fn(Arc<P>, String, bool) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = Result<bool, ProviderError>> + Send + 'static,
    {
        let open = Arc::clone(&self.open);
        self.connection.settle = Some(Box::new(move |call_id, give_up| Box::pin(read(open(None), call_id, give_up))));
        self
    }

    /// Says how long one request may be on its way; see [`Connection::longest`].
    pub(crate) fn longest(mut self, time: Duration) -> Self {
        self.connection.longest = time;
        self
    }

    pub(crate) fn build(self) -> Connection {
        self.connection
    }
}

impl Scope {
    fn downcast<P: Send + Sync + 'static>(&self) -> Result<Arc<P>, CallError> {
        // A scope of another connection: a fault of the caller's, not of the agent's.
        Arc::clone(&self.0).downcast().map_err(|_| CallError::Internal)
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
pub(crate) fn decode<O: Operation>(arguments: Map<String, Value>) -> Result<O, CallError> {
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
