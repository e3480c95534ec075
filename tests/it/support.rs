//! An agent with a real MCP client in front of a real server, and a person who answers its questions.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use rmcp::{
    ClientHandler, ErrorData, RoleClient, ServiceError,
    model::{
        CallToolRequestParams, CallToolResponse, ClientCapabilities, ClientConfig, CustomNotification, ElicitRequestParams, ElicitResult,
        ElicitationAction, ElicitationCapability, FormElicitationCapability, Implementation, ProtocolVersion, UrlElicitationCapability,
    },
    service::{ClientLifecycleMode, ClientServiceExt as _, NotificationContext, RequestContext, RunningService},
};
use rolecall::{
    app::{App, Setup},
    providers::Connection,
    server::{Patience, Server},
    store::{Db, Pools},
};
pub(crate) use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Column as _, Row as _};

use crate::{schemas, told};

/// The protocol's eras: with a handshake, and without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    Legacy,
    Modern,
}

/// The person in front of the client, and what the client lets them do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Person {
    /// Says yes, or types the name that is asked for.
    Agrees,
    Declines,
    Cancels,
    /// Sends the form off without a yes.
    SendsNo,
    /// Sends the form off with another name than the one asked for.
    TypesWrong,
    /// Sends the form off empty.
    SendsNothing,
    /// The client declares forms and never shows one.
    NeverAnswers,
    /// The client declares no elicitation.
    Unreachable,
    /// The client declares URL mode only, and opens nothing.
    UrlOnly,
    /// The client declares URL mode only, and opens what it is told to.
    Opens,
    /// The client declares both, says yes to every form by itself, and opens what it is told to.
    AgreesAndOpens,
    /// The client declares no elicitation, and shows pages inside of its chat.
    Shows,
    /// The same, and it says yes to every form by itself.
    AgreesAndShows,
}

/// What a test can set up besides the person.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) era: Era,
    pub(crate) person: Person,
    pub(crate) guard: rolecall::guard::GuardSettings,
    pub(crate) lists: rolecall::guard::AllowLists,
    pub(crate) pin: Option<String>,
    /// How long a request waits for what takes its time.
    pub(crate) patience: Patience,
    pub(crate) list: rolecall::tools::ToolList,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            era: Era::Modern,
            person: Person::Agrees,
            guard: rolecall::guard::GuardSettings::default(),
            lists: rolecall::guard::AllowLists::default(),
            pin: None,
            patience: Patience { question: Duration::from_millis(300), ..Patience::default() },
            list: rolecall::tools::ToolList::Full,
        }
    }
}

/// A store that lives as long as the agents on it.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) url: String,
    pub(crate) folder: tempfile::TempDir,
}

impl Store {
    pub(crate) fn sqlite() -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        Arc::new(Self { url: format!("sqlite:{}", folder.path().join("directory.sqlite3").display()), folder })
    }

    /// A schema of its own on the PostgreSQL that `TEST_POSTGRES` names.
    async fn postgres() -> Option<Arc<Self>> {
        let url = std::env::var("TEST_POSTGRES").ok()?;
        let schema = format!("t_{}", uuid::Uuid::new_v4().simple());
        let pool = sqlx::PgPool::connect(&url).await.unwrap();
        sqlx::query(AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).execute(&pool).await.unwrap();
        pool.close().await;
        let join = if url.contains('?') { '&' } else { '?' };
        Some(Arc::new(Self { url: format!("{url}{join}options[search_path]={schema}"), folder: tempfile::tempdir().unwrap() }))
    }

    /// Every kind of store there is to test on.
    pub(crate) async fn each() -> Vec<Arc<Self>> {
        let mut stores = vec![Self::sqlite()];
        stores.extend(Self::postgres().await);
        stores
    }

    pub(crate) fn secrets(&self) -> std::path::PathBuf {
        self.folder.path().join("secrets")
    }

    /// The program on this store, as a process of its own would have it: its directory and its guard have one database.
    pub(crate) async fn app(&self, options: &Options) -> Arc<App> {
        let db = Db::open(&self.url).await.unwrap();
        let settings = rolecall::providers::local::Settings { pin: options.pin.clone(), files: vec![self.folder.path().join("files")] };
        let local = rolecall::providers::local::connect("local", db.clone(), settings);
        self.app_on(db, vec![local], options)
    }

    /// The program with these connections; the store holds what the guard remembers.
    pub(crate) async fn app_with(&self, connections: Vec<Connection>, options: &Options) -> Arc<App> {
        self.app_on(Db::open(&self.url).await.unwrap(), connections, options)
    }

    fn app_on(&self, db: Db, connections: Vec<Connection>, options: &Options) -> Arc<App> {
        let lists = options.lists.clone();
        let secrets = rolecall::secrets::SecretSink::Folder(self.secrets());
        let app = App::new(Setup { db, connections, lists, guard: options.guard.clone(), secrets, notes: Vec::new() });
        // Services on this machine: what was sent has arrived.
        app.jobs().arrives_within(Duration::ZERO);
        Arc::new(app)
    }
}

