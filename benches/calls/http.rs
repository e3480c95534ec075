//! A client of a server over Streamable HTTP, on one connection that stays open: as little between the clock and the server as there can be.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::{Value, json};

use crate::client::{NEWEST, is_fine, message, opening};

pub(crate) struct Http {
    stream: BufReader<TcpStream>,
    at: SocketAddr,
    id: u64,
    version: &'static str,
    session: Option<String>,
}

impl Http {
    /// A client of this version of the protocol; of an older one it has opened its session. It waits until the server listens.
    pub(crate) fn speaking(version: &'static str, at: SocketAddr) -> Self {
        let stream = loop {
            match TcpStream::connect(at) {
                Ok(stream) => break stream,
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        stream.set_nodelay(true).unwrap();
        let mut client = Self { stream: BufReader::with_capacity(1 << 17, stream), at, id: 0, version, session: None };
        if version != NEWEST {
            client.ask("initialize", opening(version));
            client.post(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }), "notifications/initialized", "");
        }
        client
    }

    /// The body that answers a request.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> String {
        self.id += 1;
        let name = params["name"].as_str().unwrap_or_default().to_owned();
        let answer = self.post(&message(self.version, self.id, method, params), method, &name);
        assert!(is_fine(&answer), "{method}: {answer}");
        answer
    }

    fn post(&mut self, message: &Value, method: &str, name: &str) -> String {
        let (body, mut head) = (message.to_string(), format!("POST /mcp HTTP/1.1\r\nHost: {}\r\n", self.at));
        head += "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n";
        head += &format!("MCP-Protocol-Version: {}\r\nContent-Length: {}\r\n", self.version, body.len());
        if self.version == NEWEST {
            head += &format!("Mcp-Method: {method}\r\n");
            if !name.is_empty() {
                head += &format!("Mcp-Name: {name}\r\n");
            }
        }
        if let Some(session) = &self.session {
            head += &format!("Mcp-Session-Id: {session}\r\n");
        }
        self.stream.get_mut().write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
        self.answer()
    }

    fn answer(&mut self) -> String {
        let (mut length, mut chunked) = (0, false);
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(':') else {
                if line.is_empty() {
                    break;
                }
                continue; // the status; what is no result is seen by its body
            };
            match (name.to_ascii_lowercase().as_str(), value.trim()) {
                ("content-length", value) => length = value.parse().unwrap(),
                ("transfer-encoding", value) => chunked = value == "chunked",
                ("mcp-session-id", value) => self.session = Some(value.to_owned()),
                _ => {}
            }
        }
        let mut body = Vec::new();
        if chunked {
            loop {
                let size = usize::from_str_radix(&self.line(), 16).unwrap();
                self.read(size, &mut body);
                self.line();
                if size == 0 {
                    break;
                }
            }
        } else {
            self.read(length, &mut body);
        }
        String::from_utf8(body).unwrap()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn read(&mut self, size: usize, body: &mut Vec<u8>) {
        self.stream.by_ref().take(size as u64).read_to_end(body).unwrap();
    }
}
