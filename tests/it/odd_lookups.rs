//! Services that do not heed what they are asked by: what comes back is looked at again, an absent value equals nothing, and two
//! that fit are candidates.

use rolecall_sandbox::{Call, Platform as _, engine::Engine, geai::Geai, openai::Openai, seeme::Seeme};

use crate::{
    odd::{configured, is, odd, with_json, without},
    support::{Value, json},
    support_geai::system,
    support_openai::each,
};

/// An account that says nothing of itself, before all others.
fn nobody(mut first: Value) -> Value {
    for (name, value) in first.as_object_mut().unwrap() {
        match name.as_str() {
            "id" => *value = json!("user-bot"),
            "object" | "role" | "roles" => {}
            _ => *value = Value::Null,
        }
    }
    first
}

#[tokio::test]
async fn nobody_else_is_taken_where_openai_does_not_know_its_filter() {
    let lab = odd::<Openai>(|at, call| {
        let answer = at.answer(&without(call, &["emails[]"]));
        if !is(call, "GET", "v1/organization/users") {
            return answer;
        }
        with_json(answer, |it| {
            let data = it["data"].as_array_mut().unwrap();
            data.insert(0, nobody(data[0].clone()));
        })
    })
    .await;
    let mei = lab.agent.ok("get_organization_member", json!({ "member": "mei.tanaka@acme.example" })).await;
    assert_eq!(mei["id"], "user-mei");
    let added = json!({ "project": "Borealis", "member": "grace.whitfield@acme.example", "roles": ["member"] });
    assert_eq!(lab.agent.ok("add_project_member", added).await["after"]["id"], "user-grace");
    let gone = lab.agent.ok("remove_organization_member", json!({ "member": "leo.marchetti@acme.example" })).await;
    assert_eq!(gone["target"]["id"], "user-leo");
    for (tool, arguments, code) in [
        ("get_organization_member", json!({ "member": "nobody@acme.example" }), "member_not_found"),
        ("remove_organization_member", json!({ "member": "nobody@acme.example" }), "member_not_found"),
        ("remove_project_member", json!({ "project": "Atlas", "member": "nobody@acme.example" }), "member_not_found"),
        ("add_project_member", json!({ "project": "Atlas", "member": "nobody@acme.example", "roles": ["member"] }), "not_in_organization"),
        ("assign_role", json!({ "role": "auditor", "member": "nobody@acme.example" }), "member_not_found"),
    ] {
        lab.refused(tool, arguments, code).await;
    }
}

#[tokio::test]
async fn an_account_without_an_address_is_not_somebody_who_is_asked_for_by_one() {
    // It comes with every answer, alone where nobody else fits.
    let lab = odd::<Openai>(|at, call| {
        let answer = at.answer(call);
        if !is(call, "GET", "v1/organization/users") {
            return answer;
        }
        with_json(answer, |it| {
            let bot =
                json!({ "object": "organization.user", "id": "user-bot", "name": null, "email": null, "role": "reader", "added_at": 1 });
            it["data"].as_array_mut().unwrap().insert(0, bot);
        })
    })
    .await;
    lab.refused("get_organization_member", json!({ "member": "nobody@acme.example" }), "member_not_found").await;
    lab.refused("remove_organization_member", json!({ "member": "nobody@acme.example" }), "member_not_found").await;
    let add = json!({ "project": "Atlas", "member": "nobody@acme.example", "roles": ["member"] });
    lab.refused("add_project_member", add, "not_in_organization").await;
}

