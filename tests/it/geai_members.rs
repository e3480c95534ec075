//! People of Globant Enterprise AI: in projects, in the organization, and where they belong.

use std::collections::BTreeMap;

use crate::{
    company::{column, declined},
    support::{Value, json},
    support_geai::{Geai, organization, project},
};

const ROSA: &str = "rosa@acme.example";

#[tokio::test]
async fn members_are_listed_page_by_page_and_filtered() {
    let it = Geai::new().await;
    let first = it.agent.ok("list_project_members", json!({ "project": "Atlas", "limit": 20 })).await;
    assert_eq!((first["items"].as_array().unwrap().len(), &first["total"]), (20, &json!(23)), "{first}");
    let path = "GET /v2/accessControl/projects/members?startPage=1&pageSize=20&orderDirection=desc";
    assert_eq!(it.requests()[1], format!("{path} project-id: {}", project(1)));
    // The page after it is of the same size, whatever is asked for: another size would begin elsewhere.
    let second = it.agent.ok("list_project_members", json!({ "project": "Atlas", "limit": 5, "cursor": first["next_cursor"] })).await;
    assert_eq!((second["items"].as_array().unwrap().len(), &second["has_more"]), (3, &json!(false)), "{second}");
    let mut everybody = column(&first, "member");
    everybody.extend(column(&second, "member"));
    everybody.sort();
    everybody.dedup();
    assert_eq!(everybody.len(), 23);
    let some =
        it.agent.ok("list_project_members", json!({ "project": "Atlas", "role": "access all project assistants", "query": "mei" })).await;
    let mei = json!({
        "member": "mei.tanaka@acme.example", "name": "Mei Tanaka", "id": "03000000-0000-4000-8000-000000000014",
        "roles": ["Project member", "Access all Project Assistants"], "organization": "Acme", "project": "Atlas",
    });
    assert_eq!(some["items"], json!([mei]), "{some}");
    let one = it.agent.ok("get_project_member", json!({ "project": "Atlas", "member": "MEI.tanaka@acme.example" })).await;
    assert_eq!(one["id"], mei["id"], "{one}");
    it.agent.fails("get_project_member", json!({ "project": "Cobalt", "member": "mei.tanaka@acme.example" }), "member_not_found").await;
}

#[tokio::test]
async fn somebody_is_invited_with_roles_of_the_project() {
    let it = Geai::new().await;
    let op = json!({ "project": "Atlas", "member": "Rosa@acme.example", "roles": ["project MEMBER", "Map Reader"] });
    let done = it.agent.ok("add_project_member", op.clone()).await;
    let after = json!({
        "member": ROSA, "roles": ["Project member", "Map Reader"], "status": "invited", "organization": "Acme", "project": "Atlas",
    });
    assert_eq!(done["after"], after, "{done}");
    let sent = format!(
        r#"POST /v2/accessControl/projects/members project-id: {} {{"userEmail":"{ROSA}","roles":["Project member","Map Reader"]}}"#,
        project(1)
    );
    assert_eq!(it.changes(), [sent]);
    let questions = it.agent.questions();
    assert_eq!(questions.len(), 1, "what a role of the project's own allows is in no list: {questions:?}");
    for part in [
        format!("is invited to project Atlas as Project member: {ROSA}"),
        format!("is invited to project Atlas as Map Reader (Rolecall cannot see what this role allows): {ROSA}"),
    ] {
        assert!(questions[0].contains(&part), "{part}: {questions:?}");
    }
    let again = it.agent.fails("add_project_member", op, "already_member").await;
    assert!(again["message"].as_str().unwrap().contains("as Project member, Map Reader"), "{again}");
    let unknown = it
        .agent
        .fails("add_project_member", json!({ "project": "Ember", "member": ROSA, "roles": ["Map Reader"] }), "role_not_found")
        .await;
    assert_eq!(unknown["fix"], "use one of: Project member, Project administrator, Access all Project Assistants", "{unknown}");
    it.agent
        .fails("add_project_member", json!({ "project": "Ember", "member": "rosa@", "roles": ["Project member"] }), "invalid_arguments")
        .await;
    assert_eq!(it.changes(), [""; 0]);
    it.agent.ok("add_project_member", json!({ "project": "Ember", "member": ROSA, "roles": ["Project member"] })).await;
    assert_eq!(it.agent.questions(), [""; 0], "no power over others, no question");
}

