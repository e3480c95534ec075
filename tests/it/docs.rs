//! The documents: every link leads somewhere, every command runs, every code and every key has an entry, the tools are those on offer.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rolecall::{
    app::App,
    catalog::Offer,
    config::{self, Described},
    providers::builtin,
    tools::{self, Effect},
};

use crate::{
    cli::{PROGRAM, Ran, Shell},
    support::{Options, Store, Value, one_of_each},
};

/// The README and the book.
fn documents() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("docs").unwrap().map(|it| it.unwrap().path()).collect();
    found.retain(|it| it.extension().is_some_and(|it| it == "md"));
    found.push("README.md".into());
    found.sort();
    found
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

#[test]
fn links_lead_somewhere_and_every_page_is_in_the_book() {
    let contents = read("docs/SUMMARY.md");
    for document in documents() {
        let text = read(&document);
        for link in text.split("](").skip(1).filter_map(|it| it.split_once(')')).map(|it| it.0) {
            let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
            if path.starts_with("http") {
                continue;
            }
            let target = if path.is_empty() { document.clone() } else { document.parent().unwrap().join(path) };
            assert!(target.exists(), "{} leads to `{link}`, which is not there", document.display());
            if let Some(anchor) = anchor {
                let headings: Vec<String> = read(&target).lines().filter(|it| it.starts_with('#')).map(anchor_of).collect();
                assert!(headings.iter().any(|it| it == anchor), "{} leads to `{link}`: {headings:?}", document.display());
            }
        }
        let name = document.file_name().unwrap().to_str().unwrap();
        let listed = name == "README.md" || name == "SUMMARY.md" || contents.contains(&format!("({name})"));
        assert!(listed, "docs/SUMMARY.md does not have {name}");
    }
}

/// A heading as a link names it.
fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars().filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_')).collect::<String>().replace(' ', "-")
}

/// The commands of a document, in their order: those in its `sh` blocks, without the comments behind them.
fn commands(document: &Path) -> Vec<String> {
    let text = read(document);
    let blocks = text.split("\n```sh\n").skip(1).map(|it| it.split("\n```").next().unwrap());
    let lines = blocks.flat_map(str::lines).map(|it| it.split(" #").next().unwrap().trim()).filter(|it| !it.is_empty());
    lines.map(str::to_owned).collect()
}

/// The tables that commands of the documents name, as they lie in the current folder.
#[cfg(target_os = "linux")]
const TABLES: [(&str, &str); 2] = [
    ("people.csv", "project,member,roles\nBorealis,ana.ruiz@acme.example,viewer\nBorealis,maya@elsewhere.example,viewer\n"),
    ("teams.csv", "name\nLyon\nOslo\n"),
];

#[cfg(target_os = "linux")]
#[test]
fn every_command_runs_in_an_empty_home_as_it_stands() {
    let mut ran = 0;
    for document in documents() {
        let shell = Shell::new();
        for (name, text) in TABLES {
            std::fs::write(shell.home().join(name), text).unwrap();
        }
        for command in commands(&document) {
            // Those are run by the checks themselves, and by whoever builds it.
            let Some(arguments) = command.strip_prefix("rolecall ").filter(|_| !command.starts_with("cargo ")) else {
                assert!(command.starts_with("cargo "), "{}: `{command}` cannot be tried here", document.display());
                continue;
            };
            ran += 1;
            if ["serve", "sandbox", "console"].iter().any(|it| arguments.starts_with(it)) {
                serves(&shell, &document, arguments);
            } else {
                let ended = shell.run_at_terminal(arguments, if arguments.starts_with("connect") { "y\r" } else { "" });
                assert_eq!(ended.code, 0, "{}: `{command}`: {ended:?}", document.display());
            }
        }
    }
    assert!(ran >= 30, "{ran} commands were found");
}

