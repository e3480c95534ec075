//! The embedded directory: an organization that needs no account.
//!
//! A change is written once, as what it does in a transaction. Planned, the transaction is rolled back, so
//! that the impact a person is shown is counted by the very code that will act. Made, the transaction is
//! kept only if it still is what the person agreed to.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use serde::Serialize;
use serde_json::Value;

use super::{Builder, Connection, HandlerFuture, Operand, Scope, mixed_up, told, unreadable};
use crate::{
    domain::{Change, ChangeData, Inverse, Secret, Timestamp},
    error::ProviderError,
    guard::{Made, Plan, Planned, Preview},
    store::{Conn, Db, StoreError, Tries, args, transaction},
    tools::{Changes, Operation, Read},
};

mod access;
mod api_keys;
pub mod certificates;
mod compared;
mod context;
mod extent;
mod held;
mod invitations;
mod joining;
mod key_power;
mod known;
mod lanes;
mod logos;
mod members;
mod memberships;
mod organizations;
mod page;
mod permissions;
mod policies;
mod project_access;
mod project_members;
mod project_teams;
mod projects;
mod rate_limits;
mod reach;
mod resolve;
mod resources;
mod returning;
mod role_assignments;
mod roles;
mod seats;
pub mod seed;
mod select;
mod service_accounts;
mod surroundings;
mod team_members;
mod teams;
mod usage_limits;

/// The directory in the store.
pub(crate) struct Directory {
    db: Db,
    settings: Settings,
    lanes: Arc<lanes::Lanes>,
    /// Where changes are planned one upon the other, those that were planned before.
    before: Option<Mutex<Vec<Arc<DirectoryChange>>>>,
}

/// What a connection to the directory is told by its configuration.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The organization that it is kept to: name, slug or id.
    pub pin: Option<String>,
    /// Folders that `path` arguments may be read from; none over HTTP.
    pub files: Vec<PathBuf>,
}

/// One look at the directory: a connection to the database, inside a transaction when something is changed.
pub(crate) struct Session {
    pub(crate) db: Conn,
    pub(crate) settings: Arc<Settings>,
    /// Whether what it writes is to be kept; a plan only looks what would become of it.
    pub(crate) makes: bool,
}

/// What this provider can do, on one screen.
pub fn connect(name: &str, db: Db, settings: Settings) -> Connection {
    let pin = settings.pin.clone();
    Connection::builder(name, "local", Directory { db, settings, lanes: Arc::default(), before: None })
        .pinned(pin)
        .rehearsed(|it| Directory {
            db: it.db.clone(),
            settings: it.settings.clone(),
            lanes: Arc::clone(&it.lanes),
            before: Some(Mutex::default()),
        })
        .health(|directory| async move {
            let mut session = directory.session(directory.db.read().await?);
            session.db.number("SELECT CAST(1 AS BIGINT)", &[]).await?;
            session.pinned().await?;
            Ok(())
        })
        .grants(|directory, scope| async move {
            let mut session = directory.session(directory.db.search().await?);
            access::grants(&mut session, &scope).await
        })
        .people(|directory, text| async move {
            let mut session = directory.session(directory.db.read().await?);
            known::people(&mut session, &text).await
        })
        .settle(|directory, call_id, give_up| async move { directory.settle(&call_id, give_up).await })
        // context
        .read(context::current_user)
        // organizations, policies, logos
        .read(organizations::list)
        .read(organizations::get)
        .change(organizations::create)
        .change(organizations::update)
        .change(organizations::delete)
        .read(policies::get)
        .read(logos::get)
        .change(logos::set)
        .change(logos::delete)
        // members
        .read(members::list)
        .read(members::get)
        .change(members::update)
        .change(members::remove)
        .change(joining::add)
        .change(joining::create_user)
        .read(invitations::list)
        .change(invitations::invite)
        .change(invitations::cancel)
        .read(memberships::list)
        .read(memberships::list_projects)
        // teams
        .read(teams::list)
        .read(teams::get)
        .change(teams::create)
        .change(teams::update)
        .change(teams::delete)
        .read(team_members::list)
        .change(team_members::add)
        .change(team_members::update)
        .change(team_members::remove)
        // projects
        .read(projects::list)
        .read(projects::get)
        .change(projects::create)
        .change(projects::update)
        .change(projects::archive)
        .change(projects::delete)
        // project members
        .read(project_access::list)
        .read(project_members::get)
        .change(project_members::add)
        .change(project_members::update)
        .change(project_members::remove)
        // project teams
        .read(project_teams::list)
        .change(project_teams::add)
        .change(project_teams::remove)
        // roles
        .read(roles::list)
        .read(roles::get)
        .change(roles::create)
        .change(roles::update)
        .change(roles::delete)
        .read(roles::list_permissions)
        .read(role_assignments::list)
        .change(role_assignments::assign)
        .change(role_assignments::unassign)
        // keys
        .read(service_accounts::list)
        .read(service_accounts::get)
        .change(service_accounts::create)
        .change(service_accounts::update)
        .change(service_accounts::delete)
        .read(api_keys::list)
        .read(api_keys::get)
        .change(api_keys::create)
        .change(api_keys::update)
        .change(api_keys::delete)
        // limits
        .read(rate_limits::list)
        .change(rate_limits::update)
        .read(usage_limits::list)
        .change(usage_limits::set)
        .change(usage_limits::update)
        .change(usage_limits::delete)
        // certificates
        .read(certificates::list)
        .change(certificates::activate)
        .change(certificates::deactivate)
        // resources
        .read(resources::list)
        .change(resources::assign)
        .change(resources::remove)
        .build()
}

