//! Results as short text: the same facts as the structured content, for people and for models that read text.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{domain::Timestamp, shape::cut};

type Fields = Map<String, Value>;

/// What every list has. Whatever else stands beside the items is told above them.
const OF_LISTS: [&str; 10] =
    ["items", "report", "shown", "has_more", "next_cursor", "total", "failed", "not_asked", "unseen", "connection"];
/// A description is cut to this where it stands in a line with other facts; reading the thing alone shows it whole.
const MAX_DESCRIPTION: usize = 300;

/// A result as text: a line per item of a list, a line per field of anything else.
pub fn text(result: &Value) -> String {
    let Value::Object(fields) = result else { return scalar(result) };
    if let Some(Value::String(said)) = fields.get("answer") {
        return answer(said, fields);
    }
    match (fields.get("status").and_then(Value::as_str), fields.get("target"), fields.get("items")) {
        (Some(status), Some(target @ Value::Object(_)), _) => receipt(status, target, fields),
        (_, _, Some(Value::Array(items))) => list(fields, items),
        _ => shown(fields).map(|(name, value)| format!("{name}: {}", scalar(value))).collect::<Vec<_>>().join("\n"),
    }
}

/// An error as text: what is wrong, and what to do.
pub fn error(error: &Value) -> String {
    let part = |name: &str| error[name].as_str().unwrap_or_default();
    let (code, message) = (part("code"), part("message"));
    let mut text = match (part("status"), error["expires_in_s"].as_i64()) {
        ("pending_approval", Some(seconds)) => {
            format!("Waiting for a person (approval {}, {}).\n{message}", part("approval_id"), until(seconds))
        }
        ("refused", _) => format!("Nothing was changed ({code}): {}", message.trim_end_matches("; nothing was changed")),
        _ => format!("{code}: {message}"),
    };
    match (error["retry_after_s"].as_i64(), error["retryable"] == true && code != "pending_approval") {
        (Some(seconds), _) => text += &format!("\nThe call may be repeated in {}.", duration(seconds)),
        (None, true) => text += "\nThe call may be repeated.",
        (None, false) => {}
    }
    if error["receipt"].is_object() {
        text += &format!("\n{}", self::text(&error["receipt"]));
    }
    for name in ["call_id", "request_id"] {
        if !part(name).is_empty() && !text.contains(part(name)) {
            text += &format!("\n{name}: {}", part(name));
        }
    }
    format!("{text}\nNext: {}", part("fix"))
}

/// An answer over accounts: in a sentence first, then part by part, then what it could not see.
fn answer(said: &str, fields: &Fields) -> String {
    const APART: [&str; 8] = ["answer", "connection", "shown", "has_more", "next_cursor", "unseen", "failed", "not_asked"];
    let mut lines = vec![format!(
        "{}{}",
        one_line(said),
        fields.get("connection").map(|it| format!(" (connection {})", scalar(it))).unwrap_or_default()
    )];
    for (name, value) in shown(fields).filter(|it| !APART.contains(&it.0)) {
        match value {
            Value::Array(items) if items.iter().any(Value::is_object) => {
                lines.push(format!("{}:", name.replace('_', " ")));
                lines.extend(items.iter().map(|it| format!("- {}", line(it))));
            }
            Value::Array(items) if items.is_empty() => {}
            value => lines.push(format!("{name}: {}", scalar(value))),
        }
    }
    lines.extend(gaps(fields));
    if let Some(cursor) = fields.get("next_cursor").and_then(Value::as_str) {
        lines.push(format!("More: call again with cursor {cursor}"));
    }
    lines.join("\n")
}

