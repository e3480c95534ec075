//! One agent with five accounts at once, one of them down.

use std::{collections::BTreeMap, sync::Arc};

use rmcp::model::{ArgumentInfo, CompleteRequestParams, Reference};
use rolecall::{
    app::App,
    config::{Config, Overrides, Places, Reach},
    providers::local::seed,
};
use rolecall_sandbox::{self as sandbox, Platform, Sandbox, Seed, engine::Engine, geai::Geai, openai::Openai, seeme::Seeme};

use crate::support::{Agent, Options, Store, Value, json};

/// Four services and the directory, as `rolecall.toml` names them.
pub(crate) struct Five {
    pub(crate) agent: Agent,
    pub(crate) globant: Sandbox<Geai>,
    pub(crate) acme: Sandbox<Openai>,
    pub(crate) vision: Sandbox<Seeme>,
    /// The laboratory, where it is up.
    _lab: Option<Sandbox<Engine>>,
}

const FILE: &str = r#"
[connections.acme]
provider = "openai"
api_key = { env = "OPENAI_ADMIN_KEY" }
base_url = "OPENAI"
[connections.globant]
provider = "geai"
api_key = { env = "GEAI_API_KEY" }
base_url = "GEAI"
[connections.lab]
provider = "engine"
custom_token = { env = "AIA_ENGINE_API_CUSTOM_TOKEN" }
base_url = "ENGINE"
[connections.practice]
provider = "local"
[connections.vision]
provider = "seeme"
api_key = { env = "SEEME_API_KEY" }
base_url = "SEEME"
"#;

async fn start<P: Platform>(variables: &mut BTreeMap<String, String>) -> Sandbox<P> {
    let running = sandbox::start(P::seeded(Seed::Acme), sandbox::Options::default()).await.unwrap();
    variables.extend(running.platform().environment(&running.url).into_iter().map(|(name, value)| (name.to_owned(), value)));
    running
}

impl Five {
    /// All of them are up but the laboratory, which was there a moment ago.
    pub(crate) async fn new() -> Self {
        Self::with(false).await
    }

    pub(crate) async fn with(lab_is_up: bool) -> Self {
        let mut variables = BTreeMap::new();
        let (globant, acme, vision) =
            (start::<Geai>(&mut variables).await, start::<Openai>(&mut variables).await, start::<Seeme>(&mut variables).await);
        let lab = start::<Engine>(&mut variables).await;
        let store = Store::sqlite();
        let text = FILE
            .replace("OPENAI\"\n[", &format!("{}/v1\"\n[", acme.url))
            .replace("\"GEAI\"", &format!("{:?}", globant.url))
            .replace("\"ENGINE\"", &format!("{:?}", lab.url))
            .replace("\"SEEME\"", &format!("{:?}", format!("{}/api/v1/", vision.url)));
        let _lab = Some(lab).filter(|_| lab_is_up);
        let folder = store.folder.path();
        std::fs::write(folder.join("rolecall.toml"), text).unwrap();
        let places =
            Places { here: folder.into(), home: folder.into(), config: folder.join("config"), data: folder.join("data"), variables };
        let overrides = Overrides { config: Some("rolecall.toml".into()), store: Some(store.url.clone()), ..Overrides::default() };
        let setup = Config::load_at(&overrides, &places).unwrap().setup(Reach::Local);
        seed::seed(&setup.db, "acme").await.unwrap();
        let agent = Agent::of(&store, Arc::new(App::new(setup)), Options::default()).await;
        Self { agent, globant, acme, vision, _lab }
    }

    pub(crate) fn changes(&self) -> [usize; 3] {
        let count = |journal: Vec<sandbox::Exchange>| journal.iter().filter(|it| it.method != "GET").count();
        [count(self.globant.journal()), count(self.acme.journal()), count(self.vision.journal())]
    }
}

