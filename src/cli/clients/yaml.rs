//! A YAML file with an entry in it, by its lines: no reader of YAML keeps a person's comments. What is not written a key a line is refused.

use super::edit::NotTaken;

/// Puts the entry `name` into the mapping `under` of a file. `whole` is the file that holds nothing else; the entry in it is indented by two.
pub(super) fn with_entry(text: &str, under: &str, name: &str, whole: &str) -> Result<String, NotTaken> {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let other = || NotTaken::OtherKind(under.to_owned());
    let Some(at) = lines.iter().position(|it| value_of(it, under).is_some()) else {
        // A document that is no mapping of keys, a line each, has nowhere to put one more.
        let is_key = |it: &str| it.starts_with("---") || (it.contains(':') && !it.starts_with(['{', '[', '-', '\t', '&', '!']));
        if lines.iter().any(|it| is_content(it) && indent(it) == 0 && !is_key(it)) {
            return Err(other());
        }
        lines.extend(whole.lines().map(str::to_owned));
        return Ok(joined(&lines, end));
    };
    match value_of(&lines[at], under) {
        Some("") => {}
        Some("{}" | "null" | "~") => lines[at] = format!("{under}:"),
        _ => return Err(other()),
    }
    let last = (at + 1..lines.len()).find(|n| is_content(&lines[*n]) && indent(&lines[*n]) == 0).unwrap_or(lines.len());
    let inside: Vec<usize> = (at + 1..last).filter(|n| is_content(&lines[*n])).collect();
    if lines.get(last).is_some_and(|it| it.starts_with(['-', '\t']))
        || inside.iter().any(|n| lines[*n].trim_start_matches(' ').starts_with('\t'))
    {
        return Err(other());
    }
    let depth = inside.first().map_or(2, |n| indent(&lines[*n]));
    let is_key = |it: &str| it.contains(':') && !it.trim_start().starts_with(['{', '[', '-', '}', ']']);
    if inside.iter().map(|n| &lines[*n]).any(|it| indent(it) < depth || (indent(it) == depth && !is_key(it))) {
        return Err(other());
    }
    let block = whole.lines().skip(1).map(|it| " ".repeat(depth) + it.strip_prefix("  ").unwrap_or(it));
    let known = inside.iter().position(|n| indent(&lines[*n]) == depth && value_of(lines[*n].trim_start(), name).is_some());
    let place = if let Some(first) = known {
        let until = inside[first + 1..].iter().take_while(|n| indent(&lines[**n]) > depth).last().unwrap_or(&inside[first]);
        inside[first]..*until + 1
    } else {
        let behind = inside.last().map_or(at + 1, |n| n + 1);
        behind..behind
    };
    lines.splice(place, block);
    Ok(joined(&lines, end))
}

/// What stands behind a key, without a comment; none where the line has another key.
fn value_of<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(key)?.strip_prefix(':')?;
    let value = rest.split(" #").next().unwrap_or_default().trim();
    (rest.is_empty() || rest.starts_with(' ')).then_some(value)
}

fn is_content(line: &str) -> bool {
    let text = line.trim_start();
    !text.is_empty() && !text.starts_with('#')
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn joined(lines: &[String], end: &str) -> String {
    lines.iter().flat_map(|it| [it.as_str(), end]).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;

    const WHOLE: &str = "extensions:\n  rolecall:\n    type: stdio\n    args:\n    - serve\n";

    fn with(text: &str) -> Result<String, NotTaken> {
        with_entry(text, "extensions", "rolecall", WHOLE)
    }

    #[test]
    fn a_file_keeps_its_lines_and_gets_the_entry_once() {
        assert_eq!(with("").unwrap(), WHOLE);
        assert_eq!(with("GOOSE_MODEL: x\n").unwrap(), format!("GOOSE_MODEL: x\n{WHOLE}"));
        let before = "# mine\nextensions: # all\n    developer:\n        enabled: true # yes\n\n# the model\nGOOSE_MODEL: x\n";
        let after = with(before).unwrap();
        let block = "    rolecall:\n      type: stdio\n      args:\n      - serve\n";
        assert_eq!(after, before.replace("# yes\n", &format!("# yes\n{block}")));
        assert_eq!(with(&after).unwrap(), after, "a second time changes nothing");
        assert_eq!(with("extensions: {}\na: 1\n").unwrap(), format!("{WHOLE}a: 1\n"));
    }

    #[test]
    fn an_older_entry_is_replaced_and_its_neighbours_stay() {
        let before = "extensions:\n  a:\n    x: 1\n  rolecall:\n    cmd: old\n    args: [serve]\n  # about b\n  b:\n    x: 2\n";
        let after = "extensions:\n  a:\n    x: 1\n  rolecall:\n    type: stdio\n    args:\n    - serve\n  # about b\n  b:\n    x: 2\n";
        assert_eq!(with(before).unwrap(), after);
        assert_eq!(with("extensions:\r\n  a: {}\r\n").unwrap().matches("\r\n").count(), 6);
    }

    #[test]
    fn what_is_written_in_another_way_is_refused() {
        for text in [
            "extensions: {a: {x: 1}}\n",
            "extensions:\n- a\n",
            "extensions: &all\n  a: 1\n",
            "extensions:\n\ta: 1\n",
            "- a\n",
            "{a: 1}\n",
            "extensions:\n  - a: 1\n",
        ] {
            assert_eq!(with(text), Err(NotTaken::OtherKind("extensions".into())), "{text}");
        }
    }
}
