//! Lists of services that go on oddly: they come whole, each item once, or it is said that they are not.

use rolecall_sandbox::{Answer, Call, Platform as _, engine::Engine, geai::Geai, openai::Openai, seeme::Seeme};

use crate::{
    odd::{configured, each_object, is, odd, with_json},
    support::{Value, json},
    support_openai::each,
};

/// Everybody of the practice company, in pages of three that end at places the service chooses.
fn people(at: &mut Openai, call: &Call) -> Vec<Value> {
    let mut whole = call.clone();
    whole.query = vec![("limit".into(), "100".into())];
    serde_json::from_slice::<Value>(&at.answer(&whole).body).unwrap()["data"].as_array().unwrap().clone()
}

fn page(data: &[Value], next: Option<&str>) -> Answer {
    Answer::ok(&json!({ "object": "list", "data": data, "has_more": next.is_some(), "first_id": null, "last_id": next }))
}

const USERS: &str = "v1/organization/users";

#[tokio::test]
async fn a_list_goes_on_after_a_page_with_nothing_in_it() {
    let lab = odd::<Openai>(|at, call| {
        if !is(call, "GET", USERS) {
            return at.answer(call);
        }
        let all = people(at, call);
        match call.param("after") {
            None => page(&all[..3], Some("gap")),
            Some("gap") => page(&[], Some("another gap")),
            Some("another gap") => page(&[], Some("the rest")),
            Some(_) => page(&all[3..], None),
        }
    })
    .await;
    let whole = lab.agent.ok("list_organization_members", json!({ "query": "acme.example", "limit": 100 })).await;
    assert_eq!((&whole["total"], each(&whole, "id").len()), (&json!(13), 13), "{whole}");
    // Page by page, an empty one is not shown for the end.
    let first = lab.agent.ok("list_organization_members", json!({ "limit": 3 })).await;
    let second = lab.agent.ok("list_organization_members", json!({ "limit": 3, "cursor": first["next_cursor"] })).await;
    assert_eq!((each(&second, "id").len(), &second["has_more"]), (10, &json!(false)), "{second}");
}