impl Builder<Directory> {
    /// Serves a read by an `async fn(&mut Session, &O) -> Result<O::Output, ProviderError>`.
    fn read<O, F>(self, f: F) -> Self
    where
        O: Operation<Effect = Read>,
        F: for<'a> Transact<'a, O, O::Output>,
    {
        let step: Erased<Value> = erased(move |at, operation| told(Box::pin(f(at, operation))));
        self.serve_read::<O>(move |scope, operation| Box::pin(found(scope, operation, Arc::clone(&step))))
    }

    /// Serves a change by an `async fn(&mut Session, &O) -> Result<Change<O::Output>, ProviderError>`.
    fn change<O, F>(self, f: F) -> Self
    where
        O: Operation<Effect: Changes>,
        F: for<'a> Transact<'a, O, Change<O::Output>>,
    {
        let step: Erased<ChangeData> = erased(move |at, operation| changed(Box::pin(f(at, operation))));
        self.serve_change::<O>(move |scope, operation| {
            Box::pin(planned(scope, Arc::new(DirectoryChange { step: Arc::clone(&step), operation: Arc::clone(operation) })))
        })
    }
}

/// A handler whose types only it knows.
type Erased<T> = Arc<dyn for<'a> Fn(&'a mut Session, &'a Operand) -> HandlerFuture<'a, T> + Send + Sync>;

fn erased<O: Operation, T: Send + 'static>(
    step: impl for<'a> Fn(&'a mut Session, &'a O) -> HandlerFuture<'a, T> + Send + Sync + 'static,
) -> Erased<T> {
    Arc::new(move |at, operation| match operation.downcast() {
        Some(operation) => step(at, operation),
        None => Box::pin(async { Err(mixed_up()) }),
    })
}

fn changed<T: Serialize + 'static>(change: HandlerFuture<'_, Change<T>>) -> HandlerFuture<'_, ChangeData> {
    Box::pin(async move { Ok(change.await?.erased()) })
}

async fn found(scope: &Scope, operation: &Operand, step: Erased<Value>) -> Result<Value, ProviderError> {
    let directory = scope.provider::<Directory>()?;
    let mut session = directory.session(directory.db.search().await?);
    step(&mut session, operation).await
}

async fn planned(scope: &Scope, change: Arc<DirectoryChange>) -> Result<Planned, ProviderError> {
    let directory = scope.provider::<Directory>()?;
    let (plan, takes) = directory.plan(&change).await?;
    if let Some(before) = &directory.before {
        before.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&change));
    }
    let planned =
        Planned::new(plan, move |plan, permit| Box::pin(async move { directory.act(&change, &plan, permit.leave().await?).await }));
    Ok(planned.taken_by(takes))
}

/// A change of the directory, as a call asks for it.
struct DirectoryChange {
    step: Erased<ChangeData>,
    operation: Operand,
}

