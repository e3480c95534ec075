//! What people ask an assistant for, as scripts: the calls that a model needs, and the facts that their answers have to tell. The
//! test plays them and looks at the facts; the bench plays them and counts.
#![allow(clippy::unwrap_used, reason = "a script that cannot go on has failed")]

use std::sync::Arc;

use futures_util::future::BoxFuture;
use rmcp::{
    ClientHandler, ServiceExt as _,
    model::{
        CallToolRequestParams, ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult, ElicitationAction,
        ElicitationCapability, FormElicitationCapability, Implementation,
    },
    service::RequestContext,
};
use rolecall::{app::App, server::Server};
use serde_json::{Map, Value, json};

use super::scenes;

/// What a person asks for.
pub(crate) struct Job {
    pub(crate) says: &'static str,
    /// What no call could bring about, before all else.
    sets: Option<Scene>,
    /// What is so before: nobody counts it.
    pub(crate) scene: Vec<(&'static str, Value)>,
    pub(crate) calls: Vec<Call>,
    /// What the answers and the questions have to tell.
    pub(crate) facts: Vec<String>,
    /// What they must not name.
    pub(crate) strangers: Vec<&'static str>,
    /// What has to be so afterwards.
    pub(crate) holds: Vec<Check>,
}

/// Prepares the state of a job behind the tools' back.
pub(crate) type Scene = for<'a> fn(&'a App) -> BoxFuture<'a, ()>;

/// A read, and what its answer has to tell, or must not.
pub(crate) struct Check {
    pub(crate) tool: &'static str,
    pub(crate) arguments: Value,
    pub(crate) told: &'static str,
    pub(crate) is_told: bool,
    /// Whether it is looked at once the time has come at which access ends.
    later: bool,
}

/// A call, whose arguments may follow from the answers before it.
pub(crate) struct Call {
    pub(crate) tool: &'static str,
    arguments: fn(&[Value]) -> Value,
}

/// What became of a job.
pub(crate) struct Played {
    pub(crate) calls: usize,
    /// Calls that were answered with an error.
    pub(crate) failed: Vec<String>,
    /// What the model reads of the answers.
    pub(crate) texts: Vec<String>,
    /// What the person was asked.
    pub(crate) questions: Vec<String>,
}

impl Job {
    fn of(says: &'static str, calls: Vec<Call>) -> Self {
        Self { says, sets: None, scene: Vec::new(), calls, facts: Vec::new(), strangers: Vec::new(), holds: Vec::new() }
    }

    fn set(mut self, scene: Scene) -> Self {
        self.sets = Some(scene);
        self
    }

    fn after(mut self, tool: &'static str, arguments: Value) -> Self {
        self.scene.push((tool, arguments));
        self
    }

