//! The suite's resources: two fixed ones and a template.

use super::tools::PNG;
use rmcp::model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate};

const TEXT: &str = "test://static-text";
const BINARY: &str = "test://static-binary";

pub(super) fn list() -> Vec<Resource> {
    vec![
        Resource::new(TEXT, "static-text").with_description("A fixed text.").with_mime_type("text/plain"),
        Resource::new(BINARY, "static-binary").with_description("A fixed image.").with_mime_type("image/png"),
    ]
}

pub(super) fn template() -> ResourceTemplate {
    ResourceTemplate::new("test://template/{id}/data", "template")
        .with_description("Data that repeats the id of its address.")
        .with_mime_type("application/json")
}

pub(super) fn read(uri: &str) -> Option<ReadResourceResult> {
    let contents = match uri {
        TEXT => ResourceContents::text("This is the content of the static text resource.", uri).with_mime_type("text/plain"),
        BINARY => ResourceContents::blob(PNG, uri).with_mime_type("image/png"),
        _ => {
            let id = uri.strip_prefix("test://template/")?.strip_suffix("/data")?;
            let data = serde_json::json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")});
            ResourceContents::text(data.to_string(), uri).with_mime_type("application/json")
        }
    };
    Some(ReadResourceResult::new(vec![contents]))
}
