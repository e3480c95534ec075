//! Client certificates of the directory: they belong to an organization, and are active for it or for its projects.

use x509_parser::{certificate::X509Certificate, pem::Pem, prelude::FromDer as _};

use serde_json::{Value, json};

use super::{Session, extent::Extent, page::PageQuery};
use crate::{
    domain::{
        CertificateRef, Change, Counted, Facts, Inverse, List, Name, OrganizationRef, PageRequest, ProjectRef, ReferenceText as _, Target,
        Thing, Timestamp, fold, limits::Certificate,
    },
    error::ProviderError,
    store::{Db, Tries, Val, args, new_id, row, sha256},
    tools::certificates::{ActivateCertificates, DeactivateCertificates, ListCertificates},
};

/// How many certificates an organization can have.
const MOST: i64 = 50;
/// How many are activated or deactivated at once.
const AT_ONCE: usize = 10;

row! {
    struct CertificateRow { id: String, name: String, fingerprint: String, valid_at: i64, expires_at: i64, active: i64 }
}

/// `$1` is the organization, `$2` what it is active for: a project's id, or nothing for the organization itself.
const COLUMNS: &str = "SELECT c.id, c.name, c.fingerprint, c.valid_at, c.expires_at, (SELECT COUNT(*) FROM certificate_activations a \
     WHERE a.certificate_id = c.id AND a.project_id = $2) AS active FROM certificates c WHERE c.organization_id = $1";

pub(super) async fn list(at: &mut Session, op: &ListCertificates) -> Result<List<Certificate>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    let scope = Extent::read(at, op.project.as_ref()).await?;
    let mut values = args![&scope.organization_id, activation(&scope), page.rows()].to_vec();
    let after = page.after_two();
    let behind = if after.is_some() { " AND (c.name, c.id) > ($4, $5)" } else { "" };
    values.extend(after.into_iter().flatten().map(Val::from));
    let sql = format!("{COLUMNS}{behind} ORDER BY c.name, c.id LIMIT $3");
    let rows: Vec<CertificateRow> = at.db.all(&sql, &values).await?;
    let sql = "SELECT COUNT(*) FROM certificates WHERE organization_id = $1";
    let total = at.db.number(sql, &args![&scope.organization_id]).await?;
    Ok(page.page(rows, Some(total), |it| format!("{} {}", it.name, it.id), |it| view(&scope, &it)))
}

pub(super) async fn activate(at: &mut Session, op: &ActivateCertificates) -> Result<Change<List<Certificate>>, ProviderError> {
    let (scope, all, chosen) = chosen(at, op.project.as_ref(), &op.certificates).await?;
    let now = Timestamp::now().0;
    let unusable: Vec<_> = chosen.iter().filter_map(|it| why_not(it, now)).collect();
    if !unusable.is_empty() {
        return Err(ProviderError::conflict(
            "certificate_not_valid",
            format!("not valid now: {}", unusable.join(", ")),
            "leave them out, or add a renewed certificate with `rolecall certificates add`",
        ));
    }
    refuse_if("certificate_already_active", "active already", &scope, chosen.iter().filter(|it| it.active > 0))?;
    for it in &chosen {
        let sql = "INSERT INTO certificate_activations (certificate_id, project_id, activated_at) VALUES ($1, $2, $3)";
        at.db.run(sql, &args![&it.id, activation(&scope), now]).await?;
    }
    let facts = if all.iter().any(|it| it.active > 0) {
        Facts::none()
    } else {
        // Which clients those are, nobody can tell here.
        let first = format!("the first active certificates of {}: clients that present none are refused from then on", scope.says());
        Facts::none().unseen(first).note(format!("to be activated: {}", names(&chosen).join(", ")))
    };
    let (before, after) = (shown(&scope, &chosen, false), shown(&scope, &chosen, true));
    let facts = facts.undo("deactivate_certificates with the same certificates");
    let inverse = Inverse::call::<DeactivateCertificates>(named(&scope, &chosen));
    Ok(Change::updated(target(&scope, &chosen), facts, before, after).inverse(inverse))
}

pub(super) async fn deactivate(at: &mut Session, op: &DeactivateCertificates) -> Result<Change<List<Certificate>>, ProviderError> {
    let (scope, all, chosen) = chosen(at, op.project.as_ref(), &op.certificates).await?;
    refuse_if("certificate_not_active", "not active", &scope, chosen.iter().filter(|it| it.active == 0))?;
    for it in &chosen {
        let sql = "DELETE FROM certificate_activations WHERE certificate_id = $1 AND project_id = $2";
        at.db.run(sql, &args![&it.id, activation(&scope)]).await?;
    }
    let mut facts = Facts::none().stops(Thing::Certificate, names(&chosen));
    if chosen.len() > Counted::NAMED {
        // A loss has only a few examples, and a person should see everything.
        facts = facts.note(format!("all of them: {}", names(&chosen).join(", ")));
    }
    if all.iter().filter(|it| it.active > 0).count() == chosen.len() {
        facts = facts.none_active(Thing::Certificate, scope.says());
    }
    let now = Timestamp::now().0;
    facts = if chosen.iter().any(|it| why_not(it, now).is_some()) {
        facts.note("one that is not valid now cannot be activated again")
    } else {
        facts.undo("activate_certificates with the same certificates")
    };
    let (before, after) = (shown(&scope, &chosen, true), shown(&scope, &chosen, false));
    let lasting = facts.undo.is_none();
    let change = Change::updated(target(&scope, &chosen), facts, before, after);
    Ok(if lasting { change } else { change.inverse(Inverse::call::<ActivateCertificates>(named(&scope, &chosen))) })
}

