//! What is told on stderr while a command runs: what goes wrong inside, and of a server one line a call.

use std::io::IsTerminal as _;

use tracing::Level;
use tracing_subscriber::{
    Layer, Registry,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
    registry,
    util::SubscriberInitExt as _,
};

/// How lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object a line, for programs
    Json,
}

/// Where calls are told of.
const CALLS: &str = "rolecall::call";

/// What is told of beside the lines, to whom that may concern.
pub(super) type Over = Box<dyn Layer<Registry> + Send + Sync>;

/// Begins to write lines. `RUST_LOG` says of what and how much; `calls` says whether calls are told of where it does not say.
pub(super) fn start(format: LogFormat, calls: bool, over: Option<Over>) {
    let wanted = std::env::var("RUST_LOG").unwrap_or_default();
    let (filter, misread) = filter(&wanted, calls);
    // Whoever reads a file or a pipe sees codes where there should be colours.
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours).with_target(false);
    match format {
        LogFormat::Text => registry().with(over).with(lines.with_filter(filter)).init(),
        LogFormat::Json => registry().with(over).with(lines.json().flatten_event(true).with_span_list(false).with_filter(filter)).init(),
    }
    if misread {
        tracing::warn!("`RUST_LOG` is not valid and is ignored; write a level, or `target=level` pairs with commas between them");
    }
}

/// What is told of, and whether what is wanted was not understood.
fn filter(wanted: &str, calls: bool) -> (Targets, bool) {
    let read = (!wanted.trim().is_empty()).then(|| wanted.parse::<Targets>());
    let misread = matches!(read, Some(Err(_)));
    let mut filter = match read {
        Some(Ok(filter)) => filter,
        _ if calls => Targets::new().with_default(Level::WARN).with_target(CALLS, Level::INFO),
        _ => Targets::new().with_default(Level::WARN),
    };
    // It tells of every message, with all that is in it; whoever wants that says so.
    if (misread || !wanted.contains("rmcp")) && filter.default_level().is_none_or(|it| it > LevelFilter::ERROR) {
        filter = filter.with_target("rmcp", Level::ERROR);
    }
    // Spans are for those who collect them.
    (filter.with_target(super::traces::TARGET, LevelFilter::OFF), misread)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(wanted: &str, calls: bool) -> [bool; 4] {
        let (filter, _) = filter(wanted, calls);
        [(CALLS, Level::INFO), ("rolecall::jobs", Level::INFO), ("sqlx", Level::WARN), ("rmcp::service", Level::WARN)]
            .map(|(target, level)| filter.would_enable(target, &level))
    }

    #[test]
    fn calls_are_told_of_and_not_what_goes_on_in_the_protocol() {
        assert_eq!(told("", true), [true, false, true, false]);
        assert_eq!(told("", false), [false, false, true, false]);
        assert_eq!(told("info", true), [true, true, true, false]);
        assert_eq!(told("info,rmcp=warn", true), [true, true, true, true]);
        assert_eq!(told("rolecall=info", true), [true, true, false, false]);
        assert_eq!(told("off", true), [false, false, false, false]);
        // Not understood.
        assert!(filter("rolecall=loud", true).1);
        assert_eq!(told("rolecall=loud", true), [true, false, true, false]);
    }
}
