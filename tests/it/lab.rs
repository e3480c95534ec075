//! A service of the sandbox with an agent in front of it: what the tests of all services share.
//!
//! A [`Service`] says how a connection reaches it and how its requests are told; the files `support_<service>.rs` hold that
//! and what only its own tests need.

use std::sync::Arc;

use rolecall::providers::Connection;
use rolecall_sandbox::{self as sandbox, Exchange, Fault, Platform, Sandbox, Seed};

use crate::support::{Agent, Options, Value};

/// A service to test on.
pub(crate) trait Service: Platform + Sized {
    type Settings;

    /// Fields of its state that may differ though nothing was changed: clocks, counters, switches.
    const RESTLESS: &'static [&'static str] = &[];

    /// How a connection reaches the service at `url`, where a test wants nothing else.
    fn settings(url: &str) -> Self::Settings;

    fn connect(settings: Self::Settings) -> Connection;

    /// A request as tests write it, such as `POST teams {"name":"Design"}`.
    fn told(it: &Exchange) -> String;

    /// Whether a request is beside the point, such as signing in.
    fn is_aside(_: &Exchange) -> bool {
        false
    }
}

/// A service with its practice company, and an agent that works on it.
pub(crate) struct Lab<S: Service> {
    pub(crate) agent: Agent,
    pub(crate) sandbox: Arc<Sandbox<S>>,
}

/// A service with its practice company.
pub(crate) async fn service<S: Service>() -> Arc<Sandbox<S>> {
    started(S::seeded(Seed::Acme)).await
}

async fn started<S: Service>(platform: S) -> Arc<Sandbox<S>> {
    Arc::new(sandbox::start(platform, sandbox::Options::default()).await.unwrap())
}

impl<S: Service> Lab<S> {
    pub(crate) async fn new() -> Self {
        Self::at(S::seeded(Seed::Acme), |_| {}, Options::default()).await
    }

    /// With a service as it is given, and a connection that was configured otherwise.
    pub(crate) async fn at(platform: S, configure: impl FnOnce(&mut S::Settings), options: Options) -> Self {
        let sandbox = started(platform).await;
        let mut settings = S::settings(&sandbox.url);
        configure(&mut settings);
        Self::of(sandbox, S::connect(settings), options).await
    }

    pub(crate) async fn of(sandbox: Arc<Sandbox<S>>, connection: Connection, options: Options) -> Self {
        Self { agent: Agent::connected(vec![connection], options).await, sandbox }
    }

    /// Lets something go wrong from now on, as the command line says it.
    pub(crate) fn faults(&self, faults: &[&str]) {
        self.sandbox.set_faults(faults.iter().map(|it| it.parse::<Fault>().unwrap()).collect());
    }

    /// The requests since the last look.
    pub(crate) fn journal(&self) -> Vec<Exchange> {
        let journal = self.seen();
        self.sandbox.clear_journal();
        journal
    }

    /// The requests since the last look, which this is none of.
    pub(crate) fn seen(&self) -> Vec<Exchange> {
        self.sandbox.journal().into_iter().filter(|it| !S::is_aside(it)).collect()
    }

    /// What the service holds, to see that nothing has changed.
    pub(crate) fn state(&self) -> Value {
        let mut state = serde_json::to_value(&*self.sandbox.platform()).unwrap();
        state.as_object_mut().unwrap().retain(|field, _| !S::RESTLESS.contains(&field.as_str()));
        state
    }

    /// A call that is refused before anything is sent that changes something.
    #[track_caller]
    pub(crate) fn refused(&self, tool: &str, arguments: Value, code: &str) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        self.sandbox.clear_journal();
        let call = self.agent.fails(tool, arguments, code);
        async move {
            let answer = call.await;
            let sent: Vec<_> = self.seen().iter().filter(|it| is_write(it)).map(S::told).collect();
            assert_eq!(sent, [""; 0], "{caller}: {answer}");
            answer
        }
    }

    /// The same, and the service holds what it held.
    #[track_caller]
    pub(crate) fn refuses(&self, tool: &str, arguments: Value, code: &str) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        let before = self.state();
        let call = self.refused(tool, arguments, code);
        async move {
            let answer = call.await;
            assert_eq!(self.state(), before, "{caller}: {answer}");
            self.sandbox.clear_journal();
            answer
        }
    }
}

pub(crate) fn is_write(it: &Exchange) -> bool {
    it.method != "GET"
}
