//! Files that stand for an argument's text, in the letters they were written in.

use std::{
    borrow::Cow,
    io::Read as _,
    path::{Path, PathBuf},
};

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::Failure;

/// Endings of tables. Sheets are none, and are told so when they are read.
const TABLES: [&str; 6] = [".csv", ".tsv", ".tab", ".txt", ".xlsx", ".xls"];

/// The text of an argument. `@FILE` stands for a file's text, `@-` for standard input, `@@` for an `@`. A table may also be given
/// by the bare name of its file, or `-`.
pub(super) fn text(argument: &str, text: String) -> Result<String, Failure> {
    match text.strip_prefix('@') {
        Some(rest) if rest.starts_with('@') => Ok(rest.to_owned()),
        Some("-") => standard_input(),
        Some(path) => read(path),
        None if argument != "csv" => Ok(text),
        None if text == "-" => standard_input(),
        None if names_a_table(&text) => read(text.trim()),
        None => Ok(text),
    }
}

/// The text of a table in a file, or of one that comes in by standard input, as `-`.
pub(super) fn table(file: &str) -> Result<String, Failure> {
    match file.strip_prefix('@').unwrap_or(file) {
        "-" => standard_input(),
        path => read(path),
    }
}

/// Whether the text of a table is the name of one.
fn names_a_table(text: &str) -> bool {
    let lower = text.trim().to_lowercase();
    let is_line = !lower.is_empty() && !lower.contains(['\n', '\r']);
    is_line && (TABLES.iter().any(|it| lower.ends_with(it)) && !lower.contains([',', ';', '\t']) || at_home(text.trim()).is_file())
}

/// What comes in by standard input.
pub(super) fn standard_input() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    decoded(&bytes).map(Cow::into_owned).map_err(|why| Failure::usage(format!("standard input: {why}"), "give a text in UTF-8"))
}

/// The text of a file.
fn read(path: &str) -> Result<String, Failure> {
    let bytes = std::fs::read(at_home(path)).map_err(|error| {
        Failure::usage(format!("file `{path}`: {error}"), "name a text file; a text that starts with @ is written with @@")
    })?;
    decoded(&bytes).map(Cow::into_owned).map_err(|why| Failure::usage(format!("file `{path}`: {why}"), "save it as text in UTF-8"))
}

/// A path with `~` as the shell reads it, which it does not do behind `@` or `=`.
pub(super) fn at_home(path: &str) -> PathBuf {
    match (path.strip_prefix('~').map(|it| it.trim_start_matches('/')), etcetera::home_dir()) {
        (Some(rest), Ok(home)) if path.starts_with("~/") || path == "~" => home.join(rest),
        _ => Path::new(path).to_owned(),
    }
}

/// Bytes as text, by what they show: a mark at the beginning, zeros between letters, bytes that are no UTF-8.
fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>, &'static str> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return Err("it is a workbook or an archive, not a text; save the sheet as CSV");
    }
    let (encoding, text) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => (encoding, &bytes[length..]),
        None => match (wide(bytes), std::str::from_utf8(bytes)) {
            (Some(encoding), _) => (encoding, bytes),
            (None, Ok(text)) => return Ok(text.into()),
            (None, Err(_)) => (WINDOWS_1252, bytes),
        },
    };
    let (text, has_errors) = encoding.decode_without_bom_handling(text);
    let is_letter = |it: char| !it.is_control() || matches!(it, '\t' | '\r' | '\n' | '\x0c' | '\x1a');
    // Any byte is something in it: what no person writes is no text.
    if has_errors || (encoding == WINDOWS_1252 && !text.chars().all(is_letter)) {
        return Err("it is not a text in UTF-8, UTF-16 or Windows-1252");
    }
    Ok(text)
}

/// The encoding of two bytes a letter that a text without a mark has, where most of its letters are Latin.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    let zeros = |from: usize| bytes.iter().skip(from).step_by(2).filter(|it| **it == 0).count();
    let (high, low, half) = (zeros(0), zeros(1), bytes.len() / 2);
    let many = |zeros: usize, others: usize| half > 1 && zeros * 2 > half && others * 20 < half;
    match (many(low, high), many(high, low)) {
        (true, _) => Some(UTF_16LE),
        (_, true) => Some(UTF_16BE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;

    const TEXT: &str = "Atlas,zoë@acme.example,“viewer”\r\n";

    #[test]
    fn bytes_are_read_in_the_letters_they_were_written_in() {
        let little = || TEXT.encode_utf16().flat_map(u16::to_le_bytes);
        let big = || TEXT.encode_utf16().flat_map(u16::to_be_bytes);
        let (western, _, _) = WINDOWS_1252.encode(TEXT);
        for bytes in [
            TEXT.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", TEXT.as_bytes()].concat(),
            [0xff, 0xfe].into_iter().chain(little()).collect(),
            [0xfe, 0xff].into_iter().chain(big()).collect(),
            little().collect(),
            big().collect(),
            western.into_owned(),
        ] {
            assert_eq!(decoded(&bytes).unwrap(), TEXT, "{bytes:?}");
        }
        assert_eq!(decoded(b"a,b\n\0\0\0\n").unwrap(), "a,b\n\0\0\0\n", "zeros alone do not make two bytes a letter");
        for odd in [&b"PK\x03\x04..."[..], b"\xff\x00\x01", b"\x81\x02\xfe", b"\xff\xfea"] {
            assert!(decoded(odd).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn a_table_may_be_named_by_its_file_and_other_texts_only_with_an_at() {
        assert!(names_a_table("people.csv") && names_a_table("~/my people.TSV"));
        assert!(!names_a_table("Atlas,ana@acme.example,notes.txt") && !names_a_table("a\nb.csv") && !names_a_table(""));
        assert_eq!(text("name", "people.csv".into()).ok(), Some("people.csv".to_owned()));
        assert_eq!(text("csv", "@@home,a,b".into()).ok(), Some("@home,a,b".to_owned()));
        assert!(at_home("~/x").is_absolute() && !at_home("~x").is_absolute());
    }
}
