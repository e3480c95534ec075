//! The sessions of clients of the older era: whose they are, and room for all.
//!
//! Where there is no room, the session ends that nobody uses: first of those who have the most. A client whose session has ended is
//! told so by its next request, and opens another.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rmcp::{
    model::ProtocolVersion,
    transport::streamable_http_server::session::{SessionManager as _, local::LocalSessionManager},
};

use crate::server::Principal;

/// How long a session has been silent that makes room for somebody who has more than its owner.
const ABANDONED: Duration = Duration::from_mins(1);

/// The sessions, and how many there may be.
pub(super) struct Sessions {
    manager: Arc<LocalSessionManager>,
    all: Mutex<HashMap<String, Session>>,
    max: usize,
    /// Of one caller.
    each: usize,
}

struct Session {
    owner: Principal,
    version: ProtocolVersion,
    /// Requests and streams in it that go on.
    uses: usize,
    heard: Instant,
    /// Its place is kept, and it is not open yet.
    opening: bool,
}

/// What a session is to whoever names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    Own(ProtocolVersion),
    Foreign,
    /// It may have ended.
    Unknown,
}

/// Room for one more session.
#[derive(Debug, PartialEq, Eq)]
enum Room {
    Free,
    /// That of this session, which has to end.
    Of(String),
    Full,
}

/// The place of a session that is being opened.
pub(super) struct Place {
    sessions: Arc<Sessions>,
    key: String,
}

/// Held while a session is used.
pub(super) struct InUse {
    sessions: Arc<Sessions>,
    id: String,
}

impl Sessions {
    pub(super) fn new(manager: Arc<LocalSessionManager>, max: usize, each: usize) -> Arc<Self> {
        Arc::new(Self { manager, all: Mutex::default(), max, each })
    }

    pub(super) fn named(&self, id: &str, principal: &Principal) -> Named {
        match self.all().get(id) {
            Some(it) if it.owner == *principal => Named::Own(it.version.clone()),
            Some(_) => Named::Foreign,
            None => Named::Unknown,
        }
    }

    /// Keeps a place for a session that is about to open; nothing where all are used.
    pub(super) async fn reserve(self: &Arc<Self>, owner: &Principal) -> Option<Place> {
        let key = format!("opening {}", uuid::Uuid::new_v4());
        let victim = {
            let live = self.manager.sessions.read().await;
            let mut all = self.all();
            all.retain(|id, it| it.opening || live.contains_key(id.as_str()));
            let victim = match self.room(&all, owner) {
                Room::Free => None,
                Room::Of(id) => Some(id),
                Room::Full => return None,
            };
            if let Some(id) = &victim {
                all.remove(id);
            }
            let opening = Session { owner: owner.clone(), version: ProtocolVersion::LATEST, uses: 1, heard: Instant::now(), opening: true };
            all.insert(key.clone(), opening);
            victim
        };
        let place = Place { sessions: Arc::clone(self), key };
        if let Some(id) = victim {
            tracing::info!("a session that nobody used made room for another");
            self.close(&id).await;
        }
        Some(place)
    }

    /// Whether there is room for another session of `owner`.
    fn room(&self, all: &HashMap<String, Session>, owner: &Principal) -> Room {
        let count = |owner: &Principal| all.values().filter(|it| it.owner == *owner).count();
        let own = count(owner);
        if own < self.each && all.len() < self.max {
            return Room::Free;
        }
        let idle = all.iter().filter(|(_, it)| it.uses == 0);
        let found = if own >= self.each {
            idle.filter(|(_, it)| it.owner == *owner).min_by_key(|(_, it)| it.heard)
        } else {
            let fair = |it: &Session| count(&it.owner) >= own || it.heard.elapsed() >= ABANDONED;
            idle.filter(|(_, it)| fair(it)).max_by_key(|(_, it)| (count(&it.owner), it.heard.elapsed()))
        };
        found.map_or(Room::Full, |(id, _)| Room::Of(id.clone()))
    }

    /// Says that a session is used, as long as the answer is held.
    pub(super) fn in_use(self: &Arc<Self>, id: &str) -> InUse {
        if let Some(session) = self.all().get_mut(id) {
            session.uses += 1;
            session.heard = Instant::now();
        }
        InUse { sessions: Arc::clone(self), id: id.to_owned() }
    }

    async fn close(&self, id: &str) {
        if let Err(error) = self.manager.close_session(&id.into()).await {
            tracing::warn!(%error, "a session was not closed");
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The session is open, under this name.
    pub(super) fn taken(self, id: &str, version: ProtocolVersion) {
        let mut all = self.sessions.all();
        if let Some(mut session) = all.remove(&self.key) {
            (session.version, session.uses, session.opening) = (version, 0, false);
            all.insert(id.to_owned(), session);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Gone already where it was taken.
        self.sessions.all().remove(&self.key);
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if let Some(session) = self.sessions.all().get_mut(&self.id) {
            session.uses = session.uses.saturating_sub(1);
            session.heard = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions(max: usize, each: usize) -> Arc<Sessions> {
        Sessions::new(Arc::default(), max, each)
    }

    fn holding(owners: &[(&str, usize, u64)]) -> HashMap<String, Session> {
        let now = Instant::now();
        let session = |(at, (owner, uses, quiet)): (usize, &(&str, usize, u64))| {
            let heard = now.checked_sub(Duration::from_secs(*quiet)).unwrap_or(now);
            let version = ProtocolVersion::V_2025_06_18;
            (at.to_string(), Session { owner: Principal((*owner).into()), version, uses: *uses, heard, opening: false })
        };
        owners.iter().enumerate().map(session).collect()
    }

    fn room(max: usize, each: usize, owners: &[(&str, usize, u64)], owner: &str) -> Room {
        sessions(max, each).room(&holding(owners), &Principal(owner.into()))
    }

    #[test]
    fn a_session_that_nobody_uses_makes_room_first_of_those_who_have_the_most() {
        let of = |id: &str| Room::Of(id.to_owned());
        // There is room.
        assert_eq!(room(3, 2, &[("ana", 0, 9)], "ana"), Room::Free);
        // One's own, where one has all that one may have.
        assert_eq!(room(9, 2, &[("ana", 0, 5), ("ana", 0, 9), ("bo", 0, 99)], "ana"), of("1"));
        assert_eq!(room(9, 2, &[("ana", 1, 5), ("ana", 1, 9), ("bo", 0, 99)], "ana"), Room::Full);
        // Of whoever has the most.
        assert_eq!(room(3, 2, &[("ana", 0, 1), ("ana", 0, 2), ("cy", 0, 3)], "bo"), of("1"));
        assert_eq!(room(3, 2, &[("ana", 1, 1), ("ana", 1, 2), ("cy", 0, 3)], "bo"), of("2"));
        // Not of somebody who has fewer, unless it was left behind.
        assert_eq!(room(3, 3, &[("ana", 1, 1), ("ana", 1, 2), ("cy", 0, 3)], "ana"), Room::Full);
        assert_eq!(room(3, 3, &[("ana", 1, 1), ("ana", 1, 2), ("cy", 0, 300)], "ana"), of("2"));
    }
}
