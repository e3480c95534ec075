//! Messages on two streams, one a line: what cannot be read is answered, and the session goes on.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::SinkExt as _;
use rmcp::{
    RoleServer,
    model::{
        ClientJsonRpcMessage, ClientNotification, ErrorData, JsonObject, ProtocolVersion, RequestId, ServerJsonRpcMessage, ServerResult,
        Tool,
    },
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::{Transport, async_rw::JsonRpcMessageCodec},
};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, value::RawValue};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, BufReader},
    task::JoinHandle,
};
use tokio_util::codec::FramedWrite;

use super::message::{self, Sent};

/// The longest line that is read. What is longer is answered with an error.
const MAX_LINE: usize = 16 * 1024 * 1024;

/// A client on two streams.
pub(super) struct Lines<R, W> {
    read: BufReader<R>,
    line: Vec<u8>,
    /// The rest of a line that is too long is being left out.
    skipping: bool,
    ended: bool,
    /// What is left of a batch.
    next: VecDeque<ClientJsonRpcMessage>,
    write: Writer<W>,
    session: Arc<Mutex<Session>>,
    /// What is being answered without the server: a client that does not read its answers is not read either.
    answering: Option<JoinHandle<()>>,
}

type Writer<W> = Arc<tokio::sync::Mutex<Option<FramedWrite<W, JsonRpcMessageCodec<Line>>>>>;

/// One line to the client.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Line {
    Message(Box<ServerJsonRpcMessage>),
    /// The answer to `tools/list`.
    Tools {
        jsonrpc: &'static str,
        id: RequestId,
        result: Listed,
    },
    Answers(Vec<Value>),
    Fault(Value),
}

/// A list of tools, with the tools as they were written before.
#[derive(Debug, Clone, Serialize)]
struct Listed {
    #[serde(flatten)]
    rest: Map<String, Value>,
    #[serde(serialize_with = "as_written")]
    tools: Arc<RawValue>,
}

fn as_written<S: Serializer>(it: &Arc<RawValue>, to: S) -> Result<S::Ok, S::Error> {
    it.as_ref().serialize(to)
}

/// What is known of the session, and the batches that are being worked on.
#[derive(Debug, Default)]
struct Session {
    version: Option<ProtocolVersion>,
    batches: Vec<Batch>,
    tools: Option<Tools>,
}

/// The list of tools as it was written last. It is by far the longest answer, and the same each time.
#[derive(Debug)]
struct Tools {
    schemas: Vec<Arc<JsonObject>>,
    written: Arc<RawValue>,
}

/// The answers to several requests that came together go back together.
#[derive(Debug)]
struct Batch {
    open: Vec<RequestId>,
    answers: Vec<Value>,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin + Send + 'static> Lines<R, W> {
    pub(super) fn new(read: R, write: W) -> Self {
        Self {
            read: BufReader::new(read),
            line: Vec::new(),
            skipping: false,
            ended: false,
            next: VecDeque::new(),
            write: Arc::new(tokio::sync::Mutex::new(Some(FramedWrite::new(write, JsonRpcMessageCodec::default())))),
            session: Arc::default(),
            answering: None,
        }
    }

