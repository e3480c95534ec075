//! A table's text as records: whatever separates its cells, ends its lines and stands around it. What cannot be read is told with
//! its line, and takes no other line with it.

use std::borrow::Cow;

use super::cells::{tidy, unquoted};

/// One record of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The line on which it begins, from 1.
    pub(super) line: usize,
    pub(super) cells: Vec<String>,
    /// Whether it begins with a `#` that stands in no quotes: a comment, or a name.
    pub(super) hash: bool,
    /// Why it cannot be read; its cells are what its line looks like.
    pub(super) fault: Option<String>,
}

/// What may separate cells, the likeliest first.
const SEPARATORS: [char; 3] = [',', '\t', ';'];
/// A quote that is not closed within so many bytes is none.
const LONGEST_CELL: usize = 20_000;
/// From how many lines it is guessed what separates cells.
const SAMPLE: usize = 20;

/// How the rows of a table look, by which it is seen what separates their cells.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    /// Whether a first line names columns.
    pub(super) is_header: &'a dyn Fn(&[String]) -> bool,
    /// How well cells look like a row without a header.
    pub(super) fits: fn(&[String]) -> u32,
}

/// The records of a table. Blank lines and fences around it are left out.
pub(super) fn records(text: &str, look: Look<'_>) -> Vec<Record> {
    let text = lines_of(text);
    let (separator, skip) = separator(&text, look);
    let mut reader = Reader { rest: &text, line: 1, separator };
    let mut records: Vec<Record> = std::iter::from_fn(|| reader.next()).filter(|it| it.line > skip && !is_around(it)).collect();
    if separator == '|' {
        for it in &mut records {
            inner(&mut it.cells);
        }
        records.retain(|it| !it.cells.iter().all(|it| it.chars().all(|it| matches!(it, '-' | ':'))));
    }
    records
}

/// Whether a record belongs to what stands around a table: a blank line, the fence of a code block.
fn is_around(record: &Record) -> bool {
    let fence = |it: &str| it.starts_with("```") || it.starts_with("~~~");
    record.cells.iter().all(String::is_empty) || matches!(record.cells.as_slice(), [only] if fence(only))
}

/// The cells of a line between its first and its last bar.
fn inner(cells: &mut Vec<String>) {
    if cells.last().is_some_and(String::is_empty) {
        cells.pop();
    }
    if cells.first().is_some_and(String::is_empty) {
        cells.remove(0);
    }
}

/// A text with line feeds at the ends of its lines, however they were written.
fn lines_of(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}');
    let text: Cow<'_, str> = if is_wide(text) { text.replace('\0', "").into() } else { text.into() };
    let text = text.trim_start_matches('\u{feff}');
    if !text.contains(['\n', '\r']) {
        return written_out(text).unwrap_or_else(|| text.to_owned());
    }
    let mut lines = String::with_capacity(text.len());
    for part in text.split_inclusive('\n') {
        let line = part.strip_suffix('\n').map_or(part, |it| it.trim_end_matches('\r'));
        lines.extend(line.chars().map(|it| if it == '\r' { '\n' } else { it }));
        if part.ends_with('\n') {
            lines.push('\n');
        }
    }
    lines
}

/// Whether a text of two bytes a letter was taken for one of one byte a letter.
fn is_wide(text: &str) -> bool {
    let zeros = text.bytes().filter(|it| *it == 0).count();
    zeros * 5 >= text.len() * 2 && zeros > 1 && !text.contains("\0\0")
}

/// A text whose line ends were written out as `\n`, where nothing else can be meant: each of its lines has the cells of a row.
fn written_out(text: &str) -> Option<String> {
    if !text.contains("\\n") {
        return None;
    }
    let lines = text.replace("\\r\\n", "\n").replace("\\n", "\n");
    let is_row = |line: &str| tidy(line).is_empty() || SEPARATORS.iter().any(|it| line.matches(*it).count() > 1);
    lines.lines().all(is_row).then_some(lines)
}

