//! Secrets: where newly made ones go, past the model, and where those of connections come from.

mod credential;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use secrecy::ExposeSecret as _;
use tokio::io::AsyncWriteExt as _;

pub use credential::Credential;

use crate::{domain::Secret, store::private_folder, tools::SecretPlace};

/// Where new secrets are handed to.
#[derive(Debug, Clone)]
pub enum SecretSink {
    /// A file each in this folder, readable by its owner only.
    Folder(PathBuf),
    /// A command that reads the secret from its standard input.
    Command(Vec<String>),
}

/// A sink that was found usable, before the secret exists.
#[derive(Debug)]
pub(crate) enum OpenSink {
    File { file: std::fs::File, path: PathBuf },
    Command(Vec<String>),
}

impl SecretSink {
    /// Makes sure that a secret can be handed over, before anything makes one.
    pub(crate) fn open(&self, name: &str) -> Result<OpenSink, String> {
        match self {
            Self::Command(command) => match command.first() {
                Some(program) if can_start(program) => Ok(OpenSink::Command(command.clone())),
                program => Err(format!("command {}: not found", program.map_or("", String::as_str))),
            },
            Self::Folder(folder) => {
                private_folder(folder).map_err(|error| format!("folder {}: {error}", folder.display()))?;
                let path = folder.join(format!("{name}.secret"));
                let mut options = std::fs::OpenOptions::new();
                options.write(true).create_new(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let file = options.open(&path).map_err(|error| format!("file {}: {error}", path.display()))?;
                Ok(OpenSink::File { file, path })
            }
        }
    }
}

impl OpenSink {
    /// Hands the secret over; answers where it went.
    pub(crate) async fn hand_over(self, secret: Secret) -> Result<SecretPlace, String> {
        let Secret { what, value } = secret;
        match self {
            Self::File { mut file, path } => {
                let written =
                    file.write_all(value.expose_secret().as_bytes()).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all());
                written.map_err(|error| format!("file {}: {error}", path.display()))?;
                Ok(SecretPlace { what, handed_to: path.display().to_string() })
            }
            Self::Command(command) => {
                let name = command.first().cloned().unwrap_or_default();
                run(&command, value.expose_secret()).await.map_err(|error| format!("command {name}: {error}"))?;
                Ok(SecretPlace { what, handed_to: format!("command {name}") })
            }
        }
    }

    /// Takes the empty file away again: no secret was made.
    pub(crate) fn discard(self) {
        if let Self::File { path, .. } = self {
            remove(&path);
        }
    }
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::warn!(%error, path = %path.display(), "an empty secret file stayed behind");
    }
}

/// How long the command may take: one that asks somebody would hold up a change that is already made.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

async fn run(command: &[String], secret: &str) -> std::io::Result<()> {
    let (program, arguments) = command.split_first().ok_or(std::io::ErrorKind::NotFound)?;
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let fed = async {
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(secret.as_bytes()).await?;
        }
        child.wait().await
    };
    let status = tokio::time::timeout(COMMAND_TIMEOUT, fed).await.map_err(|_| std::io::ErrorKind::TimedOut)??;
    if status.success() { Ok(()) } else { Err(std::io::Error::other(status.to_string())) }
}

/// Whether a command can be started: a path to a file, or a name on `PATH`.
fn can_start(program: &str) -> bool {
    if program.contains('/') {
        return Path::new(program).is_file();
    }
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|it| it.join(program).is_file()))
}
