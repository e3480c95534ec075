//! The server's own tools: which connections there are, and what was done through them.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::time::timeout;

use super::{
    Connection,
    people::{Known, Sought, hint},
};
use crate::{
    domain::{List, ReferenceText as _, SoughtRef},
    error::ProviderError,
    guard,
    store::Db,
    tools::context::{Activity, ConnectionInfo, ListActivity, ListConnections},
};

/// What the server's own tools read.
pub(crate) struct Builtin {
    pub(crate) connections: Vec<Arc<Connection>>,
    pub(crate) db: Db,
}

/// The name under which these tools are served; no configuration can use it.
pub const NAME: &str = "rolecall";

pub(crate) fn connect(builtin: Builtin) -> Connection {
    Connection::builder(NAME, NAME, builtin).on(list_connections).on(list_activity).build()
}

/// How long a connection may take to show that it can be used.
const PATIENCE: Duration = Duration::from_secs(10);

async fn list_connections(builtin: &Builtin, _: &ListConnections) -> Result<List<ConnectionInfo>, ProviderError> {
    Ok(List::whole(join_all(builtin.connections.iter().map(|it| info(it))).await))
}

async fn info(it: &Connection) -> ConnectionInfo {
    let health = match timeout(PATIENCE, it.health()).await {
        Ok(Ok(())) => "ok".to_owned(),
        Ok(Err(error)) => format!("{}; {}", crate::error::chain(&error), error.fix()),
        Err(_) => "it did not answer in time".to_owned(),
    };
    let served: Vec<_> = crate::tools::all().into_iter().filter(|tool| it.serves(tool.name)).collect();
    let mut domains: Vec<String> = served.iter().map(|tool| tool.domain.to_owned()).collect();
    domains.dedup();
    ConnectionInfo {
        connection: it.name.clone(),
        provider: it.provider.to_owned(),
        organization: it.pin.clone(),
        health,
        tools: served.len(),
        domains,
    }
}

async fn list_activity(builtin: &Builtin, op: &ListActivity) -> Result<List<Activity>, ProviderError> {
    let found = guard::list_activity(&builtin.db, op).await?;
    let Some(named) = op.member.as_ref().filter(|_| found.items.is_empty() && op.cursor.is_none()) else { return Ok(found) };
    // The ledger knows people by their addresses; whoever is named in another way is looked for among those.
    let people: Vec<String> = guard::recorded_people(&builtin.db).await?.into_iter().collect();
    let sought = Sought::of(named, "the calls that are recorded", "list_activity");
    let address = match sought.among(&people, in_ledger) {
        Ok(address) => address.clone(),
        // Nothing was recorded about an address that nobody mistook.
        Err(error) if named.text().contains('@') && hint(&error).is_none() => return Ok(found),
        Err(ProviderError::NotFound { kind, name, scope, fix }) => {
            let fix = match people.as_slice() {
                _ if fix.starts_with("did you mean") => fix,
                [] => "no call is recorded that was about a person".to_owned(),
                people => format!("recorded are, among others: {}", people.iter().take(5).cloned().collect::<Vec<_>>().join(", ")),
            };
            return Err(ProviderError::NotFound { kind, name, scope, fix });
        }
        Err(other) => return Err(other),
    };
    guard::list_activity(&builtin.db, &ListActivity { member: Some(SoughtRef::read(address)), ..op.clone() }).await
}

/// Of a person in the ledger there is the address alone, which is mostly made of the name.
fn in_ledger(address: &String) -> Known<'_> {
    Known { id: "", email: address, name: address.split('@').next().unwrap_or_default(), also: None }
}
