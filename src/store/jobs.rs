//! Jobs: work of many calls, a row for each, and the lease of whoever works on it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{Clock, Conn, Mark, StoreError, args, row};
use crate::domain::Timestamp;

row! {
    /// Work of many calls.
    pub struct JobRecord {
        id: String, call_id: String, tool: String, connection: String, principal: String, client: String, target: String,
        in_order: bool, stop_on_failure: bool, total: i64, status: String, cancel: bool, lease_owner: String, lease_until: i64,
        fence: i64, created_at: i64, ended_at: Option<i64>, notes: Option<String>,
    }
}

row! {
    /// One call of a job.
    pub struct JobRow {
        job_id: String, idx: i64, name: String, connection: String, tool: String, arguments: String, told: Option<String>,
        target: Option<String>, state: String, call_id: Option<String>, reason: Option<String>, receipt: Option<String>,
        inverse: Option<String>, doubtful_since: Option<i64>,
    }
}

row! {
    struct Count { state: String, rows: i64 }
}

/// A call of a job that is not in the store yet.
#[derive(Debug, Clone)]
pub struct NewRow {
    pub name: String,
    pub connection: String,
    pub tool: String,
    pub arguments: String,
    pub told: Option<String>,
    pub target: Option<String>,
    /// `pending`, or how it has ended before anything was sent.
    pub state: &'static str,
    pub reason: Option<String>,
}

/// What changes about a row. What is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct RowChange {
    pub state: &'static str,
    pub call_id: Option<String>,
    pub target: Option<String>,
    pub reason: Option<String>,
    pub receipt: Option<String>,
    pub inverse: Option<String>,
}

/// The rows of a job, each by its place: many are never in memory together.
pub type NewRows<'a> = &'a (dyn Fn(usize) -> Option<NewRow> + Sync);

/// How many rows are in which state.
pub type Tally = BTreeMap<String, u64>;

/// A worker's hold on a job. It is good until its time, and worth nothing once another worker has raised the fence.
///
/// Others learn from the store until when it is held, by the time of [`Conn::now`]. The holder itself counts from before it asked the
/// store, by its own clocks: so it never believes to have the job for longer than the store says, wherever the store's clock stands.
#[derive(Debug, Clone)]
pub struct Lease {
    pub job: String,
    pub owner: String,
    pub fence: i64,
    clock: Clock,
    /// From when it counts; `None` once it is given up.
    since: Arc<Mutex<Option<Mark>>>,
}

/// How long a worker may be silent before another one takes its place.
const LEASE: Duration = Duration::from_secs(30);
/// The same for the store.
const LEASE_SECONDS: i64 = 30;
/// A change is sent only if the lease lasts this much longer: what is on its way should arrive before somebody else begins.
const MARGIN: Duration = Duration::from_secs(3);

impl Lease {
    /// The first hold on a new job; to be made before the job is stored.
    pub fn first(job: &str, owner: &str, clock: &Clock) -> Self {
        Self::new(job, owner, 1, clock, clock.mark())
    }

    fn new(job: &str, owner: &str, fence: i64, clock: &Clock, since: Mark) -> Self {
        let since = Arc::new(Mutex::new(Some(since)));
        Self { job: job.to_owned(), owner: owner.to_owned(), fence, clock: clock.clone(), since }
    }

    /// Whether something may still be sent.
    pub fn holds(&self) -> bool {
        let since = *self.since();
        since.is_some_and(|it| self.clock.since(it) + MARGIN < LEASE)
    }

    /// This moment, to count a renewal from.
    pub fn mark(&self) -> Mark {
        self.clock.mark()
    }

    /// Counts from a moment before [`Conn::renew_lease`] was asked, once that is committed.
    pub fn renewed(&self, since: Mark) {
        // What was given up stays so.
        if let Some(it) = &mut *self.since() {
            *it = since;
        }
    }

    /// How long ago a moment was.
    pub fn since_mark(&self, mark: Mark) -> Duration {
        self.clock.since(mark)
    }

