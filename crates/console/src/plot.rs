//! Pictures that a shape tells more by than numbers, drawn as SVG.

use maud::{Markup, html};

use crate::Day;

/// The height of the columns, and how wide a day is.
const HIGH: u64 = 96;
const WIDE: u64 = 24;

/// Calls by day, by how they ended. What it shows stands in a table behind it.
pub(crate) fn days(days: &[Day]) -> Markup {
    let most = days.iter().map(|it| it.done + it.open + it.not).max().unwrap_or_default().max(1);
    let high = |count: u64| if count == 0 { 0 } else { (count * HIGH / most).max(2) };
    let wide = WIDE * u64::try_from(days.len()).unwrap_or_default();
    html! {
        svg.plot viewBox={ "0 0 " (wide) " " (HIGH + 8) } preserveAspectRatio="none" role="img" aria-label="Changes by day; the table below has the numbers" {
            @for (at, day) in (0_u64..).zip(days) {
                @let (done, open, not) = (high(day.done), high(day.open), high(day.not));
                g transform={ "translate(" (at * WIDE) ",4)" } {
                    title { (day.day) ": " (day.done) " done, " (day.open) " open, " (day.not) " not made" }
                    rect.ground x="3" y="0" width=(WIDE - 6) height=(HIGH) rx="2" {}
                    rect.done x="3" y=(HIGH.saturating_sub(done)) width=(WIDE - 6) height=(done) rx="2" {}
                    rect.open x="3" y=(HIGH.saturating_sub(done + open)) width=(WIDE - 6) height=(open) rx="2" {}
                    rect.not x="3" y=(HIGH.saturating_sub(done + open + not)) width=(WIDE - 6) height=(not) rx="2" {}
                }
            }
        }
    }
}

/// How far something is, as a bar.
pub(crate) fn bar(part: u64, whole: u64, failed: u64) -> Markup {
    let share = |it: u64| (it.min(whole) * 1000).checked_div(whole).unwrap_or_default();
    html! {
        svg.bar viewBox="0 0 1000 8" preserveAspectRatio="none" role="img" aria-label={ (part) " of " (whole) } {
            rect.ground x="0" y="0" width="1000" height="8" rx="4" {}
            rect.done x="0" y="0" width=(share(part)) height="8" rx="4" {}
            @if failed > 0 { rect.not x=(share(part.saturating_sub(failed))) y="0" width=(share(failed).max(4)) height="8" rx="4" {} }
        }
    }
}
