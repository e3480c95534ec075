//! What the judgement of a change needs to know of its organization.

use super::{Session, permissions::privileged_in_sql, select::Kept};
use crate::{
    domain::{Email, Surroundings},
    error::ProviderError,
    store::{StoreError, args},
};

/// The mail domains of all who hold power over others now, by a condition on `domain_roles`: by their role in an organization, by roles beside
/// that, through teams, in projects and in teams.
fn in_power(within: &str) -> String {
    format!(
        "SELECT DISTINCT d.domain FROM (SELECT domain, role_id FROM domain_roles WHERE {within} GROUP BY domain, role_id HAVING SUM(n) > 0) d \
         CROSS JOIN roles r WHERE r.id = d.role_id AND {}",
        privileged_in_sql()
    )
}

impl Session {
    /// Of an organization: who holds power in it, and how much it has. Projects that are archived and keys that do not work are
    /// not counted.
    pub(super) async fn surroundings(&mut self, organization_id: &str) -> Result<Surroundings, ProviderError> {
        let name = self.db.texts("SELECT name FROM organizations WHERE id = $1", &args![organization_id]).await?.into_iter().next();
        let organization = name.ok_or_else(|| StoreError::Unreadable(format!("organization {organization_id} is missing")))?;
        let domains = self.db.texts(&in_power("organization_id = $1"), &args![organization_id]).await?;
        let number = |it: i64| u64::try_from(it).ok();
        Ok(Surroundings {
            organization,
            people: number(self.kept_of(Kept::Members, organization_id).await?),
            projects: number(self.kept_of(Kept::Projects, organization_id).await?),
            keys: number(self.kept_of(Kept::Keys, organization_id).await?),
            domains_in_power: Some(domains.into_iter().map(|it| it.to_lowercase()).collect()),
        })
    }

    /// Of an organization that is only being made, for somebody who is to come in. Nobody in it can vouch for a mail domain, so the
    /// whole directory does.
    pub(super) async fn surroundings_of_new(&mut self, organization: &str, email: &Email) -> Result<Surroundings, ProviderError> {
        let domains = self.db.texts(&in_power("domain = $1"), &args![email.domain()]).await?;
        Ok(Surroundings {
            organization: organization.to_owned(),
            domains_in_power: Some(domains.into_iter().collect()),
            ..Surroundings::default()
        })
    }
}
