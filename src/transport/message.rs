//! What clients send, read so that each fault gets its answer: what is no JSON, no message, or a message of the wrong form.

use rmcp::model::{ClientJsonRpcMessage, ClientRequest, GetMeta as _, ProtocolVersion, RequestId};
use serde::Deserialize as _;
use serde_json::{Map, Value, json};

/// What a client has sent.
#[expect(clippy::large_enum_variant, reason = "nearly all that is sent is a message")]
pub(super) enum Sent {
    Message(ClientJsonRpcMessage),
    /// Several messages at once, which one revision of the protocol allows.
    Batch(Vec<Value>),
    /// What the server can make nothing of, and what it answers.
    Fault(Fault),
}

/// The answer to what cannot be served.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault {
    /// Of the request; there may be none, or none that can be read.
    pub(super) id: Option<RequestId>,
    code: i32,
    message: String,
}

const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const INVALID_PARAMS: i32 = -32602;

/// The byte order mark, which some editors and shells put before everything.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// The requests that have a form of their own and that the server answers. What bears one of these names and is read as a request of nobody's kind has the
/// wrong form.
const KNOWN: [&str; 17] = [
    "initialize",
    "ping",
    "server/discover",
    "completion/complete",
    "prompts/get",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "subscriptions/listen",
    "tools/call",
    "tools/list",
    "tasks/get",
    "tasks/update",
    "tasks/cancel",
    "skills/list",
    "skills/get",
];

/// Those of them that are gone since 2026-07-28, whatever their form.
const GONE: [&str; 2] = ["initialize", "ping"];

/// Reads what came in one line or one body.
pub(super) fn read(bytes: &[u8]) -> Sent {
    let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
    // The usual case first: nothing is read twice.
    if let Ok(message) = serde_json::from_slice::<ClientJsonRpcMessage>(bytes) {
        return well_formed(message);
    }
    match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Array(items)) => Sent::Batch(items),
        Ok(value) => Sent::Fault(Fault::no_message(&value)),
        Err(_) => Sent::Fault(Fault::new(None, PARSE_ERROR, "what was sent is not JSON in UTF-8; send one JSON-RPC message")),
    }
}

/// Reads one message of a batch.
pub(super) fn read_item(item: &Value) -> Result<ClientJsonRpcMessage, Fault> {
    let Ok(message) = ClientJsonRpcMessage::deserialize(item) else { return Err(Fault::no_message(item)) };
    match well_formed(message) {
        Sent::Message(ClientJsonRpcMessage::Request(it)) if matches!(it.request, ClientRequest::InitializeRequest(_)) => {
            Err(Fault::new(Some(it.id), INVALID_REQUEST, "`initialize` may not be part of a batch; send it alone"))
        }
        Sent::Message(message) => Ok(message),
        Sent::Batch(_) => Err(Fault::no_message(item)),
        Sent::Fault(fault) => Err(fault),
    }
}

/// Whether a session of this version may send batches, and if not, what is answered to one.
pub(super) fn may_batch(version: Option<&ProtocolVersion>, items: &[Value]) -> Result<(), Fault> {
    let refused = |message: &str| Err(Fault::new(None, INVALID_REQUEST, message));
    match version {
        None => refused("batches are taken only in a session of 2025-03-26; send `initialize` first, and one message at a time"),
        Some(version) if *version > ProtocolVersion::V_2025_03_26 => {
            refused("batches are taken only in protocol version 2025-03-26; send one message at a time")
        }
        Some(_) if items.is_empty() => refused("a batch holds at least one message"),
        Some(_) if items.len() > MAX_BATCH => refused("the batch holds too many messages; send at most 100 at once"),
        Some(_) => Ok(()),
    }
}

/// What is answered to a line that is not read to its end.
pub(super) fn too_long(limit: usize) -> Fault {
    Fault::new(None, INVALID_REQUEST, format!("the line is longer than {} MiB; send less at once", limit / 1024 / 1024))
}

/// As many as anybody has a use for. Each is worked on at once.
const MAX_BATCH: usize = 100;

