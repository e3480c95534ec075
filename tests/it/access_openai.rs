//! OpenAI: who holds what as the one reader tells it, and what is asked about losses and gains of access.

use std::collections::BTreeSet;

use rolecall::{
    domain::{
        MemberRef, OrganizationRef, ProjectRef,
        access::{GrantScope, Grants, Holder, Power, State, Via},
    },
    error::ProviderError,
    providers::openai::connect,
};
use rolecall_sandbox::openai::ADMIN_KEY;

use crate::{
    support::{Value, json},
    support_openai::{Company, settings},
};

async fn grants(company: &Company, scope: GrantScope) -> Grants {
    connect(settings(&company.sandbox.url, ADMIN_KEY)).grants(scope).await.unwrap().unwrap()
}

fn project(name: &str) -> GrantScope {
    GrantScope::Project(ProjectRef::try_from(name.to_owned()).unwrap())
}

fn person(email: &str) -> GrantScope {
    GrantScope::Person(MemberRef::try_from(email.to_owned()).unwrap())
}

/// One line for each grant: `ana.ruiz@acme.example owner of project Atlas by a role of their own`.
fn lines(grants: &Grants) -> BTreeSet<String> {
    let line = |it: &rolecall::domain::access::Grant| {
        let pending = if it.state == State::Pending { ", pending" } else { "" };
        format!("{} {} of {} by {}{pending}", it.holder.label(), it.role.name, it.place, it.via)
    };
    grants.list.iter().map(line).collect()
}

#[tokio::test]
async fn the_grants_of_the_organization_are_those_that_the_service_holds() {
    let company = Company::new().await;
    let all = grants(&company, GrantScope::Organization(None)).await;
    let state = company.state();
    let items = |value: &Value| value.as_array().unwrap().clone();
    let active: Vec<Value> = items(&state["projects"]).into_iter().filter(|it| it["archived_at"].is_null()).collect();
    let of_projects = |field: &str| active.iter().map(|it| it[field].as_array().unwrap().len()).sum::<usize>();
    let count = |meant: fn(&rolecall::domain::access::Grant) -> bool| all.list.iter().filter(|it| meant(it)).count();
    let is_person = |it: &rolecall::domain::access::Grant| matches!(it.holder, Holder::Person(_));
    let direct = all.list.iter().filter(|it| is_person(it) && !matches!(it.via, Via::Team(_)));
    let nouns = |noun: &str| direct.clone().filter(|it| it.place.noun() == noun).count();
    let seats: usize = items(&state["groups"]).iter().map(|it| it["members"].as_array().unwrap().len()).sum();
    assert_eq!((nouns("organization"), nouns("project"), nouns("team")), (items(&state["users"]).len(), of_projects("members"), seats));
    let of_teams = items(&state["assignments"]).iter().filter(|it| it["principal"].get("Group").is_some()).count();
    assert_eq!(count(|it| matches!(it.holder, Holder::Team(_))), of_teams);
    assert_eq!(count(|it| matches!(it.holder, Holder::ServiceAccount(_))), of_projects("service_accounts"));
    // One key of each project has expired or belongs to nobody there; Chidi's has the two roles of his team.
    let keys: BTreeSet<&str> = all.list.iter().filter(|it| matches!(it.holder, Holder::Key(_))).map(|it| it.holder.label()).collect();
    assert_eq!(keys, BTreeSet::from(["Secret Key", "laptop", "notebook", "operations", "probe", "reports", "review"]));
    assert_eq!(count(|it| it.state == State::Pending), 2);
    let lines = lines(&all);
    for line in [
        "marta.nowicka@acme.example owner of organization openai by a role of their own",
        "marta.nowicka@acme.example owner of project Atlas by role owner of the organization",
        "ana.ruiz@acme.example owner of project Atlas by a role of their own",
        "chidi.okonjo@acme.example key master of project Atlas by team Reviewers",
        "ravi.deshpande@acme.example webhook keeper of organization openai by team Engineering",
        "Engineering webhook keeper of organization openai by a role of their own",
        "ana.ruiz@acme.example member of team Engineering by a role of their own",
        "Tide owner of project Borealis by a role of their own",
        "review key master of project Atlas by its owner",
        "operations owner of organization openai by its owner",
        "lena@studio-vogel.example reader of organization openai by a role of their own, pending",
        "lena@studio-vogel.example member of project Atlas by a role of their own, pending",
    ] {
        assert!(lines.contains(line), "{line} is not in {lines:#?}");
    }
    assert_eq!(
        all.unseen,
        [
            "which further roles of the organization 11 people hold themselves was not checked",
            "the service does not tell to which scopes a key is restricted",
            "further roles that people were given themselves in projects were not checked",
        ]
    );
    assert_eq!(company.writes(), [""; 0]);
}

