//! Why transactions that record may run READ COMMITTED: small models of them, in which every order of their statements is tried, and
//! the end of a process between any two of them. In the models as in the database a statement sees what was committed before it, a row
//! that is written is locked until the transaction ends, and who finds it locked waits and then sees it as it is.

use std::{collections::HashSet, hash::Hash};

/// Goes through all that may happen; `steps` are those that process `n` may take. Answers how many states there are.
fn explore<S: Clone + Eq + Hash>(first: S, processes: usize, steps: impl Fn(&S, usize) -> Vec<S>, check: impl Fn(&S, bool)) -> usize {
    let (mut seen, mut open) = (HashSet::from([first.clone()]), vec![first]);
    while let Some(state) = open.pop() {
        let following: Vec<S> = (0..processes).flat_map(|process| steps(&state, process)).collect();
        check(&state, following.is_empty());
        open.extend(following.into_iter().filter(|it| seen.insert(it.clone())));
    }
    seen.len()
}

/// Some who append to the ledger. The primary key of its rows is their number.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Ledger {
    /// Each row's number, and that of the row it was chained to.
    rows: Vec<(u8, u8)>,
    turn: Option<usize>,
    /// How far each has come, and the last row that it has seen.
    at: Vec<(Appending, u8)>,
    /// Who came too late, and has to begin anew.
    late: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Appending {
    Begun,
    HasTurn,
    HasLooked,
    Committed,
    /// Its process has ended, and the database has taken back what it did.
    Gone,
}

fn appending(takes_turn: bool) -> impl Fn(&Ledger, usize) -> Vec<Ledger> {
    move |state, me| {
        let (at, seen) = state.at[me];
        let mut next = state.clone();
        match at {
            Appending::Begun if takes_turn && state.turn.is_some() => return vec![],
            Appending::Begun => {
                next.turn = takes_turn.then_some(me);
                next.at[me].0 = Appending::HasTurn;
            }
            Appending::HasTurn => next.at[me] = (Appending::HasLooked, state.rows.last().map_or(0, |it| it.0)),
            Appending::HasLooked if state.rows.iter().any(|it| it.0 == seen + 1) => {
                next.late += 1;
                next.at[me] = (Appending::Begun, 0);
            }
            Appending::HasLooked => {
                next.rows.push((seen + 1, seen));
                next.turn = state.turn.filter(|it| *it != me);
                next.at[me].0 = Appending::Committed;
            }
            Appending::Committed | Appending::Gone => return vec![],
        }
        let mut gone = state.clone();
        gone.turn = state.turn.filter(|it| *it != me);
        gone.at[me].0 = Appending::Gone;
        vec![next, gone]
    }
}

#[test]
fn the_ledger_stays_one_chain_in_whichever_order_rows_are_appended_and_with_a_turn_nobody_comes_too_late() {
    for takes_turn in [true, false] {
        let late = std::cell::Cell::new(false);
        let first = Ledger { rows: vec![], turn: None, at: vec![(Appending::Begun, 0); 4], late: 0 };
        let states = explore(first, 4, appending(takes_turn), |state, ended| {
            let whole = state.rows.iter().zip(1..).all(|(row, number)| *row == (number, number - 1));
            assert!(whole, "{:?}", state.rows);
            let are_over = state.at.iter().all(|it| matches!(it.0, Appending::Committed | Appending::Gone));
            assert!(!ended || are_over, "they wait for each other");
            late.set(late.get() || state.late > 0);
        });
        assert!(states > 100, "{states}");
        assert_eq!(late.get(), !takes_turn, "the turn only spares work: the chain is kept by the key of its rows");
    }
}

/// An approval that two people have to give, two who give it, one who refuses it, and two calls that want to use it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Approving {
    status: &'static str,
    votes: Vec<usize>,
    lock: Option<usize>,
    at: [u8; 5],
    /// What each has seen when it looked.
    open: [bool; 5],
    used: u8,
}

