//! `rolecall config`: snippets that connect a client to this program.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use serde_json::{Value, json};

use super::{Ended, Failure};
use crate::config::Overrides;

/// Print a snippet that connects a client.
#[derive(Debug, clap::Args)]
pub struct Config {
    /// The client; without it, the snippets of all clients
    client: Option<Client>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Client {
    ClaudeDesktop,
    ClaudeCode,
    #[value(name = "vscode", alias = "vs-code")]
    VsCode,
    Cursor,
    #[value(name = "chatgpt", alias = "chat-gpt")]
    ChatGpt,
}

impl Config {
    /// Prints the snippets.
    pub fn run(&self, overrides: &Overrides) -> Ended {
        let program =
            std::env::current_exe().map_err(|error| Failure::new(format!("this program does not know where it is: {error}"), ""))?;
        let launch = Launch { program, arguments: launch_arguments(overrides)? };
        let all = [Client::ClaudeDesktop, Client::ClaudeCode, Client::VsCode, Client::Cursor, Client::ChatGpt];
        let wanted = self.client.map_or(all.to_vec(), |it| vec![it]);
        if overrides.store.as_deref().is_some_and(|it| !it.starts_with("sqlite:")) {
            writeln!(
                anstream::stderr(),
                "note: the store's URL may hold a password and is left out; give the client ROLECALL_STORE in its environment\n"
            )?;
        }
        let mut out = anstream::stdout().lock();
        let bold = anstyle::Style::new().bold();
        for (at, client) in wanted.iter().enumerate() {
            let (name, text) = launch.snippet(*client);
            let gap = if at == 0 { "" } else { "\n" };
            writeln!(out, "{gap}{bold}{name}{bold:#}\n{text}")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// How a client starts the server.
struct Launch {
    program: PathBuf,
    arguments: Vec<String>,
}

/// `serve`, and what was given here: the snippet is to serve what this command would.
fn launch_arguments(overrides: &Overrides) -> Result<Vec<String>, Failure> {
    let absolute = |path: &PathBuf| Ok::<_, Failure>(std::path::absolute(path)?.display().to_string());
    let mut arguments = vec!["serve".to_owned()];
    if let Some(file) = &overrides.config {
        arguments.extend(["--config".to_owned(), absolute(file)?]);
    }
    // A server's URL may hold a password, which is not for a snippet.
    if let Some(path) = overrides.store.as_deref().and_then(|it| it.strip_prefix("sqlite:")) {
        let path = absolute(&PathBuf::from(path.trim_start_matches("//")))?;
        arguments.extend(["--store".to_owned(), format!("sqlite:{path}")]);
    }
    if let Some(folder) = &overrides.secrets {
        arguments.extend(["--secrets".to_owned(), absolute(folder)?]);
    }
    if overrides.read_only {
        arguments.push("--read-only".to_owned());
    }
    for (flag, values) in [("--allow", &overrides.allow), ("--domains", &overrides.domains)] {
        if !values.is_empty() {
            arguments.extend([flag.to_owned(), values.join(",")]);
        }
    }
    Ok(arguments)
}

impl Launch {
    fn json(&self, wrap: impl FnOnce(Value) -> Value) -> String {
        let entry = json!({ "command": self.program, "args": self.arguments });
        serde_json::to_string_pretty(&wrap(entry)).unwrap_or_default()
    }

    fn shell(&self) -> String {
        let words = std::iter::once(self.program.display().to_string()).chain(self.arguments.iter().cloned());
        words.map(|it| quoted(&it)).collect::<Vec<_>>().join(" ")
    }

    fn snippet(&self, client: Client) -> (&'static str, String) {
        let servers = |entry| json!({ "mcpServers": { "rolecall": entry } });
        match client {
            Client::ClaudeDesktop => {
                let file = if cfg!(target_os = "macos") {
                    "~/Library/Application Support/Claude/claude_desktop_config.json"
                } else if cfg!(windows) {
                    r"%APPDATA%\Claude\claude_desktop_config.json"
                } else {
                    "~/.config/Claude/claude_desktop_config.json"
                };
                ("Claude Desktop", format!("Put this into {file} and start it anew:\n\n{}", self.json(servers)))
            }
            Client::ClaudeCode => ("Claude Code", format!("Run:\n\nclaude mcp add --transport stdio rolecall -- {}", self.shell())),
            Client::VsCode => {
                let wrap = |mut entry: Value| {
                    entry["type"] = "stdio".into();
                    json!({ "servers": { "rolecall": entry } })
                };
                ("VS Code", format!("Put this into .vscode/mcp.json of a workspace:\n\n{}", self.json(wrap)))
            }
            Client::Cursor => ("Cursor", format!("Put this into ~/.cursor/mcp.json:\n\n{}", self.json(servers))),
            Client::ChatGpt => {
                let rest = self.arguments.iter().skip(1).fold(String::new(), |rest, it| rest + " " + &quoted(it));
                let serve = format!("{} serve --http 127.0.0.1:8080 --allow-host HOST{rest}", quoted(&self.program.display().to_string()));
                let text = format!(
                    "ChatGPT does not start programs: it connects to https addresses on the internet.\n\n\
                     1. Serve over HTTP, for the name that the world sees in place of HOST:\n\n   {serve}\n\n\
                     2. Put a proxy before it that speaks https as HOST, passes /mcp on to 127.0.0.1:8080, and lets in nobody\n   \
                     but your ChatGPT: its connectors sign in with OAuth or not at all, and cannot send a fixed token.\n\
                     3. In ChatGPT: Settings, Apps & Connectors, Advanced, Developer mode; then create a connector for\n   \
                     https://HOST/mcp.\n\n\
                     A program that calls the Responses API can send a token: serve with --token-file FILE, and give it as\n\
                     `authorization` of the MCP tool."
                );
                ("ChatGPT", text)
            }
        }
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || "/._-+,:=@\\".contains(it);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