#[tokio::test]
async fn two_people_with_one_address_are_candidates() {
    let lab = odd::<Openai>(|at, call| {
        let answer = at.answer(call);
        if !is(call, "GET", "v1/organization/users") {
            return answer;
        }
        with_json(answer, |it| {
            let data = it["data"].as_array_mut().unwrap();
            if let Some(mei) = data.iter().find(|it| it["id"] == "user-mei").cloned() {
                let mut other = mei;
                other["id"] = json!("user-mei-2");
                data.push(other);
            }
        })
    })
    .await;
    for (tool, arguments) in [
        ("get_organization_member", json!({ "member": "mei.tanaka@acme.example" })),
        ("remove_organization_member", json!({ "member": "mei.tanaka@acme.example" })),
        ("add_project_member", json!({ "project": "Atlas", "member": "mei.tanaka@acme.example", "roles": ["member"] })),
    ] {
        let told = lab.refused(tool, arguments, "ambiguous_member").await;
        assert_eq!(told["candidates"], json!(["mei.tanaka@acme.example [user-mei]", "mei.tanaka@acme.example [user-mei-2]"]), "{tool}");
    }
    // By the id there is no doubt.
    assert_eq!(lab.agent.ok("get_organization_member", json!({ "member": "user-mei" })).await["id"], "user-mei");

    let lab = odd::<Geai>(|at, call| {
        let answer = at.answer(call);
        if !is(call, "GET", "v2/accessControl/projects/members") {
            return answer;
        }
        with_json(answer, |it| {
            let members = it["projects"][0]["members"].as_array_mut().unwrap();
            let mut other = members.iter().find(|it| it["email"] == "mei.tanaka@acme.example").unwrap().clone();
            other["id"] = json!("other");
            members.push(other);
        })
    })
    .await;
    lab.refused("remove_project_member", json!({ "project": "Atlas", "member": "mei.tanaka@acme.example" }), "ambiguous_member").await;

    let lab = odd::<Engine>(|at, call| {
        let answer = at.answer(call);
        if !is(call, "GET", "api/v1/orgs/o-2/users") {
            return answer;
        }
        with_json(answer, |it| {
            let name = if it["orgUsers"].is_array() { "orgUsers" } else { "org_users" };
            let members = it[name].as_array_mut().unwrap();
            let mut other = members.iter().find(|it| it["user"]["email"] == "ana.ruiz@acme.example").unwrap().clone();
            other["user"]["id"] = json!("u-99");
            members.push(other);
        })
    })
    .await;
    let ana = json!({ "organization": "Acme Research", "member": "ana.ruiz@acme.example" });
    lab.refused("remove_organization_member", ana, "ambiguous_member").await;
    let ana = json!({ "organization": "Acme Research", "email": "ana.ruiz@acme.example" });
    lab.refused("add_organization_member", ana, "ambiguous_member").await;
}

#[tokio::test]
async fn what_has_no_name_is_never_meant() {
    // Every answer of every service has a thing in it that says nothing of itself but its id.
    fn hollow(json: &mut Value) {
        match json {
            Value::Array(items) => {
                items.iter_mut().for_each(hollow);
                if let Some(first) = items.iter().find(|it| it["id"].is_string()).cloned() {
                    items.insert(0, nobody(first));
                }
            }
            Value::Object(fields) => fields.values_mut().for_each(hollow),
            _ => {}
        }
    }
    let lab = odd::<Openai>(|at, call| with_json(at.answer(call), hollow)).await;
    assert_eq!(lab.agent.ok("get_project", json!({ "project": "Atlas" })).await["id"], "proj_atlas");
    lab.refused("archive_project", json!({ "project": "\u{200b}Nothing" }), "project_not_found").await;
    lab.refused("cancel_invitation", json!({ "invitation": "nobody@acme.example" }), "invitation_not_found").await;
    lab.refused("delete_team", json!({ "team": "null" }), "team_not_found").await;
    lab.refused("delete_role", json!({ "role": "None" }), "role_not_found").await;
    lab.refused("delete_api_key", json!({ "project": "Atlas", "api_key": "null" }), "api_key_not_found").await;

    let lab = odd::<Seeme>(|at, call| with_json(at.answer(call), hollow)).await;
    assert_eq!(lab.agent.ok("get_project", json!({ "project": "Atlas" })).await["project"], "Atlas");
    lab.refused("remove_project_member", json!({ "project": "Atlas", "member": "null" }), "member_not_found").await;
    lab.refused("delete_team", json!({ "team": "null" }), "team_not_found").await;

    let lab = odd::<Engine>(|at, call| {
        let answer = at.answer(call);
        // An organization that is in no other list could not be looked into.
        if call.segments.last().is_some_and(|it| it == "orgs") { answer } else { with_json(answer, hollow) }
    })
    .await;
    lab.refused("remove_organization_member", json!({ "organization": "o-2", "member": "nobody@x.example" }), "member_not_found").await;
    lab.refused("delete_project", json!({ "project": "null" }), "project_not_found").await;
}

