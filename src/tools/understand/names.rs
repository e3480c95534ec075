//! Which argument is meant by a name.

use serde_json::{Map, Value};

use super::{Asked, Fault, properties, required};
use crate::tools::Effect;

/// What a name stands for.
pub(super) enum Name<'a> {
    /// One of the arguments.
    Meant(&'a str),
    /// Something that a read need not know.
    Idle,
    Unknown,
}

/// What arguments are also called; compared without case, blanks and hyphens. A name that fits two arguments of one tool fits none.
const ALSO: &[(&str, &[&str])] = &[
    (
        "dry_run",
        &[
            "dry",
            "preview",
            "preview_only",
            "simulate",
            "simulation",
            "test",
            "test_run",
            "test_mode",
            "trial",
            "plan_only",
            "validate_only",
            "check_only",
            "what_if",
            "no_op",
            "is_dry_run",
            "dry_run_only",
        ],
    ),
    ("connection", &["account", "connection_name", "connection_id", "conn"]),
    ("idempotency_key", &["idempotence_key", "idempotency_token"]),
    (
        "member",
        &[
            "email",
            "mail",
            "user",
            "users",
            "user_id",
            "user_email",
            "user_name",
            "member_id",
            "member_email",
            "member_name",
            "members",
            "person",
            "person_id",
            "person_email",
            "people",
            "email_address",
            "emails",
            "who",
            "assignee",
        ],
    ),
    (
        "email",
        &[
            "mail",
            "member",
            "user",
            "user_id",
            "user_email",
            "user_name",
            "member_email",
            "person",
            "email_address",
            "emails",
            "invitee",
            "address",
            "who",
        ],
    ),
    ("invitation", &["email", "mail", "invite", "invite_id", "invitation_id", "invitee", "member", "user", "user_email", "person"]),
    ("project", &["project_id", "project_name", "project_slug", "projects", "proj", "in_project"]),
    ("projects", &["project", "project_id", "project_ids", "project_name", "project_names"]),
    ("team", &["team_id", "team_name", "team_slug", "teams", "group", "group_id", "group_name"]),
    (
        "organization",
        &[
            "organisation",
            "organization_id",
            "organisation_id",
            "organization_name",
            "organisation_name",
            "organization_slug",
            "org",
            "org_id",
            "org_name",
            "org_slug",
            "organizations",
            "company",
            "tenant",
        ],
    ),
    ("role", &["roles", "role_id", "role_name", "role_names", "new_role", "access_level", "access"]),
    ("roles", &["role", "role_id", "role_ids", "role_name", "role_names", "access_level", "access"]),
    ("role_types", &["role_type", "types", "type"]),
    ("service_account", &["service_account_id", "service_account_name", "account_id", "bot"]),
    ("api_key", &["key", "key_id", "key_name", "api_key_id", "api_key_name"]),
    ("usage_limit", &["usage_limit_id", "limit_id"]),
    ("certificates", &["certificate", "certificate_id", "certificate_ids", "certificate_name", "certificate_names", "cert", "certs"]),
    ("permissions", &["permission", "scopes", "scope"]),
    ("scopes", &["scope", "permissions", "permission"]),
    ("name", &["display_name", "full_name", "title", "new_name", "label"]),
    ("description", &["desc", "purpose", "summary", "about"]),
    ("slug", &["short_name", "handle"]),
    ("website", &["url", "site", "homepage", "website_url"]),
    ("admin_email", &["owner", "owner_email", "admin", "administrator", "administrator_email", "first_owner"]),
    (
        "query",
        &[
            "q",
            "search",
            "search_query",
            "search_term",
            "search_text",
            "term",
            "keyword",
            "keywords",
            "filter",
            "text",
            "contains",
            "name",
            "name_contains",
        ],
    ),
    ("owner", &["owner_access", "owner_state", "owner_status", "owned_by", "owner_email", "owner_name"]),
    ("owners", &["owner_count", "owners_count", "number_of_owners", "num_owners"]),
    ("unused_since", &["not_used_since", "unused_for", "last_used_before", "unused", "idle_since", "not_used_for"]),
    ("created_before", &["older_than", "before", "min_age"]),
    ("include_archived", &["archived", "with_archived", "show_archived"]),
    ("limit", &["page_size", "per_page", "max_results", "max", "count", "top", "first", "size", "num_results"]),
    ("cursor", &["next_cursor", "page_token", "next_page_token", "next_page", "starting_after", "continuation_token", "after"]),
    ("since", &["from", "from_date", "start", "start_date", "date_from", "since_date", "newer_than"]),
    ("until", &["to", "to_date", "end", "end_date", "date_to", "until_date", "older_than", "before"]),
    ("agreed_by", &["approved_by", "confirmed_by", "approver", "consented_by", "who_agreed"]),
    ("tool", &["tool_name", "action", "operation"]),
    ("arguments", &["args", "params", "parameters", "input"]),
    ("action", &["permission", "permission_code", "can", "ability", "right", "verb", "operation", "what", "capability"]),
    ("outcome", &["status", "state", "result"]),
    ("status", &["state"]),
    ("of", &["kind", "noun", "type", "target_type"]),
    ("target", &["target_id", "target_name", "id", "name"]),
    ("image", &["picture", "image_data", "base64"]),
    ("path", &["file", "file_path", "filename"]),
    ("job", &["job_id"]),
    ("call_id", &["call", "entry"]),
    (
        "people",
        &["members", "users", "rows", "entries", "emails", "addresses", "invitees", "email_addresses", "include_people", "with_people"],
    ),
    ("from", &["source", "like", "same_as", "based_on", "from_project", "from_person", "from_member", "from_user"]),
    ("to", &["target", "to_person", "to_member", "to_user", "recipient"]),
    ("csv", &["table", "csv_text"]),
    ("steps", &["changes", "calls", "operations", "actions"]),
    ("on_failure", &["on_error"]),
    ("resource_type", &["type", "kind"]),
    ("resource_id", &["resource"]),
    ("model", &["model_name", "model_id"]),
    ("expires_in_seconds", &["expires_in", "ttl", "ttl_seconds", "lifetime_seconds"]),
    ("residency", &["region", "data_residency"]),
    ("max_requests_per_1_minute", &["rpm", "requests_per_minute", "max_requests_per_minute"]),
    ("max_tokens_per_1_minute", &["tpm", "tokens_per_minute", "max_tokens_per_minute"]),
    ("max_requests_per_1_day", &["rpd", "requests_per_day", "max_requests_per_day"]),
    ("max_images_per_1_minute", &["images_per_minute", "max_images_per_minute"]),
    ("subscription_type", &["subscription", "period"]),
    ("usage_unit", &["unit"]),
    ("clear", &["unset", "clear_fields"]),
    ("order", &["sort_order", "direction"]),
];

