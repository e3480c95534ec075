//! `rolecall init`: writes `rolecall.toml`, account by account, each checked with one read.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use dialoguer::{Confirm, Input, MultiSelect, Password};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    Ended, Failure,
    ask::a_person_is_here,
    connect::{put, say},
};
use crate::{
    app::App,
    config::{Config, Overrides, Places, Reach},
    error::chain,
};

/// Ask for your accounts, check each with one read, and write rolecall.toml
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A key that you type is kept in a file beside rolecall.toml that only you can read. For a key in the environment, rolecall.toml names the
variable; with --keep-keys the key is copied into such a file.")]
pub struct Init {
    /// Take the accounts found in the environment, without questions
    #[arg(long, short)]
    yes: bool,
    /// Copy keys from the environment into files that only you can read
    #[arg(long)]
    keep_keys: bool,
    /// Add the embedded directory as a connection
    #[arg(long)]
    local: bool,
}

/// The user's own configuration file.
pub(super) fn file(places: &Places) -> PathBuf {
    places.config.join("rolecall").join("rolecall.toml")
}

/// An account as it will be written.
struct Account {
    name: String,
    provider: &'static str,
    keys: Vec<(&'static str, Said)>,
}

/// What a key of a connection says.
enum Said {
    Text(String),
    Variable(String),
    /// A secret that is kept in a file of its own.
    Kept(SecretString),
}

impl Init {
    /// Asks, checks, writes.
    pub async fn run(&self, overrides: &Overrides) -> Ended {
        let places = Places::find()?;
        let target = overrides.config.as_ref().map_or_else(|| file(&places), |it| places.here.join(it));
        if target.exists() {
            let message = format!("{} is there already", target.display());
            return Err(Failure::new(message, "`rolecall doctor` checks it; add sections to it by hand, or move it away first"));
        }
        // The file that is to be written cannot be read yet.
        let found = Config::load_at(&Overrides { config: None, ..overrides.clone() }, &places)?;
        let mut accounts = of_environment(&found, &places, self.keep_keys)?;
        if !self.yes {
            if !a_person_is_here() {
                return Err(Failure::usage(
                    "this is not a terminal, so nobody can be asked",
                    "add --yes to take the accounts of the environment",
                ));
            }
            ask(&mut accounts).map_err(asking)?;
        }
        if self.local || accounts.is_empty() {
            accounts.insert(0, Account { name: "local".into(), provider: "local", keys: Vec::new() });
        }
        let draft = Draft::write(&accounts, &target)?;
        let sound = check(&draft.file, overrides).await?;
        if !sound && !self.yes && !Confirm::new().with_prompt("Write it all the same?").default(false).interact().map_err(asking)? {
            return Err(Failure::new("nothing was written", ""));
        }
        draft.keep(&target)?;
        say(&format!("{} is written. Connect a client: rolecall connect CLIENT", target.display()))?;
        Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn asking(error: dialoguer::Error) -> Failure {
    let dialoguer::Error::IO(error) = error;
    error.into()
}

/// Keeps the environment's accounts in the user's own configuration, their keys in files beside it.
pub(super) fn keep(config: &Config, places: &Places) -> Result<(), Failure> {
    let (accounts, target) = (of_environment(config, places, true)?, file(places));
    Draft::write(&accounts, &target)?.keep(&target)?;
    say(&format!("{} is written.", target.display()))?;
    Ok(())
}

/// The accounts that the environment alone describes.
fn of_environment(config: &Config, places: &Places, keep_keys: bool) -> Result<Vec<Account>, Failure> {
    let mut accounts: Vec<Account> = Vec::new();
    for variable in &config.variables {
        let (Some((provider, key)), Some(value)) = (variable.key, places.variable(&variable.name)) else { continue };
        if variable.name == "AIA_ENGINE_CONFIG_FILE" {
            let message = "the Engine's account is in the file that AIA_ENGINE_CONFIG_FILE names, and rolecall.toml cannot name it";
            return Err(Failure::new(message, "set AIA_ENGINE_API_TARGET and AIA_ENGINE_API_CUSTOM_TOKEN instead"));
        }
        let said = match (variable.secret, keep_keys) {
            (false, _) => Said::Text(value),
            (true, false) => Said::Variable(variable.name.clone()),
            (true, true) => Said::Kept(value.into()),
        };
        if !accounts.iter().any(|it| it.provider == provider) {
            accounts.push(Account { name: provider.to_owned(), provider, keys: Vec::new() });
        }
        let account = accounts.iter_mut().find(|it| it.provider == provider).filter(|_| !key.is_empty());
        if let Some(account) = account {
            account.keys.push((key, said));
        }
    }
    let plain =
        places.variable("AIA_ENGINE_API_SECURE").is_some_and(|it| matches!(it.trim().to_lowercase().as_str(), "false" | "0" | "no"));
    for (key, said) in accounts.iter_mut().filter(|it| it.provider == "engine").flat_map(|it| &mut it.keys) {
        if let ("base_url", Said::Text(url), true) = (*key, said, plain)
            && !url.contains("://")
        {
            *url = format!("http://{url}");
        }
    }
    Ok(accounts)
}

/// What can be asked for: the provider, its platform's name, whether it has an address of its own, and its key.
const ASKED: [(&str, &str, bool, &str); 4] = [
    ("geai", "Globant Enterprise AI", true, "api_key"),
    ("openai", "OpenAI", false, "api_key"),
    ("seeme", "SeeMe.ai", false, "api_key"),
    ("engine", "PI.EXCHANGE Engine", true, "custom_token"),
];

fn ask(accounts: &mut Vec<Account>) -> dialoguer::Result<()> {
    let found = |provider: &str| accounts.iter().any(|it| it.provider == provider);
    let label = |it: &(&str, &str, bool, &str)| {
        if found(it.0) { format!("{} (found in the environment)", it.1) } else { it.1.to_owned() }
    };
    let labels: Vec<(String, bool)> = ASKED.iter().map(|it| (label(it), found(it.0))).collect();
    let chosen = MultiSelect::new()
        .with_prompt("Which accounts? Space chooses, Enter goes on; with none, Rolecall serves its embedded directory")
        .items_checked(labels)
        .interact()?;
    accounts.retain(|it| chosen.iter().any(|at| ASKED[*at].0 == it.provider));
    for (provider, platform, addressed, key) in chosen.into_iter().map(|at| ASKED[at]) {
        if accounts.iter().any(|it| it.provider == provider) {
            continue;
        }
        let mut keys = Vec::new();
        if addressed {
            let url: String =
                Input::new().with_prompt(format!("Address of {platform}, such as https://api.example.com")).interact_text()?;
            keys.push(("base_url", Said::Text(url)));
        }
        let secret = Password::new().with_prompt(format!("Key for {platform} (not shown)")).interact()?;
        keys.push((key, Said::Kept(secret.into())));
        accounts.push(Account { name: provider.to_owned(), provider, keys });
    }
    Ok(())
}

/// The file with its keys, written beside the place that it is for; gone with this value unless it is kept.
struct Draft {
    folder: tempfile::TempDir,
    file: PathBuf,
}

/// The folder of kept keys, beside the file.
const KEYS: &str = "keys";

impl Draft {
    fn write(accounts: &[Account], target: &Path) -> Result<Self, Failure> {
        let beside = target.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(beside)?;
        let folder = tempfile::Builder::new().prefix(".rolecall-init-").tempdir_in(beside)?; // only its owner can read it
        let mut text = "# Written by `rolecall init`. It never holds a secret: it says where the secret is.\n".to_owned();
        for account in accounts {
            // Writing into a text does not fail.
            let _ = writeln!(text, "\n[connections.{}]\nprovider = {}", account.name, quoted(account.provider));
            for (key, said) in &account.keys {
                let said = match said {
                    Said::Text(text) => quoted(text),
                    Said::Variable(name) => format!("{{ env = {} }}", quoted(name)),
                    Said::Kept(secret) => {
                        let path = format!("{KEYS}/{}-{key}", account.name);
                        keep_secret(&folder.path().join(&path), secret)?;
                        format!("{{ file = {} }}", quoted(&path))
                    }
                };
                let _ = writeln!(text, "{key} = {said}");
            }
        }
        let file = folder.path().join("rolecall.toml");
        fs::write(&file, text)?;
        Ok(Self { folder, file })
    }

    /// Puts it where it belongs. The keys go first: a file that names keys which are not there would stop every command.
    fn keep(self, target: &Path) -> Result<(), Failure> {
        let beside = target.parent().unwrap_or(Path::new("."));
        let (from, to) = (self.folder.path().join(KEYS), beside.join(KEYS));
        if from.is_dir() {
            private_folder(&to)?;
            for key in fs::read_dir(&from)? {
                let key = key?;
                fs::rename(key.path(), to.join(key.file_name()))?;
            }
        }
        put(target, &fs::read_to_string(&self.file)?)?;
        Ok(())
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn keep_secret(path: &Path, secret: &SecretString) -> io::Result<()> {
    private_folder(path.parent().unwrap_or(Path::new(".")))?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    io::Write::write_all(&mut options.open(path)?, secret.expose_secret().as_bytes())
}

fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// One read of each account; what is wrong is said beside its name.
async fn check(file: &Path, overrides: &Overrides) -> Result<bool, Failure> {
    let config = Config::load(&Overrides { config: Some(file.to_path_buf()), ..overrides.clone() })?;
    let app = App::new(config.setup(Reach::Local));
    let health = futures_util::future::join_all(app.connections.iter().map(|it| it.health())).await;
    let mut sound = true;
    for (it, health) in app.connections.iter().zip(health) {
        match health {
            Ok(()) => say(&format!("ok   {} ({}): {} tools", it.name, it.provider, it.tools().count()))?,
            Err(error) => {
                sound = false;
                say(&format!("fail {} ({}): {}\n     fix: {}", it.name, it.provider, chain(&error), error.fix()))?;
            }
        }
    }
    Ok(sound)
}
