//! Logos of organizations, teams and projects.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{Kind, Reply, Seeme, account::Caller, multipart::parts, refusal::Refusal};
use crate::{Answer, Call};

/// A picture.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Logo {
    /// With its dot, as the file was named.
    pub extension: String,
    /// In base64.
    pub content: String,
}

impl Logo {
    pub(super) fn new(extension: &str, content: &[u8]) -> Self {
        Self { extension: extension.to_owned(), content: STANDARD.encode(content) }
    }
}

/// What kind of picture these bytes are.
fn media_type(content: &[u8]) -> Option<&'static str> {
    match content {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        _ => None,
    }
}

/// The media type a client gives a file of this name; `jpg` has one that is in no registry.
fn declared(filename: &str) -> &'static str {
    match filename.rsplit_once('.').map_or("", |it| it.1) {
        "png" => "image/png",
        "jpg" => "image/jpg",
        _ => "image/jpeg",
    }
}

impl Seeme {
    pub(super) fn upload_logo(&mut self, caller: &Caller, call: &Call, kind: Kind, id: &str) -> Reply {
        let place = self.allowed(caller, kind, id, "update")?;
        let parts = parts(call.header("content-type").unwrap_or_default(), &call.body);
        let parts = parts.ok_or_else(|| Refusal::malformed("the body is not multipart/form-data"))?;
        let [part] = parts.as_slice() else { return Err(Refusal::malformed("exactly one part is expected")) };
        let filename = part.filename.as_deref().filter(|it| part.name == "file" && !it.is_empty() && !it.contains('/'));
        let filename = filename.ok_or_else(|| Refusal::malformed("the part is not a file of the field `file`"))?;
        // Clients differ in whether `.PNG` is a suffix that they know.
        let fits = part.content_type.as_deref().is_some_and(|it| it == declared(filename) || it == declared(&filename.to_lowercase()));
        if !fits {
            return Err(Refusal::malformed(format!("the content type of `{filename}` is {:?}", part.content_type)));
        }
        if media_type(&part.content).is_none() {
            return Err(Refusal::invalid("the file is neither a PNG nor a JPEG"));
        }
        let extension = filename.rsplit_once('.').map_or(String::new(), |it| format!(".{}", it.1));
        self.logos.insert(place.id.clone(), Logo::new(&extension, &part.content));
        Ok(Answer::ok(&self.place_json(&place)))
    }

    pub(super) fn get_logo(&self, caller: &Caller, kind: Kind, id: &str) -> Reply {
        let place = self.allowed(caller, kind, id, "read")?;
        match &self.quirks.logos_from {
            Some(host) if self.logos.contains_key(&place.id) => {
                Ok(Answer::empty(302).with_header("location", format!("{host}/storage/{}", place.id)))
            }
            _ => self.stored_logo(&place.id),
        }
    }

    pub(super) fn stored_logo(&self, id: &str) -> Reply {
        let logo = self.logos.get(id).ok_or_else(|| Refusal::missing("logo"))?;
        let content = STANDARD.decode(&logo.content).unwrap_or_default();
        Ok(Answer::bytes(media_type(&content).unwrap_or("application/octet-stream"), content))
    }

    pub(super) fn delete_logo(&mut self, caller: &Caller, kind: Kind, id: &str) -> Reply {
        let place = self.allowed(caller, kind, id, "update")?;
        self.logos.remove(&place.id).ok_or_else(|| Refusal::missing("logo"))?;
        Ok(self.nothing())
    }
}
