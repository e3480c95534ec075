//! The keys of somebody who leaves: stopped, or new ones made in their place.

use serde_json::json;

use super::Leaving;
use crate::{
    domain::access::{Grants, Holder, Named, Place},
    error::CallError,
    jobs::Engine,
    tools::{
        Operation as _,
        keys::{CreateApiKey, CreateServiceAccount, DeleteApiKey, GetApiKey, UpdateApiKey},
        members::LeaversKeys,
    },
};

/// So many days a key that is handed over goes on working, until the new one is in its place.
const OVERLAP_DAYS: i64 = 7;

impl Leaving<'_> {
    /// What becomes of their keys.
    pub(super) async fn keys(&mut self, held: &Grants) -> Result<(), CallError> {
        let mut known: Vec<&str> = Vec::new();
        for grant in &held.list {
            let Holder::Key(key) = &grant.holder else { continue };
            if known.contains(&key.id.as_str()) {
                continue;
            }
            known.push(&key.id);
            match (&grant.place, self.keys) {
                (Place::Project { project, .. }, Some(LeaversKeys::Stop)) if self.view.takes(UpdateApiKey::NAME, "status") => {
                    self.push(UpdateApiKey::NAME, json!({ "project": project.id, "api_key": key.id, "status": "blocked" }));
                }
                (Place::Project { project, .. }, Some(LeaversKeys::Stop)) if self.takes(DeleteApiKey::NAME) => {
                    self.push(DeleteApiKey::NAME, json!({ "project": project.id, "api_key": key.id }));
                }
                (Place::Project { project, .. }, Some(LeaversKeys::HandOver)) => self.replace_key(key, project).await?,
                (Place::Project { .. }, None) => {}
                (place, _) => self.notes.push(format!("key {} of {place} cannot be stopped from here", key.name)),
            }
        }
        Ok(())
    }

    /// Makes a key for the successor to put in the place of one: no service gives a key to somebody else, and whoever leaves knows it.
    /// It belongs to a program's account, so that it does not leave with the next person. The old one ends a week later where the
    /// service can say so.
    async fn replace_key(&mut self, key: &Named, project: &Named) -> Result<(), CallError> {
        let heir = self.successor.as_ref().map_or_else(|| "somebody who stays".to_owned(), |it| it.label.clone());
        let Named { name, id } = key;
        if !self.takes(CreateServiceAccount::NAME) {
            let reason = format!(
                "this service makes no key in its place: {heir} makes a new one where people do that, puts it where key {name} of project \
                 {} is used, and then stops that with delete_api_key",
                project.name
            );
            let row = Engine::idle_row("", &self.view.connection.name, CreateServiceAccount::NAME, name, ("failed", reason));
            self.rows.push(row);
            return Ok(());
        }
        let new = format!("{name}-handed-over");
        let is_narrow =
            self.view.takes(CreateApiKey::NAME, "service_account") && self.view.takes(CreateServiceAccount::NAME, "without_key");
        if is_narrow {
            let old = self.view.read(GetApiKey::NAME, json!({ "project": project.id, "api_key": id })).await?;
            let account = json!({ "project": project.id, "name": new, "without_key": true });
            self.push_about(&new, CreateServiceAccount::NAME, account);
            let key = json!({ "project": project.id, "name": new, "service_account": new, "scopes": old["scopes"].as_array().cloned().unwrap_or_default() });
            self.push_about(&new, CreateApiKey::NAME, key);
            if let Some(row) = self.rows.last_mut() {
                row.follows = true;
            }
        } else {
            self.push_about(&new, CreateServiceAccount::NAME, json!({ "project": project.id, "name": new }));
        }
        let becomes = if self.view.takes(UpdateApiKey::NAME, "expires_in_seconds") {
            let seconds = OVERLAP_DAYS * 24 * 3600;
            self.push_about(name, UpdateApiKey::NAME, json!({ "project": project.id, "api_key": id, "expires_in_seconds": seconds }));
            format!("which ends in {OVERLAP_DAYS} days")
        } else {
            "and then stops that with delete_api_key".to_owned()
        };
        self.notes.push(format!(
            "key {new} of project {} is in the secrets folder: {heir} puts it where key {name} is used, {becomes}",
            project.name
        ));
        Ok(())
    }
}
