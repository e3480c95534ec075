//! A client of the server as a process: a line out, a line back.
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

/// The server's process and the client's end of its pipes.
pub(crate) struct Server {
    pub(crate) child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    id: u64,
    version: &'static str,
}

/// The newest version of the protocol, which knows no session.
pub(crate) const NEWEST: &str = "2026-07-28";

impl Server {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::speaking(NEWEST, command)
    }

    /// A client of this version of the protocol; of an older one it has opened its session.
    pub(crate) fn speaking(version: &'static str, command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        // A list of tools is read in one piece.
        let (requests, answers) = (child.stdin.take().unwrap(), BufReader::with_capacity(1 << 17, child.stdout.take().unwrap()));
        let mut server = Self { child, requests, answers, id: 0, version };
        if version != NEWEST {
            server.ask("initialize", opening(version));
            writeln!(server.requests, "{}", json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).unwrap();
        }
        server
    }

    /// The line that answers a request. It holds a result that is no error, or the measurement ends.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> String {
        self.id += 1;
        writeln!(self.requests, "{}", message(self.version, self.id, method, params)).unwrap();
        self.requests.flush().unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert!(is_fine(&line), "{method}: {line}");
        line
    }
}

/// The params of a request that opens a session.
pub(crate) fn opening(version: &str) -> Value {
    json!({ "protocolVersion": version, "capabilities": { "elicitation": {} }, "clientInfo": { "name": "bench", "version": "1" } })
}

/// A request as it goes over the wire.
pub(crate) fn message(version: &str, id: u64, method: &str, mut params: Value) -> Value {
    if version == NEWEST {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
            "io.modelcontextprotocol/clientInfo": { "name": "bench", "version": "1" },
        });
    }
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// Whether an answer is a result that is no error.
pub(crate) fn is_fine(answer: &str) -> bool {
    answer.contains("\"result\"") && !answer.contains("\"isError\":true")
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
