//! What the directory tells of access: its one reader, and what changes of access are asked about.

use std::collections::BTreeSet;

use rolecall::{
    access::{domains_in_power, lost},
    domain::{
        OrganizationRef, ProjectRef,
        access::{Action, Grant, GrantScope, Holder, Place, State, Via},
    },
    providers::{Connection, local},
    store::{Db, Val},
};

use crate::{
    company::{acme, email, join, owned, team},
    seed::planted,
    support::{Agent, Value, json},
};

async fn connection(agent: &Agent) -> Connection {
    local::connect("local", Db::open(&agent.store.url).await.unwrap(), local::Settings::default())
}

async fn grants(agent: &Agent, scope: GrantScope) -> Vec<Grant> {
    let told = connection(agent).await.grants(scope).await.unwrap().unwrap();
    assert_eq!(told.unseen, [""; 0], "the directory hides nothing");
    told.list
}

fn organization(named: &str) -> GrantScope {
    GrantScope::Organization(Some(OrganizationRef::try_from(named.to_owned()).unwrap()))
}

fn project(named: &str) -> GrantScope {
    GrantScope::Project(ProjectRef::try_from(named.to_owned()).unwrap())
}

async fn number(agent: &Agent, sql: &str) -> usize {
    usize::try_from(agent.db().read().await.unwrap().number(sql, &[]).await.unwrap()).unwrap()
}

fn brief(it: &Grant) -> String {
    format!("{} {} in {} through {}", it.holder.label(), it.role.name, it.place, it.via)
}

#[tokio::test]
async fn the_reader_tells_what_the_store_holds() {
    for agent in planted().await {
        let all = grants(&agent, organization("acme")).await;
        let count = |matches: &dyn Fn(&Grant) -> bool| all.iter().filter(|it| matches(it)).count();
        let own_of = |it: &Grant| matches!(it.holder, Holder::Person(_)) && it.via == Via::Own;
        for (what, told, sql) in [
            (
                "roles of people in the organization",
                count(&|it| own_of(it) && matches!(it.place, Place::Organization(_))),
                "SELECT (SELECT COUNT(*) FROM organization_members WHERE organization_id = 'org_acme') + (SELECT COUNT(*) \
                 FROM role_assignments WHERE organization_id = 'org_acme' AND project_id IS NULL AND user_id IS NOT NULL)",
            ),
            (
                "roles of people in projects",
                count(&|it| own_of(it) && matches!(it.place, Place::Project { .. })),
                "SELECT COUNT(*) FROM role_assignments WHERE organization_id = 'org_acme' AND project_id IS NOT NULL AND user_id IS NOT NULL",
            ),
            (
                "places in teams",
                count(&|it| matches!(it.place, Place::Team { .. })),
                "SELECT COUNT(*) FROM team_members m JOIN teams t ON t.id = m.team_id WHERE t.organization_id = 'org_acme'",
            ),
            (
                "what teams hand down",
                count(&|it| matches!(it.holder, Holder::Person(_)) && it.via != Via::Own),
                "SELECT COUNT(*) FROM role_assignments a JOIN team_members m ON m.team_id = a.team_id WHERE a.organization_id = 'org_acme'",
            ),
            (
                "roles of teams",
                count(&|it| matches!(it.holder, Holder::Team(_))),
                "SELECT COUNT(*) FROM role_assignments WHERE organization_id = 'org_acme' AND team_id IS NOT NULL",
            ),
            (
                "service accounts",
                count(&|it| matches!(it.holder, Holder::ServiceAccount(_))),
                "SELECT COUNT(*) FROM service_accounts s JOIN projects p ON p.id = s.project_id \
                 WHERE p.organization_id = 'org_acme' AND p.status = 'active'",
            ),
        ] {
            assert_eq!(told, number(&agent, sql).await, "{what}");
        }
        // Of four that nobody answered, one has expired.
        let invited: BTreeSet<&str> = all.iter().filter(|it| it.state == State::Pending).map(|it| it.holder.label()).collect();
        assert_eq!(
            invited.into_iter().collect::<Vec<_>>(),
            ["noemi.farkas@acme.example", "petra@consulting.example", "tunde.adeyemi@acme.example"]
        );
        let told: Vec<String> = all.iter().map(brief).collect();
        for grant in [
            "noemi.farkas@acme.example member in project Atlas through a role of their own",
            "petra@consulting.example admin in organization Acme through a role of their own",
            "ci-deploy member in project Atlas through a role of their own",
            "Security auditor in organization Acme through a role of their own",
        ] {
            assert!(told.iter().any(|it| it == grant), "{grant}: {told:#?}");
        }
        assert!(all.iter().any(|it| matches!(it.holder, Holder::Key(_)) && it.via == Via::Inherited));
        let trusted = domains_in_power(&all);
        assert!(
            trusted.contains("acme.example") && !trusted.contains("consulting.example"),
            "who is only invited lends no trust: {trusted:?}"
        );
    }
}

