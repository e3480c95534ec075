//! The command line, as a process of its own.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
    sync::Arc,
};

use rolecall::guard::{self, Answered};

use crate::support::{Agent, Options, Store, Value, json};

/// A person's or a script's shell: the program on one store, with a home of its own and nothing else from outside.
pub(crate) struct Shell {
    pub(crate) store: Arc<Store>,
}

/// What a command left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The words of each line.
    fn words(&self) -> Vec<Vec<&str>> {
        self.out.lines().map(|it| it.split_whitespace().collect()).collect()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_rolecall");

impl Shell {
    pub(crate) fn new() -> Self {
        Self { store: Store::sqlite() }
    }

    /// With the practice company.
    pub(crate) fn acme() -> Self {
        let shell = Self::new();
        let seeded = shell.run(&["seed", "acme"]);
        assert_eq!(seeded.code, 0, "{seeded:?}");
        shell
    }

    pub(crate) fn home(&self) -> &Path {
        self.store.folder.path()
    }

    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(self.home()).env("HOME", self.home()).env("PATH", "/usr/bin:/bin").env("TERM", "xterm");
        command.env("ROLECALL_STORE", &self.store.url).env("ROLECALL_SECRETS", self.store.secrets());
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.command(PROGRAM).args(arguments).output().unwrap().into()
    }

    fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child =
            self.command(PROGRAM).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap().into()
    }

    /// At a terminal, where a person types `typed`.
    #[cfg(target_os = "linux")]
    pub(crate) fn run_at_terminal(&self, arguments: &str, typed: &str) -> Ran {
        self.run_at_terminal_with(arguments, typed, &[])
    }

    /// The same, with these variables.
    pub(crate) fn run_at_terminal_with(&self, arguments: &str, typed: &str, variables: &[(&str, &str)]) -> Ran {
        let mut command = self.command("script");
        command.envs(variables.iter().copied());
        command.args(["-qec", &format!("{PROGRAM} {arguments}"), "/dev/null"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(typed.as_bytes()).unwrap();
        let ran = child.wait_with_output().unwrap().into();
        drop(stdin); // the end of the input would be taken for an answer
        ran
    }

    /// An agent on the same store.
    async fn agent(&self) -> Agent {
        Agent::on(&self.store, Options::default()).await
    }
}

#[test]
fn help_groups_every_command_and_shows_examples() {
    let ran = Shell::new().run(&["--help"]);
    assert_eq!(ran.code, 0);
    for command in rolecall::cli::command().get_subcommands().filter(|it| it.get_name() != "help" && !it.is_hide_set()) {
        let line = ran.out.lines().find(|it| it.trim_start().starts_with(&format!("{} ", command.get_name())));
        let about = command.get_about().unwrap().to_string();
        assert!(line.is_some_and(|it| it.ends_with(&about)), "{} is in no group:\n{}", command.get_name(), ran.out);
    }
    assert!(ran.out.contains("Examples:\n  rolecall demo"), "{}", ran.out);
    assert!(ran.out.lines().all(|it| it.chars().count() <= 100), "{}", ran.out);
}

#[test]
fn a_read_is_json_in_a_pipe_and_a_table_when_asked() {
    let shell = Shell::acme();
    let ran = shell.run(&["call", "list_projects", "--organization", "Acme", "--query", "atlas"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!((&ran.json()["items"][0]["project"], &ran.json()["total"]), (&json!("Atlas"), &json!(1)));
    let ran = shell.run(&["call", "list_projects", "--organization=Acme", "--query", "at", "--limit", "1", "--output", "table"]);
    assert_eq!(
        ran.words()[..2],
        [vec!["PROJECT", "SLUG", "ORGANIZATION", "STATUS", "ID"], vec!["Atlas", "atlas", "Acme", "active", "prj_atlas"]]
    );
}

#[test]
fn arguments_come_as_flags_or_as_json_from_anywhere() {
    let shell = Shell::acme();
    std::fs::write(shell.home().join("people.csv"), "project,member,roles\nEmber,jonas.weber@acme.example,member\n").unwrap();
    let ran = shell.run(&["call", "add_project_members", "--csv", "@people.csv", "--dry-run"]);
    assert_eq!((ran.code, &ran.json()["status"]), (0, &json!("dry_run")), "{ran:?}");
    let arguments = r#"{"project":"Ember","member":"jonas.weber@acme.example","roles":["member"]}"#;
    for (words, input) in [(["--json", arguments], ""), (["--json", "-"], arguments)] {
        let ran = shell.run_with_input(&[&["call", "add_project_member", "--dry-run"][..2], &words[..]].concat(), input);
        // The second finds the person there already.
        assert!(ran.json()["status"] == "done" || ran.json()["code"] == "already_member", "{ran:?}");
    }
    let ran = shell.run(&["call", "get_project_member", "--project", "Ember", "--member", "jonas.weber@acme.example"]);
    assert_eq!(ran.json()["roles"], json!(["member"]));
}

#[test]
fn a_table_is_read_from_wherever_it_is_and_in_whatever_letters() {
    let shell = Shell::acme();
    let table = "project,member,roles\nEmber,jonas.weber@acme.example,member\n".to_owned();
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(table.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let western = b"project;member;roles\r\nEmber;jonas.weber@acme.example;member\r\nZ\xfcrich;lena.ortiz@acme.example;member\r\n";
    for (name, bytes) in [("people.csv", table.as_bytes()), ("wide.csv", &wide), ("western.csv", western), ("no ending", table.as_bytes())]
    {
        std::fs::write(shell.home().join(name), bytes).unwrap();
    }
    std::fs::write(shell.home().join("sheet.xlsx"), b"PK\x03\x04....").unwrap();
    for file in
        ["@people.csv", "people.csv", "~/people.csv", "@~/people.csv", "./people.csv", "@wide.csv", "western.csv", "no ending", "-", "@-"]
    {
        let ran = shell.run_with_input(&["call", "add_project_members", "--dry-run", "--csv", file], &table);
        let question = ran.json()["question"].as_str().unwrap_or_default().to_owned();
        assert_eq!(ran.code, 0, "{file}: {ran:?}");
        assert!(question.contains("joins project Ember as member: jonas.weber@acme.example"), "{file}: {ran:?}");
        assert_eq!(question.contains("no project `Z\u{fc}rich`"), file == "western.csv", "{file}: {ran:?}");
    }
    for (file, message) in [
        ("gone.csv", "error: file `gone.csv`: No such file"),
        ("sheet.xlsx", "error: file `sheet.xlsx`: it is a workbook or an archive, not a text; save the sheet as CSV"),
    ] {
        let ran = shell.run(&["call", "add_project_members", "--csv", file]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{ran:?}");
        assert!(ran.err.starts_with(message), "{ran:?}");
    }
}

#[test]
fn a_tool_is_called_for_each_row_of_a_table_after_one_question() {
    let shell = Shell::acme();
    std::fs::write(shell.home().join("teams.csv"), "Team,Purpose\nLyon,the office\nOslo,\nPlatform,again\n").unwrap();
    let ran = shell.run(&["call", "create_team", "--each", "teams.csv", "--organization", "Acme", "--dry-run"]);
    assert_eq!((ran.code, &ran.json()["status"]), (0, &json!("dry_run")), "{ran:?}");
    let ran = shell.run(&["call", "create_team", "--each", "teams.csv", "--organization", "Acme"]);
    // One row fails alone, and the exit code says so.
    let made: Vec<String> = ran.json()["after"]["items"].as_array().unwrap().iter().map(|it| it["outcome"].to_string()).collect();
    assert_eq!((ran.code, made), (1, ["\"done\"", "\"done\"", "\"failed\""].map(String::from).to_vec()), "{ran:?}");
    let ran = shell.run_with_input(&["call", "update_team", "--each", "-", "--on-failure", "stop"], "team,name\nLyon,Lyons\n");
    assert_eq!((ran.code, &ran.json()["status"]), (0, &json!("done")), "{ran:?}");
    let ran = shell.run(&["call", "create_team", "--each", "gone.csv"]);
    assert!(ran.code == 2 && ran.err.starts_with("error: file `gone.csv`: No such file"), "{ran:?}");
    let ran = shell.run_with_input(&["call", "list_teams", "--each", "-"], "query\nx\n");
    assert!(ran.code == 1 && ran.err.contains("list_teams changes nothing"), "{ran:?}");
}

#[tokio::test]
async fn a_wrong_word_says_what_it_may_have_been_and_nothing_is_sent() {
    let shell = Shell::acme();
    for (arguments, message, fix) in [
        (&["call", "list_projcts"][..], "no tool `list_projcts`", "did you mean list_projects"),
        (&["call", "create_project", "--nam", "X"], "create_project has no argument `--nam`", "did you mean name?"),
        (&["call", "create_project", "X"], "`X` belongs to no argument", "write `--name value`"),
        (&["call", "create_project", "--name"], "`--name` has no value", "see `rolecall call create_project --help`"),
        (&["call", "list_projects", "--limit", "few"], "`--limit` is not a number", "see `rolecall call list_projects --help`"),
        (&["call", "--json", "{}", "list_projects"], "`--json` comes before the tool's name", "name the tool first"),
        (
            &["call", "create_project", "--json", "{}", "--name", "X"],
            "`--json` and other arguments were given",
            "give all arguments in one",
        ),
        (&["call", "create_project", "--json", "[]"], "`--json` is not a JSON object", "write it as"),
        (&["call"], "no tool was named", "see `rolecall tools`"),
    ] {
        let ran = shell.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{ran:?}");
        let mut lines = ran.err.lines();
        assert!(lines.next().unwrap().starts_with(&format!("error: {message}")), "{ran:?}");
        assert!(lines.next().unwrap().starts_with(&format!("fix: {fix}")), "{ran:?}");
    }
    assert_eq!(shell.agent().await.ok("list_activity", json!({})).await["items"], json!([]));
}

#[test]
fn the_compact_list_is_shown_by_a_flag_or_by_the_configuration() {
    let shell = Shell::new();
    let names = |words: &[&str]| -> Vec<String> {
        let listed = shell.run(words).json();
        listed["tools"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    let compact = names(&["tools", "--json", "--compact"]);
    assert!(compact.contains(&"call_destroy".to_owned()) && compact.len() < 20, "{compact:?}");
    let full = names(&["tools", "--json"]);
    assert!(full.len() > 80 && !full.contains(&"call_destroy".to_owned()), "{full:?}");
    std::fs::write(shell.home().join("compact.toml"), "[tools]\nlist = \"compact\"\n").unwrap();
    assert_eq!(names(&["--config", "compact.toml", "tools", "--json"]), compact);
    let tokens = shell.run(&["tools", "--tokens", "--compact"]).out;
    assert!(tokens.contains(&format!("\n{} tools: about ", compact.len())), "{tokens}");
    let snippet = shell.run(&["config", "claude-code", "--compact"]).out;
    assert!(snippet.contains(" serve ") && snippet.contains(" --compact"), "{snippet}");
    std::fs::write(shell.home().join("odd.toml"), "[tools]\nlist = \"small\"\n").unwrap();
    let odd = shell.run(&["--config", "odd.toml", "tools"]);
    assert!(odd.code == 2 && odd.err.contains("`tools.list`: unknown variant `small`"), "{odd:?}");
}

#[test]
fn a_tools_help_comes_from_its_schema() {
    let ran = Shell::new().run(&["call", "add_project_member", "--help"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.starts_with("add_project_member (access): Adds a member to a project."), "{}", ran.out);
    let arguments: Vec<&str> = ran.out.lines().filter_map(|it| it.trim_start().strip_prefix("--")?.split(' ').next()).collect();
    assert_eq!(arguments, ["project", "member", "roles", "dry-run", "idempotency-key", "ends-at"]);
    assert!(ran.out.contains("May be repeated. Required."), "{}", ran.out);
    // Models get labels, people get sentences.
    for sentence in [
        "\n  --project TEXT\n      The project, by name, slug or id. Required.\n",
        "\n  --dry-run\n      Shows what the change would do and what a person would be asked, and changes nothing.\n",
        "\n  --idempotency-key TEXT\n      A text of your own; repeating the call with it returns the first result",
    ] {
        assert!(ran.out.contains(sentence), "{}", ran.out);
    }
}

#[tokio::test]
async fn a_guarded_call_without_a_terminal_waits_for_a_person() {
    let shell = Shell::acme();
    let before = shell.agent().await.dump().await;
    let delete = ["call", "delete_project", "--project", "Borealis"];
    let ran = shell.run(&delete);
    assert_eq!((ran.code, &ran.json()["code"]), (3, &json!("pending_approval")), "{ran:?}");
    let id = ran.json()["approval_id"].as_str().unwrap().to_owned();
    assert!(ran.err.contains(&format!("rolecall approve {id}")), "{ran:?}");
    // Asking again waits for the same answer.
    assert_eq!(shell.run(&delete).json()["approval_id"], id.as_str());
    let open = shell.run(&["approvals"]);
    assert_eq!(
        (&open.json()[0]["id"], &open.json()[0]["tool"], &open.json()[0]["people_needed"]),
        (&json!(id), &json!("delete_project"), &json!(1))
    );
    assert!(open.json()[0]["question"].as_str().unwrap().contains("people lose access"), "{open:?}");
    // Nobody but a person at a terminal answers it.
    for answer in ["approve", "refuse"] {
        let ran = shell.run_with_input(&[answer, &id], "y\nBorealis\n");
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
        assert!(ran.err.starts_with("error: only a person at a terminal can answer an approval"), "{ran:?}");
    }
    assert_eq!(shell.run(&delete).json()["code"], "pending_approval");
    assert_eq!(shell.agent().await.dump().await, before);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_person_at_a_terminal_types_the_name_and_the_same_call_runs_once() {
    let shell = Shell::acme();
    let delete = ["call", "delete_project", "--project", "Borealis"];
    let id = shell.run(&delete).json()["approval_id"].as_str().unwrap().to_owned();
    let wrong = shell.run_at_terminal(&format!("approve {id}"), "Atlas\r");
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert!(wrong.out.contains("people lose access") && wrong.out.contains("nothing was approved"), "{wrong:?}");
    assert_eq!(shell.run(&delete).json()["code"], "pending_approval");
    let right = shell.run_at_terminal(&format!("approve {id}"), "Borealis\r");
    assert_eq!(right.code, 0, "{right:?}");
    assert!(right.out.contains("Approved by "), "{right:?}");
    let again = shell.run_at_terminal(&format!("approve {id}"), "Borealis\r");
    assert!(again.code == 1 && again.out.contains("no longer waits"), "{again:?}");
    assert_eq!(shell.run(&delete).json()["status"], "done");
    assert_eq!(shell.run(&delete).json()["code"], "project_not_found");
    assert_eq!(shell.run(&["activity", "--verify"]).json()["ok"], true);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_person_at_a_terminal_turns_a_change_down() {
    let shell = Shell::acme();
    let delete = ["call", "delete_project", "--project", "Borealis"];
    let id = shell.run(&delete).json()["approval_id"].as_str().unwrap().to_owned();
    let before = shell.agent().await.dump().await;
    let ran = shell.run_at_terminal(&format!("refuse {id}"), "");
    assert!(ran.code == 0 && ran.out.contains("Rejected by "), "{ran:?}");
    let ran = shell.run(&delete);
    assert_eq!((ran.code, &ran.json()["code"]), (1, &json!("refused")));
    assert_eq!(shell.agent().await.dump().await, before);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_call_at_a_terminal_asks_there() {
    let shell = Shell::acme();
    let before = shell.agent().await.dump().await;
    let ran = shell.run_at_terminal("call delete_project --project Borealis", "Boreal\r");
    assert!(ran.code == 1 && ran.out.contains("To confirm, type: Borealis") && ran.out.contains("nothing was changed"), "{ran:?}");
    let admin = "call update_organization_member --member jonas.weber@acme.example --role admin --organization Acme";
    let ran = shell.run_at_terminal(admin, "n\r");
    assert!(ran.code == 1 && ran.out.contains("the person declined; nothing was changed"), "{ran:?}");
    assert_eq!(shell.agent().await.dump().await, before);
    let ran = shell.run_at_terminal(admin, "y\r");
    assert!(ran.code == 0 && ran.out.contains("after.roles"), "{ran:?}");
    let ran = shell.run_at_terminal("call delete_project --project Borealis", "Borealis\r");
    assert!(ran.code == 0 && ran.out.contains("done"), "{ran:?}");
    let activity = shell.agent().await.ok("list_activity", json!({ "limit": 1 })).await;
    let client = concat!("rolecall-cli/", env!("CARGO_PKG_VERSION"));
    assert_eq!((&activity["items"][0]["client"], &activity["items"][0]["consent"]), (&json!(client), &json!("form")));
}

#[cfg(target_os = "linux")]
#[test]
fn serving_on_a_terminal_explains_instead_of_waiting() {
    let ran = Shell::new().run_at_terminal("serve", "");
    assert_eq!(ran.code, 2, "{ran:?}");
    for hint in ["rolecall connect claude-desktop", "rolecall demo", "--stdio"] {
        assert!(ran.out.contains(hint), "{ran:?}");
    }
}

#[tokio::test]
async fn two_people_are_two_names() {
    let shell = Shell::acme();
    std::fs::write(shell.home().join("rolecall.toml"), "[guard]\nsecond_person = true\n").unwrap();
    let delete = ["call", "delete_organization", "--organization", "Acme Labs"];
    let id = shell.run(&delete).json()["approval_id"].as_str().unwrap().to_owned();
    let agent = shell.agent().await;
    assert_eq!(guard::approve(agent.db(), &id, rolecall::guard::Answering::at_terminal("ana")).await.unwrap(), Answered::Waiting(1));
    assert_eq!(
        guard::approve(agent.db(), &id, rolecall::guard::Answering::at_terminal("ana")).await.unwrap(),
        Answered::Waiting(1),
        "one person counts once"
    );
    assert_eq!(shell.run(&delete).json()["code"], "pending_approval");
    assert_eq!(guard::approve(agent.db(), &id, rolecall::guard::Answering::at_terminal("bea")).await.unwrap(), Answered::Approved);
    assert_eq!(guard::approve(agent.db(), &id, rolecall::guard::Answering::at_terminal("cleo")).await.unwrap(), Answered::NotOpen);
    assert_eq!(guard::refuse(agent.db(), &id, rolecall::guard::Answering::at_terminal("cleo"), "").await.unwrap(), Answered::NotOpen);
    let done = shell.run(&delete);
    assert_eq!((done.code, &done.json()["status"]), (0, &json!("done")), "{done:?}");
    // Who agreed is in the ledger, and the chain holds with it.
    assert_eq!(shell.run(&["activity", "--verify"]).json()["ok"], true);
}

#[test]
fn the_tool_list_is_the_one_that_clients_get() {
    let shell = Shell::new();
    let tools = shell.run(&["tools", "--json"]).json();
    let tool = tools["tools"].as_array().unwrap().iter().find(|it| it["name"] == "delete_project").unwrap();
    assert_eq!(tool["annotations"]["destructiveHint"], true);
    for part in ["title", "description", "inputSchema", "outputSchema"] {
        assert!(!tool[part].is_null(), "{part} is missing: {tool}");
    }
    let all = tools["tools"].as_array().unwrap().len();
    let table = shell.run(&["tools", "-o", "table"]);
    assert_eq!(shell.run(&["tools"]).json().as_array().unwrap().len(), all, "into a pipe it is JSON");
    assert_eq!(table.words()[0], ["TOOL", "EFFECT", "DESCRIPTION"]);
    assert_eq!(table.err, format!("\n{all} tools. Arguments of one: rolecall call TOOL --help\n"));
    assert_eq!(table.out.lines().count(), all + 1);
}

#[test]
fn the_token_estimate_is_close_to_the_real_count() {
    let shell = Shell::new();
    let counter = tiktoken_rs::o200k_base().unwrap();
    let tools = shell.run(&["tools", "--json"]).json();
    let paid =
        |tool: &Value| json!({ "name": tool["name"], "description": tool["description"], "inputSchema": tool["inputSchema"] }).to_string();
    let real: usize = tools["tools"].as_array().unwrap().iter().map(|it| counter.encode_ordinary(&paid(it)).len()).sum();
    let said = shell.run(&["tools", "--tokens"]).out;
    let estimate: usize = said.split_once(" tools: about ").unwrap().1.split(' ').next().unwrap().parse().unwrap();
    assert!(estimate.abs_diff(real) * 20 <= real, "estimated {estimate}, really {real}");
    assert!(said.contains("estimated from"), "{said}");
}

#[test]
fn allow_lists_of_the_command_line_hold() {
    let shell = Shell::acme();
    let tools = shell.run(&["tools", "--json", "--read-only", "--domains", "projects,teams"]).json();
    let names: Vec<&str> = tools["tools"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "get_current_user",
            "get_job",
            "get_project",
            "get_team",
            "list_activity",
            "list_approvals",
            "list_connections",
            "list_ending_access",
            "list_jobs",
            "list_projects",
            "list_team_members",
            "list_teams"
        ]
    );
    let ran = shell.run(&["--read-only", "call", "create_project", "--name", "X", "--organization", "Acme"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.starts_with("error: no tool `create_project`"), "{ran:?}");
}

#[tokio::test]
async fn what_is_new_in_the_ledger_can_be_checked_alone() {
    let shell = Shell::acme();
    let make = |name: &str| assert_eq!(shell.run(&["call", "create_project", "--name", name, "--organization", "Acme"]).code, 0);
    let change = async |seq: i64| {
        let pool = sqlx::SqlitePool::connect(&shell.store.url).await.unwrap();
        sqlx::query("UPDATE ledger SET body = replace(body, 'project', 'Project') WHERE seq = $1").bind(seq).execute(&pool).await.unwrap();
        pool.close().await;
    };
    make("One");
    assert_eq!(shell.run(&["activity", "--verify"]).json()["checked_before"], Value::Null);
    make("Two");
    let new = shell.run(&["activity", "--verify", "--new"]);
    assert_eq!((&new.json()["rows"], &new.json()["checked_before"]["rows"]), (&json!(4), &json!(2)), "{new:?}");
    let said = shell.run(&["activity", "--verify", "--new", "--output", "table"]);
    assert!(said.out.contains("OK: after row 4 no row was changed"), "{said:?}");
    make("Three");
    change(5).await;
    assert_eq!(shell.run(&["activity", "--verify", "--new"]).json()["broken"]["row"], 5);
    // What is older is what the whole check is for.
    change(1).await;
    assert_eq!(shell.run(&["activity", "--verify"]).json()["broken"]["row"], 1);
    change(4).await;
    assert_eq!(shell.run(&["activity", "--verify", "--new"]).json()["broken"]["row"], 4, "the head that was noted");
}

#[tokio::test]
async fn a_tampered_ledger_is_found() {
    let shell = Shell::acme();
    for name in ["One", "Two"] {
        assert_eq!(shell.run(&["call", "create_project", "--name", name, "--organization", "Acme"]).code, 0);
    }
    let whole = shell.run(&["activity", "--verify", "--output", "table"]);
    assert_eq!((whole.code, whole.words()[0].clone()), (0, vec!["rows", "4"]), "{whole:?}");
    assert!(whole.out.contains("\nhead  ") && whole.out.contains("\nOK: "), "{whole:?}");
    let listed = shell.run(&["activity", "--limit", "1", "--output", "table"]);
    assert_eq!(listed.words()[0], ["AT", "TOOL", "TARGET", "OUTCOME", "CONSENT", "OR", "REASON", "CLIENT"]);
    assert_eq!(listed.words()[1][1..5], ["create_project", "project", "Two", "done"]);
    let pool = sqlx::SqlitePool::connect(&shell.store.url).await.unwrap();
    sqlx::query("UPDATE ledger SET body = replace(body, 'Two', 'Too') WHERE seq = 3").execute(&pool).await.unwrap();
    pool.close().await;
    let broken = shell.run(&["activity", "--verify"]);
    assert_eq!((broken.code, &broken.json()["broken"]["row"]), (1, &json!(3)), "{broken:?}");
    assert!(broken.err.starts_with("error: the ledger is broken at row 3: it was changed after it was written\nfix: "), "{broken:?}");
}

#[test]
fn the_doctor_finds_what_is_wrong_and_says_how_to_mend_it() {
    let shell = Shell::acme();
    let well = shell.run(&["doctor"]);
    assert_eq!(well.code, 0, "{well:?}");
    assert!(well.out.lines().all(|it| it.starts_with("ok ") || it.is_empty() || it.starts_with("No problems found")), "{well:?}");

    std::fs::write(
        shell.home().join("rolecall.toml"),
        "[connections.lost]\nprovider = \"local\"\norganization = \"nowhere\"\n[files]\nallow = [\"gone\"]\n",
    )
    .unwrap();
    std::fs::create_dir_all(shell.store.secrets()).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(shell.store.secrets(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let ill = shell.run(&["--config", "rolecall.toml", "doctor"]);
    assert_eq!(ill.code, 1, "{ill:?}");
    for problem in ["other users can read", "gone is not a folder", "lost (local, kept to organization nowhere): no organization `nowhere`"]
    {
        assert!(ill.out.lines().any(|it| it.starts_with("fail ") && it.contains(problem)), "{problem}: {}", ill.out);
    }
    assert_eq!(ill.out.matches("fix: ").count(), 3, "{}", ill.out);
    assert!(ill.out.ends_with("\n3 problems.\n"), "{}", ill.out);

    std::fs::write(shell.home().join("rolecall.toml"), "[tools]\nallow = [\"read\"]\n").unwrap();
    let narrowed = shell.run(&["doctor"]);
    let told = "rolecall.toml, in the current folder, restricts it: `tools.allow` is read";
    assert!(narrowed.out.lines().any(|it| it.starts_with("ok ") && it.ends_with(told)), "{}", narrowed.out);

    std::fs::write(shell.home().join("rolecall.toml"), "[tools]\nalow = []\n").unwrap();
    let ill = shell.run(&["--config", "rolecall.toml", "doctor"]);
    assert_eq!(ill.code, 1);
    assert!(ill.out.contains("unknown key `tools.alow`") && ill.out.contains("fix: did you mean `allow`?"), "{}", ill.out);
}

#[test]
fn a_store_that_cannot_be_reached_is_a_finding_without_its_password() {
    let shell = Shell::new();
    let ran = shell.run(&["doctor", "--store", "postgres://rolecall:s3cret@127.0.0.1:1/rolecall"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("postgres://127.0.0.1:1/rolecall"), "{}", ran.out);
    assert!(!format!("{ran:?}").contains("s3cret"), "{ran:?}");
}

#[test]
fn snippets_name_the_program_that_printed_them() {
    let shell = Shell::new();
    for client in ["claude-desktop", "vscode", "cursor"] {
        let ran = shell.run(&["--read-only", "config", client]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let (_, snippet) = ran.out.split_at(ran.out.find('{').unwrap());
        let snippet: Value = serde_json::from_str(snippet).unwrap();
        let server = &snippet[if client == "vscode" { "servers" } else { "mcpServers" }]["rolecall"];
        let arguments = json!(["serve", "--store", shell.store.url, "--secrets", shell.store.secrets(), "--read-only"]);
        assert_eq!((server["command"].as_str().unwrap(), &server["args"]), (PROGRAM, &arguments));
    }
    let all = shell.run(&["config"]).out;
    assert!(all.contains(&format!("claude mcp add --transport stdio rolecall -- {PROGRAM} serve --store sqlite:/")), "{all}");
    assert!(all.contains("serve --http 127.0.0.1:8080 --allow-host HOST"), "{all}");
    assert_eq!(shell.run(&["config", "telegraph"]).code, 2);
    let secret = shell.run(&["config", "cursor", "--store", "postgres://rolecall:s3cret@db.example/rolecall"]);
    assert!(!format!("{secret:?}").contains("s3cret"), "{secret:?}");
    assert!(secret.out.contains("${env:ROLECALL_STORE}"), "{secret:?}");
}

#[test]
fn completions_are_there_for_every_shell() {
    let shell = Shell::new();
    for name in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = shell.run(&["completions", name]);
        assert!(ran.code == 0 && ran.out.contains("rolecall"), "{name}: {ran:?}");
    }
}

#[test]
fn what_may_stand_at_the_end_of_a_line_is_known() {
    let shell = Shell::acme();
    assert_eq!(shell.run(&["call", "delete_project", "--project", "Atlas"]).json()["code"], "pending_approval");
    let approval = shell.run(&["approvals"]).json()[0]["id"].as_str().unwrap().to_owned();
    let after = |words: &[&str]| {
        let ran = shell.run(&[&["complete", "--"], words].concat());
        ran.out.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(after(&["conn"]), ["connect"]);
    assert_eq!(after(&["connect", "cl"]), ["claude-desktop", "claude-code"]);
    assert_eq!(after(&["call", "list_org"]), ["list_organization_members", "list_organizations"]);
    assert_eq!(after(&["call", "delete-project", "--pro"]), ["--project"]);
    assert_eq!(after(&["call", "list_jobs", "--status", "run"]), ["running"]);
    assert_eq!(after(&["call", "delete_project", "--project", "At"]), [""; 0], "names are not looked up");
    assert_eq!(after(&["activity", "-o", "c"]), ["csv"]);
    assert_eq!(after(&["activity", "--ver"]), ["--verify"]);
    assert_eq!(after(&["approve", ""]), [approval]);
    let dashed = after(&["call", "list-proj"]);
    assert!(dashed.contains(&"list-projects".to_owned()) && dashed.iter().all(|it| it.starts_with("list-proj")), "{dashed:?}");
    assert_eq!(shell.run(&["complete", "--", "xyzzy"]).code, 1);
}

#[cfg(target_os = "linux")]
#[test]
fn bash_completes_through_the_program() {
    let shell = Shell::new();
    let script = format!(
        "PATH=\"$(dirname {PROGRAM}):$PATH\"; eval \"$(rolecall completions bash)\"; COMP_WORDS=(rolecall call get_proj); COMP_CWORD=2; \
         _rolecall; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let ran: Ran = shell.command("bash").args(["-c", &script]).output().unwrap().into();
    assert_eq!(ran.out, "get_project\nget_project_member\n", "{ran:?}");
}

#[test]
fn every_command_has_a_man_page() {
    let shell = Shell::new();
    let folder = shell.home().join("man1");
    assert_eq!(shell.run(&["man", folder.to_str().unwrap()]).code, 0);
    for page in ["rolecall.1", "rolecall-connect.1", "rolecall-jobs-show.1"] {
        let text = std::fs::read_to_string(folder.join(page)).unwrap();
        assert!(text.starts_with(".ie") && text.contains(".SH NAME"), "{page}: {text}");
    }
}

#[tokio::test]
async fn only_an_empty_directory_is_seeded() {
    let shell = Shell::acme();
    let before = shell.agent().await.dump().await;
    let again = shell.run(&["seed", "acme"]);
    assert_eq!((again.code, again.out.as_str()), (1, ""));
    assert!(again.err.starts_with("error: the directory has organizations or people already\nfix: "), "{again:?}");
    assert_eq!(shell.agent().await.dump().await, before);
    assert_eq!(Shell::new().run(&["seed", "atlantis"]).code, 1);
}

#[tokio::test]
async fn a_certificate_is_added_from_a_file() {
    let shell = Shell::acme();
    let pem = include_str!("../../src/providers/local/seed/acme-production.pem");
    std::fs::write(shell.home().join("ca.pem"), pem).unwrap();
    let add = ["certificates", "add", "--organization", "Acme Labs", "--name", "labs", "ca.pem"];
    let ran = shell.run(&add);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.json()["certificate"], "labs", "{ran:?}");
    let kept = shell.agent().await.dump().await["certificates"].clone();
    assert!(kept.contains("\"labs\"") && kept.contains("org_acme_labs"), "{kept}");
    assert_eq!(shell.run(&add).code, 1);
    assert_eq!(shell.run(&["certificates", "add", "--organization", "Acme", "none.pem"]).code, 2);
}

#[test]
fn a_picture_is_saved_to_a_file() {
    let shell = Shell::acme();
    let ran = shell.run(&["call", "get_logo", "--of", "project", "--target", "Atlas", "--save", "atlas.png"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(std::fs::read(shell.home().join("atlas.png")).unwrap().starts_with(b"\x89PNG"));
    let named = shell.run(&["call", "get_logo", "--of", "project", "--target", "Atlas", "--output", "other.png"]);
    assert_eq!(named.code, 0, "{named:?}");
    assert_eq!(std::fs::read(shell.home().join("other.png")).unwrap(), std::fs::read(shell.home().join("atlas.png")).unwrap());
    assert_eq!(shell.run(&["call", "get_project", "--project", "Atlas", "--save", "x.png"]).code, 2);
    assert!(!shell.home().join("x.png").exists());
}

#[test]
fn jobs_are_listed_shown_and_written_to_a_file() {
    let shell = Shell::acme();
    let steps = json!({ "steps": [
        { "id": "team", "tool": "create_team", "arguments": { "name": "Night shift", "organization": "Acme" } },
        { "tool": "update_team", "arguments": { "team": "${team.id}", "description": "awake" } },
    ] });
    let ran = shell.run_with_input(&["call", "apply_changes", "--json", "-"], &steps.to_string());
    assert_eq!((ran.code, &ran.json()["after"]["done"]), (0, &json!(2)), "{ran:?}");
    let job = ran.json()["job"].as_str().unwrap().to_owned();
    let listed = shell.run(&["jobs", "list"]).json();
    assert_eq!((&listed["items"][0]["job"], &listed["items"][0]["status"]), (&json!(job), &json!("done")), "{listed}");
    let table = shell.run(&["jobs", "list", "--output", "table"]);
    assert_eq!(table.words()[1][..6], [job.as_str(), "apply_changes", "2", "changes", "done", "2"], "{table:?}");
    let shown = shell.run(&["jobs", "show", &job, "--output", "table"]);
    assert_eq!(shown.out.lines().next(), Some(format!("{job} apply_changes, 2 changes: done; 2 done").as_str()), "{shown:?}");
    assert_eq!(shell.run(&["jobs", "show", &job, "--outcome", "failed"]).json()["items"], json!([]));
    let written = shell.run(&["jobs", "show", &job, "--csv", "job.csv"]);
    assert_eq!((written.code, written.out.as_str()), (0, "written to job.csv\n"), "{written:?}");
    let csv = std::fs::read_to_string(shell.home().join("job.csv")).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "step,tool,connection,target,outcome,reason,id");
    assert!(lines[1].starts_with("team,create_team,local,team Night shift,done,,team_"), "{csv}");
    assert_eq!(shell.run(&["jobs", "resume"]).json(), json!([]));
    let ended = shell.run(&["jobs", "resume", &job]);
    assert_eq!((ended.code, ended.err.lines().next()), (1, Some(format!("error: job `{job}` has ended: done").as_str())), "{ended:?}");
    let cancelled = shell.run(&["jobs", "cancel", &job]);
    assert!(cancelled.err.starts_with(&format!("error: job `{job}` has ended: done")), "{cancelled:?}");
    let none = shell.run(&["jobs", "show", "job_none"]);
    assert_eq!((none.code, none.err.as_str()), (1, "error: no job `job_none`\nfix: see list_jobs\n"), "{none:?}");
}
