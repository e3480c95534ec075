//! The server's own tools: which connections there are, and what was done through them.

use std::sync::Arc;

use super::Connection;
use crate::{
    domain::List,
    error::ProviderError,
    guard,
    store::Db,
    tools::context::{Activity, ConnectionInfo, ListActivity, ListConnections},
};

/// What the server's own tools read.
pub(crate) struct Own {
    pub(crate) connections: Vec<Arc<Connection>>,
    pub(crate) db: Db,
}

/// The name under which these tools are served; no configuration can use it.
pub const NAME: &str = "rolecall";

pub(crate) fn connect(own: Own) -> Connection {
    Connection::builder(NAME, NAME, own).on(list_connections).on(list_activity).build()
}

async fn list_connections(own: &Own, _: ListConnections) -> Result<List<ConnectionInfo>, ProviderError> {
    let mut items = Vec::new();
    for it in &own.connections {
        let health = it.health().await.err().map_or_else(|| "ok".to_owned(), |error| crate::error::chain(&error));
        let served: Vec<_> = crate::tools::all().into_iter().filter(|tool| it.serves(tool.name)).collect();
        let mut domains: Vec<String> = served.iter().map(|tool| tool.domain.to_owned()).collect();
        domains.dedup();
        items.push(ConnectionInfo {
            connection: it.name.clone(),
            provider: it.provider.to_owned(),
            organization: it.pin.clone(),
            health,
            tools: served.len(),
            domains,
        });
    }
    Ok(List::whole(items))
}

async fn list_activity(own: &Own, op: ListActivity) -> Result<List<Activity>, ProviderError> {
    guard::list_activity(&own.db, &own.connections, &op).await
}