fn list(fields: &Fields, items: &[Value]) -> String {
    let about: Fields =
        shown(fields).filter(|it| !OF_LISTS.contains(&it.0)).map(|(name, value)| (name.to_owned(), value.clone())).collect();
    let mut lines: Vec<String> = (!about.is_empty()).then(|| line(&about.into())).into_iter().collect();
    let more = fields.get("has_more") == Some(&Value::Bool(true));
    let head = match (items.len(), fields.get("total").and_then(Value::as_u64), more) {
        (0, None | Some(0), false) if fields.contains_key("failed") => "Nothing found where an answer came".to_owned(),
        (0, None | Some(0), false) => "Nothing found".to_owned(),
        (shown, Some(total), _) => format!("{shown} of {total}"),
        (shown, None, true) => format!("{shown} shown, more follow"),
        (shown, None, false) => format!("{shown} shown, no more follow"),
    };
    if let Some(report) = fields.get("report").and_then(Value::as_str) {
        lines.push(format!("{} in the report:", fields.get("total").map(scalar).unwrap_or_default()));
        lines.push(report.to_owned());
        lines.extend(gaps(fields));
        return lines.join("\n");
    }
    let end = if items.is_empty() { "." } else { ":" };
    lines.push(format!("{head}{}{end}", fields.get("connection").map(|it| format!(" (connection {})", scalar(it))).unwrap_or_default()));
    let mut text = lines.join("\n");
    for item in items {
        text.push_str("\n- ");
        put_line(&mut text, item);
    }
    for gap in gaps(fields) {
        text += &format!("\n{gap}");
    }
    if let Some(cursor) = fields.get("next_cursor").and_then(Value::as_str) {
        text += &format!("\nMore: call again with cursor {cursor}");
    }
    text
}

/// What a list or an answer over several accounts does not hold, a line each.
pub fn gaps(list: &Fields) -> Vec<String> {
    let mut lines = Vec::new();
    for it in list.get("failed").and_then(Value::as_array).into_iter().flatten() {
        let part = |name: &str| scalar(&it[name]);
        lines.push(format!("No answer from {} ({}): {}. Next: {}", part("connection"), part("code"), part("message"), part("fix")));
    }
    if let Some(names) = list.get("not_asked") {
        let why = if list.contains_key("answer") || list.contains_key("rules") {
            "since this caller may not ask there"
        } else {
            "having no such list"
        };
        lines.push(format!("Not asked, {why}: {}", scalar(names)));
    }
    lines.extend(list.get("unseen").and_then(Value::as_array).into_iter().flatten().map(|it| format!("Not seen: {}", scalar(it))));
    lines
}

fn receipt(status: &str, target: &Value, fields: &Fields) -> String {
    let part = |name: &str| fields.get(name).and_then(Value::as_str);
    let what = format!("{}{}", thing(target), part("connection").map(|it| format!(" (connection {it})")).unwrap_or_default());
    let head = match status {
        "done" if fields.contains_key("replayed") => "Done before, by a call with the same idempotency_key".to_owned(),
        "dry_run" => "Nothing was changed, this is a preview".to_owned(),
        "confirmation_required" => "Nothing was changed yet, a person has to approve it".to_owned(),
        "running" if fields.contains_key("replayed") => {
            "Still running, begun by a call with the same idempotency_key; get_job shows the rest".to_owned()
        }
        "running" => "Still running; get_job shows the rest".to_owned(),
        "partly" => format!("Partly: {}", made(fields)),
        "failed" => format!("Failed: {}", made(fields)),
        "stopped" => format!("Stopped at a failure: {}", made(fields)),
        "cancelled" => format!("Cancelled before its end: {}", made(fields)),
        other => sentence(other),
    };
    let mut lines = vec![format!("{head}: {what}")];
    let (before, after) = (fields.get("before").filter(|it| !it.is_null()), fields.get("after").filter(|it| !it.is_null()));
    if let Some(before) = before {
        lines.push(format!("before:{}", inner(&changed(before, after), part("job"))));
    }
    if let Some(after) = after {
        lines.push(format!("after:{}", inner(after, part("job"))));
    }
    lines.extend(asked(fields));
    lines.extend(part("ends_at").map(|it| format!("Ends by itself: {it}")));
    if let Some(secret) = fields.get("secret") {
        lines.push(format!("secret: {} is in {}", scalar(&secret["what"]), scalar(&secret["handed_to"])));
    }
    // A question tells how to take it back, and a job is undone by its own name.
    match part("undo") {
        Some(undo) if part("question").is_none() => lines.push(format!("Undo: {undo}")),
        None if fields.contains_key("impact") && part("question").is_none() => lines.push("It cannot be undone.".to_owned()),
        _ => {}
    }
    for name in ["job", "call_id"] {
        lines.extend(part(name).map(|it| format!("{name}: {it}")));
    }
    lines.join("\n")
}