/// What separates cells, and how many lines say so and nothing else.
fn separator(text: &str, look: Look<'_>) -> (char, usize) {
    let lines = || text.lines().enumerate().map(|(at, line)| (at + 1, tidy(line))).filter(|it| !it.1.is_empty());
    if let Some((number, line)) = lines().next()
        && let Some(said) = said(line)
    {
        return (said, number);
    }
    let is_data = |it: &&str| !it.starts_with(['#', '`', '~']) || it.contains(SEPARATORS);
    let sample: Vec<&str> = lines().map(|it| it.1).filter(is_data).take(SAMPLE).collect();
    if !sample.is_empty() && sample.iter().all(|it| it.starts_with('|')) {
        return ('|', 0);
    }
    let cells = |line: &str, separator| Reader { rest: line, line: 1, separator }.next().map(|it| it.cells).unwrap_or_default();
    if let Some(first) = sample.first()
        && let Some(found) = SEPARATORS.into_iter().find(|it| (look.is_header)(&cells(first, *it)))
    {
        return (found, 0);
    }
    let fit = |separator: char| sample.iter().map(|it| (look.fits)(&cells(it, separator))).sum::<u32>();
    // The first of equals.
    let best = SEPARATORS.into_iter().rev().max_by_key(|it| fit(*it));
    (best.unwrap_or(','), 0)
}

/// `sep=;`, as spreadsheets write it in the first line.
fn said(line: &str) -> Option<char> {
    let line = line.trim_matches('"');
    let (name, said) = (line.get(..4)?, line.get(4..)?);
    let mut said = said.chars();
    let separator = said.next().unwrap_or('\t'); // a tab at the end was taken for a space
    (name.eq_ignore_ascii_case("sep=") && said.next().is_none()).then_some(separator)
}

/// Reads record after record.
struct Reader<'a> {
    rest: &'a str,
    line: usize,
    separator: char,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<Record> {
        if self.rest.is_empty() {
            return None;
        }
        let line = self.line;
        let first = self.rest.split('\n').next().unwrap_or_default();
        let hash = tidy(first).starts_with('#');
        // A comment ends with its line, whatever quotes it has.
        let text = if hash { first } else { self.rest };
        let (cells, length, fault) = match self.cells(text) {
            Ok((cells, length)) => (cells, length, None),
            Err(fault) => {
                // Its line alone is lost: those behind it may be whole.
                let cells = first.split(self.separator).map(|it| tidy(it).to_owned()).collect();
                (cells, first.len(), Some(fault))
            }
        };
        self.line += 1 + self.rest[..length].matches('\n').count();
        self.rest = self.rest[length..].strip_prefix('\n').unwrap_or(&self.rest[length..]);
        Some(Record { line, cells, hash, fault })
    }

    /// The cells of the first record, and how long it is without its line feed.
    fn cells(&self, text: &str) -> Result<(Vec<String>, usize), String> {
        let (mut cells, mut rest) = (Vec::new(), text);
        let is_space = |it: char| it != '\n' && it != self.separator && (it.is_whitespace() || it == '\u{feff}');
        loop {
            let begins = rest.trim_start_matches(is_space);
            let (cell, after) = if let Some(inner) = begins.strip_prefix('"') {
                let number = cells.len() + 1;
                let within = &inner[..inner.floor_char_boundary(LONGEST_CELL)];
                let (cell, left) = unquoted(within)
                    .ok_or_else(|| format!("a quote is opened in its cell {number} and not closed; close it or take it out"))?;
                let after = inner[within.len() - left.len()..].trim_start_matches(is_space);
                if !after.is_empty() && !after.starts_with(['\n', self.separator]) {
                    let what = format!("in its cell {number} something stands behind the quote that closes");
                    return Err(format!("{what}; quotes within a cell are written twice"));
                }
                (cell, after)
            } else {
                let end = begins.find(['\n', self.separator]).unwrap_or(begins.len());
                (begins[..end].to_owned(), &begins[end..])
            };
            cells.push(tidy(&cell).to_owned());
            match after.strip_prefix(self.separator) {
                Some(more) => rest = more,
                None => return Ok((cells, text.len() - after.len())),
            }
        }
    }
}
