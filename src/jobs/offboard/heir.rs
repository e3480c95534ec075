//! Who gets what somebody leaves, as each account knows them.

use crate::{
    answers::{Ask, Looked, Somebody},
    domain::{Email, MemberRef, ReferenceText as _, access::Holder},
    error::{CallError, ProviderError},
    providers::Reader,
};

/// Who gets what somebody leaves.
pub(super) struct Successor<'a> {
    looked: Looked,
    /// As the call names them.
    named: &'a str,
}

impl<'a> Successor<'a> {
    /// # Errors
    ///
    /// Where nobody or several are called so; where it is the one who leaves.
    pub(super) async fn find(ask: Ask<'_>, named: &'a MemberRef, leaving: &Somebody) -> Result<Self, CallError> {
        let looked = ask.person(named).await;
        // Whoever is named by an address may be somebody to come.
        let is_to_come = looked.found.is_empty() && Email::try_from(named.text().to_owned()).is_ok();
        if is_to_come {
            return Ok(Self { named: named.text(), looked });
        }
        let one = looked.one(named.text())?;
        let is_they = |it: &Holder| leaving.seen.iter().any(|(_, other)| other.is_same(it));
        if one.seen.iter().any(|it| is_they(&it.1)) {
            let message = format!("`{named}` leaves, and cannot be the successor");
            return Err(ProviderError::invalid(message, "name somebody who stays").into());
        }
        Ok(Self { named: named.text(), looked })
    }

    /// The same as one account knows them.
    pub(super) fn at(&self, reader: &Reader) -> Heir {
        let found = self.looked.found.first();
        let seen = found.into_iter().flat_map(|it| &it.seen).filter(|it| it.0.connection.name == reader.connection.name);
        let known = found.and_then(|it| it.named_at(reader).into_iter().next()).map(|it| it.text().to_owned());
        let email = found.and_then(Somebody::email).map(str::to_owned);
        let label = email.clone().or_else(|| found.and_then(Somebody::name).map(str::to_owned));
        Heir {
            label: label.unwrap_or_else(|| self.named.to_owned()),
            named: known.or(email).unwrap_or_else(|| self.named.to_owned()),
            seen: seen.map(|it| it.1.clone()).collect(),
        }
    }
}

/// A successor in one account.
pub(super) struct Heir {
    /// As people are told of them.
    pub(super) label: String,
    /// As calls name them there.
    pub(super) named: String,
    pub(super) seen: Vec<Holder>,
}
