//! People: accounts, and how somebody gets into an organization.

use std::collections::HashMap;

use super::{Geai, model::Person, refusal::Refusal};

impl Geai {
    /// The id of the account with this address; one is made where there is none.
    pub(super) fn person_with(&mut self, email: &str) -> String {
        if let Some(person) = self.people.iter().find(|it| it.email == email) {
            return person.id.clone();
        }
        let id = self.fresh_id();
        let name = email.split('@').next().unwrap_or_default().to_owned();
        self.people.push(Person { id: id.clone(), name, email: email.to_owned(), platform_roles: Vec::new(), password: None });
        id
    }

    pub(super) fn person(&self, id: &str) -> Option<&Person> {
        self.people.iter().find(|it| it.id == id)
    }

    /// For lists of many.
    pub(super) fn people_by_id(&self) -> HashMap<&str, &Person> {
        self.people.iter().map(|it| (it.id.as_str(), it)).collect()
    }

    /// Makes somebody a member of an organization, who may be one already.
    pub(super) fn join(&mut self, organization: &str, person: &str) -> Result<(), Refusal> {
        let organization = self.organizations.iter_mut().find(|it| it.id == organization).ok_or_else(Refusal::not_found)?;
        if !organization.members.iter().any(|it| it == person) {
            organization.members.push(person.to_owned());
        }
        Ok(())
    }
}
