//! Client certificates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation;
use crate::domain::{CertificateRef, Cursor, Limit, List, ProjectRef, limits::Certificate};

/// Lists certificates and their use.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListCertificates {
    pub project: Option<ProjectRef>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

operation!(ListCertificates, "list_certificates", "List certificates", Read => List<Certificate>);

/// Activates certificates, all or none.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivateCertificates {
    pub project: Option<ProjectRef>,
    /// Names.
    #[schemars(length(min = 1, max = 10))]
    pub certificates: Vec<CertificateRef>,
}

operation!(ActivateCertificates, "activate_certificates", "Activate certificates", Write => List<Certificate>);

/// Deactivates certificates, all or none.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeactivateCertificates {
    pub project: Option<ProjectRef>,
    /// Names.
    #[schemars(length(min = 1, max = 10))]
    pub certificates: Vec<CertificateRef>,
}

operation!(DeactivateCertificates, "deactivate_certificates", "Deactivate certificates", Destroy => List<Certificate>);
