//! The same look at many connections at once, each with its share of the time, and what came of it.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::time::timeout_at;

use super::Ask;
use crate::{
    domain::{
        Failed, Gaps,
        access::{Grant, GrantScope, Grants, Holder, People},
    },
    error::{CallError, ProviderError},
    providers::{Connection, Reader},
};

/// How long whoever asks is kept waiting, however slow a service is.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);

/// So long before the answer has to be there, nothing more is asked for: what was read by then is told.
pub(super) const MARGIN: Duration = Duration::from_millis(1500);

/// What connections answered.
pub(crate) struct Gathered<T> {
    /// In the order of the connections, each with its reader: what it has looked up it need not look up again.
    pub(crate) found: Vec<(Reader, T)>,
    /// Where that which was named is not there, or is there several times.
    pub(crate) unresolved: Vec<(Arc<Connection>, ProviderError)>,
    pub(crate) gaps: Gaps,
}

/// What one look found, and what it could not see; `None` where the connection's provider knows nothing of access.
pub(crate) type Look<T> = Result<Option<(T, Vec<String>)>, ProviderError>;

impl<T> Gathered<T> {
    /// The gaps, with what could not be resolved told as failures: for a question that has more to tell.
    pub(crate) fn all_gaps(&self) -> Gaps {
        let mut gaps = self.gaps.clone();
        let again = |(connection, error): &(Arc<Connection>, ProviderError)| {
            let (message, fix) = (error.to_string(), error.fix());
            Failed { connection: connection.name.clone(), code: error.code(), message, fix }
        };
        gaps.failed.extend(self.unresolved.iter().map(again));
        gaps
    }
}

impl Ask<'_> {
    /// The connections where the caller may use the tool. The others stand in the gaps, and nothing is read of them.
    pub(crate) fn readers(&self) -> (Vec<Reader>, Gaps) {
        let (mut readers, mut gaps) = (Vec::new(), Gaps::default());
        for it in self.connections {
            match self.guard.may(self.tool, &it.name, self.caller) {
                Ok(()) => readers.push(it.reader(self.deadline - MARGIN)),
                Err(_) => gaps.not_asked.push(it.name.clone()),
            }
        }
        (readers, gaps)
    }

    /// Looks at all of these at once.
    pub(crate) async fn gather<T, Fut>(&self, readers: Vec<Reader>, look: impl Fn(Reader) -> Fut) -> Gathered<T>
    where
        Fut: Future<Output = Look<T>>,
    {
        let looks = join_all(readers.iter().map(|it| timeout_at(self.deadline, look(it.clone())))).await;
        let mut all = Gathered { found: Vec::new(), unresolved: Vec::new(), gaps: Gaps::default() };
        for (reader, look) in readers.into_iter().zip(looks) {
            let name = reader.connection.name.clone();
            match look.unwrap_or_else(|_| Err(late())) {
                Ok(Some((found, unseen))) => {
                    for it in unseen {
                        all.gaps.untold(self.said(&name, &it));
                    }
                    all.found.push((reader, found));
                }
                Ok(None) => all.gaps.untold(self.said(&name, "this account does not report who holds what")),
                Err(error @ (ProviderError::NotFound { .. } | ProviderError::Ambiguous { .. })) => {
                    all.unresolved.push((reader.connection, error));
                }
                Err(error) => all.gaps.failed.push(CallError::from(error).failed(&name)),
            }
        }
        all
    }

    /// Who holds what, in all of these.
    pub(crate) async fn grants(&self, readers: Vec<Reader>, scope: impl Fn(&Reader) -> GrantScope) -> Gathered<Vec<Grant>> {
        self.gather(readers, |reader| {
            let scope = scope(&reader);
            async move { Ok(reader.grants(scope).await?.map(|Grants { list, unseen }| (list, unseen))) }
        })
        .await
    }

    /// Who is known, in all of these; see [`Reader::people`].
    pub(crate) async fn people(&self, readers: Vec<Reader>, text: &str) -> Gathered<Vec<Holder>> {
        self.gather(readers, |reader| async move { Ok(reader.people(text).await?.map(|People { list, unseen }| (list, unseen))) }).await
    }

    /// The name of a connection, for a row that comes from it: where there is one only, nobody has to be told.
    pub(crate) fn from(&self, connection: &Connection) -> Option<String> {
        (self.connections.len() > 1).then(|| connection.name.clone())
    }

    /// A phrase about a connection, which is named where there are several.
    pub(crate) fn said(&self, connection: &str, phrase: &str) -> String {
        if self.connections.len() > 1 { format!("{connection}: {phrase}") } else { phrase.to_owned() }
    }
}

fn late() -> ProviderError {
    ProviderError::conflict(
        "timeout",
        format!("it did not answer within {} seconds", PATIENCE.as_secs()),
        "the service is slow, or limits how often it is asked: repeat the call in a minute, with this connection alone",
    )
}
