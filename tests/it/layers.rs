//! The rooms of the house and what each may know: an arrow between two rooms is a line of [`HOUSE`], and points up.
//!
//! What is compiled for tests alone (`#[cfg(test)]`) is left out: unit tests put a whole program together, whatever room they
//! are in.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Every room, a lower one below those that it knows. A room is a folder or a file of `src`, and each of those in `providers`.
const HOUSE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("error", &["domain"]),
    ("tools", &["domain", "error"]),
    ("shape", &["domain"]),
    ("render", &["domain", "shape"]),
    ("store", &["domain", "error"]),
    ("secrets", &["domain", "tools", "error", "store"]),
    ("access", &["domain"]),
    ("guard", &["domain", "tools", "error", "shape", "store", "secrets"]),
    ("providers", &["domain", "tools", "error", "store", "access", "guard"]),
    ("providers/http", &["domain", "tools", "error", "shape", "secrets", "guard", "providers"]),
    ("providers/local", &["domain", "tools", "error", "store", "access", "guard", "providers"]),
    ("providers/geai", &["domain", "tools", "error", "secrets", "guard", "providers", "providers/http"]),
    ("providers/openai", &["domain", "tools", "error", "secrets", "access", "providers", "providers/http"]),
    ("providers/seeme", &["domain", "tools", "error", "secrets", "providers", "providers/http"]),
    ("providers/engine", &["domain", "tools", "error", "shape", "secrets", "guard", "providers", "providers/http"]),
    ("providers/builtin", &["domain", "tools", "error", "providers"]),
    ("catalog", &["tools", "error", "shape", "guard", "providers", "providers/builtin"]),
    ("answers", &["domain", "tools", "error", "shape", "store", "access", "guard", "providers"]),
    ("jobs", &["domain", "tools", "error", "shape", "store", "access", "answers", "guard", "providers", "providers/builtin", "catalog"]),
    (
        "app",
        &[
            "domain",
            "error",
            "shape",
            "store",
            "secrets",
            "guard",
            "providers",
            "providers/local",
            "providers/builtin",
            "catalog",
            "answers",
            "jobs",
        ],
    ),
    ("console", &["domain", "tools", "error", "store", "access", "guard", "providers", "app"]),
    ("server", &["domain", "tools", "error", "shape", "render", "guard", "providers/builtin", "catalog", "jobs", "app"]),
    ("conformance", &[]),
    ("transport", &["guard", "server"]),
    (
        "config",
        &[
            "tools",
            "store",
            "secrets",
            "guard",
            "providers",
            "providers/http",
            "providers/local",
            "providers/geai",
            "providers/openai",
            "providers/seeme",
            "providers/engine",
            "providers/builtin",
            "app",
        ],
    ),
    (
        "cli",
        &[
            "domain",
            "tools",
            "error",
            "shape",
            "render",
            "store",
            "secrets",
            "guard",
            "providers/local",
            "catalog",
            "jobs",
            "app",
            "console",
            "server",
            "conformance",
            "transport",
            "config",
        ],
    ),
    ("main", &["cli"]),
];

/// The only rooms that speak the protocol.
const PROTOCOL: [&str; 3] = ["server", "conformance", "transport"];

