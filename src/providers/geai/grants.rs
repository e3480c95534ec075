//! What it means that somebody gets roles.

use super::{Session, resolve::Own, wire::WireRole};
use crate::{
    domain::{Gravity, Impact, fold},
    error::ProviderError,
};

/// Stands for everybody with an address of a mail domain.
const EVERYBODY: &str = "all-members@";

/// Whether a role gives power over others. The service tells no permissions, only names.
pub(super) fn is_privileged(role: &WireRole) -> bool {
    let name = fold(&role.name);
    ["admin", "owner"].iter().any(|it| name.contains(it))
}

/// Raises an impact where an address stands for all of its domain.
pub(super) fn everybody(impact: Impact, email: &str) -> Impact {
    match email.strip_prefix(EVERYBODY) {
        None => impact,
        Some(domain) => {
            impact.at_least(Gravity::Critical).note(format!("this is everybody with an address at {domain}, now and later: {email}"))
        }
    }
}

impl Session {
    /// Adds to an impact what it means that somebody gets these roles in a project.
    pub(super) async fn granting(&self, impact: Impact, project: &str, email: &str, roles: &[WireRole]) -> Result<Impact, ProviderError> {
        let names: Vec<&str> = roles.iter().map(|it| it.name.as_str()).collect();
        let mut impact = impact.note(format!("joins project {project} as {}: {email}", names.join(" and ")));
        impact = everybody(impact, email);
        let privileged: Vec<&str> = roles.iter().filter(|it| is_privileged(it)).map(|it| it.name.as_str()).collect();
        if privileged.is_empty() {
            return Ok(impact);
        }
        impact = impact.at_least(Gravity::Low).note(format!("becomes {} of project {project}: {email}", privileged.join(" and ")));
        self.weighing_outsiders(impact, email).await
    }

    /// Raises an impact where somebody who gets power is the only one in the organization with that mail domain.
    pub(super) async fn weighing_outsiders(&self, impact: Impact, email: &str) -> Result<Impact, ProviderError> {
        let own: Own = self.own().await?;
        let domain = |it: &str| it.rsplit('@').next().unwrap_or_default().to_lowercase();
        let people = self.people(&own).await?;
        let known = people.iter().filter_map(|it| it.email.as_deref()).any(|it| domain(it) == domain(email) && it.to_lowercase() != email);
        if known || people.iter().all(|it| it.email.is_none()) {
            return Ok(impact);
        }
        Ok(impact.at_least(Gravity::Critical).note(format!("nobody else in the organization has an e-mail of the same domain: {email}")))
    }
}
