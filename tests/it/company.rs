//! A company to test with: one organization and people with accounts in it.

use rolecall::store::Val;

use crate::support::{Agent, Value, json};

/// An e-mail at the company.
pub(crate) fn email(name: &str) -> String {
    format!("{name}@acme.example")
}

/// Makes the organization Acme with these people as plain members.
pub(crate) async fn acme(agent: &Agent, people: &[&str]) {
    agent.ok("create_organization", json!({ "name": "Acme" })).await;
    for name in people {
        agent.ok("create_user", json!({ "email": email(name), "name": format!("{name} of Acme"), "organization": "Acme" })).await;
    }
}

/// Lets somebody at the company hold power in it, so that its mail domain is trusted.
pub(crate) async fn owned(agent: &Agent) {
    agent.ok("create_user", json!({ "email": email("olga"), "name": "Olga", "organization": "Acme", "role": "owner" })).await;
    agent.questions();
}

/// Makes a team of Acme with these people as plain members.
pub(crate) async fn team(agent: &Agent, name: &str, people: &[&str]) {
    agent.ok("create_team", json!({ "name": name, "organization": "Acme" })).await;
    for person in people {
        agent.ok("add_team_member", json!({ "team": name, "member": email(person) })).await;
    }
}

/// Puts somebody into a project.
pub(crate) async fn join(agent: &Agent, project: &str, person: &str, roles: &[&str]) {
    agent.ok("add_project_member", json!({ "project": project, "member": email(person), "roles": roles })).await;
}

/// Gives a person a working key, which no tool can do.
pub(crate) async fn key_of(agent: &Agent, project: &str, person: &str, name: &str) {
    let mut tx = agent.db().recording().begin().await.unwrap();
    let sql = "INSERT INTO api_keys (id, project_id, user_id, name, name_key, hash, hint, scopes, status, created_at) \
               SELECT 'key_' || $3, p.id, u.id, $3, $3, $3, '', '[]', 'active', p.created_at FROM projects p, users u \
               WHERE p.name = $1 AND u.email = $2";
    assert_eq!(tx.run(sql, &[Val::from(project), Val::from(email(person)), Val::from(name)]).await.unwrap(), 1);
    tx.commit().await.unwrap();
}

/// The texts in one field of a list's items.
pub(crate) fn column(list: &Value, field: &str) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|it| it[field].as_str().unwrap_or_default().to_owned()).collect()
}

/// Calls a change that has to fail and to leave everything as it was.
#[track_caller]
pub(crate) fn refused(agent: &Agent, tool: &str, arguments: Value, code: &str) -> impl Future<Output = Value> {
    let caller = std::panic::Location::caller();
    async move {
        let before = agent.dump().await;
        let asked = format!("{tool} {arguments}");
        let answer = agent.call(tool, arguments).await;
        assert_eq!(answer["code"], code, "{caller}: {asked} answered {answer}");
        assert_eq!(agent.dump().await, before, "{caller}: {asked} changed something");
        answer
    }
}

/// Calls a change that a person declines, and that has to leave everything as it was; answers what it said it would do.
pub(crate) async fn declined(agent: &Agent, tool: &str, arguments: Value) -> Value {
    let mut dry = arguments.clone();
    dry["dry_run"] = json!(true);
    let before = agent.dump().await;
    let preview = agent.ok(tool, dry).await;
    assert_eq!(preview["status"], "dry_run", "{preview}");
    assert_eq!(preview["needs_consent"], true, "{preview}");
    let refusing = agent.refusing().await;
    let answer = refusing.call(tool, arguments).await;
    assert!(answer["code"].is_string(), "{answer}");
    assert_eq!(refusing.questions().len(), 1);
    assert_eq!(agent.dump().await, before, "{tool} changed something without a yes");
    preview
}