#[test]
fn every_arrow_between_two_rooms_is_in_the_table_and_points_up() {
    let arrows: Vec<Arrow> = sources().iter().flat_map(Source::arrows).collect();
    let complaints = complaints(HOUSE, &arrows);
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn no_room_but_the_servers_own_speaks_the_protocol() {
    let speakers: Vec<String> = sources()
        .iter()
        .filter(|it| !PROTOCOL.contains(&it.room.as_str()))
        .flat_map(|it| it.paths().into_iter().filter(|path| path.names[0] == "rmcp").map(|path| it.place(&path)))
        .collect();
    assert!(speakers.is_empty(), "rmcp is for {} alone:\n{}\n", PROTOCOL.join(", "), speakers.join("\n"));
}

/// A room knows another by a path.
struct Arrow {
    from: String,
    to: String,
    /// Where it is written, and what.
    place: String,
}

/// All that is wrong with the arrows, each with what to do about it.
fn complaints(house: &[(&str, &[&str])], arrows: &[Arrow]) -> Vec<String> {
    let mut complaints = Vec::new();
    let floor = |room: &str| house.iter().position(|it| it.0 == room);
    let mut found: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for arrow in arrows {
        found.entry((&arrow.from, &arrow.to)).or_insert(&arrow.place);
    }
    let rooms: BTreeSet<&str> = found.keys().flat_map(|(from, to)| [*from, *to]).collect();
    for room in rooms.into_iter().filter(|it| floor(it).is_none()) {
        complaints.push(format!("`{room}` is not in the table: give it a line below the rooms that it knows"));
    }
    for ((from, to), place) in &found {
        if !house.iter().any(|(room, known)| room == from && known.contains(to)) {
            complaints.push(format!("`{from}` may not know `{to}`: {place}"));
        }
        if from < to && found.contains_key(&(*to, *from)) {
            complaints.push(format!("`{from}` and `{to}` know each other: {place}, and {}", found[&(*to, *from)]));
        }
        if floor(from) < floor(to) {
            complaints.push(format!("`{from}` is above `{to}` and may not know it: {place}"));
        }
    }
    for (room, known) in house {
        for it in known.iter().filter(|it| !found.contains_key(&(*room, **it))) {
            complaints.push(format!("`{room}` no longer knows `{it}`: take the arrow out of the table"));
        }
        for it in known.iter().filter(|it| floor(it) >= floor(room)) {
            complaints.push(format!("the table lets `{room}` know `{it}`, which is not above it"));
        }
    }
    let knot = knot(found.keys().copied().collect());
    if !knot.is_empty() {
        complaints.push(format!("these know each other in a circle: {}", knot.into_iter().collect::<Vec<_>>().join(", ")));
    }
    complaints
}

/// The rooms that know themselves by way of others, and those in between.
fn knot<'a>(mut arrows: BTreeSet<(&'a str, &'a str)>) -> BTreeSet<&'a str> {
    loop {
        let (from, to): (BTreeSet<_>, BTreeSet<_>) = arrows.iter().copied().unzip();
        let inside: BTreeSet<_> = arrows.iter().copied().filter(|it| to.contains(it.0) && from.contains(it.1)).collect();
        if inside.len() == arrows.len() {
            return from;
        }
        arrows = inside;
    }
}

/// A file of the program.
struct Source {
    file: String,
    /// The path of its module, below the crate.
    module: Vec<String>,
    room: String,
    /// Without what is compiled for tests alone.
    tokens: Vec<Token>,
}

/// A name, `::` or a sign, and the line it is on.
#[derive(Clone)]
struct Token {
    text: String,
    line: usize,
}

/// A path as it is written, from the crate or from another crate's name.
struct Written {
    names: Vec<String>,
    line: usize,
}

/// All files of the program, without the modules that are for tests.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let mut sources = Vec::new();
    let mut for_tests: Vec<Vec<String>> = Vec::new();
    for file in files {
        let text = fs::read_to_string(root.join(&file)).unwrap();
        let (source, hidden) = Source::of(&file, &text);
        for_tests.extend(hidden.into_iter().map(|it| [source.module.clone(), vec![it]].concat()));
        sources.push(source);
    }
    assert!(sources.len() > 100, "{} files are not the program", sources.len());
    sources.retain(|it| !for_tests.iter().any(|hidden| it.module.starts_with(hidden)));
    sources
}

fn collect(folder: &Path, files: &mut Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|it| it == "rs") && path != root.join("lib.rs") {
            files.push(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
        }
    }
}

/// The room that a module belongs to.
fn room(module: &[String]) -> String {
    match module {
        [providers, name, ..] if providers == "providers" && is_provider(name) => format!("providers/{name}"),
        [first, ..] => first.clone(),
        [] => "the crate itself".to_owned(),
    }
}

fn is_provider(name: &str) -> bool {
    HOUSE.iter().any(|it| it.0.strip_prefix("providers/") == Some(name))
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("src/providers").join(name).is_dir()
}

impl Source {
    /// Reads a file; answers also which of its modules are for tests alone.
    fn of(file: &str, text: &str) -> (Self, Vec<String>) {
        let mut module: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        module.pop_if(|it| *it == "mod");
        let (tokens, hidden) = without_tests(tokens(&code(text)));
        (Self { file: format!("src/{file}"), room: room(&module), module, tokens }, hidden)
    }

    fn arrows(&self) -> Vec<Arrow> {
        let arrows = self.paths().into_iter().filter(|it| it.names[0] == "crate").map(|path| {
            let (from, to) = (self.room.clone(), room(&path.names[1..]));
            Arrow { from, to, place: self.place(&path) }
        });
        arrows.filter(|it| it.from != it.to).collect()
    }

    fn place(&self, path: &Written) -> String {
        format!("{}:{} writes `{}`", self.file, path.line, path.names.join("::"))
    }

