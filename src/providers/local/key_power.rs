//! What keys and service accounts of the directory can do, and what a change of that means.

use super::{Session, api_keys::KeyRow, permissions, resolve::ProjectRow, select::Kept};
use crate::{
    domain::{
        Counted, Facts, Surroundings, Thing, Timestamp,
        access::{Action, Grant, Holder, Named, Place, Power, Role, Via},
        keys::KeyStatus,
    },
    error::ProviderError,
    store::args,
    tools::keys::{ApiKeyField, UpdateApiKey},
};

/// What a key gains and loses: a key that works again, works longer or may do more is power that was not there.
pub(super) fn change_of_power(key: &KeyRow, project: &ProjectRow, op: &UpdateApiKey, scopes: Option<&[String]>, now: Timestamp) -> Facts {
    let (old, works, blocked) = (key.power(), key.works(now), key.status == "blocked");
    let new = scopes.map_or_else(|| old.clone(), power);
    let (gained, lost) = (permissions::gained(&old, &new), permissions::lost(&old, &new));
    let end = End::of(key, op, now);
    let stays_blocked = op.status.map_or(blocked, |it| it == KeyStatus::Blocked);
    let grant = |scopes: &[String]| grant(&key.name, &key.id, scopes, project);
    let mut facts = Facts::none();
    // An end that is given is always ahead.
    let works_again = !works && !stays_blocked && (end.is_some() || !key.has_ended(now));
    if works_again || matches!(end, Some(End::Later(_) | End::Again)) {
        facts = facts.gives(grant(&new));
    } else if !gained.is_empty() {
        facts = facts.gives(grant(&gained));
    }
    if blocked && !stays_blocked {
        facts = facts.rewires("the status of the key", Some("blocked".to_owned()), Some("active".to_owned())).note(key.last_use());
    }
    let stopped = Counted::one(&key.name);
    if works && stays_blocked {
        facts = facts.stops(Thing::Key, stopped).note(format!("until it is set to `active`; {}", key.last_use()));
    } else if works && !lost.is_empty() && lost == permissions::lost(&old, &[]) {
        // Nothing of what it could do is left: whatever uses it stands still.
        facts = facts.stops(Thing::Key, stopped).note(key.last_use());
    } else if let (true, Some(End::Sooner(seconds))) = (works, &end) {
        let when = format!("it stops {seconds} seconds after the change, earlier than before; {}", key.last_use());
        facts = facts.stops(Thing::Key, stopped).note(when);
    }
    if !lost.is_empty() {
        facts = facts.takes(grant(&old), lost, vec![Via::Own]);
    }
    facts = match &end {
        Some(End::Again) => {
            let end = op.expires_in_seconds.map(|it| format!("{it} seconds after the change"));
            facts.rewires("the end of the key", key.expires_at.map(|it| Timestamp(it).to_string()), end)
        }
        Some(End::Later(life)) => facts.note(format!("the key works longer: {life}")),
        Some(End::Sooner(_) | End::Same) | None => facts,
    };
    // A key cannot be given back an end at a point in time.
    if end.is_some() && key.expires_at.is_some() {
        return facts;
    }
    let again = match (end.is_some(), scopes.is_some() && key.scopes().is_empty()) {
        (true, true) => ", and `expires_at` and `scopes` in `clear`",
        (true, false) => ", and `expires_at` in `clear`",
        (false, true) => ", and `scopes` in `clear`",
        (false, false) => "",
    };
    facts.undo(format!("update_api_key with the values in `before`{again}"))
}

/// What another end means. It is told in seconds, not as a time, which would be another one when the change is made.
enum End {
    /// The key has ended, and would no longer.
    Again,
    Later(String),
    /// So many seconds after the change.
    Sooner(i64),
    Same,
}

impl End {
    /// The end that is asked for; `None` where it stays.
    fn of(key: &KeyRow, op: &UpdateApiKey, now: Timestamp) -> Option<Self> {
        let life = match op.expires_in_seconds {
            Some(seconds) => format!("for {seconds} seconds"),
            None if op.clear.contains(&ApiKeyField::ExpiresAt) => "until it is deleted".to_owned(),
            None => return None,
        };
        // No end is the latest.
        let old = key.expires_at.unwrap_or(i64::MAX);
        let new = op.expires_in_seconds.map_or(i64::MAX, |it| now.plus_seconds(it).0);
        Some(match op.expires_in_seconds {
            _ if key.has_ended(now) => Self::Again,
            _ if new > old => Self::Later(life),
            Some(seconds) if new < old => Self::Sooner(seconds),
            _ => Self::Same,
        })
    }
}

/// The permissions of a key with these scopes: no scopes are all of them.
pub(super) fn power(scopes: &[String]) -> Vec<String> {
    if scopes.is_empty() { vec!["*".to_owned()] } else { scopes.to_vec() }
}

/// What a key can do in its project.
pub(super) fn grant(name: &str, id: &str, power: &[String], project: &ProjectRow) -> Grant {
    let scope =
        if power.iter().any(|it| it == "*") { "the scope of everything".to_owned() } else { format!("the scope {}", power.join(", ")) };
    Grant::own(Holder::Key(Named::new(name, id)), role(&scope, &scope, power), place(project))
}

/// A role that allows these codes in a project, as a key or a service account has it.
pub(super) fn role(name: &str, id: &str, codes: &[String]) -> Role {
    let actions = permissions::lost(codes, &[]).into_iter().filter_map(|it| match it.as_str() {
        "project.read" => Some(Action::Read),
        "project.write" | "project.resources" => Some(Action::Write),
        "project.members" => Some(Action::Manage),
        "project.keys.write" => Some(Action::Keys),
        "project.limits" => Some(Action::Limits),
        "project.delete" => Some(Action::Delete),
        _ => None,
    });
    let power = Power::of(permissions::is_privileged(codes));
    Role { power, permissions: codes.to_vec(), ..Role::known(name, id, actions) }
}

pub(super) fn place(project: &ProjectRow) -> Place {
    Place::Project {
        project: Named::new(&project.name, &project.id),
        organization: Named::new(&project.organization, &project.organization_id),
    }
}

/// The organization of a project, with how many keys work in it.
pub(super) async fn surroundings(at: &mut Session, project: &ProjectRow) -> Result<Surroundings, ProviderError> {
    // Of the keys that are not blocked those that have ended do not work.
    let ended = "SELECT COUNT(*) FROM api_keys k CROSS JOIN projects p WHERE k.status = 'active' AND k.expires_at <= $2 \
                 AND p.id = k.project_id AND p.organization_id = $1";
    let ended = at.db.number(ended, &args![&project.organization_id, Timestamp::now().0]).await?;
    let keys = at.kept_of(Kept::Keys, &project.organization_id).await? - ended;
    Ok(Surroundings { organization: project.organization.clone(), keys: u64::try_from(keys).ok(), ..Surroundings::default() })
}
