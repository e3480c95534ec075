//! The configuration file, the environment's share, and what goes over what.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use rolecall::{
    app::App,
    config::{Config, ConfigError, Overrides, Places, Provider, Reach},
    guard::{Ask, Asks, Caller, Fallback, Given},
    secrets::SecretSink,
    tools::Effect,
};

use secrecy::ExposeSecret as _;

use crate::support::{Value, json};

/// A home of its own for each test.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn load(&self, overrides: &Overrides) -> Result<Config, ConfigError> {
        self.load_with(overrides, &[])
    }

    fn load_with(&self, overrides: &Overrides, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let variables: BTreeMap<String, String> = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let places =
            Places { here: self.path("here"), home: self.path(""), config: self.path("config"), data: self.path("data"), variables };
        Config::load_at(overrides, &places)
    }

    /// What a file with this text comes to.
    fn of(&self, text: &str) -> Result<Config, ConfigError> {
        self.write("here/rolecall.toml", text);
        self.load(&Overrides { config: Some("rolecall.toml".into()), ..Overrides::default() })
    }
}

#[test]
fn without_any_configuration_there_is_one_local_connection_in_the_users_data_folder() {
    let home = Home::new();
    let config = home.load(&Overrides::default()).unwrap();
    assert_eq!(config.file, None);
    assert_eq!(config.connections.iter().map(|it| (it.name.as_str(), it.organization.as_deref())).collect::<Vec<_>>(), [("local", None)]);
    assert_eq!(config.store, format!("sqlite:{}", home.path("data/rolecall/directory.sqlite3").display()));
    assert!(matches!(&config.secrets, SecretSink::Folder(it) if *it == home.path("data/rolecall/secrets")), "{:?}", config.secrets);
    assert_eq!(config.lists.effects.len(), 4);
    assert_eq!(config.guard.fallback, Fallback::Approve);
}

#[test]
fn every_key_is_read_and_paths_are_meant_from_the_file() {
    let home = Home::new();
    let file = home.write(
        "etc/rolecall.toml",
        r#"
        [connections.practice]
        provider = "local"
        organization = "acme"
        [connections.all]
        provider = "local"
        [tools]
        allow = ["read", "write"]
        domains = ["projects", "members"]
        [guard]
        fallback = "refuse"
        second_person = true
        [files]
        allow = ["~/logos", "pictures", "/srv/logos"]
        [store]
        url = "sqlite:state/rolecall.sqlite3"
        [secrets]
        folder = "~/secrets"
        "#,
    );
    let config = home.load(&Overrides { config: Some(file.clone()), ..Overrides::default() }).unwrap();
    assert_eq!(config.file.as_deref(), Some(file.as_path()));
    let connections: Vec<_> = config.connections.iter().map(|it| (it.name.as_str(), it.organization.as_deref())).collect();
    assert_eq!(connections, [("all", None), ("practice", Some("acme"))]);
    assert_eq!(config.lists.effects, [Effect::Read, Effect::Write].into());
    assert_eq!(config.lists.domains, Some(["projects".to_owned(), "members".to_owned()].into()));
    assert_eq!((config.guard.fallback, config.guard.second_person), (Fallback::Refuse, true));
    assert_eq!(config.files, [home.path("logos"), home.path("etc/pictures"), PathBuf::from("/srv/logos")]);
    assert_eq!(config.store, format!("sqlite:{}", home.path("etc/state/rolecall.sqlite3").display()));
    assert!(matches!(&config.secrets, SecretSink::Folder(it) if *it == home.path("secrets")), "{:?}", config.secrets);
}