#[tokio::test]
async fn the_grants_of_a_project_name_owners_of_the_organization_and_roles_beside_a_membership() {
    let company = Company::new().await;
    company.directly("POST", "/projects/proj_atlas/users/user-mei/roles", &json!({ "role_id": "role_key_master" }));
    let all = grants(&company, project("Atlas")).await;
    let lines = lines(&all);
    for line in [
        "oskar.lindqvist@acme.example owner of organization openai by a role of their own",
        "oskar.lindqvist@acme.example owner of project Atlas by role owner of the organization",
        "mei.tanaka@acme.example member of project Atlas by a role of their own",
        "mei.tanaka@acme.example key master of project Atlas by a role of their own",
        "elif.kaya@acme.example viewer of project Atlas by team Reviewers",
        "lena@studio-vogel.example member of project Atlas by a role of their own, pending",
        "Drift none of project Atlas by a role of their own",
        "notebook member of project Atlas by its owner",
    ] {
        assert!(lines.contains(line), "{line} is not in {lines:#?}");
    }
    assert!(!lines.iter().any(|it| it.starts_with("trial ") || it.starts_with("before the move ")), "{lines:#?}");
    let power = |who: &str, role: &str| {
        let found = all.list.iter().find(|it| it.holder.label() == who && it.role.name == role);
        found.map(|it| it.role.power)
    };
    assert_eq!(power("mei.tanaka@acme.example", "member"), Some(Power::None));
    assert_eq!(power("mei.tanaka@acme.example", "key master"), Some(Power::OverOthers));
    assert!(all.unseen.iter().any(|it| it == "who reaches the project by a role of the organization other than `owner` was not checked"));
}

#[tokio::test]
async fn the_grants_of_a_person_come_from_every_project_that_is_looked_into() {
    let company = Company::new().await;
    let elif = grants(&company, person("elif.kaya@acme.example")).await;
    assert_eq!(
        lines(&elif),
        [
            "elif.kaya@acme.example key master of project Atlas by team Reviewers",
            "elif.kaya@acme.example member of project Default project by a role of their own",
            "elif.kaya@acme.example member of team Reviewers by a role of their own",
            "elif.kaya@acme.example owner of project Helpdesk by a role of their own",
            "elif.kaya@acme.example reader of organization openai by a role of their own",
            "elif.kaya@acme.example viewer of project Atlas by team Reviewers",
        ]
        .map(str::to_owned)
        .into()
    );
    assert_eq!(elif.unseen, [""; 0]);
    let grace = lines(&grants(&company, person("grace.whitfield@acme.example")).await);
    assert!(grace.contains("grace.whitfield@acme.example auditor of organization openai by a role of their own"), "{grace:#?}");
    let lena = grants(&company, person("lena@studio-vogel.example")).await;
    assert_eq!((lena.list.len(), lena.list.iter().all(|it| it.state == State::Pending)), (2, true));
    let connection = connect(settings(&company.sandbox.url, ADMIN_KEY));
    let nobody = connection.grants(person("nobody@acme.example")).await.unwrap_err();
    assert!(matches!(nobody, ProviderError::NotFound { kind: "member", .. }), "{nobody}");
    let other = GrantScope::Organization(Some(OrganizationRef::try_from("Other".to_owned()).unwrap()));
    assert!(matches!(connection.grants(other).await.unwrap_err(), ProviderError::NotFound { kind: "organization", .. }));
}