#[tokio::test]
async fn the_reader_tells_of_one_project_and_of_one_person() {
    for agent in planted().await {
        let atlas = grants(&agent, project("atlas")).await;
        assert!(atlas.iter().all(|it| !matches!(&it.place, Place::Project { project, .. } if project.name != "Atlas")));
        let owners: Vec<&str> =
            atlas.iter().filter(|it| it.role.owns && !matches!(it.place, Place::Organization(_))).map(|it| it.holder.label()).collect();
        assert_eq!(owners.len(), 1, "{owners:?}");
        assert!(atlas.iter().any(|it| it.role.owns && it.role.inside.has(Action::Delete)), "an owner of the organization can delete it");
        let mei =
            agent.ok("list_organization_members", json!({ "organization": "acme", "query": "mei" })).await["items"][0]["member"].clone();
        let of = |it: &Value| GrantScope::Person(serde_json::from_value(it.clone()).unwrap());
        let held = grants(&agent, of(&mei)).await;
        assert!(held.iter().all(|it| it.holder.label() == mei.as_str().unwrap() || matches!(it.holder, Holder::Key(_))));
        let organizations: BTreeSet<&str> = held.iter().map(|it| it.place.organization().name.as_str()).collect();
        assert_eq!(organizations.into_iter().collect::<Vec<_>>(), ["Acme", "Acme Labs"]);
        let petra = grants(&agent, of(&json!("petra@consulting.example"))).await;
        assert!(petra.len() == 1 && petra[0].state == State::Pending, "{petra:?}");
        let nobody = connection(&agent).await.grants(of(&json!("nobody@acme.example"))).await;
        assert!(nobody.is_err());
    }
}

/// Everybody in every combination: no role of their own in the project, one that reads, one that does not; in team A or not; in
/// team B or not; a plain member or an owner of the organization.
async fn everybody(agent: &Agent) {
    let mut db = agent.db().recording().begin().await.unwrap();
    let blind = db.texts("SELECT id FROM roles WHERE name = 'Blind'", &[]).await.unwrap().remove(0);
    let organization = "SELECT $1, o.id, $2, 0 FROM organizations o";
    for (own, a, b, owner) in (0..3)
        .flat_map(|own| [false, true].map(|a| [false, true].map(|b| [false, true].map(|owner| (own, a, b, owner)))))
        .flatten()
        .flatten()
    {
        let id = format!("u{own}{}{}{}", u8::from(a), u8::from(b), u8::from(owner));
        let mut run = async |sql: &str, values: &[Val]| db.run(sql, values).await.unwrap();
        let user = "INSERT INTO users (id, email, name, name_key, created_at) VALUES ($1, $1 || '@acme.example', 'P', 'p', 0)";
        run(user, &[Val::from(id.as_str())]).await;
        let role = if owner { "role_organization_owner" } else { "role_organization_member" };
        run(
            &format!("INSERT INTO organization_members (user_id, organization_id, role_id, joined_at) {organization}"),
            &[Val::from(id.as_str()), Val::from(role)],
        )
        .await;
        for (name, is_in) in [("A", a), ("B", b)] {
            if is_in {
                let sql = "INSERT INTO team_members SELECT t.id, $1, 'role_team_member', 0 FROM teams t WHERE t.name = $2";
                run(sql, &[Val::from(id.as_str()), Val::from(name)]).await;
            }
        }
        if own > 0 {
            let role = if own == 1 { "role_project_viewer" } else { blind.as_str() };
            run("INSERT INTO project_members SELECT p.id, $1, 0 FROM projects p", &[Val::from(id.as_str())]).await;
            let sql = "INSERT INTO role_assignments SELECT 'a_' || $1, p.organization_id, p.id, $2, $1, NULL, 0 FROM projects p";
            run(sql, &[Val::from(id.as_str()), Val::from(role)]).await;
        }
    }
    db.commit().await.unwrap();
}

