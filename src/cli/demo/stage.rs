//! The demo's stage: the client that speaks MCP, and how what happens is told.
//!
//! A client has to speak the protocol, so this is the one importer of rmcp beside the server and its transports.

use std::{
    io::{self, Write},
    time::Duration,
};

use anstyle::{AnsiColor, Style};
use rmcp::{
    ClientHandler, RoleClient,
    model::{
        CallToolRequestParams, CallToolResponse, ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitationCapability,
        FormElicitationCapability, Implementation, InputRequest, ProtocolVersion,
    },
    service::{ClientLifecycleMode, ClientServiceExt as _, RunningService},
};
use serde_json::{Value, json};

use super::Failure;
use crate::server::Server;

/// Where lines are broken.
const WIDTH: usize = 100;

/// How much of an answer is told.
const LINES: usize = 10;

/// How the story is told.
pub(super) struct Stage<'a, W> {
    pub(super) out: &'a mut W,
    /// Between lines, so that a reader can follow.
    pub(super) pause: Duration,
}

impl<W: Write> Stage<'_, W> {
    pub(super) fn title(&mut self, text: &str) -> io::Result<()> {
        let bold = Style::new().bold().underline();
        writeln!(self.out, "\n{bold}{text}{bold:#}\n")
    }

    pub(super) fn chapter(&mut self, text: &str) -> io::Result<()> {
        let bold = Style::new().bold();
        self.wait();
        writeln!(self.out, "\n{bold}{text}{bold:#}")
    }

    pub(super) fn person(&mut self, text: &str) -> io::Result<()> {
        self.line("Person", AnsiColor::Magenta.on_default(), text)
    }

    /// What the person does, as against says to the assistant.
    pub(super) fn answer(&mut self, text: &str) -> io::Result<()> {
        self.line("Person", AnsiColor::Magenta.on_default().bold(), &format!("=> {text}"))
    }

    pub(super) fn agent(&mut self, text: &str) -> io::Result<()> {
        self.line("Agent", AnsiColor::Cyan.on_default(), text)
    }

    pub(super) fn server(&mut self, text: &str) -> io::Result<()> {
        self.line("Server", AnsiColor::Green.on_default(), &shortened(text))
    }

    pub(super) fn stopped(&mut self, text: &str) -> io::Result<()> {
        self.line("Server", AnsiColor::Yellow.on_default().bold(), text)
    }

    pub(super) fn question(&mut self, text: &str) -> io::Result<()> {
        let color = AnsiColor::Yellow.on_default();
        for line in text.lines().flat_map(|it| wrapped(it, WIDTH - 12)) {
            writeln!(self.out, "{:9}{color}|{color:#} {line}", "")?;
        }
        self.out.flush()
    }

    pub(super) fn aside(&mut self, text: &str) -> io::Result<()> {
        let dim = Style::new().dimmed();
        self.wait();
        for line in wrapped(text, WIDTH) {
            writeln!(self.out, "{dim}{line}{dim:#}")?;
        }
        self.out.flush()
    }

    pub(super) fn lines(&mut self, lines: &[(&str, &str)]) -> io::Result<()> {
        let bold = Style::new().bold();
        for (command, text) in lines {
            writeln!(self.out, "  {bold}{command:38}{bold:#} {text}")?;
        }
        writeln!(self.out)
    }

    fn line(&mut self, who: &str, color: Style, text: &str) -> io::Result<()> {
        self.wait();
        let mut who = who;
        for line in text.lines().flat_map(|it| wrapped(it, WIDTH - 9)) {
            writeln!(self.out, "{color}{who:7}{color:#}  {line}")?;
            who = "";
        }
        self.out.flush()
    }

    fn wait(&self) {
        std::thread::sleep(self.pause);
    }
}