/// Commands outside of `sh` blocks that are not run, and why.
const NOT_RUN: [(&str, &str); 3] = [
    ("rolecall init", "it asks for accounts; a test of its own answers"),
    ("rolecall doctor", "it stands behind a variable with a key of the reader's"),
    ("rolecall call list_projects", "the same"),
];

#[test]
fn a_command_that_is_not_run_has_something_to_be_filled_in_and_names_what_there_is() {
    let commands: BTreeSet<String> = rolecall::cli::command().get_subcommands().map(|it| it.get_name().to_owned()).collect();
    let tools: BTreeSet<&str> = tools::all().iter().map(|it| it.name).collect();
    let is_open = |word: &str| word.len() > 1 && word.chars().all(|it| it.is_ascii_uppercase() || "[]:,|-_".contains(it)) || word == "…";
    let mut seen = 0;
    for document in documents() {
        let text = read(&document);
        let names = |command: &str| {
            let words: Vec<&str> = command.split_whitespace().collect();
            let command = words.get(1).copied().unwrap_or_default();
            let is_known = commands.contains(command) || command.starts_with('-') || is_open(command);
            assert!(is_known, "{}: `{}` names no command", document.display(), words.join(" "));
            if let ("call", Some(tool)) = (command, words.get(2)) {
                let is_known = tools.contains(tool.replace('-', "_").as_str()) || tool.starts_with('-') || is_open(tool);
                assert!(is_known, "{}: `{}` names no tool", document.display(), words.join(" "));
            }
        };
        let mut open: Option<&str> = None;
        for line in text.lines() {
            if let Some(language) = line.strip_prefix("```") {
                open = if open.is_some() { None } else { Some(language) };
                continue;
            }
            match open {
                Some("sh" | "rust" | "toml") => {}
                Some(_) if line.starts_with("rolecall ") => {
                    seen += 1;
                    let command = line.split(" #").next().unwrap().trim();
                    names(command);
                    let is_table = document.ends_with("command-line.md"); // what each does stands beside it
                    let is_filled_in = command.split_whitespace().any(is_open);
                    let is_named = NOT_RUN.iter().any(|it| it.0 == command);
                    assert!(is_table || is_filled_in || is_named, "{}: `{command}` is not run; make its block `sh`", document.display());
                }
                Some(_) => {}
                None => {
                    for command in line.split('`').skip(1).step_by(2).filter(|it| it.starts_with("rolecall ")) {
                        seen += 1;
                        names(command);
                    }
                }
            }
        }
    }
    assert!(seen > 60, "{seen} commands were found");
}

/// It starts, goes on until it is told to end, and ends.
fn serves(shell: &Shell, document: &Path, arguments: &str) {
    let mut command = shell.command(PROGRAM);
    command.args(arguments.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    let early = child.try_wait().unwrap();
    child.kill().unwrap();
    let said: Ran = child.wait_with_output().unwrap().into();
    assert!(early.is_none(), "{}: `rolecall {arguments}` ended by itself: {said:?}", document.display());
}

/// All Rust files below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()) {
        if entry.is_dir() {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|it| it == "rs") {
            found.push(entry);
        }
    }
}

/// The codes that the program gives its errors, as they stand in the source.
fn codes() -> BTreeMap<String, PathBuf> {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    let is_code = |it: &str| it.len() > 3 && it.chars().all(|it| it.is_ascii_lowercase() || it == '_');
    let mut codes = BTreeMap::new();
    for file in files {
        let text = read(&file);
        let text = text.split("#[cfg(test)]").next().unwrap();
        for before in ["conflict(", "already(", "code: "] {
            for rest in text.split(before).skip(1) {
                let first = rest.trim_start().strip_prefix('"').and_then(|it| it.split('"').next());
                if let Some(code) = first.filter(|it| is_code(it)) {
                    codes.insert(code.to_owned(), file.clone());
                }
            }
        }
        // What the guard and the services' answers are called.
        if file.ends_with("src/error.rs") || file.ends_with("http/explain.rs") {
            for rest in text.split("=> \"").skip(1) {
                let code = rest.split('"').next().unwrap();
                let ends = &rest[code.len() + 1..];
                if is_code(code) && (ends.starts_with(".into(),") || ends.starts_with(',')) {
                    codes.insert(code.to_owned(), file.clone());
                }
            }
        }
    }
    codes
}

