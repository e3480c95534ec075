//! What people read of arguments: whole sentences, at the command line and in forms. Models pay for each word of the list of tools,
//! and get the terse texts of the types.

use super::Tool;

/// What an argument is, wherever a tool has one of this name.
const ARGUMENTS: &[(&str, &str)] = &[
    ("admin_email", "The e-mail address of the person who owns what is made."),
    ("api_key", "The key, by its name or id; never its value."),
    ("call_id", "The call to take back, by the id that its answer and the ledger tell."),
    ("certificates", "The certificates, by their names or ids."),
    ("clear", "The fields that are to be empty afterwards."),
    ("confirmation_token", "What the call before has answered, once a person has agreed to it."),
    ("connection", "The account that the call is for, by its name in the configuration."),
    ("csv", "A table as text, with a line for each row."),
    ("cursor", "Where the page begins: `next_cursor` of the page before."),
    ("description", "What it is for, in a sentence."),
    ("dry_run", "Only tells what the change would do and what a person would be asked; nothing is changed."),
    ("email", "The e-mail address of the person."),
    ("ends_at", "When what is given ends by itself: a date, `Friday 18:00`, or how long, such as `2 weeks`."),
    ("expires_in_seconds", "For how long it works from now, in seconds: a minute to a year."),
    ("external_key_id", "The key of an outside key store that encrypts what is in it, by its id there."),
    ("hard_limit", "The amount at which the service stops."),
    ("idempotency_key", "A text of your own that makes a repeated call answer what the first one did instead of doing it again."),
    ("job", "The job, by the id that the call which began it has answered."),
    ("limit", "How many items a page has, from 1 to 100; without it, 25."),
    ("member", "The person, by e-mail address, name or id; a change wants the whole address."),
    ("model", "The model that the limits are for, by its name or id."),
    ("name", "What it is called; a new name where it has one already."),
    ("of", "Whether the logo is that of an organization, a team or a project."),
    ("on_failure", "What happens after a failure: `stop` makes nothing more, `continue` goes on with the others."),
    ("order", "Whether the list begins with the first or the last: ascending or descending."),
    ("organization", "The organization, by name, slug or id; it may be left out where there is only one."),
    ("permissions", "What the role allows, by the codes that list_permissions tells."),
    ("project", "The project, by name, slug or id."),
    ("projects", "The projects that the person joins as well, by name, slug or id."),
    ("query", "A part of the name, or of the e-mail address of a person."),
    ("renewal", "Whether the limit begins anew with each period, or is used up once."),
    ("residency", "The region in which the data is kept, such as `eu`."),
    ("resource_id", "The resource, by the id that its service has given it."),
    ("resource_type", "What kind of resource it is, as its service calls it."),
    ("role", "The role, by name or id, as list_roles tells it."),
    ("role_types", "The kinds of roles that are told."),
    ("roles", "The roles, by name or id, as list_roles tells them."),
    ("scopes", "What the key may be used for, by permission codes."),
    ("service_account", "The service account, by name or id."),
    ("since", "The time from which on changes are told, such as 2026-01-31T00:00:00Z."),
    ("slug", "A short name for addresses: lower-case letters, digits and hyphens."),
    ("soft_limit", "The amount at which the service warns."),
    ("status", "The state in which things are that are told, or that they get."),
    ("subscription_type", "The period that the limit is for."),
    ("target", "What the logo belongs to, by name, slug or id."),
    ("team", "The team, by name, slug or id."),
    ("usage_limit", "The usage limit, by the id that list_usage_limits tells."),
    ("usage_unit", "What is counted: requests, or what they cost."),
    ("website", "The address of its web site, beginning with https://."),
];

