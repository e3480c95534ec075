//! How a connection to Globant Enterprise AI is configured: the vendor's profiles, the environment, our own file.

use std::collections::BTreeMap;

use rolecall::{
    config::{Config, ConfigError, Overrides, Places, Provider},
    providers::geai::{Settings, TokenKind},
};
use secrecy::ExposeSecret as _;

const CREDENTIALS: &str = "\
[default]
geai_api_key = geai-test-file
geai_api_base_url = https://api.acme.example/
geai_ssl_cert_path = /etc/acme.pem

[sso]
GEAI_OAUTH_ACCESS_TOKEN: geai-test-oauth
geai_project_id = 0001
geai_organization_id = 0002
geai_api_base_url = api.sso.example/platform/
";

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.write(".geai/credentials", CREDENTIALS);
        home
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The one account there is, of a file with this text, or of the environment alone.
    fn load(&self, text: Option<&str>, variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        if let Some(text) = text {
            self.write("rolecall.toml", text);
        }
        let variables: BTreeMap<String, String> = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let home = self.0.path().to_path_buf();
        let places =
            Places { here: home.join("here"), config: home.join("config"), data: home.join("data"), home: home.clone(), variables };
        let overrides = Overrides { config: text.map(|_| home.join("rolecall.toml")), ..Overrides::default() };
        let config = Config::load_at(&overrides, &places)?;
        let Provider::Geai(settings) = &config.connections[0].provider else { panic!("{:?}", config.connections) };
        Ok(settings.clone())
    }
}

fn told(it: &Settings) -> (&str, TokenKind, &str, Option<&str>, Option<&str>) {
    (
        it.token.known().unwrap().expose_secret(),
        it.kind,
        it.remote.base_url.as_str(),
        it.project_id.as_deref(),
        it.organization_id.as_deref(),
    )
}

#[test]
fn a_named_profile_is_read_as_it_is() {
    let home = Home::new();
    let text = "[connections.globant]\nprovider = \"geai\"\nprofile = \"sso\"\n";
    let settings = home.load(Some(text), &[("GEAI_API_KEY", "geai-test-variable"), ("GEAI_PROJECT_ID", "0009")]).unwrap();
    let expected = ("geai-test-oauth", TokenKind::OAuth, "https://api.sso.example/platform", Some("0001"), Some("0002"));
    assert_eq!(told(&settings), expected, "the environment does not go over it");
    let over = home.load(Some(&format!("{text}project_id = \"0007\"\nunversioned_removal = true\n")), &[]).unwrap();
    assert_eq!((over.project_id.as_deref(), over.unversioned_removal), (Some("0007"), true), "the section itself does");
    let error = home.load(Some("[connections.globant]\nprovider = \"geai\"\nprofile = \"ss\"\n"), &[]).unwrap_err();
    assert!(error.message.contains("there is no profile `ss`") && error.fix.contains("`sso`"), "{error:?}");
}

#[test]
fn the_environment_goes_over_the_default_profile_key_by_key() {
    let home = Home::new();
    let settings = home.load(None, &[("GEAI_API_KEY", "geai-test-variable"), ("GEAI_API_BASE_URL", " ")]).unwrap();
    assert_eq!(told(&settings), ("geai-test-variable", TokenKind::Api, "https://api.acme.example", None, None));
    assert_eq!(settings.remote.ca_file.as_deref(), Some(std::path::Path::new("/etc/acme.pem")));
    home.write(".geai/credentials", "[default]\ngeai_oauth_access_token = geai-test-oauth\ngeai_api_base_url = https://api.acme.example\n");
    let settings = home.load(None, &[("GEAI_API_KEY", "geai-test-variable")]).unwrap();
    assert_eq!(
        (settings.token.known().unwrap().expose_secret(), settings.kind),
        ("geai-test-oauth", TokenKind::OAuth),
        "OAuth wins, wherever it is from"
    );
}

#[test]
fn a_section_with_a_token_of_its_own_needs_no_profile() {
    let home = Home::new();
    let text = "[connections.globant]\nprovider = \"geai\"\napi_key = { env = \"KEY\" }\nbase_url = \"https://own.example\"\n";
    let settings = home.load(Some(text), &[("KEY", "geai-test-own"), ("GEAI_PROJECT_ID", "0009")]).unwrap();
    assert_eq!(told(&settings), ("geai-test-own", TokenKind::Api, "https://own.example", None, None));
    let elsewhere = "[connections.globant]\nprovider = \"geai\"\ncredentials_file = \"mine.ini\"\n";
    assert!(home.load(Some(elsewhere), &[]).unwrap_err().message.contains("mine.ini"));
    home.write("mine.ini", CREDENTIALS);
    assert_eq!(home.load(Some(elsewhere), &[]).unwrap().token.known().unwrap().expose_secret(), "geai-test-file");
}

#[test]
fn what_is_wrong_is_told_without_the_secret_and_the_file_stays_as_it_is() {
    let home = Home::new();
    let text = "[default]\ngeai_api_key = geai-test-file  # mine\ngeai_api_base_url = https://api.acme.example\n";
    home.write(".geai/credentials", text);
    let error = home.load(None, &[("GEAI_API_KEY", "geai-test-variable")]).unwrap_err();
    assert!(error.message.contains("`geai_api_key` of profile `default` has a comment") && !error.message.contains("test"), "{error:?}");
    let path = home.0.path().join(".geai/credentials");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    std::fs::remove_file(&path).unwrap();
    let error = home.load(None, &[("GEAI_API_KEY", "geai-test-variable")]).unwrap_err();
    assert!(error.message.contains("base_url"), "{error:?}");
    assert!(!path.exists());
}
