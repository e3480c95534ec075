//! Times that lie behind: a date, a time, or how long ago.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A time in the past as somebody wrote it: `2026-08-01`, `2026-08-01T10:00:00Z`, `90 days`; `ever` for the beginning of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Past {
    text: String,
    meant: Meant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meant {
    At(i64),
    /// Milliseconds before now.
    Ago(i64),
    Ever,
}

const DAY: i64 = 86_400_000;
/// The longest that is counted back: a hundred years.
const LONGEST: i64 = 36_525 * DAY;

impl Past {
    /// When that was, told from now; `None` for the beginning of all.
    pub fn before(&self, now: Timestamp) -> Option<Timestamp> {
        match self.meant {
            Meant::At(at) => Some(Timestamp(at)),
            Meant::Ago(time) => Some(Timestamp(now.0.saturating_sub(time))),
            Meant::Ever => None,
        }
    }
}

impl TryFrom<String> for Past {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let plain = text.trim().to_lowercase();
        let meant = match plain.as_str() {
            "ever" | "never" | "always" => Some(Meant::Ever),
            it => at(it).map(Meant::At).or_else(|| ago(it).map(Meant::Ago)),
        };
        let shown = || text.chars().take(40).collect::<String>();
        let meant = meant.ok_or_else(|| format!("`{}` is no date and no time ago; write 2026-08-31, or 90 days", shown()))?;
        Ok(Self { text, meant })
    }
}

impl From<Past> for String {
    fn from(it: Past) -> Self {
        it.text
    }
}

fn at(text: &str) -> Option<i64> {
    let time = DateTime::parse_from_rfc3339(text).map(|it| it.with_timezone(&Utc)).ok();
    let date = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0).map(|it| it.and_utc());
    time.or_else(date).map(|it| it.timestamp_millis())
}

/// `90 days`, `3 months ago`, `2w`.
fn ago(text: &str) -> Option<i64> {
    let text = text.strip_suffix("ago").unwrap_or(text).trim();
    let digits = text.find(|it: char| !it.is_ascii_digit())?;
    let (count, unit) = text.split_at(digits);
    let unit = match unit.trim().trim_end_matches('s') {
        "d" | "day" => DAY,
        "w" | "wk" | "week" => 7 * DAY,
        "mo" | "month" => 30 * DAY,
        "y" | "yr" | "year" => 365 * DAY,
        "h" | "hr" | "hour" => DAY / 24,
        _ => return None,
    };
    count.parse::<i64>().ok()?.checked_mul(unit).filter(|it| *it <= LONGEST)
}

impl JsonSchema for Past {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Past".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "Date or 90 days." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before(text: &str) -> Result<Option<Timestamp>, ()> {
        Past::try_from(text.to_owned()).map(|it| it.before(Timestamp(1000 * DAY))).map_err(|_| ())
    }

    #[test]
    fn a_time_is_a_date_a_time_or_so_long_ago() {
        for (text, days) in
            [("90 days", 910), ("90d", 910), ("1 day ago", 999), ("2 weeks", 986), ("3 Months", 910), ("1 year", 635), ("1970-01-02", 1)]
        {
            assert_eq!(before(text), Ok(Some(Timestamp(days * DAY))), "{text}");
        }
        assert_eq!(before("1970-01-02T02:00:00+02:00"), Ok(Some(Timestamp(DAY))));
        assert_eq!((before("never"), before("ever")), (Ok(None), Ok(None)));
        for text in ["", "soon", "90", "days", "-3 days", "99999999 years", "2026-13-01"] {
            assert_eq!(before(text), Err(()), "{text}");
        }
    }

    #[test]
    fn it_is_written_as_it_was_given() {
        let it = Past::try_from("90 days".to_owned()).expect("a time");
        assert_eq!(serde_json::to_value(it).expect("a text"), "90 days");
    }
}