/// Processes 0 and 1 approve, 2 refuses, 3 and 4 use it: by a statement that has what it wants in its condition.
fn approving(locks: bool) -> impl Fn(&Approving, usize) -> Vec<Approving> {
    move |state, me| {
        let mut next = state.clone();
        let is_free = state.lock.is_none() || state.lock == Some(me);
        match (me, state.at[me]) {
            (0 | 1, 0) if locks && !is_free => return vec![],
            (0 | 1, 0) => {
                next.lock = if locks { Some(me) } else { state.lock };
                next.at[me] = 1;
            }
            (0 | 1, 1) => {
                next.open[me] = state.status == "pending";
                next.at[me] = if next.open[me] { 2 } else { 9 };
                next.lock = if next.open[me] { next.lock } else { next.lock.filter(|it| *it != me) };
            }
            // The vote is written, and counted with those that are committed.
            (0 | 1, 2) => next.at[me] = if state.votes.len() == 1 { 3 } else { 4 },
            (0 | 1, 3) | (2.., 0) if !is_free => return vec![],
            (0 | 1, 3 | 4) => {
                if state.at[me] == 3 {
                    next.status = "approved";
                }
                next.votes.push(me);
                next.votes.sort_unstable();
                next.lock = next.lock.filter(|it| *it != me);
                next.at[me] = 8;
            }
            (2, 0) => {
                next.at[me] = if state.status == "pending" { 8 } else { 9 };
                next.status = if state.status == "pending" { "refused" } else { state.status };
            }
            (3 | 4, 0) => {
                next.at[me] = if state.status == "approved" { 8 } else { 9 };
                next.used += u8::from(state.status == "approved");
                next.status = if state.status == "approved" { "used" } else { state.status };
            }
            _ => return vec![],
        }
        vec![next]
    }
}

#[test]
fn an_approval_is_used_once_never_after_a_refusal_and_two_who_agree_at_once_are_counted() {
    for locks in [true, false] {
        let (stuck, overruled) = (std::cell::Cell::new(false), std::cell::Cell::new(false));
        // With somebody who refuses, and without.
        for refuser in [0, 9] {
            let first = Approving { status: "pending", votes: vec![], lock: None, at: [0, 0, refuser, 0, 0], open: [false; 5], used: 0 };
            explore(first, 5, approving(locks), |state, ended| {
                assert!(state.used <= 1);
                assert!(!ended || state.at.iter().all(|it| *it >= 8), "they wait for each other: {:?}", state.at);
                overruled.set(overruled.get() || (state.at[2] == 8 && state.status != "refused"));
                stuck.set(stuck.get() || (ended && state.votes.len() == 2 && state.status == "pending"));
            });
        }
        assert_eq!((stuck.get(), overruled.get()), (!locks, !locks), "that is what the lock is for");
    }
}

/// A worker that records a row, and another one that takes its job.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Job {
    fence: u8,
    lock: Option<usize>,
    at: [u8; 2],
    /// Which worker has recorded the row, and which fence was in force then.
    written: Vec<(usize, u8)>,
}

fn working(keeps: bool) -> impl Fn(&Job, usize) -> Vec<Job> {
    move |state, me| {
        let mut next = state.clone();
        match (me, state.at[me]) {
            (_, 0) if state.lock.is_some_and(|it| it != me) && (keeps || me == 1) => return vec![],
            // Looks whether it has the job still.
            (0, 0) => {
                next.lock = if keeps && state.fence == 1 { Some(0) } else { state.lock };
                next.at[0] = if state.fence == 1 { 1 } else { 9 };
            }
            (0, 1) => {
                next.written.push((0, state.fence));
                next.lock = None;
                next.at[0] = 8;
            }
            // Takes it, and records what it finds.
            (1, 0) => {
                next.fence = 2;
                next.at[1] = 1;
            }
            (1, 1) => {
                next.written.push((1, state.fence));
                next.at[1] = 8;
            }
            _ => return vec![],
        }
        vec![next]
    }
}

#[test]
fn what_a_worker_records_is_not_written_once_another_one_has_its_job() {
    for keeps in [true, false] {
        let first = Job { fence: 1, lock: None, at: [0; 2], written: vec![] };
        let over = std::cell::Cell::new(false);
        explore(first, 2, working(keeps), |state, ended| {
            assert!(!ended || state.at.iter().all(|it| *it >= 8), "they wait for each other");
            over.set(over.get() || state.written.contains(&(0, 2)));
        });
        assert_eq!(over.get(), !keeps, "that is what the lock is for");
    }
}
