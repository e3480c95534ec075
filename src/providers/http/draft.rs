//! A change of a service, resolved and described, and not sent.
//!
//! Types are seen where a draft is put together; what is planned and sent is the same for all, and compiled once.

use std::{marker::PhantomData, sync::Arc};

use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Reply, Request, Session, Writing};
use crate::{
    domain::{Facts, Inverse, Secret, Target},
    error::ProviderError,
    guard::{Made, Permit, Plan, Planned, Preview},
    providers::json,
};

type SendFn = Box<dyn FnOnce(Permit) -> BoxFuture<'static, Result<SentData, ProviderError>> + Send>;
type ReadBackFn = Box<dyn Fn() -> BoxFuture<'static, Result<Option<SentData>, ProviderError>> + Send + Sync>;
/// What the service has, as ours.
type View<T, W> = Arc<dyn Fn(W) -> Sent<T> + Send + Sync>;
/// A thing as JSON. That it could not be written down is told when it is wanted.
type Written = Result<Value, ProviderError>;

/// What a change would do, and how it is sent. `T` is the thing that it is about.
///
/// Most changes are one request. They are put together from what they mean, what is sent, what is there afterwards, what takes
/// it back, and how it is found should the answer be lost:
///
/// ```ignore
/// Ok(Draft::of(target, facts)
///     .before(view)
///     .sends(request)
///     .shows("look with list_teams", |it: WireTeam| it.view())
///     .undone_by([Inverse::of(&DeleteTeam { team: reference })])
///     .found_by(at, move |at| async move { one(&at, &team.id).await }))
/// ```
///
/// Those that take several requests say so with [`Draft::new`] and [`Draft::read_back`].
pub(crate) struct Draft<T> {
    data: DraftData,
    of: PhantomData<fn() -> T>,
}

struct DraftData {
    target: Target,
    facts: Facts,
    before: Option<Written>,
    inverse: Vec<Inverse>,
    /// See [`Draft::taken_by`].
    takes: Vec<Inverse>,
    send: SendFn,
    read_back: Option<ReadBackFn>,
}

impl<T: 'static> Draft<T> {
    /// The usual change: one request.
    pub(crate) fn of(target: Target, facts: Facts) -> Outline<T> {
        Outline { target, facts, before: None, of: PhantomData }
    }

    /// `send` makes the change: it gets the permit that requests want.
    pub(crate) fn new<F, Fut>(target: Target, facts: Facts, send: F) -> Self
    where
        F: FnOnce(Permit) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Sent<T>, ProviderError>> + Send + 'static,
    {
        let send: SendFn = Box::new(move |permit| erased(Box::pin(send(permit)), |it| it.data));
        let data = DraftData { target, facts, before: None, inverse: Vec::new(), takes: Vec::new(), send, read_back: None };
        Self { data, of: PhantomData }
    }

    /// The thing as it is now.
    pub(crate) fn before(mut self, before: T) -> Self
    where
        T: Serialize,
    {
        self.data.before = Some(json(&before));
        self
    }

    /// Says how to find out whether the change took effect, should its answer be lost: `None` where it did not. It has to
    /// read anew: see [`super::Session::afresh`].
    pub(crate) fn read_back<F, Fut>(mut self, read: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<Sent<T>>, ProviderError>> + Send + 'static,
    {
        self.data.read_back = Some(Box::new(move || erased(Box::pin(read()), |it| it.map(|it| it.data))));
        self
    }

    /// Names the call that takes away what this one gives, where it is known before and `send` tells it only afterwards.
    pub(crate) fn taken_by(mut self, call: Inverse) -> Self {
        self.data.takes.push(call);
        self
    }

    pub(super) fn planned(self) -> Result<Planned, ProviderError> {
        self.data.planned()
    }
}

/// A change by one request, which is still to be named: see [`Draft::of`].
pub(crate) struct Outline<T> {
    target: Target,
    facts: Facts,
    before: Option<Written>,
    of: PhantomData<fn() -> T>,
}

/// A change by one request: what is there afterwards is still to be said.
pub(crate) struct Sending<T> {
    outline: Outline<T>,
    request: Request<Writing>,
}