#[tokio::test]
async fn of_many_projects_and_teams_only_some_are_looked_at_and_the_rest_is_told() {
    let company = Company::new().await;
    for number in 0..9 {
        company.directly("POST", "/organization/groups", &json!({ "name": format!("Team {number}") }));
        company.directly("POST", "/organization/projects", &json!({ "name": format!("P {number}") }));
    }
    let all = grants(&company, GrantScope::Organization(None)).await;
    for phrase in ["4 more teams were not checked", "6 more projects were not checked"] {
        assert!(all.unseen.iter().any(|it| it == phrase), "{:?}", all.unseen);
    }
}

/// What a change would mean: its gravity, and all that is told of it. Nothing is sent.
async fn weighed(company: &Company, tool: &str, mut arguments: Value) -> (String, String) {
    arguments["dry_run"] = json!(true);
    let (preview, sent) = company.change(tool, arguments).await;
    assert_eq!(sent, [""; 0]);
    let gravity = preview["impact"]["gravity"].as_str().unwrap().to_owned();
    assert_eq!(preview["needs_consent"].as_bool(), Some(gravity != "none"), "{preview}");
    (gravity, preview["impact"].to_string())
}

/// The same company with something else in its state.
fn given(company: &Company, pointer: &str, value: Value) {
    let mut state = serde_json::to_value(&*company.sandbox.platform()).unwrap();
    *state.pointer_mut(pointer).unwrap() = value;
    *company.sandbox.platform() = serde_json::from_value(state).unwrap();
}

#[tokio::test]
async fn a_loss_is_asked_about_whichever_operation_brings_it() {
    let company = Company::new().await;
    company.directly("POST", "/organization/roles", &json!({ "role_name": "blind", "permissions": [] }));
    let jonas = "jonas.weber@acme.example";
    for (tool, arguments, gravity, told) in [
        (
            "update_project_member",
            json!({ "project": "Atlas", "member": "user-ana", "role": "member" }),
            "low",
            "no longer owner of project Atlas",
        ),
        ("update_organization_member", json!({ "member": jonas, "role": "blind" }), "high", "person loses access to the organization"),
        ("update_organization_member", json!({ "member": jonas, "role": "auditor" }), "low", "and loses api.groups.read"),
        (
            "update_organization_member",
            json!({ "member": "user-oskar", "role": "reader" }),
            "low",
            "no longer owner of organization openai",
        ),
        ("unassign_role", json!({ "project": "Atlas", "role": "member", "member": jonas }), "high", "person loses access"),
        ("unassign_role", json!({ "role": "reader", "member": jonas }), "high", "person loses access to the organization"),
        ("remove_project_member", json!({ "project": "Atlas", "member": jonas }), "high", "person loses access"),
        ("remove_team_member", json!({ "team": "Reviewers", "member": "user-chidi" }), "high", "person loses access"),
        ("remove_project_team", json!({ "project": "Atlas", "team": "Reviewers" }), "high", "people lose access"),
        ("delete_team", json!({ "team": "Reviewers" }), "high", "people lose access"),
        ("update_role", json!({ "project": "Atlas", "role": "key master", "permissions": [] }), "low", "people lose permissions"),
        ("delete_role", json!({ "project": "Atlas", "role": "key master" }), "high", "access through team Reviewers stays"),
        (
            "update_role",
            json!({ "role": "auditor", "permissions": [] }),
            "high",
            "people lose access to the organization; the service does not list who",
        ),
        ("delete_role", json!({ "role": "auditor" }), "high", "people lose the role; the service does not list who"),
    ] {
        let (found, impact) = weighed(&company, tool, arguments.clone()).await;
        assert_eq!(found, gravity, "{tool} {arguments}: {impact}");
        assert!(impact.contains(told), "{tool} {arguments}: {impact}");
    }
    // Priya reaches Borealis by a membership of her own and through her team.
    for (tool, arguments) in [
        ("remove_project_member", json!({ "project": "Borealis", "member": "user-priya" })),
        ("remove_team_member", json!({ "team": "Field crew", "member": "user-priya" })),
        ("remove_project_team", json!({ "project": "Borealis", "team": "Field crew" })),
    ] {
        let (found, impact) = weighed(&company, tool, arguments).await;
        assert!(found == "low" && !impact.contains("access\""), "{tool}: {impact}");
    }
    // Who owns a project loses nothing by becoming an owner of the organization.
    let (_, impact) = weighed(&company, "update_organization_member", json!({ "member": jonas, "role": "owner" })).await;
    assert!(!impact.contains("no longer"), "{impact}");
}

