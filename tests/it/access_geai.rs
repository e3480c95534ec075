//! Who holds what at Globant Enterprise AI, and that a change is weighed by it.

use rolecall::domain::access::{Allows, Grant, GrantScope, Grants, Holder, Place, Power, State};

use crate::{
    lab::Service as _,
    support::{Value, json},
    support_geai::{Geai, organization, system},
};

const EVIL: &str = "e1@evil.example";

/// What the connection of this agent tells.
async fn told(it: &Geai, scope: GrantScope) -> Grants {
    let connection = rolecall_sandbox::geai::Geai::connect(rolecall_sandbox::geai::Geai::settings(&it.sandbox.url));
    connection.grants(scope).await.unwrap().unwrap()
}

fn of_project(name: &str) -> GrantScope {
    GrantScope::Project(name.to_owned().try_into().unwrap())
}

/// `ana.ruiz@acme.example: Project administrator of Atlas`.
fn line(it: &Grant) -> String {
    format!("{}: {} of {}", it.holder.label(), it.role.name, it.place.name())
}

fn lines(grants: &Grants) -> Vec<String> {
    grants.list.iter().map(line).collect()
}

fn gravity(dry: &Value) -> (&str, bool) {
    (dry["impact"]["gravity"].as_str().unwrap(), dry["needs_consent"].as_bool().unwrap())
}

/// What a call would do, and that nothing is sent for it.
async fn dry(it: &Geai, tool: &str, mut arguments: Value) -> Value {
    arguments["dry_run"] = json!(true);
    let told = it.agent.ok(tool, arguments).await;
    assert_eq!(it.changes(), [""; 0]);
    told
}

fn joins(project: &str, member: &str, role: &str) -> Value {
    json!({ "project": project, "member": member, "roles": [role] })
}

#[tokio::test]
async fn what_is_told_of_the_organization_is_what_the_service_holds() {
    let it = Geai::new().await;
    let grants = told(&it, GrantScope::Organization(None)).await;
    let (people, roles, keys) = {
        let held = it.sandbox.platform();
        let projects: Vec<_> = held.projects.iter().filter(|it| it.organization == organization(1)).collect();
        let roles: usize = projects.iter().flat_map(|it| &it.seats).map(|it| it.roles.len()).sum();
        let keys = held.tokens.iter().filter(|it| it.organization == organization(1) && it.project.is_some() && it.status == "Active");
        (held.organizations[0].members.len(), roles, keys.count())
    };
    let count = |fits: fn(&Grant) -> bool| grants.list.iter().filter(|it| fits(it)).count();
    assert_eq!(count(|it| matches!(it.place, Place::Organization(_))), people);
    assert_eq!(count(|it| matches!(it.place, Place::Project { .. }) && it.holder.is_people()), roles);
    assert_eq!(count(|it| matches!(it.holder, Holder::Key(_))), keys);
    assert!(grants.list.iter().all(|it| it.state == State::Active));
    let told = lines(&grants);
    for expected in [
        "tomas.quiroga@acme.example: Organization member of Acme",
        "ana.ruiz@acme.example: Project administrator of Atlas",
        "mei.tanaka@acme.example: Access all Project Assistants of Atlas",
        "ingest: full access of Cobalt",
    ] {
        assert!(told.contains(&expected.to_owned()), "{expected}: {told:?}");
    }
    for phrase in ["open invitations", "whose a key is", "administrators of the whole platform"] {
        assert!(grants.unseen.iter().any(|it| it.contains(phrase)), "{phrase}: {:?}", grants.unseen);
    }
    assert!(it.requests().iter().all(|it| it.starts_with("GET ")));
    // A token's id is the token.
    let text = serde_json::to_string(&grants).unwrap();
    assert!(!text.contains("geai-test"), "{text}");
}

#[tokio::test]
async fn a_project_is_told_with_its_keys_and_a_person_with_their_projects() {
    let it = Geai::new().await;
    let ember = told(&it, of_project("Ember")).await;
    let mut people = lines(&ember);
    people.sort();
    let expected = [
        "amara.diallo@acme.example: Project member of Ember",
        "declan.byrne@acme.example: Project administrator of Ember",
        "leo.marchetti@acme.example: Project administrator of Ember",
    ];
    assert_eq!(people, expected);
    assert!(ember.list.iter().filter(|it| it.role.owns).all(|it| it.role.power == Power::OverOthers && it.role.allows == Allows::all()));
    let atlas = told(&it, of_project("Atlas")).await;
    let keys: Vec<&Grant> = atlas.list.iter().filter(|it| matches!(it.holder, Holder::Key(_))).collect();
    assert_eq!(keys.iter().map(|it| line(it)).collect::<Vec<_>>(), ["pipeline: full access of Atlas"], "a blocked key can do nothing");
    assert_eq!((keys[0].role.power, keys[0].role.owns), (Power::OverOthers, false));

    for named in ["Ana.Ruiz@acme.example", "03000000-0000-4000-8000-000000000002"] {
        let ana = told(&it, GrantScope::Person(named.to_owned().try_into().unwrap())).await;
        let expected = ["Organization member of Acme", "Project administrator of Atlas", "Project administrator of Borealis"];
        let mut held = lines(&ana);
        held.sort();
        assert_eq!(held, expected.map(|it| format!("ana.ruiz@acme.example: {it}")), "{named}");
        assert!(ana.unseen.iter().any(|it| it == "organizations other than Acme are not checked"), "{:?}", ana.unseen);
    }
    let connection = rolecall_sandbox::geai::Geai::connect(rolecall_sandbox::geai::Geai::settings(&it.sandbox.url));
    let nobody = connection.grants(GrantScope::Person("nobody@acme.example".to_owned().try_into().unwrap())).await.unwrap_err();
    assert_eq!(nobody.code(), "member_not_found");
}

