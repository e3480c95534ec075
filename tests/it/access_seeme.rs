//! Access at SeeMe.ai: the one reader of who holds what, and the questions that losing and gaining it bring.

use rolecall::domain::access::{Action, Allows, Grant, GrantScope, Grants, Holder, Power, State, Via};
use rolecall_sandbox::seeme::{Detail, Invites, Place, Quirks, Seeme};

use crate::{
    lab::Service as _,
    support::{Value, json},
    support_seeme::Lab,
};

const ANA: &str = "ana.ruiz@acme.example";
const MEI: &str = "mei.tanaka@acme.example";
const OSKAR: &str = "oskar.lindqvist@acme.example";

/// Fails where a person has to agree and none is there.
const UNASKED: &str = "pending_approval";

async fn read(lab: &Lab, scope: GrantScope) -> Grants {
    Seeme::connect(Seeme::settings(&lab.sandbox.url)).grants(scope).await.unwrap().unwrap()
}

fn organization(name: &str) -> GrantScope {
    GrantScope::Organization(Some(name.to_owned().try_into().unwrap()))
}

fn told(it: &Grant) -> String {
    let (state, via) = (if it.state == State::Pending { " (pending)" } else { "" }, &it.via);
    let via = if *via == Via::Own { String::new() } else { format!(" by {via}") };
    format!("{} is {} of {}{via}{state}", it.holder.label(), it.role.name, it.place)
}

/// The same, as the sandbox holds it.
fn held(lab: &Lab, organization: &str) -> Vec<String> {
    let service = lab.sandbox.platform();
    let place = |id: &str| service.places.iter().find(|it| it.id == id).unwrap();
    let within = service.members.iter().filter(|it| {
        let place = place(&it.place_id);
        place.id == organization || place.organization_id.as_deref() == Some(organization)
    });
    let told = within.map(|it| {
        let place = place(&it.place_id);
        let role = service.roles.iter().find(|role| Some(&role.id) == it.role_id.as_ref()).unwrap();
        let user = it.user_id.as_ref().and_then(|id| service.users.iter().find(|it| it.id == *id));
        let kind = format!("{:?}", place.kind).to_lowercase();
        match (user, &it.invitation) {
            (Some(user), _) => format!("{} is {} of {kind} {}", user.email, role.name, place.name),
            (None, Some(invitation)) => format!("{} is {} of {kind} {} (pending)", invitation.email, role.name, place.name),
            (None, None) => panic!("neither a member nor invited"),
        }
    });
    let mut told: Vec<String> = told.collect();
    told.sort();
    told
}

/// Somebody is invited with a role and has not accepted: a member of the service as it stands for nobody yet.
fn invite(lab: &Lab, place: &str, email: &str, role: &str) {
    let mut service = lab.sandbox.platform();
    let mut member = service.members.iter().find(|it| it.id == "invite-noor").unwrap().clone();
    member.id = format!("invite-{email}");
    place.clone_into(&mut member.place_id);
    member.role_id = Some(role.to_owned());
    email.clone_into(&mut member.invitation.as_mut().unwrap().email);
    service.members.push(member);
}

