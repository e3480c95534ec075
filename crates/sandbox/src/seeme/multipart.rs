//! Files that are sent as `multipart/form-data`.

/// One part: what its head says, and its content.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) filename: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) content: Vec<u8>,
}

/// The parts of a body, or `None` where it is not in this form.
pub(super) fn parts(content_type: &str, body: &[u8]) -> Option<Vec<Part>> {
    let boundary = content_type.strip_prefix("multipart/form-data")?.split_once("boundary=")?.1.split(';').next()?.trim_matches('"');
    let mark = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(mark.strip_prefix("\r\n")?.as_bytes())?;
    let mut parts = Vec::new();
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let end = find(part, mark.as_bytes())?;
        let head = find(part.get(..end)?, b"\r\n\r\n")?;
        let lines = String::from_utf8_lossy(part.get(..head)?).into_owned();
        let line = |name: &str| {
            let of = |it: &str| it.split_once(':').filter(|it| it.0.eq_ignore_ascii_case(name)).map(|it| it.1.trim().to_owned());
            lines.split("\r\n").find_map(of)
        };
        let disposition = line("content-disposition").filter(|it| it.starts_with("form-data;"))?;
        parts.push(Part {
            name: quoted(&disposition, " name=")?,
            filename: quoted(&disposition, "filename="),
            content_type: line("content-type"),
            content: part.get(head + 4..end)?.to_vec(),
        });
        rest = part.get(end + mark.len()..)?;
    }
    rest.starts_with(b"--").then_some(parts)
}

fn quoted(line: &str, key: &str) -> Option<String> {
    let value = line.split_once(key)?.1.strip_prefix('"')?;
    Some(value.split_once('"')?.0.to_owned())
}

fn find(within: &[u8], what: &[u8]) -> Option<usize> {
    within.windows(what.len()).position(|it| it == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_whole_and_halves_are_none() {
        let body = b"--x1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\x89P\r\nNG\r\n--x1\r\ncontent-disposition: form-data; name=\"note\"\r\n\r\n\r\n--x1--\r\n";
        let read = parts("multipart/form-data; boundary=x1", body).unwrap();
        let note = Part { name: "note".into(), filename: None, content_type: None, content: Vec::new() };
        let file = Part {
            name: "file".into(),
            filename: Some("a.png".into()),
            content_type: Some("image/png".into()),
            content: b"\x89P\r\nNG".into(),
        };
        assert_eq!(read, [file, note]);
        assert_eq!(parts("multipart/form-data; boundary=x1", &body[..90]), None);
        assert_eq!(parts("multipart/form-data; boundary=x2", body), None);
        assert_eq!(parts("application/json", body), None);
    }
}