#[tokio::test]
async fn a_mail_domain_is_told_as_everybody_in_it() {
    let it = Geai::new().await;
    it.agent.ok("add_project_member", joins("Ember", "all-members@studio.example", "Project member")).await;
    let grants = told(&it, of_project("Ember")).await;
    assert!(grants.list.iter().any(|it| it.holder == Holder::Everybody("studio.example".into())), "{grants:?}");
    it.requests();
    let gone = dry(&it, "remove_project_member", json!({ "project": "Ember", "member": "all-members@studio.example" })).await;
    assert_eq!(gravity(&gone), ("high", true), "{gone}");
    assert!(gone["impact"].get("losses").is_none_or(|it| it == &json!([])), "it is not one person: {gone}");
    assert_eq!(
        gone["impact"]["notes"][0], "no longer Project member of project Ember: everybody with an address at studio.example",
        "{gone}"
    );
}

#[tokio::test]
async fn a_role_that_no_list_explains_is_never_harmless() {
    let it = Geai::new().await;
    for role in ["Map Reader", "Map Editor"] {
        let outsider = dry(&it, "add_project_member", joins("Atlas", EVIL, role)).await;
        assert_eq!(gravity(&outsider), ("critical", true), "{role}: {outsider}");
        let insider = dry(&it, "add_project_member", joins("Atlas", "tomas.quiroga@acme.example", role)).await;
        assert_eq!(gravity(&insider), ("low", true), "{role}: {insider}");
    }
    it.sandbox.platform().projects[0].own_roles[0].name = "Project member".into();
    let like_a_known_one = json!({ "project": "Atlas", "member": EVIL, "roles": ["b0000000-0000-4000-8000-000000000001"] });
    let told = dry(&it, "add_project_member", like_a_known_one).await;
    assert_eq!(gravity(&told), ("critical", true), "{told}");
}

#[tokio::test]
async fn trust_is_not_built_by_those_who_ask() {
    let it = Geai::new().await;
    it.agent.ok("add_project_member", joins("Ember", "e2@evil.example", "Project member")).await;
    assert_eq!(it.agent.questions(), [""; 0]);
    it.requests();
    let told = dry(&it, "add_project_member", joins("Ember", EVIL, "Project administrator")).await;
    assert_eq!(gravity(&told), ("critical", true), "{told}");
    let created = dry(&it, "create_project", json!({ "name": "Granite", "admin_email": EVIL })).await;
    assert_eq!(gravity(&created), ("critical", true), "{created}");
    // Nor by a role of which nobody knows what it allows.
    let guid = it.sandbox.platform().projects[0].own_roles[0].id.clone();
    {
        let mut held = it.sandbox.platform();
        let evil = held.people.iter().find(|it| it.email == "e2@evil.example").unwrap().id.clone();
        held.projects[0].seats.push(rolecall_sandbox::geai::Seat { person: evil, roles: vec![guid] });
    }
    let told = dry(&it, "add_project_member", joins("Atlas", EVIL, "Project administrator")).await;
    assert_eq!(gravity(&told), ("critical", true), "{told}");
    let trusted = dry(&it, "add_project_member", joins("Atlas", "tomas.quiroga@acme.example", "Project administrator")).await;
    assert_eq!(gravity(&trusted), ("low", true), "{trusted}");
}

#[tokio::test]
async fn a_new_organization_is_given_to_people_of_who_administers_the_platform() {
    let it = Geai::with(system).await;
    let own = dry(&it, "create_organization", json!({ "name": "Basalt", "admin_email": "ana.ruiz@acme.example" })).await;
    assert_eq!(gravity(&own), ("low", true), "{own}");
    assert_eq!(own["impact"]["notes"][0], "becomes administrator of organization Basalt, with power over others: ana.ruiz@acme.example");
    let outsider = dry(&it, "create_organization", json!({ "name": "Basalt", "admin_email": EVIL })).await;
    assert_eq!(gravity(&outsider), ("critical", true), "{outsider}");
    let domain = dry(&it, "create_organization", json!({ "name": "Basalt", "admin_email": "all-members@acme.example" })).await;
    assert_eq!(gravity(&domain), ("critical", true), "{domain}");
}

