//! What becomes of reads.

use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn a_read_is_repeated_where_that_may_help() {
    let cases = [
        ("429:1*2", vec![Some(429), Some(429), Some(200)]),
        ("429-bare:1*1", vec![Some(429), Some(200)]),
        ("502:1*1", vec![Some(502), Some(200)]),
        ("503:1*2", vec![Some(503), Some(503), Some(200)]),
        ("504:1*1", vec![Some(504), Some(200)]),
        ("503-after:1*1", vec![Some(503), Some(200)]),
        ("html:1*1", vec![Some(502), Some(200)]),
        ("drop-before:1*1", vec![None, Some(200)]),
        ("drop:1*3", vec![None, None, None, Some(200)]),
        ("slow:1*1", vec![Some(200)]),
    ];
    join_all(cases.map(|(fault, statuses)| async move {
        let stand = Stand::new(&[fault]).await;
        assert_eq!(stand.read().await.expect(fault), json!({ "things": ["lamp"] }), "{fault}");
        let came_in: Vec<_> = statuses.into_iter().map(|it| ("GET".to_owned(), it)).collect();
        assert_eq!(stand.came_in(), came_in, "{fault}");
    }))
    .await;
}

#[tokio::test]
async fn a_read_that_cannot_be_made_says_why() {
    let cases = [
        ("500:1", 1, "provider_failed", Some(500), "the service failed"),
        ("503:1", 4, "provider_failed", Some(503), "the service failed"),
        ("html:1", 4, "provider_failed", Some(502), "the service answered 502"),
        ("drop:1", 4, "unreachable", None, "the service of connection `shelf` ended the connection without an answer"),
        ("slow:1", 4, "timeout", None, "the service of connection `shelf` did not answer in time"),
        ("malformed:1", 1, "unreadable_answer", None, "the answer of connection `shelf` cannot be read: it is not JSON"),
    ];
    join_all(cases.map(|(fault, sent, code, status, message)| async move {
        let stand = Stand::hurried(&[fault]).await;
        let error = remote(stand.read().await);
        // The sandbox's own faults speak another dialect than the shelf.
        let message = if status == Some(502) || !message.starts_with("the service failed") { message } else { &error.message };
        assert_eq!((error.code, error.status, error.message.as_str(), error.retryable), (code, status, message, true), "{fault}");
        // One that is late is noted by the service after we have gone.
        if fault != "slow:1" {
            assert_eq!(stand.came_in().len(), sent, "{fault}");
        }
    }))
    .await;
}

#[tokio::test]
async fn an_error_of_the_service_is_told_once() {
    let mut stand = Stand::new(&[]).await;
    let error = remote(stand.get("/things/{name}").path("name", "sofa").value().await);
    assert_eq!((error.code, error.message.as_str(), error.status, error.retryable), ("not_found", "no such thing", Some(404), false));
    stand.sandbox.platform().fixed.insert("things".into(), Answer::ok(&json!({ "failed": "the shelf is locked" })));
    let error = remote(stand.read().await);
    assert_eq!((error.message.as_str(), error.status), ("the shelf is locked", Some(200)));
    assert_eq!(stand.came_in().len(), 2);
    stand.patience = Duration::from_millis(1500);
    stand.sandbox.set_faults(vec!["429:1".parse().expect("a fault")]);
    let error = remote(stand.read().await);
    assert_eq!((error.code, error.retry_after_s, error.fix.as_str()), ("rate_limited", Some(1), "wait 1 s, then repeat the call"));
}

#[tokio::test]
async fn who_asks_to_wait_too_long_is_not_waited_for() {
    let refusal = Answer::json(429, &json!({ "message": "come back tomorrow" })).with_header("retry-after", "121");
    let stand = Stand::that_says([refusal]).await;
    let error = remote(stand.read().await);
    assert_eq!((error.code, error.message.as_str(), error.retry_after_s), ("rate_limited", "come back tomorrow", Some(121)));
    // The whole connection has to wait, and what cannot come in time is not sent.
    let error = remote(stand.read().await);
    assert_eq!((error.code, error.status), ("rate_limited", None));
    assert!(error.retry_after_s.is_some_and(|it| (110..=120).contains(&it)), "{error:?}");
    assert_eq!(stand.came_in(), [("GET".to_owned(), Some(429))]);
}

