//! Bodies: read within a time and a size, and written with what has to be held until their end.

use std::{
    any::Any,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CONNECTION, CONTENT_LENGTH},
    },
    response::Response,
};
use futures_util::StreamExt as _;
use http_body::{Frame, SizeHint};

use super::gate::refusal;
use crate::server::{Principal, Turns};

/// The largest message a client may send.
pub(super) const MAX_BODY: usize = 4 * 1024 * 1024;

/// What is read of any body at once. Of those that are larger, only [`LARGE_AT_ONCE`] are read, so that bodies take no more than
/// some 64 MiB of memory.
const SMALL: usize = 64 * 1024;
const LARGE_AT_ONCE: usize = 16;

/// Reads what clients send.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    timeout: Duration,
    large: Turns,
}

impl Reader {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, large: Turns::new(LARGE_AT_ONCE, LARGE_AT_ONCE / 2) }
    }

    /// The whole body, or what is answered to one that is too large, takes too long, or breaks off.
    pub(super) async fn read(&self, headers: &HeaderMap, body: Body, from: &Principal) -> Result<Bytes, Box<Response>> {
        let announced = headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()).and_then(|it| it.parse::<usize>().ok());
        if announced.is_some_and(|it| it > MAX_BODY) {
            return Err(too_large().into());
        }
        tokio::time::timeout(self.timeout, self.whole(body, from)).await.unwrap_or_else(|_| {
            tracing::warn!("a request was ended whose body took too long");
            Err(ending(StatusCode::REQUEST_TIMEOUT, "body_too_slow", "the body did not come in time", "send the request again").into())
        })
    }

    async fn whole(&self, body: Body, from: &Principal) -> Result<Bytes, Box<Response>> {
        let mut pieces = body.into_data_stream();
        let (mut read, mut large) = (Vec::new(), None);
        while let Some(piece) = pieces.next().await {
            let Ok(piece) = piece else {
                return Err(ending(StatusCode::BAD_REQUEST, "body_broken_off", "the body broke off", "send the request again").into());
            };
            if read.len() + piece.len() > MAX_BODY {
                return Err(too_large().into());
            }
            read.extend_from_slice(&piece);
            if read.len() > SMALL && large.is_none() {
                large = self.large.take(&from.0).await;
            }
        }
        Ok(read.into())
    }
}

fn too_large() -> Response {
    let message = format!("the body is larger than {} MiB", MAX_BODY / 1024 / 1024);
    ending(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", &message, "send less at once")
}

/// A refusal after which the connection is of no use, since what is still to come on it was not read.
fn ending(status: StatusCode, code: &str, message: &str, fix: &str) -> Response {
    let mut response = refusal(status, code, message, fix);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// An answer that holds something until it has been sent, and may leave out events without data.
pub(super) fn held(response: Response, skips_empty_events: bool, what: impl Send + 'static) -> Response {
    response.map(|inner| Body::new(Held { inner, skips_empty_events, _what: Box::new(what) }))
}

struct Held {
    inner: Body,
    skips_empty_events: bool,
    _what: Box<dyn Any + Send>,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        loop {
            let frame = Pin::new(&mut self.inner).poll_frame(cx);
            match &frame {
                Poll::Ready(Some(Ok(it))) if self.skips_empty_events && it.data_ref().is_some_and(|it| is_empty_event(it)) => {}
                _ => return frame,
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Whether a piece of a stream is an event whose data is empty. What only keeps a stream open is none.
fn is_empty_event(piece: &[u8]) -> bool {
    let data = |line: &[u8]| line.strip_prefix(b"data").map(|it| it.strip_prefix(b":").unwrap_or(it).trim_ascii().is_empty());
    let mut found = piece.split(|it| *it == b'\n').filter_map(data).peekable();
    found.peek().is_some() && found.all(|it| it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_empty_when_all_of_its_data_is() {
        for empty in ["data:\nid:0/1\nretry:3000\n\n", "id: 0\ndata: \n\n", "data\n\n"] {
            assert!(is_empty_event(empty.as_bytes()), "{empty:?}");
        }
        for other in [":\n\n", "data: {}\n\n", "data:\ndata: {}\n\n", "retry: 3000\n\n", ""] {
            assert!(!is_empty_event(other.as_bytes()), "{other:?}");
        }
    }
}
