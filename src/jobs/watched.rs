//! The jobs that this process works on, for whoever waits for them.

use std::collections::HashMap;

use tokio::sync::watch;

use super::Progress;

/// Each job's last worker here. A process may take a job back that it has lost: the worker before may still be ending then.
#[derive(Default)]
pub(super) struct Watched(HashMap<String, (i64, watch::Receiver<Progress>)>);

impl Watched {
    pub(super) fn get(&self, job: &str) -> Option<watch::Receiver<Progress>> {
        self.0.get(job).map(|it| it.1.clone())
    }

    /// Notes the worker with this fence.
    pub(super) fn insert(&mut self, job: &str, fence: i64, progress: watch::Receiver<Progress>) {
        if self.0.get(job).is_none_or(|it| it.0 <= fence) {
            self.0.insert(job.to_owned(), (fence, progress));
        }
    }

    /// Forgets the worker with this fence, and none that came after it.
    pub(super) fn remove(&mut self, job: &str, fence: i64) {
        if self.0.get(job).is_some_and(|it| it.0 == fence) {
            self.0.remove(job);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_ends_late_takes_no_later_one_away() {
        let mut watched = Watched::default();
        let (first, one) = watch::channel(Progress { job: "first".into(), ..Progress::default() });
        let (second, two) = watch::channel(Progress { job: "second".into(), ..Progress::default() });
        watched.insert("job", 1, one);
        watched.insert("job", 2, two);
        watched.remove("job", 1);
        drop(first);
        assert_eq!(watched.get("job").map(|it| it.borrow().job.clone()).as_deref(), Some("second"));
        watched.remove("job", 2);
        assert!(watched.get("job").is_none());
        drop(second);
    }
}
