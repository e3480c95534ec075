//! Who holds what at the Engine, and what is asked before that changes.

use std::collections::BTreeSet;

use rolecall::{
    access,
    domain::access::{Action, Allows, Grant, GrantScope, Grants, Holder, Place, Power, State, Via},
    error::ProviderError,
    providers::engine::Settings,
};
use rolecall_sandbox::engine::{Account, Engine, Gateway, Quirks, Seat};

use crate::{
    lab::Service as _,
    support::{Value, json},
    support_engine::Stage,
};

const TOKENS: &str = "the service does not list the custom tokens with which programs act as a person";
const OWNERS: &str = "the service does not say whether owners of an organization, and roles it does not explain, reach all its projects";
const HIDDEN: &str = "projects that the account of this connection does not see are not listed";
const ELSEWHERE: &str = "organizations and projects that the account of this connection does not see are not looked into";

async fn read(stage: &Stage, scope: GrantScope) -> Result<Grants, ProviderError> {
    Ok(Engine::connect(Engine::settings(&stage.sandbox.url)).grants(scope).await?.unwrap())
}

fn organization(named: &str) -> GrantScope {
    GrantScope::Organization(Some(named.to_owned().try_into().unwrap()))
}

fn project(named: &str) -> GrantScope {
    GrantScope::Project(named.to_owned().try_into().unwrap())
}

fn person(named: &str) -> GrantScope {
    GrantScope::Person(named.to_owned().try_into().unwrap())
}

/// The ids of place, person and role.
type Held = BTreeSet<(String, String, String)>;

fn id_of(place: &Place) -> &str {
    match place {
        Place::Organization(it) | Place::Project { project: it, .. } | Place::Team { team: it, .. } => &it.id,
    }
}

fn told(grants: &Grants) -> Held {
    let person = |it: &Holder| match it {
        Holder::Person(it) => it.id.clone().unwrap(),
        other => panic!("{other:?}"),
    };
    let held: Held = grants.list.iter().map(|it| (id_of(&it.place).to_owned(), person(&it.holder), it.role.id.clone())).collect();
    assert_eq!(held.len(), grants.list.len(), "each is told once");
    assert!(grants.list.iter().all(|it| it.via == Via::Own && it.state == State::Active), "there are neither teams nor invitations here");
    held
}

/// What the sandbox holds, of those that are meant by place and person.
fn holds(stage: &Stage, is_meant: impl Fn(&str, &str) -> bool) -> Held {
    let platform = stage.sandbox.platform();
    let places = platform.orgs.iter().map(|it| (&it.id, &it.seats)).chain(platform.projects.iter().map(|it| (&it.id, &it.seats)));
    let all = places.flat_map(|(place, seats)| seats.iter().map(move |it| (place.clone(), it.user.clone(), it.role.clone())));
    all.filter(|it| is_meant(&it.0, &it.1)).collect()
}

fn place(grants: &Grants, id: &str) -> Place {
    grants.list.iter().map(|it| &it.place).find(|it| id_of(it) == id).unwrap().clone()
}

fn emails(grants: &[&Grant]) -> Vec<String> {
    grants.iter().map(|it| it.holder.label().to_owned()).collect()
}

#[tokio::test]
async fn the_reader_says_what_the_service_holds() {
    for (gateway, role_as_id) in [(Gateway::Older, false), (Gateway::Newer, true)] {
        let stage = Stage::with(Quirks { gateway, role_as_id, ..Quirks::default() }, |_| {}).await;
        let all = read(&stage, organization("Acme Research")).await.unwrap();
        let here = ["o-2", "p-2", "p-3", "p-4"];
        assert_eq!(told(&all), holds(&stage, |place, _| here.contains(&place)));
        assert_eq!((all.list.len(), &all.unseen), (13, &vec![OWNERS.to_owned(), HIDDEN.to_owned(), TOKENS.to_owned()]));

        // Her place is in one project only: she is an external user.
        let lena = all.list.iter().find(|it| it.holder.label() == "lena@studio-vogel.example").unwrap();
        assert_eq!((lena.place.name(), lena.role.power, lena.role.reads()), ("Invoice matching", Power::None, true));
        assert_eq!(lena.place.organization().name, "Acme Research");
        let deleting = access::who_can(&all.list, &place(&all, "o-2"), Action::Delete);
        assert_eq!(emails(&deleting), ["ada@northwind.example", "helena.brandt@acme.example"]);
        assert!(deleting.iter().all(|it| it.role.owns && it.role.inside == Allows::Unknown));
        assert_eq!(access::who_can(&all.list, &place(&all, "o-2"), Action::Write).len(), 3);
        assert_eq!(access::only_owner(&all.list, &place(&all, "p-3")).unwrap().label(), "tomas.quiroga@acme.example");
    }
}

