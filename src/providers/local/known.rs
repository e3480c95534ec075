//! Who is known to the directory, for looking somebody up in all of it.

use super::{Session, select::COUNTED};
use crate::{
    domain::{
        Timestamp,
        access::{Holder, People, Person},
        spellings, written_address,
    },
    error::ProviderError,
    store::{Val, args, row},
};

row! {
    /// Somebody with an account, or who is invited and has no id.
    struct Row { id: Option<String>, email: String, name: Option<String> }
}

/// Everybody with an account, and who is invited; within the organization that the connection is kept to. Of an address that is known,
/// only whoever has it, and those whose address begins like it or who are called the same.
pub(super) async fn people(at: &mut Session, text: &str) -> Result<People, ProviderError> {
    let organization = at.pinned().await?.map(|it| it.id);
    if let Some(address) = written_address(text) {
        let found = near(at, organization.as_deref(), &address).await?;
        if !found.is_empty() {
            return Ok(People { list: found, unseen: Vec::new() });
        }
        // Nobody has it. Who may have been meant is looked for among all where they are few, else among those who begin like it.
        if !at.are_few("users").await? {
            let [from, to] = beginning(&address);
            let list =
                read(at, organization.as_deref(), "u.email >= $1 AND u.email < $2", "i.email >= $1 AND i.email < $2", &args![from, to])
                    .await?;
            return Ok(People { list, unseen: Vec::new() });
        }
    }
    Ok(People { list: read(at, organization.as_deref(), "1 = 1", "1 = 1", &[]).await?, unseen: Vec::new() })
}

/// Between which two texts the addresses lie that begin with the same letters as one: enough of them that these are few.
pub(super) fn beginning(address: &str) -> [String; 2] {
    let local = address.split(['@', '+']).next().unwrap_or_default();
    let first: String = local.chars().take(local.chars().count().saturating_sub(2).max(1)).collect();
    // Letters, `@` and `+` come before the last sign of ASCII.
    [first.clone(), format!("{first}\u{7f}")]
}

impl Session {
    /// Whether what is selected is so little that all of it may be looked through.
    pub(super) async fn are_few(&mut self, from: &str) -> Result<bool, ProviderError> {
        self.are_few_of(from, &[]).await
    }

    pub(super) async fn are_few_of(&mut self, from: &str, values: &[Val]) -> Result<bool, ProviderError> {
        let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM {from} LIMIT {}) found", COUNTED + 1);
        Ok(self.db.number(&sql, values).await? <= COUNTED)
    }
}

/// Those with an address, and who may be the same person; nobody where the address is unknown.
async fn near(at: &mut Session, organization: Option<&str>, address: &str) -> Result<Vec<Holder>, ProviderError> {
    let [machine, people] = spellings(address);
    let exact = read(at, organization, "u.email IN ($1, $2)", "i.email IN ($1, $2)", &args![&machine, &people]).await?;
    if exact.is_empty() {
        return Ok(exact);
    }
    let local = address.split(['@', '+']).next().unwrap_or_default();
    // Letters, `@` and `+` come before the last sign of ASCII.
    let (first, last) = (local.to_owned(), format!("{local}\u{7f}"));
    // Two looks by two indexes: a database that sees one condition looks through everybody.
    let alike = "u.id IN (SELECT id FROM users WHERE email >= $1 AND email < $2 \
                 UNION SELECT id FROM users WHERE name_key IN (SELECT name_key FROM users WHERE email IN ($3, $4)))";
    read(at, organization, alike, "i.email >= $1 AND i.email < $2", &args![first, last, &machine, &people]).await
}

async fn read(
    at: &mut Session,
    organization: Option<&str>,
    of_accounts: &str,
    of_invitations: &str,
    values: &[Val],
) -> Result<Vec<Holder>, ProviderError> {
    let mut values = values.to_vec();
    let mut bind = |it: Val| {
        values.push(it);
        format!("${}", values.len())
    };
    let (inside, within) = match organization {
        Some(id) => {
            let id = bind(id.into());
            (
                format!(
                    "(EXISTS (SELECT 1 FROM organization_members m WHERE m.user_id = u.id AND m.organization_id = {id}) OR \
                     EXISTS (SELECT 1 FROM role_assignments a WHERE a.user_id = u.id AND a.organization_id = {id}))"
                ),
                format!("i.organization_id = {id}"),
            )
        }
        None => ("1 = 1".to_owned(), "1 = 1".to_owned()),
    };
    let now = bind(Timestamp::now().0.into());
    let sql = format!(
        "SELECT u.id, u.email, u.name FROM users u WHERE ({of_accounts}) AND {inside} \
         UNION ALL SELECT CAST(NULL AS TEXT), i.email, CAST(NULL AS TEXT) FROM invitations i \
         WHERE ({of_invitations}) AND {within} AND i.status = 'pending' AND i.expires_at > {now}"
    );
    let rows: Vec<Row> = at.db.all(&sql, &values).await?;
    Ok(rows.into_iter().map(Row::holder).collect())
}

impl Row {
    fn holder(self) -> Holder {
        match self.id {
            Some(id) => Holder::Person(Person { email: Some(self.email), name: Some(self.name.unwrap_or_default()), id: Some(id) }),
            None => Holder::Invitation(self.email),
        }
    }
}
