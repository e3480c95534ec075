//! Client certificates, through a real client.

use rolecall::providers::local::certificates::{add_certificate, parse_certificate};

use crate::{
    seed::{kept_to, planted},
    support::{Agent, Value, json},
};

const STAGING: &str = include_str!("../../src/providers/local/seed/acme-staging.pem");
const RETIRED: &str = include_str!("../../src/providers/local/seed/acme-retired.pem");

async fn active(agent: &Agent, project: &str) -> Vec<String> {
    let list = agent.ok("list_certificates", json!({ "project": project })).await;
    let items = list["items"].as_array().unwrap().iter();
    items.filter(|it| it["active"] == true).map(|it| it["certificate"].as_str().unwrap().to_owned()).collect()
}

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|it| it["certificate"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn certificates_are_listed_for_a_project_and_for_the_organization() {
    for agent in planted().await {
        let list = agent.ok("list_certificates", json!({ "project": "Borealis" })).await;
        assert_eq!(names(&list), ["Acme production clients", "Acme retired clients", "Acme staging clients"]);
        assert_eq!(list["items"][2]["active"], true, "{list}");
        assert_eq!(list["items"][2]["project"], "Borealis", "{list}");
        assert_eq!(list["items"][1]["expires_at"], "2024-01-01T00:00:00Z", "{list}");
        let many = agent.fails("list_certificates", json!({}), "ambiguous_organization").await;
        assert!(many["fix"].as_str().unwrap().contains("`project`"), "there is no organization to name: {many}");
        let acme = kept_to(&agent, "acme").await;
        let own = acme.ok("list_certificates", json!({ "limit": 2 })).await;
        assert_eq!(own["items"][0]["active"], true, "{own}");
        let rest = acme.ok("list_certificates", json!({ "limit": 2, "cursor": own["next_cursor"] })).await;
        assert_eq!(names(&rest), ["Acme staging clients"]);
        assert_eq!((&rest["items"][0]["active"], &rest["total"]), (&json!(false), &json!(3)), "{rest}");
    }
}

#[tokio::test]
async fn certificates_are_activated_all_of_them_or_none() {
    for agent in planted().await {
        let wanted = json!({ "project": "Delta Forecast", "certificates": ["acme PRODUCTION clients", "cert_acme_staging", "cert_acme_production"] });
        let made = agent.ok("activate_certificates", wanted).await;
        assert_eq!(names(&made["after"]), ["Acme production clients", "Acme staging clients"], "named twice is once: {made}");
        assert_eq!(made["before"]["items"][0]["active"], false, "{made}");
        let question = agent.questions().remove(0);
        assert!(question.contains("the first active certificates of project `Delta Forecast`"), "{question}");
        assert!(question.contains("to be activated: Acme production clients, Acme staging clients"), "{question}");
        assert_eq!(active(&agent, "Delta Forecast").await, ["Acme production clients", "Acme staging clients"]);
        // Borealis has one already, so this one is no turning point.
        agent.ok("activate_certificates", json!({ "project": "Borealis", "certificates": ["cert_acme_production"] })).await;
        assert_eq!(agent.questions(), Vec::<String>::new());
        let acme = kept_to(&agent, "acme").await;
        acme.ok("activate_certificates", json!({ "certificates": ["cert_acme_staging"] })).await;

        let before = agent.dump().await;
        for (certificates, code) in [
            (json!(["cert_acme_staging", "cert_acme_retired"]), "certificate_not_valid"),
            (json!(["cert_acme_staging", "Nobody's clients"]), "certificate_not_found"),
            (json!([]), "invalid_arguments"),
            (json!(vec!["cert_acme_staging"; 11]), "invalid_arguments"),
        ] {
            agent.fails("activate_certificates", json!({ "project": "Ember", "certificates": certificates }), code).await;
        }
        let wanted = json!({ "project": "Borealis", "certificates": ["cert_acme_staging", "cert_acme_production"] });
        let twice = agent.fails("activate_certificates", wanted, "certificate_already_active").await;
        assert!(twice["message"].as_str().unwrap().contains("`Acme staging clients`, `Acme production clients`"), "{twice}");
        let wanted = json!({ "project": "Lumen", "certificates": ["cert_acme_staging"] });
        agent.fails("activate_certificates", wanted, "certificate_not_found").await;
        let wanted = json!({ "project": "Harbor", "certificates": ["cert_acme_staging"] });
        agent.fails("activate_certificates", wanted, "project_archived").await;
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn the_last_active_certificate_goes_only_when_its_name_is_typed() {
    for agent in planted().await {
        let one = json!({ "project": "Atlas", "certificates": ["cert_acme_staging"] });
        let gone = agent.ok("deactivate_certificates", one).await;
        assert_eq!((&gone["before"]["items"][0]["active"], &gone["after"]["items"][0]["active"]), (&json!(true), &json!(false)), "{gone}");
        assert!(!agent.questions()[0].contains("To confirm, type"), "another one stays");
        let last = json!({ "project": "Atlas", "certificates": ["cert_acme_production"] });
        let mut preview = last.clone();
        preview["dry_run"] = true.into();
        let told = agent.ok("deactivate_certificates", preview).await;
        assert_eq!(told["impact"]["gravity"], "high", "{told}");
        agent.ok("deactivate_certificates", last).await;
        let question = agent.questions().remove(0);
        assert!(question.contains("1 certificate is refused (Acme production clients)"), "{question}");
        assert!(question.contains("no certificate stays active for project `Atlas`"), "{question}");
        assert!(question.ends_with("To confirm, type: Acme production clients"), "{question}");
        assert_eq!(active(&agent, "Atlas").await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_expired_certificate_is_deactivated_for_good() {
    for agent in planted().await {
        let wanted = json!({ "project": "Cobalt", "certificates": ["Acme retired clients"] });
        let gone = agent.ok("deactivate_certificates", wanted.clone()).await;
        assert_eq!(gone["undo"], Value::Null, "{gone}");
        agent.fails("activate_certificates", wanted, "certificate_not_valid").await;
    }
}

#[tokio::test]
async fn certificates_that_are_not_active_cannot_be_deactivated() {
    for agent in planted().await {
        let before = agent.dump().await;
        let wanted = json!({ "project": "Borealis", "certificates": ["cert_acme_staging", "cert_acme_production"] });
        let error = agent.fails("deactivate_certificates", wanted, "certificate_not_active").await;
        assert!(error["message"].as_str().unwrap().contains("`Acme production clients`"), "{error}");
        let wanted = json!({ "project": "Borealis", "certificates": ["cert_acme_staging"] });
        let declined = agent.refusing().await.call("deactivate_certificates", wanted).await;
        assert_eq!(declined["status"], "refused", "{declined}");
        assert_eq!(agent.dump().await, before);
    }
}

#[tokio::test]
async fn a_certificate_is_added_once_and_starts_inactive() {
    for agent in planted().await {
        let added = add_certificate(agent.db(), "Acme Labs", None, STAGING).await.unwrap();
        assert_eq!((added.certificate.as_str(), added.active), ("Acme staging clients", false), "another organization may have the same");
        let error = add_certificate(agent.db(), "acme-labs", Some("Again"), STAGING).await.unwrap_err();
        assert_eq!(error.code(), "certificate_exists", "{error}");
        let named = add_certificate(agent.db(), "acme-labs", Some("Old bench"), RETIRED).await.unwrap();
        assert_eq!(named.certificate, "Old bench");
        assert_eq!(add_certificate(agent.db(), "nobody", None, STAGING).await.unwrap_err().code(), "organization_not_found");
        assert_eq!(add_certificate(agent.db(), "acme", Some(" "), STAGING).await.unwrap_err().code(), "invalid_arguments");
        let list = agent.ok("list_certificates", json!({ "project": "Lumen" })).await;
        assert_eq!(names(&list), ["Acme staging clients", "Old bench"]);
    }
}

#[tokio::test]
async fn two_certificates_of_one_name_are_told_apart_by_id() {
    for agent in planted().await {
        let one = add_certificate(agent.db(), "acme-labs", Some("Bench"), STAGING).await.unwrap();
        add_certificate(agent.db(), "acme-labs", Some("bench"), RETIRED).await.unwrap();
        let wanted = |it: &str| json!({ "project": "Lumen", "certificates": [it] });
        let error = agent.fails("activate_certificates", wanted("BENCH"), "ambiguous_certificate").await;
        assert_eq!(error["candidates"].as_array().map(Vec::len), Some(2), "{error}");
        agent.ok("activate_certificates", wanted(&one.id)).await;
    }
}

#[test]
fn a_certificate_says_who_it_is_for_and_how_long() {
    let parsed = parse_certificate(&format!("anything\n{STAGING}\nanything else")).unwrap();
    assert_eq!(parsed.name.as_deref(), Some("Acme staging clients"));
    assert_eq!(parsed.pem, STAGING, "only the block is kept");
    assert_eq!((parsed.valid_at, parsed.expires_at), (1_735_689_600_000, 2_840_140_800_000));
    assert_eq!(parsed.fingerprint.len(), 64);
}

#[test]
fn what_is_not_one_certificate_is_refused() {
    let key = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n";
    let broken = STAGING.replace("MIIB", "MIIC");
    let cut = STAGING.replace("-----END CERTIFICATE-----", "");
    let other = STAGING.replace("CERTIFICATE", "CERTIFICATE REQUEST");
    for (text, says) in [
        (key, "private key"),
        (&format!("{STAGING}{key}"), "private key"),
        (&format!("{STAGING}{RETIRED}"), "2 PEM blocks"),
        ("", "0 PEM blocks"),
        ("hello", "0 PEM blocks"),
        (&cut, "cannot be read"),
        (&broken, "cannot be read"),
        (&other, "CERTIFICATE REQUEST"),
    ] {
        let error = parse_certificate(text).unwrap_err();
        assert!(error.to_string().contains(says), "{text}: {error}");
        assert!(!error.to_string().contains("MIIB"), "nothing of the text is repeated");
    }
}