#[test]
fn where_people_are_asked_is_one_place_or_one_by_gravity_and_the_folders_file_only_narrows_it() {
    let home = Home::new();
    let asks = |text: &str| {
        home.write("config/rolecall/rolecall.toml", text);
        home.load(&Overrides::default()).map(|it| it.guard.asks)
    };
    assert_eq!(asks("").unwrap(), Asks::default());
    assert_eq!(asks("[guard]\nask = \"console\"").unwrap(), Asks::all(Ask::Console));
    let grave = Asks { critical: Ask::Console, high: Ask::Terminal, ..Asks::default() };
    assert_eq!(asks("[guard]\nask.critical = \"console\"\nask.high = \"terminal\"").unwrap(), grave);
    for wrong in ["ask = \"browser\"", "ask.critcal = \"console\"", "ask = true"] {
        let error = asks(&format!("[guard]\n{wrong}")).unwrap_err();
        assert!(error.message.contains("guard.ask") && error.message.contains("\"console\""), "{wrong}: {}", error.message);
    }
    let over = |own: &str, over: &str| {
        home.write("here/rolecall.toml", over);
        asks(own)
    };
    assert_eq!(over("", "[guard]\nask = \"console\"").unwrap(), Asks::all(Ask::Console));
    assert_eq!(over("[guard]\nask = \"console\"", "[guard]\nask = \"client\"").unwrap(), Asks::all(Ask::Console));
    let error = over("[guard]\nask = \"console\"", "[guard]\nask.low = \"terminal\"").unwrap_err();
    assert!(error.message.contains("`guard.ask` is not accepted from a file in the current folder"), "{}", error.message);
}

