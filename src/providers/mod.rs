//! Adapters: a provider is a table of handlers, one function per operation that it supports.
//!
//! That table is the only statement of support. Nothing here sends anything: handlers hand over
//! `UnsentRead` and `UnsentChange`, which the guard sends.

use std::{any::Any, collections::HashMap, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::{
    domain::{
        Timestamp,
        access::{self, Grants, People},
    },
    error::{CallError, ProviderError},
    guard::{Account, Planned, UnsentChange, UnsentRead},
    store::StoreError,
    tools::{AnyOperation, Changes, Decode, Operation, Read, decode_any},
};

pub mod builtin;
mod census;
pub(crate) mod cursor;
pub mod engine;
pub(crate) mod fields;
pub mod geai;
pub mod http;
pub mod local;
pub(crate) mod meant;
pub mod openai;
pub(crate) mod people;
mod pictures;
pub(crate) mod resolve;
pub(crate) mod role_types;
pub mod seeme;

/// What a handler that adds one person to a project says of somebody who is in it already.
pub(crate) const ALREADY_MEMBER: &str = "already_member";

/// A project that is to be archived, and is.
pub(crate) fn already_archived(project: &str) -> ProviderError {
    ProviderError::conflict(
        "already_archived",
        format!("project `{project}` is archived already"),
        "nothing needs to be done; see get_project",
    )
}

/// A configured account at a provider, and what it can do.
pub struct Connection {
    pub name: String,
    pub provider: &'static str,
    /// The organization that writes are kept to.
    pub pin: Option<String>,
    handlers: HashMap<&'static str, Handler>,
    open: Box<dyn Fn(Waits) -> Scope + Send + Sync>,
    rehearse: Option<Box<dyn Fn() -> Scope + Send + Sync>>,
    health: HealthFn,
    settle: Option<SettleFn>,
    grants: Option<GrantsFn>,
    guests: bool,
    people: Option<PeopleFn>,
    longest: Duration,
    pace: Option<PaceFn>,
}

/// How fast requests follow each other on a connection at this moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PaceNow {
    /// Requests that wait for their turn.
    pub waiting: u32,
    /// Requests that were sent and not answered yet, and how many of them there may be.
    pub on_the_way: u32,
    pub at_once: u32,
    /// How many the service was seen to allow in a second; `None` where it has refused none.
    pub per_second: Option<f64>,
    /// For how long the service still wants to be left alone.
    pub paused: Option<Duration>,
    /// What went wrong last since the program was started.
    pub failed: Option<Failed>,
}

/// A request that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    pub at: Timestamp,
    pub message: String,
    pub fix: String,
}

/// How long a change may be on its way to a provider that no network lies before: the store gives up long before.
const LONGEST_HERE: Duration = Duration::from_secs(45);

/// A cache of reads that lives as long as one request: the steps of a job share it, and no two calls of a client do, since a minute-old
/// answer may be wrong.
#[derive(Clone)]
pub(crate) struct Scope(Arc<dyn Any + Send + Sync>);

/// How long the requests of a piece of work may wait for their turn, and for repetitions.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Waits {
    #[default]
    Usually,
    /// Each so long.
    Each(Duration),
    /// All of them until then.
    Until(Instant),
}

type HealthFn = Box<dyn Fn() -> BoxFuture<'static, Result<(), ProviderError>> + Send + Sync>;
type GrantsFn = Box<dyn Fn(&Scope, access::GrantScope) -> BoxFuture<'static, Result<Grants, ProviderError>> + Send + Sync>;
type PeopleFn = Box<dyn Fn(&Scope, String) -> BoxFuture<'static, Result<People, ProviderError>> + Send + Sync>;
type PaceFn = Box<dyn Fn() -> PaceNow + Send + Sync>;
type SettleFn = Box<dyn Fn(String, bool) -> BoxFuture<'static, Result<bool, ProviderError>> + Send + Sync>;

/// How a connection serves one operation.
struct Handler {
    /// Fields that this provider cannot honour.
    ignores: &'static [&'static str],
    decode: Decode,
    run: Run,
}

enum Run {
    Read(Erased<Value>),
    Change(Erased<Planned>),
}

/// A handler whose types only it knows. All that comes before and after it is compiled once, not once per operation.
type Erased<T> = Arc<dyn for<'a> Fn(&'a Scope, &'a Operand) -> HandlerFuture<'a, T> + Send + Sync>;

