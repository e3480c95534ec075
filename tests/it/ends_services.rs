//! Access that ends at the services: given there, and taken away there at its time.

use serde_json::json;

use crate::{
    ends::{ending, time_comes},
    practice::{Provider, World},
    support::{Options, Value},
};

/// What is given, and the read in which it shows.
#[expect(clippy::too_many_lines, reason = "a table, a row for each thing that can be given")]
fn rows() -> Vec<(Provider, &'static str, Value, &'static str, Value)> {
    let member = |project: &str, member: &str, role: &str| json!({ "project": project, "member": member, "roles": [role] });
    let (linh, mei) = ("linh.tran@acme.example", "mei.tanaka@acme.example");
    vec![
        (
            Provider::Local,
            "add_project_member",
            member("Ember", "ana.ruiz@acme.example", "viewer"),
            "list_project_members",
            json!({ "project": "Ember" }),
        ),
        (Provider::Openai, "add_project_member", member("Atlas", linh, "member"), "list_project_members", json!({ "project": "Atlas" })),
        (
            Provider::Openai,
            "invite_organization_member",
            json!({ "email": "n1@acme.example", "role": "reader" }),
            "list_invitations",
            json!({}),
        ),
        (
            Provider::Openai,
            "create_service_account",
            json!({ "project": "Atlas", "name": "Lantern" }),
            "list_service_accounts",
            json!({ "project": "Atlas" }),
        ),
        (
            Provider::Seeme,
            "add_project_member",
            member("Beacon", mei, "Project viewer"),
            "list_project_members",
            json!({ "project": "Beacon" }),
        ),
        (
            Provider::Engine,
            "add_project_member",
            member("Churn forecast", "u-8", "ProjectViewer"),
            "list_project_members",
            json!({ "project": "Churn forecast" }),
        ),
        (
            Provider::Local,
            "add_team_member",
            json!({ "team": "Platform", "member": "ana.ruiz@acme.example" }),
            "list_team_members",
            json!({ "team": "Platform" }),
        ),
        (
            Provider::Local,
            "add_project_team",
            json!({ "project": "Ember", "team": "Platform", "role": "viewer" }),
            "list_project_teams",
            json!({ "project": "Ember" }),
        ),
        (
            Provider::Local,
            "assign_role",
            json!({ "organization": "Acme", "role": "auditor", "member": "jonas.weber@acme.example" }),
            "list_role_assignments",
            json!({ "member": "jonas.weber@acme.example" }),
        ),
        (
            Provider::Local,
            "invite_organization_member",
            json!({ "organization": "Acme", "email": "n1@acme.example", "role": "member" }),
            "list_invitations",
            json!({ "organization": "Acme", "status": "pending" }),
        ),
        (
            Provider::Local,
            "create_service_account",
            json!({ "project": "Ember", "name": "bot" }),
            "list_service_accounts",
            json!({ "project": "Ember" }),
        ),
        (
            Provider::Openai,
            "add_team_member",
            json!({ "team": "Reviewers", "member": "leo.marchetti@acme.example" }),
            "list_team_members",
            json!({ "team": "Reviewers" }),
        ),
        (
            Provider::Openai,
            "add_project_team",
            json!({ "project": "Helpdesk", "team": "Field crew", "role": "member" }),
            "list_project_teams",
            json!({ "project": "Helpdesk" }),
        ),
        (
            Provider::Seeme,
            "invite_organization_member",
            json!({ "organization": "Acme", "email": "juno@acme.example", "role": "Member" }),
            "list_invitations",
            json!({ "organization": "Acme", "status": "pending" }),
        ),
        (
            Provider::Geai,
            "add_project_member",
            json!({ "project": "Ember", "member": "tomas.quiroga@acme.example", "roles": ["Project member"] }),
            "list_project_members",
            json!({ "project": "Ember" }),
        ),
        (
            Provider::Geai,
            "create_api_key",
            json!({ "project": "Ember", "name": "Until", "description": "For a while" }),
            "list_api_keys",
            json!({ "project": "Ember" }),
        ),
    ]
}

#[tokio::test]
async fn access_ends_at_every_service() {
    for (provider, tool, arguments, read, of) in rows() {
        let world = World::of(provider, Options::default()).await;
        let agent = &world.agent;
        let before = agent.ok(read, of.clone()).await["items"].clone();
        let mut until = arguments.clone();
        until["ends_at"] = "2 weeks".into();
        // Nothing gets graver or lighter by its end.
        let preview = async |of: &Value| {
            let mut of = of.clone();
            of["dry_run"] = true.into();
            agent.ok(tool, of).await
        };
        let (without, with) = (preview(&arguments).await, preview(&until).await);
        for field in ["needs_consent", "target"] {
            assert_eq!(with[field], without[field], "{provider:?} {tool}");
        }
        assert_eq!(with["impact"]["gravity"], without["impact"]["gravity"], "{provider:?} {tool}");
        assert!(with["impact"]["notes"].to_string().contains("ends by itself: until "), "{provider:?} {tool}: {with}");
        assert_eq!(agent.ok(read, of.clone()).await["items"], before);
        let done = agent.ok(tool, until.clone()).await;
        assert!(done["ends_at"].is_string(), "{provider:?} {tool}: {done}");
        let given = agent.ok(read, of.clone()).await["items"].clone();
        assert_ne!(given, before, "{provider:?} {tool}");
        assert_eq!(ending(agent, "planned").await.len(), 1, "{provider:?} {tool}");
        // The same again, until later.
        if !tool.starts_with("create") {
            until["ends_at"] = "3 weeks".into();
            let moved = agent.ok(tool, until).await;
            assert_ne!(moved["ends_at"], done["ends_at"], "{provider:?} {tool}");
            assert_eq!(agent.ok(read, of.clone()).await["items"], given, "{provider:?} {tool}");
            let planned = ending(agent, "").await;
            assert_eq!((planned.len(), &planned[0]["ends_at"]), (1, &moved["ends_at"]), "{provider:?} {tool}: {planned:?}");
        }
        agent.questions();
        time_comes(agent).await;
        assert_eq!(agent.questions(), [""; 0]);
        assert_eq!(agent.ok(read, of).await["items"], before, "{provider:?} {tool}: {:?}", ending(agent, "").await);
        assert_eq!(ending(agent, "ended").await.len(), 1, "{provider:?} {tool}");
    }
}