/// Certificates of a place, as the arguments of both operations name them.
fn named(scope: &Extent, chosen: &[CertificateRow]) -> Value {
    let ids: Vec<&str> = chosen.iter().map(|it| it.id.as_str()).collect();
    json!({ "project": scope.project_id(), "certificates": ids })
}

/// Adds a certificate to an organization of the directory; it is not active for anything yet.
///
/// # Errors
///
/// When the PEM text is not one certificate, the organization has it already, or the directory cannot be used.
pub async fn add_certificate(db: &Db, organization: &str, name: Option<&str>, pem: &str) -> Result<Certificate, ProviderError> {
    let parsed = parse_certificate(pem)?;
    let named =
        name.map(str::to_owned).or_else(|| parsed.name.clone()).unwrap_or_else(|| format!("certificate {}", &parsed.fingerprint[..8]));
    let name = Name::try_from(named).map_err(|error| ProviderError::invalid(error.to_string(), "give a shorter name"))?;
    let organization = OrganizationRef::try_from(organization.to_owned())
        .map_err(|error| ProviderError::invalid(error.to_string(), "give a name, slug or id"))?;
    let mut tries = Tries::default();
    loop {
        let mut committed = false;
        let added = async {
            let mut session = Session { db: db.begin().await?, settings: std::sync::Arc::default(), makes: true };
            let added = add(&mut session, &organization, &name, &parsed).await?;
            committed = true;
            session.db.commit().await?;
            Ok(added)
        }
        .await;
        match added {
            Err(error) if tries.looking_again(&error, committed).await => {}
            other => return other,
        }
    }
}

async fn add(
    at: &mut Session,
    organization: &OrganizationRef,
    name: &Name,
    parsed: &ParsedCertificate,
) -> Result<Certificate, ProviderError> {
    let organization = at.organization(Some(organization)).await?;
    let sql = "SELECT name FROM certificates WHERE organization_id = $1 AND fingerprint = $2";
    if let Some(taken) = at.db.texts(sql, &args![&organization.id, &parsed.fingerprint]).await?.first() {
        return Err(ProviderError::conflict(
            "certificate_exists",
            format!("`{}` has this certificate already, as `{taken}`", organization.name),
            "use the one that is there",
        ));
    }
    let sql = "SELECT COUNT(*) FROM certificates WHERE organization_id = $1";
    if at.db.number(sql, &args![&organization.id]).await? >= MOST {
        return Err(ProviderError::conflict(
            "too_many_certificates",
            format!("`{}` has {MOST} certificates, which is the most", organization.name),
            "use one of those that are there",
        ));
    }
    let id = new_id("cert");
    let sql = "INSERT INTO certificates (id, organization_id, name, pem, fingerprint, valid_at, expires_at, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let values = args![
        &id,
        &organization.id,
        name.as_str(),
        &parsed.pem,
        &parsed.fingerprint,
        parsed.valid_at,
        parsed.expires_at,
        Timestamp::now().0
    ];
    at.db.run(sql, &values).await?;
    Ok(Certificate {
        certificate: name.to_string(),
        id,
        organization: organization.name,
        project: None,
        active: false,
        fingerprint: Some(parsed.fingerprint.clone()),
        valid_at: Some(Timestamp(parsed.valid_at)),
        expires_at: Some(Timestamp(parsed.expires_at)),
    })
}

/// What a PEM text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedCertificate {
    /// The common name of its subject.
    pub name: Option<String>,
    /// The certificate block alone.
    pub pem: String,
    /// SHA-256 in lower-case hex.
    pub fingerprint: String,
    /// Milliseconds since 1970.
    pub valid_at: i64,
    /// Milliseconds since 1970.
    pub expires_at: i64,
}

