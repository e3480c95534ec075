//! People of SeeMe.ai's organizations: members, invitations, memberships.

use rolecall_sandbox::seeme::{Detail, Invites, Quirks};

use crate::{
    support::{Value, json},
    support_seeme::Lab,
};

const ANA: &str = "ana.ruiz@acme.example";

fn nested() -> Quirks {
    Quirks { invites: Invites::Invitations, detail: Detail::Nested, ..Quirks::default() }
}

#[tokio::test]
async fn members_are_told_alike_in_both_shapes() {
    for quirks in [Quirks::default(), nested()] {
        let lab = Lab::with(quirks, None).await;
        let all = lab.agent.ok("list_organization_members", json!({"organization": "Acme"})).await;
        assert_eq!(lab.reads(), ["organizations", "organizations/organization-acme/members"]);
        let names: Vec<_> = all["items"].as_array().unwrap().iter().map(|it| it["member"].as_str().unwrap()).collect();
        let five =
            [ANA, "helena.brandt@acme.example", "mei.tanaka@acme.example", "oskar.lindqvist@acme.example", "priya.raman@acme.example"];
        assert_eq!(names, five, "who is only invited is no member");
        let ana = json!({
            "member": ANA, "name": "Ana Ruiz", "id": "user-ana", "roles": ["Member"], "status": "active", "organization": "Acme",
            "since": "2026-01-05T08:00:00Z",
        });
        assert_eq!(all["items"][0], ana);
        let found = lab.agent.ok("list_organization_members", json!({"organization": "Acme", "role": "label_clerk"})).await;
        assert_eq!((&found["total"], &found["items"][0]["name"]), (&json!(1), &json!("Mei Tanaka")));
        let found = lab.agent.ok("list_organization_members", json!({"organization": "Acme", "query": "lindq"})).await;
        assert_eq!((&found["total"], &found["items"][0]["id"]), (&json!(1), &json!("user-oskar")));
        for by in [ANA, "ana ruiz", "ana", "user-ana", "organization-member-acme-ana"] {
            let read = lab.agent.ok("get_organization_member", json!({"organization": "Acme", "member": by})).await;
            assert_eq!((&read["member"], &read["id"]), (&json!(ANA), &json!("user-ana")), "{by}");
        }
        lab.refuses("get_organization_member", json!({"organization": "Acme", "member": "rosa"}), "member_not_found").await;
    }
}