#[tokio::test]
async fn people_without_power_lend_no_trust() {
    let company = Company::new().await;
    // One is a plain member, one owns a project, and one was invited.
    given(&company, "/users/11/email", json!("e1@evil.example"));
    given(&company, "/users/10/email", json!("e2@evil.example"));
    company.directly("POST", "/organization/invites", &json!({ "email": "e4@evil.example", "role": "owner", "projects": [] }));
    let who = "e1@evil.example";
    company.directly("POST", "/organization/groups/group_crew/users", &json!({ "user_id": "user-leo" }));
    for (tool, arguments) in [
        ("invite_organization_member", json!({ "email": "e3@evil.example", "role": "owner" })),
        ("update_organization_member", json!({ "member": who, "role": "owner" })),
        ("assign_role", json!({ "member": who, "role": "owner" })),
        ("add_project_member", json!({ "project": "Atlas", "member": who, "roles": ["member", "key master"] })),
        ("add_team_member", json!({ "team": "Reviewers", "member": who })),
        ("add_project_team", json!({ "project": "Helpdesk", "team": "Field crew", "role": "owner" })),
    ] {
        let (gravity, impact) = weighed(&company, tool, arguments).await;
        assert_eq!(gravity, "critical", "{tool}: {impact}");
        assert!(impact.contains("outside the mail domains of those who manage openai"), "{tool}: {impact}");
    }
}

#[tokio::test]
async fn whoever_may_hold_a_role_is_reckoned_with_when_it_gets_power() {
    let company = Company::new().await;
    // Eleven people are too many to be asked for one by one.
    let (gravity, impact) = weighed(&company, "update_role", json!({ "role": "auditor", "permissions": ["*"] })).await;
    assert_eq!(gravity, "critical", "{impact}");
    assert!(impact.contains("people whom the service does not list"), "{impact}");
    // Those of a project are few.
    let wider = json!({ "project": "Atlas", "role": "key master", "permissions": ["*"] });
    let (gravity, impact) = weighed(&company, "update_role", wider.clone()).await;
    assert!(gravity == "low" && impact.contains("through team Reviewers: elif.kaya@acme.example, chidi.okonjo@acme.example"), "{impact}");
    given(&company, "/users/6/email", json!("chidi@evil.example"));
    assert_eq!(weighed(&company, "update_role", wider.clone()).await.0, "critical");
}