/// Reads the one X.509 certificate of a PEM text.
///
/// # Errors
///
/// When the text holds a private key, no certificate, more than one, or one that cannot be read.
pub fn parse_certificate(pem: &str) -> Result<ParsedCertificate, ProviderError> {
    let fix = "give one certificate that begins with -----BEGIN CERTIFICATE-----";
    if pem.contains("PRIVATE KEY-----") {
        return Err(ProviderError::invalid("the file holds a private key; it was not read further", fix));
    }
    let blocks: Vec<_> = Pem::iter_from_buffer(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| ProviderError::invalid(format!("the PEM text cannot be read: {error}"), fix))?;
    let [block] = blocks.as_slice() else {
        return Err(ProviderError::invalid(format!("the text holds {} PEM blocks", blocks.len()), fix));
    };
    if block.label != "CERTIFICATE" {
        return Err(ProviderError::invalid(format!("the PEM block is a `{}`", block.label.escape_default()), fix));
    }
    let Ok(([], certificate)) = X509Certificate::from_der(&block.contents) else {
        return Err(ProviderError::invalid("the certificate cannot be read", fix));
    };
    let millis = |it: i64| it.saturating_mul(1000);
    Ok(ParsedCertificate {
        name: certificate.subject().iter_common_name().find_map(|it| it.as_str().ok()).map(str::to_owned),
        pem: encoded(&block.contents),
        fingerprint: sha256(&block.contents),
        valid_at: millis(certificate.validity().not_before.timestamp()),
        expires_at: millis(certificate.validity().not_after.timestamp()),
    })
}

/// What stands around the block may be anything, so it is written anew.
fn encoded(der: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let text = STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for (at, it) in text.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(it);
    }
    pem + "\n-----END CERTIFICATE-----\n"
}

/// The certificates that are named, once each and all of them, besides all there are.
async fn chosen(
    at: &mut Session,
    project: Option<&ProjectRef>,
    named: &[CertificateRef],
) -> Result<(Extent, Vec<CertificateRow>, Vec<CertificateRow>), ProviderError> {
    if named.is_empty() || named.len() > AT_ONCE {
        return Err(ProviderError::invalid(format!("{} certificates are named", named.len()), format!("name 1 to {AT_ONCE}")));
    }
    let scope = Extent::write(at, project).await?;
    let all: Vec<CertificateRow> =
        at.db.all(&format!("{COLUMNS} ORDER BY c.name, c.id"), &args![&scope.organization_id, activation(&scope)]).await?;
    let mut chosen: Vec<CertificateRow> = Vec::new();
    for named in named {
        let key = fold(named.text());
        let found = all.iter().filter(|it| it.id == named.text() || fold(&it.name) == key).collect();
        let label = |it: &&CertificateRow| format!("{} ({}…)", it.id, &it.fingerprint[..8]);
        let found = super::resolve::only(found, "certificate", named.text(), &scope.organization, "list_certificates", |it| &it.id, label)?;
        if chosen.iter().all(|it| it.id != found.id) {
            chosen.push(found.clone());
        }
    }
    Ok((scope, all, chosen))
}

fn names(of: &[CertificateRow]) -> Vec<String> {
    of.iter().map(|it| it.name.clone()).collect()
}

fn refuse_if<'a>(
    code: &'static str,
    what: &str,
    scope: &Extent,
    found: impl Iterator<Item = &'a CertificateRow>,
) -> Result<(), ProviderError> {
    let names: Vec<_> = found.map(|it| format!("`{}`", it.name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let message = format!("{what} for {}: {}", scope.says(), names.join(", "));
    Err(ProviderError::conflict(code, message, "leave them out; nothing was changed for the others either"))
}

fn why_not(it: &CertificateRow, now: i64) -> Option<String> {
    let at = |millis| serde_json::to_value(Timestamp(millis)).ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default();
    if now >= it.expires_at {
        Some(format!("`{}` (expired {})", it.name, at(it.expires_at)))
    } else if now < it.valid_at {
        Some(format!("`{}` (valid from {})", it.name, at(it.valid_at)))
    } else {
        None
    }
}

/// How the table of activations names the scope.
fn activation(scope: &Extent) -> &str {
    scope.project.as_ref().map_or("", |it| &it.id)
}

/// One certificate goes by its name; several go by what they are for, which is what a person types.
fn target(scope: &Extent, chosen: &[CertificateRow]) -> Target {
    match chosen {
        [one] => scope.target("certificate", &one.name, Some(&one.id)),
        _ => scope.target("certificates", scope.name(), Some(scope.id())),
    }
}

fn shown(scope: &Extent, chosen: &[CertificateRow], active: bool) -> List<Certificate> {
    List::whole(chosen.iter().map(|it| Certificate { active, ..view(scope, it) }).collect())
}

fn view(scope: &Extent, it: &CertificateRow) -> Certificate {
    Certificate {
        certificate: it.name.clone(),
        id: it.id.clone(),
        organization: scope.organization.clone(),
        project: scope.project_name(),
        active: it.active > 0,
        fingerprint: Some(it.fingerprint.clone()),
        valid_at: Some(Timestamp(it.valid_at)),
        expires_at: Some(Timestamp(it.expires_at)),
    }
}