#[tokio::test]
async fn the_service_may_say_whether_to_repeat() {
    let says = |status, again: &str| Answer::json(status, &json!({ "message": "hm" })).with_header("x-should-retry", again);
    let cases = [(400, "true", 2), (500, "true", 2), (503, "false", 1), (429, "false", 1)];
    join_all(cases.map(|(status, again, sent)| async move {
        let stand = Stand::that_says([says(status, again)]).await;
        assert_eq!(stand.read().await.is_ok(), sent == 2, "{status} {again}");
        assert_eq!(stand.came_in().len(), sent, "{status} {again}");
    }))
    .await;
}

#[tokio::test]
async fn waits_are_understood_in_all_their_forms() {
    let later = httpdate::fmt_http_date(std::time::SystemTime::now() + Duration::from_hours(1));
    for (name, value, refused) in [
        ("retry-after-ms", "20", false),
        ("retry-after", "0.02", false),
        ("retry-after", later.as_str(), true),
        ("retry-after-ms", "130000", true),
    ] {
        let stand = Stand::that_says([Answer::json(429, &json!({})).with_header(name, value)]).await;
        assert_eq!(stand.read().await.is_err(), refused, "{name}: {value}");
    }
}

#[tokio::test]
async fn one_refusal_is_enough_for_all() {
    let stand = Stand::new(&["429:1*1"]).await;
    assert!(stand.read().await.is_ok());
    stand.sandbox.clear_journal();
    stand.sandbox.set_faults(vec!["429:1*1".parse().expect("a fault")]);
    let (first, others) = tokio::join!(stand.read(), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        join_all((0..8).map(|_| stand.read())).await
    });
    assert!(first.is_ok() && others.iter().all(Result::is_ok));
    let statuses: Vec<_> = stand.came_in().into_iter().filter_map(|it| it.1).collect();
    assert_eq!((statuses.len(), statuses.iter().filter(|it| **it == 429).count()), (10, 1));
}

#[tokio::test]
async fn what_would_lead_to_another_path_is_not_sent() {
    let stand = Stand::new(&[]).await;
    for bad in ["", ".", "..", "a\nb", "a\u{0}"] {
        let error = stand.get("/things/{name}").path("name", bad).value().await.expect_err("an error");
        assert!(matches!(error, ProviderError::Invalid { .. }), "{bad:?}: {error:?}");
    }
    for bad in ["a\nb", "ü"] {
        let error = stand.get("/things").header("x-tenant", bad).value().await.expect_err("an error");
        assert!(matches!(error, ProviderError::Invalid { .. }), "{bad:?}: {error:?}");
    }
    assert_eq!(stand.came_in(), []);
    let error = remote(stand.get("/things/{name}").path("name", "a/../b?c#d %2e{name}").query("q", "x&y=z").value().await);
    assert_eq!(error.code, "not_found");
    let journal = stand.sandbox.journal();
    assert_eq!(journal[0].target, "/things/a%2F..%2Fb%3Fc%23d%20%252e%7Bname%7D?q=x%26y%3Dz");
}

#[tokio::test]
async fn a_piece_of_work_asks_once_until_it_changes_something() {
    let stand = Stand::new(&["500:1*1"]).await;
    let session = stand.session();
    // What went wrong is not kept.
    assert!(session.get("/things").value().await.is_err());
    let answers = join_all((0..8).map(|_| session.get("/things").value())).await;
    assert!(answers.iter().all(|it| it.as_ref().is_ok_and(|it| **it == json!({ "things": ["lamp"] }))));
    assert!(session.clone().get("/things").value().await.is_ok());
    assert_eq!(stand.came_in().len(), 2);
    // Another header is another question.
    assert!(session.get("/things").header("x-tenant", "acme").value().await.is_ok());
    assert_eq!(stand.came_in().len(), 3);
    session.post("/things").json(json!({ "name": "vase" })).send(&Permit::for_tests()).await.expect("a success");
    assert_eq!(session.get("/things").value().await.expect("a list").as_ref(), &json!({ "things": ["lamp", "vase"] }));
    // A change that may not have been made counts as one.
    stand.sandbox.set_faults(vec!["drop:1@POST".parse().expect("a fault")]);
    assert!(session.post("/things").json(json!({ "name": "rug" })).send(&Permit::for_tests()).await.is_err());
    assert_eq!(session.get("/things").value().await.expect("a list").as_ref(), &json!({ "things": ["lamp", "vase", "rug"] }));
    // Whoever wants to know for certain looks anew.
    let before = stand.came_in().len();
    assert!(session.afresh().get("/things").value().await.is_ok());
    assert_eq!(stand.came_in().len(), before + 1);
}
