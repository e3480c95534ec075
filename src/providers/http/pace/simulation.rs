//! The pace against services that are simulated: no clock, no network, the same each time.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    time::{Duration, Instant},
};

use proptest::prelude::*;

use super::state::{End, InFlight, Next, State};

/// How a service limits its callers.
enum Limit {
    None,
    /// Tokens that come at a rate and are kept up to a number.
    Bucket {
        rate: f64,
        burst: f64,
        tokens: f64,
        filled: f64,
        says: bool,
    },
    /// So many in any time of this length.
    Sliding {
        most: usize,
        length: f64,
        passed: VecDeque<f64>,
    },
    /// So many from a full minute to the next, and how many there were in which.
    Fixed {
        most: usize,
        length: f64,
        window: f64,
        count: usize,
        says: bool,
    },
}

fn bucket(rate: f64, burst: f64) -> Limit {
    Limit::Bucket { rate, burst, tokens: burst, filled: 0.0, says: true }
}

impl Limit {
    /// Whether a request at this second may pass; if not, how long to wait, where the service says so.
    fn pass(&mut self, at: f64) -> Result<(), Option<Duration>> {
        match self {
            Self::None => Ok(()),
            Self::Bucket { rate, burst, tokens, filled, says } => {
                *tokens = burst.min(*tokens + *rate * (at - *filled));
                *filled = at;
                if *tokens < 1.0 {
                    let rest = ((1.0 - *tokens) / *rate).ceil();
                    return Err(says.then(|| Duration::from_secs_f64(rest)));
                }
                *tokens -= 1.0;
                Ok(())
            }
            Self::Sliding { most, length, passed } => {
                passed.retain(|it| *it > at - *length);
                if passed.len() >= *most {
                    return Err(None);
                }
                passed.push_back(at);
                Ok(())
            }
            Self::Fixed { most, length, window, count, says } => {
                let current = (at / *length).floor();
                if current > *window {
                    (*window, *count) = (current, 0);
                }
                if *count >= *most {
                    let rest = ((current + 1.0) * *length - at).ceil();
                    return Err(says.then(|| Duration::from_secs_f64(rest)));
                }
                *count += 1;
                Ok(())
            }
        }
    }
}

/// A connection to a simulated service.
struct World {
    state: State,
    limit: Limit,
    latency: f64,
    begin: Instant,
    /// Seconds since the beginning.
    now: f64,
    on_the_way: BinaryHeap<Reverse<(Duration, u64)>>,
    in_flight: Vec<InFlight>,
    refused: u32,
    most_at_once: usize,
    /// Of so many requests one fails, and one is refused for no reason.
    fails: Option<u64>,
    random: Option<u64>,
    chance: u64,
}

impl World {
    fn new(limit: Limit, latency: f64) -> Self {
        Self {
            state: State::default(),
            limit,
            latency,
            begin: Instant::now(),
            now: 0.0,
            on_the_way: BinaryHeap::new(),
            in_flight: Vec::new(),
            refused: 0,
            most_at_once: 0,
            fails: None,
            random: None,
            chance: 7,
        }
    }

    fn instant(&self) -> Instant {
        self.begin + Duration::from_secs_f64(self.now)
    }

    fn draw(&mut self) -> u64 {
        self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.chance >> 33
    }

    /// Makes so many requests, as many at once as the pace lets; gives back how long that took.
    fn run(&mut self, requests: u32) -> f64 {
        let (begun, mut waiting) = (self.now, requests);
        while waiting > 0 || !self.on_the_way.is_empty() {
            let mut wake = f64::INFINITY;
            while waiting > 0 {
                match self.state.next(self.instant()) {
                    Next::Go(it) => {
                        waiting -= 1;
                        self.in_flight.push(it);
                        let at = Duration::from_secs_f64(self.now + self.latency);
                        self.on_the_way.push(Reverse((at, self.in_flight.len() as u64 - 1)));
                        self.most_at_once = self.most_at_once.max(self.on_the_way.len());
                    }
                    Next::At(at) => {
                        // Timers are late.
                        wake = at.duration_since(self.begin).as_secs_f64() + 0.001;
                        break;
                    }
                    Next::Full => break,
                }
            }
            let answer = self.on_the_way.peek().map_or(f64::INFINITY, |it| it.0.0.as_secs_f64());
            assert!(wake.min(answer).is_finite(), "nothing will ever happen again");
            self.now = self.now.max(wake.min(answer));
            if answer <= wake {
                let Some(Reverse((_, it))) = self.on_the_way.pop() else { continue };
                waiting += u32::from(!self.arrive(it));
            }
        }
        self.now - begun
    }