/// What every account at a service has, for one at `url`.
pub(crate) fn remote(connection: &str, url: &str) -> rolecall::providers::http::Remote {
    rolecall::providers::http::Remote {
        connection: connection.to_owned(),
        base_url: url.to_owned(),
        pin: None,
        ca_file: None,
        timeout: Duration::from_secs(5),
        files: Vec::new(),
    }
}

/// A connection of each provider, named like it; the services are nowhere.
pub(crate) async fn one_of_each(store: &Store) -> Vec<Connection> {
    use rolecall::providers::{engine, geai, local, openai, seeme};
    let nowhere = |name| remote(name, "http://127.0.0.1:9");
    let db = Db::open(&store.url).await.unwrap();
    vec![
        local::connect("local", db, local::Settings::default()),
        geai::connect(geai::Settings {
            remote: nowhere("geai"),
            token: "geai-test".into(),
            kind: geai::TokenKind::Api,
            project_id: None,
            organization_id: None,
            system: false,
            unversioned_removal: false,
        }),
        openai::connect(openai::Settings {
            remote: nowhere("openai"),
            api_key: "sk-admin-test".into(),
            organization_id: None,
            project_id: None,
        }),
        seeme::connect(seeme::Settings { remote: nowhere("seeme"), identity: seeme::Identity::Key("seeme-test".into()) }),
        engine::connect(engine::Settings {
            remote: nowhere("engine"),
            identity: engine::Identity::CustomToken("engine-test".into()),
            role_ids: BTreeMap::new(),
            paths: BTreeMap::new(),
        }),
    ]
}

/// The client's side of the protocol.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    person: Person,
    questions: Arc<Mutex<Vec<String>>>,
}

impl Client {
    pub(crate) fn new(person: Person) -> Self {
        Self { person, questions: Arc::default() }
    }

    /// The questions that were put since the last time.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.questions.lock().unwrap())
    }
}

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        capabilities.elicitation = match self.person {
            Person::Unreachable | Person::Shows => None,
            Person::UrlOnly | Person::Opens => Some(ElicitationCapability::new().with_url(UrlElicitationCapability::default())),
            Person::AgreesAndOpens => Some(
                ElicitationCapability::new().with_form(FormElicitationCapability::default()).with_url(UrlElicitationCapability::default()),
            ),
            _ => Some(ElicitationCapability::new().with_form(FormElicitationCapability::default())),
        };
        if matches!(self.person, Person::Shows | Person::AgreesAndShows) {
            let settings = json!({ "mimeTypes": ["text/html;profile=mcp-app"] });
            let pages = ("io.modelcontextprotocol/ui".to_owned(), settings.as_object().unwrap().clone());
            capabilities.extensions = Some(BTreeMap::from([pages]));
        }
        ClientConfig::new(capabilities, Implementation::new("test-client", "1"))
    }

    async fn create_elicitation(&self, request: ElicitRequestParams, _: RequestContext<RoleClient>) -> Result<ElicitResult, ErrorData> {
        let (message, requested_schema) = match request {
            ElicitRequestParams::FormElicitationParams { message, requested_schema, .. } => (message, requested_schema),
            ElicitRequestParams::UrlElicitationParams { url, .. } => {
                self.questions.lock().unwrap().push(url);
                let opens = matches!(self.person, Person::Opens | Person::AgreesAndOpens);
                return Ok(ElicitResult::new(if opens { ElicitationAction::Accept } else { ElicitationAction::Decline }));
            }
            _ => return Err(ErrorData::internal_error("only forms and pages are expected", None)),
        };
        self.questions.lock().unwrap().push(message.clone());
        let typed = requested_schema.properties.contains_key("name");
        let name = message.rsplit_once("To confirm, type: ").map(|it| it.1.to_owned()).unwrap_or_default();
        let form = match (self.person, typed) {
            (Person::Agrees | Person::AgreesAndOpens | Person::AgreesAndShows, true) => json!({ "name": name }),
            (Person::Agrees | Person::AgreesAndOpens | Person::AgreesAndShows, false) => json!({ "confirm": true }),
            (Person::SendsNo | Person::TypesWrong, true) => json!({ "name": format!("{name}?") }),
            (Person::SendsNo | Person::TypesWrong, false) => json!({ "confirm": false }),
            (Person::SendsNothing, _) => json!({}),
            (Person::Declines, _) => return Ok(ElicitResult::new(ElicitationAction::Decline)),
            (Person::NeverAnswers, _) => std::future::pending().await,
            (Person::Cancels | Person::Unreachable | Person::UrlOnly | Person::Opens | Person::Shows, _) => {
                return Ok(ElicitResult::new(ElicitationAction::Cancel));
            }
        };
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(form))
    }

    async fn on_custom_notification(&self, told: CustomNotification, _: NotificationContext<RoleClient>) {
        self.questions.lock().unwrap().push(format!("{} {}", told.method, told.params.unwrap_or_default()));
    }
}

