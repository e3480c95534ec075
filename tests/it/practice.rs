//! The practice company of any provider, behind one face: for tests that ask the same of all of them.

use std::sync::Arc;

use rolecall::{providers::local, store::Db};
use rolecall_sandbox::{Platform, Sandbox, engine::Engine, geai::Geai, openai::Openai, seeme::Seeme};

use crate::{
    lab::{Service as _, service},
    support::{Agent, Options, Store, Value, json},
    support_geai,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    Local,
    Geai,
    /// With the token of a system administrator.
    GeaiSystem,
    Openai,
    Seeme,
    Engine,
}

/// An agent before a company as it is seeded.
pub(crate) struct World {
    pub(crate) agent: Agent,
    service: Service,
}

/// An agent with an account at every provider, each with its practice company; the services run as long as this lives.
pub(crate) struct Everywhere {
    pub(crate) agent: Agent,
    _services: Box<dyn std::any::Any>,
}

impl Everywhere {
    pub(crate) async fn new() -> Self {
        Self::with(true).await
    }

    /// Nothing listens where the laboratory's service was.
    pub(crate) async fn but_the_laboratory() -> Self {
        Self::with(false).await
    }

    async fn with(lab_is_up: bool) -> Self {
        let store = Store::sqlite();
        let db = Db::open(&store.url).await.unwrap();
        local::seed::seed(&db, "acme").await.unwrap();
        let (geai, openai, seeme, engine) =
            (service::<Geai>().await, service::<Openai>().await, service::<Seeme>().await, service::<Engine>().await);
        let connections = vec![
            local::connect("practice", db, local::Settings::default()),
            Geai::connect(Geai::settings(&geai.url)),
            Openai::connect(Openai::settings(&openai.url)),
            Seeme::connect(Seeme::settings(&seeme.url)),
            Engine::connect(Engine::settings(if lab_is_up { &engine.url } else { "http://127.0.0.1:9" })),
        ];
        let options = Options::default();
        let app = store.app_with(connections, &options).await;
        Self { agent: Agent::of(&store, app, options).await, _services: Box::new((geai, openai, seeme, engine)) }
    }
}

/// What the agent's connection reaches.
enum Service {
    Directory,
    Geai(Arc<Sandbox<Geai>>),
    Openai(Arc<Sandbox<Openai>>),
    Seeme(Arc<Sandbox<Seeme>>),
    Engine(Arc<Sandbox<Engine>>),
}

impl World {
    pub(crate) async fn of(provider: Provider, options: Options) -> Self {
        let (connection, service) = match provider {
            Provider::Local => {
                let store = Store::sqlite();
                local::seed::seed(&Db::open(&store.url).await.unwrap(), "acme").await.unwrap();
                return Self { agent: Agent::on(&store, options).await, service: Service::Directory };
            }
            Provider::Geai | Provider::GeaiSystem => {
                let sandbox = service::<Geai>().await;
                let settings = Geai::settings(&sandbox.url);
                let settings = if provider == Provider::GeaiSystem { support_geai::system(settings) } else { settings };
                (Geai::connect(settings), Service::Geai(sandbox))
            }
            Provider::Openai => {
                let sandbox = service::<Openai>().await;
                (Openai::connect(Openai::settings(&sandbox.url)), Service::Openai(sandbox))
            }
            Provider::Seeme => {
                let sandbox = service::<Seeme>().await;
                (Seeme::connect(Seeme::settings(&sandbox.url)), Service::Seeme(sandbox))
            }
            Provider::Engine => {
                let sandbox = service::<Engine>().await;
                let mut settings = Engine::settings(&sandbox.url);
                // A role that the service may have and that its list does not explain.
                settings.role_ids = [("Org Steward", "r-steward"), ("Project Steward", "r-project-steward")]
                    .map(|(name, id)| (name.to_owned(), id.to_owned()))
                    .into();
                (Engine::connect(settings), Service::Engine(sandbox))
            }
        };
        Self { agent: Agent::connected(vec![connection], options).await, service }
    }

    /// A plan that a person declines, for which nothing is sent; then the same, agreed to: something of it is done, and so many of its
    /// rows fail, are unknown and are refused.
    pub(crate) async fn plan(&self, tool: &str, call: Value, expected: [u64; 3]) {
        let before = self.state().await;
        self.agent.refusing().await.call(tool, call.clone()).await;
        assert!(self.state().await == before, "{tool}: nothing was sent");
        let done = self.agent.ok(tool, call).await;
        let amiss = ["failed", "unknown", "refused"].map(|it| done["after"][it].as_u64().unwrap_or_default());
        let told = format!("{tool} {}\n{}", self.agent.questions().join("\n"), done["after"]);
        assert_eq!((amiss, done["after"]["done"].as_u64() > Some(0)), (expected, true), "{told}");
    }

    /// What a call would do. Nothing may be asked or changed for it.
    pub(crate) async fn preview(&self, tool: &str, mut arguments: Value) -> Value {
        arguments["dry_run"] = true.into();
        let before = self.state().await;
        self.agent.questions();
        let answer = self.agent.call(tool, arguments).await;
        assert_eq!(self.agent.questions(), [""; 0], "{tool}: a preview asks nobody");
        assert!(self.state().await == before, "{tool}: a preview changes nothing");
        answer
    }

    /// Puts something into the service that no call would put there: a value at a JSON pointer into its state, or, for the
    /// directory, what an SQL text does.
    pub(crate) async fn give(&self, place: &str, value: Value) {
        match &self.service {
            Service::Directory => {
                let mut tx = self.agent.db().recording().begin().await.unwrap();
                assert_ne!(tx.run(place, &[]).await.unwrap(), 0, "{place}");
                tx.commit().await.unwrap();
            }
            Service::Geai(it) => put(it, place, value),
            Service::Openai(it) => put(it, place, value),
            Service::Seeme(it) => put(it, place, value),
            Service::Engine(it) => put(it, place, value),
        }
    }

    /// All that the service holds, without what only counts calls.
    pub(crate) async fn state(&self) -> Value {
        let mut state = match &self.service {
            Service::Directory => serde_json::to_value(self.agent.dump().await).unwrap(),
            Service::Geai(it) => held(it),
            Service::Openai(it) => held(it),
            Service::Seeme(it) => held(it),
            Service::Engine(it) => held(it),
        };
        state
            .as_object_mut()
            .unwrap()
            .retain(|field, _| !["number", "quirks", "minutes", "clock", "serial", "sessions"].contains(&field.as_str()));
        state
    }
}

fn held<P: Platform>(sandbox: &Sandbox<P>) -> Value {
    serde_json::to_value(&*sandbox.platform()).unwrap()
}

fn put<P: Platform>(sandbox: &Sandbox<P>, pointer: &str, value: Value) {
    let mut state = held(sandbox);
    match pointer.strip_suffix("/-") {
        Some(list) => state.pointer_mut(list).unwrap().as_array_mut().unwrap().push(value),
        None => *state.pointer_mut(pointer).unwrap_or_else(|| panic!("nothing is at {pointer}")) = value,
    }
    *sandbox.platform() = serde_json::from_value(state).unwrap();
}

/// Steps for `apply_changes`: a call of a tool for each value of one argument.
pub(crate) fn steps_of<T: AsRef<str>>(tool: &str, argument: &str, values: &[T], rest: &Value) -> Value {
    let step = |value: &T| {
        let mut arguments = rest.clone();
        arguments[argument] = value.as_ref().into();
        json!({ "tool": tool, "arguments": arguments })
    };
    values.iter().map(step).collect()
}