/// The names of connections in a list's items, once each.
fn connections(list: &Value) -> Vec<&str> {
    let mut names: Vec<_> = list["items"].as_array().unwrap().iter().map(|it| it["connection"].as_str().unwrap()).collect();
    names.dedup();
    names
}

#[tokio::test]
async fn five_accounts_answer_together_and_one_that_is_down_is_named() {
    let five = Five::new().await;
    let agent = &five.agent;

    let all = agent.ok("list_connections", json!({})).await;
    let health: Vec<_> =
        all["items"].as_array().unwrap().iter().map(|it| (it["connection"].as_str().unwrap(), it["health"] == "ok")).collect();
    assert_eq!(health, [("acme", true), ("globant", true), ("lab", false), ("practice", true), ("vision", true)], "{all}");

    let organizations = agent.ok("list_organizations", json!({})).await;
    assert_eq!(connections(&organizations), ["globant", "practice", "vision"], "{organizations}");
    assert_eq!(organizations["not_asked"], json!(["acme"]));
    let failed = organizations["failed"].as_array().unwrap();
    assert_eq!(
        failed.iter().map(|it| (it["connection"].as_str().unwrap(), it["code"].as_str().unwrap())).collect::<Vec<_>>(),
        [("lab", "unreachable")]
    );

    let ana = agent.ok("list_memberships", json!({ "email": "ana.ruiz@acme.example" })).await;
    assert_eq!(connections(&ana), ["acme", "globant", "practice", "vision"], "{ana}");
    assert_eq!(ana["not_asked"], json!(["lab"]), "{ana}");

    let project = CompleteRequestParams::new(Reference::for_prompt("review-access"), ArgumentInfo::new("project", "at"));
    let found = agent.client.complete(project).await.unwrap().completion.values;
    assert_eq!(found, ["Atlas", "Weather map"], "names of all that answered, once each");
    assert_eq!(five.changes(), [0, 0, 0], "nothing but reads");
}

#[tokio::test]
async fn each_account_is_changed_by_itself_and_each_removal_is_agreed_to() {
    let five = Five::new().await;
    let agent = &five.agent;
    let who = json!({ "connection": "acme", "member": "ana.ruiz@acme.example" });

    let refused = agent.refusing().await;
    refused.fails("remove_organization_member", who.clone(), "declined").await;
    assert_eq!(five.changes(), [0, 0, 0], "a person said no");

    agent.ok("remove_organization_member", who).await;
    let [question] = agent.questions().try_into().unwrap();
    assert!(question.contains("ana.ruiz@acme.example") && question.contains("(connection acme)"), "{question}");
    assert_eq!(five.changes(), [0, 1, 0]);

    agent.ok("remove_project_member", json!({ "connection": "globant", "project": "Atlas", "member": "ana.ruiz@acme.example" })).await;
    agent
        .ok("remove_organization_member", json!({ "connection": "vision", "member": "ana.ruiz@acme.example", "organization": "Acme" }))
        .await;
    assert_eq!(five.changes(), [1, 1, 1]);
    let down = agent
        .fails(
            "remove_organization_member",
            json!({ "connection": "lab", "member": "ana.ruiz@acme.example", "organization": "Acme" }),
            "unreachable",
        )
        .await;
    assert_eq!(down["retryable"], true, "{down}");

    let left = agent.ok("list_memberships", json!({ "email": "ana.ruiz@acme.example" })).await;
    assert_eq!(connections(&left), ["globant", "practice"], "another project of Globant's, and the directory: {left}");
    let done = agent.ok("list_activity", json!({ "outcome": "done" })).await;
    let done: Vec<_> =
        done["items"].as_array().unwrap().iter().map(|it| (it["on"].as_str().unwrap(), it["consent"].as_str().unwrap())).collect();
    assert_eq!(done, [("vision", "form"), ("globant", "form"), ("acme", "form")]);
    let named = agent.fails("list_projects", json!({}), "invalid_arguments").await;
    assert_eq!(named["fix"], "use one of: acme, globant, lab, practice, vision");
}