/// The general names for the one thing that a tool is about.
const ITSELF: [&str; 4] = ["id", "name", "identifier", "uuid"];

/// What calls have tried to say in a person's place.
const CONSENT: [&str; 12] = [
    "confirm",
    "confirmed",
    "confirmation",
    "userconfirmed",
    "force",
    "yes",
    "approve",
    "approved",
    "autoapprove",
    "skipconfirmation",
    "noconfirm",
    "consent",
];

/// What says nothing about which things a read is to show.
const IDLE: [&str; 12] = [
    "reason",
    "reasoning",
    "explanation",
    "justification",
    "thought",
    "thoughts",
    "verbose",
    "pretty",
    "format",
    "outputformat",
    "timeout",
    "randomstring",
];

/// A name without what differs from one style of writing to another.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|it| it.to_ascii_lowercase()).collect()
}

/// Which of an object's arguments a name stands for.
pub(super) fn meant<'a>(asked: &Asked<'_>, schema: &'a Map<String, Value>, written: &str) -> Name<'a> {
    let Some(known) = properties(schema) else { return Name::Unknown };
    if let Some((name, _)) = known.get_key_value(written) {
        return Name::Meant(name);
    }
    let wanted = plain(written);
    if let Some(name) = known.keys().find(|it| plain(it) == wanted) {
        return Name::Meant(name);
    }
    let mut also = ALSO.iter().filter(|it| it.1.iter().any(|other| plain(other) == wanted)).filter_map(|it| known.get_key_value(it.0));
    match (also.next(), also.next()) {
        (Some((name, _)), None) => return Name::Meant(name),
        (Some(_), Some(_)) => return Name::Unknown,
        _ => {}
    }
    if let Some(name) = of_this_tool(asked, schema, known, &wanted) {
        return Name::Meant(name);
    }
    let is_preview = ALSO[0].1.iter().any(|it| plain(it) == wanted) || matches!(wanted.as_str(), "dryrun" | "idempotencykey");
    let is_idle = is_preview || IDLE.contains(&wanted.as_str()) || CONSENT.contains(&wanted.as_str());
    if asked.effect == Effect::Read && is_idle { Name::Idle } else { Name::Unknown }
}