/// What a handler is called with.
pub(crate) type Operand = Arc<dyn AnyOperation>;

/// What comes of a handler.
pub(crate) type HandlerFuture<'a, T> = BoxFuture<'a, Result<T, ProviderError>>;

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
        open: impl Fn(Waits) -> Arc<P> + Send + Sync + 'static,
    ) -> Builder<P> {
        let open = Arc::new(open);
        let make = Arc::clone(&open);
        let connection = Self {
            name: name.to_owned(),
            provider: kind,
            pin: None,
            handlers: HashMap::new(),
            open: Box::new(move |patience| Scope(make(patience))),
            rehearse: None,
            health: Box::new(|| Box::pin(async { Ok(()) })),
            settle: None,
            grants: None,
            guests: false,
            people: None,
            longest: LONGEST_HERE,
            pace: None,
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
        (self.open)(Waits::Usually)
    }

    /// Begins a piece of work in which nobody waits for a single request: each may wait this long for its turn.
    pub(crate) fn open_patient(&self, patience: Duration) -> Scope {
        (self.open)(Waits::Each(patience))
    }

    /// Begins a piece of work in which each change is planned as if those planned in it before were made; none where the provider
    /// cannot tell what would be then.
    pub(crate) fn rehearse(&self) -> Option<Scope> {
        self.rehearse.as_ref().map(|it| it())
    }

    /// Decodes a call; nothing is sent.
    pub(crate) fn prepare(&self, scope: &Scope, tool: &str, arguments: Map<String, Value>) -> Result<Prepared, CallError> {
        let handler = self.handlers.get(tool).ok_or(CallError::Internal)?;
        let (scope, operation) = (scope.clone(), Operand::from((handler.decode)(arguments)?));
        Ok(match &handler.run {
            Run::Read(run) => {
                let run = Arc::clone(run);
                Prepared::Read(UnsentRead::new(async move { run(&scope, &operation).await }))
            }
            Run::Change(run) => {
                let (run, arguments) = (Arc::clone(run), operation.understood().map_err(unreadable)?);
                Prepared::Change { arguments, change: UnsentChange::new(async move { run(&scope, &operation).await }) }
            }
        })
    }

    /// Who holds what, as far as this provider tells: roles in organizations, teams and projects, direct and through teams, pending
    /// invitations, service accounts and keys with their owners. What it does not tell stands in `unseen`. `None` where the
    /// provider knows nothing of access.
    ///
    /// # Errors
    ///
    /// Those of the provider's reads; a place or person that is not there.
    pub async fn grants(&self, scope: access::GrantScope) -> Result<Option<Grants>, ProviderError> {
        self.grants_at(&self.open(), scope).await
    }

    async fn grants_at(&self, at: &Scope, scope: access::GrantScope) -> Result<Option<Grants>, ProviderError> {
        match &self.grants {
            Some(read) => read(at, scope).await.map(Some),
            None => Ok(None),
        }
    }

    /// Whether somebody who leaves an organization may stay in its projects as a guest.
    pub(crate) fn keeps_guests(&self) -> bool {
        self.guests
    }

    /// Whether it tells who holds what.
    pub fn tells_grants(&self) -> bool {
        self.grants.is_some()
    }

    /// Begins a piece of work that looks at who holds what, and asks for nothing more once that time has come.
    pub(crate) fn reader(self: &Arc<Self>, until: Instant) -> Reader {
        Reader { connection: Arc::clone(self), scope: (self.open)(Waits::Until(until)) }
    }

    /// The longest that one request may be on its way, counted from when it may be sent: after that it has arrived, or never will. A
    /// request that is sent again needs leave again, and so counts anew.
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// How fast it goes at this moment; `None` where no service lies behind it.
    pub fn pace(&self) -> Option<PaceNow> {
        self.pace.as_ref().map(|it| it())
    }

    /// One harmless read: whether the account can be used.
    pub async fn health(&self) -> Result<(), ProviderError> {
        (self.health)().await
    }
}

/// What a connection tells of access, in one piece of work: what was looked up for one question need not be for the next.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) connection: Arc<Connection>,
    scope: Scope,
}

impl Reader {
    /// See [`Connection::grants`].
    pub(crate) async fn grants(&self, scope: access::GrantScope) -> Result<Option<Grants>, ProviderError> {
        self.connection.grants_at(&self.scope, scope).await
    }