#[tokio::test]
async fn the_reader_says_who_is_in_a_project_and_who_may_reach_it() {
    let stage = Stage::new().await;
    let all = read(&stage, project("Invoice matching")).await.unwrap();
    let owners = [("o-2", "u-1"), ("o-2", "u-2")];
    assert_eq!(told(&all), holds(&stage, |place, user| place == "p-3" || owners.contains(&(place, user))));
    assert_eq!((all.list.len(), &all.unseen), (5, &vec![OWNERS.to_owned(), TOKENS.to_owned()]));
    // Owners of the organization perhaps can, and their role says so.
    let deleting = access::who_can(&all.list, &place(&all, "p-3"), Action::Delete);
    assert_eq!(emails(&deleting), ["tomas.quiroga@acme.example", "ada@northwind.example", "helena.brandt@acme.example"]);
}

#[tokio::test]
async fn the_reader_says_all_that_one_person_holds() {
    let stage = Stage::new().await;
    let ada = read(&stage, person("ADA@northwind.example")).await.unwrap();
    assert_eq!(told(&ada), holds(&stage, |_, user| user == "u-1"));
    assert_eq!((ada.list.len(), &ada.unseen), (7, &vec![OWNERS.to_owned(), ELSEWHERE.to_owned(), TOKENS.to_owned()]));
    assert_eq!(told(&read(&stage, person("u-10")).await.unwrap()), holds(&stage, |_, user| user == "u-10"));
    // An account without any place.
    assert_eq!(read(&stage, person("lin@northwind.example")).await.unwrap().list, []);
    let nobody = read(&stage, person("nobody@acme.example")).await.unwrap_err();
    assert!(matches!(nobody, ProviderError::NotFound { kind: "member", .. }), "{nobody:?}");
}

#[tokio::test]
async fn a_role_that_nobody_explains_is_told_as_unknown() {
    let stage = Stage::with(Quirks { hides_roles: true, role_as_id: true, ..Quirks::default() }, |_| {}).await;
    let all = read(&stage, organization("o-2")).await.unwrap();
    assert_eq!(told(&all), holds(&stage, |place, _| ["o-2", "p-2", "p-3", "p-4"].contains(&place)));
    assert!(all.list.iter().all(|it| it.role.power == Power::Unknown && !it.role.owns && !it.role.reads()));
}

async fn impact(stage: &Stage, tool: &str, mut arguments: Value) -> Value {
    arguments["dry_run"] = true.into();
    let preview = stage.agent.ok(tool, arguments).await;
    assert_eq!(preview["needs_consent"], json!(preview["impact"]["gravity"] != "none"), "{preview}");
    preview["impact"].clone()
}

#[tokio::test]
async fn whoever_asks_cannot_make_a_mail_domain_trusted() {
    let stage = Stage::new().await;
    let account = Account { id: "u-90".into(), email: "e1@evil.example".into(), ..stage.sandbox.platform().accounts[0].clone() };
    stage.sandbox.platform().accounts.push(account);
    let owner = json!({ "email": "e1@evil.example", "role": "owner", "organization": "o-2" });
    assert_eq!(impact(&stage, "add_organization_member", owner.clone()).await["gravity"], "critical");
    let made = json!({ "email": "e2@evil.example", "name": "E2", "organization": "o-2" });
    stage.agent.ok("create_user", made).await;
    assert_eq!(stage.agent.questions(), Vec::<String>::new());
    let asked = impact(&stage, "add_organization_member", owner.clone()).await;
    assert_eq!(asked["gravity"], "critical");
    assert_eq!(asked["notes"][1], "outside the mail domains of those who manage Acme Research: e1@evil.example");
    // She is a member now, and still of a domain that nobody in power has.
    let owns = json!({ "project": "p-2", "member": "e2@evil.example", "roles": ["owner"] });
    assert_eq!(impact(&stage, "add_project_member", owns).await["gravity"], "critical");
    // Nor does somebody lend trust whose role nobody can explain.
    stage.sandbox.platform().orgs[1].seats.push(Seat { user: "u-10".into(), role: "r-mystery".into() });
    let another = |email: &str| json!({ "email": email, "name": "Another", "role": "owner", "organization": "o-2" });
    assert_eq!(impact(&stage, "create_user", another("another@studio-vogel.example")).await["gravity"], "critical");
    // Whoever holds power does.
    assert_eq!(impact(&stage, "create_user", another("another@acme.example")).await["gravity"], "low");
}