/// A change by one request: how it is found out whether it took effect is still to be said. Whoever looks finds a `W`.
pub(crate) struct Expected<T, W> {
    draft: Draft<T>,
    view: View<T, W>,
}

impl<T: 'static> Outline<T> {
    /// The thing as it is now.
    pub(crate) fn before(mut self, before: T) -> Self
    where
        T: Serialize,
    {
        self.before = Some(json(&before));
        self
    }

    /// The one request that makes the change.
    pub(crate) fn sends(self, request: Request<Writing>) -> Sending<T> {
        Sending { outline: self, request }
    }
}

impl<T: 'static> Sending<T> {
    /// The answer shows the thing as the service has it, and `view` makes ours of it: a `T`, or a [`Sent`] where there is more
    /// to say. `fix` is the read that tells where the answer cannot be read.
    pub(crate) fn shows<W, V, R>(self, fix: &'static str, view: V) -> Expected<T, W>
    where
        W: DeserializeOwned + 'static,
        V: FnOnce(W) -> R + Clone + Send + Sync + 'static,
        R: Into<Sent<T>>,
    {
        self.expects(Arc::new(move |it| view.clone()(it).into()), move |reply| reply.read(fix))
    }

    /// The thing will be this, whatever is answered.
    pub(crate) fn leaves(self, after: T) -> Expected<T, ()>
    where
        T: Serialize + Send + Sync,
    {
        self.expects(Arc::new(move |()| Sent::new(Some(json(&after)))), |_| Ok(()))
    }

    /// The thing will be gone.
    pub(crate) fn ends(self) -> Expected<T, ()> {
        self.expects(Arc::new(|()| Sent::gone()), |_| Ok(()))
    }

    fn expects<W, R>(self, view: View<T, W>, read: R) -> Expected<T, W>
    where
        W: 'static,
        R: FnOnce(Reply) -> Result<W, ProviderError> + Send + 'static,
    {
        let Self { outline: Outline { target, facts, before, .. }, request } = self;
        let seen = Arc::clone(&view);
        let send = move |permit| async move { Ok(seen(read(request.send(&permit).await?)?)) };
        let mut draft = Draft::new(target, facts, send);
        draft.data.before = before;
        Expected { draft, view }
    }
}

impl<T: 'static, W: 'static> Expected<T, W> {
    /// The calls that take the change back, in order, however it comes to be known that it was made. Those of
    /// [`Sent::inverse`], which want an id that is known only then, follow.
    pub(crate) fn undone_by(mut self, inverses: impl IntoIterator<Item = Inverse>) -> Self {
        self.draft.data.inverse.extend(inverses);
        self
    }

