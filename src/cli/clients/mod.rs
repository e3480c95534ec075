//! The clients: where each keeps its list of servers, how it is written there, and what it passes on to a server it starts.

pub(super) mod edit;
mod yaml;

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::{
    cli::shell,
    config::{Places, Variable},
};

use edit::NAME;

/// A client that can be connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Client {
    ClaudeDesktop,
    ClaudeCode,
    #[value(name = "vscode", alias = "vs-code")]
    VsCode,
    Cursor,
    #[value(name = "chatgpt", alias = "chat-gpt")]
    ChatGpt,
    Codex,
    #[value(name = "gemini", alias = "gemini-cli")]
    Gemini,
    Windsurf,
    Zed,
    Goose,
}

/// How a client's file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// JSON, perhaps with comments; the entry stands in this object.
    Json(&'static str),
    /// TOML; the entry is a table in this one.
    Toml(&'static str),
    /// YAML; the entry stands in this mapping.
    Yaml(&'static str),
    /// The client starts no programs.
    Steps,
}

/// How a server gets to know a secret that its client does not keep in clear.
#[derive(Debug, Clone, Copy)]
pub(super) enum Passing {
    /// The entry refers to a variable of the client's own environment.
    Reference { before: &'static str, after: &'static str },
    /// The client asks for it once and keeps it.
    Input,
    /// The entry names the variables that are passed on, under this key.
    Named(&'static str),
    /// Not at all.
    None,
}

/// What is to be known of a client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) passing: Passing,
    /// The most tools that it takes, where it has such a limit.
    pub(super) most_tools: Option<usize>,
    /// What has to be done until it knows the server.
    pub(super) then: &'static str,
}

impl Client {
    pub(super) const ALL: [Self; 10] = [
        Self::ClaudeDesktop,
        Self::ClaudeCode,
        Self::VsCode,
        Self::Cursor,
        Self::ChatGpt,
        Self::Codex,
        Self::Gemini,
        Self::Windsurf,
        Self::Zed,
        Self::Goose,
    ];

    pub(super) fn facts(self) -> Facts {
        const RESTART: &str = "Quit it and start it again.";
        const ENV: Passing = Passing::Reference { before: "${env:", after: "}" };
        let facts = |name, shape, passing, then| Facts { name, shape, passing, most_tools: None, then };
        match self {
            Self::ClaudeDesktop => facts("Claude Desktop", Shape::Json("mcpServers"), Passing::None, RESTART),
            Self::ClaudeCode => facts(
                "Claude Code",
                Shape::Json("mcpServers"),
                Passing::Reference { before: "${", after: "}" },
                "The next session has it; /mcp shows it.",
            ),
            Self::VsCode => facts("VS Code", Shape::Json("servers"), Passing::Input, "Run `MCP: List Servers` and start it."),
            Self::Cursor => {
                Facts { most_tools: Some(40), ..facts("Cursor", Shape::Json("mcpServers"), ENV, "Switch it on in Settings, MCP.") }
            }
            Self::ChatGpt => facts("ChatGPT", Shape::Steps, Passing::None, ""),
            Self::Codex => {
                facts("Codex", Shape::Toml("mcp_servers"), Passing::Named("env_vars"), "The next session has it; /mcp shows it.")
            }
            Self::Gemini => facts(
                "Gemini CLI",
                Shape::Json("mcpServers"),
                Passing::Reference { before: "$", after: "" },
                "The next session has it; /mcp shows it.",
            ),
            Self::Windsurf => Facts {
                most_tools: Some(100),
                ..facts("Windsurf", Shape::Json("mcpServers"), ENV, "Press refresh in Cascade's list of MCP servers.")
            },
            Self::Zed => facts("Zed", Shape::Json("context_servers"), Passing::None, "It starts the server by itself."),
            Self::Goose => facts("Goose", Shape::Yaml("extensions"), Passing::Named("env_keys"), "The next session has it."),
        }
    }

    /// What a program says that uses the client's models, for a client that connects over https.
    pub(super) fn remote() -> Value {
        json!({ "type": "mcp", "server_label": NAME, "server_url": "https://HOST/mcp", "authorization": "TOKEN" })
    }

    /// The client's own file for the user's servers.
    pub(super) fn file(self, places: &Places) -> Option<PathBuf> {
        let home = &places.home;
        let windows = |path: &str| PathBuf::from(places.variable("APPDATA").unwrap_or_default()).join(path);
        let application = |path: &str| match () {
            () if cfg!(target_os = "macos") => home.join("Library/Application Support").join(path),
            () if cfg!(windows) => windows(path),
            () => places.config.join(path),
        };
        Some(match self {
            Self::ClaudeDesktop => application("Claude/claude_desktop_config.json"),
            Self::ClaudeCode => home.join(".claude.json"),
            Self::VsCode => application("Code/User/mcp.json"),
            Self::Cursor => home.join(".cursor/mcp.json"),
            Self::ChatGpt => return None,
            Self::Codex => places.variable("CODEX_HOME").map_or_else(|| home.join(".codex"), PathBuf::from).join("config.toml"),
            Self::Gemini => home.join(".gemini/settings.json"),
            Self::Windsurf => home.join(".codeium/windsurf/mcp_config.json"),
            Self::Zed if cfg!(windows) => windows("Zed/settings.json"),
            Self::Zed => home.join(".config/zed/settings.json"),
            Self::Goose if cfg!(windows) => windows("Block/goose/config/config.yaml"),
            Self::Goose => home.join(".config/goose/config.yaml"),
        })
    }
}

/// How a client starts the server, and what the server needs of the environment.
#[derive(Debug, Clone)]
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    /// Variables with their values.
    pub(super) variables: Vec<(Variable, String)>,
    /// Whether secrets may stand in the client's file as they are.
    pub(super) in_clear: bool,
}

/// What is written for a client: the entry, and what has to stand beside it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) server: Value,
    /// VS Code's inputs: what it asks a person for.
    pub(super) inputs: Vec<Value>,
    /// The secrets that this client has no way to pass on; they are not in the entry.
    pub(super) left_out: Vec<String>,
}