#[tokio::test]
async fn power_is_given_only_by_who_agrees() {
    let it = Geai::new().await;
    let before = it.state();
    let administrator = json!({ "project": "Ember", "member": ROSA, "roles": ["Project administrator"] });
    declined(&it.agent, "add_project_member", administrator.clone()).await;
    let domain = json!({ "project": "Ember", "member": "all-members@acme.example", "roles": ["Project member"] });
    let dry = it
        .agent
        .ok(
            "add_project_member",
            json!({ "project": "Ember", "member": "all-members@acme.example", "roles": ["Project member"], "dry_run": true }),
        )
        .await;
    assert_eq!(dry["impact"]["gravity"], "critical", "{dry}");
    declined(&it.agent, "add_project_member", domain).await;
    assert_eq!(it.changes(), [""; 0]);
    assert_eq!(it.state(), before);
    it.agent.ok("add_project_member", administrator).await;
    let questions = it.agent.questions();
    assert!(
        questions[0].contains("is invited to project Ember as Project administrator, with power over others: rosa@acme.example"),
        "{questions:?}"
    );
    let outsider = json!({ "project": "Ember", "member": "o@elsewhere.example", "roles": ["Project administrator"], "dry_run": true });
    let dry = it.agent.ok("add_project_member", outsider).await;
    assert_eq!(dry["impact"]["gravity"], "critical", "{dry}");
}

#[tokio::test]
async fn a_member_is_removed_by_who_types_the_e_mail() {
    let it = Geai::new().await;
    let op = json!({ "project": "Ember", "member": "amara.diallo@acme.example" });
    declined(&it.agent, "remove_project_member", op.clone()).await;
    assert_eq!(it.changes(), [""; 0]);
    let done = it.agent.ok("remove_project_member", op.clone()).await;
    assert_eq!((&done["before"]["roles"], done.get("after")), (&json!(["Project member"]), None), "{done}");
    let path = format!("/v2/accessControl/projects/{}/members/03000000-0000-4000-8000-000000000003", project(5));
    assert_eq!(it.changes(), [format!("DELETE {path}")]);
    it.agent.fails("remove_project_member", op, "already_gone").await;
    let last =
        it.agent.ok("remove_project_member", json!({ "project": "Atlas", "member": "ana.ruiz@acme.example", "dry_run": true })).await;
    assert_eq!(last["impact"]["gravity"], "critical", "{last}");
    assert_eq!(last["impact"]["notes"][1], "no owner is left in 1 project: Atlas", "{last}");
}

#[tokio::test]
async fn a_removal_takes_the_other_path_only_where_there_is_no_such_path() {
    use rolecall_sandbox::geai::Removal;
    let it = Geai::new().await;
    it.quirk(|it| it.removal = Removal::Unversioned);
    it.agent.ok("remove_project_member", json!({ "project": "Ember", "member": "amara.diallo@acme.example" })).await;
    let paths: Vec<String> = it.changes().iter().map(|it| it.split("/projects/").next().unwrap().to_owned()).collect();
    assert_eq!(paths, ["DELETE /v2/accessControl", "DELETE /accessControl"]);
    it.quirk(|it| it.removal = Removal::Versioned);
    it.faults(&["500:1@DELETE"]);
    it.agent.call("remove_project_member", json!({ "project": "Ember", "member": "leo.marchetti@acme.example" })).await;
    let paths: Vec<String> = it.changes().iter().map(|it| it.split("/projects/").next().unwrap().to_owned()).collect();
    assert_eq!(paths, ["DELETE /v2/accessControl"], "any other failure is one");

    let it = Geai::with(|it| rolecall::providers::geai::Settings { unversioned_removal: true, ..it }).await;
    it.agent.ok("remove_project_member", json!({ "project": "Ember", "member": "amara.diallo@acme.example" })).await;
    assert!(it.changes()[0].starts_with("DELETE /accessControl/"));
}

