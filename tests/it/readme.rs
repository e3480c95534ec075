use std::fmt::Write as _;

use rolecall::{app::App, providers::builtin, tools};

use crate::support::{Options, Store, one_of_each};

const README: &str = "README.md";

/// The table of tools × providers, as the README shows it.
fn table(app: &App) -> String {
    let mut providers: Vec<_> = app.connections.iter().map(|it| it.provider).collect();
    providers.dedup();
    let columns = providers.join("` | `");
    let mut table = format!("| tool | what it does | effect | `{columns}` |\n|---|---|---|{}\n", ":-:|".repeat(providers.len()));
    for tool in tools::all() {
        // A bar would end the cell.
        let description = tool.description().replace('|', "\\|");
        let _ = write!(table, "| `{}` | {description} | {} |", tool.name, tool.effect.name());
        for provider in &providers {
            let is_able = |it: &str| it == *provider || it == builtin::NAME;
            let offer = app.catalog.offer(tool.name);
            table += if offer.is_ok_and(|it| it.able().iter().any(|it| is_able(it.provider))) { " ✓ |" } else { "  |" };
        }
        table.push('\n');
    }
    table
}

#[tokio::test]
async fn the_table_of_tools_is_what_the_providers_serve() {
    let store = Store::sqlite();
    let table = table(&*store.app_with(one_of_each(&store).await, &Options::default()).await);
    let readme = std::fs::read_to_string(README).unwrap();
    let (before, rest) = readme.split_once("<!-- tools:begin -->\n").unwrap();
    let (shown, after) = rest.split_once("<!-- tools:end -->").unwrap();
    if shown == table {
        return;
    }
    assert!(std::env::var_os("UPDATE_README").is_some(), "the table in {README} is stale; UPDATE_README=1 cargo test --test it readme");
    std::fs::write(README, format!("{before}<!-- tools:begin -->\n{table}<!-- tools:end -->{after}")).unwrap();
}

#[test]
fn the_test_command_is_where_the_checks_look_for_it() {
    let readme = std::fs::read_to_string(README).unwrap();
    let (_, after) = readme.split_once("<!-- test command -->\n").unwrap();
    let command = after.split("```").nth(1).and_then(|it| it.split_once('\n')).map(|it| it.1.trim());
    assert_eq!(command, Some("cargo test"));
}

#[test]
fn links_and_paths_lead_somewhere() {
    for document in [README, "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        let text = std::fs::read_to_string(document).unwrap();
        let links = text.split("](").skip(1).filter_map(|it| it.split_once(')')).map(|it| it.0).filter(|it| !it.starts_with("http"));
        let paths =
            text.split('`').skip(1).step_by(2).filter(|it| ["src/", "tests/", "prompts/", ".ci/"].iter().any(|top| it.starts_with(top)));
        for path in links.chain(paths) {
            let path = path.split('#').next().unwrap();
            if path.is_empty() || path.contains('<') {
                continue;
            }
            assert!(std::path::Path::new(path).exists(), "{document} names `{path}`");
        }
    }
}
