//! What somebody asks to be able to do, in the words that people use for it.

use crate::{
    access::allowed,
    domain::{
        access::{Action, Allows, Grant, Place},
        fold,
    },
    error::CallError,
};

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Everything.
    Any,
    Action(Action),
    /// A permission code of the provider's own.
    Code(String),
}

/// How sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sure {
    No,
    /// The service does not tell what the role allows.
    Perhaps,
    Yes,
}

/// What the words of a call may name beside the action: they say nothing of it.
const IDLE: [&str; 31] = [
    "a",
    "an",
    "the",
    "this",
    "that",
    "its",
    "it",
    "their",
    "of",
    "in",
    "into",
    "to",
    "from",
    "on",
    "for",
    "who",
    "can",
    "may",
    "do",
    "all",
    "new",
    "any",
    "some",
    "project",
    "projects",
    "organization",
    "organizations",
    "team",
    "teams",
    "be",
    "able",
];

/// What an action is about decides, where that is said: to change keys is not to change what they are in.
const ABOUT: [(Action, &[&str]); 3] = [
    (
        Action::Keys,
        &[
            "key",
            "keys",
            "token",
            "tokens",
            "secret",
            "secrets",
            "credential",
            "credentials",
            "service",
            "account",
            "accounts",
            "apikey",
            "apikeys",
        ],
    ),
    (Action::Limits, &["limit", "limits", "budget", "budgets", "quota", "quotas", "spend", "spending", "cost", "costs", "rate", "usage"]),
    (
        Action::Manage,
        &[
            "member",
            "members",
            "people",
            "person",
            "user",
            "users",
            "somebody",
            "someone",
            "anybody",
            "anyone",
            "others",
            "role",
            "roles",
            "access",
            "colleague",
            "colleagues",
            "permission",
            "permissions",
        ],
    ),
];

const VERBS: [(Action, &[&str]); 5] = [
    (
        Action::Read,
        &[
            "read", "see", "view", "look", "open", "reach", "enter", "show", "list", "use", "access", "know", "watch", "browse", "visit",
            "get",
        ],
    ),
    (Action::Invite, &["invite", "add", "bring", "let", "onboard", "invites", "inviting", "adding", "include"]),
    (
        Action::Manage,
        &[
            "manage",
            "administer",
            "admin",
            "administrate",
            "promote",
            "assign",
            "grant",
            "kick",
            "expel",
            "offboard",
            "demote",
            "rule",
            "control",
            "govern",
        ],
    ),
    (
        Action::Delete,
        &["delete", "archive", "destroy", "erase", "drop", "end", "deleting", "archiving", "wipe", "close", "kill", "remove", "deletion"],
    ),
    (
        Action::Write,
        &[
            "write",
            "edit",
            "change",
            "update",
            "modify",
            "rename",
            "work",
            "contribute",
            "configure",
            "set",
            "make",
            "create",
            "manipulate",
            "writing",
            "editing",
            "settings",
            "move",
            "build",
            "push",
            "deploy",
        ],
    ),
];

