//! What becomes of changes.

use futures_util::future::join_all;

use super::*;
use crate::{
    app::{App, Setup},
    domain::{Facts, Target, projects::Project},
    error::CallError,
    guard::{AllowLists, Caller, Given, GuardSettings, Verdict},
    providers::{
        Connection,
        http::{Draft, Sent},
    },
    secrets::SecretSink,
    store::Db,
    tools::projects::CreateProject,
};

#[tokio::test]
async fn a_change_is_repeated_only_after_a_refusal() {
    for (fault, statuses) in [("429:1*2", vec![429, 429, 201]), ("429-bare:1*1", vec![429, 201])] {
        let stand = Stand::new(&[fault]).await;
        assert_eq!(stand.write().await.expect(fault).json, Some(json!({ "name": "vase" })));
        let came_in: Vec<_> = statuses.into_iter().map(|it| ("POST".to_owned(), Some(it))).collect();
        assert_eq!((stand.came_in(), stand.things()), (came_in, vec!["lamp".to_owned(), "vase".to_owned()]), "{fault}");
    }
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_sent_once_and_never_said_to_have_failed() {
    let cases = [
        ("500:1", false, "failed with 500"),
        ("502:1", false, "failed with 502"),
        ("503:1", false, "failed with 503"),
        ("504:1", true, "failed with 504"),
        ("503-after:1", false, "failed with 503"),
        ("html:1", false, "failed with 502"),
        ("drop-before:1", false, "ended the connection without an answer"),
        ("drop:1", false, "ended the connection without an answer"),
        ("malformed:1", false, "gave an answer that cannot be read"),
        ("slow:1", true, "did not answer in time"),
    ];
    join_all(cases.map(|(fault, is_late, how)| async move {
        let stand = Stand::hurried(&[fault]).await;
        let Err(ProviderError::Unanswered { message, late, .. }) = stand.write().await else { panic!("{fault}: known") };
        assert_eq!(
            (message.as_str(), late),
            (format!("the change was sent, and the service of connection `shelf` {how}").as_str(), is_late)
        );
        if fault != "slow:1" {
            assert_eq!(stand.came_in().len(), 1, "{fault}");
        }
    }))
    .await;
}

#[tokio::test]
async fn a_service_that_says_to_repeat_a_change_is_not_obeyed() {
    let stand = Stand::that_says([Answer::json(503, &json!({ "message": "hm" })).with_header("x-should-retry", "true")]).await;
    assert!(matches!(stand.write().await, Err(ProviderError::Unanswered { late: false, .. })));
    assert_eq!(stand.came_in(), [("POST".to_owned(), Some(503))]);
}

#[tokio::test]
async fn a_refused_change_was_not_made() {
    for (status, code) in [(400, "invalid_request"), (403, "forbidden"), (404, "not_found"), (409, "conflict"), (422, "invalid_request")] {
        let stand = Stand::that_says([Answer::json(status, &json!({ "message": "no" }))]).await;
        let error = remote(stand.write().await);
        assert_eq!((error.code, error.message.as_str(), error.retryable), (code, "no", false));
        assert_eq!((stand.came_in().len(), stand.things()), (1, vec!["lamp".to_owned()]));
    }
}

#[tokio::test]
async fn a_redirected_change_is_an_error() {
    let other = Stand::new(&[]).await;
    for status in [301, 302, 303, 307, 308] {
        let stand = Stand::that_says([Answer::empty(status).with_header("location", format!("{}/things", other.sandbox.url))]).await;
        let error = remote(stand.write().await);
        assert_eq!((error.code, error.status), ("redirected", Some(status)));
        assert_eq!(error.fix, "correct `base_url` of connection `shelf`");
        assert_eq!(stand.came_in().len(), 1);
    }
    assert_eq!(other.came_in(), []);
}

#[tokio::test]
async fn an_empty_answer_to_a_change_is_one() {
    let stand = Stand::new(&[]).await;
    let session = stand.session();
    let reply = session.delete("/things/{name}").path("name", "lamp").send(&Permit::for_tests()).await;
    assert_eq!((reply.expect("a success").json, stand.things()), (None, Vec::new()));
}

#[tokio::test]
async fn a_change_waits_for_a_service_that_is_being_started() {
    let stand = Stand::new(&[]).await;
    let port = stand.sandbox.addr.port();
    drop(stand);
    let write = || {
        let way = api(&format!("http://127.0.0.1:{port}"), Auth::Bearer(secret(KEY).into()), super::super::TIMEOUT);
        let request: Request<Writing> = Request::new(way, Method::POST, "/things");
        async move { request.json(json!({ "name": "vase" })).send(&Permit::for_tests()).await }
    };
    let (made, sandbox) = tokio::join!(write(), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        sandbox::start(Shelf::seeded(Seed::Acme), Options { port, ..Options::default() }).await.expect("the port is free again")
    });
    assert!(made.is_ok());
    assert_eq!(sandbox.journal().len(), 1);
    drop(sandbox);
    let error = remote(write().await);
    let refused = format!(
        "the service of connection `shelf` cannot be reached at `127.0.0.1:{port}`: nothing listens there, the connection was refused"
    );
    assert_eq!((error.code, error.message), ("unreachable", refused));
}

