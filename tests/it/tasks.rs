//! Jobs as clients see them go: progress, tasks, and an answer in time for those that know neither.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use rmcp::{
    ClientHandler, RoleClient, ServiceError,
    model::{
        CallToolResponse, CancelTaskParams, ClientCapabilities, ClientConfig, GetTaskParams, Implementation, ProgressNotificationParam,
        Task, TaskPayload, UpdateTaskParams,
    },
    service::{ClientServiceExt as _, NotificationContext, RunningService},
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use rolecall::{
    app::App,
    jobs::{Halt, Moment},
    server::{Patience, Server},
    store::Val,
};

use crate::{
    company::acme,
    support::{Agent, Era, Options, Store, Value, json, params},
    wire::{ALICE, BOB, Site, lifecycle, with_tokens},
};

/// A client that may know tasks, and keeps what it hears of progress.
#[derive(Debug, Clone, Default)]
struct Client {
    tasks: bool,
    heard: Arc<Mutex<Vec<ProgressNotificationParam>>>,
}

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        let capabilities = ClientCapabilities::default();
        let capabilities = if self.tasks { ClientCapabilities::builder().enable_tasks().build() } else { capabilities };
        ClientConfig::new(capabilities, Implementation::new("test-client", "1"))
    }

    async fn on_progress(&self, said: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.heard.lock().unwrap().push(said);
    }
}

type Running = RunningService<RoleClient, Client>;

fn server(app: &Arc<App>) -> Server {
    let patience = Patience { job: Duration::from_secs(10), task: Duration::from_secs(10), ..Patience::default() };
    Server::with_patience(Arc::clone(app), patience)
}

/// A client in this process.
async fn inside(app: &Arc<App>, era: Era, tasks: bool) -> Running {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let server = server(app);
    tokio::spawn(async move {
        if let Ok(running) = rmcp::ServiceExt::serve(server, theirs).await {
            let _ = running.waiting().await;
        }
    });
    Client { tasks, ..Client::default() }.serve_with_lifecycle(ours, lifecycle(era)).await.unwrap()
}

/// A client over HTTP.
async fn outside(site: &Site, token: &str, era: Era) -> Running {
    let config = StreamableHttpClientTransportConfig::with_uri(site.url("/mcp")).auth_header(token);
    let transport = StreamableHttpClientTransport::with_client(crate::support::http_client(), config);
    Client { tasks: true, ..Client::default() }.serve_with_lifecycle(transport, lifecycle(era)).await.unwrap()
}

/// A program with the company Acme.
async fn program(store: &Arc<Store>) -> Arc<App> {
    let agent = Agent::on(store, Options::default()).await;
    acme(&agent, &[]).await;
    Arc::clone(&agent.app)
}

/// Makes so many teams, which nobody has to agree to.
fn teams(count: usize) -> Value {
    let step = |at| json!({ "tool": "create_team", "arguments": { "name": format!("Team {at}"), "organization": "Acme" } });
    json!({ "steps": (0..count).map(step).collect::<Vec<_>>() })
}

/// Begins a job of ten rows whose worker is gone before the fourth.
async fn broken_off(app: &Arc<App>, client: &Running) -> CallToolResponse {
    app.jobs().halt_at(Halt { row: 3, moment: Moment::BeforeIntent });
    client.call_tool_once(params("apply_changes", teams(10))).await.unwrap()
}

fn task(response: CallToolResponse) -> Task {
    match response {
        CallToolResponse::Task(created) => created.task,
        other => panic!("no task: {other:?}"),
    }
}

/// Lets the time pass after which another process may take the job.
async fn lapse(app: &App) {
    let mut tx = app.db.begin().await.unwrap();
    assert_eq!(tx.run("UPDATE jobs SET lease_until = $1", &[Val::from(0_i64)]).await.unwrap(), 1);
    tx.commit().await.unwrap();
}