impl Wanted {
    /// What a text asks about: an action in plain words, or a permission code.
    ///
    /// # Errors
    ///
    /// Where the text says neither.
    pub(super) fn of(text: Option<&str>) -> Result<Self, CallError> {
        let Some(text) = text else { return Ok(Self::Any) };
        let folded = fold(text);
        if let Some(action) = Action::ALL.into_iter().find(|it| it.name() == folded) {
            return Ok(Self::Action(action));
        }
        if !folded.contains(' ') && folded.contains(['.', ':', '*']) {
            return Ok(Self::Code(text.trim().to_owned()));
        }
        let words: Vec<&str> = folded.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty() && !IDLE.contains(it)).collect();
        let one = |words: &[&str], tables: &[(Action, &[&str])]| {
            words.iter().find_map(|word| tables.iter().find(|it| it.1.contains(word)).map(|it| it.0))
        };
        // With other words, access is a thing: to give it is not to have it.
        let verbs: Vec<&str> = words.iter().copied().filter(|it| words.len() == 1 || *it != "access").collect();
        let verb = one(&verbs, &VERBS);
        match (one(&words, &ABOUT), verb) {
            // To see who is in a place, or its keys, is to see the place.
            (Some(_), Some(Action::Read)) if words.len() > 1 => Ok(Self::Action(Action::Read)),
            (Some(Action::Manage), Some(Action::Invite)) => Ok(Self::Action(Action::Invite)),
            (Some(Action::Manage), _) if folded.trim() == "access" => Ok(Self::Action(Action::Read)),
            (Some(about), _) => Ok(Self::Action(about)),
            (None, Some(verb)) => Ok(Self::Action(verb)),
            (None, None) => Err(CallError::InvalidArguments {
                message: format!("`{}` is not understood as something that a role allows", crate::shape::cut(text, 80)),
                fix: "give `action` as one of: read, write, invite, manage, keys, limits, delete; or as a permission code of list_permissions, such as project.delete".into(),
            }),
        }
    }

    /// Whether a grant lets its holder do it in a place.
    pub(super) fn by(&self, grant: &Grant, place: &Place) -> Sure {
        let Some(allows) = allowed(grant, place) else { return Sure::No };
        let is = |sure: bool| if sure { Sure::Yes } else { Sure::No };
        match self {
            Self::Any => is(*allows != Allows::nothing()),
            Self::Action(action) if allows.has(*action) => Sure::Yes,
            Self::Action(action) => {
                if allows.may(*action) {
                    Sure::Perhaps
                } else {
                    Sure::No
                }
            }
            Self::Code(code) if holds(&grant.role.permissions, code) => Sure::Yes,
            // Of a role whose codes are not told nobody knows.
            Self::Code(_) => {
                if grant.role.permissions.is_empty() && *allows != Allows::nothing() {
                    Sure::Perhaps
                } else {
                    Sure::No
                }
            }
        }
    }

    /// Whether a grant lets its holder do it where it is held, or in the projects below.
    pub(super) fn somewhere(&self, grant: &Grant) -> bool {
        let inside = match self {
            Self::Action(action) => grant.role.inside.may(*action),
            Self::Any | Self::Code(_) => false,
        };
        inside || *self == Self::Any || self.by(grant, &grant.place) > Sure::No
    }

    /// As it stands behind `can`, before a place.
    pub(super) fn phrase(&self) -> String {
        match self {
            Self::Any => "reach".to_owned(),
            Self::Code(code) => format!("use permission {code} in"),
            Self::Action(action) => match action {
                Action::Read => "see",
                Action::Write => "work in and change",
                Action::Invite => "bring people into",
                Action::Manage => "manage the people of",
                Action::Keys => "make and change keys in",
                Action::Limits => "change limits of",
                Action::Delete => "delete",
            }
            .to_owned(),
        }
    }
}

/// Whether a code is among those that are held, a wildcard standing for all that begin like it.
fn holds(held: &[String], code: &str) -> bool {
    held.iter().any(|it| {
        it == "*"
            || it.eq_ignore_ascii_case(code)
            || it
                .strip_suffix('*')
                .is_some_and(|prefix| prefix.ends_with(['.', ':']) && code.to_lowercase().starts_with(&prefix.to_lowercase()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_understood() {
        for (action, texts) in [
            (Action::Read, &["read", "see", "view it", "access", "look at its keys", "see members", "list members", "READ", "use"] as &[_]),
            (Action::Write, &["write", "edit", "change the project", "rename", "work in it", "update settings"]),
            (
                Action::Invite,
                &["invite", "invite people", "add members", "add people to the project", "bring somebody in", "let people in"],
            ),
            (
                Action::Manage,
                &[
                    "manage",
                    "manage members",
                    "remove people",
                    "change roles",
                    "assign roles",
                    "administer",
                    "remove members",
                    "give access",
                    "manage access",
                ],
            ),
            (Action::Keys, &["keys", "make keys", "create an API key", "rotate tokens", "delete keys", "manage service accounts"]),
            (Action::Limits, &["limits", "set budgets", "raise the limit", "spending"]),
            (Action::Delete, &["delete", "delete the project", "archive", "destroy it", "remove the project", "Delete!"]),
        ] {
            for text in texts {
                assert_eq!(Wanted::of(Some(text)).ok(), Some(Wanted::Action(action)), "{text}");
            }
        }
        for code in ["project.delete", "projects:update", "api.groups.*"] {
            assert_eq!(Wanted::of(Some(code)).ok(), Some(Wanted::Code(code.to_owned())), "{code}");
        }
        for text in ["frobnicate", "", "the project"] {
            assert!(Wanted::of(Some(text)).is_err(), "{text}");
        }
    }
}