impl Launch {
    /// The entry of a client's file. Secrets are referred to in its way, or left out.
    pub(super) fn entry(&self, client: Client) -> Entry {
        let facts = client.facts();
        let (mut env, mut inputs, mut named, mut left_out) = (Map::new(), Vec::new(), Vec::new(), Vec::new());
        for (variable, value) in &self.variables {
            let name = &variable.name;
            if !variable.secret || self.in_clear {
                env.insert(name.clone(), value.clone().into());
                continue;
            }
            match facts.passing {
                Passing::Reference { before, after } => {
                    env.insert(name.clone(), format!("{before}{name}{after}").into());
                }
                Passing::Input => {
                    let id = name.to_lowercase().replace('_', "-");
                    env.insert(name.clone(), format!("${{input:{id}}}").into());
                    inputs
                        .push(json!({ "type": "promptString", "id": id, "description": format!("{name} for Rolecall"), "password": true }));
                }
                Passing::Named(_) => named.push(name.clone()),
                Passing::None => left_out.push(name.clone()),
            }
        }
        let program = self.program.display().to_string();
        let mut server = match client {
            Client::Goose => json!({
                "enabled": true, "type": "stdio", "name": "Rolecall", "timeout": 300, "cmd": program, "args": self.arguments,
            }),
            Client::VsCode | Client::ClaudeCode => json!({ "type": "stdio", "command": program, "args": self.arguments }),
            _ => json!({ "command": program, "args": self.arguments }),
        };
        if !env.is_empty() {
            server[if client == Client::Goose { "envs" } else { "env" }] = env.into();
        }
        if let (Passing::Named(key), false) = (facts.passing, named.is_empty()) {
            server[key] = named.into();
        }
        Entry { server, inputs, left_out }
    }

    /// The entry with all that stands around it in an empty file, as the client reads it.
    pub(super) fn whole(&self, client: Client) -> Result<String, edit::NotTaken> {
        match client.facts().shape {
            Shape::Json(under) => edit::json("", under, &self.entry(client)),
            Shape::Toml(under) => edit::toml("", under, &self.entry(client)),
            Shape::Yaml(under) => edit::yaml("", under, &self.entry(client)),
            Shape::Steps => Ok(self.steps()),
        }
    }

    /// The command that starts the server, as a shell takes it.
    pub(super) fn shell(&self) -> String {
        let words = std::iter::once(self.program.display().to_string()).chain(self.arguments.iter().cloned());
        words.map(|it| shell::quoted(&it)).collect::<Vec<_>>().join(" ")
    }

    /// What has to be done for ChatGPT.
    fn steps(&self) -> String {
        let rest = self.arguments.iter().skip(1).fold(String::new(), |rest, it| rest + " " + &shell::quoted(it));
        let serve = format!("{} serve --http 127.0.0.1:8080 --allow-host HOST{rest}", shell::quoted(&self.program.display().to_string()));
        format!(
            "ChatGPT starts no programs: it connects to https addresses on the internet.\n\n\
             1. Serve over HTTP, for the name that the world sees in place of HOST:\n\n   {serve}\n\n\
             2. Put a proxy before it that speaks https as HOST, passes /mcp on to 127.0.0.1:8080, and lets in nobody\n   \
             but your ChatGPT: its apps sign in with OAuth or not at all, and cannot send a fixed token.\n\
             3. In ChatGPT, on the web: Settings, Apps, Advanced settings, Developer mode. Then Create: give the app a\n   \
             name and https://HOST/mcp as its MCP server, and switch it on in a chat under +, Developer mode.\n\n\
             A program that calls the Responses API can send a token: serve with --token-file FILE, and give it as\n\
             `authorization` of the MCP tool.\n"
        )
    }
}