#[tokio::test]
async fn a_role_with_a_harmless_ending_is_not_taken_for_harmless() {
    let own = |it: &mut Settings| {
        it.role_ids = [("OrgKeyViewer".to_owned(), "r-1".to_owned()), ("ProjectSuperEditor".to_owned(), "r-2".to_owned())].into();
    };
    let stage = Stage::with(Quirks::default(), own).await;
    let viewer = json!({ "email": "lena@studio-vogel.example", "role": "OrgKeyViewer", "organization": "o-2" });
    let asked = impact(&stage, "add_organization_member", viewer).await;
    assert_eq!(asked["gravity"], "critical");
    let told = "becomes OrgKeyViewer of organization Acme Research (Rolecall cannot see what this role allows): lena@studio-vogel.example";
    assert_eq!(asked["notes"][0], told);
    let editor = json!({ "project": "p-2", "member": "u-6", "roles": ["ProjectSuperEditor"] });
    assert_eq!(impact(&stage, "add_project_member", editor).await["gravity"], "low");
}

#[tokio::test]
async fn a_service_that_explains_no_role_trusts_nobody() {
    let own = |it: &mut Settings| it.role_ids = [("OrgOwner".to_owned(), "r-x".to_owned())].into();
    let stage = Stage::with(Quirks { hides_roles: true, role_as_id: true, ..Quirks::default() }, own).await;
    let lin = json!({ "email": "lin@northwind.example", "role": "owner", "organization": "o-2" });
    let asked = impact(&stage, "add_organization_member", lin).await;
    assert_eq!(asked["gravity"], "critical");
    assert_eq!(
        asked["notes"][1],
        "the service does not list who manages the organization, so everybody counts as an outsider: lin@northwind.example"
    );
    let removed = impact(&stage, "remove_organization_member", json!({ "member": "u-2", "organization": "o-2" })).await;
    assert_eq!(removed["gravity"], "high");
    assert_eq!(removed["notes"][2], "Rolecall cannot see whether Acme Research keeps an owner");
}

#[tokio::test]
async fn the_role_is_named_before_the_people() {
    let stage = Stage::new().await;
    let joins = impact(&stage, "add_organization_member", json!({ "email": "lin@northwind.example", "organization": "o-2" })).await;
    assert_eq!(joins["notes"], json!(["joins organization Acme Research as Organization Viewer: lin@northwind.example"]));
    let joins = impact(&stage, "add_project_member", json!({ "project": "p-2", "member": "u-6", "roles": ["viewer"] })).await;
    assert_eq!(joins["notes"], json!(["joins project Churn forecast as Project Viewer: priya.raman@acme.example"]));
}

#[tokio::test]
async fn the_sum_of_a_plan_is_asked_about() {
    let stage = Stage::new().await;
    let deletions: Vec<Value> =
        ["p-2", "p-3", "p-4"].iter().map(|it| json!({ "tool": "delete_project", "arguments": { "project": it } })).collect();
    let all = impact(&stage, "apply_changes", json!({ "steps": deletions })).await;
    assert_eq!(all["gravity"], "critical", "{all}");
    let two = impact(&stage, "apply_changes", json!({ "steps": deletions[..2] })).await;
    assert_eq!(two["gravity"], "high", "{two}");
    let leaving = |ids: &[&str]| {
        let step = |it: &&str| json!({ "tool": "remove_organization_member", "arguments": { "member": it, "organization": "o-2" } });
        json!({ "steps": ids.iter().map(step).collect::<Vec<_>>() })
    };
    assert_eq!(impact(&stage, "apply_changes", leaving(&["u-5", "u-6"])).await["gravity"], "high");
    assert_eq!(impact(&stage, "apply_changes", leaving(&["u-4", "u-5", "u-6", "u-8"])).await["gravity"], "critical");
    assert_eq!(stage.sent(), []);
    stage.agent.ok("apply_changes", json!({ "steps": deletions })).await;
    let question = stage.agent.questions().pop().unwrap();
    assert!(question.ends_with("To confirm, type: 3 projects of Acme Research"), "{question}");
}

#[tokio::test]
async fn nobody_else_is_suggested_for_a_removal() {
    let stage = Stage::new().await;
    for stranger in ["eva.cruz@acme.example", "person@acme.example", "helen@acme.example"] {
        let arguments = json!({ "member": stranger, "organization": "o-2" });
        let answer = stage.refuses("remove_organization_member", arguments, "member_not_found").await;
        assert_eq!(answer["fix"], "find them with list_organization_members: give a whole name, an e-mail address or an id", "{stranger}");
    }
    let slip = json!({ "member": "ana.riuz@acme.example", "organization": "o-2" });
    let answer = stage.refuses("remove_organization_member", slip, "member_not_found").await;
    assert_eq!(answer["fix"], "did you mean `ana.ruiz@acme.example (Ana Ruiz)`?");
}