    /// Gives it up: nothing more is sent with it.
    pub fn drop_it(&self) {
        *self.since() = None;
    }

    fn since(&self) -> MutexGuard<'_, Option<Mark>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job that a worker begins with, or takes from one that is gone.
#[derive(Debug)]
pub struct Taken {
    pub lease: Lease,
    /// For how long nobody held it. A worker that let go of it in good order has left nothing behind that could tell.
    pub free_for: Duration,
    /// How long ago the job was begun.
    pub age: Duration,
}

impl Taken {
    /// A job that was just begun.
    pub fn first(lease: Lease) -> Self {
        Self { lease, free_for: Duration::ZERO, age: Duration::ZERO }
    }
}

const JOB: &str = "SELECT id, call_id, tool, connection, principal, client, target, in_order, stop_on_failure, total, status, cancel, \
                   lease_owner, lease_until, fence, created_at, ended_at, notes FROM jobs";
const ROW: &str = "SELECT job_id, idx, name, connection, tool, arguments, told, target, state, call_id, reason, receipt, inverse, \
     doubtful_since FROM job_rows";
/// How many rows one statement writes.
const AT_ONCE: usize = 50;

impl Conn {
    /// Adds a job with all its rows, in the order in which they are to be made. `rows` makes the nth when it is written. It is held
    /// by its first worker from now on.
    pub async fn add_job(&mut self, it: &JobRecord, rows: NewRows<'_>) -> Result<(), StoreError> {
        let now = self.now().await?;
        let sql = "INSERT INTO jobs (id, call_id, tool, connection, principal, client, target, in_order, stop_on_failure, total, status, \
                   cancel, lease_owner, lease_until, fence, created_at, notes) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
        let values = args![
            &it.id,
            &it.call_id,
            &it.tool,
            &it.connection,
            &it.principal,
            &it.client,
            &it.target,
            it.in_order,
            it.stop_on_failure,
            it.total,
            &it.status,
            it.cancel,
            &it.lease_owner,
            now.plus_seconds(LEASE_SECONDS).0,
            it.fence,
            now.0,
            &it.notes
        ];
        self.run(sql, &values).await?;
        let mut rows = (0..).map_while(rows);
        let mut idx = 0;
        loop {
            let chunk: Vec<NewRow> = rows.by_ref().take(AT_ONCE).collect();
            if chunk.is_empty() {
                return Ok(());
            }
            let (mut places, mut values) = (Vec::new(), Vec::new());
            for row in &chunk {
                let first = values.len() + 1;
                places.push(format!("({})", (first..first + 10).map(|it| format!("${it}")).collect::<Vec<_>>().join(", ")));
                values.extend(args![
                    &it.id,
                    idx,
                    &row.name,
                    &row.connection,
                    &row.tool,
                    &row.arguments,
                    &row.told,
                    &row.target,
                    row.state,
                    &row.reason
                ]);
                idx += 1;
            }
            let sql = format!(
                "INSERT INTO job_rows (job_id, idx, name, connection, tool, arguments, told, target, state, reason) VALUES {}",
                places.join(", ")
            );
            self.run(&sql, &values).await?;
        }
    }

    pub async fn job(&mut self, id: &str) -> Result<Option<JobRecord>, StoreError> {
        self.one(&format!("{JOB} WHERE id = $1"), &args![id]).await
    }

    /// The job that an entry in the ledger has begun.
    pub async fn job_of_call(&mut self, call_id: &str) -> Result<Option<JobRecord>, StoreError> {
        self.one(&format!("{JOB} WHERE call_id = $1"), &args![call_id]).await
    }