    /// Every path in `use` and elsewhere that leads out of the file: from `crate`, by `super`, by the name of a room in this
    /// one, or to the protocol.
    fn paths(&self) -> Vec<Written> {
        let mut paths = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let text = self.text(at);
            let begins = at == 0 || self.text(at - 1) != "::";
            let Some(start) = Some(text).filter(|_| begins && (self.text(at + 1) == "::" || text == "rmcp")).and_then(|it| self.start(it))
            else {
                at += 1;
                continue;
            };
            let line = self.tokens[at].line;
            let mut ends = Vec::new();
            at = self.tree(at + 1, start, &mut ends);
            paths.extend(ends.into_iter().map(|names| Written { names, line }));
        }
        paths
    }

    /// Where a path that begins with this name starts.
    fn start(&self, name: &str) -> Option<Vec<String>> {
        let below = |up: usize| {
            let module = &self.module[..self.module.len().saturating_sub(up)];
            [&["crate".to_owned()], module].concat()
        };
        match name {
            "crate" => Some(vec!["crate".to_owned()]),
            // The binary knows its library by name.
            "rolecall" if self.room == "main" => Some(vec!["crate".to_owned()]),
            "rmcp" => Some(vec!["rmcp".to_owned()]),
            "super" => Some(below(1)),
            "self" => Some(below(0)),
            _ => {
                let inner = [self.module.clone(), vec![name.to_owned()]].concat();
                (room(&inner) != self.room).then(|| [below(0), vec![name.to_owned()]].concat())
            }
        }
    }

    /// Follows a path with all its branches; `at` is behind the name it has come to. Answers where it ends.
    fn tree(&self, mut at: usize, mut names: Vec<String>, ends: &mut Vec<Vec<String>>) -> usize {
        while self.text(at) == "::" {
            let next = self.text(at + 1);
            if next == "{" {
                at += 2;
                while !["}", ""].contains(&self.text(at)) {
                    let is_name = |it: &str| it.starts_with(|it: char| it.is_alphanumeric() || it == '_' || it == '*');
                    at = match self.text(at) {
                        "as" => at + 2,
                        "self" => self.tree(at + 1, names.clone(), ends),
                        name if is_name(name) => self.tree(at + 1, [names.clone(), vec![name.to_owned()]].concat(), ends),
                        _ => at + 1,
                    };
                }
                return at + 1;
            }
            match next {
                "super" => drop(names.pop()),
                name if name.starts_with(|it: char| it.is_alphanumeric() || it == '_' || it == '*') => names.push(name.to_owned()),
                _ => break, // generic arguments
            }
            at += 2;
        }
        ends.push(names);
        at
    }

    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |it| it.text.as_str())
    }
}

/// The text with blanks for comments, texts and letters.
fn code(mut text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    while let Some(first) = text.chars().next() {
        let length = literal(text);
        if length == 0 {
            code.push(first);
            text = &text[first.len_utf8()..];
        } else {
            code.extend(text[..length].chars().map(|it| if it == '\n' { '\n' } else { ' ' }));
            text = &text[length..];
        }
    }
    code
}

/// How long the comment, text or letter is that begins here; 0 where none does.
fn literal(text: &str) -> usize {
    let until = |from: usize, end: &str| text[from..].find(end).map_or(text.len(), |it| from + it + end.len());
    let raw = text.strip_prefix('r').map(|it| (it.len() - it.trim_start_matches('#').len(), it.trim_start_matches('#')));
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return until(2, "*/");
    }
    if let Some((signs, rest)) = raw
        && rest.starts_with('"')
    {
        return until(signs + 2, &format!("\"{}", "#".repeat(signs)));
    }
    if text.starts_with('"') {
        let mut escaped = true; // the first sign is not the end
        let end = text.char_indices().find(|(_, it)| {
            let ends = *it == '"' && !escaped;
            escaped = *it == '\\' && !escaped;
            ends
        });
        return end.map_or(text.len(), |it| it.0 + 1);
    }
    if text.starts_with(r"'\") {
        return until(3, "'");
    }
    let letter = text.strip_prefix('\'').and_then(|it| it.chars().next()).map_or(0, char::len_utf8);
    // What is not closed at once is a lifetime.
    if letter > 0 && text[1 + letter..].starts_with('\'') { letter + 2 } else { 0 }
}

fn tokens(code: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (line, mut text) in code.lines().enumerate() {
        while let Some(first) = text.chars().next() {
            let name = text.find(|it: char| !it.is_alphanumeric() && it != '_').unwrap_or(text.len());
            let length = match name {
                0 if text.starts_with("::") => 2,
                0 => first.len_utf8(),
                name => name,
            };
            if !first.is_whitespace() {
                tokens.push(Token { text: text[..length].to_owned(), line: line + 1 });
            }
            text = &text[length..];
        }
    }
    tokens
}

