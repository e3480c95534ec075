//! Logos of organizations, teams and projects.

use base64::Engine as _;

use super::{
    Session,
    places::{self, Place},
    wire::is_missing,
};
use crate::{
    domain::{Counted, Facts, Inverse, OrganizationRef, ProjectRef, ReferenceText as _, Target, TeamRef, Thing, organizations::Logo},
    error::ProviderError,
    providers::{
        http::{Draft, File, Sent},
        pictures::{BASE64, Picture},
    },
    tools::logos::{DeleteLogo, GetLogo, LogoOwner, SetLogo},
};

pub(super) async fn get(at: &Session, op: &GetLogo) -> Result<Logo, ProviderError> {
    let owner = owner(at, op.of, &op.target).await?;
    let picture = logo(at, &owner).await?.ok_or_else(|| none(&owner))?;
    Ok(Logo { image: Some(BASE64.encode(&picture.content)), ..view(&owner, &picture) })
}

async fn owner(at: &Session, of: LogoOwner, target: &ProjectRef) -> Result<Place, ProviderError> {
    match of {
        LogoOwner::Organization => places::organization(at, Some(&OrganizationRef::read(target.text()))).await,
        LogoOwner::Team => places::team(at, &TeamRef::read(target.text()), None).await,
        LogoOwner::Project => places::project(at, target).await,
    }
}

/// The logo as it is, if there is one.
async fn logo(at: &Session, owner: &Place) -> Result<Option<Picture>, ProviderError> {
    match owner.get(at, "/logo").bytes().await {
        Ok((_, content)) if content.is_empty() => Ok(None),
        Ok((_, content)) => Picture::of(content).map(Some).map_err(|_| {
            let message = format!("the logo of {} is neither PNG nor JPEG", owner.says());
            ProviderError::conflict("unreadable_logo", message, "replace it with set_logo")
        }),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn none(owner: &Place) -> ProviderError {
    ProviderError::NotFound {
        kind: "logo",
        name: owner.name().to_owned(),
        scope: format!("the {}s that have one", owner.kind.noun()),
        fix: "set one with set_logo".to_owned(),
    }
}

pub(super) async fn set(at: &Session, op: &SetLogo) -> Result<Draft<Logo>, ProviderError> {
    let owner = owner(at, op.of, &op.target).await?;
    let picture = Picture::given(op.image.as_deref(), op.path.as_deref(), &at.settings.remote.files).await?;
    let (before, is_there) = match owner.it.has_logo {
        Some(false) => (None, false),
        _ => match logo(at, &owner).await {
            Ok(before) => (before.clone(), before.is_some()),
            // What is there and cannot be read is replaced all the same.
            Err(error) if error.code() == "unreadable_logo" => (None, true),
            Err(other) => return Err(other),
        },
    };
    let facts = Facts::none().note(picture.fact());
    let facts = if is_there { ending(facts, &owner) } else { facts.undo("delete_logo") };
    let inverse = if is_there { None } else { Some(Inverse::of(&DeleteLogo { of: op.of, target: op.target.clone() })) };
    let file = file(&picture, op.path.as_deref());
    let after = view(&owner, &picture);
    let (sending, looking) = (at.clone(), at.clone());
    let back = (owner.clone(), picture.content, after.clone(), inverse.clone());
    let target = target(&owner);
    let former = before.map(|it| view(&owner, &it));
    let draft = Draft::new(target, facts, move |permit| async move {
        owner.post(&sending, "/logo").file(file).send(&permit).await?;
        Ok(Sent::after(after).undone_by(inverse))
    });
    let draft = match former {
        Some(former) => draft.before(former),
        None => draft,
    };
    Ok(draft.read_back(move || {
        let (at, (owner, content, after, inverse)) = (looking.afresh(), back.clone());
        async move {
            let there = logo(&at, &owner).await?.is_some_and(|it| it.content == content);
            Ok(there.then(|| Sent::after(after).undone_by(inverse)))
        }
    }))
}

/// The picture as the one part of a form. The service goes by the name's suffix, and calls a `.jpg` `image/jpg`.
fn file(picture: &Picture, path: Option<&str>) -> File {
    let given = path.and_then(|it| std::path::Path::new(it).file_name()).map(|it| it.to_string_lossy().into_owned());
    let usual = if picture.media_type == "image/png" { "logo.png" } else { "logo.jpg" };
    let name = given.unwrap_or_else(|| usual.to_owned());
    let media_type = match name.to_lowercase().rsplit_once('.').map(|it| it.1) {
        Some("png") => "image/png",
        Some("jpg") => "image/jpg",
        _ => "image/jpeg",
    };
    File { field: "file", name, media_type, bytes: picture.content.clone() }
}

pub(super) async fn delete(at: &Session, op: &DeleteLogo) -> Result<Draft<Logo>, ProviderError> {
    let owner = owner(at, op.of, &op.target).await?;
    let none = || ProviderError::gone(format!("{} has no logo", owner.says()), "get_logo");
    let before = logo(at, &owner).await?.ok_or_else(none)?;
    let facts = ending(Facts::none(), &owner);
    let (target, view) = (target(&owner), view(&owner, &before));
    let (sending, looking, back) = (at.clone(), at.clone(), owner.clone());
    let draft = Draft::new(target, facts, move |permit| async move {
        owner.delete(&sending, "/logo").send(&permit).await?;
        Ok(Sent::gone())
    });
    Ok(draft.before(view).read_back(move || {
        let (at, owner) = (looking.afresh(), back.clone());
        async move { Ok(logo(&at, &owner).await?.is_none().then(Sent::gone)) }
    }))
}

/// The service does not keep a picture that is replaced or deleted.
fn ending(facts: Facts, owner: &Place) -> Facts {
    facts.ends(Thing::Logo, Counted::one(owner.name())).note("the picture before is not kept")
}

fn target(owner: &Place) -> Target {
    Target::new(&format!("logo of {}", owner.kind.noun()), owner.name(), owner.id(), &owner.organization.name)
}

fn view(owner: &Place, it: &Picture) -> Logo {
    Logo {
        of: owner.name().to_owned(),
        media_type: it.media_type.to_owned(),
        bytes: it.content.len() as u64,
        width: Some(it.width),
        height: Some(it.height),
        image: None,
    }
}