#[test]
fn every_error_code_has_an_entry() {
    let page = read("docs/troubleshooting.md");
    let codes = codes();
    assert!(codes.len() > 80 && codes.contains_key("pending_approval") && codes.contains_key("rate_limited"), "{codes:?}");
    let entries: BTreeSet<&str> = page
        .lines()
        .filter(|it| it.starts_with("| `"))
        .flat_map(|it| it.trim_start_matches("| ").split('|').next().unwrap().split('`').skip(1).step_by(2))
        .collect();
    let missing: Vec<_> = codes.iter().filter(|it| !entries.contains(it.0.as_str())).collect();
    assert!(missing.is_empty(), "docs/troubleshooting.md has no entry for {missing:?}");
}

#[test]
fn the_reference_of_the_configuration_is_written_from_the_program() {
    assert_eq!(config::misdescribed(), Vec::<String>::new(), "src/config/reference.rs has to describe each key, and no other");
    let (mut connections, mut others) =
        ("| key | what it says | on |\n|---|---|---|\n".to_owned(), "| key | what it says | default |\n|---|---|---|\n".to_owned());
    for Described { key, about, default, providers } in config::reference() {
        let remote = providers.len() == 4 && !providers.contains(&"local");
        let on =
            if remote { "all but `local`".to_owned() } else { providers.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ") };
        let _ = match providers.len() {
            0 => writeln!(others, "| `{key}` | {about} | {default} |"),
            5 => writeln!(connections, "| `{key}` | {about} | all |"),
            _ => writeln!(connections, "| `{key}` | {about} | {on} |"),
        };
    }
    let path = "docs/configuration.md";
    let page = read(path);
    let with = |page: &str, name: &str, table: &str| {
        let (begin, end) = (format!("<!-- {name}:begin -->\n"), format!("<!-- {name}:end -->"));
        let (before, after) = (page.split_once(&begin).unwrap().0, page.split_once(&end).unwrap().1);
        format!("{before}{begin}{table}{end}{after}")
    };
    let written = with(&with(&page, "connections", &connections), "others", &others);
    if written != page {
        assert!(std::env::var_os("UPDATE_README").is_some(), "{path} is stale; UPDATE_README=1 cargo test --test it docs");
        std::fs::write(path, written).unwrap();
    }
}

#[test]
fn the_demo_in_the_readme_is_what_the_demo_says() {
    let said = Shell::new().run(&["demo", "--fast"]);
    let said: BTreeSet<&str> = said.out.lines().map(str::trim_end).collect();
    let text = read("README.md");
    let shown = text.split("<!-- demo:begin -->\n```text\n").nth(1).and_then(|it| it.split("```").next()).unwrap();
    // What is left out, and what has another id and another time in each run.
    let varies = |it: &str| it.contains("[…]") || it.contains("approval ") || it.contains("rolecall approve ");
    let unsaid: Vec<&str> = shown.lines().filter(|it| !it.is_empty() && !varies(it) && !said.contains(it)).collect();
    assert!(shown.lines().count() > 20 && unsaid.is_empty(), "{unsaid:?}");
}

/// What a person is asked, by the effect.
fn asks(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "Nothing.",
        Effect::Write => "Nothing, unless others would lose something, a limit falls far, or somebody gets power.",
        Effect::Access => "A yes where it gives power over others, takes something, or is about several people; else nothing.",
        Effect::Destroy => "A yes; the name has to be typed where people lose access or a thing ends.",
    }
}

