//! Where secrets come from: the environment, a file, or a command. Never the configuration file itself.

use std::path::{Path, PathBuf};

use secrecy::{SecretString, zeroize::Zeroizing};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{ConfigError, Places, path_from};
use crate::secrets::Credential;

/// Where a secret is read from, when it is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SecretSource {
    Env(String),
    File(PathBuf),
    Command(Vec<String>),
    /// A text in a JSON file that belongs to a vendor's own package.
    Within {
        file: PathBuf,
        pointer: &'static str,
    },
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        const WANTED: &str =
            "write { env = \"NAME\" }, { file = \"PATH\" } or { command = [\"pass\", \"show\", \"NAME\"] }; a secret is never in this file";
        // What was written is not repeated: it may be the secret.
        let value = toml::Value::deserialize(from).map_err(|_| D::Error::custom(WANTED))?;
        let table = value.as_table().filter(|it| it.len() == 1).ok_or_else(|| D::Error::custom(WANTED))?;
        let text = |name: &str| table.get(name).and_then(toml::Value::as_str).filter(|it| !it.is_empty()).map(str::to_owned);
        let words = |name: &str| {
            let words = table.get(name)?.as_array()?.iter().map(|it| it.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()?;
            Some(words).filter(|it| !it.is_empty())
        };
        let env = text("env").map(Self::Env);
        env.or_else(|| text("file").map(|it| Self::File(it.into())))
            .or_else(|| words("command").map(Self::Command))
            .ok_or_else(|| D::Error::custom(WANTED))
    }
}

impl SecretSource {
    /// Reads it; `key` is what it is for, and `base` where paths are seen from. A command runs when its secret is first used: many
    /// commands of ours use none, and it may ask a person.
    pub(super) fn read(&self, key: &str, places: &Places, base: &Path) -> Result<Credential, ConfigError> {
        let text =
            match self {
                Self::Env(name) => Zeroizing::new(places.variable(name).ok_or_else(|| {
                    ConfigError::new(format!("`{key}`: the variable {name} is not set"), format!("set {name}, or name another source"))
                })?),
                Self::File(path) => {
                    let path = path_from(&places.home, base, path);
                    let read = std::fs::read_to_string(&path).map(Zeroizing::new);
                    read.map_err(|error| {
                        ConfigError::new(format!("`{key}`: file {}: {error}", path.display()), "name a file that can be read")
                    })?
                }
                Self::Within { file, pointer } => Zeroizing::new(within(file, pointer).map_err(|error| {
                    ConfigError::new(format!("`{key}`: file {}: {error}", file.display()), "name a file that can be read")
                })?),
                Self::Command(words) => return Ok(Credential::of_command(key, words.clone())),
            };
        let text = text.trim();
        if text.is_empty() {
            return Err(ConfigError::new(format!("`{key}` is empty"), "see where it comes from"));
        }
        Ok(SecretString::from(text).into())
    }
}

fn within(file: &Path, pointer: &str) -> std::io::Result<String> {
    let json: serde_json::Value = serde_json::from_str(&Zeroizing::new(std::fs::read_to_string(file)?))?;
    Ok(json.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned())
}