/// Names that follow from what the tool is about.
fn of_this_tool<'a>(asked: &Asked<'_>, schema: &'a Map<String, Value>, known: &'a Map<String, Value>, wanted: &str) -> Option<&'a str> {
    let (verb, noun) = asked.tool.split_once('_')?;
    let key = |name: &str| known.get_key_value(name).map(|it| it.0.as_str());
    if verb == "create" {
        // What is made has a name only: `project_name` and `project` are that, where no other project can be meant.
        let names = [plain(noun), plain(&format!("{noun}_name"))];
        return names.iter().any(|it| it == wanted).then(|| key("name")).flatten();
    }
    if verb == "list" && noun.ends_with("_members") && ["email", "member", "user", "person"].contains(&wanted) {
        return key("query");
    }
    if asked.tool == "explain_access" && ["team", "teams", "group", "teamname", "teamid", "query", "email"].contains(&wanted) {
        return key("member");
    }
    if asked.tool == "find_person" && wanted != "name" {
        let of_people = ALSO
            .iter()
            .filter(|it| matches!(it.0, "member" | "email"))
            .any(|it| it.0 == wanted || it.1.iter().any(|it| plain(it) == wanted));
        return of_people.then(|| key("query")).flatten();
    }
    if !ITSELF.contains(&wanted) {
        return None;
    }
    // `id` of `get_api_key` is the key's, of `remove_team_member` the member's; of a list, that of the one thing it needs.
    if let Some(name) = key(noun).or_else(|| key(noun.rsplit('_').next()?)) {
        return Some(name);
    }
    let mut needed = required(schema).filter(|it| *it != "connection");
    match (needed.next(), needed.next()) {
        (Some(one), None) => key(one),
        _ => None,
    }
}

/// Says that a name is none of the arguments, and which is nearest.
pub(super) fn unknown(asked: &Asked<'_>, known: &Map<String, Value>, path: &str, written: &str) -> Fault {
    let shown: String = crate::domain::clean(written).chars().take(60).collect();
    let at = super::within(path, &shown);
    let wanted = plain(written);
    if asked.effect != Effect::Read && CONSENT.contains(&wanted.as_str()) {
        return Fault::new(&at, format!("`{at}` is not an argument: a person is asked outside of the call"), "leave it out");
    }
    let place = if path.is_empty() { asked.tool.to_owned() } else { format!("`{path}`") };
    let message = format!("{place} has no argument `{shown}`");
    let mut near: Vec<(f64, &str)> =
        known.keys().map(|it| (strsim::jaro_winkler(&plain(it), &wanted), it.as_str())).filter(|it| it.0 > 0.85).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let fix = match near.first() {
        Some((_, name)) => format!("did you mean `{name}`?"),
        None if known.is_empty() => "it takes no arguments".to_owned(),
        None => {
            let names: Vec<&str> = known.keys().map(String::as_str).filter(|it| !ENVELOPE.contains(it)).collect();
            format!("it takes {}", if names.is_empty() { "no arguments".to_owned() } else { names.join(", ") })
        }
    };
    Fault::new(&at, message, fix)
}

/// What every call may have; it is not listed among a tool's arguments.
const ENVELOPE: [&str; 4] = ["connection", "dry_run", "idempotency_key", "confirmation_token"];

/// Says that an argument was given under two names, with different values.
pub(super) fn twice(at: &str, before: &str, written: &str) -> Fault {
    let name = at.rsplit('.').next().unwrap_or(at);
    Fault::new(at, format!("`{before}` and `{written}` say the same thing with different values"), format!("give `{name}` alone"))
}