/// Those who see a project through team A and by no other way, in plain SQL.
const ONLY_THROUGH_A: &str = "SELECT u.email FROM users u JOIN team_members m ON m.user_id = u.id JOIN teams t ON t.id = m.team_id \
     WHERE t.name = 'A' \
     AND NOT EXISTS (SELECT 1 FROM role_assignments a JOIN roles r ON r.id = a.role_id WHERE a.user_id = u.id AND r.name <> 'Blind') \
     AND NOT EXISTS (SELECT 1 FROM organization_members o WHERE o.user_id = u.id AND o.role_id = 'role_organization_owner') \
     AND NOT EXISTS (SELECT 1 FROM role_assignments a JOIN team_members om ON om.team_id = a.team_id JOIN teams ot ON ot.id = a.team_id \
                     JOIN roles r ON r.id = a.role_id WHERE om.user_id = u.id AND ot.name <> 'A' AND r.name <> 'Blind') ORDER BY u.email";

#[tokio::test]
async fn what_the_grants_say_is_lost_is_what_sql_says() {
    for role_of_b in ["viewer", "Blind"] {
        for (tool, call) in [
            ("remove_project_team", json!({ "project": "Atlas", "team": "A" })),
            ("delete_team", json!({ "team": "A" })),
            ("unassign_role", json!({ "team": "A", "role": "viewer", "project": "Atlas" })),
        ] {
            let agent = Agent::new().await;
            acme(&agent, &[]).await;
            agent.ok("create_project", json!({ "name": "Atlas" })).await;
            agent.ok("create_role", json!({ "name": "Blind", "project": "Atlas", "permissions": ["project.write"] })).await;
            for (name, role) in [("A", "viewer"), ("B", role_of_b)] {
                team(&agent, name, &[]).await;
                agent.ok("add_project_team", json!({ "project": "Atlas", "team": name, "role": role })).await;
            }
            if tool == "unassign_role" {
                agent.ok("assign_role", json!({ "team": "A", "role": "Blind", "project": "Atlas" })).await;
            }
            everybody(&agent).await;
            let expected = agent.db().read().await.unwrap().texts(ONLY_THROUGH_A, &[]).await.unwrap();
            assert!(!expected.is_empty());
            let before = grants(&agent, organization("Acme")).await;
            let done = planned(&agent, tool, call.clone()).await;
            agent.ok(tool, call).await;
            let after = grants(&agent, organization("Acme")).await;
            let blind = |it: &&rolecall::access::LostAccess| {
                let is_one = matches!((&it.holder, &it.place), (Holder::Person(_), Place::Project { .. }));
                is_one && it.actions.contains(&Action::Read) && it.still.is_empty()
            };
            let mut told: Vec<String> = lost(&before, &after).iter().filter(blind).map(|it| it.holder.label().to_owned()).collect();
            told.sort();
            assert_eq!(told, expected, "{tool}, B as {role_of_b}");
            let loss = &done["impact"]["losses"][0];
            let what = if expected.len() == 1 { "person loses access" } else { "people lose access" };
            assert_eq!((&loss["what"], &loss["count"]), (&json!(what), &json!(expected.len())), "{done}");
            assert_eq!(done["impact"]["gravity"], "high", "{done}");
        }
    }
}

async fn planned(agent: &Agent, tool: &str, mut call: Value) -> Value {
    call["dry_run"] = json!(true);
    let before = agent.dump().await;
    let planned = agent.ok(tool, call).await;
    assert_eq!(agent.dump().await, before);
    planned
}

#[track_caller]
fn is(planned: &Value, gravity: &str, told: &str) {
    assert_eq!(planned["impact"]["gravity"], gravity, "{planned}");
    assert_eq!(planned["needs_consent"], gravity != "none", "{planned}");
    assert!(planned["impact"].to_string().contains(told), "{told}: {planned}");
}

#[tokio::test]
async fn losing_sight_is_asked_about_by_whichever_operation_it_comes() {
    for agent in Agent::each().await {
        acme(&agent, &["ana", "bo"]).await;
        owned(&agent).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        join(&agent, "Atlas", "ana", &["member"]).await;
        agent.ok("create_role", json!({ "name": "Porter", "permissions": ["teams.read"] })).await;
        agent.ok("create_role", json!({ "name": "Bell", "project": "Atlas", "permissions": ["project.write"] })).await;
        agent.ok("create_role", json!({ "name": "Scout", "project": "Atlas", "permissions": ["project.read", "project.write"] })).await;
        let role = json!({ "project": "Atlas", "member": email("ana"), "role": "Bell" });
        is(&planned(&agent, "update_project_member", role).await, "high", "person loses access");
        let role = json!({ "member": email("ana"), "role": "Porter" });
        is(&planned(&agent, "update_organization_member", role).await, "high", "person loses access to the organization");
        let role = json!({ "project": "Atlas", "member": email("ana"), "role": "viewer" });
        is(&planned(&agent, "update_project_member", role).await, "low", "and loses project.keys.read, project.write");
        join(&agent, "Atlas", "bo", &["Scout"]).await;
        let emptied = json!({ "role": "Scout", "project": "Atlas", "permissions": ["project.write"] });
        is(&planned(&agent, "update_role", emptied).await, "high", "person loses access");
        // An owner of the organization sees what is in it anyway.
        join(&agent, "Atlas", "olga", &["member"]).await;
        let left = planned(&agent, "remove_project_member", json!({ "project": "Atlas", "member": email("olga") })).await;
        is(&left, "low", "access through role owner of the organization stays");
    }
}