#[tokio::test]
async fn an_item_on_two_pages_is_one() {
    // The cursor's own item is on the next page, too.
    let lab = odd::<Openai>(|at, call| {
        if !is(call, "GET", USERS) {
            return at.answer(call);
        }
        let all = people(at, call);
        let from = call.param("after").map_or(0, |id| all.iter().position(|it| it["id"] == id).unwrap());
        let to = (from + 4).min(all.len());
        page(&all[from..to], (to < all.len()).then(|| all[to - 1]["id"].as_str().unwrap()))
    })
    .await;
    let whole = lab.agent.ok("list_organization_members", json!({ "query": "acme", "limit": 100 })).await;
    assert_eq!(whole["total"], json!(13), "{whole}");
    let (mut seen, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let mut call = json!({ "limit": 4 });
        if !cursor.is_null() {
            call["cursor"] = cursor;
        }
        let page = lab.agent.ok("list_organization_members", call).await;
        seen.extend(each(&page, "id"));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    let shown = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((shown, seen.len()), (13, 13), "{seen:?}");
}

#[tokio::test]
async fn a_list_without_an_end_is_not_shown_for_a_whole_one() {
    for (how, more) in [
        ("a cursor that comes twice", (|_| "same".to_owned()) as fn(usize) -> String),
        ("two cursors in turn", |at| format!("turn {}", at % 2)),
        ("new cursors to the same page for ever", |at| format!("cursor {at}")),
    ] {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let lab = odd::<Openai>(move |at, call| {
            if !is(call, "GET", USERS) {
                return at.answer(call);
            }
            let number = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            page(&people(at, call)[..3], Some(&more(number)))
        })
        .await;
        let told = lab.agent.fails("list_organization_members", json!({ "query": "acme" }), "broken_list").await;
        assert!(told["message"].as_str().is_some_and(|it| it.contains("it would not be whole")), "{how}: {told}");
        let asked = lab.journal().len();
        assert!(asked < 40, "{how}: {asked} requests");
        // And nobody is looked up in what is left of it.
        let add = json!({ "project": "Atlas", "member": "grace.whitfield@acme.example", "roles": ["member"] });
        lab.refused("add_project_member", add, "broken_list").await;
    }
}

#[tokio::test]
async fn geais_list_goes_on_over_an_empty_page_and_takes_nobody_twice() {
    let lab = odd::<Geai>(|at, call| {
        if !is(call, "GET", "v2/accessControl/projects/members") {
            return at.answer(call);
        }
        let mut whole = call.clone();
        whole.query = vec![("startPage".into(), "1".into()), ("pageSize".into(), "1000".into())];
        let page: usize = call.param("startPage").unwrap().parse().unwrap();
        with_json(at.answer(&whole), |it| {
            let everybody = it["projects"][0]["members"].as_array().unwrap().clone();
            it["pages"] = json!(4);
            it["projects"][0]["members"] = match page {
                1 => everybody[..10].into(),
                2 => json!([]),
                3 => everybody[9..20].into(),
                _ => everybody[19..].into(),
            };
        })
    })
    .await;
    let found = lab.agent.ok("list_project_members", json!({ "project": "Atlas", "query": "acme", "limit": 100 })).await;
    assert_eq!((&found["total"], each(&found, "id").len()), (&json!(23), 23), "{found}");
    let first = lab.agent.ok("list_project_members", json!({ "project": "Atlas", "limit": 10 })).await;
    let second = lab.agent.ok("list_project_members", json!({ "project": "Atlas", "cursor": first["next_cursor"] })).await;
    assert_eq!(each(&second, "id").len(), 11, "the page after the empty one: {second}");
}

#[tokio::test]
async fn geais_list_is_read_on_where_the_service_gives_less_at_once_than_it_is_asked_for() {
    let lab = odd::<Geai>(|at, call| {
        if !is(call, "GET", "v2/accessControl/projects/members") {
            return at.answer(call);
        }
        let mut capped = call.clone();
        capped.query.iter_mut().filter(|it| it.0 == "pageSize").for_each(|it| it.1 = "10".into());
        with_json(at.answer(&capped), |it| {
            it.as_object_mut().unwrap().remove("pages");
        })
    })
    .await;
    let found = lab.agent.ok("list_project_members", json!({ "project": "Atlas", "query": "acme", "limit": 100 })).await;
    assert_eq!(each(&found, "id").len(), 23, "{found}");
}

/// What must not matter in an answer, with a name for it.
type Oddity = (&'static str, fn(&mut Value));

const ODDITIES: [Oddity; 6] = [
    ("both spellings at once", |it| both(it, false)),
    ("both spellings, one of them null", |it| both(it, true)),
    ("the other spelling", |it| {
        each_object(it, &|fields| {
            let told = std::mem::take(fields);
            fields.extend(told.into_iter().map(|(name, value)| (if name.contains('_') { camel(&name) } else { snake(&name) }, value)));
        });
    }),
    ("null for lists without anything in them", |it| {
        each_object(it, &|fields| fields.values_mut().filter(|it| **it == json!([])).for_each(|it| *it = Value::Null));
    }),
    ("null in lists of things", |it| {
        each_object(it, &|fields| {
            let lists = fields.values_mut().filter_map(Value::as_array_mut).filter(|it| it.iter().any(Value::is_object));
            lists.for_each(|it| it.push(Value::Null));
        });
    }),
    ("fields that nobody has heard of", |it| {
        each_object(it, &|fields| {
            fields.insert("more".to_owned(), json!({ "of": ["that"] }));
        });
    }),
];

async fn same<S: crate::lab::Service>(calls: &[(&str, Value)], configure: impl Fn(&mut S::Settings) + Copy, oddities: &[Oddity]) {
    for (how, change) in oddities {
        let change = *change;
        let plain = configured::<S>(rolecall_sandbox::Platform::answer, configure).await;
        let lab = configured::<S>(move |at, call| with_json(at.answer(call), change), configure).await;
        for (tool, arguments) in calls {
            let (mut expected, mut told) = (plain.agent.ok(tool, arguments.clone()).await, lab.agent.ok(tool, arguments.clone()).await);
            for it in [&mut expected, &mut told] {
                // Two sandboxes begin at two moments.
                each_object(it, &|fields| fields.retain(|name, _| !name.ends_with("_at") && name != "since"));
            }
            assert_eq!(told, expected, "{tool} with {how}");
        }
    }
}

fn snake(name: &str) -> String {
    name.chars().flat_map(|it| if it.is_ascii_uppercase() { vec!['_', it.to_ascii_lowercase()] } else { vec![it] }).collect()
}
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    first + &words.map(|it| it[..1].to_uppercase() + &it[1..]).collect::<String>()
}
/// The other spelling beside the one that is there, which comes first and is empty where `hollow`.
fn both(json: &mut Value, hollow: bool) {
    each_object(json, &|fields| {
        let told = std::mem::take(fields);
        for (name, value) in told {
            let other = if name.contains('_') { camel(&name) } else { snake(&name) };
            if other != name {
                fields.insert(other, if hollow { json!(null) } else { value.clone() });
            }
            fields.insert(name, value);
        }
    });
}

/// Every list of every service, with what must not matter in it: null where a list or a text belongs, null for an item, names in
/// the other spelling or in both at once, numbers as texts.
#[tokio::test]
async fn what_a_service_writes_otherwise_is_read_all_the_same() {
    let acme = json!({ "organization": "Acme" });
    let atlas = json!({ "project": "Atlas" });
    // Answers of geai and openai are told apart by keys of theirs, so their fields stay where the outer ones are.
    let [both, hollow, _, no_list, no_thing, more] = ODDITIES;
    let in_place = [both, hollow, no_list, no_thing, more];
    same::<Openai>(
        &[
            ("list_projects", json!({})),
            ("list_organization_members", json!({ "query": "acme" })),
            ("list_invitations", json!({})),
            ("list_project_members", atlas.clone()),
            ("list_api_keys", atlas.clone()),
            ("list_service_accounts", atlas.clone()),
            ("list_roles", atlas.clone()),
            ("list_teams", json!({})),
            ("list_project_teams", atlas.clone()),
            ("list_role_assignments", json!({ "member": "ana.ruiz@acme.example", "project": "Atlas" })),
        ],
        |_| {},
        &in_place,
    )
    .await;
    same::<Geai>(
        &[
            ("list_projects", json!({})),
            ("list_organization_members", json!({})),
            ("list_project_members", atlas.clone()),
            ("list_roles", atlas.clone()),
            ("list_api_keys", atlas.clone()),
            ("list_usage_limits", atlas.clone()),
            ("list_memberships", json!({})),
        ],
        |_| {},
        &in_place,
    )
    .await;
    same::<Seeme>(
        &[
            ("list_organizations", json!({})),
            ("list_organization_members", acme.clone()),
            ("list_invitations", acme.clone()),
            ("list_projects", acme.clone()),
            ("list_teams", acme.clone()),
            ("list_roles", acme),
            ("list_project_members", atlas),
        ],
        |_| {},
        &ODDITIES,
    )
    .await;
    same::<Engine>(
        &[
            ("list_organizations", json!({})),
            ("list_organization_members", json!({ "organization": "Acme Research" })),
            ("list_projects", json!({})),
            ("list_roles", json!({})),
            ("list_project_members", json!({ "project": "p-1" })),
        ],
        |_| {},
        &ODDITIES,
    )
    .await;
}

#[tokio::test]
async fn the_people_of_the_engine_are_read_whatever_their_list_is_called() {
    for names in [&["orgUsers", "org_users"][..], &["users", "orgUsers"], &["project_users", "users", "projectUsers"]] {
        let lab = odd::<Engine>(move |at, call| {
            if !is(call, "GET", "api/v1/orgs/o-2/users") {
                return at.answer(call);
            }
            with_json(at.answer(call), |it| {
                let told = it.as_object_mut().unwrap();
                let list = ["orgUsers", "org_users"].iter().find_map(|name| told.remove(*name)).unwrap();
                told.extend(names.iter().map(|name| ((*name).to_owned(), list.clone())));
            })
        })
        .await;
        let found = lab.agent.ok("list_organization_members", json!({ "organization": "Acme Research" })).await;
        let members = found["items"].as_array().unwrap().iter().filter(|it| it["status"] != "external").count();
        assert_eq!(members, 6, "{names:?}: {found}");
    }
}

#[tokio::test]
async fn one_odd_invitation_spoils_neither_the_list_nor_the_next_one() {
    let lab = odd::<Openai>(|at, call| {
        let answer = at.answer(call);
        if !is(call, "GET", "v1/organization/invites") {
            return answer;
        }
        with_json(answer, |it| {
            for (at, (field, value)) in [("projects", Value::Null), ("role", Value::Null), ("email", Value::Null)].into_iter().enumerate() {
                it["data"][at][field] = value;
            }
        })
    })
    .await;
    let told = lab.agent.ok("list_invitations", json!({})).await;
    assert_eq!(each(&told, "id").len(), 3, "{told}");
    lab.agent.ok("invite_organization_member", json!({ "email": "mo@acme.example" })).await;
}