#[tokio::test]
async fn the_sum_of_a_plan_is_weighed() {
    let it = Geai::new().await;
    let names = ["Atlas", "Borealis", "Cobalt", "Delta Forecast", "Ember", "Fieldnotes"];
    let plan = |names: &[&str]| {
        let steps = names
            .iter()
            .zip(1..)
            .map(|(name, at)| json!({ "id": format!("s{at}"), "tool": "delete_project", "arguments": { "project": name } }));
        json!({ "steps": steps.collect::<Vec<_>>() })
    };
    let all = dry(&it, "apply_changes", plan(&names)).await;
    assert_eq!(gravity(&all), ("critical", true), "{all}");
    let some = dry(&it, "apply_changes", plan(&["Borealis", "Ember"])).await;
    assert_eq!(gravity(&some), ("high", true), "{some}");
}

#[tokio::test]
async fn not_quite_nothing_asks_like_nothing() {
    let it = Geai::new().await;
    let set = |project: &str, unit: &str, hard: f64, renewal: &str| json!({ "project": project, "subscription_type": "Monthly", "usage_unit": unit, "soft_limit": 0, "hard_limit": hard, "renewal": renewal });
    for (arguments, asks) in [
        (set("Atlas", "Cost", 0.0, "Renewable"), true),
        (set("Atlas", "Cost", 0.000_001, "Renewable"), true),
        (set("Atlas", "Requests", 1.0, "Renewable"), true),
        (set("Atlas", "Cost", 1000.0, "NonRenewable"), true),
        (set("Atlas", "Cost", 900.0, "Renewable"), false),
        (set("Ember", "Cost", 0.000_001, "Renewable"), true),
        (set("Ember", "Requests", 1.0, "Renewable"), true),
        (set("Ember", "Cost", 900.0, "Renewable"), false),
    ] {
        let told = dry(&it, "set_usage_limit", arguments.clone()).await;
        let expected = if asks { "low" } else { "none" };
        assert_eq!(gravity(&told), (expected, asks), "{arguments}: {told}");
    }
    let id = "04000000-0000-4000-8000-000000000003";
    for (mut change, asks) in [
        (json!({ "soft_limit": 0, "hard_limit": 0.000_001 }), true),
        // Below what is used already.
        (json!({ "soft_limit": 0, "hard_limit": 120 }), true),
        (json!({ "renewal": "NonRenewable" }), true),
        (json!({ "soft_limit": 0, "hard_limit": 900 }), false),
        (json!({ "soft_limit": 1 }), false),
    ] {
        (change["project"], change["usage_limit"]) = (json!("Atlas"), json!(id));
        let told = dry(&it, "update_usage_limit", change.clone()).await;
        let expected = if asks { "low" } else { "none" };
        assert_eq!(gravity(&told), (expected, asks), "{change}: {told}");
    }
}

#[tokio::test]
async fn what_is_lost_is_told_once_and_so_is_what_cannot_be_seen() {
    let it = Geai::new().await;
    let told = dry(&it, "remove_project_member", json!({ "project": "Atlas", "member": "mei.tanaka@acme.example" })).await;
    assert_eq!(gravity(&told), ("high", true), "{told}");
    let lost = json!([{ "count": 1, "what": "person loses access", "examples": ["mei.tanaka@acme.example"] }]);
    assert_eq!(told["impact"]["losses"], lost, "{told}");
    assert!(told["impact"]["notes"].to_string().contains("whether an invitation of theirs is still open cannot be seen"), "{told}");
    let key = dry(&it, "create_api_key", json!({ "project": "Atlas", "name": "ci", "description": "Pipeline" })).await;
    assert_eq!(gravity(&key), ("low", true), "{key}");
    assert_eq!(key["impact"]["notes"][0], "the key can do what full access allows in project Atlas, with power over others: ci", "{key}");
    let key = |name: &str| json!({ "project": "Atlas", "api_key": name });
    let stopped = dry(&it, "delete_api_key", key("pipeline")).await;
    assert_eq!(gravity(&stopped), ("high", true), "{stopped}");
    let blocked = dry(&it, "delete_api_key", key("notebook")).await;
    assert_eq!(gravity(&blocked), ("high", true), "{blocked}");
    let gone = dry(&it, "delete_project", json!({ "project": "Atlas" })).await;
    assert_eq!(gravity(&gone), ("high", true), "{gone}");
    assert!(!gone.to_string().contains("geai-test"), "{gone}");
}
