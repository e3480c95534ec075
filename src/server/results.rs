//! What calls answer: structured, and the same facts as a text.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rmcp::{
    RoleServer,
    model::{CallToolResult, ContentBlock},
    service::RequestContext,
};
use serde_json::Value;

use super::stamp;
use crate::{error::CallError, render};

pub(super) fn success(mut result: Value, cx: &RequestContext<RoleServer>) -> CallToolResult {
    let mut content = vec![ContentBlock::text(render::text(&result))];
    content.extend(picture(&mut result));
    let mut answer = CallToolResult::success(content);
    answer.structured_content = Some(result);
    answer.meta = stamp(cx);
    answer
}

pub(super) fn failure(error: &CallError, cx: &RequestContext<RoleServer>) -> CallToolResult {
    let mut value = error.to_value();
    crate::shape::shape(&mut value);
    let mut answer = CallToolResult::error(vec![ContentBlock::text(render::error(&value))]);
    answer.structured_content = Some(value);
    answer.meta = stamp(cx);
    answer
}

/// A picture goes to the agent as a picture, not as letters.
fn picture(result: &mut Value) -> Option<ContentBlock> {
    let media_type = result.get("media_type")?.as_str()?.to_owned();
    let fields = result.as_object_mut()?;
    let image = fields.shift_remove("image")?;
    let image = image.as_str().filter(|it| STANDARD.decode(it).is_ok())?;
    Some(ContentBlock::image(image, media_type))
}