    /// A request arrives and is answered; whether it passed.
    fn arrive(&mut self, it: u64) -> bool {
        let it = self.in_flight[usize::try_from(it).expect("small")];
        let random = self.random.is_some_and(|it| self.draw().is_multiple_of(it));
        let failed = self.fails.is_some_and(|it| self.draw().is_multiple_of(it));
        let passed = if random { Err(Some(Duration::from_secs(1))) } else { self.limit.pass(self.now) };
        let end = match passed {
            Ok(()) if failed => End::Failed,
            Ok(()) => End::Answered,
            Err(wait) => {
                self.refused += 1;
                End::Refused(wait)
            }
        };
        self.state.end(it, end, self.instant());
        end == End::Answered
    }

    fn idle(&mut self, seconds: f64) {
        self.now += seconds;
    }
}

/// Requests and services that the pace is tried with; each begins with an empty past.
fn thousand(limit: Limit, latency: f64) -> (f64, World) {
    let mut world = World::new(limit, latency);
    let took = world.run(1000);
    (took, world)
}

#[test]
fn without_a_limit_nothing_is_held_back() {
    let (took, world) = thousand(Limit::None, 0.02);
    assert!(took < 0.5, "{took}");
    assert_eq!((world.refused, world.most_at_once, world.state.figures()), (0, 64, (0, 64, None)));
}

#[test]
fn calls_one_after_the_other_never_wait() {
    let mut world = World::new(Limit::None, 0.02);
    for _ in 0..50 {
        let took = world.run(1);
        assert!((took - 0.02).abs() < 1e-6, "{took}");
    }
}

#[test]
fn a_rate_is_learned_from_the_first_refusals() {
    // 25 at once, then 25 a second: 39 seconds are the least.
    for latency in [0.001, 0.02, 0.2] {
        let (took, world) = thousand(bucket(25.0, 25.0), latency);
        assert!(took < 42.0 && world.refused <= 30, "{latency}: {took} s, {} refused", world.refused);
    }
    let (took, world) = thousand(Limit::Bucket { rate: 25.0, burst: 25.0, tokens: 25.0, filled: 0.0, says: false }, 0.02);
    assert!(took < 42.0 && world.refused <= 30, "without a word about when: {took} s, {} refused", world.refused);
}

#[test]
fn a_large_burst_is_not_taken_for_the_rate() {
    let (took, world) = thousand(bucket(10.0, 100.0), 0.02);
    assert!(took < 95.0 && world.refused <= 50, "{took} s, {} refused", world.refused);
}

#[test]
fn a_limit_by_the_minute_is_learned() {
    let sliding = || Limit::Sliding { most: 10, length: 60.0, passed: VecDeque::new() };
    let fixed = |says| Limit::Fixed { most: 10, length: 60.0, window: 0.0, count: 0, says };
    for (name, limit, begin) in [
        ("sliding", sliding(), 0.0),
        ("fixed", fixed(false), 0.0),
        ("fixed, from its middle", fixed(false), 40.0),
        ("fixed, with Retry-After", fixed(true), 0.0),
        ("fixed, with Retry-After, from its middle", fixed(true), 40.0),
    ] {
        let mut world = World::new(limit, 0.1);
        world.idle(begin);
        let took = world.run(100);
        // Nine more windows are the least; sixteen are on the way when the first is refused.
        assert!(took < 660.0 && world.refused <= 32, "{name}: {took} s, {} refused", world.refused);
    }
}