/// How much of many was made, and how the rest ended: `1 of 3 made, 2 refused`.
fn made(fields: &Fields) -> String {
    let count = |name: &str| fields.get("after").and_then(|it| it[name].as_u64()).unwrap_or_default();
    let others = [
        ("skipped", "so already"),
        ("differs", "there with another role"),
        ("failed", "failed"),
        ("unknown", "of unknown outcome"),
        ("refused", "refused"),
        ("cancelled", "cancelled"),
        ("pending", "pending"),
    ];
    let others: Vec<(u64, &str)> = others.iter().map(|it| (count(it.0), it.1)).filter(|it| it.0 > 0).collect();
    let all = count("done") + others.iter().map(|it| it.0).sum::<u64>();
    let told = others.iter().fold(String::new(), |told, (count, how)| told + &format!(", {count} {how}"));
    format!("{} of {all} made{told}", count("done"))
}

/// What a person would be asked or has to be asked, and what else the change would do.
fn asked(fields: &Fields) -> Vec<String> {
    let Some(impact) = fields.get("impact") else { return Vec::new() };
    let (gravity, text) = (scalar(&impact["gravity"]), |name: &str| fields.get(name).and_then(Value::as_str));
    let mut lines = Vec::new();
    if let Some(question) = text("question") {
        let asks = if fields.contains_key("needs_consent") { "A person would be asked" } else { "Ask a person" };
        lines.push(format!("{asks} (gravity {gravity}):\n{question}"));
        // Of many people the question is cut here, and not where a person reads it.
        for (name, label) in [("confirmed_by", "To confirm, a person types"), ("undo", "Undo")] {
            lines.extend(text(name).filter(|it| !question.contains(it)).map(|it| format!("{label}: {it}")));
        }
    } else {
        lines.push(format!("No person would be asked (gravity {gravity})."));
        for loss in impact["losses"].as_array().into_iter().flatten() {
            let names = loss["examples"].as_array().filter(|it| !it.is_empty()).map(|it| format!(" ({})", list_of(it)));
            lines.push(format!("- {} {}{}", scalar(&loss["count"]), scalar(&loss["what"]), names.unwrap_or_default()));
        }
        lines.extend(impact["notes"].as_array().into_iter().flatten().map(|it| format!("- {}", scalar(it))));
    }
    if let (Some(token), Some(seconds)) = (text("confirmation_token"), fields.get("expires_in_s").and_then(Value::as_i64)) {
        lines.push(format!("When the person agrees, repeat the call {} with confirmation_token {token}", until(seconds)));
    }
    lines
}

/// A thing, or a list of things, behind the name of what it is.
fn inner(value: &Value, job: Option<&str>) -> String {
    let (Value::Object(fields), Some(items)) = (value, value.get("items").and_then(Value::as_array)) else {
        return format!(" {}", line(value));
    };
    let mut counts = Vec::new();
    // Of many calls, `failed` counts; of a list over several accounts, it names those without an answer.
    let counts_or_tells = |name: &str, value: &Value| name != "more" && (!OF_LISTS.contains(&name) || (name == "failed" && value.is_u64()));
    for (name, value) in shown(fields).filter(|it| counts_or_tells(it.0, it.1)) {
        match value.as_u64() {
            Some(0) => {}
            Some(count) => counts.push(format!("{count} {name}")),
            None => counts.push(format!("{name}={}", scalar(value))),
        }
    }
    let mut text = if counts.is_empty() { String::new() } else { format!(" {}", counts.join(", ")) };
    text.extend(items.iter().map(|it| format!("\n  - {}", line(it))));
    match (fields.get("more").and_then(Value::as_u64), job) {
        (Some(more), Some(job)) => text += &format!("\n  {more} more: get_job with job {job}"),
        (Some(more), None) => text += &format!("\n  {more} more"),
        (None, _) => {}
    }
    text
}

/// Of a thing as it was, what is no longer so; all of it where nothing is known of it now.
fn changed(before: &Value, after: Option<&Value>) -> Value {
    match (before, after) {
        (Value::Object(before), Some(Value::Object(after))) if !before.contains_key("items") => {
            let changed: Fields =
                before.iter().filter(|(name, value)| after.get(*name) != Some(value)).map(|(n, v)| (n.clone(), v.clone())).collect();
            if changed.is_empty() { "the same".into() } else { pairs(&changed).into() }
        }
        _ => before.clone(),
    }
}

/// What a change is about: `member ana@acme.example [usr_1] in project Atlas [prj_1], organization Acme`.
fn thing(target: &Value) -> String {
    let part = |name: &str| target.get(name).map(scalar);
    let mut text = format!("{} {}", part("kind").unwrap_or_default().replace('_', " "), part("name").unwrap_or_default());
    for (name, before, after) in [("id", " [", "]"), ("within", " in ", ""), ("organization", ", organization ", "")] {
        if let Some(value) = part(name) {
            text += &format!("{before}{value}{after}");
        }
    }
    text
}

