//! Logos of organizations, teams and projects.

use std::path::{Path, PathBuf};

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use tokio::io::AsyncReadExt as _;

use serde_json::json;

use super::Session;
use crate::{
    domain::{
        Change, Gravity, Impact, InvalidReference, Inverse, OrganizationRef, ProjectRef, ReferenceText, Target, TeamRef, Timestamp,
        organizations::Logo,
    },
    error::ProviderError,
    store::{args, row, sha256},
    tools::logos::{DeleteLogo, GetLogo, LogoOwner, SetLogo},
};

/// The largest picture, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Base64 as it comes, with or without padding.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

row! {
    struct LogoRow { media_type: String, width: i64, height: i64, content: Vec<u8> }
}

pub(super) async fn get(at: &mut Session, op: &GetLogo) -> Result<Logo, ProviderError> {
    let owner = Owner::of(at, op.of, &op.target, false).await?;
    let row = owner.logo(at).await?.ok_or_else(|| owner.none())?;
    let image = BASE64.encode(&row.content);
    Ok(Logo { image: Some(image), ..owner.view(&row) })
}

pub(super) async fn set(at: &mut Session, op: &SetLogo) -> Result<Change<Logo>, ProviderError> {
    let owner = Owner::of(at, op.of, &op.target, true).await?;
    let content = match (&op.image, &op.path) {
        (Some(image), None) => decoded(image)?,
        (None, Some(path)) => read(path, &at.settings.files).await?,
        _ => return Err(ProviderError::invalid("exactly one of `image` and `path` is needed", "give the picture once")),
    };
    let picture = picture(content)?;
    let before = owner.logo(at).await?;
    // A file may change between the question and the deed; named by its digest, another picture is another plan.
    let fact = format!(
        "{} of {} × {}, {} bytes, SHA-256 {:.12}",
        picture.media_type,
        picture.width,
        picture.height,
        picture.content.len(),
        sha256(&picture.content)
    );
    let impact = Impact::none().note(fact);
    let impact = if before.is_some() { impact.note("the logo before is not kept") } else { impact.undo("delete_logo") };
    let sql = "INSERT INTO logos (owner_kind, owner_id, media_type, width, height, content, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
               ON CONFLICT (owner_kind, owner_id) DO UPDATE SET media_type = excluded.media_type, width = excluded.width, \
               height = excluded.height, content = excluded.content, updated_at = excluded.updated_at";
    let (kind, id) = (owner.kind, &owner.id);
    let values = args![kind, id, &picture.media_type, picture.width, picture.height, picture.content.clone(), Timestamp::now().0];
    at.db.run(sql, &values).await?;
    let after = owner.view(&picture);
    Ok(match before {
        Some(before) => Change::updated(owner.target(), impact, owner.view(&before), after),
        None => {
            let inverse = Inverse::call::<DeleteLogo>(json!({ "of": op.of, "target": owner.id }));
            Change::created(owner.target(), impact, after).inverse(inverse)
        }
    })
}

pub(super) async fn delete(at: &mut Session, op: &DeleteLogo) -> Result<Change<Logo>, ProviderError> {
    let owner = Owner::of(at, op.of, &op.target, true).await?;
    let row = owner.logo(at).await?.ok_or_else(|| owner.none())?;
    at.db.run("DELETE FROM logos WHERE owner_kind = $1 AND owner_id = $2", &args![owner.kind, &owner.id]).await?;
    let impact = Impact::of(Gravity::Low).note("the picture is not kept");
    Ok(Change::removed(owner.target(), impact, owner.view(&row)))
}

/// What a logo stands for, resolved.
struct Owner {
    kind: &'static str,
    id: String,
    name: String,
    organization: String,
}