#[tokio::test]
async fn an_answer_about_another_thing_is_not_taken_for_the_one_that_was_asked_for() {
    let lab = odd::<Openai>(|at, call| {
        let answer = at.answer(call);
        let of_one = call.method == "GET" && call.segments.len() == 4 && call.segments[2] == "users";
        if of_one { with_json(answer, |it| it["id"] = json!("user-oskar")) } else { answer }
    })
    .await;
    lab.refused("remove_organization_member", json!({ "member": "user-leo" }), "unreadable_answer").await;
    lab.refused("remove_project_member", json!({ "project": "Atlas", "member": "user-leo" }), "unreadable_answer").await;

    // A service that does not know the header answers about whichever project it likes.
    let lab = odd::<Geai>(|at, call| {
        let mut call: Call = call.clone();
        if is(&call, "GET", "v2/accessControl/projects/members") {
            call.headers.insert("project-id".into(), crate::support_geai::project(2));
        }
        at.answer(&call)
    })
    .await;
    lab.refused("remove_project_member", json!({ "project": "Atlas", "member": "ana.ruiz@acme.example" }), "filter_ignored").await;
    lab.refused("list_project_members", json!({ "project": "Atlas" }), "filter_ignored").await;
}

#[tokio::test]
async fn a_list_that_is_not_narrowed_by_the_service_is_narrowed_here() {
    let lab = odd::<Openai>(|at, call| {
        let mut call = call.clone();
        if is(&call, "GET", "v1/organization/projects") {
            call.query.retain(|it| it.0 != "include_archived");
            call.query.push(("include_archived".into(), "true".into()));
        }
        at.answer(&without(&call, &["owner_project_access"]))
    })
    .await;
    let active = lab.agent.ok("list_projects", json!({ "limit": 100 })).await;
    assert!(!each(&active, "project").contains(&"Regatta 2024".to_owned()), "{active}");
    let idle = lab.agent.ok("list_api_keys", json!({ "project": "Atlas", "owner": "inactive" })).await;
    assert!(idle["items"].as_array().unwrap().iter().all(|it| it["owner_access"] != "active"), "{idle}");

    let lab = odd::<Seeme>(|at, call| at.answer(&without(call, &["team_id"]))).await;
    let projects = lab.agent.ok("list_projects", json!({ "organization": "Acme", "team": "Research" })).await;
    let plain = odd::<Seeme>(rolecall_sandbox::Platform::answer).await;
    assert_eq!(projects, plain.agent.ok("list_projects", json!({ "organization": "Acme", "team": "Research" })).await);

    let ignoring = |at: &mut Geai, call: &Call| at.answer(&without(call, &["filterKey", "filterValue"]));
    let lab = configured::<Geai>(ignoring, |it| *it = system(it.clone())).await;
    let found = lab.agent.ok("list_organizations", json!({ "query": "acme" })).await;
    assert!(each(&found, "organization").iter().all(|it| it.to_lowercase().contains("acme")), "{found}");
    let none = lab.agent.ok("list_organizations", json!({ "query": "no such name" })).await;
    assert_eq!(none["items"], json!([]), "{none}");
}
