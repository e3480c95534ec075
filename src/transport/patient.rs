//! A transport that rmcp can be left alone with.

use rmcp::{
    RoleServer,
    model::{ClientJsonRpcMessage, ClientRequest, GetMeta as _, ProtocolVersion},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};

use super::Work;

/// Bears with what clients send before a session is opened, and counts the requests that are being worked on.
///
/// rmcp ends the session when a notification or a response comes first, such as the cancellation of a probe that took too long.
/// Nothing can be meant by those before there is a session, so they are left out.
pub(super) struct Patient<T> {
    inner: T,
    open: bool,
    work: Work,
}

impl<T> Patient<T> {
    pub(super) fn new(inner: T, work: Work) -> Self {
        Self { inner, open: false, work }
    }
}

impl<T: Transport<RoleServer>> Transport<RoleServer> for Patient<T> {
    type Error = T::Error;

    fn send(&mut self, item: TxJsonRpcMessage<RoleServer>) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.inner.send(item)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            let mut message = self.inner.receive().await?;
            if let ClientJsonRpcMessage::Request(request) = &message {
                self.open = self.open || opens(&request.request);
                if !stands(&request.request) {
                    // It travels with the request, and is let go of when the handler ends.
                    message.insert_extension(self.work.begin());
                }
                return Some(message);
            }
            if self.open {
                return Some(message);
            }
            tracing::debug!("a message before the first request was left out");
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.inner.close().await
    }
}

/// Whether rmcp takes a request for the beginning of a session; all others it answers and goes on waiting for one.
fn opens(request: &ClientRequest) -> bool {
    match request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => false,
        other => {
            let meta = other.get_meta();
            meta.missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty()
                && meta.protocol_version().is_some_and(|it| ProtocolVersion::KNOWN_VERSIONS.contains(&it))
        }
    }
}

/// Whether a request lasts as long as its client likes.
fn stands(request: &ClientRequest) -> bool {
    matches!(request, ClientRequest::SubscriptionsListenRequest(_))
}
