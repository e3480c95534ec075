//! Logos of organizations, teams and projects.

use base64::Engine as _;

use serde_json::json;

use super::Session;
use crate::{
    domain::{
        Change, Counted, Facts, Inverse, OrganizationRef, ProjectRef, ReferenceText, Target, TeamRef, Thing, Timestamp, organizations::Logo,
    },
    error::ProviderError,
    providers::pictures::{BASE64, Picture},
    store::{args, row},
    tools::logos::{DeleteLogo, GetLogo, LogoOwner, SetLogo},
};

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
    let given = Picture::given(op.image.as_deref(), op.path.as_deref(), &at.settings.files).await?;
    let before = owner.logo(at).await?;
    let facts = Facts::none().note(given.fact());
    let picture =
        LogoRow { media_type: given.media_type.to_owned(), width: given.width.into(), height: given.height.into(), content: given.content };
    // The picture before is not kept.
    let facts = if before.is_some() { facts.ends(Thing::Logo, Counted::one(&owner.name)) } else { facts.undo("delete_logo") };
    let sql = "INSERT INTO logos (owner_kind, owner_id, media_type, width, height, content, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
               ON CONFLICT (owner_kind, owner_id) DO UPDATE SET media_type = excluded.media_type, width = excluded.width, \
               height = excluded.height, content = excluded.content, updated_at = excluded.updated_at";
    let (kind, id) = (owner.kind, &owner.id);
    let values = args![kind, id, &picture.media_type, picture.width, picture.height, picture.content.clone(), Timestamp::now().0];
    at.db.run(sql, &values).await?;
    let after = owner.view(&picture);
    let Some(before) = before else {
        let inverse = Inverse::call::<DeleteLogo>(json!({ "of": op.of, "target": owner.id }));
        return Ok(Change::created(owner.target(), facts, after).inverse(inverse));
    };
    Ok(Change::updated(owner.target(), facts, owner.view(&before), after))
}

pub(super) async fn delete(at: &mut Session, op: &DeleteLogo) -> Result<Change<Logo>, ProviderError> {
    let owner = Owner::of(at, op.of, &op.target, true).await?;
    let none = || ProviderError::gone(format!("{} `{}` has no logo", owner.kind, owner.name), "get_logo");
    let row = owner.logo(at).await?.ok_or_else(none)?;
    at.db.run("DELETE FROM logos WHERE owner_kind = $1 AND owner_id = $2", &args![owner.kind, &owner.id]).await?;
    let facts = Facts::none().ends(Thing::Logo, Counted::one(&owner.name)).note("the picture is not kept");
    Ok(Change::removed(owner.target(), facts, owner.view(&row)))
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
        Ok(match of {
            LogoOwner::Organization => {
                let it = at.organization(Some(&OrganizationRef::read(target.text()))).await?;
                Self { kind: "organization", id: it.id, organization: it.name.clone(), name: it.name }
            }
            LogoOwner::Team => {
                let it = at.team(&TeamRef::read(target.text())).await?;
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