#[tokio::test]
async fn trust_is_not_built_by_those_who_ask() {
    for agent in Agent::each().await {
        acme(&agent, &["ana"]).await;
        owned(&agent).await;
        agent.ok("create_project", json!({ "name": "Atlas" })).await;
        for name in ["e1", "e2"] {
            agent.ok("create_user", json!({ "email": format!("{name}@evil.example"), "name": name })).await;
        }
        let e1 = "e1@evil.example";
        for (tool, call) in [
            ("update_organization_member", json!({ "member": e1, "role": "owner" })),
            ("assign_role", json!({ "member": e1, "role": "admin" })),
            ("add_project_member", json!({ "project": "Atlas", "member": e1, "roles": ["owner"] })),
            ("create_project", json!({ "name": "Borealis", "admin_email": e1 })),
            ("create_organization", json!({ "name": "Evil", "admin_email": e1 })),
            ("invite_organization_member", json!({ "email": "e3@evil.example", "role": "owner" })),
            ("add_project_members", json!({ "csv": format!("Atlas,{e1},owner") })),
        ] {
            is(&planned(&agent, tool, call).await, "critical", "outside the mail domains of those who manage");
        }
    }
}

#[tokio::test]
async fn whoever_is_invited_with_a_role_holds_it() {
    for agent in Agent::each().await {
        acme(&agent, &["ana"]).await;
        owned(&agent).await;
        agent.ok("create_role", json!({ "name": "Clerk", "permissions": ["organization.read"] })).await;
        agent.ok("invite_organization_member", json!({ "email": "petra@evil.example", "role": "Clerk" })).await;
        let wider = planned(&agent, "update_role", json!({ "role": "Clerk", "permissions": ["*"] })).await;
        is(&wider, "critical", "is invited to organization Acme as Clerk, with power over others: petra@evil.example");
    }
}

#[tokio::test]
async fn all_projects_at_once_are_named_by_their_sum() {
    for agent in Agent::each().await {
        acme(&agent, &[]).await;
        owned(&agent).await;
        for name in ["Atlas", "Borealis"] {
            agent.ok("create_project", json!({ "name": name })).await;
        }
        for tool in ["delete_project", "archive_project"] {
            let steps: Vec<Value> = ["Atlas", "Borealis"].map(|it| json!({ "tool": tool, "arguments": { "project": it } })).into();
            let all = planned(&agent, "apply_changes", json!({ "steps": steps })).await;
            assert_eq!(all["impact"]["gravity"], "critical", "{all}");
            assert!(all["question"].as_str().unwrap().contains("To confirm, type: 2 projects of Acme"), "{all}");
        }
    }
}

#[tokio::test]
async fn keys_kept_elsewhere_what_is_pending_and_what_is_joined_are_told() {
    for agent in Agent::each().await {
        acme(&agent, &["ana"]).await;
        owned(&agent).await;
        agent.ok("create_project", json!({ "name": "Atlas", "external_key_id": "vault-1" })).await;
        let rekeyed = planned(&agent, "update_project", json!({ "project": "Atlas", "clear": ["external_key_id"] })).await;
        is(&rekeyed, "high", "external_key_id is cleared; it was vault-1");
        let joins = planned(&agent, "add_project_member", json!({ "project": "Atlas", "member": email("ana"), "roles": ["viewer"] })).await;
        is(&joins, "none", "joins project Atlas as viewer: ana@acme.example");

        agent.ok("create_organization", json!({ "name": "Globex" })).await;
        agent.ok("invite_organization_member", json!({ "email": email("ana"), "organization": "Globex", "role": "owner" })).await;
        let leaves = planned(&agent, "remove_organization_member", json!({ "member": email("ana"), "organization": "Acme" })).await;
        is(&leaves, "high", "still invited to Globex as owner, until cancel_invitation");
        let call = json!({ "member": email("ana"), "organization": "Globex" });
        let pending = agent.fails("remove_organization_member", call, "member_not_found").await;
        assert!(pending["fix"].as_str().unwrap().contains("cancel_invitation"), "{pending}");
    }
}
