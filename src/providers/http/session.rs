//! One piece of work with a service: what it has read once it does not read again.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::Method;
use tokio::sync::OnceCell;

use super::{Api, Draft, Reading, Request, Writing};
use crate::{
    error::ProviderError,
    guard::Planned,
    providers::{Builder, Connection, HandlerFuture, Operate},
    tools::{Changes, Operation, Read},
};

/// One call, or many that belong together. Cheap to clone; clones share what was read.
pub(crate) struct Session<S> {
    api: Api,
    /// What the connection's configuration says beyond how to reach the service.
    pub(crate) settings: Arc<S>,
    memo: Arc<Memo>,
    asked: Arc<Mutex<HashMap<String, u32>>>,
    patience: Option<Duration>,
}

impl<S> Clone for Session<S> {
    fn clone(&self) -> Self {
        Self {
            api: self.api.clone(),
            settings: Arc::clone(&self.settings),
            memo: Arc::clone(&self.memo),
            asked: Arc::clone(&self.asked),
            patience: self.patience,
        }
    }
}

/// What was read, by what was asked and as what it was understood. Two that ask the same at the same time ask once.
#[derive(Default)]
pub(super) struct Memo(Mutex<HashMap<(TypeId, String), Arc<dyn Any + Send + Sync>>>);

impl Memo {
    pub(super) fn cell<T: Send + Sync + 'static>(&self, key: &str) -> Arc<OnceCell<Arc<T>>> {
        let mut memo = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = memo.entry((TypeId::of::<T>(), key.to_owned())).or_insert_with(|| Arc::new(OnceCell::<Arc<T>>::new()));
        Arc::clone(cell).downcast().unwrap_or_default()
    }

    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl<S> Session<S> {
    pub(crate) fn new(api: Api, settings: Arc<S>) -> Self {
        Self { api, settings, memo: Arc::default(), asked: Arc::default(), patience: None }
    }

    /// The same work with nothing remembered: for reading back what a change has done.
    pub(crate) fn afresh(&self) -> Self {
        Self { memo: Arc::default(), ..self.clone() }
    }

    /// What is put together from one answer or several, once in a piece of work: people look it through for row after row.
    /// `key` names it among those of its type.
    pub(crate) async fn once<T, F>(&self, key: &str, read: impl FnOnce() -> F) -> Result<Arc<T>, ProviderError>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T, ProviderError>>,
    {
        let cell = self.memo.cell(key);
        // On the heap, and only where it is not known yet: many wait for the same at the same time.
        cell.get_or_try_init(|| async { Box::pin(read()).await.map(Arc::new) }).await.cloned()
    }

    /// Counts a look-up of this kind, and says how many there were before it in this piece of work: a few things are asked
    /// for one by one, many are cheaper as a whole list.
    pub(crate) fn asked_before(&self, kind: impl Into<String>) -> u32 {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let count = asked.entry(kind.into()).or_default();
        *count += 1;
        *count - 1
    }

    /// A reading request. In `path`, `{name}` stands for what `.path("name", …)` puts there.
    pub(crate) fn get(&self, path: &str) -> Request<Reading> {
        Request::new(self.api.clone(), Method::GET, path).within(&self.memo, self.patience)
    }

    pub(crate) fn post(&self, path: &str) -> Request<Writing> {
        self.writing(Method::POST, path)
    }

    pub(crate) fn put(&self, path: &str) -> Request<Writing> {
        self.writing(Method::PUT, path)
    }

    pub(crate) fn delete(&self, path: &str) -> Request<Writing> {
        self.writing(Method::DELETE, path)
    }

    fn writing(&self, method: Method, path: &str) -> Request<Writing> {
        Request::new(self.api.clone(), method, path).within(&self.memo, self.patience)
    }
}

impl Connection {
    /// A connection to a service: each piece of work gets a session of its own.
    pub(crate) fn to_service<S: Send + Sync + 'static>(name: &str, kind: &'static str, api: Api, settings: S) -> Builder<Session<S>> {
        let (settings, longest, of) = (Arc::new(settings), api.longest(), api.clone());
        Self::with_scopes(name, kind, move |patience| Arc::new(Session { patience, ..Session::new(api.clone(), Arc::clone(&settings)) }))
            .longest(longest)
            .paced(move || of.pace_now())
    }
}

impl<S: Send + Sync + 'static> Builder<Session<S>> {
    /// Serves a read by an `async fn(&Session<S>, &O) -> Result<O::Output, ProviderError>`.
    pub(crate) fn read<O, F>(self, f: F) -> Self
    where
        O: Operation<Effect = Read>,
        F: for<'a> Operate<'a, Session<S>, O, O::Output>,
    {
        self.on(f)
    }

    /// Serves a change by an `async fn(&Session<S>, &O) -> Result<Draft<O::Output>, ProviderError>`, which reads what it needs
    /// and sends nothing: the draft says what is to be sent.
    pub(crate) fn change<O, F>(self, f: F) -> Self
    where
        O: Operation<Effect: Changes>,
        F: for<'a> Operate<'a, Session<S>, O, Draft<O::Output>>,
    {
        self.serve_change::<O>(move |scope, operation| scope.call(operation, |at, operation| planned(Box::pin(f(at, operation)))))
    }
}

fn planned<T: 'static>(draft: HandlerFuture<'_, Draft<T>>) -> HandlerFuture<'_, Planned> {
    Box::pin(async move { draft.await?.planned() })
}
