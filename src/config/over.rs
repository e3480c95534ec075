//! The file of the current folder, laid over the user's own. Clients start servers in the folders they work on, so it may be
//! anybody's: it can narrow what the user has set, and nothing else.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    ConfigError,
    connections::RawConnection,
    file::{Accounts, File, RawAsk, RawAsks, RawFiles, RawGuard, RawSecrets, RawStore, RawTools, domain, effect, mail_domains},
};
use crate::{
    domain::ReviewLimits,
    guard::{Ask, Asks, Fallback},
    store::Retention,
    tools::{Effect, ToolList},
};

/// A file of the current folder that was laid over the user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaidOver {
    pub file: PathBuf,
    /// What it narrows, in words.
    pub narrows: Vec<String>,
}

impl File {
    /// Narrows this configuration and its accounts to what another file wants as well; answers what that has changed, in words.
    ///
    /// # Errors
    ///
    /// Where the other file says something that would loosen this one, or that means nothing.
    pub(super) fn narrow(&mut self, accounts: &mut Accounts, over: Self) -> Result<Vec<String>, ConfigError> {
        // Taken apart completely: a key that has no rule here does not compile.
        let Self { connections, tools, guard, files, store, secrets, retention, review, traces } = over;
        let RawTools { allow, domains, list } = tools;
        let RawGuard { fallback, second_person, trusted_domains, shared_activity, ask, time_zone, max_removals } = guard;
        let RawFiles { allow: folders } = files;
        let RawStore { url } = store;
        let RawSecrets { folder, sink } = secrets;
        let refused = [
            ("files.allow", !folders.is_empty()),
            ("store.url", url.is_some()),
            ("guard.time_zone", time_zone.is_some()),
            ("secrets.folder", folder.is_some()),
            ("secrets.sink", sink.is_some()),
            ("retention", retention.complete() != Retention::default()),
            // What a review passes over is for whoever answers for it to say.
            ("review", review.complete()? != ReviewLimits::default()),
            ("traces.endpoint", traces.endpoint.is_some()),
        ];
        if let Some((key, _)) = refused.into_iter().find(|it| it.1) {
            return Err(not_taken(key));
        }
        let mut told = Vec::new();
        if let Some(allow) = allow {
            allow.iter().try_for_each(|it| effect(it).map(drop))?;
            let all = Effect::ALL.map(|it| it.name().to_owned());
            narrow(&mut self.tools.allow, allow, Some(&all), "tools.allow", &mut told);
        }
        if let Some(domains) = domains {
            domains.iter().try_for_each(|it| domain(it).map(drop))?;
            narrow(&mut self.tools.domains, domains, None, "tools.domains", &mut told);
        }
        // What can be called is the same with either list: whose folder it is decides.
        if let Some(list) = list.filter(|it| *it != self.tools.list.unwrap_or_default()) {
            self.tools.list = Some(list);
            told.push(format!("`tools.list` is {}", if list == ToolList::Compact { "compact" } else { "full" }));
        }
        if let Some(fallback) = fallback {
            let own = self.guard.fallback.unwrap_or_default();
            if fallback == Fallback::Token && own != Fallback::Token {
                return Err(not_taken("guard.fallback"));
            }
            if strictness(fallback) > strictness(own) {
                self.guard.fallback = Some(fallback);
                told.push(format!("`guard.fallback` is {}", fallback.name()));
            }
        }
        if second_person && !self.guard.second_person {
            self.guard.second_person = true;
            told.push("the gravest changes need two people".to_owned());
        }
        if let Some(trusted) = trusted_domains {
            let trusted: Vec<String> = mail_domains(&trusted)?.into_iter().collect();
            // Without a list of the user's own, those of the people in power are trusted, whom nobody knows yet.
            if self.guard.trusted_domains.is_none() && !trusted.is_empty() {
                return Err(not_taken("guard.trusted_domains"));
            }
            let own = self.guard.trusted_domains.take();
            self.guard.trusted_domains = own.map(|it| mail_domains(&it).map(|it| it.into_iter().collect())).transpose()?;
            narrow(&mut self.guard.trusted_domains, trusted, None, "guard.trusted_domains", &mut told);
        }
        if shared_activity == Some(false) && self.guard.shared_activity == Some(true) {
            self.guard.shared_activity = Some(false);
            told.push("callers over HTTP see their own calls in list_activity".to_owned());
        }
        if let Some(most) = max_removals {
            // By default it is a share of what there is, which a number may exceed.
            match self.guard.max_removals {
                Some(own) if most < own => {
                    self.guard.max_removals = Some(most);
                    told.push(format!("one plan may remove {most}"));
                }
                Some(_) => {}
                None => return Err(not_taken("guard.max_removals")),
            }
        }
        if let Some(ask) = ask {
            let own = self.guard.ask.map(RawAsk::complete).unwrap_or_default();
            let both = stricter(own, ask.complete())?;
            if both != own {
                self.guard.ask = Some(RawAsk::By(RawAsks { low: Some(both.low), high: Some(both.high), critical: Some(both.critical) }));
                told.push(format!(
                    "people are asked in the {} about low changes, the {} about high ones and the {} about critical ones",
                    both.low.name(),
                    both.high.name(),
                    both.critical.name()
                ));
            }
        }
        narrow_accounts(accounts, connections, &mut told)?;
        Ok(told)
    }
}