    /// Reads on until a line is whole, or nothing more comes: then what is there is a line, too. False where there is none.
    ///
    /// It may be dropped at any moment and called again: nothing that was read is lost.
    async fn read_line(&mut self) -> io::Result<bool> {
        while !self.ended {
            let bytes = self.read.fill_buf().await?;
            if bytes.is_empty() {
                self.ended = true;
                return Ok(!self.line.is_empty() || self.skipping);
            }
            let end = bytes.iter().position(|it| *it == b'\n');
            let taken = end.map_or(bytes.len(), |it| it + 1);
            self.skipping = self.skipping || self.line.len() + taken > MAX_LINE;
            if self.skipping {
                self.line.clear();
            } else {
                self.line.extend_from_slice(&bytes[..taken]);
            }
            self.read.consume(taken);
            if end.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What the line that was read says. What it is answered with, where the server has no part in it, is on its way.
    fn understand(&mut self) -> Option<ClientJsonRpcMessage> {
        if std::mem::take(&mut self.skipping) {
            self.answer(Line::Fault(message::too_long(MAX_LINE).to_value()));
            return None;
        }
        let read = if self.line.trim_ascii().is_empty() { None } else { Some(message::read(&self.line)) };
        self.line.clear();
        match read? {
            Sent::Message(message) => {
                let done = self.session().let_go(&message);
                if let Some(answers) = done {
                    self.answer(Line::Answers(answers));
                }
                Some(message)
            }
            Sent::Fault(fault) => {
                self.answer(Line::Fault(fault.to_value()));
                None
            }
            Sent::Batch(items) => {
                self.take_apart(items);
                self.next.pop_front()
            }
        }
    }

    fn take_apart(&mut self, items: Vec<Value>) {
        let mut session = self.session();
        if let Err(fault) = message::may_batch(session.version.as_ref(), &items) {
            drop(session);
            return self.answer(Line::Fault(fault.to_value()));
        }
        let (mut messages, mut batch) = (VecDeque::new(), Batch { open: Vec::new(), answers: Vec::new() });
        for item in items {
            match message::read_item(&item) {
                Ok(message) => {
                    if let ClientJsonRpcMessage::Request(request) = &message {
                        batch.open.push(request.id.clone());
                    }
                    messages.push_back(message);
                }
                Err(fault) => batch.answers.push(fault.to_value()),
            }
        }
        let mut done = None;
        if !batch.open.is_empty() {
            session.batches.push(batch);
        } else if !batch.answers.is_empty() {
            done = Some(batch.answers);
        }
        drop(session);
        self.next = messages;
        if let Some(answers) = done {
            self.answer(Line::Answers(answers));
        }
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&mut self, line: Line) {
        let write = Arc::clone(&self.write);
        self.answering = Some(tokio::spawn(async move {
            if let Err(error) = put(&write, line).await {
                tracing::debug!(%error, "a message that could not be read was not answered");
            }
        }));
    }
}

/// Writes a line. A line that was begun is finished by the next, should nobody wait for its end.
async fn put<W: AsyncWrite + Unpin>(write: &Writer<W>, line: Line) -> io::Result<()> {
    match write.lock().await.as_mut() {
        Some(write) => Ok(write.send(line).await?),
        None => Err(io::ErrorKind::NotConnected.into()),
    }
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(&mut self, item: TxJsonRpcMessage<RoleServer>) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let line = self.session().outgoing(item);
        let write = Arc::clone(&self.write);
        async move {
            match line {
                Some(line) => put(&write, line).await,
                None => Ok(()),
            }
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            if let Some(message) = self.next.pop_front() {
                return Some(message);
            }
            if let Some(answering) = &mut self.answering {
                let _ = answering.await; // what went wrong has been said
                self.answering = None;
            }
            match self.read_line().await {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    tracing::error!(%error, "nothing more can be read from the client");
                    return None;
                }
            }
            if let Some(message) = self.understand() {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        if let Some(mut write) = self.write.lock().await.take() {
            futures_util::SinkExt::<Line>::flush(&mut write).await?;
        }
        Ok(())
    }
}

impl Session {
    /// What goes out for a message of the server's; nothing yet for an answer that waits for others.
    fn outgoing(&mut self, message: ServerJsonRpcMessage) -> Option<Line> {
        let id = match &message {
            ServerJsonRpcMessage::Response(response) => {
                if let ServerResult::InitializeResult(result) = &response.result {
                    self.version = Some(result.protocol_version.clone());
                }
                Some(&response.id)
            }
            ServerJsonRpcMessage::Error(error) => error.id.as_ref(),
            _ => None,
        };
        let found = id.and_then(|id| self.batches.iter().position(|it| it.open.contains(id)));
        let (Some(at), Some(id)) = (found, id.cloned()) else { return Some(self.alone(message)) };
        let batch = &mut self.batches[at];
        let answer = serde_json::to_value(&message).unwrap_or_else(|_| {
            let error = ErrorData::internal_error("the answer could not be written", None);
            serde_json::to_value(ServerJsonRpcMessage::error(error, Some(id.clone()))).unwrap_or_default()
        });
        batch.answers.push(answer);
        batch.close(&id);
        batch.open.is_empty().then(|| Line::Answers(self.batches.swap_remove(at).answers))
    }

    /// A message as it goes out alone.
    fn alone(&mut self, mut message: ServerJsonRpcMessage) -> Line {
        if let ServerJsonRpcMessage::Response(response) = &mut message
            && let ServerResult::ListToolsResult(list) = &mut response.result
            && let Some(written) = self.written(&list.tools)
        {
            let tools = std::mem::take(&mut list.tools);
            if let Ok(Value::Object(mut rest)) = serde_json::to_value(&*list) {
                rest.shift_remove("tools");
                return Line::Tools { jsonrpc: "2.0", id: response.id.clone(), result: Listed { rest, tools: written } };
            }
            list.tools = tools;
        }
        Line::Message(Box::new(message))
    }

    /// Tools as they are written: anew only where they are others than the last time.
    fn written(&mut self, tools: &[Tool]) -> Option<Arc<RawValue>> {
        let is_same = |it: &Tools| {
            it.schemas.len() == tools.len() && it.schemas.iter().zip(tools).all(|(one, other)| Arc::ptr_eq(one, &other.input_schema))
        };
        if !self.tools.as_ref().is_some_and(is_same) {
            let schemas = tools.iter().map(|it| Arc::clone(&it.input_schema)).collect();
            self.tools = Some(Tools { schemas, written: serde_json::value::to_raw_value(tools).ok()?.into() });
        }
        self.tools.as_ref().map(|it| Arc::clone(&it.written))
    }

    /// A request that is cancelled is not answered, so nothing waits for it. Where others waited, their answers are told.
    fn let_go(&mut self, message: &ClientJsonRpcMessage) -> Option<Vec<Value>> {
        let ClientJsonRpcMessage::Notification(notification) = message else { return None };
        let ClientNotification::CancelledNotification(cancelled) = &notification.notification else { return None };
        let id = cancelled.params.request_id.as_ref()?;
        let at = self.batches.iter().position(|it| it.open.contains(id))?;
        self.batches[at].close(id);
        let answers = self.batches[at].open.is_empty().then(|| self.batches.swap_remove(at).answers);
        answers.filter(|it| !it.is_empty())
    }
}

impl Batch {
    fn close(&mut self, id: &RequestId) {
        if let Some(at) = self.open.iter().position(|it| it == id) {
            self.open.swap_remove(at);
        }
    }
}
