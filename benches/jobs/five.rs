//! An account at each of five platforms, for the jobs that span them: the directory, and four services of the sandbox.
#![allow(clippy::unwrap_used, reason = "a script that cannot go on has failed")]

use std::{any::Any, collections::BTreeMap, path::Path, sync::Arc};

use rolecall::{
    app::App,
    config::{Config, Overrides, Places, Reach},
    providers::local::seed,
};
use rolecall_sandbox::{Options, Platform, Seed, engine::Engine, geai::Geai, openai::Openai, seeme::Seeme, start};

/// The program with those accounts; the services run as long as the second lives.
pub(crate) async fn accounts(folder: &Path) -> (Arc<App>, Vec<Box<dyn Any>>) {
    let (mut variables, mut services) = (BTreeMap::new(), Vec::new());
    let openai = run::<Openai>(&mut variables, &mut services).await;
    let geai = run::<Geai>(&mut variables, &mut services).await;
    let engine = run::<Engine>(&mut variables, &mut services).await;
    let seeme = run::<Seeme>(&mut variables, &mut services).await;
    let file = format!(
        "[connections.openai]\nprovider = \"openai\"\napi_key = {{ env = \"OPENAI_ADMIN_KEY\" }}\nbase_url = \"{openai}/v1\"\n\
         [connections.globant]\nprovider = \"geai\"\napi_key = {{ env = \"GEAI_API_KEY\" }}\nbase_url = \"{geai}\"\n\
         [connections.lab]\nprovider = \"engine\"\ncustom_token = {{ env = \"AIA_ENGINE_API_CUSTOM_TOKEN\" }}\nbase_url = \"{engine}\"\n\
         [connections.practice]\nprovider = \"local\"\n\
         [connections.vision]\nprovider = \"seeme\"\napi_key = {{ env = \"SEEME_API_KEY\" }}\nbase_url = \"{seeme}/api/v1/\"\n"
    );
    std::fs::write(folder.join("rolecall.toml"), file).unwrap();
    let places = Places { here: folder.into(), home: folder.into(), config: folder.join("config"), data: folder.join("data"), variables };
    let store = format!("sqlite:{}", folder.join("directory.sqlite3").display());
    let overrides = Overrides { config: Some("rolecall.toml".into()), store: Some(store), ..Overrides::default() };
    let setup = Config::load_at(&overrides, &places).unwrap().setup(Reach::Local);
    seed::seed(&setup.db, "acme").await.unwrap();
    (Arc::new(App::new(setup)), services)
}

async fn run<P: Platform>(variables: &mut BTreeMap<String, String>, services: &mut Vec<Box<dyn Any>>) -> String {
    let running = start(P::seeded(Seed::Acme), Options::default()).await.unwrap();
    let url = running.url.clone();
    variables.extend(running.platform().environment(&url).into_iter().map(|(name, value)| (name.to_owned(), value)));
    services.push(Box::new(running));
    url
}
