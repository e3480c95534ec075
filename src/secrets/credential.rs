//! A secret that a connection shows who it is with: known, or to be asked for when it is first used.

use std::{process::Stdio, sync::Arc};

use secrecy::{SecretString, zeroize::Zeroizing};
use tokio::{process::Command, sync::OnceCell};

use crate::error::ProviderError;

/// A secret, known or to be had from a command. Clones share it: the command runs once, for whoever needs it first.
#[derive(Clone)]
pub struct Credential(Arc<Inner>);

struct Inner {
    value: OnceCell<SecretString>,
    /// What it is for, and the command that says it.
    source: Option<(String, Vec<String>)>,
}

impl Credential {
    /// What `command` says in the first line of its standard output; `key` is what it is for, for messages.
    pub fn of_command(key: &str, command: Vec<String>) -> Self {
        Self(Arc::new(Inner { value: OnceCell::new(), source: Some((key.to_owned(), command)) }))
    }

    /// The secret, if it is known by now.
    pub fn known(&self) -> Option<&SecretString> {
        self.0.value.get()
    }

    /// The secret. A command that fails is run again by the next who needs it.
    ///
    /// # Errors
    ///
    /// Where the command fails or says nothing.
    pub async fn get(&self) -> Result<&SecretString, ProviderError> {
        self.0.value.get_or_try_init(|| self.0.ask()).await
    }
}

impl Inner {
    async fn ask(&self) -> Result<SecretString, ProviderError> {
        let Some((key, command)) = &self.source else { return Ok(SecretString::default()) };
        let name = command.first().map(String::as_str).unwrap_or_default();
        run(command).await.map_err(|error| {
            let message = format!("`{key}`: command {name}: {error}; nothing was sent");
            ProviderError::conflict("secret_unavailable", message, "run it by hand to see what is wrong")
        })
    }
}

/// What a command says on its standard output. It may ask somebody on the terminal.
async fn run(words: &[String]) -> std::io::Result<SecretString> {
    let (program, arguments) = words.split_first().ok_or(std::io::ErrorKind::NotFound)?;
    let mut command = Command::new(program);
    let output = command.args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true).output().await?;
    let said = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(std::io::Error::other(output.status.to_string()));
    }
    let text = std::str::from_utf8(&said).map_err(|_| std::io::Error::other("what it says is not text"))?;
    // Only the first line: password managers put notes below.
    let line = text.lines().next().unwrap_or_default().trim();
    if line.is_empty() { Err(std::io::Error::other("it says nothing")) } else { Ok(line.to_owned().into()) }
}

impl From<SecretString> for Credential {
    fn from(value: SecretString) -> Self {
        Self(Arc::new(Inner { value: OnceCell::new_with(Some(value)), source: None }))
    }
}
impl From<&str> for Credential {
    fn from(value: &str) -> Self {
        SecretString::from(value).into()
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(…)")
    }
}