impl Owner {
    async fn of(at: &mut Session, of: LogoOwner, target: &ProjectRef, changes: bool) -> Result<Self, ProviderError> {
        let text = target.text().to_owned();
        Ok(match of {
            LogoOwner::Organization => {
                let it = at.organization(Some(&OrganizationRef::try_from(text).map_err(|error| unreadable(&error))?)).await?;
                Self { kind: "organization", id: it.id, organization: it.name.clone(), name: it.name }
            }
            LogoOwner::Team => {
                let it = at.team(&TeamRef::try_from(text).map_err(|error| unreadable(&error))?).await?;
                Self { kind: "team", id: it.id, organization: it.organization, name: it.name }
            }
            LogoOwner::Project => {
                let it = if changes { at.active_project(target).await? } else { at.project(target).await? };
                Self { kind: "project", id: it.id, organization: it.organization, name: it.name }
            }
        })
    }

    async fn logo(&self, at: &mut Session) -> Result<Option<LogoRow>, ProviderError> {
        let sql = "SELECT media_type, width, height, content FROM logos WHERE owner_kind = $1 AND owner_id = $2";
        Ok(at.db.one(sql, &args![self.kind, &self.id]).await?)
    }

    fn none(&self) -> ProviderError {
        ProviderError::NotFound {
            kind: "logo",
            name: self.name.clone(),
            scope: format!("the {}s that have one", self.kind),
            fix: "set one with set_logo".to_owned(),
        }
    }

    fn target(&self) -> Target {
        Target::new(&format!("logo of {}", self.kind), &self.name, &self.id, &self.organization)
    }

    fn view(&self, it: &LogoRow) -> Logo {
        Logo {
            of: self.name.clone(),
            media_type: it.media_type.clone(),
            bytes: it.content.len() as u64,
            width: u32::try_from(it.width).ok(),
            height: u32::try_from(it.height).ok(),
            image: None,
        }
    }
}

fn unreadable(error: &InvalidReference) -> ProviderError {
    ProviderError::invalid(error.to_string(), "name the target by name, slug or id")
}

/// Recognises a picture by its bytes, whatever it is called.
fn picture(content: Vec<u8>) -> Result<LogoRow, ProviderError> {
    let wanted = "send a PNG or JPEG picture";
    let media_type = match imagesize::image_type(&content) {
        Ok(imagesize::ImageType::Png) => "image/png",
        Ok(imagesize::ImageType::Jpeg) => "image/jpeg",
        _ => return Err(ProviderError::invalid("the picture is neither PNG nor JPEG", wanted)),
    };
    let size = imagesize::blob_size(&content).ok().filter(|it| it.width > 0 && it.height > 0);
    let size = size.and_then(|it| Some((i64::from(u32::try_from(it.width).ok()?), i64::from(u32::try_from(it.height).ok()?))));
    let Some((width, height)) = size else {
        return Err(ProviderError::invalid("the picture ends before its size can be read", wanted));
    };
    Ok(LogoRow { media_type: media_type.to_owned(), width, height, content })
}

fn too_large() -> ProviderError {
    ProviderError::invalid("the picture is larger than 1 MB", "send a smaller one")
}

fn decoded(image: &str) -> Result<Vec<u8>, ProviderError> {
    // Four letters carry three bytes: what is surely too long is not decoded.
    if image.len() / 4 * 3 > MAX_BYTES + 3 {
        return Err(too_large());
    }
    let content = BASE64.decode(image.trim());
    let content = content
        .map_err(|_| ProviderError::invalid("`image` is not base64", "send the bytes of the picture as base64, without line breaks"))?;
    if content.len() > MAX_BYTES { Err(too_large()) } else { Ok(content) }
}

/// Reads a file that lies in one of the folders, wherever its links lead.
///
/// What is outside and what does not exist are one answer, so that nothing can be found out about other folders.
async fn read(path: &str, folders: &[PathBuf]) -> Result<Vec<u8>, ProviderError> {
    if folders.is_empty() {
        return Err(ProviderError::conflict("no_files", "no folder may be read from here", "send the picture as `image`"));
    }
    let refused = || {
        let allowed = folders.iter().map(|it| it.display().to_string()).collect::<Vec<_>>().join(", ");
        ProviderError::conflict(
            "path_not_allowed",
            format!("`{path}` is not a file in an allowed folder"),
            format!("put the picture into one of: {allowed}; or send it as `image`"),
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