#[test]
fn a_limit_that_changes_is_learned_anew() {
    let mut world = World::new(bucket(25.0, 25.0), 0.02);
    world.run(500);
    let refused = world.refused;
    world.limit = bucket(5.0, 5.0);
    let took = world.run(500);
    assert!(took < 115.0 && world.refused - refused <= 10, "down: {took} s, {} refused", world.refused - refused);
    let refused = world.refused;
    world.limit = bucket(50.0, 50.0);
    world.run(2000);
    let (_, _, rate) = world.state.figures();
    assert!(rate.is_some_and(|it| it > 40.0) && world.refused - refused <= 10, "up: {rate:?}, {} refused", world.refused - refused);
}

#[test]
fn idle_time_does_not_lead_to_a_rush_and_quiet_time_lets_forget() {
    let mut world = World::new(Limit::Sliding { most: 30, length: 60.0, passed: VecDeque::new() }, 0.02);
    world.run(60);
    let refused = world.refused;
    for _ in 0..5 {
        world.idle(45.0);
        world.run(20);
    }
    assert!(world.refused - refused <= 2, "{} refused", world.refused - refused);
    assert!(world.state.figures().2.is_some());
    world.idle(301.0);
    let took = world.run(5);
    assert!(took < 0.03, "{took}");
    assert_eq!(world.state.figures().2, None);
}

#[test]
fn what_idle_time_has_paid_for_goes_at_once() {
    let mut world = World::new(Limit::Sliding { most: 10, length: 60.0, passed: VecDeque::new() }, 0.02);
    world.run(40);
    world.idle(61.0);
    let (took, refused) = (world.run(4), world.refused);
    assert!(took < 0.1, "{took}");
    world.run(20);
    assert!(world.refused - refused <= 1, "{} refused", world.refused - refused);
}

#[test]
fn refusals_without_a_pattern_are_no_rate() {
    let mut world = World::new(Limit::None, 0.02);
    world.random = Some(200);
    let took = world.run(2000);
    // Each costs the second that it asks for, and no more.
    assert!(took < 2.0 + 1.2 * f64::from(world.refused), "{took} s, {} refused", world.refused);
    assert_eq!(world.state.figures().2, None);
}

#[test]
fn a_service_in_trouble_gets_less_at_once() {
    let mut world = World::new(Limit::None, 0.02);
    world.fails = Some(5);
    world.run(500);
    assert!(world.most_at_once <= 18, "{}", world.most_at_once);
    world.fails = None;
    let before = world.state.figures().1;
    world.run(500);
    assert!(before < 8 && world.state.figures().1 > 32, "{before}, then {:?}", world.state.figures());
}

#[test]
fn a_request_that_is_given_up_makes_room() {
    let mut state = State::default();
    let now = Instant::now();
    let mut in_flight = Vec::new();
    while let Next::Go(it) = state.next(now) {
        in_flight.push(it);
    }
    assert_eq!(in_flight.len(), 16);
    state.end(in_flight[0], End::Refused(Some(Duration::from_secs(1))), now);
    for it in &in_flight[1..] {
        state.end(*it, End::Abandoned, now);
    }
    let later = now + Duration::from_secs(1);
    // One finds out whether others may follow; if it is given up, another one does.
    for _ in 0..3 {
        let Next::Go(it) = state.next(later) else { panic!("the pause is over") };
        assert!(matches!(state.next(later), Next::Full));
        state.end(it, End::Abandoned, later);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_bucket_is_lived_with(rate in 1.0..300.0f64, burst in 5.0..300.0f64, latency in 0.001..0.3f64, says: bool) {
        let mut world = World::new(Limit::Bucket { rate, burst, tokens: burst, filled: 0.0, says }, latency);
        let took = world.run(600);
        let least = (600.0 - burst).max(0.0) / rate;
        prop_assert!(world.most_at_once <= 64);
        prop_assert!(world.refused <= 120, "{} refused", world.refused);
        prop_assert!(took <= 1.5 * least + 60.0, "{took} s where {least} s are the least");
        // No more than the service allows is ever taken for its rate.
        let (_, _, learned) = world.state.figures();
        prop_assert!(learned.is_none_or(|it| it < 3.0 * rate + burst), "{learned:?}");
    }
}
