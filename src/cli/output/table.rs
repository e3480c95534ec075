//! Tables that fit: no word and no id is split. Where there is no room for all columns, those of least weight are left out.

use std::io::{self, Write};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width as Fixed, presets};
use dialoguer::console::{Term, measure_text_width};

/// How wide a table may get, in columns of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Width {
    /// Lines are left whole, for whoever cuts them.
    Any,
    Columns(usize),
}

impl Width {
    /// That of the terminal; any where there is none.
    pub(in crate::cli) fn of_terminal() -> Self {
        Term::stdout().size_checked().map_or(Self::Any, |(_, columns)| Self::Columns(usize::from(columns).max(40)))
    }
}

/// What stands between two columns.
const GAP: usize = 2;

/// Prints rows below a header. What is left out for want of room is said on stderr.
pub(in crate::cli) fn table(out: &mut impl Write, header: &[&str], rows: Vec<Vec<String>>, width: Width) -> io::Result<()> {
    let kept = fitting(header, &rows, width);
    let left_out: Vec<&str> = header.iter().enumerate().filter(|it| !kept.contains(&it.0)).map(|it| *it.1).collect();
    let pick = |row: Vec<String>| row.into_iter().enumerate().filter(|it| kept.contains(&it.0)).map(|it| it.1).collect::<Vec<_>>();
    let header: Vec<String> = pick(header.iter().map(|it| it.to_uppercase()).collect());
    let rows: Vec<Vec<String>> = rows.into_iter().map(pick).collect();
    print(out, Some(header), rows, width)?;
    if !left_out.is_empty() {
        writeln!(anstream::stderr(), "note: there is no room for {}; --wide shows all columns", left_out.join(", "))?;
    }
    Ok(())
}

/// Prints names and values, a line each.
pub(super) fn fields(out: &mut impl Write, lines: Vec<(String, String)>, width: Width) -> io::Result<()> {
    print(out, None, lines.into_iter().map(|(name, value)| vec![name, value]).collect(), width)
}

/// Which columns there is room for. A name in the first one and an id in the last are what a person goes on with; of the others, those
/// further right go first.
fn fitting(header: &[&str], rows: &[Vec<String>], width: Width) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..header.len()).collect();
    let Width::Columns(room) = width else { return kept };
    let narrowest: Vec<usize> = (0..header.len())
        .map(|at| {
            rows.iter().filter_map(|it| it.get(at)).map(|it| narrowest(it)).max().unwrap_or_default().max(measure_text_width(header[at]))
        })
        .collect();
    let needed = |kept: &[usize]| kept.iter().map(|it| narrowest[*it]).sum::<usize>() + GAP * kept.len().saturating_sub(1);
    while needed(&kept) > room && kept.len() > 1 {
        let weight = |at: &usize| match at {
            0 => usize::MAX,
            at if header[*at] == "id" => usize::MAX - 1,
            at => header.len() - at,
        };
        let Some(least) = kept.iter().copied().min_by_key(weight) else { break };
        kept.retain(|it| *it != least);
    }
    kept
}

/// The width of the longest word: a column cannot be narrower.
fn narrowest(text: &str) -> usize {
    text.split_whitespace().map(measure_text_width).max().unwrap_or_default()
}

fn print(out: &mut impl Write, header: Option<Vec<String>>, rows: Vec<Vec<String>>, width: Width) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let columns = rows.iter().chain(&header).map(Vec::len).max().unwrap_or_default();
    let narrowest: Vec<usize> = (0..columns)
        .map(|at| header.iter().chain(&rows).filter_map(|it| it.get(at)).map(|it| narrowest(it)).max().unwrap_or_default())
        .collect();
    if let Width::Columns(room) = width {
        let needed = narrowest.iter().sum::<usize>() + GAP * columns.saturating_sub(1);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        // Behind the last column stands a gap, too, which is trimmed.
        table.set_width(u16::try_from(room.max(needed) + GAP).unwrap_or(u16::MAX));
    }
    if let Some(header) = header {
        table.set_header(header);
    }
    table.add_rows(rows);
    for (column, narrowest) in table.column_iter_mut().zip(narrowest) {
        column.set_padding((0, 2));
        column.set_constraint(ColumnConstraint::LowerBoundary(Fixed::Fixed(u16::try_from(narrowest + GAP).unwrap_or(u16::MAX))));
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;

    fn printed(width: Width) -> String {
        let header = ["project", "description", "owner", "status", "id"];
        let row = |name: &str| {
            [name, "what the people of this project do all day", "grace.whitfield@acme.example", "active", "prj_01hzy3k9v2m8"]
                .map(str::to_owned)
        };
        let mut out = Vec::new();
        table(&mut out, &header, vec![row("Atlas").to_vec(), row("Borealis").to_vec()], width).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn words_wrap_and_are_never_split() {
        for columns in [40, 60, 80, 100, 140] {
            let text = printed(Width::Columns(columns));
            assert!(text.contains("prj_01hzy3k9v2m8") && text.contains("Borealis"), "{columns}: {text}");
            assert!(text.lines().all(|it| it.chars().count() <= columns), "{columns}: {text}");
            let known = "PROJECT DESCRIPTION OWNER STATUS ID Atlas Borealis what the people of this project do all day \
                         grace.whitfield@acme.example active prj_01hzy3k9v2m8";
            let split: Vec<&str> = text.split_whitespace().filter(|it| !known.split(' ').any(|word| word == *it)).collect();
            assert!(split.is_empty(), "{columns}: {split:?}\n{text}");
        }
    }

    #[test]
    fn columns_of_least_weight_go_first_and_none_where_any_width_will_do() {
        let header = |width| printed(width).lines().next().unwrap().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(header(Width::Columns(80)), ["PROJECT", "DESCRIPTION", "OWNER", "STATUS", "ID"]);
        assert_eq!(header(Width::Columns(60)), ["PROJECT", "DESCRIPTION", "ID"]);
        assert_eq!(header(Width::Columns(30)), ["PROJECT", "ID"]);
        assert_eq!(header(Width::Any), ["PROJECT", "DESCRIPTION", "OWNER", "STATUS", "ID"]);
    }
}