#[tokio::test]
async fn the_sum_of_a_plan_is_weighed() {
    let company = Company::new().await;
    let step = |tool: &str, argument: &str, value: &str| json!({ "tool": tool, "arguments": { argument: value } });
    let projects: Vec<Value> = ["Atlas", "Borealis", "Helpdesk", "Weather map"].map(|it| step("archive_project", "project", it)).into();
    let people = ["ana", "jonas", "mei", "priya", "chidi", "elif", "linh", "noor", "ravi", "leo", "grace"];
    let people: Vec<Value> = people.map(|it| step("remove_organization_member", "member", &format!("user-{it}"))).into();
    for (steps, sum) in [(projects, "4 projects of openai"), (people, "11 people of openai")] {
        let (preview, sent) = company.change("apply_changes", json!({ "steps": steps, "dry_run": true })).await;
        assert_eq!((sent.len(), preview["impact"]["gravity"].as_str()), (0, Some("critical")), "{preview}");
        assert!(preview["question"].as_str().unwrap().ends_with(&format!("type: {sum}")), "{preview}");
    }
}

#[tokio::test]
async fn nearly_nothing_and_another_key_reference_are_asked_about() {
    let company = Company::new().await;
    let rate = |value: u64| json!({ "project": "Atlas", "model": "gpt-6-astra", "max_requests_per_1_minute": value });
    for (value, gravity) in [(0, "low"), (1, "low"), (1000, "low"), (9000, "none")] {
        assert_eq!(weighed(&company, "update_rate_limit", rate(value)).await.0, gravity, "{value}");
    }
    let key = |value: &str| json!({ "project": "Atlas", "external_key_id": value });
    assert_eq!(weighed(&company, "update_project", key("k")).await.0, "low");
    given(&company, "/projects/1/external_key_id", json!("old"));
    let (gravity, impact) = weighed(&company, "update_project", key("k")).await;
    assert!(gravity == "high" && impact.contains("external_key_id changes from old to k"), "{impact}");
    assert_eq!(weighed(&company, "update_project", json!({ "project": "Atlas", "clear": ["external_key_id"] })).await.0, "high");
    assert_eq!(weighed(&company, "update_project", key("old")).await.0, "none");
}

#[tokio::test]
async fn what_is_pending_is_told_to_whoever_offboards() {
    let company = Company::new().await;
    let fix = "an invitation is pending: lena@studio-vogel.example as reader [invite-lena]; \
               wait until it is accepted, or end it with cancel_invitation";
    let lena = "lena@studio-vogel.example";
    let error = company.refused("remove_organization_member", json!({ "member": lena }), "member_not_found").await;
    assert_eq!(error["fix"], fix);
    let join = json!({ "project": "Atlas", "member": lena, "roles": ["member"] });
    assert_eq!(company.refused("add_project_member", join, "not_in_organization").await["fix"], fix);
    given(&company, "/invites/2/email", json!("leo.marchetti@acme.example"));
    given(&company, "/invites/2/role", json!("owner"));
    let (gravity, impact) = weighed(&company, "remove_organization_member", json!({ "member": "user-leo" })).await;
    assert!(gravity == "high" && impact.contains("leo.marchetti@acme.example as owner [invite-lena]"), "{impact}");
}

#[tokio::test]
async fn the_role_stands_before_the_names_of_those_who_get_it() {
    let company = Company::new().await;
    for (tool, arguments, told) in [
        (
            "add_project_member",
            json!({ "project": "Atlas", "member": "user-linh", "roles": ["member"] }),
            "joins project Atlas as member: linh",
        ),
        (
            "invite_organization_member",
            json!({ "email": "new@acme.example", "projects": ["Atlas"] }),
            "is invited to project Atlas as member: new@",
        ),
        (
            "add_team_member",
            json!({ "team": "Field crew", "member": "user-leo" }),
            "joins project Borealis as member through team Field crew: leo",
        ),
        (
            "create_service_account",
            json!({ "project": "Atlas", "name": "Lantern" }),
            "service account gets member in project Atlas: Lantern",
        ),
        ("assign_role", json!({ "role": "auditor", "member": "user-leo" }), "joins organization openai as auditor: leo"),
    ] {
        let (_, impact) = weighed(&company, tool, arguments).await;
        assert!(impact.contains(told), "{tool}: {impact}");
    }
}
