//! Turns: so many at once, and one caller never has them all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What only so many may do at once. Clones share it.
#[derive(Debug, Clone)]
pub struct Turns {
    all: Arc<Semaphore>,
    /// How many one caller may have.
    each: usize,
    /// There are as many callers as tokens, so none is ever taken out.
    callers: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
}

/// Held as long as it lasts.
#[derive(Debug)]
pub struct Turn {
    _own: OwnedSemaphorePermit,
    _any: OwnedSemaphorePermit,
}

impl Turns {
    /// `all` at once, of which one caller has at most `each`; both are at least one.
    #[must_use]
    pub fn new(all: usize, each: usize) -> Self {
        let all = all.clamp(1, Semaphore::MAX_PERMITS);
        Self { all: Arc::new(Semaphore::new(all)), each: each.clamp(1, all), callers: Arc::default() }
    }

    /// Waits until it is this caller's turn. First in the caller's own row, so that whoever asks for too much stands in nobody's way.
    ///
    /// Nothing where turns are no longer given.
    pub async fn take(&self, caller: &str) -> Option<Turn> {
        let own = self.of(caller).acquire_owned().await.ok()?;
        let any = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Turn { _own: own, _any: any })
    }

    /// A turn where there is one now.
    pub fn try_take(&self, caller: &str) -> Option<Turn> {
        let own = self.of(caller).try_acquire_owned().ok()?;
        let any = Arc::clone(&self.all).try_acquire_owned().ok()?;
        Some(Turn { _own: own, _any: any })
    }

    fn of(&self, caller: &str) -> Arc<Semaphore> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = callers.get(caller) {
            return Arc::clone(own);
        }
        let own = Arc::new(Semaphore::new(self.each));
        callers.insert(caller.to_owned(), Arc::clone(&own));
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_caller_never_has_them_all() {
        let turns = Turns::new(4, 2);
        let held = [turns.try_take("ana"), turns.try_take("ana")];
        assert!(held.iter().all(Option::is_some));
        assert!(turns.try_take("ana").is_none());
        // Those of hers that wait are not in the way of others.
        let mut waiting: Vec<_> = (0..8).map(|_| Box::pin(turns.take("ana"))).collect();
        for it in &mut waiting {
            assert!(futures_util::poll!(it).is_pending());
        }
        let other = turns.take("bo").await;
        assert!(other.is_some() && turns.try_take("bo").is_some());
        drop(held);
        assert!(futures_util::poll!(&mut waiting[0]).is_ready());
    }
}