#[tokio::test]
async fn people_roles_and_assignments_are_told() {
    let it = Geai::new().await;
    let people = it.agent.ok("list_organization_members", json!({ "query": "brandt" })).await;
    let helena = json!({
        "member": "helena.brandt@acme.example", "name": "Helena Brandt", "id": "03000000-0000-4000-8000-000000000001",
        "roles": ["Organization member"], "organization": "Acme",
    });
    assert_eq!(people["items"], json!([helena]), "{people}");
    let request = format!(
        "GET /v2/accessControl/organizations/members?startPage=1&pageSize=1000&orderDirection=desc&organizationId={0} organization-id: {0}",
        organization(1)
    );
    assert_eq!(it.requests()[1], request);
    let one = it.agent.ok("get_organization_member", json!({ "member": helena["id"] })).await;
    assert_eq!(one["member"], helena["member"], "{one}");
    let roles = it.agent.ok("list_roles", json!({ "project": "Atlas", "limit": 2 })).await;
    assert_eq!(column(&roles, "role"), ["Project member", "Project administrator"]);
    let reader = it.agent.ok("get_role", json!({ "project": "Atlas", "role": "map reader" })).await;
    assert_eq!((&reader["built_in"], &reader["description"]), (&json!(false), &json!("Frontend role")), "{reader}");
    it.agent.fails("list_roles", json!({}), "invalid_arguments").await;
    let own = it.agent.ok("list_roles", json!({ "project": "Atlas", "role_types": ["frontend"] })).await;
    assert_eq!(column(&own, "role"), ["Map Reader", "Map Editor", "Access all Project Assistants"], "{own}");
    assert!(it.requests().last().unwrap().contains("&roleTypes=frontend project-id: "), "{:?}", it.requests());
    let readers = json!({ "project": "Atlas", "role_types": ["backend", "frontend"], "role": "Map Reader" });
    it.agent.ok("list_project_members", readers).await;
    assert!(it.requests().last().unwrap().contains("&roleTypes=backend%2Cfrontend project-id: "), "{:?}", it.requests());
    let level = it.agent.fails("list_roles", json!({ "project": "Atlas", "role_types": ["team"] }), "invalid_arguments").await;
    assert_eq!(level["message"], "`team` is no role type of this provider", "{level}");
    assert_eq!(level["fix"], "use one of backend, frontend, or leave `role_types` out", "{level}");
    let held = it.agent.ok("list_role_assignments", json!({ "project": "Atlas", "member": "mei.tanaka@acme.example" })).await;
    assert_eq!(column(&held, "role"), ["Access all Project Assistants", "Project member"]);
}

#[tokio::test]
async fn memberships_of_somebody_are_told_and_checked() {
    let it = Geai::new().await;
    let ana = "ana.ruiz@acme.example";
    let told = it.agent.ok("list_memberships", json!({ "email": ana })).await;
    let roles = json!(["Project administrator (Atlas)", "Project administrator (Borealis)"]);
    assert_eq!(told["items"], json!([{ "member": ana, "organization": "Acme", "roles": roles }]), "{told}");
    assert!(it.requests()[0].ends_with("&userEmail=ana.ruiz%40acme.example"));
    let projects = it.agent.ok("list_project_memberships", json!({ "email": ana, "order": "asc" })).await;
    assert_eq!(column(&projects, "project"), ["Atlas", "Borealis"]);
    assert!(it.requests()[1].contains("orderDirection=asc&userEmail=ana.ruiz%40acme.example&orderKey=projectName"));
    let own = it.agent.ok("list_memberships", json!({ "email": ana, "role_types": ["frontend"] })).await;
    assert_eq!(own["items"][0]["roles"], json!([]), "{own}");
    assert!(it.requests().iter().any(|it| it.ends_with("&userEmail=ana.ruiz%40acme.example&roleTypes=frontend")), "{:?}", it.requests());
    it.agent.ok("list_project_memberships", json!({ "email": ana, "role_types": ["backend"] })).await;
    assert!(it.requests().last().unwrap().contains("&roleTypes=backend organization-id: "), "{:?}", it.requests());
    it.agent.fails("list_project_memberships", json!({ "email": "nobody@acme.example" }), "not_found").await;
    it.quirk(|it| it.memberships_email = rolecall_sandbox::geai::EmailFilter::Ignored);
    let ignored = it.agent.fails("list_memberships", json!({ "email": ana }), "filter_ignored").await;
    assert!(ignored["fix"].as_str().unwrap().contains("list_project_memberships"), "{ignored}");
    it.agent.fails("list_memberships", json!({ "email": "nobody@acme.example" }), "filter_ignored").await;
}