/// The gravity that a dry run tells and its notes. The change itself waits for a person, and nothing is sent.
async fn weighed(lab: &Lab, tool: &str, arguments: &Value) -> (String, Vec<String>) {
    let mut plan = arguments.clone();
    plan["dry_run"] = json!(true);
    let plan = lab.agent.ok(tool, plan).await;
    let gravity = plan["impact"]["gravity"].as_str().unwrap().to_owned();
    assert_eq!(plan["needs_consent"], json!(gravity != "none"), "{plan}");
    let before = lab.state();
    if gravity != "none" {
        lab.agent.silent().await.fails(tool, arguments.clone(), UNASKED).await;
    }
    assert_eq!((lab.writes(), lab.state()), (Vec::new(), before), "{tool} {arguments}");
    let notes = plan["impact"]["notes"].as_array().into_iter().flatten();
    (gravity, notes.map(|it| it.as_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn the_reader_says_what_the_service_holds() {
    let nested = Quirks { invites: Invites::Invitations, detail: Detail::Nested, own_roles_only: true, ..Quirks::default() };
    for quirks in [Quirks::default(), nested] {
        let lab = Lab::with(quirks, None).await;
        invite(&lab, "project-beacon", "eve@evil.example", "role-project_admin");
        for (name, id, count) in [("Acme", "organization-acme", 12), ("Northwind", "organization-northwind", 5)] {
            let Grants { list, unseen } = read(&lab, organization(name)).await;
            let mut all: Vec<String> = list.iter().map(told).collect();
            all.sort();
            assert_eq!((all.len(), &all), (count, &held(&lab, id)));
            assert!(unseen.iter().any(|it| it.contains("API keys")), "{unseen:?}");
        }
    }
}

#[tokio::test]
async fn roles_are_told_by_what_they_allow() {
    let lab = Lab::new().await;
    let list = read(&lab, organization("Acme")).await.list;
    let role = |who: &str, place: &str| {
        let found = list.iter().find(|it| it.holder.label() == who && it.place.to_string() == place);
        found.unwrap_or_else(|| panic!("{who} in {place}")).role.clone()
    };
    let owner = role("helena.brandt@acme.example", "organization Acme");
    assert!(owner.owns && owner.power == Power::OverOthers && owner.inside == Allows::all());
    let admin = role(OSKAR, "organization Acme");
    assert!(!admin.owns && admin.power == Power::OverOthers && admin.allows.has(Action::Manage) && !admin.allows.has(Action::Delete));
    let member = role(ANA, "organization Acme");
    assert_eq!((member.power, member.allows, member.inside), (Power::None, Allows::these([Action::Read]), Allows::these([Action::Read])));
    let clerk = role(MEI, "organization Acme");
    assert_eq!((clerk.power, clerk.inside, clerk.permissions.len()), (Power::None, Allows::nothing(), 3));
    let editor = role("priya.raman@acme.example", "project Beacon");
    assert!(editor.power == Power::OverOthers && editor.allows.has(Action::Manage), "who may update a project decides who is in it");
    let pending = list.iter().find(|it| it.state == State::Pending).unwrap();
    assert_eq!(pending.holder, Holder::Invitation("noor.vandijk@acme.example".into()));
    assert!(pending.ends_at.is_some());
}

#[tokio::test]
async fn a_role_that_does_not_tell_its_permissions_is_unknown_unless_the_guide_explains_it() {
    let lab = Lab::new().await;
    for role in &mut lab.sandbox.platform().roles {
        if role.organization_id.is_none() && role.slug != "org_owner" {
            role.permissions.clear();
        }
    }
    let list = read(&lab, organization("Acme")).await.list;
    let power = |who: &str, role: &str| list.iter().find(|it| it.holder.label() == who && it.role.name == role).unwrap().role.power;
    assert_eq!(power(OSKAR, "Admin"), Power::OverOthers);
    assert_eq!(power(ANA, "Project viewer"), Power::None);
    assert_eq!(power("priya.raman@acme.example", "Project editor"), Power::Unknown, "nobody says what an editor may do");
    let adds = |who: &str| json!({"project": "Atlas", "member": who, "roles": ["Project editor"]});
    assert_eq!(weighed(&lab, "add_project_member", &adds(MEI)).await.0, "low");
    assert_eq!(weighed(&lab, "add_project_member", &adds("eve@evil.example")).await.0, "critical");
}

#[tokio::test]
async fn a_project_is_read_with_its_team_and_those_who_reach_into_it() {
    let lab = Lab::new().await;
    for role in &mut lab.sandbox.platform().roles {
        if role.slug == "team_member" {
            role.permissions.push("projects:read".into());
        }
    }
    let mut all: Vec<String> =
        read(&lab, GrantScope::Project("Atlas".to_owned().try_into().unwrap())).await.list.iter().map(told).collect();
    all.sort();
    let expected = [
        "ana.ruiz@acme.example is Member of organization Acme",
        "ana.ruiz@acme.example is Project viewer of project Atlas",
        "ana.ruiz@acme.example is Team member of project Atlas by team Research",
        "helena.brandt@acme.example is Owner of organization Acme",
        "noor.vandijk@acme.example is Member of organization Acme (pending)",
        "oskar.lindqvist@acme.example is Admin of organization Acme",
        "oskar.lindqvist@acme.example is Project admin of project Atlas",
        "priya.raman@acme.example is Member of organization Acme",
    ];
    assert_eq!(all, expected);
}

#[tokio::test]
async fn a_person_is_read_in_every_organization_and_whoever_is_only_invited_too() {
    let lab = Lab::new().await;
    let person = |who: &str| GrantScope::Person(who.to_owned().try_into().unwrap());
    let of = async |who: &str| read(&lab, person(who)).await.list.iter().map(told).collect::<Vec<_>>();
    let helena = "helena.brandt@acme.example";
    let twice = [format!("{helena} is Owner of organization Acme"), format!("{helena} is Admin of organization Northwind")];
    assert_eq!(of("Helena Brandt").await, twice);
    assert_eq!(of("noor.vandijk@acme.example").await, ["noor.vandijk@acme.example is Member of organization Acme (pending)"]);
    assert_eq!(of("user-ana").await.len(), 3);
}

#[tokio::test]
async fn what_was_not_looked_through_is_said_and_never_harmless() {
    let lab = Lab::new().await;
    lab.agent.ok("create_role", json!({"organization": "Acme", "name": "Reader", "permissions": ["models:read"]})).await;
    lab.writes();
    assert_eq!(weighed(&lab, "delete_role", &json!({"role": "Reader"})).await.0, "low", "nobody holds it");
    {
        let mut service = lab.sandbox.platform();
        let beacon = service.places.iter().find(|it| it.id == "project-beacon").unwrap().clone();
        for number in 0..40 {
            let (id, name) = (format!("project-{number}"), format!("Beacon {number}"));
            service.places.push(Place { id, slug: Some(format!("beacon-{number}")), name, ..beacon.clone() });
        }
    }
    let unseen = read(&lab, organization("Acme")).await.unseen;
    assert!(unseen[0].contains("were not checked"), "{unseen:?}");
    assert_eq!(weighed(&lab, "delete_role", &json!({"role": "Reader"})).await.0, "high", "somebody may hold it");
}

#[tokio::test]
async fn a_weaker_role_is_asked_about_like_a_removal() {
    let lab = Lab::new().await;
    lab.agent.ok("create_role", json!({"organization": "Acme", "name": "Nothing much", "permissions": ["models:read"]})).await;
    assert!(lab.agent.questions().is_empty() && lab.writes().len() == 1);
    for (tool, arguments, loses) in [
        (
            "update_organization_member",
            json!({"organization": "Acme", "member": ANA, "role": "Nothing much"}),
            "no longer Member of organization Acme: ana.ruiz@acme.example, and loses organizations:list,",
        ),
        (
            "update_project_member",
            json!({"project": "Atlas", "member": ANA, "role": "Nothing much"}),
            "no longer Project viewer of project Atlas: ana.ruiz@acme.example, and loses projects:read",
        ),
    ] {
        let (gravity, notes) = weighed(&lab, tool, &arguments).await;
        assert_eq!(gravity, "high", "{tool}: the place is out of sight");
        assert!(notes.iter().any(|it| it.starts_with(loses)), "{tool}: {notes:?}");
        assert!(notes[0].starts_with("becomes Nothing much of "), "{notes:?}");
    }
    let clerk = json!({"organization": "Acme", "member": ANA, "role": "Label clerk"});
    let (gravity, notes) = weighed(&lab, "update_organization_member", &clerk).await;
    assert_eq!(gravity, "high", "a project that the old role alone shows is out of sight");
    assert!(notes.contains(&"may no longer see: Beacon".to_owned()), "{notes:?}");
    let team = json!({"team": "Research", "member": ANA, "role": "Nothing much"});
    let (gravity, notes) = weighed(&lab, "update_team_member", &team).await;
    assert_eq!(gravity, "low", "the role in the organization still shows the team");
    assert!(notes.iter().any(|it| it.ends_with("access through role Member of the organization stays")), "{notes:?}");
    let viewer = json!({"project": "Atlas", "member": OSKAR, "role": "Project viewer"});
    assert_eq!(weighed(&lab, "update_project_member", &viewer).await.0, "low", "less power, and still in sight");
}

#[tokio::test]
async fn a_role_that_loses_its_permissions_takes_sight_from_who_holds_it() {
    let lab = Lab::new().await;
    let emptied = json!({"role": "Label clerk", "permissions": []});
    assert_eq!(weighed(&lab, "update_role", &emptied).await.0, "high");
    let invited = Lab::new().await;
    invited.agent.ok("create_role", json!({"organization": "Acme", "name": "Reader", "permissions": ["organizations:read"]})).await;
    invited.agent.ok("invite_organization_member", json!({"organization": "Acme", "email": "juno@acme.example", "role": "Reader"})).await;
    invited.writes();
    let (gravity, _) = weighed(&invited, "update_role", &json!({"role": "Reader", "permissions": []})).await;
    assert_eq!(gravity, "low", "whoever is invited with it holds it");
    assert_eq!(weighed(&invited, "delete_role", &json!({"role": "Reader"})).await.0, "high");
}

#[tokio::test]
async fn widening_a_role_names_the_outsider_who_is_only_invited_with_it() {
    let lab = Lab::new().await;
    lab.agent.ok("create_role", json!({"organization": "Acme", "name": "Reader", "permissions": ["models:read"]})).await;
    let eve = json!({"organization": "Acme", "email": "eve@evil.example", "role": "Reader"});
    lab.agent.ok("invite_organization_member", eve).await;
    assert!(lab.agent.questions().is_empty(), "a harmless role");
    lab.writes();
    let (gravity, notes) = weighed(&lab, "update_role", &json!({"role": "Reader", "permissions": ["*"]})).await;
    let told = [
        "is invited to organization Acme as Reader, with power over others: eve@evil.example",
        "added: *",
        "outside the mail domains of those who manage Acme: eve@evil.example",
    ];
    assert_eq!((gravity.as_str(), notes), ("critical", told.map(str::to_owned).to_vec()));
}

#[tokio::test]
async fn a_member_without_power_lends_no_trust() {
    let lab = Lab::new().await;
    // Whoever has an account is a member at once.
    let lena = json!({"organization": "Acme", "email": "lena.vogel@studio-vogel.example", "role": "Member"});
    lab.agent.ok("invite_organization_member", lena).await;
    assert!(lab.agent.questions().is_empty() && lab.writes().len() == 1);
    let boss = json!({"organization": "Acme", "email": "boss@studio-vogel.example", "role": "Admin"});
    assert_eq!(weighed(&lab, "invite_organization_member", &boss).await.0, "critical");
    let herself = json!({"organization": "Acme", "member": "lena.vogel@studio-vogel.example", "role": "Admin"});
    assert_eq!(weighed(&lab, "update_organization_member", &herself).await.0, "critical");
}

#[tokio::test]
async fn the_sum_of_a_plan_is_weighed() {
    let lab = Lab::new().await;
    let step = |tool: &str, arguments: Value| json!({"tool": tool, "arguments": arguments});
    let projects = ["Atlas", "Beacon"].map(|it| step("delete_project", json!({"project": it})));
    let people = [ANA, MEI, OSKAR].map(|it| step("remove_organization_member", json!({"organization": "Acme", "member": it})));
    for (steps, sum) in [(json!(projects), "2 projects of Acme"), (json!(people), "3 people of Acme")] {
        let (gravity, _) = weighed(&lab, "apply_changes", &json!({"steps": steps})).await;
        assert_eq!(gravity, "critical", "{sum}");
        let waits = lab.agent.silent().await.fails("apply_changes", json!({"steps": steps}), UNASKED).await;
        assert!(waits["message"].as_str().unwrap().ends_with(&format!("To confirm, type: {sum}")), "{waits}");
        assert_eq!(lab.writes(), [""; 0]);
    }
}

#[tokio::test]
async fn a_logo_that_is_replaced_is_asked_about() {
    let lab = Lab::new().await;
    let image = "iVBORw0KGgoAAAANSUhEUgAAAEAAAAAgCAYAAAByZXN0";
    assert_eq!(weighed(&lab, "set_logo", &json!({"of": "organization", "target": "Acme", "image": image})).await.0, "low");
    assert_eq!(weighed(&lab, "set_logo", &json!({"of": "project", "target": "Atlas", "image": image})).await.0, "none");
}

#[tokio::test]
async fn who_leaves_is_told_with_what_is_still_pending() {
    let lab = Lab::new().await;
    invite(&lab, "project-beacon", ANA, "role-project_admin");
    let (gravity, notes) = weighed(&lab, "remove_organization_member", &json!({"organization": "Acme", "member": ANA})).await;
    assert_eq!(gravity, "high");
    let stays = "stays invited, until that is ended there: project Beacon as Project admin";
    assert!(notes.contains(&stays.to_owned()), "{notes:?}");
    invite(&lab, "project-beacon", "juno@elsewhere.example", "role-project_viewer");
    let juno = json!({"organization": "Acme", "member": "juno@elsewhere.example"});
    let pending = lab.refuses("remove_organization_member", juno, "invitation_pending").await;
    assert_eq!(pending["fix"], "end it with remove_project_member; one to the organization is ended with cancel_invitation");
    let noor = json!({"organization": "Acme", "member": "noor.vandijk@acme.example"});
    let pending = lab.refuses("remove_organization_member", noor, "invitation_pending").await;
    assert!(pending["fix"].as_str().unwrap().contains("cancel_invitation"));
}

#[tokio::test]
async fn who_joins_is_told_with_the_role_before_the_names() {
    let lab = Lab::new().await;
    let mei = json!({"project": "Atlas", "member": MEI, "roles": ["Project viewer"]});
    let (gravity, notes) = weighed(&lab, "add_project_member", &mei).await;
    assert_eq!((gravity.as_str(), notes[0].as_str()), ("none", "joins project Atlas as Project viewer: mei.tanaka@acme.example"));
    let juno = json!({"project": "Atlas", "member": "juno@elsewhere.example", "roles": ["Project viewer"]});
    let (gravity, notes) = weighed(&lab, "add_project_member", &juno).await;
    assert_eq!(gravity, "low", "mail goes out to somebody who is no member");
    let told = [
        "is invited to project Atlas as Project viewer: juno@elsewhere.example",
        "is not a member of Acme and may be invited to it: juno@elsewhere.example",
    ];
    assert_eq!(notes, told);
    let unnamed = json!({"organization": "Acme", "email": "juno@elsewhere.example"});
    let (gravity, notes) = weighed(&lab, "invite_organization_member", &unnamed).await;
    assert_eq!(gravity, "critical", "a role that nobody names may be any");
    assert!(notes[0].starts_with("is invited to organization Acme as whatever role SeeMe.ai chooses (Rolecall cannot see"), "{notes:?}");
}