    /// Decodes a call of a tool that the connection serves; nothing is sent.
    pub(crate) fn read(&self, tool: &str, arguments: Map<String, Value>) -> Result<UnsentRead, CallError> {
        match self.connection.prepare(&self.scope, tool, arguments)? {
            Prepared::Read(read) => Ok(read),
            Prepared::Change { .. } => Err(CallError::Internal),
        }
    }

    /// The people within reach, of all organizations, invited ones included. Where the text is somebody's address, it may be only those
    /// with that address and those who may be the same person. `None` where the provider knows nothing of access.
    ///
    /// # Errors
    ///
    /// Those of the provider's reads.
    pub(crate) async fn people(&self, text: &str) -> Result<Option<People>, ProviderError> {
        match &self.connection.people {
            Some(read) => read(&self.scope, text.to_owned()).await.map(Some),
            None => Ok(None),
        }
    }
}

impl Account for Connection {
    fn name(&self) -> &str {
        &self.name
    }

    fn longest(&self) -> Duration {
        self.longest()
    }

    fn settle(&self, call_id: &str, give_up: bool) -> BoxFuture<'static, Option<bool>> {
        match &self.settle {
            Some(settle) => Box::pin(settle(call_id.to_owned(), give_up).map(Result::ok)),
            None => Box::pin(async { None }),
        }
    }
}

/// Builds a connection, handler by handler.
pub(crate) struct Builder<P> {
    connection: Connection,
    open: Arc<dyn Fn(Waits) -> Arc<P> + Send + Sync>,
    /// The tool that was named last.
    last: &'static str,
}