#[tokio::test]
async fn a_batch_is_checked_as_a_whole_and_asked_about_once() {
    let it = Geai::new().await;
    let csv = "\u{feff}project,email,roles\n# the new ones\nEmber,rosa@acme.example,Project member\nEmber,Rosa@acme.example,project member\n\
               Ember,amara.diallo@acme.example,Project member\nEmbers,x@acme.example,Project member\nEmber,x@,Project member\n\
               Ember,x@acme.example,King\nEmber,y@acme.example\nAtlas,rosa@acme.example,Project administrator;Map Reader\n\
               Ember,ROSA@acme.example,Project administrator\n";
    let before = it.state();
    declined(&it.agent, "add_project_members", json!({ "csv": csv })).await;
    assert_eq!(it.changes(), [""; 0]);
    assert_eq!(it.state(), before);
    let done = it.agent.ok("add_project_members", json!({ "csv": csv })).await;
    let told: Vec<String> = done["after"]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            format!("{} {}: {}", it["member"].as_str().unwrap(), it["outcome"].as_str().unwrap(), it["reason"].as_str().unwrap_or_default())
        })
        .collect();
    assert_eq!(
        told,
        [
            "rosa@acme.example done: ",
            "rosa@acme.example skipped: duplicate of row 3",
            "amara.diallo@acme.example skipped: `amara.diallo@acme.example` is in project `Ember` already, as Project member",
            "x@acme.example failed: row 6: no project `Embers`; did you mean `Ember`? list_projects has all",
            "x@ failed: row 7: `x@` is not an e-mail address such as ana@acme.example; correct the e-mail",
            "x@acme.example failed: row 8: no role `King` in project `Ember`; use one of: Project member, Project administrator, Access all Project Assistants",
            "y@acme.example failed: row 9: no role is given",
            "rosa@acme.example done: ",
            "rosa@acme.example failed: row 11: gives other roles than row 3; put all roles into one row",
        ]
    );
    let counts = (&done["after"]["done"], &done["after"]["skipped"], &done["after"]["failed"]);
    assert_eq!(counts, (&json!(2), &json!(2), &json!(5)), "{done}");
    let questions = it.agent.questions();
    assert_eq!(questions.len(), 1, "{questions:?}");
    for part in [
        "Add project member in project Atlas",
        "is invited to project Atlas as Project administrator, with power over others; is invited to project Atlas as Map Reader",
        ": rosa@acme.example\n",
        "Add project member in project Ember",
        "2 left as they are: row 4 (duplicate of row 3)",
        "5 cannot be made: row 6 (no project `Embers`",
    ] {
        assert!(questions[0].contains(part), "{part}: {}", questions[0]);
    }
}

#[tokio::test]
async fn a_batch_that_gives_nobody_power_is_asked_about_and_shows_who_gets_what() {
    let it = Geai::new().await;
    let csv = "Ember,rosa@acme.example,Project member\nEmber,omar@acme.example,Project member\nAtlas,rosa@acme.example,Map Reader\n";
    let before = it.state();
    declined(&it.agent, "add_project_members", json!({ "csv": csv })).await;
    assert_eq!((it.changes(), it.state()), (Vec::<String>::new(), before));
    let done = it.agent.ok("add_project_members", json!({ "csv": csv })).await;
    assert_eq!(done["after"]["done"], 3, "{done}");
    let questions = it.agent.questions();
    assert_eq!(questions.len(), 1, "{questions:?}");
    for part in [
        format!(
            "2 × Add project member in project Ember [{}]: is invited to project Ember as Project member: rosa@acme.example, omar@acme.example\n",
            project(5)
        ),
        format!("Add project member in project Atlas [{}]: is invited to project Atlas as Map Reader", project(1)),
        ": rosa@acme.example\n".to_owned(),
    ] {
        assert!(questions[0].contains(&part), "{part}: {}", questions[0]);
    }
    let seen = it.agent.ok("list_activity", json!({ "tool": "add_project_member" })).await;
    let consents: Vec<&Value> = seen["items"].as_array().unwrap().iter().map(|it| &it["consent"]).collect();
    assert_eq!(consents.len(), 3, "{seen}");
    assert!(consents.iter().all(|it| it.as_str().unwrap().contains("job")), "{seen}");
}

