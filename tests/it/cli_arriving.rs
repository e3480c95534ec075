//! Arriving: accounts are named, a client is connected, and what lies about unused is told.

use std::{io::BufRead as _, path::Path, process::Stdio};

use crate::{
    cli::{PROGRAM, Ran, Shell},
    support::{Value, json},
};

const KEY: &str = "sk-admin-4f1c9b";

/// Runs the program with an account at OpenAI in the environment, and with nothing of Rolecall's own there.
fn with_key(shell: &Shell, arguments: &[&str]) -> Ran {
    let mut command = shell.command(PROGRAM);
    command.env_remove("ROLECALL_STORE").env_remove("ROLECALL_SECRETS").env("OPENAI_ADMIN_KEY", KEY);
    command.env("ROLECALL_OPENAI_BASE_URL", "http://127.0.0.1:9");
    command.args(arguments).output().unwrap().into()
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn each_client_gets_the_accounts_in_its_own_way_and_never_a_secret() {
    let shell = Shell::new();
    for (client, pointer, says) in [
        ("claude-code", "/mcpServers/rolecall/env/OPENAI_ADMIN_KEY", "${OPENAI_ADMIN_KEY}"),
        ("vscode", "/servers/rolecall/env/OPENAI_ADMIN_KEY", "${input:openai-admin-key}"),
        ("cursor", "/mcpServers/rolecall/env/OPENAI_ADMIN_KEY", "${env:OPENAI_ADMIN_KEY}"),
        ("gemini", "/mcpServers/rolecall/env/OPENAI_ADMIN_KEY", "$OPENAI_ADMIN_KEY"),
        ("windsurf", "/mcpServers/rolecall/env/OPENAI_ADMIN_KEY", "${env:OPENAI_ADMIN_KEY}"),
    ] {
        let ran = with_key(&shell, &["connect", client, "--print"]);
        let printed: Value = ran.json();
        assert_eq!(printed.pointer(pointer), Some(&json!(says)), "{client}: {ran:?}");
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{client}");
        assert!(!format!("{ran:?}").contains(KEY), "{client}: {ran:?}");
    }
    let codex = with_key(&shell, &["connect", "codex", "--print"]);
    let codex: toml::Table = codex.out.parse().unwrap();
    assert_eq!(codex["mcp_servers"]["rolecall"]["env_vars"].as_array().unwrap()[0].as_str(), Some("OPENAI_ADMIN_KEY"));
    let desktop = with_key(&shell, &["connect", "claude-desktop", "--print"]);
    assert!(desktop.json()["mcpServers"]["rolecall"]["env"]["OPENAI_ADMIN_KEY"].is_null(), "{desktop:?}");
    assert!(desktop.err.contains("OPENAI_ADMIN_KEY is left out") && !format!("{desktop:?}").contains(KEY), "{desktop:?}");
}

#[test]
fn a_clients_file_keeps_what_a_person_wrote_and_a_copy_of_it_is_kept() {
    let shell = Shell::new();
    let file = shell.home().join(".config/Code/User/mcp.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let before = "{\n  // mine\n  \"servers\": {\n    \"other\": { \"command\": \"x\" }\n  }\n}\n";
    std::fs::write(&file, before).unwrap();
    let asked = with_key(&shell, &["connect", "vscode"]);
    assert_eq!((asked.code, read(&file).as_str()), (2, before), "nobody agreed: {asked:?}");
    let ran = with_key(&shell, &["connect", "vscode", "--yes"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{ran:?}");
    let after = read(&file);
    assert!(after.contains("// mine") && after.contains("\"other\": { \"command\": \"x\" }") && after.contains("rolecall"), "{after}");
    assert!(!after.contains(KEY), "{after}");
    let copies: Vec<_> = std::fs::read_dir(file.parent().unwrap()).unwrap().map(|it| it.unwrap().path()).filter(|it| *it != file).collect();
    assert_eq!(copies.len(), 1, "{copies:?}");
    assert_eq!(read(&copies[0]), before);
    let again = with_key(&shell, &["connect", "vscode", "--yes"]);
    assert!(again.code == 0 && again.err.contains("connected already"), "{again:?}");
    std::fs::write(&file, "{ \"servers\": ").unwrap();
    let broken = with_key(&shell, &["connect", "vscode", "--yes"]);
    assert_eq!((broken.code, read(&file).as_str()), (1, "{ \"servers\": "), "{broken:?}");
}

#[test]
fn goose_keeps_its_file_and_chatgpt_gets_what_a_program_takes() {
    let shell = Shell::new();
    let file = shell.home().join(".config/goose/config.yaml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let before = "GOOSE_MODEL: x # mine\nextensions:\n  developer:\n    enabled: true\n";
    std::fs::write(&file, before).unwrap();
    let ran = with_key(&shell, &["connect", "goose", "--yes"]);
    let after = read(&file);
    assert!(ran.code == 0 && after.starts_with(before) && after.contains("\n  rolecall:\n    enabled: true\n"), "{ran:?}{after}");
    assert!(after.contains("env_keys:\n    - OPENAI_ADMIN_KEY\n") && !after.contains(KEY), "{after}");
    assert_eq!(std::fs::read_dir(file.parent().unwrap()).unwrap().count(), 2, "a copy is kept");
    let again = with_key(&shell, &["connect", "goose", "--yes"]);
    assert!(again.err.contains("connected already"), "{again:?}");
    std::fs::write(&file, "extensions: {a: {}}\n").unwrap();
    let refused = with_key(&shell, &["connect", "goose", "--yes"]);
    assert!(refused.code == 1 && refused.err.contains("--print") && read(&file) == "extensions: {a: {}}\n", "{refused:?}");
    let chat = with_key(&shell, &["connect", "chatgpt", "--print"]);
    assert_eq!(chat.json()["server_url"], "https://HOST/mcp", "{chat:?}");
    assert!(chat.err.contains("Developer mode") && !format!("{chat:?}").contains(KEY), "{chat:?}");
}

#[test]
fn an_account_without_an_address_names_the_variable_and_doctor_says_where_accounts_come_from() {
    let shell = Shell::new();
    let mut command = shell.command(PROGRAM);
    let ran: Ran = command.env("GEAI_API_KEY", "k-1").arg("doctor").output().unwrap().into();
    assert!(ran.code == 1 && ran.out.contains("set GEAI_API_BASE_URL"), "{ran:?}");
    let ran = with_key(&shell, &["doctor"]);
    assert!(ran.out.contains("no file; the environment names the accounts: OPENAI_ADMIN_KEY"), "{ran:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn keys_that_were_kept_are_not_called_nothing() {
    let shell = Shell::new();
    // A yes to the first question; the second gets its default, which is no.
    let ran = shell.run_at_terminal_with("connect claude-desktop", "y\r", &[("OPENAI_ADMIN_KEY", KEY)]);
    assert!(ran.code == 1 && !ran.out.contains("nothing was written") && ran.out.contains("the keys stay"), "{ran:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_person_is_asked_before_a_file_is_written() {
    let shell = Shell::new();
    let file = shell.home().join(".cursor/mcp.json");
    let no = shell.run_at_terminal("connect cursor", "n\r");
    assert!(no.code == 1 && no.out.contains("nothing was written") && !file.exists(), "{no:?}");
    let yes = shell.run_at_terminal("connect cursor", "y\r");
    assert!(yes.code == 0 && file.exists(), "{yes:?}");
}

#[test]
fn keys_go_into_files_of_their_own_for_a_client_that_passes_nothing_on_and_the_server_finds_them() {
    let shell = Shell::new();
    let ran = with_key(&shell, &["connect", "claude-desktop", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let own = shell.home().join(".config/rolecall");
    let (client, toml) = (read(shell.home().join(".config/Claude/claude_desktop_config.json")), read(own.join("rolecall.toml")));
    assert!(!client.contains(KEY) && !toml.contains(KEY) && !format!("{ran:?}").contains(KEY), "{client}{toml}{ran:?}");
    let key = own.join("keys/openai-api_key");
    assert_eq!(read(&key), KEY);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(own.join("keys")).unwrap().permissions().mode() & 0o777, 0o700);
    }
    // As the client starts it: with nothing of the shell's.
    let mut command = shell.command(PROGRAM);
    command.env_remove("ROLECALL_STORE").env_remove("ROLECALL_SECRETS");
    let served: Ran = command.args(["call", "list_connections"]).output().unwrap().into();
    assert_eq!(served.json()["items"][0]["connection"], "openai", "{served:?}");
    let other = Shell::new();
    let clear = with_key(&other, &["connect", "claude-desktop", "--yes", "--secrets-in-clear"]);
    assert!(clear.code == 0 && !format!("{clear:?}").contains(KEY), "{clear:?}");
    assert!(read(other.home().join(".config/Claude/claude_desktop_config.json")).contains(KEY), "as it was told to");
}

#[test]
fn init_writes_what_it_found_and_never_over_a_file_that_is_there() {
    let shell = Shell::new();
    let ran = with_key(&shell, &["init", "--yes"]);
    let file = shell.home().join(".config/rolecall/rolecall.toml");
    assert!(ran.err.contains("fail openai (openai)") && ran.code == 1, "nothing listens there, which is told: {ran:?}");
    let written = read(&file);
    assert!(written.contains("[connections.openai]") && written.contains("api_key = { env = \"OPENAI_ADMIN_KEY\" }"), "{written}");
    assert!(written.contains("base_url = \"http://127.0.0.1:9\""), "{written}");
    let again = with_key(&shell, &["init", "--yes"]);
    assert!(again.code == 1 && again.err.contains("is there already") && read(&file) == written, "{again:?}");
    let empty = Shell::new();
    let ran = empty.run(&["init", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(read(empty.home().join(".config/rolecall/rolecall.toml")).contains("[connections.local]"));
    assert_eq!(std::fs::read_dir(empty.home().join(".config/rolecall")).unwrap().count(), 1, "nothing is left behind");
}

/// The first answer of a server that is started with these variables.
fn instructions(shell: &Shell, variables: &[(&str, &str)]) -> String {
    let mut command = shell.command(PROGRAM);
    command.envs(variables.iter().copied()).arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" }
    } });
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), format!("{hello}\n").as_bytes()).unwrap();
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    drop(child.stdin.take());
    child.wait().unwrap();
    serde_json::from_str::<Value>(&line).unwrap()["result"]["instructions"].as_str().unwrap().to_owned()
}

#[test]
fn what_looks_like_an_account_and_is_not_used_is_told_to_the_model_the_person_and_the_operator() {
    let shell = Shell::new();
    assert!(!instructions(&shell, &[]).contains("Tell the person"));
    let ordinary = [("OPENAI_API_KEY", "sk-ordinary")];
    let unexpanded = [("OPENAI_ADMIN_KEY", "${OPENAI_ADMIN_KEY}")];
    for (variables, told) in
        [(&ordinary, "OPENAI_API_KEY is set and not used"), (&unexpanded, "OPENAI_ADMIN_KEY holds `${OPENAI_ADMIN_KEY}`")]
    {
        let said = instructions(&shell, variables);
        assert!(said.contains(told) && !said.contains("sk-ordinary"), "{said}");
        let list: Ran = shell.command(PROGRAM).envs(*variables).args(["call", "list_connections"]).output().unwrap().into();
        assert_eq!(list.json()["items"][0]["connection"], "local", "{list:?}");
        assert!(list.json()["notes"][0].as_str().unwrap().contains(told), "{list:?}");
        let doctor: Ran = shell.command(PROGRAM).envs(*variables).args(["doctor", "-o", "json"]).output().unwrap().into();
        let notes: Vec<Value> = doctor.json().as_array().unwrap().iter().filter(|it| it["state"] == "note").cloned().collect();
        assert!(doctor.code == 0 && notes.len() == 1 && notes[0]["message"].as_str().unwrap().contains(told), "{doctor:?}");
    }
    // The other way round: the file names the accounts, and the environment has one more.
    let own = shell.home().join(".config/rolecall");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(own.join("rolecall.toml"), "[connections.mine]\nprovider = \"local\"\n").unwrap();
    let said = instructions(&shell, &[("SEEME_API_KEY", "sm-1")]);
    assert!(said.contains("SEEME_API_KEY is set and not used, since") && said.contains("[connections.seeme]"), "{said}");
}

#[test]
fn a_store_that_a_client_left_unexpanded_counts_as_not_given() {
    let shell = Shell::new();
    let mut command = shell.command(PROGRAM);
    command.env("ROLECALL_STORE", "${ROLECALL_STORE}").env("ROLECALL_SECRETS", "${user_config.secrets}");
    let ran: Ran = command.arg("doctor").output().unwrap().into();
    assert!(ran.code == 0 && ran.out.contains(".local/share/rolecall/directory.sqlite3"), "{ran:?}");
    assert!(!shell.home().join("${ROLECALL_STORE}").exists());
}

#[test]
fn a_word_that_is_no_command_is_explained() {
    let shell = Shell::new();
    for (word, hint) in [
        ("project", "rolecall call list_projects"),
        ("delete-project", "rolecall call delete_project"),
        ("serv", "rolecall serve"),
        ("xyzzy", "rolecall --help"),
    ] {
        let ran = shell.run(&[word]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{ran:?}");
        assert!(ran.err.contains(&format!("there is no command `{word}`")) && ran.err.contains(hint), "{ran:?}");
    }
}

#[test]
fn programs_get_yaml_csv_and_ids_alone_and_all_pages() {
    let shell = Shell::acme();
    let ids = shell.run(&["call", "list-projects", "--organization", "Acme", "--all", "--limit", "3", "-q"]);
    assert_eq!((ids.code, ids.err.as_str()), (0, ""), "{ids:?}");
    assert!(ids.out.lines().count() > 3 && ids.out.lines().all(|it| it.starts_with("prj_")), "{ids:?}");
    let all = shell.run(&["call", "list_projects", "--organization", "Acme", "--all", "--limit", "3"]).json();
    assert_eq!(
        (all["items"].as_array().unwrap().len(), &all["has_more"], &all["next_cursor"]),
        (ids.out.lines().count(), &json!(false), &json!(null))
    );
    let csv = shell.run(&["call", "list_projects", "-o", "csv", "--query", "atlas"]);
    assert_eq!(csv.out, "project,id,slug,organization,status\nAtlas,prj_atlas,atlas,Acme,active\n");
    let preview = shell.run(&["call", "delete_project", "--project", "Ember", "--dry-run", "-o", "yaml"]);
    assert!(preview.code == 0 && preview.out.starts_with("status: dry_run\n"), "{preview:?}");
    let yaml = shell.run(&["approvals", "-o", "yaml"]);
    assert_eq!(yaml.out.trim(), "[]");
    let change = shell.run(&["call", "delete_project", "--project", "Ember", "--all"]);
    assert!(change.code == 2 && change.err.contains("leave `--all` out"), "{change:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn tables_split_no_word_at_eighty_columns_and_say_what_they_leave_out() {
    let shell = Shell::acme();
    let whole = shell.run(&["call", "list_organization_members", "--organization", "Acme", "-o", "table"]);
    let mut command = shell.command("script");
    command.args(["-qec", &format!("stty rows 24 cols 80; {PROGRAM} call list_organization_members --organization Acme"), "/dev/null"]);
    let ran: Ran = command.output().unwrap().into();
    let (table, _) = ran.out.split_once("\r\n\r\n").unwrap();
    for line in table.lines().filter(|it| !it.starts_with("note: ")) {
        assert!(line.chars().count() <= 80, "{line}");
        for word in line.split_whitespace() {
            assert!(whole.out.split_whitespace().any(|it| it == word), "`{word}` is a part of a word: {line}");
        }
    }
    assert!(table.contains("there is no room for "), "{table}");
}
