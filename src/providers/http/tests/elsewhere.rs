//! Bytes, which may be elsewhere.

use super::*;

fn to(url: impl Into<String>) -> Answer {
    Answer::empty(302).with_header("location", url)
}

fn picture() -> Answer {
    Answer::bytes("image/png", vec![1, 2, 3])
}

impl Stand {
    fn fix(&self, path: &str, answer: Answer) {
        self.sandbox.platform().fixed.insert(path.to_owned(), answer);
    }

    async fn bytes(&self) -> Result<(String, Vec<u8>), ProviderError> {
        self.get("/picture").bytes().await
    }
}

#[tokio::test]
async fn bytes_are_followed_to_other_hosts_without_the_key() {
    let (home, away) = (Stand::new(&[]).await, Stand::new(&[]).await);
    home.fix("picture", to("/moved"));
    home.fix("moved", to(format!("{}/picture", away.sandbox.url)));
    away.fix("picture", to(format!("{}/back", home.sandbox.url)));
    home.fix("back", picture());
    assert_eq!(home.bytes().await.expect("a picture"), ("image/png".to_owned(), vec![1, 2, 3]));
    let asked = |stand: &Stand| stand.sandbox.journal().into_iter().map(|it| (it.target, it.authorized)).collect::<Vec<_>>();
    // Who is elsewhere cannot make us show the key at home either.
    assert_eq!(asked(&home), [("/picture".to_owned(), true), ("/moved".to_owned(), true), ("/back".to_owned(), false)]);
    assert_eq!(asked(&away), [("/picture".to_owned(), false)]);
}

#[tokio::test]
async fn bytes_are_asked_for_again_like_other_reads() {
    let stand = Stand::new(&["503:1*1", "429:1*1", "drop:1*1"]).await;
    stand.fix("picture", picture());
    assert!(stand.bytes().await.is_ok());
    let statuses: Vec<_> = stand.came_in().into_iter().map(|it| it.1).collect();
    assert_eq!(statuses, [Some(503), Some(429), None, Some(200)]);
}

#[tokio::test]
async fn bytes_that_cannot_be_had_are_an_error() {
    let stand = Stand::new(&[]).await;
    stand.fix("picture", to("/picture"));
    assert_eq!(remote(stand.bytes().await).message, "the answer of connection `shelf` cannot be read: it redirects without end");
    assert_eq!(stand.came_in().len(), 6);
    stand.fix("picture", Answer::empty(302));
    assert_eq!(remote(stand.bytes().await).code, "redirected");
    stand.fix("picture", Answer::json(404, &json!({ "message": "no picture" })));
    let error = remote(stand.bytes().await);
    assert_eq!((error.code, error.message.as_str()), ("not_found", "no picture"));
    let away = Stand::new(&[]).await;
    away.fix("picture", Answer::json(403, &json!({ "message": "not ours to tell" })));
    stand.fix("picture", to(format!("{}/picture", away.sandbox.url)));
    assert_eq!(remote(stand.bytes().await).code, "forbidden");
}
