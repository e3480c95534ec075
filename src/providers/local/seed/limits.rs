//! Limits, certificates, resources and logos of the demo company.

use serde::Deserialize;

use super::{Ago, Rows, read};
use crate::{
    error::ProviderError,
    providers::local::certificates::parse_certificate,
    store::{Val, args},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    usage_limits: Vec<Usage>,
    rate_limits: Vec<Rate>,
    activations: Vec<Activation>,
    resources: Vec<Resource>,
}

/// A usage limit; amounts in millionths.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Usage {
    id: String,
    organization: String,
    project: Option<String>,
    period: String,
    unit: String,
    renewal: String,
    soft: i64,
    hard: i64,
    active: bool,
}

/// What a minute may take.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rate {
    project: String,
    model: String,
    requests: Option<i64>,
    tokens: Option<i64>,
    images: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Activation {
    certificate: String,
    /// `None`: active for the organization.
    project: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resource {
    project: String,
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

/// Whose the certificates are, and the first logo.
const ACME: &str = "org_acme";

/// Id and text. The last one expired in 2024.
const CERTIFICATES: &[(&str, &str)] = &[
    ("cert_acme_production", include_str!("acme-production.pem")),
    ("cert_acme_staging", include_str!("acme-staging.pem")),
    ("cert_acme_retired", include_str!("acme-retired.pem")),
];

/// What of, whose, type, side length, picture.
type Logo = (&'static str, &'static str, &'static str, i64, &'static [u8]);

const LOGOS: &[Logo] = &[
    ("organization", ACME, "image/png", 64, include_bytes!("acme.png")),
    ("organization", "org_northwind", "image/jpeg", 32, include_bytes!("northwind.jpg")),
    ("project", "prj_atlas", "image/png", 64, include_bytes!("atlas.png")),
];

pub(super) fn rows(ago: Ago) -> Result<Vec<Rows>, ProviderError> {
    let Data { usage_limits, rate_limits, activations, resources } = read(include_str!("limits.toml"))?;
    let certificates = CERTIFICATES.iter().map(|(id, pem)| -> Result<[Val; 8], ProviderError> {
        let it = parse_certificate(pem)?;
        let name = it.name.unwrap_or_else(|| (*id).to_owned());
        Ok(args![*id, ACME, name, it.pem, it.fingerprint, it.valid_at, it.expires_at, ago.days(100)])
    });
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>()?;
    Ok(vec![
        Rows::of(
            "usage_limits",
            &[
                "id",
                "organization_id",
                "project_id",
                "subscription_type",
                "usage_unit",
                "soft_limit",
                "hard_limit",
                "renewal",
                "active",
                "created_at",
            ],
            usage_limits.iter().map(|it| {
                let made = ago.days(if it.active { 45 } else { 200 });
                args![&it.id, &it.organization, &it.project, &it.period, &it.unit, it.soft, it.hard, &it.renewal, it.active, made]
            }),
        ),
        Rows::of(
            "rate_limits",
            &["project_id", "model", "max_requests_per_1_minute", "max_tokens_per_1_minute", "max_images_per_1_minute"],
            rate_limits.iter().map(|it| args![&it.project, &it.model, it.requests, it.tokens, it.images]),
        ),
        Rows::of(
            "certificates",
            &["id", "organization_id", "name", "pem", "fingerprint", "valid_at", "expires_at", "created_at"],
            certificates,
        ),
        Rows::of(
            "certificate_activations",
            &["certificate_id", "project_id", "activated_at"],
            activations.iter().map(|it| args![&it.certificate, it.project.as_deref().unwrap_or_default(), ago.days(30)]),
        ),
        Rows::of(
            "resources",
            &["project_id", "resource_type", "resource_id", "assigned_at"],
            resources.iter().map(|it| args![&it.project, &it.kind, &it.id, ago.days(50)]),
        ),
        Rows::of(
            "logos",
            &["owner_kind", "owner_id", "media_type", "width", "height", "content", "updated_at"],
            LOGOS.iter().map(|(of, id, kind, side, picture)| args![*of, *id, *kind, *side, *side, picture.to_vec(), ago.days(70)]),
        ),
    ])
}
