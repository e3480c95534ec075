//! A pipe in memory: one client in the server's own process, for who shows what a client sees.

use rmcp::{
    ClientHandler, RoleClient, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitationCapability,
        FormElicitationCapability, Implementation, InputRequest, ProtocolVersion,
    },
    service::{ClientLifecycleMode, ClientServiceExt as _, RunningService},
};
use serde_json::{Map, Value, json};

/// A client of the server at the other end.
pub(crate) struct Client(RunningService<RoleClient, Face>);

/// What comes back for a call.
#[derive(Debug)]
pub(crate) enum Reply {
    Done { text: String, value: Value },
    Failed { text: String, value: Value },
    Asks(Asked),
}

/// A question that came back for a call, with all that is needed to answer it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) question: String,
    request: CallToolRequestParams,
    form: String,
    state: Option<String>,
}

/// The server answered with something that this client does not know.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unexpected(String);

impl Client {
    /// Serves `server` at the other end and opens the session; `asks` says whether the client can put a question to a person.
    pub(crate) async fn connect<H: ServerHandler>(server: H, name: &'static str, asks: bool) -> Result<Self, Unexpected> {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        tokio::spawn(async move {
            if let Ok(running) = Box::pin(rmcp::ServiceExt::serve(server, theirs)).await {
                let _ = running.waiting().await;
            }
        });
        let lifecycle = ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
        let client = Box::pin(Face { name, asks }.serve_with_lifecycle(ours, lifecycle)).await;
        Ok(Self(client.map_err(|error| Unexpected(error.to_string()))?))
    }

    pub(crate) async fn leave(self) {
        let _ = self.0.cancel().await; // it ends with the process in any case
    }

    pub(crate) async fn call(&mut self, tool: &'static str, arguments: Map<String, Value>) -> Result<Reply, Unexpected> {
        self.send(CallToolRequestParams::new(tool).with_arguments(arguments)).await
    }

    /// Sends the same call again, with the sealed state that came with the question and what the person entered.
    pub(crate) async fn answer(&mut self, asked: Asked, entered: Value) -> Result<Reply, Unexpected> {
        let mut request = asked.request;
        request.input_responses = Some([(asked.form, json!({ "action": "accept", "content": entered }))].into());
        request.request_state = asked.state;
        self.send(request).await
    }

    /// One request, one response: nothing is answered in between.
    async fn send(&mut self, request: CallToolRequestParams) -> Result<Reply, Unexpected> {
        let unexpected = |what: &str| Unexpected(what.to_owned());
        let response = self.0.call_tool_once(request.clone()).await.map_err(|error| Unexpected(error.to_string()))?;
        match response {
            CallToolResponse::Complete(result) => {
                let text = result.content.iter().filter_map(|it| it.as_text()).map(|it| it.text.as_str()).collect::<Vec<_>>().join("\n");
                let value = result.structured_content.unwrap_or_default();
                Ok(if result.is_error == Some(true) { Reply::Failed { text, value } } else { Reply::Done { text, value } })
            }
            CallToolResponse::InputRequired(required) => {
                let (form, input) =
                    required.input_requests.into_iter().flatten().next().ok_or_else(|| unexpected("a question without a form"))?;
                let InputRequest::Elicitation(input) = input else { return Err(unexpected("another question than a form")) };
                let ElicitRequestParams::FormElicitationParams { message, .. } = input.params else {
                    return Err(unexpected("another question than a form"));
                };
                Ok(Reply::Asks(Asked { question: message, request, form, state: required.request_state }))
            }
            _ => Err(unexpected("a kind of answer that was not foreseen")),
        }
    }
}

impl Reply {
    /// What came, as a text.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Done { text, .. } | Self::Failed { text, .. } => text.clone(),
            Self::Asks(asked) => asked.question.clone(),
        }
    }
}

impl Asked {
    /// The tool that was called.
    pub(crate) fn tool(&self) -> &str {
        &self.request.name
    }
}

/// What a client says of itself.
struct Face {
    name: &'static str,
    /// Whether it can put a question to a person.
    asks: bool,
}

impl ClientHandler for Face {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        capabilities.elicitation = self.asks.then(|| ElicitationCapability::new().with_form(FormElicitationCapability::default()));
        ClientConfig::new(capabilities, Implementation::new(self.name, env!("CARGO_PKG_VERSION")))
    }
}
