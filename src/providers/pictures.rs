//! Pictures that are given as base64 or as a file: recognised by their bytes, bounded, read from allowed folders only.

use std::path::{Path, PathBuf};

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use tokio::io::AsyncReadExt as _;

use crate::{error::ProviderError, store::sha256};

/// The largest picture, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Base64 as it comes, with or without padding.
pub(super) const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// A PNG or JPEG.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub(super) media_type: &'static str,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) content: Vec<u8>,
}

impl Picture {
    /// The picture that an agent gives, in one of two ways.
    pub(super) async fn given(image: Option<&str>, path: Option<&str>, folders: &[PathBuf]) -> Result<Self, ProviderError> {
        let content = match (image, path) {
            (Some(image), None) => decoded(image)?,
            (None, Some(path)) => read(path, folders).await?,
            _ => return Err(ProviderError::invalid("exactly one of `image` and `path` is needed", "give the picture once")),
        };
        Self::of(content)
    }

    /// Recognises a picture by its bytes, whatever it is called.
    pub(super) fn of(content: Vec<u8>) -> Result<Self, ProviderError> {
        let wanted = "send a PNG or JPEG picture";
        let media_type = match imagesize::image_type(&content) {
            Ok(imagesize::ImageType::Png) => "image/png",
            Ok(imagesize::ImageType::Jpeg) => "image/jpeg",
            _ => return Err(ProviderError::invalid("the picture is neither PNG nor JPEG", wanted)),
        };
        let size = imagesize::blob_size(&content).ok().filter(|it| it.width > 0 && it.height > 0);
        let size = size.and_then(|it| Some((u32::try_from(it.width).ok()?, u32::try_from(it.height).ok()?)));
        let Some((width, height)) = size else {
            return Err(ProviderError::invalid("the picture ends before its size can be read", wanted));
        };
        Ok(Self { media_type, width, height, content })
    }

    /// What a person is told of it. A file may change between the question and the deed; named by its digest, another picture
    /// is another plan.
    pub(super) fn fact(&self) -> String {
        let (width, height, bytes) = (self.width, self.height, self.content.len());
        format!("{} of {width} × {height}, {bytes} bytes, SHA-256 {:.12}", self.media_type, sha256(&self.content))
    }
}

fn too_large() -> ProviderError {
    ProviderError::invalid("the picture is larger than 1 MB", "send a smaller one")
}

/// The base64 of a picture, also where it stands in a `data:` address or on several lines.
fn letters(image: &str) -> String {
    let image = image.trim();
    let is_address = image.get(..5).is_some_and(|it| it.eq_ignore_ascii_case("data:"));
    let data = if is_address { image.split_once(";base64,").map_or(image, |it| it.1) } else { image };
    data.split_whitespace().collect()
}

fn decoded(image: &str) -> Result<Vec<u8>, ProviderError> {
    // Four letters carry three bytes: what is surely too long is not decoded.
    if image.len() / 4 * 3 > MAX_BYTES + 3 {
        return Err(too_large());
    }
    let content = BASE64.decode(letters(image));
    let content = content.map_err(|_| {
        let fix = if is_path(image) {
            "a file is named by `path`; `image` holds the bytes of the picture as base64, or as a `data:` address with it"
        } else {
            "send the bytes of the picture as base64, or as a `data:` address with it"
        };
        ProviderError::invalid("`image` is not base64", fix)
    })?;
    if content.len() > MAX_BYTES { Err(too_large()) } else { Ok(content) }
}

/// Whether a text looks like the name of a file.
fn is_path(text: &str) -> bool {
    let text = text.trim();
    text.len() < 1024 && (text.starts_with(['/', '.', '~']) || text.contains(['.', '\\']))
}

/// Reads a file that lies in one of the folders, wherever its links lead.
///
/// What is outside and what does not exist are one answer, so that nothing can be found out about other folders.
async fn read(path: &str, folders: &[PathBuf]) -> Result<Vec<u8>, ProviderError> {
    if folders.is_empty() {
        let fix = "send the picture as `image`; or whoever runs this server sets `files.allow` in rolecall.toml to the folder of the \
                   picture, and serves over stdio";
        return Err(ProviderError::conflict("no_files", "no folder may be read from here", fix));
    }
    let refused = || {
        let allowed = folders.iter().map(|it| it.display().to_string()).collect::<Vec<_>>().join(", ");
        ProviderError::conflict(
            "path_not_allowed",
            format!("`{path}` is not a file in an allowed folder"),
            format!("put the picture into one of: {allowed}; or add its folder to `files.allow` in rolecall.toml; or send it as `image`"),
        )
    };
    for folder in folders {
        let Some(file) = inside(Path::new(path), folder).await else { continue };
        let mut content = Vec::new();
        // One byte more than allowed tells a file that is too large from one that just fits.
        let limit = MAX_BYTES as u64 + 1;
        let file = tokio::fs::File::open(&file).await.map_err(|_| refused())?;
        file.take(limit).read_to_end(&mut content).await.map_err(|_| refused())?;
        return if content.len() > MAX_BYTES { Err(too_large()) } else { Ok(content) };
    }
    Err(refused())
}

/// The file with all links followed, if it lies in the folder. A relative path starts in the folder.
async fn inside(path: &Path, folder: &Path) -> Option<PathBuf> {
    let folder = tokio::fs::canonicalize(folder).await.ok()?;
    let file = tokio::fs::canonicalize(folder.join(path)).await.ok()?;
    let plain = file.starts_with(&folder) && tokio::fs::metadata(&file).await.ok()?.is_file();
    plain.then_some(file)
}