/// An agent: a real client on a real server.
pub(crate) struct Agent {
    pub(crate) client: RunningService<RoleClient, Client>,
    pub(crate) app: Arc<App>,
    pub(crate) store: Arc<Store>,
    options: Options,
}

impl Agent {
    /// One per kind of store, on an empty directory; the person agrees to everything.
    pub(crate) async fn each() -> Vec<Self> {
        let mut agents = Vec::new();
        for store in Store::each().await {
            agents.push(Self::on(&store, Options::default()).await);
        }
        agents
    }

    /// On an empty SQLite directory.
    pub(crate) async fn new() -> Self {
        Self::on(&Store::sqlite(), Options::default()).await
    }

    pub(crate) async fn on(store: &Arc<Store>, options: Options) -> Self {
        let app = store.app(&options).await;
        Self::of(store, app, options).await
    }

    pub(crate) async fn of(store: &Arc<Store>, app: Arc<App>, options: Options) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let server = Server::with(Arc::clone(&app), options.patience, options.list);
        tokio::spawn(async move {
            if let Ok(running) = rmcp::ServiceExt::serve(server, theirs).await {
                let _ = running.waiting().await;
            }
        });
        let lifecycle = match options.era {
            Era::Legacy => ClientLifecycleMode::Initialize,
            Era::Modern => ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] },
        };
        let client = Client::new(options.person).serve_with_lifecycle(ours, lifecycle).await.unwrap();
        Self { client, app, store: Arc::clone(store), options }
    }

    /// With connections of the test's own making, on an empty store.
    pub(crate) async fn connected(connections: Vec<Connection>, options: Options) -> Self {
        let store = Store::sqlite();
        let app = store.app_with(connections, &options).await;
        Self::of(&store, app, options).await
    }

    /// Another client of the same server process.
    pub(crate) async fn with(&self, era: Era, person: Person) -> Self {
        Self::of(&self.store, Arc::clone(&self.app), Options { era, person, ..self.options.clone() }).await
    }

    /// A client of another server process on the same store.
    pub(crate) async fn elsewhere(&self, options: Options) -> Self {
        Self::on(&self.store, options).await
    }

    pub(crate) async fn refusing(&self) -> Self {
        self.with(self.options.era, Person::Declines).await
    }

    pub(crate) async fn silent(&self) -> Self {
        self.with(self.options.era, Person::Unreachable).await
    }

    pub(crate) fn db(&self) -> &Db {
        &self.app.db
    }

    /// Calls a tool and answers its questions. The answer is the structured content, an error's too.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Value {
        match self.client.call_tool(params(tool, arguments)).await {
            Ok(result) => {
                told::check(tool, &result);
                let answer = result.structured_content.unwrap_or_default();
                assert_eq!(result.is_error == Some(true), answer.get("code").is_some(), "errors and only errors have a code: {answer}");
                answer
            }
            Err(ServiceError::McpError(error)) => json!({ "protocol_error": error.code.0, "message": error.message }),
            Err(error) => panic!("{tool}: {error}"),
        }
    }

    /// Calls a tool once: a question comes back instead of being answered.
    pub(crate) async fn call_once(&self, params: CallToolRequestParams) -> Result<CallToolResponse, ServiceError> {
        self.client.call_tool_once(params).await
    }

    /// Calls a tool that succeeds, and holds its answer against the schema that the tool declares.
    #[track_caller]
    pub(crate) fn ok(&self, tool: &str, arguments: Value) -> impl Future<Output = Value> {
        let asked = format!("{tool} {arguments}");
        let caller = std::panic::Location::caller();
        let offer = self.app.catalog.offer(tool);
        let call = self.call(tool, arguments);
        async move {
            let answer = call.await;
            assert!(answer.get("code").is_none() && answer.get("protocol_error").is_none(), "{caller}: {asked} failed: {answer}");
            schemas::check(offer.unwrap(), &answer);
            answer
        }
    }

    #[track_caller]
    pub(crate) fn fails(&self, tool: &str, arguments: Value, code: &str) -> impl Future<Output = Value> {
        let asked = format!("{tool} {arguments}");
        let caller = std::panic::Location::caller();
        let call = self.call(tool, arguments);
        async move {
            let answer = call.await;
            assert_eq!(answer["code"], code, "{caller}: {asked} answered {answer}");
            answer
        }
    }

    /// The questions that were asked since the last time.
    pub(crate) fn questions(&self) -> Vec<String> {
        self.client.service().asked()
    }

    /// What the directory holds, table by table, to compare before and after.
    pub(crate) async fn dump(&self) -> BTreeMap<String, String> {
        dump(self.db(), &DIRECTORY_TABLES).await
    }
}

