//! A service of the sandbox that answers some calls oddly: as the same service, seen through somebody's deployment of it.

use std::sync::Arc;

use rolecall::providers::Connection;
use rolecall_sandbox::{Answer, Call, Exchange, Platform, Seed};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    lab::{Lab, Service},
    support::{Options, Value},
};

/// What is answered to a call, given what the service would answer.
type Twist<P> = Arc<dyn Fn(&mut P, &Call) -> Answer + Send + Sync>;

#[derive(Serialize, Deserialize)]
#[serde(transparent, bound = "P: Serialize + DeserializeOwned")]
pub(crate) struct Odd<P> {
    pub(crate) inner: P,
    #[serde(skip)]
    twist: Option<Twist<P>>,
}

impl<P: Platform> Platform for Odd<P> {
    const PROVIDER: &'static str = P::PROVIDER;

    fn seeded(seed: Seed) -> Self {
        Self { inner: P::seeded(seed), twist: None }
    }

    fn answer(&mut self, call: &Call) -> Answer {
        match self.twist.clone() {
            Some(twist) => twist(&mut self.inner, call),
            None => self.inner.answer(call),
        }
    }

    fn environment(&self, url: &str) -> Vec<(&'static str, String)> {
        self.inner.environment(url)
    }
}

impl<S: Service> Service for Odd<S> {
    type Settings = S::Settings;

    const RESTLESS: &'static [&'static str] = S::RESTLESS;

    fn settings(url: &str) -> S::Settings {
        S::settings(url)
    }

    fn connect(settings: S::Settings) -> Connection {
        S::connect(settings)
    }

    fn told(it: &Exchange) -> String {
        S::told(it)
    }

    fn is_aside(it: &Exchange) -> bool {
        S::is_aside(it)
    }
}

/// An agent before the practice company of a service that answers so.
pub(crate) async fn odd<S: Service>(twist: impl Fn(&mut S, &Call) -> Answer + Send + Sync + 'static) -> Lab<Odd<S>> {
    configured(twist, |_| {}).await
}

/// The same, with a connection that was configured otherwise.
pub(crate) async fn configured<S: Service>(
    twist: impl Fn(&mut S, &Call) -> Answer + Send + Sync + 'static,
    configure: impl FnOnce(&mut S::Settings),
) -> Lab<Odd<S>> {
    let service = Odd { twist: Some(Arc::new(twist)), ..Odd::seeded(Seed::Acme) };
    Lab::at(service, configure, Options::default()).await
}

/// A call without some of its parameters: as a service hears it that does not know them.
pub(crate) fn without(call: &Call, params: &[&str]) -> Call {
    let mut call = call.clone();
    call.query.retain(|it| !params.contains(&it.0.as_str()));
    call
}

/// The same answer with other JSON in it.
pub(crate) fn with_json(answer: Answer, change: impl FnOnce(&mut Value)) -> Answer {
    let Ok(mut json) = serde_json::from_slice(&answer.body) else { return answer };
    change(&mut json);
    Answer { body: serde_json::to_vec(&json).unwrap(), ..answer }
}

/// Changes every object in an answer, the inner ones first.
pub(crate) fn each_object(json: &mut Value, change: &impl Fn(&mut serde_json::Map<String, Value>)) {
    match json {
        Value::Array(items) => items.iter_mut().for_each(|it| each_object(it, change)),
        Value::Object(fields) => {
            fields.values_mut().for_each(|it| each_object(it, change));
            change(fields);
        }
        _ => {}
    }
}

/// Whether a call's path is this one.
pub(crate) fn is(call: &Call, method: &str, path: &str) -> bool {
    call.method == method && call.segments.join("/") == path
}
