//! A service that answers at once: 20 projects, as the API of OpenAI lists them, whatever is asked.

use axum::{Router, http::header::CONTENT_TYPE};
use serde_json::json;

/// Starts it on a thread of its own; the address to ask.
pub(crate) fn start() -> String {
    let projects: Vec<_> = (0..20)
        .map(|at| {
            json!({
                "id": format!("proj_{at:06}"), "object": "organization.project", "name": format!("Project {at:04}"),
                "created_at": 1_711_471_533, "archived_at": null, "status": "active",
            })
        })
        .collect();
    let page =
        json!({ "object": "list", "data": projects, "first_id": "proj_000000", "last_id": "proj_000019", "has_more": false }).to_string();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let answer = move || std::future::ready(([(CONTENT_TYPE, "application/json")], page.clone()));
            axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), Router::new().fallback(answer)).await.unwrap();
        });
    });
    format!("http://{at}")
}