#[tokio::test]
async fn an_invitation_is_sent_listed_and_cancelled_in_both_shapes() {
    for quirks in [Quirks::default(), nested()] {
        let lab = Lab::with(quirks, None).await;
        let body = json!({"organization": "Acme", "email": "juno@acme.example", "role": "Member"});
        let made = lab.agent.ok("invite_organization_member", body.clone()).await;
        assert_eq!(
            lab.writes(),
            [r#"POST organizations/organization-acme/members {"email":"juno@acme.example","role_id":"role-org_member"}"#]
        );
        let (id, invited) = (made["target"]["id"].clone(), &made["after"]);
        assert_eq!(
            (&invited["invitation"], &invited["role"], &invited["status"]),
            (&json!("juno@acme.example"), &json!("Member"), &json!("pending"))
        );
        assert!(lab.agent.questions().is_empty(), "a plain member gets no power");
        lab.refuses("invite_organization_member", body, "already_invited").await;

        let listed = lab.agent.ok("list_invitations", json!({"organization": "Acme"})).await;
        let emails: Vec<_> = listed["items"].as_array().unwrap().iter().map(|it| it["invitation"].clone()).collect();
        assert_eq!(emails, ["juno@acme.example", "noor.vandijk@acme.example"]);
        assert!(!format!("{listed}{made}").contains("token-"), "whoever has the token can accept");
        let member = json!({"organization": "Acme", "member": "juno@acme.example"});
        lab.refuses("remove_organization_member", member.clone(), "invitation_pending").await;
        lab.refuses(
            "update_organization_member",
            json!({"organization": "Acme", "member": "juno@acme.example", "role": "Admin"}),
            "invitation_pending",
        )
        .await;

        let by = if listed["items"][0]["id"] == id { json!("juno@acme.example") } else { id.clone() };
        lab.agent.ok("cancel_invitation", json!({"organization": "Acme", "invitation": by})).await;
        assert_eq!(lab.writes(), [format!("DELETE organizations/organization-acme/members/{}", id.as_str().unwrap())]);
        lab.refuses("cancel_invitation", json!({"organization": "Acme", "invitation": "juno@acme.example"}), "invitation_not_found").await;
        lab.refuses("cancel_invitation", json!({"organization": "Acme", "invitation": ANA}), "not_pending").await;
    }
}

#[tokio::test]
async fn who_has_an_account_may_be_a_member_at_once() {
    let lab = Lab::new().await;
    let made =
        lab.agent.ok("invite_organization_member", json!({"organization": "Acme", "email": "lena.vogel@studio-vogel.example"})).await;
    assert_eq!(lab.writes(), [r#"POST organizations/organization-acme/members {"email":"lena.vogel@studio-vogel.example"}"#]);
    assert_eq!((&made["after"]["status"], &made["undo"]), (&json!("accepted"), &json!("remove_organization_member")));
    let again = json!({"organization": "Acme", "email": "lena.vogel@studio-vogel.example"});
    lab.refuses("invite_organization_member", again, "already_member").await;
}

#[tokio::test]
async fn power_is_asked_about_and_power_for_outsiders_the_more() {
    let lab = Lab::new().await;
    let plan = |email: &str| json!({"organization": "Acme", "email": email, "role": "Admin", "dry_run": true});
    let insider = lab.agent.ok("invite_organization_member", plan("juno@acme.example")).await;
    let notes = [
        "is invited to organization Acme as Admin, with power over others: juno@acme.example",
        "who has an account at SeeMe.ai may be a member at once",
    ];
    assert_eq!((&insider["impact"]["gravity"], &insider["impact"]["notes"]), (&json!("low"), &json!(notes)));
    let outsider = lab.agent.ok("invite_organization_member", plan("juno@elsewhere.example")).await;
    assert_eq!(outsider["impact"]["gravity"], "critical");
    let note = "outside the mail domains of those who manage Acme: juno@elsewhere.example";
    assert_eq!(outsider["impact"]["notes"][2], note);
    assert_eq!(lab.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_role_is_changed_by_the_id_of_the_membership() {
    let lab = Lab::new().await;
    let changed = lab.agent.ok("update_organization_member", json!({"organization": "Acme", "member": ANA, "role": "org_admin"})).await;
    let put = r#"PUT organizations/organization-acme/members/organization-member-acme-ana/role {"role_id":"role-org_admin"}"#;
    assert_eq!(lab.writes(), [put]);
    assert_eq!((&changed["before"]["roles"], &changed["after"]["roles"]), (&json!(["Member"]), &json!(["Admin"])));
    assert_eq!(changed["undo"], "update_organization_member with role `Member`");
    assert_eq!(lab.agent.questions().len(), 1);
    let unknown =
        lab.refuses("update_organization_member", json!({"organization": "Acme", "member": ANA, "role": "Boss"}), "role_not_found").await;
    assert_eq!(unknown["fix"], "use one of: Owner, Admin, Member, Label clerk");
    let foreign = json!({"organization": "Acme", "member": ANA, "role": "Bookkeeper"});
    lab.refuses("update_organization_member", foreign, "role_not_found").await;
}

#[tokio::test]
async fn an_owner_is_neither_removed_nor_demoted() {
    for bare_organizations in [false, true] {
        let lab = Lab::with(Quirks { bare_organizations, ..Quirks::default() }, None).await;
        let rosa = json!({"organization": "Northwind", "member": "rosa.delgado@northwind.example"});
        lab.refuses("remove_organization_member", rosa, "last_owner").await;
        let demoted = json!({"organization": "Northwind", "member": "user-rosa", "role": "Member"});
        lab.refuses("update_organization_member", demoted, "last_owner").await;
    }
}

#[tokio::test]
async fn who_leaves_is_told_what_is_lost() {
    let lab = Lab::new().await;
    let ana = json!({"organization": "Acme", "member": ANA});
    let mut plan = ana.clone();
    plan["dry_run"] = json!(true);
    let plan = lab.agent.ok("remove_organization_member", plan).await;
    let impact = json!({
        "gravity": "high",
        "losses": [{"count": 1, "what": "person loses access to the organization", "examples": [ANA]}],
        "notes": [
            "no longer Member of organization Acme: ana.ruiz@acme.example",
            "out of reach with it: team Research as Team member, project Atlas as Project viewer",
        ],
        "undo": "invite_organization_member with role `Member`; projects and teams are granted again",
    });
    assert_eq!(plan["impact"], impact);
    let gone = lab.agent.ok("remove_organization_member", ana.clone()).await;
    assert_eq!(lab.writes(), ["DELETE organizations/organization-acme/members/organization-member-acme-ana"]);
    assert_eq!((&gone["before"]["member"], gone.get("after")), (&json!(ANA), None));
    lab.refuses("remove_organization_member", ana, "member_not_found").await;
}

#[tokio::test]
async fn memberships_of_the_caller_and_of_others() {
    let lab = Lab::new().await;
    let membership =
        |member: &str, organization: &str, role: &str| json!({"member": member, "organization": organization, "roles": [role]});
    let mine = lab.agent.ok("list_memberships", json!({})).await;
    let helena = "helena.brandt@acme.example";
    assert_eq!(mine["items"], json!([membership(helena, "Acme", "Owner"), membership(helena, "Northwind", "Admin")]));
    let theirs = lab.agent.ok("list_memberships", json!({"email": ANA})).await;
    assert_eq!(theirs["items"], json!([membership(ANA, "Acme", "Member")]));
}

#[tokio::test]
async fn roles_are_told_where_they_are_held() {
    let lab = Lab::new().await;
    let of_ana = lab.agent.ok("list_role_assignments", json!({"member": "Ana Ruiz"})).await;
    let held = |it: &Value| format!("{} {} {}", it["role"].as_str().unwrap(), it["team"], it["project"]);
    let held: Vec<_> = of_ana["items"].as_array().unwrap().iter().map(held).collect();
    assert_eq!(held, ["Member null null", "Team member \"Research\" null", "Project viewer null \"Atlas\""]);
    let of_atlas = lab.agent.ok("list_role_assignments", json!({"project": "Atlas"})).await;
    let ana =
        json!({"role": "Project viewer", "role_id": "role-project_viewer", "member": ANA, "organization": "Acme", "project": "Atlas"});
    assert_eq!((&of_atlas["total"], &of_atlas["items"][0]), (&json!(2), &ana));
    lab.refuses("list_role_assignments", json!({}), "invalid_arguments").await;
}

#[tokio::test]
async fn an_invitation_that_has_expired_is_told_so_and_can_be_cleared_away() {
    let lab = Lab::new().await;
    for member in &mut lab.sandbox.platform().members {
        if let Some(invitation) = &mut member.invitation {
            invitation.expires_at = "2026-01-12T08:00:00Z".into();
        }
    }
    let listed = lab.agent.ok("list_invitations", json!({"organization": "Acme", "status": "expired"})).await;
    let noor = json!({
        "invitation": "noor.vandijk@acme.example", "id": "invite-noor", "role": "Member", "status": "expired", "organization": "Acme",
        "invited_at": "2026-01-05T08:00:00Z", "expires_at": "2026-01-12T08:00:00Z",
    });
    assert_eq!(listed["items"], json!([noor]));
    assert_eq!(lab.agent.ok("list_invitations", json!({"organization": "Acme", "status": "pending"})).await["total"], 0);
    lab.agent.ok("cancel_invitation", json!({"organization": "Acme", "invitation": "invite-noor"})).await;
    assert_eq!(lab.writes(), ["DELETE organizations/organization-acme/members/invite-noor"]);
}