/// The version that a session has which was asked for in this one: what is not known is answered with the newest that has sessions.
pub(super) fn negotiated(asked: &ProtocolVersion) -> ProtocolVersion {
    let known = ProtocolVersion::KNOWN_VERSIONS.contains(asked) && *asked < ProtocolVersion::V_2026_07_28;
    if known { asked.clone() } else { ProtocolVersion::V_2025_11_25 }
}

fn well_formed(message: ClientJsonRpcMessage) -> Sent {
    if let ClientJsonRpcMessage::Request(request) = &message
        && let ClientRequest::CustomRequest(custom) = &request.request
        && KNOWN.contains(&custom.method.as_str())
        && !(GONE.contains(&custom.method.as_str()) && is_modern(&request.request))
    {
        if let Some(call) = with_arguments_read(&request.id, &custom.method, custom.params.as_ref()) {
            return Sent::Message(call);
        }
        return Sent::Fault(Fault::bad_params(request.id.clone(), &custom.method));
    }
    Sent::Message(message)
}

/// A call whose arguments came as the text of a JSON object, as some models write them; nothing at all stands for none.
fn with_arguments_read(id: &RequestId, method: &str, params: Option<&Value>) -> Option<ClientJsonRpcMessage> {
    let params = params.filter(|_| method == "tools/call")?.as_object()?;
    let text = params.get("arguments")?.as_str()?.trim();
    let arguments: Map<String, Value> = if text.is_empty() { Map::new() } else { serde_json::from_str(text).ok()? };
    let mut params = params.clone();
    params.insert("arguments".into(), arguments.into());
    let call = ClientJsonRpcMessage::deserialize(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).ok()?;
    let ClientJsonRpcMessage::Request(request) = &call else { return None };
    (!matches!(request.request, ClientRequest::CustomRequest(_))).then_some(call)
}

fn is_modern(request: &ClientRequest) -> bool {
    request.get_meta().protocol_version().is_some_and(|it| it >= ProtocolVersion::V_2026_07_28)
}

impl Fault {
    fn new(id: Option<RequestId>, code: i32, message: impl Into<String>) -> Self {
        Self { id, code, message: message.into() }
    }

    /// JSON, and yet no message, or one whose params have a form that no request has.
    fn no_message(value: &Value) -> Self {
        let id: Option<RequestId> = value.get("id").and_then(|it| serde_json::from_value(it.clone()).ok());
        let method = value.get("method").and_then(Value::as_str).filter(|_| value.get("jsonrpc").is_some_and(|it| it == "2.0"));
        if let (Some(id), Some(method), Some(_)) = (&id, method, value.get("params")) {
            return Self::bad_params(id.clone(), method);
        }
        let message =
            "what was sent is JSON and no JSON-RPC 2.0 message; it needs `jsonrpc`, `method`, and an `id` that is a text or a whole number";
        Self::new(id, INVALID_REQUEST, message)
    }

    fn bad_params(id: RequestId, method: &str) -> Self {
        let method: String = method.chars().filter(|it| !it.is_control()).take(60).collect();
        let message = format!(
            "the params of `{method}` do not have the form that the protocol gives them; look at their names and types, and at which are required"
        );
        Self::new(Some(id), INVALID_PARAMS, message)
    }

    /// Whether a request was understood as far as its name and its id.
    pub(super) fn answers_a_request(&self) -> bool {
        self.code == INVALID_PARAMS
    }