pub(crate) const DIRECTORY_TABLES: [&str; 20] = [
    "organizations",
    "users",
    "roles",
    "organization_members",
    "invitations",
    "teams",
    "team_members",
    "projects",
    "project_members",
    "project_teams",
    "role_assignments",
    "service_accounts",
    "api_keys",
    "rate_limits",
    "usage_limits",
    "certificates",
    "certificate_activations",
    "resources",
    "logos",
    "applied_calls",
];

/// What tables hold, as text.
pub(crate) async fn dump(db: &Db, tables: &[&str]) -> BTreeMap<String, String> {
    macro_rules! rows {
        ($pool:expr, $table:expr) => {{
            let mut lines = Vec::new();
            for row in sqlx::query(AssertSqlSafe(format!("SELECT * FROM {}", $table))).fetch_all($pool).await.unwrap() {
                let mut line = String::new();
                for (at, column) in row.columns().iter().enumerate() {
                    let value = if let Ok(it) = row.try_get::<Option<String>, _>(at) {
                        format!("{it:?}")
                    } else if let Ok(it) = row.try_get::<Option<i64>, _>(at) {
                        format!("{it:?}")
                    } else if let Ok(it) = row.try_get::<Option<bool>, _>(at) {
                        format!("{it:?}")
                    } else {
                        format!("{:?}", row.try_get::<Option<Vec<u8>>, _>(at).unwrap().map(|it| it.len()))
                    };
                    let _ = write!(line, "{}={value} ", column.name());
                }
                lines.push(line);
            }
            lines.sort();
            lines.join("\n")
        }};
    }
    let mut tables_as_text = BTreeMap::new();
    for table in tables {
        let text = match db.pools().await.unwrap() {
            Pools::Sqlite { reader, .. } => rows!(reader, table),
            Pools::Postgres(pool) => rows!(pool, table),
        };
        tables_as_text.insert((*table).to_owned(), text);
    }
    tables_as_text
}

pub(crate) fn params(tool: &str, arguments: Value) -> CallToolRequestParams {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments)
}

/// An HTTP client of a test's own.
pub(crate) fn http_client() -> reqwest::Client {
    // Another test may have chosen a provider before; one is as good as the other.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}