#[test]
fn the_folders_file_is_laid_over_the_users_and_flags_go_over_both() {
    let home = Home::new();
    home.write("config/rolecall/rolecall.toml", "[store]\nurl = \"sqlite:/far.sqlite3\"");
    assert_eq!(home.load(&Overrides::default()).unwrap().store, "sqlite:/far.sqlite3");
    home.write("here/rolecall.toml", "[tools]\nallow = [\"write\"]");
    let near = home.load(&Overrides::default()).unwrap();
    assert_eq!((near.lists.effects, near.store.as_str()), ([Effect::Write].into(), "sqlite:/far.sqlite3"));
    let overrides = Overrides {
        store: Some("sqlite:mine.sqlite3".into()),
        secrets: Some("kept".into()),
        read_only: true,
        domains: vec!["teams".into()],
        ..Overrides::default()
    };
    let config = home.load(&overrides).unwrap();
    assert_eq!(config.store, format!("sqlite:{}", home.path("here/mine.sqlite3").display()));
    assert!(matches!(&config.secrets, SecretSink::Folder(it) if *it == home.path("here/kept")), "{:?}", config.secrets);
    assert_eq!(config.lists.effects, [Effect::Read].into());
    assert_eq!(config.lists.domains, Some(["teams".to_owned()].into()));
    let missing = Overrides { config: Some("nowhere.toml".into()), ..Overrides::default() };
    assert!(home.load(&missing).unwrap_err().message.contains("nowhere.toml"));
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_repeated() {
    let home = Home::new();
    let error = home.of("[connections.a]\nprovider = \"openai\"\napi_key = \"sk-test-in-the-file\"").unwrap_err();
    let told = format!("{} {}", error.message, error.fix);
    assert!(told.contains("`connections.a.api_key`") && told.contains("a secret is never in this file"), "{told}");
    assert!(!told.contains("sk-test"), "{told}");
}

#[tokio::test]
async fn secrets_come_from_files_and_commands_too_and_a_command_runs_when_its_secret_is_first_used() {
    let home = Home::new();
    let ran = home.path("here/ran");
    home.write("here/key", "geai-test-from-a-file\n");
    let text = "[connections.a]\nprovider = \"geai\"\nbase_url = \"https://api.example.com/\"\napi_key = { file = \"key\" }\n\
                [connections.b]\nprovider = \"seeme\"\napi_key = { command = [\"sh\", \"-c\", \"echo seeme-test-said; echo once >> RAN\"] }";
    let config = home.of(&text.replace("RAN", ran.to_str().unwrap())).unwrap();
    let [Provider::Geai(geai), Provider::Seeme(seeme)] = [&config.connections[0].provider, &config.connections[1].provider] else {
        panic!("{:?}", config.connections)
    };
    assert_eq!(
        (geai.token.known().unwrap().expose_secret(), geai.remote.base_url.as_str()),
        ("geai-test-from-a-file", "https://api.example.com")
    );
    let rolecall::providers::seeme::Identity::Key(key) = &seeme.identity else { panic!("{:?}", seeme.identity) };
    assert!(key.known().is_none() && !ran.exists());
    for key in [key.clone(), key.clone()] {
        assert_eq!(key.get().await.unwrap().expose_secret(), "seeme-test-said");
    }
    assert_eq!(std::fs::read_to_string(&ran).unwrap(), "once\n");
    assert!(!format!("{config:?}").contains("-test-"), "no secret in what is printed of a configuration");
}

#[tokio::test]
async fn a_command_that_fails_is_told_of_by_the_call_that_needs_its_secret() {
    let home = Home::new();
    let text = "[connections.a]\nprovider = \"openai\"\nbase_url = \"http://127.0.0.1:9\"\napi_key = { command = [\"false\"] }\n\
                [connections.b]\nprovider = \"local\"";
    let app = App::new(home.of(text).unwrap().setup(Reach::Local));
    let caller = Caller { principal: "local".into(), client: "test".into(), can_ask: false };
    call(&app, &caller, "create_organization", json!({ "name": "Acme" })).await.unwrap();
    let read = json!({ "connection": "a" });
    assert_eq!(call(&app, &caller, "list_projects", read).await.unwrap_err(), "secret_unavailable");
}

#[test]
fn the_environment_alone_is_enough_for_one_account_of_each_provider() {
    let home = Home::new();
    let variables = [
        ("OPENAI_ADMIN_KEY", "sk-admin-test"),
        ("GEAI_API_KEY", "geai-test"),
        ("GEAI_API_BASE_URL", "https://geai.example.com"),
        ("SEEME_API_KEY", "seeme-test"),
        ("AIA_ENGINE_API_TARGET", "https://engine.example.com"),
        ("AIA_ENGINE_API_CUSTOM_TOKEN", "engine-test"),
        ("OPENAI_ORG_ID", " "),
    ];
    let config = home.load_with(&Overrides::default(), &variables).unwrap();
    assert_eq!(config.connections.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["geai", "openai", "seeme", "engine"]);
    let missing = home.load_with(&Overrides::default(), &[("AIA_ENGINE_API_TARGET", "https://engine.example.com")]).unwrap_err();
    assert_eq!(missing.message, "`connections.engine.custom_token` is missing");
}

#[test]
fn the_engine_is_found_as_the_vendors_packages_find_it() {
    let home = Home::new();
    home.write(
        "here/engine.json",
        r#"{"target": "engine.example.com", "auth": {"provider": "email_password", "data": {"email": "ada@acme.example", "password": "engine-test-file"}}}"#,
    );
    let account = |variables: &[(&str, &str)]| {
        let config = home.load_with(&Overrides::default(), variables).unwrap();
        let [Provider::Engine(engine)] = [&config.connections[0].provider] else { panic!("{:?}", config.connections) };
        let identity = match &engine.identity {
            rolecall::providers::engine::Identity::CustomToken(token) => token.known().unwrap().expose_secret().to_owned(),
            rolecall::providers::engine::Identity::Email { email, password } => {
                format!("{email} {}", password.known().unwrap().expose_secret())
            }
        };
        (engine.remote.base_url.clone(), identity)
    };
    let file = ("AIA_ENGINE_CONFIG_FILE", "engine.json");
    assert_eq!(account(&[file]), ("https://engine.example.com".into(), "ada@acme.example engine-test-file".into()));
    // Variables go before the file, and a custom token before an e-mail.
    let target = ("AIA_ENGINE_API_TARGET", "127.0.0.1:4010");
    let token = ("AIA_ENGINE_API_CUSTOM_TOKEN", "engine-test-token");
    let insecure = ("AIA_ENGINE_API_SECURE", "False");
    assert_eq!(account(&[file, target, insecure, token]), ("http://127.0.0.1:4010".into(), "engine-test-token".into()));
    let password = ("AIA_ENGINE_API_PASSWORD", "engine-test-own");
    assert_eq!(account(&[file, password]).1, "ada@acme.example engine-test-own");
    let missing = home.load_with(&Overrides::default(), &[("AIA_ENGINE_CONFIG_FILE", "none.json")]).unwrap_err();
    assert!(missing.message.starts_with("AIA_ENGINE_CONFIG_FILE: file ") && missing.message.contains("none.json"), "{missing}");
}

#[test]
fn a_configured_path_of_the_engine_keeps_its_placeholders() {
    let text = |path: &str| {
        format!(
            "[connections.a]\nprovider = \"engine\"\nbase_url = \"https://engine.example.com\"\ncustom_token = {{ command = [\"echo\", \"engine-test\"] }}\npaths = {{ {path} }}"
        )
    };
    assert!(Home::new().of(&text("org = \"/v2/organizations/{id}\"")).is_ok());
    let error = Home::new().of(&text("org = \"/v2/organizations\"")).unwrap_err();
    assert!(error.message.ends_with("`connections.a.paths.org`: this path has `{id}`, once"), "{error}");
    let error = Home::new().of(&text("config = \"/v2\"")).unwrap_err();
    assert_eq!(error.fix, "did you mean `configs`?");
}

#[test]
fn a_file_that_merely_lies_in_the_current_folder_sends_no_secret_anywhere() {
    let home = Home::new();
    home.write(
        "here/rolecall.toml",
        "[connections.a]\nprovider = \"openai\"\nbase_url = \"https://evil.example\"\napi_key = { env = \"OPENAI_ADMIN_KEY\" }",
    );
    let error = home.load_with(&Overrides::default(), &[("OPENAI_ADMIN_KEY", "sk-admin-test")]).unwrap_err();
    assert!(error.message.contains("`connections` in a file of the current folder"), "{}", error.message);
}

#[test]
fn mistakes_are_named_with_what_was_probably_meant() {
    for (text, message, fix) in [
        ("[tool]\nallow = []", "unknown section `tool`", "did you mean `tools`?"),
        ("[tools]\nalow = []", "unknown key `tools.alow`", "did you mean `allow`?"),
        ("[store]\npath = \"x\"", "unknown key `store.path`", "use one of: url"),
        (
            "[connections.a]\nprovider = \"local\"\norganisation = \"x\"",
            "unknown key `connections.a.organisation`",
            "did you mean `organization`?",
        ),
        (
            "[connections.a]\nprovider = \"openia\"\napi_key = { env = \"X\" }",
            "`connections.a`: there is no provider `openia`",
            "did you mean `openai`?",
        ),
        (
            "[connections.a]\nprovider = \"openai\"\napi_kee = { env = \"X\" }",
            "unknown key `connections.a.api_kee`",
            "did you mean `api_key`?",
        ),
        ("[connections.a]\nprovider = \"openai\"", "`connections.a.api_key` is missing", "add api_key = { env = \"OPENAI_ADMIN_KEY\" }"),
        (
            "[connections.a]\nprovider = \"openai\"\napi_key = { env = \"NOT_SET\" }",
            "`connections.a.api_key`: the variable NOT_SET is not set",
            "set NOT_SET, or name another source",
        ),
        (
            "[connections.a]\nprovider = \"seeme\"\nbase_url = \"http://api.example.com\"\napi_key = { command = [\"echo\", \"k\"] }",
            "`connections.a.base_url`: `http://api.example.com` would send the key readable over the network; use https",
            "correct the value",
        ),
        ("[connections.a]", "`connections.a.provider` is missing", "use one of: local, geai, openai, seeme, engine"),
        (
            "[connections.rolecall]\nprovider = \"local\"",
            "the connection name `rolecall` is reserved for the server's own tools",
            "choose another name",
        ),
        ("[connections.\"a b\"]\nprovider = \"local\"", "`a b` is not a connection name", "use 1 to 60 letters, digits, - and _"),
        ("[tools]\nallow = [\"reed\"]", "no effect `reed` in `tools.allow`", "did you mean `read`?"),
        ("[tools]\ndomains = [\"project\"]", "no noun `project` in `tools.domains`", "did you mean `projects`?"),
        ("[secrets]\nfolder = \"x\"\nsink = [\"y\"]", "`secrets` has both `folder` and `sink`", "keep one of them"),
        ("[secrets]\nsink = []", "`secrets.sink` names no command", "write it as a list: [\"pass\", \"insert\", \"-m\", \"rolecall\"]"),
        ("store = \"x\"", "`store` is not a section", "write `[store]` and its keys below it"),
    ] {
        let error = Home::new().of(text).unwrap_err();
        let (file, said) = error.message.split_once("rolecall.toml: ").unwrap();
        assert!(Path::new(file).is_absolute(), "the file is named: {}", error.message);
        assert_eq!((said, error.fix.as_str()), (message, fix), "{text}");
    }
}

#[test]
fn values_of_a_wrong_kind_are_named_with_their_place() {
    for (text, message) in [
        ("[guard]\nfallback = \"perhaps\"", "`guard.fallback`: unknown variant `perhaps`, expected one of `approve`, `token`, `refuse`"),
        ("[guard]\nsecond_person = 1", "`guard.second_person`: invalid type: integer `1`, expected a boolean"),
        ("[store]\n\nurl = \"unclosed", "line 3: "),
    ] {
        let error = Home::new().of(text).unwrap_err();
        assert!(error.message.split_once("rolecall.toml: ").unwrap().1.starts_with(message), "{}", error.message);
    }
}

#[test]
fn a_store_is_shown_without_its_password() {
    let home = Home::new();
    for (url, shown) in [
        ("postgres://rolecall:s3cret@db.example:5432/rolecall?sslmode=require&password=other", "postgres://db.example:5432/rolecall"),
        ("postgres://db.example/rolecall", "postgres://db.example/rolecall"),
        ("postgres://u:p@ss@db.example/x", "postgres://db.example/x"),
        ("sqlite:/var/lib/rolecall.sqlite3", "sqlite:/var/lib/rolecall.sqlite3"),
    ] {
        let config = home.load(&Overrides { store: Some(url.into()), ..Overrides::default() }).unwrap();
        assert_eq!(config.store_shown(), shown);
    }
}

#[test]
fn connections_are_set_up_as_configured() {
    let home = Home::new();
    let config =
        home.of("[connections.practice]\nprovider = \"local\"\norganization = \"acme\"\n[connections.all]\nprovider = \"local\"").unwrap();
    for reach in [Reach::Local, Reach::Http] {
        let setup = config.setup(reach);
        let connections: Vec<_> = setup.connections.iter().map(|it| (it.name.as_str(), it.provider, it.pin.as_deref())).collect();
        assert_eq!(connections, [("all", "local", None), ("practice", "local", Some("acme"))]);
    }
}

#[test]
fn a_file_that_merely_lies_in_the_current_folder_loosens_nothing() {
    let home = Home::new();
    for text in [
        "[store]\nurl = \"sqlite:/near.sqlite3\"",
        "[secrets]\nsink = [\"sh\", \"-c\", \"cat\"]",
        "[secrets]\nfolder = \"/tmp\"",
        "[files]\nallow = [\"/\"]",
        "[guard]\nfallback = \"token\"",
    ] {
        home.write("here/rolecall.toml", text);
        let error = home.load(&Overrides::default()).unwrap_err();
        assert!(error.message.contains("is not accepted from a file in the current folder"), "{text}: {}", error.message);
        let chosen = Overrides { config: Some("rolecall.toml".into()), ..Overrides::default() };
        assert!(home.load(&chosen).is_ok(), "{text}");
    }
    home.write("here/rolecall.toml", "[guard]\nsecond_person = true");
    assert!(home.load(&Overrides::default()).unwrap().guard.second_person);
}

/// The strictest a user can be: few tools, one organization, two people.
const STRICT: &str = "[connections.main]\nprovider = \"local\"\norganization = \"acme\"\n\
                      [connections.spare]\nprovider = \"local\"\norganization = \"globex\"\n\
                      [tools]\nallow = [\"read\"]\ndomains = [\"projects\", \"members\"]\n\
                      [guard]\nfallback = \"refuse\"\nsecond_person = true\ntrusted_domains = [\"acme.example\", \"globex.example\"]\nmax_removals = 3\n\
                      [store]\nurl = \"sqlite:/strict.sqlite3\"\n[secrets]\nfolder = \"/strict\"\n[files]\nallow = [\"/logos\"]";

#[test]
fn a_file_in_the_current_folder_switches_none_of_the_users_limits_off() {
    let home = Home::new();
    home.write("config/rolecall/rolecall.toml", STRICT);
    let alone = format!("{:?}", home.load(&Overrides::default()).unwrap());
    for text in [
        "",
        "[tools]\n[guard]",
        "[tools]\nallow = [\"read\", \"write\", \"access\", \"destroy\"]",
        "[tools]\ndomains = [\"members\", \"projects\", \"teams\"]",
        "[guard]\nfallback = \"approve\"",
        "[guard]\nsecond_person = false\nshared_activity = true",
        "[guard]\nmax_removals = 4",
        "[guard]\ntrusted_domains = [\"acme.example\", \"Globex.example\", \"evil.example\"]",
        "[connections.main]\nprovider = \"local\"\norganization = \"evil\"\n[connections.spare]\nprovider = \"local\"",
    ] {
        let file = home.write("here/rolecall.toml", text);
        let config = home.load(&Overrides::default()).unwrap();
        let over = config.over.clone().unwrap();
        assert_eq!((&over.file, over.narrows.as_slice()), (&file, &[][..]), "{text}");
        assert_eq!(format!("{:?}", Config { over: None, ..config }), alone, "{text}");
    }
    for text in [
        "[connections.other]\nprovider = \"local\"",
        "[connections.main]\nprovider = \"seeme\"",
        "[connections.main]\nprovider = \"openai\"\nbase_url = \"https://evil.example\"",
        "[guard]\nfallback = \"token\"",
        "[store]\nurl = \"sqlite:/near.sqlite3\"",
        "[files]\nallow = [\"/logos\"]",
        "[secrets]\nfolder = \"/near\"",
    ] {
        home.write("here/rolecall.toml", text);
        let error = home.load(&Overrides::default()).unwrap_err();
        let says = ["is not accepted from a file in the current folder", "in a file of the current folder"];
        assert!(says.iter().any(|it| error.message.contains(it)), "{text}: {}", error.message);
    }
    // By default it is a share of what there is, which a number may exceed.
    home.write("config/rolecall/rolecall.toml", "[guard]");
    home.write("here/rolecall.toml", "[guard]\nmax_removals = 1000");
    assert!(home.load(&Overrides::default()).is_err());
}

#[test]
fn a_file_in_the_current_folder_narrows_what_the_user_has_set_and_what_is_narrowed_is_told() {
    let home = Home::new();
    home.write(
        "config/rolecall/rolecall.toml",
        "[connections.main]\nprovider = \"local\"\n[connections.spare]\nprovider = \"local\"\n\
         [tools]\nallow = [\"read\", \"write\", \"access\"]\ndomains = [\"projects\", \"members\"]\n\
         [guard]\nfallback = \"token\"\nshared_activity = true\ntrusted_domains = [\"acme.example\", \"globex.example\"]\nmax_removals = 9",
    );
    home.write(
        "here/rolecall.toml",
        "[connections.main]\nprovider = \"local\"\norganization = \"acme\"\n\
         [tools]\nallow = [\"destroy\", \"read\"]\ndomains = [\"members\", \"teams\"]\n\
         [guard]\nfallback = \"approve\"\nsecond_person = true\nshared_activity = false\ntrusted_domains = [\"acme.example\"]\nmax_removals = 4",
    );
    let config = home.load(&Overrides::default()).unwrap();
    let connections: Vec<_> = config.connections.iter().map(|it| (it.name.as_str(), it.organization.as_deref())).collect();
    assert_eq!(connections, [("main", Some("acme"))]);
    assert_eq!((config.lists.effects, config.lists.domains), ([Effect::Read].into(), Some(["members".to_owned()].into())));
    assert_eq!((config.guard.fallback, config.guard.second_person, config.guard.shared_activity), (Fallback::Approve, true, false));
    assert_eq!(config.guard.trust.domains, Some(["acme.example".to_owned()].into()));
    assert_eq!(config.guard.max_removals, Some(4));
    assert_eq!(
        config.over.unwrap().narrows,
        [
            "`tools.allow` is read",
            "`tools.domains` is members",
            "`guard.fallback` is approve",
            "the gravest changes need two people",
            "`guard.trusted_domains` is acme.example",
            "callers over HTTP see their own calls in list_activity",
            "one plan may remove 4",
            "of the connections only main",
            "`main` is kept to organization acme",
        ]
    );
}

#[test]
fn where_the_user_has_no_file_the_one_in_the_folder_narrows_the_defaults() {
    let home = Home::new();
    let text =
        "[connections.local]\nprovider = \"local\"\norganization = \"acme\"\n[tools]\ndomains = [\"teams\"]\n[guard]\ntrusted_domains = []";
    home.write("here/rolecall.toml", text);
    let config = home.load(&Overrides::default()).unwrap();
    let connections: Vec<_> = config.connections.iter().map(|it| (it.name.as_str(), it.organization.as_deref())).collect();
    assert_eq!((config.file, connections), (None, vec![("local", Some("acme"))]));
    assert_eq!((config.lists.effects.len(), config.lists.domains), (4, Some(["teams".to_owned()].into())));
    assert_eq!(config.guard.trust.domains, Some([].into()), "nobody is trusted");
    // An account that the environment describes is kept to an organization in the same way.
    home.write("here/rolecall.toml", "[connections.openai]\nprovider = \"openai\"\norganization = \"org-acme\"");
    let config = home.load_with(&Overrides::default(), &[("OPENAI_ADMIN_KEY", "sk-admin-test")]).unwrap();
    let [Provider::Openai(openai)] = [&config.connections[0].provider] else { panic!("{:?}", config.connections) };
    assert_eq!(openai.remote.pin.as_deref(), Some("org-acme"));
    home.write("here/rolecall.toml", "[guard]\ntrusted_domains = [\"evil.example\"]");
    let error = home.load(&Overrides::default()).unwrap_err();
    assert!(error.message.contains("`guard.trusted_domains` is not accepted from a file in the current folder"), "{}", error.message);
}

#[cfg(unix)]
#[test]
fn the_users_own_file_is_not_laid_over_itself() {
    let home = Home::new();
    home.write("config/rolecall/rolecall.toml", "[store]\nurl = \"sqlite:/mine.sqlite3\"");
    std::os::unix::fs::symlink(home.path("config/rolecall"), home.path("here")).unwrap();
    let config = home.load(&Overrides::default()).unwrap();
    assert_eq!((config.store.as_str(), config.over), ("sqlite:/mine.sqlite3", None));
}

#[tokio::test]
async fn files_are_read_for_local_callers_only() {
    let home = Home::new();
    let picture = home.write("here/logos/logo.png", "not a picture");
    let config = home.of("[files]\nallow = [\"logos\"]").unwrap();
    for (reach, code) in [(Reach::Local, "invalid_arguments"), (Reach::Http, "no_files")] {
        let app = App::new(config.setup(reach));
        let caller = Caller { principal: "local".into(), client: "test".into(), can_ask: false };
        if reach == Reach::Local {
            call(&app, &caller, "create_organization", json!({ "name": "Acme" })).await.unwrap();
        }
        let logo = json!({ "of": "organization", "target": "Acme", "path": picture });
        assert_eq!(call(&app, &caller, "set_logo", logo.clone()).await.unwrap_err(), code, "{reach:?}");
        let Value::Object(arguments) = logo else { panic!("arguments are an object") };
        let fix = app.call("set_logo", arguments, &caller, Given::Nothing).await.unwrap_err().fix();
        assert_eq!(fix.contains("`files.allow`"), code == "no_files", "what is to be set is told: {fix}");
    }
}

async fn call(app: &App, caller: &Caller, tool: &str, arguments: Value) -> Result<(), String> {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    app.call(tool, arguments, caller, Given::Nothing).await.map(|_| ()).map_err(|error| error.code())
}
