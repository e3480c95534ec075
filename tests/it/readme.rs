const README: &str = "README.md";

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
