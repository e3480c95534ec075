//! When something is to end, as people write it: `Friday 18:00`, `2026-12-04`, `2 weeks`.
//!
//! What is written without a zone is in the person's own. What has two readings is refused.

use std::fmt;

use jiff::{
    Span, Timestamp as Instant, ToSpan as _, Zoned,
    civil::{Date, DateTime, Time, Weekday},
    tz::TimeZone,
};

use super::Timestamp;

/// A moment with the zone in which it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Until {
    pub at: Timestamp,
    /// Such as `Europe/Berlin`.
    pub zone: String,
}

/// Why a text is no moment to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidUntil {
    /// What is wrong with it, to be read behind the text itself.
    pub problem: String,
    pub fix: String,
}

/// What would be right.
const EXAMPLES: &str = "write a time to come, such as `Friday 18:00`, `2026-12-04`, `2 weeks` or `2026-12-04T18:00:00+01:00`";
const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
const NUMBERS: [&str; 12] = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

impl Until {
    /// Reads a text that was written at `now`, by somebody in this zone: `None` is the machine's.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, has two readings, or is not to come.
    pub fn read(text: &str, now: Timestamp, zone: Option<&str>) -> Result<Self, InvalidUntil> {
        let unreadable = || InvalidUntil { problem: "is not a time".to_owned(), fix: EXAMPLES.to_owned() };
        let mut zone = zone.and_then(|it| TimeZone::get(it).ok()).unwrap_or_else(TimeZone::system);
        let mut words = text.trim();
        if let Some((rest, own)) = own_zone(words) {
            (words, zone) = (rest, own);
        }
        let now = Instant::from_millisecond(now.0).map_err(|_| unreadable())?.to_zoned(zone);
        let at = absolute(words, &now).map(Ok).or_else(|| relative(words, &now)).unwrap_or_else(|| Err(unreadable()))?;
        let at = in_full_seconds(at);
        if at.timestamp() <= now.timestamp() {
            let problem = format!("is not to come: that was {}, and now it is {}", told(&at), told(&now));
            return Err(InvalidUntil { problem, fix: EXAMPLES.to_owned() });
        }
        Ok(Self { at: Timestamp(at.timestamp().as_millisecond()), zone: zone_name(&at) })
    }

    /// Whether there is a zone of this name.
    pub fn knows_zone(name: &str) -> bool {
        TimeZone::get(name).is_ok()
    }

    /// The moment in its zone.
    pub fn new(at: Timestamp, zone: &str) -> Self {
        Self { at, zone: zone.to_owned() }
    }
}

/// `Friday 4 December 2026, 18:00 (Europe/Berlin)`; midnight is the end of the day before.
impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zone = TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC);
        let at = Instant::from_millisecond(self.at.0).unwrap_or_default().to_zoned(zone);
        f.write_str(&told(&at))
    }
}

fn told(at: &Zoned) -> String {
    let zone = zone_name(at);
    if at.time() == Time::midnight()
        && let Ok(day) = at.date().yesterday()
    {
        return format!("the end of {} ({zone})", day.strftime("%A %-d %B %Y"));
    }
    let form = if at.second() == 0 { "%A %-d %B %Y, %H:%M" } else { "%A %-d %B %Y, %H:%M:%S" };
    format!("{} ({zone})", at.strftime(form))
}

fn zone_name(at: &Zoned) -> String {
    match at.time_zone().iana_name() {
        Some(name) if TimeZone::get(name).is_ok() => name.to_owned(),
        _ => "UTC".to_owned(),
    }
}

/// A zone that is written behind the rest: `Friday 18:00 Europe/Berlin`, `… (UTC)`.
fn own_zone(text: &str) -> Option<(&str, TimeZone)> {
    let (rest, last) = text.rsplit_once(' ')?;
    let name = last.trim_start_matches('(').trim_end_matches(')');
    let is_zone = name.contains('/') && name.chars().any(char::is_alphabetic) || matches!(name, "UTC" | "GMT");
    let zone = if is_zone { TimeZone::get(name).ok()? } else { return None };
    Some((rest.trim_end().trim_end_matches(','), zone))
}