    fn tells(mut self, facts: &[&'static str]) -> Self {
        self.facts.extend(facts.iter().map(|it| (*it).to_owned()));
        self
    }

    fn tells_all(mut self, facts: Vec<String>) -> Self {
        self.facts.extend(facts);
        self
    }

    fn leaves_out(mut self, strangers: &[&'static str]) -> Self {
        self.strangers.extend(strangers);
        self
    }

    fn holds(mut self, tool: &'static str, arguments: Value, told: &'static str) -> Self {
        self.holds.push(Check { tool, arguments, told, is_told: true, later: false });
        self
    }

    /// What is no longer so once the time has come.
    fn ends(mut self, tool: &'static str, arguments: Value, told: &'static str) -> Self {
        self.holds.push(Check { tool, arguments, told, is_told: false, later: true });
        self
    }

    /// Whether all its tools are on offer.
    pub(crate) fn can_be_played(&self, app: &App) -> bool {
        self.calls.iter().all(|it| app.catalog.offer(it.tool).is_ok_and(|offer| offer.tool.name == it.tool))
    }
}

fn call(tool: &'static str, arguments: fn(&[Value]) -> Value) -> Call {
    Call { tool, arguments }
}

/// A table of some fields of a list's items.
fn table(list: &Value, columns: &[(&str, &str)]) -> String {
    let mut csv = columns.iter().map(|it| it.0).collect::<Vec<_>>().join(",") + "\n";
    for item in list["items"].as_array().unwrap() {
        csv += &(columns.iter().map(|it| item[it.1].as_str().unwrap_or_default()).collect::<Vec<_>>().join(",") + "\n");
    }
    csv
}

/// Jobs in the practice company, alone in one directory.
#[expect(clippy::too_many_lines, reason = "a list, a job an entry")]
pub(crate) fn in_one_directory() -> Vec<Job> {
    vec![
        Job::of(
            "Who can delete Atlas, and why?",
            vec![call("explain_access", |_| json!({ "project": "Atlas", "action": "delete" }))],
        )
        .tells(&["ana.ruiz@acme.example", "helena.brandt@acme.example", "priya.raman@acme.example", "owner"])
        .leaves_out(&["yuna.seo@acme.example", "jonas.weber@acme.example"]),
        Job::of(
            "Invite these forty people to Borealis as members",
            vec![call("invite_people", |_| {
                json!({ "organization": "Acme", "projects": ["Borealis"], "role": "member", "people": forty() })
            })],
        )
        .after("add_project_member", json!({ "project": "Borealis", "member": "zainab.bello@acme.example", "roles": ["member"] }))
        .tells_all(forty())
        .tells(&[
            "30 of 40 made",
            "5 so already",
            "2 there with another role",
            "3 failed",
            "`ana.ruiz@acme.example` is in project `Borealis` already, as owner",
            "`owen.prichard@acme.example` is in project `Borealis` already, as viewer",
            "duplicate of row",
            "`jo@` is not an e-mail address",
            "Invite people: batch 30 people",
        ])
        .holds("list_invitations", json!({ "organization": "Acme", "status": "pending", "limit": 100 }), "x09@elsewhere.example")
        .holds("list_project_members", json!({ "project": "Borealis", "limit": 100 }), "owen.prichard@acme.example name=Owen Prichard [usr_owen] roles=viewer"),
        Job::of("Take Ana off everything", vec![call("offboard_person", |_| json!({ "member": "ana.ruiz@acme.example" }))])
            .tells(&["Atlas", "Borealis", "no owner", "ana-laptop"])
            .holds("list_memberships", json!({ "email": "ana.ruiz@acme.example" }), "Nothing found"),
        Job::of(
            "Give everyone in Security read access to Borealis until Friday",
            vec![call("add_project_team", |_| json!({ "project": "Borealis", "team": "Security", "role": "viewer", "ends_at": "Friday" }))],
        )
        .tells(&["Done", "Security", "Borealis", "viewer", "Ends by itself"])
        .holds("list_project_members", json!({ "project": "Borealis", "limit": 100 }), "noor.vandijk@acme.example")
        .ends("list_project_members", json!({ "project": "Borealis", "limit": 100 }), "noor.vandijk@acme.example")
        .ends("list_project_teams", json!({ "project": "Borealis" }), "Security"),
        Job::of(
            "Which keys belong to people who left, or were never used? Block them",
            vec![
                call("list_api_keys", |_| json!({ "organization": "Acme", "owner": "left", "unused_since": "ever", "any": true })),
                call("apply_changes", |answers| {
                    let csv = table(&answers[0], &[("project", "project"), ("api_key", "id")]);
                    json!({ "tool": "update_api_key", "csv": csv, "common": { "status": "blocked" } })
                }),
            ],
        )
        .tells(&["old-migration", "spare", "demo", "3 done"])
        .leaves_out(&["ana-laptop", "ci-deploy", "metrics"])
        .holds("get_api_key", json!({ "project": "Cobalt", "api_key": "spare" }), "blocked"),
        Job::of(
            "Make a project like Atlas for the Lyon office, with the same teams and limits",
            vec![call("copy_project", |_| json!({ "from": "Atlas", "name": "Lyon" }))],
        )
        .tells(&["Lyon", "Platform", "ana.ruiz@acme.example"])
        .holds("list_usage_limits", json!({ "project": "Lyon" }), "hard_limit=2000"),
        Job::of("What changed yesterday, and who agreed to it?", vec![call("list_activity", |_| json!({ "since": "yesterday", "until": "yesterday" }))])
            .set(scenes::agreed_yesterday)
            .after("update_project", json!({ "project": "Borealis", "description": "Changed today" }))
            .tells(&["sofia.papadaki@acme.example", "member → viewer", "project Atlas", "asked_by=this machine, with another assistant", "agreed_by=maria"])
            .leaves_out(&["Changed today"]),
        Job::of("Undo the last thing you did", vec![call("undo", |_| json!({ "last": true }))])
        .after("update_project", json!({ "project": "Atlas", "description": "Something else" }))
            .tells(&["Atlas", "Done"])
            .holds("get_project", json!({ "project": "Atlas" }), "Maps of where every sensor is"),
        Job::of(
            "Rename the team Security to Platform and make Grace its maintainer",
            vec![
                call("list_teams", |_| json!({ "organization": "Acme" })),
                call("apply_changes", |_| {
                    json!({ "on_failure": "continue", "steps": [
                        { "tool": "update_team", "arguments": { "team": "Security", "name": "Platform" } },
                        { "tool": "add_team_member", "arguments": { "team": "Security", "member": "Grace Whitfield", "role": "maintainer" } }
                    ] })
                }),
            ],
        )
        .tells(&["Platform", "Security", "is called `Platform` already", "grace.whitfield@acme.example"])
        .holds("list_team_members", json!({ "team": "Security" }), "grace.whitfield@acme.example"),
        Job::of(
            "How much may Atlas spend this month? Halve it",
            vec![
                call("list_usage_limits", |_| json!({ "project": "Atlas" })),
                call("update_usage_limit", |answers| {
                    let limit = &answers[0]["items"][0];
                    let half = |name: &str| limit[name].as_f64().unwrap() / 2.0;
                    json!({ "project": "Atlas", "usage_limit": limit["usage_limit"], "hard_limit": half("hard_limit"), "soft_limit": half("soft_limit") })
                }),
            ],
        )
        .tells(&["Monthly", "Cost", "2000", "1000"])
        .holds("list_usage_limits", json!({ "project": "Atlas" }), "hard_limit=1000"),
        Job::of(
            "Rotate the keys of Atlas that programs use and that are older than sixty days",
            vec![
                call("list_api_keys", |_| json!({ "project": "Atlas", "created_before": "60 days" })),
                call("apply_changes", |answers| {
                    let owned = |it: &&Value| it["owner"].as_str().is_some_and(|it| !it.contains('@'));
                    let keys: Vec<&Value> = answers[0]["items"].as_array().unwrap().iter().filter(owned).collect();
                    let steps = keys.iter().flat_map(|it| {
                        let name = it["api_key"].as_str().unwrap();
                        let new = json!({ "project": "Atlas", "name": format!("{name}-2"), "service_account": it["owner"], "scopes": it["scopes"] });
                        [
                            json!({ "tool": "create_api_key", "arguments": new }),
                            json!({ "tool": "update_api_key", "arguments": { "project": "Atlas", "api_key": it["id"], "status": "blocked" } }),
                        ]
                    });
                    json!({ "steps": steps.collect::<Vec<_>>() })
                }),
            ],
        )
        .tells(&["ci-deploy-2", "ci-deploy"])
        .holds("get_api_key", json!({ "project": "Atlas", "api_key": "ci-deploy-2" }), "owner: ci-deploy")
        .holds("get_api_key", json!({ "project": "Atlas", "api_key": "ci-deploy" }), "blocked"),
        Job::of(
            "Onboard Maya Lin like Jonas",
            vec![call("copy_access", |_| json!({ "from": "jonas.weber@acme.example", "to": "maya.lin@acme.example" }))],
        )
        .tells(&["maya.lin@acme.example", "Atlas", "Cobalt", "Platform"])
        .holds("list_invitations", json!({ "organization": "Acme", "status": "pending" }), "maya.lin@acme.example"),
        Job::of(
            "Set the logo of Kestrel from this picture",
            vec![call("set_logo", |_| json!({ "of": "project", "target": "Kestrel", "image": format!("data:image/png;base64,{PICTURE}") }))],
        )
        .tells(&["Kestrel", "Done", "image/png"])
        .holds("get_logo", json!({ "of": "project", "target": "Kestrel" }), "width: 1"),
        Job::of(
            "Set the logo of Borealis from this base64",
            vec![call("set_logo", |_| json!({ "of": "project", "target": "Borealis", "image": PICTURE }))],
        )
        .tells(&["Borealis", "Done", "image/png"])
        .holds("get_logo", json!({ "of": "project", "target": "Borealis" }), "width: 1"),
        Job::of(
            "Is anybody owner of more than three projects? Who would leave one orphaned?",
            vec![
                call("review_access", |_| json!({ "organization": "Acme", "rule": "owns_many" })),
                call("review_access", |_| json!({ "organization": "Acme", "rule": "one_owner" })),
            ],
        )
        .after("create_project", json!({ "name": "Dunes", "organization": "Acme", "admin_email": "leo.marchetti@acme.example" }))
        .after("create_project", json!({ "name": "Estuary", "organization": "Acme", "admin_email": "leo.marchetti@acme.example" }))
        .tells(&[
            "leo.marchetti@acme.example",
            "owns 4 projects",
            "alone: Dunes, Estuary, Fieldnotes",
            "ana.ruiz@acme.example alone owns it",
            "mei.tanaka@acme.example alone owns it",
            "zainab.bello@acme.example alone owns it",
        ])
        .leaves_out(&["priya.raman@acme.example alone", "declan.byrne@acme.example"]),
        Job::of(
            "List all projects with owners and member counts",
            vec![
                call("list_projects", |_| json!({ "organization": "Acme", "detail": "full", "limit": 100 })),
                call("list_projects", |it| json!({ "organization": "Acme", "detail": "full", "limit": 100, "cursor": it[0]["next_cursor"] })),
                call("list_projects", |it| json!({ "organization": "Acme", "detail": "full", "limit": 100, "cursor": it[1]["next_cursor"] })),
            ],
        )
        .set(scenes::many_projects)
        .tells(&["100 of 300", "Kestrel [prj_kestrel]", "owners=noor.vandijk@acme.example, tariq.mansour@acme.example, wanjiru.kamau@acme.example members=3"])
        .tells_all((0..scenes::MORE).map(scenes::project).collect()),
        Job::of(
            "Is anybody owner of more than one project? Who would leave one orphaned?",
            vec![call("list_projects", |_| json!({ "organization": "Acme", "owners": 1, "detail": "full", "limit": 100 }))],
        )
        .tells(&["Atlas", "Borealis", "owners=ana.ruiz@acme.example", "owners=mei.tanaka@acme.example"])
        .leaves_out(&["priya.raman@acme.example"]),
        Job::of(
            "What looks wrong with who may do what at Acme?",
            vec![call("review_access", |_| json!({ "organization": "Acme" }))],
        )
        .tells(&["petra@consulting.example", "old-migration", "ana.ruiz@acme.example alone owns it", "one_owner"]),
        Job::of(
            "Delete all projects that start with tmp-",
            vec![
                call("list_projects", |_| json!({ "organization": "Acme", "query": "tmp-", "limit": 100 })),
                call("apply_changes", |answers| json!({ "tool": "delete_project", "csv": table(&answers[0], &[("project", "id")]) })),
            ],
        )
        .after("create_project", json!({ "name": "tmp-one", "organization": "Acme" }))
        .after("create_project", json!({ "name": "tmp-two", "organization": "Acme" }))
        .after("create_project", json!({ "name": "tmp-three", "organization": "Acme" }))
        .tells(&["tmp-one", "tmp-two", "tmp-three", "3 done", "3 × Delete project: tmp-one, tmp-three, tmp-two"])
        .leaves_out(&["Atlas"])
        .holds("list_projects", json!({ "organization": "Acme", "query": "tmp-" }), "Nothing found"),
        Job::of("Where does Ana have access?", vec![call("find_person", |_| json!({ "query": "Ana Ruiz" }))])
            .tells(&["ana.ruiz@acme.example", "organization Acme", "project Atlas", "project Borealis", "ana-laptop"])
            .leaves_out(&["project Cobalt"]),
    ]
}

/// Jobs that span an account at each of five platforms.
pub(crate) fn over_five_accounts() -> Vec<Job> {
    vec![
        Job::of("Where does Ana have access, over all accounts?", vec![call("find_person", |_| json!({ "query": "Ana Ruiz" }))]).tells(&[
            "ana.ruiz@acme.example",
            "connection=practice",
            "connection=globant",
            "connection=openai",
            "connection=vision",
            "connection=lab",
        ]),
        Job::of(
            "Offboard Ana everywhere",
            vec![
                call("offboard_person", |_| json!({ "member": "ana.ruiz@acme.example" })),
                call("find_person", |_| json!({ "query": "ana.ruiz@acme.example" })),
            ],
        )
        .tells(&["ana.ruiz@acme.example", "on=practice", "on=globant", "on=openai", "on=vision", "on=lab", "ana-laptop"]),
        Job::of(
            "Create Lyon on every platform",
            vec![call("apply_changes", |_| {
                let step = |account: &str, more: Value| {
                    let mut arguments = json!({ "name": "Lyon", "connection": account });
                    arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
                    json!({ "tool": "create_project", "arguments": arguments })
                };
                json!({ "on_failure": "continue", "steps": [
                    step("practice", json!({ "organization": "Acme" })), step("openai", json!({})),
                    step("globant", json!({ "admin_email": "ana.ruiz@acme.example" })), step("vision", json!({ "organization": "Acme" })),
                    step("lab", json!({ "organization": "Acme Research" }))
                ] })
            })],
        )
        .tells(&["on=practice", "on=globant", "on=openai", "on=vision", "on=lab", "5 done"]),
    ]
}

/// The same where one of the accounts does not answer.
pub(crate) fn with_an_account_that_is_silent() -> Vec<Job> {
    vec![
        Job::of("Where does Ana have access, over all accounts?", vec![call("find_person", |_| json!({ "query": "Ana Ruiz" }))]).tells(&[
            "connection=practice",
            "connection=globant",
            "connection=openai",
            "connection=vision",
            "No answer from lab",
        ]),
        Job::of("Offboard Ana everywhere", vec![call("offboard_person", |_| json!({ "member": "Ana Ruiz" }))]).tells(&[
            "on=practice",
            "on=globant",
            "on=openai",
            "on=vision",
            "lab did not answer, and nothing is taken there",
        ]),
    ]
}

/// Forty people: three malformed, two twice, five who are in Borealis already, two of them with another role, and thirty from outside,
/// ten of them of another mail domain.
fn forty() -> Vec<String> {
    let here = ["fatima.elidrissi", "mateus.carvalho", "zainab.bello", "ana.ruiz", "owen.prichard"];
    let mut people: Vec<String> = here.iter().map(|it| format!("{it}@acme.example")).collect();
    people.extend((0..18).map(|it| format!("n{it:02}@acme.example")));
    people.extend(["n03@acme.example", "n07@acme.example", "nobody at acme", "jo@", "@acme.example"].map(str::to_owned));
    people.extend((0..10).map(|it| format!("x{it:02}@elsewhere.example")));
    people.extend(["n18@acme.example", "n19@acme.example"].map(str::to_owned));
    people
}

/// A picture of one dot.
const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// A person who agrees to everything, and remembers what it was.
#[derive(Debug, Clone, Default)]
struct Agreeing(Arc<std::sync::Mutex<Vec<String>>>);

impl ClientHandler for Agreeing {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        capabilities.elicitation = Some(ElicitationCapability::new().with_form(FormElicitationCapability::default()));
        ClientConfig::new(capabilities, Implementation::new("assistant", "1"))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<rmcp::RoleClient>,
    ) -> Result<ElicitResult, rmcp::ErrorData> {
        let ElicitRequestParams::FormElicitationParams { message, requested_schema, .. } = request else {
            return Err(rmcp::ErrorData::internal_error("only forms are expected", None));
        };
        let typed = message.rsplit_once("To confirm, type: ").map(|it| it.1.to_owned()).unwrap_or_default();
        self.0.lock().unwrap().push(message);
        let form = if requested_schema.properties.contains_key("name") { json!({ "name": typed }) } else { json!({ "confirm": true }) };
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(form))
    }
}