impl DirectoryChange {
    /// What it does in a transaction.
    async fn run(&self, at: &mut Session) -> Result<(Preview, Afterwards), ProviderError> {
        let ChangeData { target, facts, before, after, secret, inverse } = (self.step)(at, &self.operation).await?;
        let before = before.transpose().map_err(unreadable)?.unwrap_or_default();
        let after = after.transpose().map_err(unreadable)?;
        Ok((Preview { target, facts, before, after: after.clone() }, Afterwards { after, secret, inverse }))
    }
}

/// What is there once a change is made.
struct Afterwards {
    after: Option<Value>,
    secret: Option<Secret>,
    inverse: Vec<Inverse>,
}

fn given_up(error: StoreError) -> ProviderError {
    if error.is_duplicate() {
        ProviderError::conflict("call_given_up", "the call took so long that it was given up; nothing was changed", "make the call anew")
    } else {
        error.into()
    }
}

impl Directory {
    async fn settle(&self, call_id: &str, give_up: bool) -> Result<bool, ProviderError> {
        let applied = "SELECT COUNT(*) FROM applied_calls WHERE call_id = $1 AND NOT given_up";
        if !give_up {
            return Ok(self.db.read().await?.number(applied, &args![call_id]).await? > 0);
        }
        transaction!(self.db.recording(), ProviderError, tx => {
            let sql = "INSERT INTO applied_calls (call_id, at, given_up) VALUES ($1, $2, $3) ON CONFLICT (call_id) DO NOTHING";
            tx.run(sql, &args![call_id, Timestamp::now().0, true]).await?;
            Ok(tx.number(applied, &args![call_id]).await? > 0)
        })
    }

    fn session(&self, db: Conn) -> Session {
        Session { db, settings: Arc::new(self.settings.clone()), makes: false }
    }

    /// Runs the change, behind those that it builds on, and rolls all of it back. Gives the calls, too, that would take it back; those
    /// of something new name it by an id that it will not have.
    async fn plan(&self, change: &DirectoryChange) -> Result<(Preview, Vec<Inverse>), ProviderError> {
        let before = self.before.as_ref().map(|it| it.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap_or_default();
        let mut tries = Tries::default();
        loop {
            let planned = async {
                let mut session = self.session(self.db.begin_trial().await?);
                for it in &before {
                    it.run(&mut session).await?;
                }
                change.run(&mut session).await
            };
            match planned.await {
                Err(error) if tries.looking_again(&error, false).await => {}
                other => return other.map(|(preview, then)| (preview, then.inverse)),
            }
        }
    }

    /// Runs the change and keeps it, if it is still what was planned.
    async fn act(&self, change: &DirectoryChange, plan: &Plan, call_id: &str) -> Result<Made, ProviderError> {
        let mut tries = Tries::default();
        let mut lane = self.lanes.take().await;
        loop {
            let mut committed = false;
            match self.act_once(change, plan, call_id, &mut committed).await {
                Err(error) if tries.looking_again(&error, committed).await => lane.collided().await,
                other => {
                    lane.went_well();
                    return other;
                }
            }
        }
    }

    async fn act_once(&self, change: &DirectoryChange, plan: &Plan, call_id: &str, committed: &mut bool) -> Result<Made, ProviderError> {
        let mut session = Session { makes: true, ..self.session(self.db.begin().await?) };
        let (now, Afterwards { after, secret, inverse }) = change.run(&mut session).await?;
        if !plan.is_still(&now) {
            return Err(ProviderError::TargetChanged);
        }
        let sql = "INSERT INTO applied_calls (call_id, at, given_up) VALUES ($1, $2, $3)";
        session.db.run(sql, &args![call_id, Timestamp::now().0, false]).await.map_err(given_up)?;
        *committed = true;
        session.db.commit().await?;
        let Preview { target, facts, before, .. } = now;
        Ok(Made { target, before: Some(before).filter(|it| !it.is_null()), after, undo: facts.undo, inverse, secret })
    }
}

/// An `async fn(&mut Session, &O) -> Result<T, ProviderError>` whose future is `Send`.
pub(crate) trait Transact<'a, O: 'a, T>: Fn(&'a mut Session, &'a O) -> Self::Future + Copy + Send + Sync + 'static {
    type Future: Future<Output = Result<T, ProviderError>> + Send + 'a;
}

impl<'a, O: 'a, T, F, Fut> Transact<'a, O, T> for F
where
    F: Fn(&'a mut Session, &'a O) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<T, ProviderError>> + Send + 'a,
{
    type Future = Fut;
}
