//! What goes wrong on purpose.

use std::str::FromStr;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 429 with `Retry-After: 1`; nothing happens.
    TooMany,
    /// 429 without a word about when to come back; nothing happens.
    TooManyBare,
    /// This 5xx; nothing happens.
    Server(u16),
    /// This 5xx after the request took effect.
    ServerAfter(u16),
    /// The answer takes two seconds longer.
    Slow,
    /// The connection ends before the request is looked at.
    DropBefore,
    /// The request takes effect, and the connection ends without an answer.
    Drop,
    /// The request takes effect, and half of its JSON comes back.
    Malformed,
    /// A proxy's page with 502 instead of an answer; nothing happens.
    Html,
}

const NAMES: [(&str, Kind); 7] = [
    ("429", Kind::TooMany),
    ("429-bare", Kind::TooManyBare),
    ("slow", Kind::Slow),
    ("drop-before", Kind::DropBefore),
    ("drop", Kind::Drop),
    ("malformed", Kind::Malformed),
    ("html", Kind::Html),
];

/// One fault: what, how often, on which requests, how many times at most.
///
/// Written `KIND:CHANCE[@METHOD PATH][*TIMES]`: `429:0.1`, `drop:1@POST /members*1`, `503-after:0.02@POST`. `METHOD` may be `*`;
/// `PATH` is part of the path.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub kind: Kind,
    /// Between 0 and 1.
    pub chance: f64,
    pub method: Option<String>,
    /// Part of the path.
    pub path: Option<String>,
    /// How often it may still happen; `None` for ever.
    pub left: Option<u32>,
}

/// A text that is not a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a fault; write KIND:CHANCE[@METHOD PATH][*TIMES], KIND one of 429, 429-bare, 500 to 599, 503-after, slow, drop-before, drop, malformed, html"
)]
pub struct InvalidFault(String);

impl FromStr for Fault {
    type Err = InvalidFault;

    fn from_str(text: &str) -> Result<Self, InvalidFault> {
        let invalid = || InvalidFault(text.chars().take(80).collect());
        let (rest, left) = match text.rsplit_once('*') {
            Some((rest, times)) if times.chars().all(|it| it.is_ascii_digit()) && !times.is_empty() => {
                (rest, Some(times.parse().map_err(|_| invalid())?))
            }
            _ => (text, None),
        };
        let (rest, on) = rest.split_once('@').map_or((rest, ""), |(rest, on)| (rest, on));
        let (method, path) = on.split_once(' ').unwrap_or((on, ""));
        let given = |it: &str| Some(it.trim().to_owned()).filter(|it| !it.is_empty() && it != "*");
        let (kind, chance) = rest.split_once(':').unwrap_or((rest, "1"));
        let named = NAMES.iter().find(|it| it.0 == kind).map(|it| it.1);
        let server = || {
            let (code, after) = kind.strip_suffix("-after").map_or((kind, false), |code| (code, true));
            let code = code.parse().ok().filter(|it| (500..600).contains(it))?;
            Some(if after { Kind::ServerAfter(code) } else { Kind::Server(code) })
        };
        let kind = named.or_else(server).ok_or_else(invalid)?;
        let chance = chance.parse().ok().filter(|it| (0.0..=1.0).contains(it)).ok_or_else(invalid)?;
        Ok(Self { kind, chance, method: given(method), path: given(path), left })
    }
}

/// The faults of a sandbox, drawn by chance that is the same for the same number.
#[derive(Debug, Clone, PartialEq)]
pub struct Faults {
    list: Vec<Fault>,
    state: u64,
}

impl Faults {
    #[must_use]
    pub fn new(list: Vec<Fault>, number: u64) -> Self {
        Self { list, state: number }
    }

    pub(super) fn replace(&mut self, list: Vec<Fault>) {
        self.list = list;
    }

    /// What happens to a request, if anything: the first fault that strikes.
    pub(super) fn strike(&mut self, method: &str, path: &str) -> Option<Kind> {
        for at in 0..self.list.len() {
            let draw = self.draw();
            let Some(fault) = self.list.get_mut(at) else { break };
            let fits = fault.method.as_deref().is_none_or(|it| it == method) && fault.path.as_deref().is_none_or(|it| path.contains(it));
            if fits && fault.left != Some(0) && draw < fault.chance {
                fault.left = fault.left.map(|it| it - 1);
                return Some(fault.kind);
            }
        }
        None
    }

    /// A number from 0 to below 1 (splitmix64).
    fn draw(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.state;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = u32::try_from((it ^ (it >> 31)) >> 32).unwrap_or_default();
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_and_strike_as_often_as_they_say() {
        let fault: Fault = "drop:1@POST /members*2".parse().expect("a fault");
        let mut faults = Faults::new(vec![fault], 1);
        let seen: Vec<_> = ["GET", "POST", "POST", "POST"].map(|method| faults.strike(method, "/v2/members")).into();
        assert_eq!(seen, [None, Some(Kind::Drop), Some(Kind::Drop), None]);
        let mut some = Faults::new(vec!["429:0.25".parse().expect("a fault")], 7);
        let struck = (0..1000).filter(|_| some.strike("GET", "/").is_some()).count();
        assert!((200..300).contains(&struck), "{struck}");
        assert_eq!("503-after:0.5".parse::<Fault>().map(|it| it.kind), Ok(Kind::ServerAfter(503)));
        for bad in ["", "404:1", "429:2", "drop:x"] {
            assert!(bad.parse::<Fault>().is_err(), "{bad}");
        }
    }
}