/// Plays a job through a real client; the answers to what has to hold come behind those of the calls, and are not counted.
pub(crate) async fn play(app: Arc<App>, job: &Job) -> (Played, Vec<String>) {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let program = Arc::clone(&app);
    tokio::spawn(async move {
        if let Ok(running) = Server::new(app).serve(theirs).await {
            let _ = running.waiting().await;
        }
    });
    let client = Agreeing::default().serve(ours).await.unwrap();
    let make = async |tool: &str, arguments: Value| {
        let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap();
        let answer = client.call_tool(CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments)).await.unwrap();
        let text = answer.content.iter().filter_map(|it| it.as_text()).map(|it| it.text.clone()).collect::<Vec<_>>().join("\n");
        (text, answer.structured_content.unwrap_or_default(), answer.is_error == Some(true))
    };
    if let Some(scene) = job.sets {
        scene(&program).await;
    }
    for (tool, arguments) in &job.scene {
        let (text, _, failed) = make(tool, arguments.clone()).await;
        assert!(!failed, "{}: {tool}: {text}", job.says);
    }
    client.service().0.lock().unwrap().clear();
    let mut played = Played { calls: 0, failed: Vec::new(), texts: Vec::new(), questions: Vec::new() };
    let mut answers = Vec::new();
    for it in &job.calls {
        let (text, answer, failed) = make(it.tool, (it.arguments)(&answers)).await;
        played.calls += 1;
        if failed {
            played.failed.push(format!("{}: {text}", it.tool));
        }
        played.texts.push(text);
        answers.push(answer);
    }
    played.questions = std::mem::take(&mut *client.service().0.lock().unwrap());
    let mut after = Vec::new();
    let mut has_come = false;
    for it in &job.holds {
        if it.later && !has_come {
            scenes::time_comes(&program).await;
            has_come = true;
        }
        after.push(make(it.tool, it.arguments.clone()).await.0);
    }
    (played, after)
}