    /// Says how to find out whether the change took effect, should its answer be lost: `read` gets a session that remembers
    /// nothing, and finds the thing as the service has it, or says whether it is so. It may have to look more than once, each
    /// time with what it holds as it is now.
    pub(crate) fn found_by<S, F, Fut, R>(self, at: &Session<S>, read: F) -> Draft<T>
    where
        S: Send + Sync + 'static,
        F: FnOnce(Session<S>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<R, ProviderError>> + Send + 'static,
        R: Found<W>,
    {
        let (at, view) = (at.afresh(), self.view);
        self.draft.read_back(move || {
            let (found, view) = (read.clone()(at.afresh()), Arc::clone(&view));
            async move { Ok(found.await?.found().map(|it| view(it))) }
        })
    }
}

/// What somebody who looks whether a change took effect comes back with.
pub(crate) trait Found<W> {
    /// `None` where it did not.
    fn found(self) -> Option<W>;
}

impl<W> Found<W> for Option<W> {
    fn found(self) -> Option<W> {
        self
    }
}

impl Found<()> for bool {
    fn found(self) -> Option<()> {
        self.then_some(())
    }
}

impl DraftData {
    fn planned(self) -> Result<Planned, ProviderError> {
        let Self { target, facts, before, inverse, takes, send, read_back } = self;
        let takes = if takes.is_empty() { inverse.clone() } else { takes };
        let preview = Preview { target, facts, before: before.transpose()?.unwrap_or_default(), after: None };
        let (back, read_back) = (inverse.clone(), read_back.map(Arc::new));
        let look = read_back.clone();
        let planned = Planned::new(preview, move |plan, permit| {
            Box::pin(async move {
                match send(permit).await {
                    Ok(sent) => made(plan, inverse, sent),
                    Err(error) => gone_before(plan, error, look.as_deref()).await,
                }
            })
        });
        let planned = planned.taken_by(takes);
        Ok(match read_back {
            None => planned,
            Some(read) => planned.read_back(move |plan| {
                let (read, back) = (read(), back.clone());
                Box::pin(async move { read.await?.map(|sent| made(plan, back, sent)).transpose() })
            }),
        })
    }
}

/// What becomes of a change that was refused. One that ends something, and whose thing is gone all the same, has nothing left to do:
/// somebody else was quicker. It was not this call that ended it, so there is nothing to take back.
async fn gone_before(plan: Plan, error: ProviderError, look: Option<&ReadBackFn>) -> Result<Made, ProviderError> {
    let is_refusal = matches!(&error, ProviderError::Remote(it) if matches!(it.status, Some(400 | 404 | 409 | 410 | 422)));
    let (true, Some(look)) = (is_refusal, look) else { return Err(error) };
    let Ok(Some(SentData { after: None, .. })) = look().await else { return Err(error) };
    let undo = "nothing needs to be undone: it was gone before this call";
    let sent = SentData { target: None, after: None, undo: Some(undo.to_owned()), inverse: Vec::new(), secret: None };
    made(plan, Vec::new(), sent)
}

fn made(plan: Plan, mut inverse: Vec<Inverse>, sent: SentData) -> Result<Made, ProviderError> {
    inverse.extend(sent.inverse);
    Ok(Made {
        target: sent.target.unwrap_or(plan.target),
        before: Some(plan.before).filter(|it| !it.is_null()),
        after: sent.after.transpose()?,
        undo: sent.undo.or(plan.impact.undo),
        inverse,
        secret: sent.secret,
    })
}

/// A change that was made. `T` is the thing that it was about.
#[derive(Debug)]
pub(crate) struct Sent<T> {
    data: SentData,
    of: PhantomData<fn() -> T>,
}

#[derive(Debug)]
struct SentData {
    target: Option<Target>,
    after: Option<Written>,
    undo: Option<String>,
    inverse: Vec<Inverse>,
    secret: Option<Secret>,
}

impl<T> Sent<T> {
    /// The thing as it is now.
    pub(crate) fn after(after: T) -> Self
    where
        T: Serialize,
    {
        Self::new(Some(json(&after)))
    }

    /// The thing is gone.
    pub(crate) fn gone() -> Self {
        Self::new(None)
    }

    fn new(after: Option<Written>) -> Self {
        Self { data: SentData { target: None, after, undo: None, inverse: Vec::new(), secret: None }, of: PhantomData }
    }

    /// The target, now that it has an id.
    pub(crate) fn target(mut self, target: Target) -> Self {
        self.data.target = Some(target);
        self
    }

    /// How the change is taken back, where that is not known before.
    pub(crate) fn undo(mut self, how: impl Into<String>) -> Self {
        self.data.undo = Some(how.into());
        self
    }

    /// A call that takes the change back; several are made in the order they were named.
    pub(crate) fn inverse(mut self, inverse: Inverse) -> Self {
        self.data.inverse.push(inverse);
        self
    }

    /// The same, where there may be none.
    pub(crate) fn undone_by(self, inverses: impl IntoIterator<Item = Inverse>) -> Self {
        inverses.into_iter().fold(self, Self::inverse)
    }

    pub(crate) fn secret(mut self, secret: Secret) -> Self {
        self.data.secret = Some(secret);
        self
    }
}

impl<T: Serialize> From<T> for Sent<T> {
    fn from(after: T) -> Self {
        Self::after(after)
    }
}

/// Compiled once for a type, and not once for each change of it.
fn erased<T: 'static, D: 'static>(
    typed: BoxFuture<'static, Result<T, ProviderError>>,
    erase: fn(T) -> D,
) -> BoxFuture<'static, Result<D, ProviderError>> {
    Box::pin(async move { typed.await.map(erase) })
}