impl<P: Send + Sync + 'static> Builder<P> {
    /// Serves a read by an `async fn(&P, &O) -> Result<O::Output, ProviderError>`. The operation is found from its signature.
    pub(crate) fn on<O, F>(self, f: F) -> Self
    where
        O: Operation<Effect = Read>,
        F: for<'a> Operate<'a, P, O, O::Output>,
    {
        self.serve_read::<O>(move |scope, operation| scope.call(operation, |provider, operation| told(Box::pin(f(provider, operation)))))
    }

    /// Serves a read by a handler that is erased already.
    pub(crate) fn serve_read<O>(
        self,
        run: impl for<'a> Fn(&'a Scope, &'a Operand) -> HandlerFuture<'a, Value> + Send + Sync + 'static,
    ) -> Self
    where
        O: Operation<Effect = Read>,
    {
        self.serve::<O>(Run::Read(Arc::new(run)))
    }

    /// Serves a change by a handler that is erased already: it says what the change would do, and how it is made.
    pub(crate) fn serve_change<O>(
        self,
        run: impl for<'a> Fn(&'a Scope, &'a Operand) -> HandlerFuture<'a, Planned> + Send + Sync + 'static,
    ) -> Self
    where
        O: Operation<Effect: Changes>,
    {
        self.serve::<O>(Run::Change(Arc::new(run)))
    }

    fn serve<O: Operation>(mut self, run: Run) -> Self {
        self.last = O::NAME;
        self.connection.handlers.insert(O::NAME, Handler { ignores: &[], decode: decode_any::<O>, run });
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

    /// Says how work is begun whose changes are planned one upon the other; see [`Connection::rehearse`].
    pub(crate) fn rehearsed(mut self, begin: impl Fn(&P) -> P + Send + Sync + 'static) -> Self {
        let open = Arc::clone(&self.open);
        self.connection.rehearse = Some(Box::new(move || Scope(Arc::new(begin(&open(Waits::Usually))))));
        self
    }

    /// Names the one harmless read that tells whether the account can be used.
    pub(crate) fn health<Fut>(mut self, check: impl Fn(Arc<P>) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = Result<(), ProviderError>> + Send + 'static,
    {
        let open = Arc::clone(&self.open);
        self.connection.health = Box::new(move || Box::pin(check(open(Waits::Usually))));
        self
    }

    /// Names what tells whether the change of a call took effect, and keeps it from doing so later; see [`Account::settle`].
    pub(crate) fn settle<Fut>(mut self, read: impl Fn(Arc<P>, String, bool) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = Result<bool, ProviderError>> + Send + 'static,
    {
        let open = Arc::clone(&self.open);
        self.connection.settle = Some(Box::new(move |call_id, give_up| Box::pin(read(open(Waits::Usually), call_id, give_up))));
        self
    }

    /// Names the one reader of who holds what; see [`Connection::grants`].
    pub(crate) fn grants<Fut>(mut self, read: impl Fn(Arc<P>, access::GrantScope) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = Result<Grants, ProviderError>> + Send + 'static,
    {
        self.connection.grants = Some(Box::new(move |at, scope| match at.provider() {
            Ok(provider) => Box::pin(read(provider, scope)),
            Err(error) => Box::pin(async { Err(error) }),
        }));
        self
    }

    /// Says that people may be in projects without being in the organization; see [`Connection::keeps_guests`].
    pub(crate) fn with_guests(mut self) -> Self {
        self.connection.guests = true;
        self
    }

    /// Names the one reader of who is known; see [`Reader::people`].
    pub(crate) fn people<Fut>(mut self, read: impl Fn(Arc<P>, String) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = Result<People, ProviderError>> + Send + 'static,
    {
        self.connection.people = Some(Box::new(move |at, text| match at.provider() {
            Ok(provider) => Box::pin(read(provider, text)),
            Err(error) => Box::pin(async { Err(error) }),
        }));
        self
    }

    /// Puts a tool on offer that the program answers itself, since it knows who asks and of which connections.
    pub(crate) fn answered<O: Operation<Effect = Read>>(self) -> Self {
        let elsewhere = || ProviderError::invalid("nobody is known to ask", format!("call {} by itself", O::NAME));
        self.serve_read::<O>(move |_, _| Box::pin(async move { Err(elsewhere()) }))
    }

    /// Says how long one request may be on its way; see [`Connection::longest`].
    pub(crate) fn longest(mut self, time: Duration) -> Self {
        self.connection.longest = time;
        self
    }

    /// Says how fast it goes; see [`Connection::pace`].
    pub(crate) fn paced(mut self, now: impl Fn() -> PaceNow + Send + Sync + 'static) -> Self {
        self.connection.pace = Some(Box::new(now));
        self
    }

    pub(crate) fn build(self) -> Connection {
        self.connection
    }
}

impl Scope {
    /// Calls a handler with what it works on and its operation.
    pub(crate) fn call<'a, P, O, T>(
        &'a self,
        operation: &'a Operand,
        f: impl FnOnce(&'a P, &'a O) -> HandlerFuture<'a, T>,
    ) -> HandlerFuture<'a, T>
    where
        P: Send + Sync + 'static,
        O: Operation,
        T: Send + 'a,
    {
        match (self.0.downcast_ref(), operation.downcast()) {
            (Some(provider), Some(operation)) => f(provider, operation),
            _ => Box::pin(async { Err(mixed_up()) }),
        }
    }

    /// What its calls work on.
    pub(crate) fn provider<P: Send + Sync + 'static>(&self) -> Result<Arc<P>, ProviderError> {
        Arc::clone(&self.0).downcast().map_err(|_| mixed_up())
    }
}

/// What a read has found, as JSON.
pub(crate) fn told<'a, T: Serialize + Send + 'a>(found: HandlerFuture<'a, T>) -> HandlerFuture<'a, Value> {
    Box::pin(async move { json(&found.await?) })
}

/// An `async fn(&P, &O) -> Result<T, ProviderError>` whose future is `Send`.
pub(crate) trait Operate<'a, P: 'a, O: 'a, T>: Fn(&'a P, &'a O) -> Self::Future + Copy + Send + Sync + 'static {
    type Future: Future<Output = Result<T, ProviderError>> + Send + 'a;
}

impl<'a, P: 'a, O: 'a, T, F, Fut> Operate<'a, P, O, T> for F
where
    F: Fn(&'a P, &'a O) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<T, ProviderError>> + Send + 'a,
{
    type Future = Fut;
}

pub(crate) fn json(value: &impl Serialize) -> Result<Value, ProviderError> {
    serde_json::to_value(value).map_err(unreadable)
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub(crate) fn unreadable(error: serde_json::Error) -> ProviderError {
    StoreError::Unreadable(error.to_string()).into()
}

/// A handler was called with the scope of another connection, or with another's operation: a fault of the server's.
pub(crate) fn mixed_up() -> ProviderError {
    StoreError::Unreadable("a handler was called with what is not its own".to_owned()).into()
}