    /// Jobs from before `created_at` and `id`, newest first; of one principal, or of all.
    pub async fn jobs_before(
        &mut self,
        (created_at, id): (i64, &str),
        principal: Option<&str>,
        status: Option<&str>,
        rows: i64,
    ) -> Result<Vec<JobRecord>, StoreError> {
        let mut values = args![created_at, id, rows].to_vec();
        let mut sql = format!("{JOB} WHERE (created_at, id) < ($1, $2)");
        for (column, wanted) in [("principal", principal), ("status", status)] {
            if let Some(wanted) = wanted {
                values.push(wanted.into());
                sql += &format!(" AND {column} = ${}", values.len());
            }
        }
        self.all(&format!("{sql} ORDER BY created_at DESC, id DESC LIMIT $3"), &values).await
    }

    /// Jobs that go on as soon as somebody takes them, oldest first.
    pub async fn due_jobs(&mut self) -> Result<Vec<JobRecord>, StoreError> {
        let now = self.now().await?;
        self.all(&format!("{JOB} WHERE status = 'running' AND lease_until < $1 ORDER BY created_at LIMIT 100"), &args![now.0]).await
    }

    /// Jobs that somebody holds, as far as the store knows, oldest first.
    pub async fn held_jobs(&mut self) -> Result<Vec<JobRecord>, StoreError> {
        let now = self.now().await?;
        self.all(&format!("{JOB} WHERE status = 'running' AND lease_until >= $1 ORDER BY created_at LIMIT 100"), &args![now.0]).await
    }

    /// Takes a job that nobody holds; `None` where somebody else was faster, or somebody holds it. With `is_gone` its holder is known to
    /// be gone, whatever the store says.
    pub async fn take_job(&mut self, job: &JobRecord, owner: &str, clock: &Clock, is_gone: bool) -> Result<Option<Taken>, StoreError> {
        let since = clock.mark();
        let now = self.now().await?;
        let sql = "UPDATE jobs SET lease_owner = $1, lease_until = $2, fence = fence + 1 \
                   WHERE id = $3 AND fence = $4 AND status = 'running' AND (lease_until < $5 OR ($6 AND lease_owner = $7))";
        let until = now.plus_seconds(LEASE_SECONDS).0;
        let taken = self.run(sql, &args![owner, until, &job.id, job.fence, now.0, is_gone, &job.lease_owner]).await? == 1;
        let ago = |at: i64| Duration::from_millis((now.0 - at).max(0).unsigned_abs());
        Ok(taken.then(|| Taken {
            lease: Lease::new(&job.id, owner, job.fence + 1, clock, since),
            free_for: if job.lease_until > 0 { ago(job.lease_until) } else { Duration::ZERO },
            age: ago(job.created_at),
        }))
    }

    /// Renews a hold; `None` where it is lost, else whether the job is to be cancelled. See [`Lease::renewed`].
    pub async fn renew_lease(&mut self, lease: &Lease) -> Result<Option<bool>, StoreError> {
        let until = self.now().await?.plus_seconds(LEASE_SECONDS).0;
        let sql = "UPDATE jobs SET lease_until = $1 WHERE id = $2 AND fence = $3 AND status = 'running'";
        if self.run(sql, &args![until, &lease.job, lease.fence]).await? == 0 {
            return Ok(None);
        }
        self.cancel_wanted(lease).await
    }

    /// Whether the job is to be cancelled; `None` where the hold on it is lost.
    pub async fn cancel_wanted(&mut self, lease: &Lease) -> Result<Option<bool>, StoreError> {
        let sql = "SELECT cancel FROM jobs WHERE id = $1 AND fence = $2 AND status = 'running'";
        Ok(self.one::<(bool,)>(sql, &args![&lease.job, lease.fence]).await?.map(|it| it.0))
    }

    /// Keeps others from taking the job until the end of the transaction, as [`Self::cancel_wanted`] answers: what is written in it is
    /// written by whoever holds the job.
    pub async fn keep_job(&mut self, lease: &Lease) -> Result<Option<bool>, StoreError> {
        let sql = "UPDATE jobs SET fence = fence WHERE id = $1 AND fence = $2 AND status = 'running'";
        if self.run(sql, &args![&lease.job, lease.fence]).await? == 0 {
            return Ok(None);
        }
        self.cancel_wanted(lease).await
    }

