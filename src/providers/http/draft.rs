//! A change of a service, resolved and described, and not sent.

use futures_util::future::BoxFuture;
use serde::Serialize;

use crate::{
    domain::{Facts, Inverse, Secret, Target},
    error::ProviderError,
    guard::{Made, Permit, Plan, Planned, Preview},
    providers::json,
};

pub(super) type SendFn<T> = Box<dyn FnOnce(Permit) -> BoxFuture<'static, Result<Sent<T>, ProviderError>> + Send>;
pub(super) type ReadBackFn<T> = Box<dyn Fn() -> BoxFuture<'static, Result<Option<Sent<T>>, ProviderError>> + Send + Sync>;

/// What a change would do, and how it is sent.
pub(crate) struct Draft<T> {
    pub(super) target: Target,
    pub(super) facts: Facts,
    before: Option<T>,
    pub(super) send: SendFn<T>,
    pub(super) read_back: Option<ReadBackFn<T>>,
}

impl<T: Serialize + Send + 'static> Draft<T> {
    /// `send` makes the change: it gets the permit that requests want.
    pub(crate) fn new<F, Fut>(target: Target, facts: impl Into<Facts>, send: F) -> Self
    where
        F: FnOnce(Permit) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Sent<T>, ProviderError>> + Send + 'static,
    {
        Self { target, facts: facts.into(), before: None, send: Box::new(move |permit| Box::pin(send(permit))), read_back: None }
    }

    /// The thing as it is now.
    pub(crate) fn before(mut self, before: T) -> Self {
        self.before = Some(before);
        self
    }

    /// Says how to find out whether the change took effect, should its answer be lost: `None` where it did not. It has to
    /// read anew: see [`super::Session::afresh`].
    pub(crate) fn read_back<F, Fut>(mut self, read: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<Sent<T>>, ProviderError>> + Send + 'static,
    {
        self.read_back = Some(Box::new(move || Box::pin(read())));
        self
    }

    pub(super) fn planned(self) -> Result<Planned, ProviderError> {
        let Self { target, facts, before, send, read_back } = self;
        let preview = Preview { target, facts, before: json(&before)? };
        let planned = Planned::new(preview, move |plan, permit| Box::pin(async move { made(plan, send(permit).await?) }));
        Ok(match read_back {
            None => planned,
            Some(read) => planned.read_back(move |plan| {
                let read = read();
                Box::pin(async move { read.await?.map(|sent| made(plan, sent)).transpose() })
            }),
        })
    }
}

fn made<T: Serialize>(plan: Plan, sent: Sent<T>) -> Result<Made, ProviderError> {
    Ok(Made {
        target: sent.target.unwrap_or(plan.target),
        before: Some(plan.before).filter(|it| !it.is_null()),
        after: sent.after.as_ref().map(json).transpose()?,
        undo: sent.undo.or(plan.impact.undo),
        inverse: sent.inverse,
        secret: sent.secret,
    })
}

/// A change that was made.
#[derive(Debug)]
pub(crate) struct Sent<T> {
    target: Option<Target>,
    after: Option<T>,
    undo: Option<String>,
    inverse: Vec<Inverse>,
    secret: Option<Secret>,
}

impl<T> Sent<T> {
    /// The thing as it is now.
    pub(crate) fn after(after: T) -> Self {
        Self { target: None, after: Some(after), undo: None, inverse: Vec::new(), secret: None }
    }

    /// The thing is gone.
    pub(crate) fn gone() -> Self {
        Self { target: None, after: None, undo: None, inverse: Vec::new(), secret: None }
    }

    /// The target, now that it has an id.
    pub(crate) fn target(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    /// How the change is taken back, where that is not known before.
    pub(crate) fn undo(mut self, how: impl Into<String>) -> Self {
        self.undo = Some(how.into());
        self
    }

    /// A call that takes the change back; several are made in the order they were named.
    pub(crate) fn inverse(mut self, inverse: Inverse) -> Self {
        self.inverse.push(inverse);
        self
    }

    pub(crate) fn secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
        self
    }
}