#[tokio::test]
async fn where_a_batch_has_nothing_to_send_nobody_is_asked() {
    let it = Geai::new().await;
    let csv = "Ember,amara.diallo@acme.example,Project member\nNowhere,rosa@acme.example,Project member\n";
    let told = it.agent.ok("add_project_members", json!({ "csv": csv })).await;
    assert_eq!((&told["after"]["skipped"], &told["after"]["failed"]), (&json!(1), &json!(1)), "{told}");
    assert_eq!((it.agent.questions(), it.changes()), (vec![], Vec::<String>::new()));
}

#[tokio::test]
async fn a_batch_is_planned_with_a_handful_of_reads() {
    let it = Geai::new().await;
    let people: Vec<Value> =
        (0..300).map(|at| json!({ "project": "Ember", "member": format!("p{at}@acme.example"), "roles": ["Project member"] })).collect();
    let dry = it.agent.ok("add_project_members", json!({ "people": people, "dry_run": true })).await;
    assert_eq!(dry["target"]["name"], "300 people", "{}", dry["target"]);
    let requests = it.requests();
    assert!(requests.len() <= 4, "{requests:?}");
}

#[tokio::test]
async fn five_hundred_rows_on_a_bad_day_are_told_truly_and_nobody_is_invited_twice() {
    let it = Geai::new().await;
    let mut csv = String::from("project,email,roles\n");
    for at in 0..500 {
        let line = match at % 25 {
            7 => format!("Nowhere,p{at}@acme.example,Project member\n"),
            11 => format!("Ember,p{at}@,Project member\n"),
            // Again, in other letters.
            13 => format!("ember,P{}@ACME.example,Project member\n", at - 1),
            17 => "Ember,leo.marchetti@acme.example,Project member\n".to_owned(),
            it if it % 2 == 0 => format!("Ember,p{at}@acme.example,Project member\n"),
            _ => format!("Cobalt,p{at}@acme.example,Project member;Access all Project Assistants\n"),
        };
        csv.push_str(&line);
    }
    it.faults(&[
        "429:0.02@POST /members*2",
        "429-bare:0.02@POST /members*1",
        "drop:0.02@POST /members*2",
        "drop-before:0.02@POST /members*1",
        "503-after:0.02@POST /members*2",
        "malformed:0.02@POST /members*2",
        "html:0.02@POST /members*1",
        "503:0.3@GET /members*2",
    ]);
    let begun = it.agent.ok("add_project_members", json!({ "csv": csv })).await;
    let job = begun["job"].as_str().unwrap();
    it.agent.app.jobs().finished(job, rolecall::jobs::Wait::to_the_end()).await;
    let operator = rolecall::guard::Caller { principal: "local".into(), client: String::new(), can_ask: false };
    let table = it.agent.app.jobs().table(job, &operator).await.unwrap();
    let rows: Vec<csv::StringRecord> = csv::Reader::from_reader(table.as_bytes()).records().map(Result::unwrap).collect();
    let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
    for row in &rows {
        *counted.entry(&row[3]).or_default() += 1;
    }
    // Leo is an administrator there, and no plain member.
    assert_eq!((rows.len(), counted["skipped"], counted["differs"]), (500, 20, 20), "{counted:?}");
    // A request that was lost on its way leaves no trace, and neither does an invitation that nobody has accepted yet.
    assert_eq!(counted["done"] + counted.get("unknown").unwrap_or(&0), 420, "{counted:?}");
    let platform = it.sandbox.platform();
    assert!(platform.invitations.iter().all(|it| it.count == 1), "nobody twice");
    let invited = |row: &csv::StringRecord| {
        let project = if row[0].to_lowercase() == "ember" { project(5) } else { project(3) };
        platform.invitations.iter().any(|it| it.project == project && it.email == row[1].to_lowercase())
    };
    for row in &rows {
        match &row[3] {
            "done" => assert!(invited(row), "{row:?}"),
            "failed" => assert!(!invited(row), "{row:?}"),
            "unknown" => assert!(!invited(row) && row[4].contains("do not repeat the call before"), "{row:?}"),
            _ => {}
        }
    }
    assert_eq!(counted.get("unknown").copied().unwrap_or_default(), 420 - platform.invitations.len() as u64);
}
