//! Projects in full: who owns each and how many are in it, told from grants in the same way for all providers.

use crate::{
    access,
    domain::{
        ReferenceText as _,
        access::{Grant, Place},
        projects::Project,
    },
    tools::projects::{Detail, ListProjects},
};

/// So many owners are named; more are counted.
pub(crate) const NAMED: usize = 20;

/// Whether a list has to look into each project.
pub(crate) fn looks_into(op: &ListProjects) -> bool {
    op.detail == Some(Detail::Full) || op.owner.is_some() || op.owners.is_some()
}

/// A project with its owners and how many people are in it, where the list asks for it.
pub(crate) fn counted(op: &ListProjects, project: Project, place: &Place, grants: &[Grant]) -> Option<Project> {
    let found = access::census(grants, place);
    let is_owner = op.owner.as_ref().is_none_or(|it| found.owners.iter().any(|owner| access::is_called(owner, it.text())));
    let is_meant = is_owner && op.owners.is_none_or(|it| it as usize == found.owners.len());
    let owners = named(found.owners.iter().map(|it| it.label().to_owned()).collect());
    is_meant.then(|| Project { owners: Some(owners), members: Some(found.people as u64), ..project })
}

/// The first names, and how many more there are.
pub(crate) fn named(mut names: Vec<String>) -> Vec<String> {
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    names.extend((more > 0).then(|| format!("and {more} more")));
    names
}
