//! The demo's stage: how what happens is told.

use std::{
    io::{self, Write},
    time::Duration,
};

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::Failure;
use crate::{
    server::Server,
    transport::pipe::{Asked, Client, Reply, Unexpected},
};

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

/// Something else happened than the story tells.
pub(super) fn unexpected(what: &str) -> Failure {
    Failure::new(format!("the demo did not go as written: {what}"), "this is a fault of the program; please report it")
}

impl From<Unexpected> for Failure {
    fn from(error: Unexpected) -> Self {
        unexpected(&error.to_string())
    }
}

/// An assistant whose calls are told of.
pub(super) struct Assistant(Client);

impl Assistant {
    pub(super) async fn connect(server: &Server, name: &'static str, asks: bool) -> Result<Self, Failure> {
        Ok(Self(Client::connect(server.clone(), name, asks).await?))
    }

    pub(super) async fn leave(self) {
        self.0.leave().await;
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
        Ok(self.0.call(tool, arguments).await?)
    }

    /// Sends the same call again, with the sealed state that came with the question and what the person entered.
    pub(super) async fn answer<W: Write>(&mut self, stage: &mut Stage<'_, W>, asked: Asked, entered: Value) -> Result<Reply, Failure> {
        stage.agent(&format!("calls {} again, with the sealed state and what the person entered", asked.tool()))?;
        Ok(self.0.answer(asked, entered).await?)
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
