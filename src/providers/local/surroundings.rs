//! What the judgement of a change needs to know of its organization.

use super::{Session, permissions::privileged_in_sql};
use crate::{
    domain::{Surroundings, mail_domain},
    error::ProviderError,
    store::{StoreError, args, row},
};

row! {
    /// The numbers of an organization, with one of those who hold power in it.
    struct InPower { organization: String, people: i64, projects: i64, keys: i64, email: Option<String> }
}

/// The e-mails of all who hold power over others now, `{in}` being a condition on the organization: by their role in it, by roles
/// beside that, through teams, in projects and in teams.
fn in_power(within: &str) -> String {
    format!(
        "SELECT DISTINCT u.email FROM (\
           SELECT m.user_id, m.role_id, m.organization_id FROM organization_members m \
           UNION ALL SELECT a.user_id, a.role_id, a.organization_id FROM role_assignments a WHERE a.user_id IS NOT NULL \
           UNION ALL SELECT m.user_id, a.role_id, a.organization_id FROM role_assignments a JOIN team_members m ON m.team_id = a.team_id \
           UNION ALL SELECT m.user_id, m.role_id, t.organization_id FROM team_members m JOIN teams t ON t.id = m.team_id\
         ) h JOIN users u ON u.id = h.user_id JOIN roles r ON r.id = h.role_id WHERE {within} AND {}",
        privileged_in_sql()
    )
}

impl Session {
    /// Of an organization: who holds power in it, and how much it has. Projects that are archived and keys that do not work are
    /// not counted.
    pub(super) async fn surroundings(&mut self, organization_id: &str) -> Result<Surroundings, ProviderError> {
        let sql = format!(
            "SELECT o.name AS organization, (SELECT COUNT(*) FROM organization_members m WHERE m.organization_id = $1) AS people, \
             (SELECT COUNT(*) FROM projects p WHERE p.organization_id = $1 AND p.status = 'active') AS projects, \
             (SELECT COUNT(*) FROM api_keys k JOIN projects p ON p.id = k.project_id WHERE p.organization_id = $1 AND k.status = 'active') AS keys, \
             w.email FROM organizations o LEFT JOIN ({}) w ON 1 = 1 WHERE o.id = $1",
            in_power("h.organization_id = $1")
        );
        let rows: Vec<InPower> = self.db.all(&sql, &args![organization_id]).await?;
        let missing = || StoreError::Unreadable(format!("organization {organization_id} is missing"));
        let first = rows.first().ok_or_else(missing)?;
        let number = |it: i64| u64::try_from(it).ok();
        Ok(Surroundings {
            organization: first.organization.clone(),
            people: number(first.people),
            projects: number(first.projects),
            keys: number(first.keys),
            domains_in_power: Some(rows.iter().filter_map(|it| it.email.as_deref()).map(mail_domain).collect()),
        })
    }

    /// Of an organization that is only being made. Nobody in it can vouch for a mail domain, so the whole directory does.
    pub(super) async fn surroundings_of_new(&mut self, organization: &str) -> Result<Surroundings, ProviderError> {
        let emails = self.db.texts(&in_power("1 = 1"), &[]).await?;
        Ok(Surroundings {
            organization: organization.to_owned(),
            domains_in_power: Some(emails.iter().map(|it| mail_domain(it)).collect()),
            ..Surroundings::default()
        })
    }
}
