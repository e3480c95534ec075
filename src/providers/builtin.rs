//! The server's own tools: which connections there are, and what was done through them.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::time::timeout;

use super::Connection;
use crate::{
    domain::List,
    error::ProviderError,
    tools::{
        access::{FindPerson, ReviewAccess},
        context::{ConnectionInfo, Connections, ListActivity, ListConnections},
    },
};

/// What the server's own tools read.
pub(crate) struct Builtin {
    pub(crate) connections: Vec<Arc<Connection>>,
    /// What looks like an account and is not used.
    pub(crate) notes: Vec<String>,
}

/// The name under which these tools are served; no configuration can use it.
pub const NAME: &str = "rolecall";

pub(crate) fn connect(builtin: Builtin) -> Connection {
    Connection::builder(NAME, NAME, builtin)
        .on(list_connections)
        .answered::<ListActivity>()
        .answered::<FindPerson>()
        .answered::<ReviewAccess>()
        .build()
}

/// How long a connection may take to show that it can be used.
const PATIENCE: Duration = Duration::from_secs(10);

async fn list_connections(builtin: &Builtin, _: &ListConnections) -> Result<Connections, ProviderError> {
    let list = List::whole(join_all(builtin.connections.iter().map(|it| info(it))).await);
    Ok(Connections { list, notes: builtin.notes.clone() })
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