/// A value on one line: the first field leads, an id stands in brackets.
fn line(value: &Value) -> String {
    let mut text = String::new();
    put_line(&mut text, value);
    text
}

fn pairs(fields: &Fields) -> String {
    let mut text = String::new();
    put_pairs(&mut text, shown(fields));
    text
}

fn scalar(value: &Value) -> String {
    let mut text = String::new();
    put_scalar(&mut text, value);
    text
}

fn list_of(items: &[Value]) -> String {
    let mut text = String::new();
    put_list(&mut text, items);
    text
}

// All of a list is written into one text: these put a piece behind what is there.

fn put_line(text: &mut String, value: &Value) {
    let Value::Object(fields) = value else { return put_scalar(text, value) };
    let mut shown = shown(fields);
    match shown.next() {
        Some(("id", first)) => put_within(text, "[", first, "]"),
        Some((_, first)) => put_scalar(text, first),
        None => return,
    }
    let before = text.len();
    text.push(' ');
    put_pairs(text, shown);
    if text.len() == before + 1 {
        text.truncate(before);
    }
}

fn put_pairs<'a>(text: &mut String, shown: impl Iterator<Item = (&'a str, &'a Value)>) {
    for (at, (name, value)) in shown.enumerate() {
        if at > 0 {
            text.push(' ');
        }
        match (name, value) {
            ("id", value) => put_within(text, "[", value, "]"),
            ("description", Value::String(told)) => *text += &format!("description={}", cut(&one_line(told), MAX_DESCRIPTION)),
            // A schema is read as it is written.
            ("input", Value::Object(_)) => *text += &format!("input={value}"),
            (name, value) => {
                text.push_str(name);
                put_within(text, "=", value, "");
            }
        }
    }
}

fn put_within(text: &mut String, before: &str, value: &Value, after: &str) {
    text.push_str(before);
    put_scalar(text, value);
    text.push_str(after);
}

fn put_scalar(text: &mut String, value: &Value) {
    match value {
        Value::String(told) => text.push_str(&one_line(told)),
        Value::Array(items) if items.is_empty() => text.push_str("none"),
        Value::Array(items) => put_list(text, items),
        Value::Object(fields) => {
            if let Some(call) = call(fields) {
                text.push_str(&call);
            } else {
                text.push('(');
                put_line(text, value);
                text.push(')');
            }
        }
        Value::Null => {}
        other => *text += &other.to_string(),
    }
}

fn put_list(text: &mut String, items: &[Value]) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            text.push_str(", ");
        }
        put_line(text, item);
    }
}

/// The fields that say something in a text.
fn shown(fields: &Fields) -> impl Iterator<Item = (&str, &Value)> {
    fields.iter().filter(|(name, value)| !value.is_null() && *name != "image").map(|(name, value)| (name.as_str(), value))
}

/// A call that somebody may make, as it is made.
fn call(fields: &Fields) -> Option<String> {
    let (tool, arguments) = (fields.get("tool")?.as_str()?, fields.get("arguments")?.as_object()?);
    (fields.len() == 2).then(|| format!("{tool} {}", Value::from(arguments.clone())))
}

/// Text of others cannot begin a line of ours.
fn one_line(text: &str) -> Cow<'_, str> {
    const BREAKS: [char; 3] = ['\n', '\r', '\t'];
    if text.contains(BREAKS) { text.replace(BREAKS, " ").into() } else { text.into() }
}

/// `partly_done` as the beginning of a sentence: `Partly done`.
fn sentence(word: &str) -> String {
    let mut letters = word.chars().map(|it| if it == '_' { ' ' } else { it });
    letters.next().map(|it| it.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A deadline for people: `until 14:32 UTC, for 5 minutes`.
fn until(seconds: i64) -> String {
    format!("until {}, for {}", Timestamp::now().plus_seconds(seconds).of_day(), duration(seconds))
}

fn duration(seconds: i64) -> String {
    let (count, unit) = match seconds {
        ..120 => (seconds, "second"),
        120..7200 => ((seconds + 30) / 60, "minute"),
        7200..172_800 => ((seconds + 1800) / 3600, "hour"),
        _ => ((seconds + 43_200) / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
