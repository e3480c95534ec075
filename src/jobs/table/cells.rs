//! What stands in a cell: written so that no spreadsheet runs it and every name comes back as it was.

use std::borrow::Cow;

/// What a spreadsheet takes for the beginning of a formula, in both widths.
const BEGINS_A_FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

fn is_run(text: &str) -> bool {
    text.starts_with(['\t', '\r']) || text.trim_start().starts_with(BEGINS_A_FORMULA)
}

/// A text as a spreadsheet shows it and does not run it: an apostrophe stands before what it would take for a formula.
pub(crate) fn defused(text: &str) -> Cow<'_, str> {
    if is_run(text.trim_start_matches('\'')) { format!("'{text}").into() } else { text.into() }
}

/// The text that [`defused`] has made a cell of.
pub(super) fn as_meant(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_run(rest.trim_start_matches('\'')) => rest,
        _ => cell,
    }
}

/// A text without what stands around it unseen: spaces, marks of direction and of width, padding of old files.
pub(super) fn tidy(text: &str) -> &str {
    text.trim_matches(|it: char| {
        it.is_whitespace()
            || it.is_control()
            || matches!(it, '\u{ad}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'
                | '\u{2066}'..='\u{2069}' | '\u{feff}')
    })
}

/// What separates the names of a list within a cell.
const BETWEEN: [char; 2] = [';', '|'];

/// Names as one cell: `owner;"read; write"`.
pub(super) fn listed(names: &[String]) -> String {
    let name = |it: &String| {
        let it = defused(it);
        if it.contains(BETWEEN) || it.contains('"') { format!("\"{}\"", it.replace('"', "\"\"")) } else { it.into_owned() }
    };
    names.iter().map(name).collect::<Vec<_>>().join(";")
}

/// The names of a cell, as [`listed`] or others write them.
pub(super) fn names(cell: &str) -> Vec<String> {
    let (mut names, mut rest) = (Vec::new(), cell);
    loop {
        let (name, after) = quoted(rest).unwrap_or_else(|| {
            let (name, after) = rest.split_once(BETWEEN).map_or((rest, None), |(name, after)| (name, Some(after)));
            (name.to_owned(), after)
        });
        let name = as_meant(tidy(&name));
        if !name.is_empty() {
            names.push(name.to_owned());
        }
        match after {
            Some(after) => rest = after,
            None => return names,
        }
    }
}

/// A name in quotes at the beginning of a list, and what follows behind its separator. A quote that is not closed is a letter.
fn quoted(text: &str) -> Option<(String, Option<&str>)> {
    let (name, rest) = unquoted(text.trim_start().strip_prefix('"')?)?;
    let rest = rest.trim_start();
    if rest.is_empty() { Some((name, None)) } else { Some((name, Some(rest.strip_prefix(BETWEEN)?))) }
}

/// What stands before the quote that closes it, where two quotes are one letter; and what follows.
pub(super) fn unquoted(text: &str) -> Option<(String, &str)> {
    let (mut inner, mut rest) = (String::new(), text);
    loop {
        let at = rest.find('"')?;
        inner.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                inner.push('"');
                rest = more;
            }
            None => return Some((inner, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_defused_and_comes_back() {
        for text in ["=1+1", "+49", "-", "@x", "'=1", "''=1", "＝1", " =1", "'", "'a", "a=1", "\t=1", ""] {
            let cell = defused(text);
            assert!(!is_run(&cell), "{text:?}: {cell:?}");
            assert_eq!(as_meant(&cell), text, "{cell:?}");
        }
        assert_eq!((defused("=1+1"), defused("'a"), defused("a=1")), ("'=1+1".into(), "'a".into(), "a=1".into()));
    }

    #[test]
    fn names_with_separators_and_quotes_are_kept_together() {
        assert_eq!(names("owner; member | viewer;"), ["owner", "member", "viewer"]);
        assert_eq!(names("\"read; write\";\"say \"\"hi\"\"\""), ["read; write", "say \"hi\""]);
        assert_eq!(names("\"owner"), ["\"owner"], "a quote that is not closed is a letter");
        assert_eq!(names(" ; "), [""; 0]);
    }
}