/// A whole program with the shelf as its one connection: a project is a thing.
async fn program(stand: &Stand) -> (App, tempfile::TempDir) {
    async fn create(at: &Session<()>, op: &CreateProject) -> Result<Draft<Project>, ProviderError> {
        let name = op.name.to_string();
        let (sending, reading) = (at.clone(), at.clone());
        let back = name.clone();
        let draft = Draft::new(Target::new_one("project", &name, "acme"), Facts::none(), move |permit| async move {
            sending.post("/things").json(json!({ "name": name })).send(&permit).await?;
            Ok(Sent::after(project(&name)))
        });
        Ok(draft.read_back(move || {
            let (at, name) = (reading.afresh(), back.clone());
            async move {
                let found = at.get("/things").value().await?;
                let there = found["things"].as_array().is_some_and(|it| it.iter().any(|it| *it == name));
                Ok(there.then(|| Sent::after(project(&name))))
            }
        }))
    }
    let folder = tempfile::tempdir().expect("a folder");
    let db = Db::open(&format!("sqlite:{}", folder.path().join("store.sqlite3").display())).await.expect("a store");
    let connection = Connection::to_service("shelf", "shelf", stand.api.clone(), ()).change(create).build();
    let setup = Setup {
        notes: Vec::new(),
        db,
        connections: vec![connection],
        lists: AllowLists::default(),
        guard: GuardSettings::default(),
        secrets: SecretSink::Folder(folder.path().join("secrets")),
    };
    (App::new(setup), folder)
}

fn project(name: &str) -> Project {
    Project {
        project: name.to_owned(),
        id: format!("thing-{name}"),
        slug: None,
        organization: None,
        team: None,
        status: None,
        description: None,
        residency: None,
        external_key_id: None,
        owners: None,
        members: None,
        api_keys: None,
        created_at: None,
        archived_at: None,
    }
}

#[tokio::test]
async fn what_became_of_a_change_without_an_answer_is_looked_up() {
    let cases = [
        ("drop:1@POST*1", vec![], Ok(())),
        ("503-after:1@POST*1", vec![], Ok(())),
        ("malformed:1@POST*1", vec![], Ok(())),
        ("slow:1@POST*1", vec![], Ok(())),
        ("drop-before:1@POST*1", vec![], Err("not_applied")),
        ("500:1@POST*1", vec![], Err("not_applied")),
        // It may still come true.
        ("504:1@POST*1", vec![], Err("outcome_unknown")),
        // Nobody can tell.
        ("drop:1@POST*1", vec!["500:1@GET"], Err("outcome_unknown")),
    ];
    join_all(cases.map(|(fault, more, wanted)| async move {
        let faults: Vec<_> = more.into_iter().chain([fault]).collect();
        let stand = Stand::hurried(&faults).await;
        let (app, _folder) = program(&stand).await;
        let arguments = json!({ "name": "vase" }).as_object().expect("an object").clone();
        let caller = Caller { principal: "local".into(), client: "test".into(), can_ask: false };
        let came = match app.call("create_project", arguments, &caller, Given::Nothing).await {
            Ok(Verdict::Done(receipt)) => {
                assert_eq!((receipt["status"].as_str(), receipt["after"]["project"].as_str()), (Some("done"), Some("vase")), "{fault}");
                Ok(())
            }
            Ok(other) => panic!("{fault}: {other:?}"),
            Err(error @ (CallError::OutcomeUnknown { .. } | CallError::Provider(_))) => Err(error.code()),
            Err(other) => panic!("{fault}: {other:?}"),
        };
        assert_eq!(came, wanted.map_err(str::to_owned), "{fault}");
        let sent = stand.sandbox.journal().into_iter().filter(|it| it.method == "POST").count();
        // One that is late is noted when it is answered.
        assert!(sent == 1 || fault.starts_with("slow"), "{fault}: {sent}");
    }))
    .await;
}
