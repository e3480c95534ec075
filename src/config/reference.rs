//! What each key of `rolecall.toml` says: the tables of the documents are written from here.

use super::{
    connections::{self, PROVIDERS},
    file,
};

/// A key of the configuration, as it is described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// `guard.fallback`; a key of a connection by its name alone.
    pub key: &'static str,
    pub about: &'static str,
    /// What holds without the key; of a connection's key nothing.
    pub default: &'static str,
    /// The providers whose connections have the key; none for a key of another section.
    pub providers: Vec<&'static str>,
}

/// Every key with its description, in the order in which people read of them: first those of connections.
#[must_use]
pub fn reference() -> Vec<Described> {
    let takes = |provider: &&str, key: &str| connections::keys(provider).contains(&key);
    let of_connection = CONNECTIONS.iter().map(|(key, about)| {
        let providers = PROVIDERS.into_iter().filter(|it| takes(it, key)).collect();
        Described { key, about, default: "", providers }
    });
    let others = OTHERS.iter().map(|(key, about, default)| Described { key, about, default, providers: Vec::new() });
    of_connection.chain(others).collect()
}

/// The keys that a file may have and that nobody has described, and those that are described and may not be there.
#[must_use]
pub fn misdescribed() -> Vec<String> {
    let known = file::keys();
    let described = reference();
    let unknown = described.iter().map(|it| it.key.to_owned()).filter(|it| !known.contains(it));
    known.iter().filter(|it| !described.iter().any(|other| other.key == **it)).cloned().chain(unknown).collect()
}

const CONNECTIONS: [(&str, &str); 19] = [
    ("provider", "The platform: `local`, `geai`, `openai`, `seeme` or `engine`."),
    ("organization", "The organization to which the connection is kept."),
    ("base_url", "The address of the service."),
    ("ca_file", "A file with the certificates of authorities to trust besides the public ones."),
    ("timeout_seconds", "How many seconds a request may take: 1 to 600."),
    ("api_key", "Where the key is: `{ env = \"NAME\" }`, `{ file = \"PATH\" }` or `{ command = [\"pass\", \"show\", \"NAME\"] }`."),
    ("organization_id", "The organization, by the service's own id."),
    ("project_id", "The project, by the service's own id."),
    ("profile", "The section of `~/.geai/credentials` to read; Rolecall never writes that file."),
    ("credentials_file", "Another file of profiles."),
    ("oauth_access_token", "Where the OAuth token is, in the same three ways as `api_key`."),
    ("system", "Whether the token is a system administrator's."),
    ("unversioned_removal", "Whether the installation removes members at the address without a version."),
    ("username", "The name to sign in with, instead of a key."),
    ("password", "Where the password is, in the same three ways as `api_key`."),
    ("custom_token", "Where the token is, in the same three ways as `api_key`."),
    ("email", "The address to sign in with, instead of a token."),
    ("role_ids", "The ids of roles, if an installation has its own."),
    ("paths", "The addresses of calls, if they differ on an installation."),
];

const OTHERS: [(&str, &str, &str); 25] = [
    (
        "tools.allow",
        "The effects on offer: `read`, `write`, `access`, `destroy`. Without `access`, no argument gives power either.",
        "all four",
    ),
    ("tools.domains", "The nouns on offer, such as `projects`.", "all"),
    (
        "tools.list",
        "`full`, or `compact`: a dozen common tools, a search, and one caller for each effect that reaches all others.",
        "`full`",
    ),
    (
        "guard.ask",
        "Where a person answers: `client`, `console` or `terminal`; or by gravity, as in `ask.critical = \"console\"`. With `console`, a form in the client is no consent.",
        "`client`",
    ),
    ("guard.fallback", "What happens if a client cannot ask: `approve` (in the console or a terminal), `token`, or `refuse`.", "`approve`"),
    ("guard.second_person", "Whether the gravest changes need two people.", "`false`"),
    ("guard.shared_activity", "Whether callers over HTTP see in `list_activity` what other callers did.", "`false`"),
    (
        "guard.trusted_domains",
        "Mail domains whose people may get power after a plain yes; `[]` trusts nobody.",
        "those of the people who manage the organization now",
    ),
    ("guard.time_zone", "The zone of times written without one, such as `Friday 18:00`.", "the machine's"),
    ("guard.max_removals", "How many people and things one plan may remove.", "50 of a kind, or half of what there is"),
    ("files.allow", "Folders from which `path` arguments may read; over stdio only.", "none"),
    ("store.url", "Where the state is kept: `sqlite:PATH`, or `postgres://…` for several servers.", "a file in your data folder"),
    ("secrets.folder", "Where new keys and passwords are written, readable only by you.", "a folder in your data folder"),
    ("secrets.sink", "A command that receives new keys and passwords, instead of the folder.", "none"),
    ("retention.jobs_days", "How many days a job is kept after its end; 0 keeps it for ever.", "90"),
    ("retention.approvals_days", "How many days an approval is kept; 0 keeps it for ever.", "30"),
    ("retention.calls_days", "How many days the directory remembers which calls it made; 0 keeps them for ever.", "30"),
    ("retention.ledger_days", "How many days a row of the ledger is kept. Rows leave only after `rolecall ledger export`.", "for ever"),
    ("retention.ledger_rows", "How many rows of the ledger are kept. Rows leave only after `rolecall ledger export`.", "all"),
    ("review.unused_days", "After how many days without use `review_access` reports a key.", "90"),
    ("review.new_days", "How many days a new key may wait for its first use.", "30"),
    ("review.old_days", "After how many days a key should be replaced.", "365"),
    ("review.owned_projects", "How many projects one person may own before `review_access` reports it.", "3"),
    ("review.page", "How many findings one answer shows, up to 100.", "50"),
    (
        "traces.endpoint",
        "The address of a collector of OpenTelemetry traces, such as `http://127.0.0.1:4318`; `rolecall serve` sends it a span for each call.",
        "none",
    ),
];
