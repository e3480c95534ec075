//! What `role_types` asks for, in a provider's own terms: some have levels of roles, others kinds.

use crate::{
    domain::roles::{RoleLevel, RoleType},
    error::ProviderError,
};

/// The levels that are asked for; empty where all count.
///
/// # Errors
///
/// Where a kind is asked for: a list without such roles would say that nobody holds any.
pub(crate) fn levels(asked: &[RoleType]) -> Result<Vec<RoleLevel>, ProviderError> {
    let level = |it: &RoleType| match it {
        RoleType::Organization => Ok(RoleLevel::Organization),
        RoleType::Team => Ok(RoleLevel::Team),
        RoleType::Project => Ok(RoleLevel::Project),
        RoleType::Backend => Err(not_here("backend", "organization, team, project")),
        RoleType::Frontend => Err(not_here("frontend", "organization, team, project")),
    };
    asked.iter().map(level).collect()
}

/// The kinds that are asked for; empty where all count.
///
/// # Errors
///
/// Where a level is asked for.
pub(crate) fn kinds(asked: &[RoleType]) -> Result<Vec<&'static str>, ProviderError> {
    let kind = |it: &RoleType| match it {
        RoleType::Backend => Ok("backend"),
        RoleType::Frontend => Ok("frontend"),
        RoleType::Organization => Err(not_here("organization", "backend, frontend")),
        RoleType::Team => Err(not_here("team", "backend, frontend")),
        RoleType::Project => Err(not_here("project", "backend, frontend")),
    };
    asked.iter().map(kind).collect()
}

fn not_here(asked: &str, known: &str) -> ProviderError {
    ProviderError::invalid(format!("`{asked}` is no role type of this provider"), format!("use one of {known}, or leave `role_types` out"))
}

/// Whether roles of a level are asked for.
pub(crate) fn wants(asked: &[RoleType], level: RoleLevel) -> Result<bool, ProviderError> {
    let levels = levels(asked)?;
    Ok(levels.is_empty() || levels.contains(&level))
}