/// What the standards write. A date is meant with all of its day.
fn absolute(text: &str, now: &Zoned) -> Option<Zoned> {
    if let Ok(it) = text.parse::<Zoned>() {
        return Some(it);
    }
    if let Ok(it) = text.parse::<Instant>() {
        return Some(it.to_zoned(now.time_zone().clone()));
    }
    let is_date = text.len() >= 10 && text.as_bytes()[..4].iter().all(u8::is_ascii_digit) && text.as_bytes()[4] == b'-';
    if !is_date {
        return None;
    }
    if text.len() == 10 {
        return end_of(text.parse().ok()?, now);
    }
    text.parse::<DateTime>().ok()?.to_zoned(now.time_zone().clone()).ok()
}

/// What people write.
fn relative(text: &str, now: &Zoned) -> Option<Result<Zoned, InvalidUntil>> {
    let lower = text.to_lowercase().replace(',', " ");
    // What stops in the middle is not guessed at.
    if lower.trim_end().ends_with(" the") {
        return None;
    }
    let mut words: Vec<&str> = lower.split_whitespace().filter(|it| !matches!(*it, "at" | "on" | "the" | "of")).collect();
    while words.first().is_some_and(|it| matches!(*it, "in" | "for" | "until" | "till" | "by" | "this" | "within")) {
        words.remove(0);
    }
    if let Some(span) = span(&words) {
        return now.checked_add(span).ok().map(Ok);
    }
    if words.first() == Some(&"next") && words.get(1).is_some_and(|it| weekday(it).is_some()) {
        let problem = "has two readings: the first such day from now, or that of the week after".to_owned();
        return Some(Err(InvalidUntil { problem, fix: "write its date, such as `2026-12-04`".to_owned() }));
    }
    let (day, rest) = day(&words, now)?;
    let time = if rest.is_empty() { None } else { Some(time(rest)?) };
    let on = |date: Date| match time {
        Some(time) => date.to_datetime(time).to_zoned(now.time_zone().clone()).ok(),
        None => end_of(date, now),
    };
    match day {
        Day::Date(date) => on(date),
        // The first one that is to come.
        Day::Every(span) => {
            let mut date = day_after(now.date(), &span);
            let step = if let Recurs::Weekday(_) = span { 7.days() } else { 1.day() };
            let first = on(date)?;
            if first.timestamp() > now.timestamp() {
                return Some(Ok(first));
            }
            date = date.checked_add(step).ok()?;
            on(date)
        }
    }
    .map(Ok)
}

enum Day {
    Date(Date),
    Every(Recurs),
}

enum Recurs {
    Weekday(Weekday),
    Day,
}

fn day_after(from: Date, of: &Recurs) -> Date {
    let Recurs::Weekday(weekday) = of else { return from };
    let mut date = from;
    while date.weekday() != *weekday {
        date = date.tomorrow().unwrap_or(date);
    }
    date
}

