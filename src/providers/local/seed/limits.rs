//! Limits, certificates, resources and logos of the demo company.

use super::{
    Ago, Rows,
    organizations::{ACME, LABS, NORTHWIND},
};
use crate::{
    error::ProviderError,
    providers::local::certificates::parse_certificate,
    store::{Val, args},
};

/// A usage limit; amounts in millionths.
struct Usage {
    id: &'static str,
    organization: &'static str,
    project: Option<&'static str>,
    /// Period, unit, renewal.
    terms: (&'static str, &'static str, &'static str),
    soft: i64,
    hard: i64,
    active: bool,
}

const MONTHLY: (&str, &str, &str) = ("Monthly", "Cost", "Renewable");
const ONE: i64 = 1_000_000;

const USAGE_LIMITS: &[Usage] = &[
    Usage { id: "lim_acme", organization: ACME, project: None, terms: MONTHLY, soft: 20_000 * ONE, hard: 25_000 * ONE, active: true },
    Usage {
        id: "lim_acme_before",
        organization: ACME,
        project: None,
        terms: MONTHLY,
        soft: 8_000 * ONE,
        hard: 10_000 * ONE,
        active: false,
    },
    Usage {
        id: "lim_atlas",
        organization: ACME,
        project: Some("prj_atlas"),
        terms: MONTHLY,
        soft: 1_500 * ONE,
        hard: 2_000 * ONE,
        active: true,
    },
    Usage {
        id: "lim_borealis",
        organization: ACME,
        project: Some("prj_borealis"),
        terms: ("Weekly", "Requests", "Renewable"),
        soft: 40_000 * ONE,
        hard: 50_000 * ONE,
        active: true,
    },
    Usage {
        id: "lim_delta",
        organization: ACME,
        project: Some("prj_delta"),
        terms: ("Daily", "Cost", "Renewable"),
        soft: 80 * ONE + ONE / 2,
        hard: 100 * ONE,
        active: true,
    },
    Usage {
        id: "lim_lumen",
        organization: LABS,
        project: Some("prj_lumen"),
        terms: ("Freemium", "Requests", "NonRenewable"),
        soft: 900 * ONE,
        hard: 1_000 * ONE,
        active: true,
    },
    Usage {
        id: "lim_northwind",
        organization: NORTHWIND,
        project: None,
        terms: MONTHLY,
        soft: 3_000 * ONE,
        hard: 3_500 * ONE,
        active: true,
    },
];

/// Project, model, requests a minute, tokens a minute, images a minute.
type Rate = (&'static str, &'static str, Option<i64>, Option<i64>, Option<i64>);

const RATE_LIMITS: &[Rate] = &[
    ("prj_atlas", "gpt-5", Some(500), Some(100_000), None),
    ("prj_borealis", "gpt-image-1", None, None, Some(5)),
    ("prj_helpdesk", "gpt-5-mini", Some(60_000), None, None),
    ("prj_lumen", "whisper-1", Some(50), None, None),
];

/// Id and text. The last one expired in 2024.
const CERTIFICATES: &[(&str, &str)] = &[
    ("cert_acme_production", include_str!("acme-production.pem")),
    ("cert_acme_staging", include_str!("acme-staging.pem")),
    ("cert_acme_retired", include_str!("acme-retired.pem")),
];

/// Certificate, and the project (or, empty, the organization) it is active for. Cobalt still trusts an expired one.
const ACTIVATIONS: &[(&str, &str)] = &[
    ("cert_acme_production", ""),
    ("cert_acme_production", "prj_atlas"),
    ("cert_acme_staging", "prj_atlas"),
    ("cert_acme_staging", "prj_borealis"),
    ("cert_acme_retired", "prj_cobalt"),
];

/// Project, type, id.
const RESOURCES: &[(&str, &str, &str)] = &[
    ("prj_atlas", "dataset", "sensor-archive-2025"),
    ("prj_atlas", "dataset", "survey-points"),
    ("prj_atlas", "model", "placement-v3"),
    ("prj_borealis", "dataset", "polar-stations"),
    ("prj_borealis", "model", "aurora-v2"),
    ("prj_delta", "dataset", "river-levels"),
    ("prj_delta", "workflow", "nightly-forecast"),
    ("prj_iris", "model", "dial-reader"),
    ("prj_lumen", "dataset", "turbidity-runs"),
    ("prj_route_planner", "graph", "rail-network"),
];

/// What of, whose, type, side length, picture.
type Logo = (&'static str, &'static str, &'static str, i64, &'static [u8]);

const LOGOS: &[Logo] = &[
    ("organization", ACME, "image/png", 64, include_bytes!("acme.png")),
    ("organization", NORTHWIND, "image/jpeg", 32, include_bytes!("northwind.jpg")),
    ("project", "prj_atlas", "image/png", 64, include_bytes!("atlas.png")),
];

pub(super) fn rows(ago: Ago) -> Result<Vec<Rows>, ProviderError> {
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
            USAGE_LIMITS.iter().map(|it| {
                let (period, unit, renewal) = it.terms;
                let made = ago.days(if it.active { 45 } else { 200 });
                args![it.id, it.organization, it.project, period, unit, it.soft, it.hard, renewal, it.active, made]
            }),
        ),
        Rows::of(
            "rate_limits",
            &["project_id", "model", "max_requests_per_1_minute", "max_tokens_per_1_minute", "max_images_per_1_minute"],
            RATE_LIMITS.iter().map(|(project, model, requests, tokens, images)| args![*project, *model, *requests, *tokens, *images]),
        ),
        Rows::of(
            "certificates",
            &["id", "organization_id", "name", "pem", "fingerprint", "valid_at", "expires_at", "created_at"],
            certificates,
        ),
        Rows::of(
            "certificate_activations",
            &["certificate_id", "project_id", "activated_at"],
            ACTIVATIONS.iter().map(|(certificate, project)| args![*certificate, *project, ago.days(30)]),
        ),
        Rows::of(
            "resources",
            &["project_id", "resource_type", "resource_id", "assigned_at"],
            RESOURCES.iter().map(|(project, kind, id)| args![*project, *kind, *id, ago.days(50)]),
        ),
        Rows::of(
            "logos",
            &["owner_kind", "owner_id", "media_type", "width", "height", "content", "updated_at"],
            LOGOS.iter().map(|(of, id, kind, side, picture)| args![*of, *id, *kind, *side, *side, picture.to_vec(), ago.days(70)]),
        ),
    ])
}