/// What a task has come to; waits until it is no longer at work.
async fn outcome(client: &Running, id: &str) -> TaskPayload {
    loop {
        let found = client.get_task(GetTaskParams::new(id)).await.unwrap().task;
        assert_eq!(found.task.task_id, id);
        if !matches!(found.payload, TaskPayload::Working) {
            return found.payload;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, ServiceError>) -> i32 {
    match result {
        Err(ServiceError::McpError(error)) => error.code.0,
        other => panic!("no error: {other:?}"),
    }
}

#[tokio::test]
async fn progress_grows_and_ends_with_the_last_row() {
    for era in [Era::Legacy, Era::Modern] {
        for tasks in [false, true] {
            let store = Store::sqlite();
            let app = program(&store).await;
            let client = inside(&app, era, tasks).await;
            let CallToolResponse::Complete(done) = client.call_tool_once(params("apply_changes", teams(40))).await.unwrap() else {
                panic!("a job that is done is no task")
            };
            assert_eq!(done.structured_content.unwrap()["status"], "done");
            // What is heard is heard before the answer, but by another task.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let heard = std::mem::take(&mut *client.service().heard.lock().unwrap());
            let ended: Vec<f64> = heard.iter().map(|it| it.progress).collect();
            assert!(ended.windows(2).all(|it| it[0] < it[1]), "{ended:?}");
            let last = heard.last().expect("something was heard");
            assert_eq!((last.progress, last.total, last.message.as_deref()), (40.0, Some(40.0), Some("40 of 40")));
            assert!(heard.iter().all(|it| it.total == Some(40.0) && it.progress_token == last.progress_token), "{heard:?}");
            // Other calls have none.
            client.call_tool_once(params("list_teams", json!({}))).await.unwrap();
            assert_eq!(client.service().heard.lock().unwrap().len(), 0);
        }
    }
}

#[tokio::test]
async fn who_knows_no_tasks_is_told_the_job() {
    for era in [Era::Legacy, Era::Modern] {
        let store = Store::sqlite();
        let app = program(&store).await;
        let client = inside(&app, era, false).await;
        let CallToolResponse::Complete(answer) = broken_off(&app, &client).await else { panic!("the client takes no task") };
        let answer = answer.structured_content.unwrap();
        assert_eq!((&answer["status"], &answer["after"]["done"], &answer["after"]["pending"]), (&json!("running"), &json!(3), &json!(7)));
        let job = answer["job"].as_str().unwrap();
        let found = client.call_tool_once(params("get_job", json!({ "job": job }))).await.unwrap();
        assert!(matches!(found, CallToolResponse::Complete(_)), "{found:?}");
        assert_eq!(code(client.get_task(GetTaskParams::new(job)).await), -32021);
    }
}

#[tokio::test]
async fn a_task_outlives_its_connection_and_its_process() {
    for (begun, asked) in [(Era::Legacy, Era::Modern), (Era::Modern, Era::Legacy)] {
        for store in Store::each().await {
            let app = program(&store).await;
            let client = inside(&app, begun, true).await;
            let task = task(broken_off(&app, &client).await);
            assert!(task.status_message.as_deref().is_some_and(|it| it.starts_with("3 of 10 done; job job_")), "{task:?}");
            assert!(client.get_task(GetTaskParams::new(&*task.task_id)).await.is_ok_and(|it| it.task.payload == TaskPayload::Working));
            // A read of a job is no job, whoever asks.
            let job = task.status_message.unwrap().split([' ', ',']).find(|it| it.starts_with("job_")).unwrap().to_owned();
            let read = client.call_tool_once(params("get_job", json!({ "job": job }))).await.unwrap();
            assert!(matches!(read, CallToolResponse::Complete(_)), "{read:?}");
            client.cancel().await.unwrap();
            drop(app);

            let app = store.app(&Options::default()).await;
            let client = inside(&app, asked, true).await;
            assert!(client.get_task(GetTaskParams::new(&*task.task_id)).await.is_ok_and(|it| it.task.payload == TaskPayload::Working));
            lapse(&app).await;
            assert_eq!(app.jobs().resume(Some(&job)).await.unwrap(), std::slice::from_ref(&job));
            let TaskPayload::Completed { result } = outcome(&client, &task.task_id).await else { panic!("it is done") };
            let done = &result["structuredContent"];
            assert_eq!((&done["status"], &done["job"], &done["connection"]), (&json!("done"), &json!(job), &json!("rolecall")), "{done}");
            assert_eq!(done["after"]["done"], 10, "{done}");
            assert!(result["content"][0]["text"].as_str().is_some_and(|it| !it.is_empty()));
            // It waits for nothing, so that nothing can be said to it; and it is over, so that it cannot be ended.
            client.update_task(UpdateTaskParams::new(&*task.task_id, BTreeMap::default())).await.unwrap();
            client.cancel_task(CancelTaskParams::new(&*task.task_id)).await.unwrap();
            assert!(matches!(outcome(&client, &task.task_id).await, TaskPayload::Completed { .. }));
        }
    }
}

#[tokio::test]
async fn a_task_is_ended_between_two_rows() {
    let store = Store::sqlite();
    let app = program(&store).await;
    let client = inside(&app, Era::Modern, true).await;
    let id = task(broken_off(&app, &client).await).task_id;
    lapse(&app).await;
    client.cancel_task(CancelTaskParams::new(&*id)).await.unwrap();
    assert_eq!(outcome(&client, &id).await, TaskPayload::Cancelled);
    let found = client.get_task(GetTaskParams::new(&*id)).await.unwrap().task.task;
    assert!(found.status_message.is_some_and(|it| it.starts_with("10 of 10 done; ")));
    let teams = client.call_tool_once(params("list_teams", json!({}))).await.unwrap();
    let CallToolResponse::Complete(teams) = teams else { panic!("a read is no task") };
    assert_eq!(teams.structured_content.unwrap()["total"], 3);
}

#[tokio::test]
async fn a_task_is_its_callers_alone() {
    for era in [Era::Legacy, Era::Modern] {
        let store = Store::sqlite();
        let app = program(&store).await;
        let site = Site::of(server(&app), with_tokens()).await;
        let alice = outside(&site, ALICE, era).await;
        let id = task(broken_off(&app, &alice).await).task_id;
        assert!(alice.get_task(GetTaskParams::new(&*id)).await.is_ok());
        // Another session of the same person, in the other era.
        let other = if era == Era::Legacy { Era::Modern } else { Era::Legacy };
        assert!(outside(&site, ALICE, other).await.get_task(GetTaskParams::new(&*id)).await.is_ok());
        let bob = outside(&site, BOB, era).await;
        // Who sits at the machine sees every job, and has tasks of their own all the same.
        let local = inside(&app, era, true).await;
        for stranger in [&bob, &local] {
            assert_eq!(code(stranger.get_task(GetTaskParams::new(&*id)).await), -32602);
            assert_eq!(code(stranger.update_task(UpdateTaskParams::new(&*id, BTreeMap::default())).await), -32602);
            assert_eq!(code(stranger.cancel_task(CancelTaskParams::new(&*id)).await), -32602);
        }
        for made_up in [format!("{id}A"), id[..id.len() - 2].to_owned(), String::new(), "job_1".to_owned()] {
            assert_eq!(code(alice.get_task(GetTaskParams::new(&*made_up)).await), -32602, "{made_up}");
        }
        assert!(alice.get_task(GetTaskParams::new(&*id)).await.is_ok_and(|it| it.task.payload == TaskPayload::Working));
        alice.cancel_task(CancelTaskParams::new(&*id)).await.unwrap();
    }
}
