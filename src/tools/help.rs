//! What people read of arguments: whole sentences, at the command line and in forms. Models pay for each word of the list of tools,
//! and get the terse texts of the types.

use super::Tool;

/// What an argument is, wherever a tool has one of this name.
const ARGUMENTS: &[(&str, &str)] = &[
    ("admin_email", "The e-mail address of the first owner."),
    ("api_key", "The key, by its name or id; never its value."),
    ("call_id", "The call to undo, by the `call_id` in its answer and in the ledger."),
    ("certificates", "The certificates, by their names or ids."),
    ("clear", "The names of the fields to empty."),
    ("confirmation_token", "The token from the previous answer, once a person has agreed."),
    ("connection", "The account to use, by its name in the configuration."),
    ("csv", "A CSV table as text, one row a line."),
    ("cursor", "The page to show: `next_cursor` of the previous page."),
    ("description", "A sentence that describes it."),
    ("dry_run", "Shows what the change would do and what a person would be asked, and changes nothing."),
    ("email", "The e-mail address of the person."),
    ("ends_at", "When the access ends by itself: a date, `Friday 18:00`, or a duration such as `2 weeks`."),
    ("expires_in_seconds", "How many seconds the key works from now: a minute to a year."),
    ("external_key_id", "The id of the encryption key in an external key store."),
    ("hard_limit", "The amount at which the service blocks use."),
    ("idempotency_key", "A text of your own; repeating the call with it returns the first result and changes nothing more."),
    ("job", "The job, by the id in the answer of the call that started it."),
    ("limit", "How many items to show on a page, from 1 to 100; the default is 25."),
    ("member", "The person, by e-mail address, name or id."),
    ("model", "The model that the limits are for, by its name or id."),
    ("name", "Its name, or its new name."),
    ("of", "The kind of thing the logo belongs to: organization, team or project."),
    ("on_failure", "After a failure, `stop` makes no further change and `continue` makes the remaining ones."),
    ("order", "The order of the list: ascending or descending."),
    ("organization", "The organization, by name, slug or id; you may leave it out if there is only one."),
    ("permissions", "The permissions of the role, by their codes; list_permissions shows them."),
    ("project", "The project, by name, slug or id."),
    ("projects", "The projects that the person also joins, by name, slug or id."),
    ("query", "Shows only items whose name or e-mail address contains this text."),
    ("renewal", "Whether the limit renews with each period or applies once."),
    ("residency", "The region in which the data is kept, such as `eu`."),
    ("resource_id", "The resource, by its id at its service."),
    ("resource_type", "The kind of resource, in its service's words."),
    ("role", "The role, by name or id; list_roles shows the roles."),
    ("role_types", "Shows only roles of these kinds."),
    ("roles", "The roles, by name or id; list_roles shows the roles."),
    ("scopes", "The permissions of the key, by their codes."),
    ("service_account", "The service account, by name or id."),
    ("since", "Shows only changes since this time, such as 2026-01-31 or 2026-01-31T00:00:00Z."),
    ("slug", "A short name for addresses: lower-case letters, digits and hyphens."),
    ("soft_limit", "The amount at which the service warns."),
    ("status", "The state to show, or the new state."),
    ("subscription_type", "The period that the limit is for."),
    ("target", "What the logo belongs to, by name, slug or id."),
    ("team", "The team, by name, slug or id."),
    ("usage_limit", "The usage limit, by its id; list_usage_limits shows the ids."),
    ("usage_unit", "The unit that is counted: requests or cost."),
    ("website", "The address of its website, starting with https://."),
];

