//! What no call can bring about, for the scripts of jobs: many projects at once, and the passing of time.
#![allow(clippy::unwrap_used, reason = "a script that cannot go on has failed")]

use std::time::Duration;

use futures_util::{FutureExt as _, future::BoxFuture};
use rolecall::{
    app::App,
    domain::Timestamp,
    guard::{Answering, Caller, Given, Verdict, approve},
    store::Val,
};
use serde_json::{Value, json};

/// So many projects Acme has besides its own ten.
pub(crate) const MORE: usize = 290;

/// What is told of each of them: whose it is, and how many are in it, by themselves or through a team.
pub(crate) fn project(number: usize) -> String {
    let members = 1 + usize::from(number.is_multiple_of(2)) + if number.is_multiple_of(7) { 3 } else { 0 };
    format!(
        "- P {number:03} [prj_{number:03}] slug=p-{number:03} organization=Acme status=active owners=yuna.seo@acme.example members={members}"
    )
}

/// Makes them. Yuna owns each; Jonas is in every second, the three of Security are in every seventh.
pub(crate) fn many_projects(app: &App) -> BoxFuture<'_, ()> {
    async move {
        let mut tx = app.db.recording().begin().await.unwrap();
        for number in 0..MORE {
            let id = format!("prj_{number:03}");
            let mut run = async |sql: String| assert_eq!(tx.run(&sql, &[]).await.unwrap(), 1, "{sql}");
            run(format!(
                "INSERT INTO projects (id, organization_id, name, name_key, slug, status, created_at) \
                 VALUES ('{id}', 'org_acme', 'P {number:03}', 'p {number:03}', 'p-{number:03}', 'active', 0)"
            ))
            .await;
            for (person, role) in [("usr_yuna", "role_project_owner"), ("usr_jonas", "role_project_member")] {
                if person == "usr_jonas" && !number.is_multiple_of(2) {
                    continue;
                }
                run(format!("INSERT INTO project_members (project_id, user_id, joined_at) VALUES ('{id}', '{person}', 0)")).await;
                run(format!(
                    "INSERT INTO role_assignments (id, organization_id, project_id, role_id, user_id, created_at) \
                     VALUES ('asg_{person}_{number}', 'org_acme', '{id}', '{role}', '{person}', 0)"
                ))
                .await;
            }
            if number.is_multiple_of(7) {
                run(format!("INSERT INTO project_teams (project_id, team_id, joined_at) VALUES ('{id}', 'team_security', 0)")).await;
                run(format!(
                    "INSERT INTO role_assignments (id, organization_id, project_id, role_id, team_id, created_at) \
                     VALUES ('asg_security_{number}', 'org_acme', '{id}', 'role_project_viewer', 'team_security', 0)"
                ))
                .await;
            }
        }
        tx.commit().await.unwrap();
    }
    .boxed()
}

/// Yesterday somebody asked for a removal, and Maria agreed to it at the terminal.
pub(crate) fn agreed_yesterday(app: &App) -> BoxFuture<'_, ()> {
    async move {
        let caller = Caller { principal: "local".into(), client: "another assistant".into(), can_ask: false };
        let call =
            async |tool: &str, arguments: &Value| app.call(tool, arguments.as_object().cloned().unwrap(), &caller, Given::Nothing).await;
        let lowered = json!({ "project": "Atlas", "member": "sofia.papadaki@acme.example", "role": "viewer" });
        for _ in 0..2 {
            match call("update_project_member", &lowered).await {
                Ok(Verdict::Done(_)) => break,
                _ => agree(app).await,
            }
        }
        let Some(day) = Timestamp::now().0.checked_sub(24 * 3600 * 1000) else { return };
        let mut tx = app.db.recording().begin().await.unwrap();
        tx.run("DROP TRIGGER IF EXISTS ledger_no_update", &[]).await.unwrap();
        tx.run("UPDATE calls SET at = $1, latest = $1", &[Val::from(day)]).await.unwrap();
        tx.commit().await.unwrap();
    }
    .boxed()
}

/// Maria agrees to what waits.
async fn agree(app: &App) {
    let mut tx = app.db.recording().begin().await.unwrap();
    let waiting = tx.texts("SELECT id FROM approvals WHERE status = 'pending'", &[]).await.unwrap();
    drop(tx);
    for id in waiting {
        approve(&app.db, &id, Answering::at_terminal("maria")).await.unwrap();
    }
}

/// Lets the time of all that is to end be now, and waits until it has ended.
pub(crate) async fn time_comes(app: &App) {
    let now = Timestamp::now().plus_seconds(-1).0;
    let mut tx = app.db.recording().begin().await.unwrap();
    let sql = "UPDATE ends SET ends_at = $1, look_at = $1 WHERE state IN ('waiting', 'failed')";
    tx.run(sql, &[Val::from(now)]).await.unwrap();
    tx.commit().await.unwrap();
    for _ in 0..2 {
        app.jobs().end_access().await.unwrap();
        while app.jobs().running() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