/// What an argument of one tool is, where that is more than its name says elsewhere.
const OF_TOOLS: &[(&str, &str, &str)] = &[
    ("add_project_members", "csv", "A table with the columns project, member and roles; several roles in a cell are separated by `;`."),
    ("add_project_members", "people", "The people, each with a project, an e-mail address and roles; or give them as a table in `csv`."),
    ("apply_changes", "common", "Arguments that are the same for all rows of `csv`, as an object."),
    ("apply_changes", "csv", "A table whose first line names arguments of `tool`, and of which each row is a call."),
    (
        "apply_changes",
        "on_failure",
        "What follows a failure: `stop`, as is usual for steps, or `continue`, as is usual for rows of a table.",
    ),
    ("apply_changes", "steps", "The calls, in order: each with a tool, its arguments and, where others build on it, an id."),
    ("apply_changes", "tool", "The changing tool that each row of `csv` is a call of."),
    ("cancel_invitation", "invitation", "The invitation, by the e-mail address that it went to, or by its id."),
    ("copy_access", "from", "The person whose access is copied, by e-mail address."),
    ("copy_access", "only", "Copies only these kinds of access; without it, all."),
    ("copy_access", "to", "The person who gets the same access, by e-mail address."),
    ("copy_project", "from", "The project that the new one is to be like, by name, slug or id."),
    ("copy_project", "owner", "The e-mail address of who owns the new project; without it, who owns the other one."),
    ("copy_project", "people", "Whether the people of the other project join the new one, too."),
    ("create_api_key", "description", "What the key is for, in a sentence."),
    ("create_api_key", "scopes", "What the key may be used for, by permission codes; without them, whatever its owner may do."),
    ("create_project", "usage_limit", "How much may be used, with the fields of set_usage_limit."),
    ("create_service_account", "without_key", "Makes the account alone; a key can be made later with create_api_key."),
    ("get_job", "outcome", "Tells only the rows that ended so."),
    ("explain_access", "action", "What somebody wants to do, such as delete, invite or make keys; or a permission code."),
    ("explain_access", "member", "One person or team to ask about, by name, e-mail address or id."),
    ("list_activity", "agreed_by", "Tells only the calls to which this person agreed."),
    ("list_activity", "outcome", "Tells only the calls that ended so."),
    ("list_activity", "tool", "Tells only the calls of this tool."),
    ("list_activity", "until", "The time up to which changes are told; a day is told whole, as is `yesterday`."),
    ("invite_people", "people", "The e-mail addresses of the people, in any form in which people write them; or give `csv`."),
    ("list_api_keys", "any", "Whether a key is told that fits one of the filters, and not only one that fits all of them."),
    ("list_api_keys", "created_before", "Tells only the keys that are older: a date, or how long ago, such as `60 days`."),
    ("list_api_keys", "expired", "Tells only the keys whose time is over, or only the others."),
    ("list_api_keys", "owner", "Tells only the keys whose owner has left, has no access any more, is there, or is nobody."),
    (
        "list_api_keys",
        "unused_since",
        "Tells only the keys that nobody has used since: a date, how long ago, such as `90 days`, or `ever`.",
    ),
    ("list_ending_access", "all", "Whether what is over is told, too."),
    ("list_invitations", "status", "Tells only the invitations in this state."),
    ("list_jobs", "status", "Tells only the jobs in this state."),
    ("list_memberships", "email", "The e-mail address of the person; without it, the person whom the connection acts as."),
    ("list_projects", "detail", "Whether the projects are told in brief or with all that is known of them."),
    ("list_projects", "owner", "Tells only the projects that this person owns, by e-mail address, name or id."),
    ("list_projects", "owners", "Tells only the projects with so many owners, such as 0 or 1."),
    ("list_projects", "include_archived", "Whether archived projects are told, too."),
    ("list_usage_limits", "active", "Tells only the limits that are in force, or only the others."),
    ("offboard_person", "connections", "The accounts in which the person is taken off everything; without it, all."),
    (
        "offboard_person",
        "keys",
        "What becomes of the person's keys: `stop` ends them, `hand_over` makes new ones for the successor and lets the old ones end; without it, they stay.",
    ),
    ("offboard_person", "successor", "Who owns afterwards what the person alone owns now, by e-mail address, name or id."),
    ("review_access", "format", "Writes all findings as a report for an auditor: `csv` or `markdown`."),
    ("review_access", "keep", "Keeps this review, so that the next one tells what is new and what was mended."),
    ("review_access", "rule", "Tells only the findings of one rule, such as `one_owner` or `key_never_used`."),
    ("set_logo", "image", "The picture itself, in base64 or as a `data:` address; or give `path`."),
    ("set_logo", "path", "A file on the machine of the server, in a folder that the configuration allows; or give `image`."),
    ("undo", "last", "Takes back the last change of yours that can be taken back."),
    ("undo", "job", "The job to take back, by the id that the call which began it has answered."),
    ("update_api_key", "status", "Whether the key works: `blocked` stops it until it is `active` again."),
    ("update_rate_limit", "batch_1_day_max_input_tokens", "How many input tokens batches may have in a day."),
    ("update_rate_limit", "max_audio_megabytes_per_1_minute", "How many megabytes of audio may be sent in a minute."),
    ("update_rate_limit", "max_images_per_1_minute", "How many images may be made in a minute."),
    ("update_rate_limit", "max_requests_per_1_day", "How many requests may be made in a day."),
    ("update_rate_limit", "max_requests_per_1_minute", "How many requests may be made in a minute."),
    ("update_rate_limit", "max_tokens_per_1_minute", "How many tokens may be used in a minute."),
];

impl Tool {
    /// What an argument of this tool is, in a sentence for people. A test sees to it that there is one for each.
    pub fn help(&self, argument: &str) -> Option<&'static str> {
        let own = OF_TOOLS.iter().find(|it| it.0 == self.name && it.1 == argument).map(|it| it.2);
        own.or_else(|| ARGUMENTS.iter().find(|it| it.0 == argument).map(|it| it.1))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::tools;

    /// What every call may have.
    const ENVELOPE: [&str; 5] = ["confirmation_token", "connection", "dry_run", "ends_at", "idempotency_key"];

    #[test]
    fn every_argument_of_every_tool_has_a_sentence_for_people() {
        let mut known: BTreeSet<(String, String)> = BTreeSet::new();
        for tool in tools::all() {
            let input = tool.input();
            let arguments = input["properties"].as_object().into_iter().flat_map(serde_json::Map::keys).map(String::as_str);
            for argument in arguments.chain(ENVELOPE) {
                let help = tool.help(argument).unwrap_or_default();
                let is_sentence = help.ends_with('.') && help.split(' ').count() > 3 && help.starts_with(|it: char| it.is_uppercase());
                assert!(is_sentence, "`{argument}` of {} has no sentence for people: give it one in src/tools/help.rs", tool.name);
                known.insert((tool.name.to_owned(), argument.to_owned()));
            }
        }
        for (argument, _) in ARGUMENTS {
            assert!(known.iter().any(|it| it.1 == *argument), "no tool has an argument `{argument}`");
        }
        for (tool, argument, _) in OF_TOOLS {
            assert!(known.contains(&((*tool).to_owned(), (*argument).to_owned())), "{tool} has no argument `{argument}`");
        }
    }
}
