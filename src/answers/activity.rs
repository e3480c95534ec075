//! What was done, found by people as they are named.

use super::Ask;
use crate::{
    domain::{List, ReferenceText as _, SoughtRef},
    error::{CallError, ProviderError},
    providers::people::{Known, Sought, hint},
    tools::context::{Activity, ListActivity},
};

/// Lists the calls that the caller may see. The ledger knows people by their addresses; whoever is named in another way is looked for
/// among those in it.
pub(super) async fn list(ask: Ask<'_>, op: ListActivity) -> Result<List<Activity>, CallError> {
    let Ask { guard, caller, .. } = ask;
    let found = guard.list_activity(&op, caller).await?;
    let Some(named) = op.member.as_ref().filter(|_| found.items.is_empty() && op.cursor.is_none()) else { return Ok(found) };
    let people: Vec<String> = guard.recorded_people(caller, named.text().contains('@')).await?.into_iter().collect();
    let sought = Sought::of(named, "the calls that are recorded", "list_activity");
    let address = match sought.among(&people, in_ledger) {
        Ok(address) => address.clone(),
        // Nothing was recorded about an address that nobody mistook.
        Err(error) if named.text().contains('@') && hint(&error).is_none() => return Ok(found),
        Err(ProviderError::NotFound { kind, name, scope, fix }) => {
            let fix = match people.as_slice() {
                _ if fix.starts_with("did you mean") => fix,
                [] => "no call is recorded that was about a person".to_owned(),
                people => format!("recorded are, among others: {}", people.iter().take(5).cloned().collect::<Vec<_>>().join(", ")),
            };
            return Err(ProviderError::NotFound { kind, name, scope, fix }.into());
        }
        Err(other) => return Err(other.into()),
    };
    Ok(guard.list_activity(&ListActivity { member: Some(SoughtRef::read(address)), ..op.clone() }, caller).await?)
}

/// Of a person in the ledger there is the address alone, which is mostly made of the name.
fn in_ledger(address: &String) -> Known<'_> {
    Known { id: "", email: address, name: address.split('@').next().unwrap_or_default(), also: None }
}
