//! A review for an auditor: as CSV and as Markdown.

use std::fmt::Write as _;

use serde_json::Value;

use super::Line;
use crate::{
    domain::{Timestamp, one_line},
    tools::access::{Mend, Review},
};

/// So many findings stand in a report; more are counted.
const LINES: usize = 2000;

/// A line per finding, with a header.
pub(super) fn csv(lines: &[Line]) -> String {
    let mut table = csv::WriterBuilder::new().from_writer(Vec::new());
    let header = ["weight", "rule", "account", "place", "subject", "id", "evidence", "new", "tool", "arguments"];
    let mut written = table.write_record(header);
    for line in lines.iter().take(LINES) {
        let found = &line.found;
        let (tool, arguments) = found.mend.as_ref().map(call).unwrap_or_default();
        let is_new = if line.is_new == Some(true) { "yes" } else { "" };
        let weight = found.rule.weight().name();
        let place = line.place().unwrap_or_default();
        let cells = [
            weight,
            found.rule.name(),
            &line.connection,
            &place,
            &found.subject.name,
            &found.subject.id,
            &found.evidence,
            is_new,
            &tool,
            &arguments,
        ];
        written = written.and_then(|()| table.write_record(cells.map(cell)));
    }
    // Nothing is written but to memory.
    let bytes = written.ok().and_then(|()| table.into_inner().ok()).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// A text that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let text = one_line(text);
    if text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) { format!("'{text}") } else { text.into_owned() }
}

/// A report to read and to file.
pub(super) fn markdown(lines: &[Line], review: &Review, now: Timestamp) -> String {
    let mut text = format!("# Access review of {now}\n\n");
    let _ = writeln!(
        text,
        "{} findings.{}\n",
        lines.len(),
        review.compared.as_ref().map(|it| format!(" Since {}: {}.", it.with, it.says)).unwrap_or_default()
    );
    if !review.rules.is_empty() {
        text += "| rule | findings |\n|---|---|\n";
        for it in &review.rules {
            let _ = writeln!(text, "| {} | {} |", it.rule, it.count);
        }
        text += "\n| weight | rule | account | place | subject | evidence | mended by |\n|---|---|---|---|---|---|---|\n";
    }
    for line in lines.iter().take(LINES) {
        let found = &line.found;
        let mend = found.mend.as_ref().map(call).map(|(tool, arguments)| format!("{tool} {arguments}")).unwrap_or_default();
        let place = line.place().unwrap_or_default();
        let cells = [found.rule.weight().name(), found.rule.name(), &line.connection, &place, &found.subject.name, &found.evidence, &mend];
        let _ = writeln!(text, "| {} |", cells.map(escaped).join(" | "));
    }
    if lines.len() > LINES {
        let _ = writeln!(text, "\n{} more findings are not in this table.", lines.len() - LINES);
    }
    let gaps = &review.gaps;
    let untold = gaps.unseen.iter().map(|it| format!("not seen: {it}"));
    let failed = gaps.failed.iter().map(|it| format!("no answer from {}: {}", it.connection, it.message));
    let gaps: Vec<String> = untold.chain(failed).chain(gaps.not_asked.iter().map(|it| format!("not asked: {it}"))).collect();
    if !gaps.is_empty() {
        text += "\n## What was not reviewed\n\n";
        for it in gaps {
            let _ = writeln!(text, "- {}", escaped(&it));
        }
    }
    text
}

/// Text of others that ends no cell and begins nothing.
fn escaped(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace('`', "'")
}

fn call(it: &Mend) -> (String, String) {
    (it.tool.to_owned(), Value::from(it.arguments.clone()).to_string())
}
