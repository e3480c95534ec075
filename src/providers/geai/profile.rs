//! Profiles of the vendor's own tools: sections of `~/.geai/credentials`, read as Python's configparser reads them and never
//! written.

use std::collections::BTreeMap;

use secrecy::SecretString;

/// The profile that is meant where none is named, and the only one that the environment goes over.
pub(crate) const DEFAULT: &str = "default";

/// Where the file is, seen from the home folder.
pub(crate) const FILE: &str = ".geai/credentials";

/// What a profile says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Profile {
    pub(crate) api_key: Option<SecretString>,
    pub(crate) oauth_access_token: Option<SecretString>,
    pub(crate) base_url: Option<String>,
    pub(crate) project_id: Option<String>,
    pub(crate) organization_id: Option<String>,
    pub(crate) ca_file: Option<String>,
}

/// What is wrong with a file, without anything of what it holds but names of sections and keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidProfile {
    #[error("there is no profile `{name}`")]
    Unknown { name: String, known: Vec<String> },
    #[error("line {0} is no section, key or comment")]
    Line(usize),
    #[error("line {line} names {what} a second time")]
    Twice { line: usize, what: String },
    #[error("`{key}` of profile `{profile}` has a comment behind its value, which would be part of the value; put it on a line of its own")]
    Comment { profile: String, key: String },
}

impl Profile {
    /// The profile of this name. That there is no default one is no error.
    pub(crate) fn read(text: &str, name: &str) -> Result<Self, InvalidProfile> {
        let file = Ini::read(text)?;
        let known: Vec<String> = file.sections.keys().cloned().collect();
        if name != DEFAULT && !file.sections.contains_key(name) {
            return Err(InvalidProfile::Unknown { name: name.to_owned(), known });
        }
        Self::of(name, |key| file.value(name, key))
    }

    /// From the environment's variables, where an empty one counts as not set.
    pub(crate) fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| variable(name).map(|it| it.trim().to_owned());
        Self {
            api_key: value("GEAI_API_KEY").map(SecretString::from),
            oauth_access_token: value("GEAI_OAUTH_ACCESS_TOKEN").map(SecretString::from),
            base_url: value("GEAI_API_BASE_URL"),
            project_id: value("GEAI_PROJECT_ID"),
            organization_id: value("GEAI_ORGANIZATION_ID"),
            ca_file: value("GEAI_SSL_CERT_PATH"),
        }
    }

    fn of(name: &str, value: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidProfile> {
        let value = |key: &str| match value(key) {
            // The vendor's own example has one; sent as it is, no id would be found.
            Some(it) if it.contains(" #") || it.contains(" ;") || it.contains("\t#") => {
                Err(InvalidProfile::Comment { profile: name.to_owned(), key: key.to_owned() })
            }
            it => Ok(it.filter(|it| !it.is_empty())),
        };
        Ok(Self {
            api_key: value("geai_api_key")?.map(SecretString::from),
            oauth_access_token: value("geai_oauth_access_token")?.map(SecretString::from),
            base_url: value("geai_api_base_url")?,
            project_id: value("geai_project_id")?,
            organization_id: value("geai_organization_id")?,
            ca_file: value("geai_ssl_cert_path")?,
        })
    }

    /// Key by key, what this one lacks the other gives.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            api_key: self.api_key.or(other.api_key),
            oauth_access_token: self.oauth_access_token.or(other.oauth_access_token),
            base_url: self.base_url.or(other.base_url),
            project_id: self.project_id.or(other.project_id),
            organization_id: self.organization_id.or(other.organization_id),
            ca_file: self.ca_file.or(other.ca_file),
        }
    }
}

/// A file of sections.
#[derive(Debug, Default)]
struct Ini {
    sections: BTreeMap<String, BTreeMap<String, String>>,
    /// `[DEFAULT]`, which all sections inherit.
    inherited: BTreeMap<String, String>,
}

/// The section that all others inherit; other than a profile called `default`.
const INHERITED: &str = "DEFAULT";