/// Takes out what is compiled for tests alone; answers also the names of such modules in files of their own.
fn without_tests(tokens: Vec<Token>) -> (Vec<Token>, Vec<String>) {
    const FOR_TESTS: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let text = |at: usize| tokens.get(at).map_or("", |it: &Token| it.text.as_str());
    let (mut kept, mut hidden, mut at) = (Vec::new(), Vec::new(), 0);
    while at < tokens.len() {
        if (0..FOR_TESTS.len()).any(|it| text(at + it) != FOR_TESTS[it]) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        while !["{", ";", ""].contains(&text(at)) {
            at += 1;
        }
        if text(at) == ";" && text(at - 2) == "mod" {
            hidden.push(text(at - 1).to_owned());
        }
        let mut depth = 0;
        while at < tokens.len() {
            depth += i32::from(text(at) == "{") - i32::from(text(at) == "}");
            at += 1;
            if depth == 0 {
                break;
            }
        }
    }
    (kept, hidden)
}

fn arrows_of(file: &str, text: &str) -> Vec<String> {
    let (source, _) = Source::of(file, text);
    source.arrows().into_iter().map(|it| format!("{} {}", it.to, it.place)).collect()
}

#[test]
fn the_reader_sees_every_way_to_write_a_path() {
    let found = arrows_of(
        "providers/geai/roles.rs",
        r##"//! Of crate::app, in words.
use crate::{
    domain::{self, roles::{Role, RoleLevel as _}},
    providers::{Connection, http::{self, Draft}, geai::wire},
};
use super::super::seeme::roles;
use super::wire::WireRole;
pub(crate) fn it<'a>(it: &'a crate::jobs::Wait) -> char {
    let _ = ("crate::cli", r#"crate::config "here" "#, '"', super::super::cursor::read);
    /* crate::main */ $crate::store::args!(); '\''
}
#[cfg(test)]
mod tests {
    use crate::server::Server;
}
"##,
    );
    let place = "src/providers/geai/roles.rs";
    assert_eq!(
        found,
        [
            format!("domain {place}:2 writes `crate::domain`"),
            format!("domain {place}:2 writes `crate::domain::roles::Role`"),
            format!("domain {place}:2 writes `crate::domain::roles::RoleLevel`"),
            format!("providers {place}:2 writes `crate::providers::Connection`"),
            format!("providers/http {place}:2 writes `crate::providers::http`"),
            format!("providers/http {place}:2 writes `crate::providers::http::Draft`"),
            format!("providers/seeme {place}:6 writes `crate::providers::seeme::roles`"),
            format!("jobs {place}:8 writes `crate::jobs::Wait`"),
            format!("providers {place}:9 writes `crate::providers::cursor::read`"),
            format!("store {place}:10 writes `crate::store::args`"),
        ]
    );
    let down = arrows_of("providers/mod.rs", "pub mod http; fn it() { self::http::connect(); local::connect(), http() }");
    assert_eq!(
        down,
        [
            "providers/http src/providers/mod.rs:1 writes `crate::providers::http::connect`",
            "providers/local src/providers/mod.rs:1 writes `crate::providers::local::connect`"
        ]
    );
    assert_eq!(Source::of("guard/mod.rs", "#[cfg(test)]\nmod tests;\nmod policy;").1, ["tests"]);
}

#[test]
fn each_kind_of_wrong_arrow_is_told() {
    let told = |house: &[(&str, &[&str])], arrows: &[(&str, &str)]| {
        let arrows = arrows.iter().map(|(from, to)| Arrow { from: (*from).into(), to: (*to).into(), place: format!("{from}.rs:1") });
        complaints(house, &arrows.collect::<Vec<_>>())
    };
    let house: &[(&str, &[&str])] = &[("noun", &[]), ("verb", &["noun"]), ("desk", &["verb"])];
    let as_built = [("verb", "noun"), ("desk", "verb")];
    assert_eq!(told(house, &as_built), [""; 0]);
    assert_eq!(told(house, &[&as_built[..], &[("desk", "noun")]].concat()), ["`desk` may not know `noun`: desk.rs:1"]);
    assert_eq!(told(house, &as_built[..1]), ["`desk` no longer knows `verb`: take the arrow out of the table"]);
    assert_eq!(
        told(house, &[&as_built[..], &[("noun", "desk")]].concat()),
        [
            "`noun` may not know `desk`: noun.rs:1",
            "`noun` is above `desk` and may not know it: noun.rs:1",
            "these know each other in a circle: desk, noun, verb"
        ]
    );
    let both: &[(&str, &[&str])] = &[("noun", &["verb"]), ("verb", &["noun"])];
    assert_eq!(
        told(both, &[("verb", "noun"), ("noun", "verb")]),
        [
            "`noun` and `verb` know each other: noun.rs:1, and verb.rs:1",
            "`noun` is above `verb` and may not know it: noun.rs:1",
            "the table lets `noun` know `verb`, which is not above it",
            "these know each other in a circle: noun, verb"
        ]
    );
    let attic = told(house, &[&as_built[..], &[("attic", "noun")]].concat());
    assert_eq!(attic[0], "`attic` is not in the table: give it a line below the rooms that it knows");
}