/// Which day is meant, and the words that are left: a time.
fn day<'a>(words: &'a [&'a str], now: &Zoned) -> Option<(Day, &'a [&'a str])> {
    let (first, rest) = words.split_first()?;
    let today = now.date();
    match *first {
        "today" => return Some((Day::Date(today), rest)),
        "tomorrow" => return Some((Day::Date(today.tomorrow().ok()?), rest)),
        _ => {}
    }
    if let Some(weekday) = weekday(first) {
        // A date may follow: `Friday 4 December 2026`.
        return match written_date(rest, today) {
            Some((date, rest)) => (date.weekday() == weekday).then_some((Day::Date(date), rest)),
            None => Some((Day::Every(Recurs::Weekday(weekday)), rest)),
        };
    }
    if let Some((date, rest)) = written_date(words, today) {
        return Some((Day::Date(date), rest));
    }
    // A time alone is the next such time.
    time(words).map(|_| (Day::Every(Recurs::Day), words))
}

/// `4 December 2026`, `December 4th`, `4 Dec`, `4.12.2026`, `2026-12-04`; without a year it is the next such day.
fn written_date<'a>(words: &'a [&'a str], today: Date) -> Option<(Date, &'a [&'a str])> {
    let first = words.first()?;
    if let Ok(date) = first.parse::<Date>() {
        return Some((date, &words[1..]));
    }
    let dotted: Vec<&str> = first.split('.').collect();
    if let [day, month, year] = dotted[..] {
        let date = Date::new(year.parse().ok().filter(|it| *it > 1000)?, month.parse().ok()?, day.parse().ok()?);
        return Some((date.ok()?, &words[1..]));
    }
    let (one, other) = (first, words.get(1)?);
    let (day, month) = match (number(one), month(other)) {
        (Some(day), Some(month)) => (day, month),
        _ => (number(other)?, month(one)?),
    };
    let rest = &words[2..];
    if let Some(year) = rest.first().filter(|it| it.len() == 4).and_then(|it| it.parse().ok()) {
        return Some((Date::new(year, month, day).ok()?, &rest[1..]));
    }
    let this = Date::new(today.year(), month, day).ok().filter(|it| *it >= today);
    Some((this.or_else(|| Date::new(today.year() + 1, month, day).ok())?, rest))
}

fn number(word: &str) -> Option<i8> {
    let digits = word.trim_end_matches('.').trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let ending = &word[digits.len()..];
    if matches!(ending, "" | "." | "st" | "nd" | "rd" | "th") { digits.parse().ok() } else { None }
}

fn month(word: &str) -> Option<i8> {
    let word = word.trim_end_matches('.');
    let at = MONTHS.iter().position(|it| *it == word || (word.len() >= 3 && it.starts_with(word)))?;
    i8::try_from(at + 1).ok()
}

fn weekday(word: &str) -> Option<Weekday> {
    const DAYS: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let word = word.trim_end_matches('.');
    DAYS.iter().find(|it| it.0 == word || (word.len() >= 3 && it.0.starts_with(word))).map(|it| it.1)
}

/// `18:00`, `18:00:30`, `6pm`, `6:30 pm`, `18h`, `noon`.
fn time(words: &[&str]) -> Option<Time> {
    let joined = words.concat().replace('.', "");
    if joined == "noon" {
        return Some(Time::constant(12, 0, 0, 0));
    }
    let (clock, half) = match (joined.strip_suffix("am"), joined.strip_suffix("pm")) {
        (Some(it), _) => (it, Some(0)),
        (_, Some(it)) => (it, Some(12)),
        _ => (joined.as_str(), None),
    };
    let whole_hour = clock.strip_suffix('h').or_else(|| clock.strip_suffix("oclock"));
    let parts: Vec<i8> = whole_hour.unwrap_or(clock).split(':').map(|it| it.parse().ok()).collect::<Option<_>>()?;
    let (hour, minute, second) = match parts[..] {
        [hour] if half.is_some() || whole_hour.is_some() => (hour, 0, 0),
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    Time::new(hour, minute, second, 0).ok()
}

/// `2 weeks`, `two weeks`, `a month`, `P14D`, `1h30m`.
fn span(words: &[&str]) -> Option<Span> {
    let digits = |it: &&str| match *it {
        "a" | "an" => "1".to_owned(),
        other => NUMBERS.iter().position(|it| *it == other).map_or_else(|| other.to_owned(), |it| (it + 1).to_string()),
    };
    let text = words.iter().filter(|it| **it != "and").map(digits).collect::<Vec<_>>().join(" ");
    let text = text.trim_end_matches(" from now");
    let span: Span = if text.starts_with('p') { text.to_uppercase().parse().ok()? } else { text.parse().ok()? };
    (!span.is_zero()).then_some(span)
}

/// The moment at which a day is over.
fn end_of(date: Date, now: &Zoned) -> Option<Zoned> {
    date.tomorrow().ok()?.to_zoned(now.time_zone().clone()).ok()
}

/// Not a part of a second earlier.
fn in_full_seconds(at: Zoned) -> Zoned {
    if at.subsec_nanosecond() == 0 {
        return at;
    }
    let later = at.with().subsec_nanosecond(0).build().and_then(|it| it.checked_add(1.second()));
    later.unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Friday 27 November 2026, 21:30 in Berlin.
    fn now() -> Timestamp {
        Timestamp("2026-11-27T20:30:00Z".parse::<Instant>().map(Instant::as_millisecond).unwrap_or_default())
    }

    fn read(text: &str) -> Result<String, InvalidUntil> {
        Until::read(text, now(), Some("Europe/Berlin")).map(|it| it.to_string())
    }

    #[test]
    fn what_people_write_is_understood_in_their_zone() {
        for (written, meant) in [
            ("Friday 18:00", "Friday 4 December 2026, 18:00 (Europe/Berlin)"),
            ("fri 6pm", "Friday 4 December 2026, 18:00 (Europe/Berlin)"),
            ("until Friday at 18:00", "Friday 4 December 2026, 18:00 (Europe/Berlin)"),
            ("Friday 23:00", "Friday 27 November 2026, 23:00 (Europe/Berlin)"),
            ("Friday", "the end of Friday 27 November 2026 (Europe/Berlin)"),
            ("Monday", "the end of Monday 30 November 2026 (Europe/Berlin)"),
            ("tomorrow noon", "Saturday 28 November 2026, 12:00 (Europe/Berlin)"),
            ("18:00", "Saturday 28 November 2026, 18:00 (Europe/Berlin)"),
            ("2026-12-04", "the end of Friday 4 December 2026 (Europe/Berlin)"),
            ("2026-12-04T18:00", "Friday 4 December 2026, 18:00 (Europe/Berlin)"),
            ("2026-12-04 18:00", "Friday 4 December 2026, 18:00 (Europe/Berlin)"),
            ("2026-12-04T18:00:00Z", "Friday 4 December 2026, 19:00 (Europe/Berlin)"),
            ("2026-12-04T18:00:00+01:00", "Friday 4 December 2026, 18:00 (Europe/Berlin)"),
            ("Friday 18:00 America/New_York", "Friday 27 November 2026, 18:00 (America/New_York)"),
            ("2 weeks", "Friday 11 December 2026, 21:30 (Europe/Berlin)"),
            ("for two weeks", "Friday 11 December 2026, 21:30 (Europe/Berlin)"),
            ("P14D", "Friday 11 December 2026, 21:30 (Europe/Berlin)"),
            ("PT90M", "Friday 27 November 2026, 23:00 (Europe/Berlin)"),
            ("1 month", "Sunday 27 December 2026, 21:30 (Europe/Berlin)"),
            ("4 December", "the end of Friday 4 December 2026 (Europe/Berlin)"),
            ("December 4th, 2026 18:00", "Friday 4 December 2026, 18:00 (Europe/Berlin)"),
            ("Friday 4 December 2026, 18:00 (Europe/Berlin)", "Friday 4 December 2026, 18:00 (Europe/Berlin)"),
            ("04.12.2026", "the end of Friday 4 December 2026 (Europe/Berlin)"),
            ("1 Nov", "the end of Monday 1 November 2027 (Europe/Berlin)"),
        ] {
            assert_eq!(read(written), Ok(meant.to_owned()), "{written}");
        }
    }

    #[test]
    fn what_is_past_or_cannot_be_read_is_refused_with_what_would_be_right() {
        for written in ["yesterday", "soon", "", "12/04/2026", "Friday the", "25:00", "13pm", "0 days", "5", "Monday 4 December 2026"] {
            let refused = read(written).map_err(|it| it.problem);
            assert_eq!(refused, Err("is not a time".to_owned()), "{written}");
        }
        let Err(past) = read("2026-11-20") else { panic!("it is past") };
        assert!(past.problem.contains("that was the end of Friday 20 November 2026 (Europe/Berlin)"), "{past:?}");
        assert!(past.problem.contains("now it is Friday 27 November 2026, 21:30"), "{past:?}");
        assert!(read("-2 weeks").is_err() && read("-P1D").is_err());
        assert!(read("next Friday").is_err_and(|it| it.problem.contains("two readings")));
    }
}