impl Ini {
    fn read(text: &str) -> Result<Self, InvalidProfile> {
        let mut file = Self::default();
        let mut section: Option<String> = None;
        // The key that an indented line goes on with.
        let mut open: Option<(String, usize)> = None;
        for (line, number) in text.trim_start_matches('\u{feff}').lines().zip(1..) {
            let trimmed = line.trim();
            let indent = line.len() - line.trim_start().len();
            if trimmed.starts_with(['#', ';']) {
                continue;
            }
            if trimmed.is_empty() {
                continue;
            }
            if let (Some((key, at)), Some(name)) = (&open, &section)
                && indent > *at
            {
                let value = file.section(name).entry(key.clone()).or_default();
                value.push('\n');
                value.push_str(trimmed);
                continue;
            }
            if let Some(name) = trimmed.strip_prefix('[').and_then(|it| it.split_once(']')).map(|it| it.0) {
                if file.sections.contains_key(name) {
                    return Err(InvalidProfile::Twice { line: number, what: format!("section `{name}`") });
                }
                file.section(name);
                (section, open) = (Some(name.to_owned()), None);
                continue;
            }
            let (Some(name), Some((key, value))) = (&section, trimmed.split_once(['=', ':'])) else {
                return Err(InvalidProfile::Line(number));
            };
            let key = key.trim().to_lowercase();
            if file.section(name).insert(key.clone(), value.trim().to_owned()).is_some() {
                return Err(InvalidProfile::Twice { line: number, what: format!("key `{key}`") });
            }
            open = Some((key, indent));
        }
        Ok(file)
    }

    fn section(&mut self, name: &str) -> &mut BTreeMap<String, String> {
        if name == INHERITED { &mut self.inherited } else { self.sections.entry(name.to_owned()).or_default() }
    }

    /// A value of a section. `%%` stands for `%`; a lone one for itself.
    fn value(&self, section: &str, key: &str) -> Option<String> {
        let value = self.sections.get(section).and_then(|it| it.get(key)).or_else(|| self.inherited.get(key))?;
        Some(value.replace("%%", "%"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn told(text: &str, name: &str) -> Result<[Option<String>; 5], InvalidProfile> {
        let it = Profile::read(text, name)?;
        let shown = |it: Option<SecretString>| it.map(|it| it.expose_secret().to_owned());
        Ok([shown(it.api_key), shown(it.oauth_access_token), it.base_url, it.project_id, it.ca_file])
    }

    #[test]
    fn sections_are_read_as_the_vendors_tools_read_them() {
        let text = "\u{feff}# mine\n[DEFAULT]\ngeai_ssl_cert_path = /ca.pem\n\n[default]\nGEAI_API_KEY = geai-test-%%a%b\n  ; not a value\n\
                    geai_api_base_url: https://api.acme.example/path=1\n[Default]\ngeai_api_key=other\n[sso]\ngeai_oauth_access_token = geai-test-oauth\n\
                    geai_project_id = 0001\ngeai_api_base_url =\n";
        assert_eq!(
            told(text, "default"),
            Ok([Some("geai-test-%a%b".into()), None, Some("https://api.acme.example/path=1".into()), None, Some("/ca.pem".into())])
        );
        assert_eq!(told(text, "Default"), Ok([Some("other".into()), None, None, None, Some("/ca.pem".into())]));
        assert_eq!(told(text, "sso"), Ok([None, Some("geai-test-oauth".into()), None, Some("0001".into()), Some("/ca.pem".into())]));
    }

    #[test]
    fn an_indented_line_goes_on_with_the_value() {
        assert_eq!(told("[a]\ngeai_api_key = one\n   two\n", "a"), Ok([Some("one\ntwo".into()), None, None, None, None]));
    }

    #[test]
    fn what_would_be_misread_is_refused_without_being_repeated() {
        let comment = told("[a]\ngeai_api_key = geai-test-secret  # mine\n", "a").unwrap_err();
        assert_eq!(comment, InvalidProfile::Comment { profile: "a".into(), key: "geai_api_key".into() });
        assert!(!comment.to_string().contains("secret"), "{comment}");
        assert_eq!(told("geai_api_key = x\n", "default").unwrap_err(), InvalidProfile::Line(1));
        assert_eq!(told("[a]\nnonsense\n", "a").unwrap_err(), InvalidProfile::Line(2));
        let twice = InvalidProfile::Twice { line: 3, what: "key `geai_api_key`".into() };
        assert_eq!(told("[a]\ngeai_api_key = x\nGEAI_API_KEY = y\n", "a").unwrap_err(), twice);
        let unknown = InvalidProfile::Unknown { name: "b".into(), known: vec!["a".into()] };
        assert_eq!(told("[a]\n", "b").unwrap_err(), unknown);
        assert_eq!(told("[a]\n", "default"), Ok([None, None, None, None, None]));
    }

    #[test]
    fn the_environment_goes_over_the_file_key_by_key() {
        let file = Profile::read("[default]\ngeai_oauth_access_token = geai-test-oauth\ngeai_project_id = p\n", DEFAULT).unwrap();
        let environment = Profile::of_environment(|name| match name {
            "GEAI_API_KEY" => Some("geai-test-key".into()),
            "GEAI_PROJECT_ID" => Some("q".into()),
            _ => None,
        });
        let both = environment.or(file);
        assert_eq!(both.project_id, Some("q".into()));
        assert!(both.api_key.is_some() && both.oauth_access_token.is_some());
    }
}
