//! The account at the Engine as the vendor's own packages find it: in variables, and in the JSON file that one of them names.

use std::path::PathBuf;

use serde_json::Value;

use super::{Places, RawConnection};
use crate::config::{ConfigError, secret::SecretSource};

/// The variable that names the file: `target`, `auth.provider`, `auth.data`.
const FILE: &str = "AIA_ENGINE_CONFIG_FILE";

/// What there is of an account, variables before the file.
pub(super) fn find(places: &Places) -> Result<Option<RawConnection>, ConfigError> {
    let file = places.variable(FILE).map(|path| File::read(places.here.join(path))).transpose()?;
    let target = places.variable("AIA_ENGINE_API_TARGET").or_else(|| file.as_ref()?.text("/target"));
    if target.is_none() && file.is_none() {
        return Ok(None);
    }
    let variable = |name: &str| places.variable(name).map(|_| SecretSource::Env(name.to_owned()));
    let held = |pointer: &'static str| file.as_ref().and_then(|it| it.secret(pointer));
    let secure = places.variable("AIA_ENGINE_API_SECURE");
    let secure = secure.is_none_or(|it| !matches!(it.trim().to_lowercase().as_str(), "false" | "0" | "no"));
    let with_scheme = |it: String| if secure || it.contains("://") { it } else { format!("http://{it}") };
    Ok(Some(RawConnection {
        provider: "engine".into(),
        base_url: target.map(with_scheme),
        custom_token: variable("AIA_ENGINE_API_CUSTOM_TOKEN").or_else(|| held("/auth/data/token")),
        email: places.variable("AIA_ENGINE_API_EMAIL").or_else(|| file.as_ref()?.text("/auth/data/email")),
        password: variable("AIA_ENGINE_API_PASSWORD").or_else(|| held("/auth/data/password")),
        ..RawConnection::default()
    }))
}

/// The JSON file; its secrets are read from it again when they are needed.
struct File {
    path: PathBuf,
    json: Value,
}

impl File {
    fn read(path: PathBuf) -> Result<Self, ConfigError> {
        let unusable = |error: &dyn std::fmt::Display| {
            ConfigError::new(format!("{FILE}: file {}: {error}", path.display()), "name a JSON file with `target` and `auth`")
        };
        let text = std::fs::read_to_string(&path).map_err(|error| unusable(&error))?;
        // The parser's message has a place in it, and nothing of the text.
        let json = serde_json::from_str(&text).map_err(|error| unusable(&error))?;
        Ok(Self { path, json })
    }

    fn text(&self, pointer: &str) -> Option<String> {
        self.json.pointer(pointer).and_then(Value::as_str).filter(|it| !it.trim().is_empty()).map(str::to_owned)
    }

    fn secret(&self, pointer: &'static str) -> Option<SecretSource> {
        self.text(pointer).map(|_| SecretSource::Within { file: self.path.clone(), pointer })
    }
}
