//! Who holds a job, and for how long: decided by the store's time and by each holder's own clock, never by two clocks against each other.

use rolecall::{
    domain::Timestamp,
    store::{Clock, Conn, Db, JobRecord, Lease, NewRow},
};

use crate::support::Store;

const MINUTE: i64 = 60_000;

fn job(id: &str) -> JobRecord {
    JobRecord {
        id: id.to_owned(),
        call_id: format!("call of {id}"),
        tool: "apply_changes".to_owned(),
        connection: "rolecall".to_owned(),
        principal: "local".to_owned(),
        client: String::new(),
        target: "{}".to_owned(),
        in_order: true,
        stop_on_failure: true,
        total: 0,
        status: "running".to_owned(),
        cancel: false,
        lease_owner: "here".to_owned(),
        lease_until: 0,
        fence: 1,
        created_at: 0,
        ended_at: None,
        notes: None,
    }
}

async fn change<T>(db: &Db, work: impl AsyncFnOnce(&mut Conn) -> T) -> T {
    let mut tx = db.begin().await.unwrap();
    let done = work(&mut tx).await;
    tx.commit().await.unwrap();
    done
}

#[tokio::test]
async fn a_job_goes_from_hand_to_hand_by_the_stores_time_wherever_the_machines_clocks_stand() {
    for store in Store::each().await {
        let db = Db::open(&store.url).await.unwrap();
        let real = Timestamp::now().0;
        // All processes on one SQLite file have one clock; those on one PostgreSQL may have any.
        let skews: &[(i64, i64)] =
            if db.kind() == "sqlite" { &[(0, 0)] } else { &[(0, MINUTE), (0, -MINUTE), (MINUTE, -MINUTE), (-MINUTE, MINUTE)] };
        for (number, (ours, theirs)) in skews.iter().enumerate() {
            let here = Clock::still(Timestamp(real + ours));
            let there = if db.kind() == "sqlite" { here.clone() } else { Clock::still(Timestamp(real + theirs)) };
            let id = format!("job_{number}");
            let lease = Lease::first(&id, "here", &here);
            change(&db, async |tx| tx.add_job(&job(&id), &|_| None::<NewRow>, &here).await.unwrap()).await;
            assert!(lease.holds());
            let now = db.read().await.unwrap().job(&id).await.unwrap().unwrap();
            assert!(db.read().await.unwrap().due_jobs(&there).await.unwrap().is_empty(), "{ours} {theirs}: it is held");
            let taken = change(&db, async |tx| tx.take_job(&now, "there", &there).await.unwrap()).await;
            assert!(taken.is_none(), "{ours} {theirs}: it is held");
            assert_eq!(change(&db, async |tx| tx.renew_lease(&lease).await.unwrap()).await, Some(false));
            assert!(change(&db, async |tx| tx.take_job(&now, "there", &there).await.unwrap()).await.is_none());

            // Its worker is silent for as long as a lease lasts.
            if db.kind() == "sqlite" {
                here.pass(31_000);
            } else {
                change(&db, async |tx| tx.run("UPDATE jobs SET lease_until = lease_until - 31000", &[]).await.unwrap()).await;
            }
            let due = db.read().await.unwrap().due_jobs(&there).await.unwrap();
            assert_eq!(due.len(), 1, "{ours} {theirs}: nobody holds it");
            let taken = change(&db, async |tx| tx.take_job(&due[0], "there", &there).await.unwrap()).await.unwrap();
            assert!(taken.lease.holds() && taken.lease.fence == 2);
            assert!(taken.free_for.as_secs() < 5, "it was free for a second: {taken:?}");
            assert_eq!(change(&db, async |tx| tx.renew_lease(&lease).await.unwrap()).await, None, "the first worker learns it");
            change(&db, async |tx| tx.end_job(&taken.lease, "done").await.unwrap()).await;
        }
        db.close().await;
    }
}

#[test]
fn a_clock_that_jumps_never_lengthens_a_hold() {
    let clock = Clock::still(Timestamp::now());
    let lease = Lease::first("job", "here", &clock);
    clock.pass(26_000);
    assert!(lease.holds());
    clock.jump(-60 * MINUTE);
    assert!(lease.holds(), "it is as old as before");
    clock.pass(2_000);
    assert!(!lease.holds(), "the clock was set back, and time has passed all the same");

    let lease = Lease::first("job", "here", &clock);
    clock.jump(MINUTE);
    assert!(!lease.holds(), "the machine may have slept for that long");
    let before = lease.mark();
    clock.pass(10_000);
    lease.renewed(before);
    assert!(lease.holds());
    clock.pass(17_000);
    assert!(!lease.holds(), "a renewal counts from before the store was asked for it");
    lease.drop_it();
    lease.renewed(lease.mark());
    assert!(!lease.holds(), "what was given up stays so");
}