/// A value as an example has it.
fn example(name: &str, property: &Value) -> String {
    let known = [
        ("project", "Atlas"),
        ("organization", "Acme"),
        ("member", "ana.ruiz@acme.example"),
        ("email", "maya.lin@acme.example"),
        ("team", "Platform"),
        ("name", "Lyon"),
        ("query", "atlas"),
        ("role", "member"),
        ("roles", "member"),
    ];
    if let Some((_, text)) = known.iter().find(|it| it.0 == name) {
        return (*text).to_owned();
    }
    let values = property.get("enum").or_else(|| property["items"].get("enum")).and_then(Value::as_array);
    match (values.and_then(|it| it.first()), property["type"].as_str()) {
        (Some(first), _) => first.as_str().unwrap_or_default().to_owned(),
        (None, Some("integer" | "number")) => "10".to_owned(),
        (None, Some("boolean")) => "true".to_owned(),
        (None, Some("array" | "object")) => "JSON".to_owned(),
        _ => name.to_uppercase(),
    }
}

fn entry(app: &App, offer: &Offer) -> String {
    let tool = &offer.tool;
    let serves = |provider: &str| offer.able().iter().any(|it| it.provider == provider || it.provider == builtin::NAME);
    let mut providers: Vec<&str> = app.connections.iter().map(|it| it.provider).filter(|it| serves(it)).collect();
    providers.dedup();
    let schema = offer.input_schema();
    let required: Vec<&str> = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut text = format!("### `{}`\n\n{}\n\n", tool.name, tool.description());
    let _ = writeln!(text, "- effect: {}", tool.effect.name());
    let _ = writeln!(text, "- on: {}", if providers.len() == 5 { "all platforms".to_owned() } else { providers.join(", ") });
    let _ = writeln!(text, "- a person is asked: {}", asks(tool.effect));
    let needed = required.iter().filter(|it| **it != "connection");
    let flags = needed
        .fold(String::new(), |flags, it| flags + &format!(" --{} {}", it.replace('_', "-"), shell_word(&example(it, &properties[*it]))));
    let _ = writeln!(text, "- example: `rolecall call {}{flags}`", tool.name);
    if !properties.is_empty() {
        text += "\n| argument | | |\n|---|---|---|\n";
        for (name, property) in &properties {
            let kind = property["type"].as_str().unwrap_or("text");
            let kind = if kind == "string" { "text" } else { kind };
            let must = if required.contains(&name.as_str()) { "required" } else { kind };
            // People read sentences; the list of tools has terse texts for models, which pay for each word.
            let terse = property["description"].as_str().unwrap_or_default();
            let about = tool.help(name).unwrap_or(terse).replace('|', "\\|").replace('\n', " ");
            let _ = writeln!(text, "| `{name}` | {must} | {about} |");
        }
    }
    text
}

fn shell_word(text: &str) -> String {
    if text.contains(' ') { format!("'{text}'") } else { text.to_owned() }
}

#[tokio::test]
async fn the_page_of_tools_is_what_is_on_offer() {
    let store = Store::sqlite();
    let app = store.app_with(one_of_each(&store).await, &Options::default()).await;
    let mut page = "# The tools\n\nThis page is written from the program by a test. Each tool has one effect; the effect and what the change would do to others decide\n\
                    whether a person is asked, and [the guard](guard.md) tells how. With several accounts each tool takes a `connection`.\n"
        .to_owned();
    let mut last = "";
    for tool in tools::all() {
        let Ok(offer) = app.catalog.offer(tool.name) else { continue };
        if tool.domain != last {
            last = tool.domain;
            let heading = last.replace('_', " ");
            let _ = write!(page, "\n## {}{}\n", heading[..1].to_uppercase(), &heading[1..]);
        }
        page.push('\n');
        page += &entry(&app, offer);
    }
    let path = "docs/tools.md";
    if std::fs::read_to_string(path).is_ok_and(|it| it == page) {
        return;
    }
    assert!(std::env::var_os("UPDATE_README").is_some(), "{path} is stale; UPDATE_README=1 cargo test --test it docs");
    std::fs::write(path, page).unwrap();
}