/// Breaks a line between words; what follows is indented as the line was.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    let indent = line.len() - line.trim_start().len();
    let hanging = if line.trim_start().starts_with("- ") { indent + 2 } else { indent };
    let mut lines = Vec::new();
    let mut current = " ".repeat(indent);
    let mut empty = true;
    for word in line.split_whitespace() {
        if !empty && current.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::replace(&mut current, " ".repeat(hanging)));
            empty = true;
        }
        if !empty {
            current.push(' ');
        }
        current.push_str(word);
        empty = false;
    }
    lines.push(current);
    lines
}

fn shortened(text: &str) -> String {
    let all = text.lines().count();
    let mut lines: Vec<String> = text.lines().take(LINES).map(|it| crate::shape::cut(it, 260)).collect();
    if all > LINES {
        lines.push(format!("… and {} lines more", all - LINES));
    }
    lines.join("\n")
}

/// A question that came back for a call, with all that is needed to answer it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) question: String,
    request: CallToolRequestParams,
    form: String,
    state: Option<String>,
}

/// What comes back for a call.
#[derive(Debug)]
pub(super) enum Reply {
    Done { text: String, value: Value },
    Failed { text: String, value: Value },
    Asks(Asked),
}

impl Reply {
    /// What came, for an error of the demo itself.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Done { text, .. } | Self::Failed { text, .. } => text.clone(),
            Self::Asks(asked) => asked.question.clone(),
        }
    }
}

/// Something else happened than the story tells.
pub(super) fn unexpected(what: &str) -> Failure {
    Failure::new(format!("the demo did not go as written: {what}"), "this is a fault of the program; please report it")
}

/// A client of the server, over a pipe in memory.
pub(super) struct Client(RunningService<RoleClient, Face>);

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

impl Client {
    pub(super) async fn connect(server: &Server, name: &'static str, asks: bool) -> Result<Self, Failure> {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let server = server.clone();
        tokio::spawn(async move {
            if let Ok(running) = Box::pin(rmcp::ServiceExt::serve(server, theirs)).await {
                let _ = running.waiting().await;
            }
        });
        let lifecycle = ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
        let client = Box::pin(Face { name, asks }.serve_with_lifecycle(ours, lifecycle)).await;
        Ok(Self(client.map_err(|error| unexpected(&error.to_string()))?))
    }

    pub(super) async fn leave(self) {
        let _ = self.0.cancel().await; // it ends with the process in any case
    }

    /// Calls a tool and tells of it.
    pub(super) async fn call<W: Write>(
        &mut self,
        stage: &mut Stage<'_, W>,
        tool: &'static str,
        arguments: Value,
    ) -> Result<Reply, Failure> {
        stage.agent(&format!("calls {tool} {arguments}"))?;
        let Value::Object(arguments) = arguments else { return Err(unexpected("arguments are an object")) };
        self.send(CallToolRequestParams::new(tool).with_arguments(arguments)).await
    }

    /// Sends the same call again, with the sealed state that came with the question and what the person entered.
    pub(super) async fn answer<W: Write>(&mut self, stage: &mut Stage<'_, W>, asked: Asked, entered: Value) -> Result<Reply, Failure> {
        stage.agent(&format!("calls {} again, with the sealed state and what the person entered", asked.request.name))?;
        let mut request = asked.request;
        request.input_responses = Some([(asked.form, json!({ "action": "accept", "content": entered }))].into());
        request.request_state = asked.state;
        self.send(request).await
    }

    /// One request, one response: nothing is answered in between.
    async fn send(&mut self, request: CallToolRequestParams) -> Result<Reply, Failure> {
        let response = self.0.call_tool_once(request.clone()).await.map_err(|error| unexpected(&error.to_string()))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_hang_under_their_dash() {
        assert_eq!(wrapped("- one two three", 9), ["- one two", "  three"]);
        assert_eq!(wrapped("", 9), [""]);
        assert_eq!(wrapped("  averyverylongword x", 9), ["  averyverylongword", "  x"]);
    }
}