/// What an argument of one tool is, where that is more than its name says elsewhere.
const OF_TOOLS: &[(&str, &str, &str)] = &[
    ("add_project_members", "csv", "A table with the columns project, member and roles; several roles in a cell are separated by `;`."),
    ("add_project_members", "people", "The people, each with a project, an e-mail address and roles; or use `csv` instead."),
    ("apply_changes", "common", "Arguments that are the same for all rows of `csv`, as an object."),
    ("apply_changes", "csv", "A CSV table: its first line names arguments of `tool`, and each further line is one call."),
    ("apply_changes", "on_failure", "After a failure, `stop` or `continue`; the default is `stop` for steps and `continue` for rows."),
    ("apply_changes", "steps", "The calls, in order: each has a tool, its arguments and, if later steps use its result, an id."),
    ("apply_changes", "tool", "The tool to call once for each row of `csv`."),
    ("cancel_invitation", "invitation", "The invitation, by the invited e-mail address or by its id."),
    ("copy_access", "from", "The person whose access is copied, by e-mail address."),
    ("copy_access", "only", "Copies only these kinds of access; the default is all."),
    ("copy_access", "to", "The person who gets the same access, by e-mail address."),
    ("copy_project", "from", "The project to copy, by name, slug or id."),
    ("copy_project", "owner", "The e-mail address of the new project's owner; the default is the owner of the copied project."),
    ("copy_project", "people", "Whether the copied project's people join the new project."),
    ("create_api_key", "description", "What the key is for, in a sentence."),
    ("create_api_key", "scopes", "The permissions of the key, by their codes; without them, the key may do whatever its owner may."),
    ("create_project", "usage_limit", "The project's usage limit, with the fields of set_usage_limit."),
    ("create_service_account", "without_key", "Creates the account without a key; create_api_key can add one later."),
    ("get_job", "outcome", "Shows only rows with this outcome."),
    ("explain_access", "action", "An action, such as delete, invite or make keys, or a permission code."),
    ("explain_access", "member", "One person or team to ask about, by name, e-mail address or id."),
    ("list_activity", "agreed_by", "Shows only calls that this person approved."),
    ("list_activity", "outcome", "Shows only calls with this outcome."),
    ("list_activity", "tool", "Shows only calls of this tool."),
    ("list_activity", "until", "Shows only changes up to this time; a day, such as `yesterday`, is included whole."),
    ("invite_people", "people", "The people's e-mail addresses, in any common notation; or use `csv` instead."),
    ("list_api_keys", "any", "Shows keys that match at least one filter, instead of all filters."),
    ("list_api_keys", "created_before", "Shows only keys created before: a date, or an age such as `60 days`."),
    ("list_api_keys", "expired", "Shows only expired keys, or only keys that are not expired."),
    ("list_api_keys", "owner", "Shows only keys whose owner has left, has lost access, is present, or does not exist."),
    ("list_api_keys", "unused_since", "Shows only keys not used since: a date, an age such as `90 days`, or `ever`."),
    ("list_ending_access", "all", "Whether to include access that has ended."),
    ("list_invitations", "status", "Shows only invitations in this state."),
    ("list_jobs", "status", "Shows only jobs in this state."),
    ("list_memberships", "email", "The e-mail address of the person; the default is the person the connection acts as."),
    ("list_projects", "detail", "Whether to show the projects briefly or in full."),
    ("list_projects", "owner", "Shows only projects that this person owns, by e-mail address, name or id."),
    ("list_projects", "owners", "Shows only projects with this many owners, such as 0 or 1."),
    ("list_projects", "include_archived", "Whether to include archived projects."),
    ("list_usage_limits", "active", "Shows only active limits, or only inactive ones."),
    ("offboard_person", "connections", "The accounts from which to remove the person; the default is all."),
    (
        "offboard_person",
        "keys",
        "What happens to the person's keys: `stop` ends them, `hand_over` makes new ones for the successor and lets the old ones end; by default they stay.",
    ),
    ("offboard_person", "successor", "The person who takes over what this person alone owns, by e-mail address, name or id."),
    ("review_access", "format", "Writes all findings as a report for an auditor: `csv` or `markdown`."),
    ("review_access", "keep", "Saves this review, so that the next one can say what is new and what was fixed."),
    ("review_access", "rule", "Shows only findings of one rule, such as `one_owner` or `key_never_used`."),
    ("set_logo", "image", "The picture in base64 or as a `data:` address; or use `path` instead."),
    ("set_logo", "path", "A file on the server's machine, in a folder that `files.allow` names; or use `image` instead."),
    ("undo", "last", "Undoes your last change that can be undone."),
    ("undo", "job", "The job to undo, by the id in the answer of the call that started it."),
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