    /// As it goes over the wire.
    pub(super) fn to_value(&self) -> Value {
        json!({ "jsonrpc": "2.0", "id": self.id, "error": { "code": self.code, "message": self.message } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(bytes: &[u8]) -> Value {
        match read(bytes) {
            Sent::Fault(fault) => fault.to_value(),
            Sent::Message(message) => panic!("a message: {message:?}"),
            Sent::Batch(items) => panic!("a batch: {items:?}"),
        }
    }

    #[test]
    fn what_is_no_json_in_utf_8_is_a_parse_error_without_an_id() {
        let cases: [&[u8]; 7] = [
            b"",
            b"{",
            b"nonsense",
            b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"",
            b"\xff\xfe",
            b"\"\xff\"",
            b"{\"a\":\"\\ud800\"}",
        ];
        for bytes in cases {
            let answer = fault(bytes);
            assert_eq!(answer["error"]["code"], PARSE_ERROR, "{answer}");
            assert_eq!(answer["id"], Value::Null, "{answer}");
        }
    }

    #[test]
    fn json_that_is_no_message_is_an_invalid_request() {
        for text in
            ["{}", "7", "null", r#"{"jsonrpc":"2.0"}"#, r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, r#"{"id":7,"method":"ping"}"#]
        {
            assert_eq!(fault(text.as_bytes())["error"]["code"], INVALID_REQUEST, "{text}");
        }
        assert_eq!(fault(br#"{"id":7,"method":"ping"}"#)["id"], 7);
    }

    #[test]
    fn a_known_request_of_the_wrong_form_is_answered_with_its_id() {
        for (method, params) in [
            ("initialize", json!({ "protocolVersion": "2025-11-25" })),
            ("tools/call", json!({})),
            ("tools/call", json!([])),
            ("tools/call", json!({ "name": 7 })),
            ("tools/call", json!({ "name": "get_project", "arguments": [] })),
            ("tools/call", json!({ "name": "get_project", "inputResponses": [] })),
            ("prompts/get", json!({ "name": null })),
            ("resources/read", json!({ "uri": 7 })),
            ("completion/complete", json!({ "ref": {} })),
            ("tasks/get", json!({})),
        ] {
            let answer = fault(json!({ "jsonrpc": "2.0", "id": "a", "method": method, "params": params }).to_string().as_bytes());
            assert_eq!(answer["error"]["code"], INVALID_PARAMS, "{method} {params}: {answer}");
            assert_eq!(answer["id"], "a", "{answer}");
        }
    }

    #[test]
    fn arguments_that_are_the_text_of_an_object_are_that_object() {
        for (written, meant) in [("{\"project\":\"Atlas\"}", json!({ "project": "Atlas" })), (" {} ", json!({})), ("", json!({}))] {
            let call =
                json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "get_project", "arguments": written } });
            let Sent::Message(ClientJsonRpcMessage::Request(read)) = read(call.to_string().as_bytes()) else { panic!("{written}") };
            let ClientRequest::CallToolRequest(read) = read.request else { panic!("{written}: {read:?}") };
            assert_eq!((read.params.name.as_ref(), json!(read.params.arguments)), ("get_project", meant), "{written}");
        }
        for written in ["[]", "get_project", "{", "7"] {
            let call =
                json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "get_project", "arguments": written } });
            assert_eq!(fault(call.to_string().as_bytes())["error"]["code"], INVALID_PARAMS, "{written}");
        }
    }

    #[test]
    fn what_nobody_knows_is_left_to_the_server() {
        let modern = json!({ "_meta": { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } });
        for method in ["initialize", "logging/setLevel", "resources/subscribe"] {
            let text = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": modern }).to_string();
            assert!(matches!(read(text.as_bytes()), Sent::Message(_)), "{method}");
        }
        for text in [r#"{"jsonrpc":"2.0","id":1,"method":"own/thing","params":{"a":[]}}"#, r#"{"jsonrpc":"2.0","method":"own/notice"}"#] {
            assert!(matches!(read(text.as_bytes()), Sent::Message(_)), "{text}");
        }
        assert!(matches!(read(b"\xEF\xBB\xBF{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"), Sent::Message(_)));
    }

    #[test]
    fn batches_are_of_one_revision() {
        let items = [json!({})];
        assert!(may_batch(Some(&ProtocolVersion::V_2025_03_26), &items).is_ok());
        may_batch(Some(&ProtocolVersion::V_2025_03_26), &[]).unwrap_err();
        may_batch(Some(&ProtocolVersion::V_2025_06_18), &items).unwrap_err();
        may_batch(None, &items).unwrap_err();
    }
}