    /// Lets go of a job, so that another worker may take it at once.
    pub async fn release_job(&mut self, lease: &Lease) -> Result<(), StoreError> {
        self.run("UPDATE jobs SET lease_until = 0 WHERE id = $1 AND fence = $2", &args![&lease.job, lease.fence]).await?;
        Ok(())
    }

    /// Ends a job; false where the hold on it is lost.
    pub async fn end_job(&mut self, lease: &Lease, status: &str) -> Result<bool, StoreError> {
        let now = self.now().await?;
        let sql = "UPDATE jobs SET status = $1, ended_at = $2, lease_until = 0 WHERE id = $3 AND fence = $4 AND status = 'running'";
        Ok(self.run(sql, &args![status, now.0, &lease.job, lease.fence]).await? == 1)
    }

    /// Asks for a job to be cancelled; false where it has ended.
    pub async fn cancel_job(&mut self, id: &str) -> Result<bool, StoreError> {
        Ok(self.run("UPDATE jobs SET cancel = $2 WHERE id = $1 AND status = 'running'", &args![id, true]).await? == 1)
    }

    /// Rows behind `after`, in their order; in one state, or in any.
    pub async fn job_rows(&mut self, job: &str, after: i64, state: Option<&str>, rows: i64) -> Result<Vec<JobRow>, StoreError> {
        let mut values = args![job, after, rows].to_vec();
        let mut sql = format!("{ROW} WHERE job_id = $1 AND idx > $2");
        if let Some(state) = state {
            values.push(state.into());
            sql += " AND state = $4";
        }
        self.all(&format!("{sql} ORDER BY idx LIMIT $3"), &values).await
    }

    /// Notes of the rows that were being sent that their worker was gone by `since`, where no earlier time is noted.
    pub async fn doubt_rows(&mut self, job: &str, since: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE job_rows SET doubtful_since = $2 WHERE job_id = $1 AND state = 'sending' AND doubtful_since IS NULL";
        self.run(sql, &args![job, since.0]).await.map(drop)
    }

    /// The receipt of the row that the caller has named so.
    pub async fn row_named(&mut self, job: &str, name: &str) -> Result<Option<JobRow>, StoreError> {
        self.one(&format!("{ROW} WHERE job_id = $1 AND name = $2"), &args![job, name]).await
    }

    pub async fn tally(&mut self, job: &str) -> Result<Tally, StoreError> {
        let counts: Vec<Count> =
            self.all("SELECT state, COUNT(*) AS rows FROM job_rows WHERE job_id = $1 GROUP BY state", &args![job]).await?;
        Ok(counts.into_iter().map(|it| (it.state, it.rows.unsigned_abs())).collect())
    }

    /// The connections that a job's open rows are for.
    pub async fn job_connections(&mut self, job: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT connection FROM job_rows WHERE job_id = $1 AND state IN ('pending', 'sending') ORDER BY connection";
        self.texts(sql, &args![job]).await
    }

    pub async fn change_row(&mut self, job: &str, idx: i64, it: &RowChange) -> Result<(), StoreError> {
        let sql = "UPDATE job_rows SET state = $3, call_id = COALESCE($4, call_id), target = COALESCE($5, target), reason = $6, \
                   receipt = COALESCE($7, receipt), inverse = COALESCE($8, inverse), doubtful_since = NULL WHERE job_id = $1 AND idx = $2";
        self.run(sql, &args![job, idx, it.state, &it.call_id, &it.target, &it.reason, &it.receipt, &it.inverse]).await?;
        Ok(())
    }

    /// Ends all rows that wait for their turn; answers how many there were.
    pub async fn end_pending(&mut self, job: &str, reason: &str) -> Result<u64, StoreError> {
        let sql = "UPDATE job_rows SET state = 'cancelled', reason = $2 WHERE job_id = $1 AND state = 'pending'";
        self.run(sql, &args![job, reason]).await
    }
}
