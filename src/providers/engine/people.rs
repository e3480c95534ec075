//! People as the service lists them, found by e-mail or id.

use super::{
    Session,
    fields::some,
    wire::{WireOrg, WireProject, WireSeat},
};
use crate::{
    domain::{ReferenceText, members::Member},
    error::ProviderError,
    providers::people::{Known, Sought},
};

/// What stands in the place of a status for those who are in a project without being a member of its organization.
const EXTERNAL: &str = "external";

/// The one of these people who is named.
pub(super) fn person<R: ReferenceText>(
    people: &[WireSeat],
    named: &R,
    scope: &str,
    list_tool: &'static str,
) -> Result<WireSeat, ProviderError> {
    Sought::of(named, scope, list_tool).among(people, known).cloned()
}

/// What somebody is found by.
pub(super) fn known(seat: &WireSeat) -> Known<'_> {
    Known { id: &seat.user.id, email: &seat.user.email, name: &seat.user.display_name, also: None }
}

pub(super) fn is_external(seat: &WireSeat) -> bool {
    seat.external == Some(true)
}

pub(super) fn in_org(seat: &WireSeat, org: &WireOrg) -> Member {
    Member { organization: some(&org.name), ..view(seat) }
}

pub(super) fn in_project(seat: &WireSeat, project: &WireProject) -> Member {
    Member { organization: some(&project.org.name), project: some(&project.name), ..view(seat) }
}

fn view(seat: &WireSeat) -> Member {
    let user = &seat.user;
    Member {
        member: user.label().to_owned(),
        name: some(&user.display_name),
        id: some(&user.id),
        roles: some(&seat.role).into_iter().collect(),
        status: if is_external(seat) { Some(EXTERNAL.to_owned()) } else { some(&user.status) },
        ..Member::default()
    }
}

impl Session {
    /// The people of a project. Its list does not say who is a member of the organization; that of the organization does.
    pub(super) async fn seats_of(&self, project: &WireProject) -> Result<Vec<WireSeat>, ProviderError> {
        let people = self.people(&project.org.id).await?;
        let members: Vec<&str> = people.iter().filter(|it| !is_external(it)).map(|it| it.user.id.as_str()).collect();
        let mut seats = self.project_people(&project.id).await?.to_vec();
        for it in &mut seats {
            it.external = Some(!members.contains(&it.user.id.as_str()));
        }
        Ok(seats)
    }
}
