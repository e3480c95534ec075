//! Signing in.

use maud::html;

use super::{Page, bare};

/// Where a code is typed. `why`: what was wrong with the last one.
pub(crate) fn page(why: Option<&str>) -> Page {
    bare(
        "Sign in",
        &html! {
            div.card.sign-in data-sign-in {
                h1 { "Sign in" }
                p.sub { "Rolecall lets in who sits at this machine. A terminal gives you a link, which is good once and for five minutes:" }
                p { code { "rolecall console" } }
                @if let Some(why) = why { p.grave-text role="alert" { (why) } }
                form method="post" action="/console/sign-in" {
                    label for="code" { "Code" }
                    input id="code" name="code" autocomplete="off" spellcheck="false" required;
                    div.row { button.main type="submit" { "Sign in" } }
                }
            }
        },
    )
}