/// The accounts that both know, each kept to one organization where either says so. Accounts are not added: their secrets could be
/// sent anywhere, and a new name could pass the user's directory off as another.
fn narrow_accounts(accounts: &mut Accounts, over: BTreeMap<String, RawConnection>, told: &mut Vec<String>) -> Result<(), ConfigError> {
    if over.is_empty() {
        return Ok(());
    }
    let before = accounts.len();
    accounts.retain(|(name, _)| over.contains_key(name));
    if accounts.len() < before {
        let kept: Vec<&str> = accounts.iter().map(|it| it.0.as_str()).collect();
        told.push(format!("of the connections only {}", listed(&kept)));
    }
    for (name, over) in over {
        let Some((_, own)) = accounts.iter_mut().find(|it| it.0 == name) else { return Err(not_taken("connections")) };
        if let Some(organization) = own.keep_to(over)? {
            told.push(format!("`{name}` is kept to organization {organization}"));
        }
    }
    Ok(())
}

/// What both allow; `all` is what is allowed where nothing is said.
fn narrow(own: &mut Option<Vec<String>>, over: Vec<String>, all: Option<&[String]>, key: &str, told: &mut Vec<String>) {
    let before = own.take();
    let both: Vec<String> = match &before {
        None => over,
        Some(own) => own.iter().filter(|it| over.contains(it)).cloned().collect(),
    };
    let is_narrower = match (&before, all) {
        (Some(before), _) => both.len() < before.len(),
        (None, Some(all)) => !all.iter().all(|it| both.contains(it)),
        (None, None) => true,
    };
    if is_narrower {
        told.push(format!("`{key}` is {}", listed(&both.iter().map(String::as_str).collect::<Vec<_>>())));
    }
    *own = Some(both);
}

fn listed(words: &[&str]) -> String {
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

/// Where people are asked when both have their way: of two places that are not the client, neither is stricter.
fn stricter(own: Asks, over: Asks) -> Result<Asks, ConfigError> {
    let one = |own: Ask, over: Ask| match (own, over) {
        (own, Ask::Client) => Ok(own),
        (Ask::Client, over) => Ok(over),
        (own, over) if own == over => Ok(own),
        _ => Err(not_taken("guard.ask")),
    };
    Ok(Asks { low: one(own.low, over.low)?, high: one(own.high, over.high)?, critical: one(own.critical, over.critical)? })
}

fn strictness(fallback: Fallback) -> u8 {
    match fallback {
        Fallback::Token => 0,
        Fallback::Approve => 1,
        Fallback::Refuse => 2,
    }
}

pub(super) fn not_taken(key: &str) -> ConfigError {
    let (message, fix) = match key {
        "connections" => (
            "`connections` in a file of the current folder, which anybody may have put there, can only name your own connections, with \
             `provider` and `organization`"
                .to_owned(),
            "remove it there, or name the file with `--config` or ROLECALL_CONFIG",
        ),
        _ => (
            format!("`{key}` is not accepted from a file in the current folder, which anybody may have put there"),
            "name the file with `--config` or ROLECALL_CONFIG, or put it into your configuration folder",
        ),
    };
    ConfigError::new(message, fix)
}
