//! Nouns: what organizations are made of. No I/O, no provider, no MCP.

mod address;
mod facts;
mod gaps;
mod impact;
mod page;
mod past;
mod reference;
mod review;
mod text;
mod until;

pub mod access;
pub mod jobs;
pub mod keys;
pub mod limits;
pub mod members;
pub mod organizations;
pub mod projects;
pub mod roles;
pub mod teams;

pub use address::{canonical, same_address, spellings, written_address};
pub use facts::{Counted, Fact, Facts, Losing, Surroundings, Thing, mail_domain};
pub use gaps::{Failed, Gaps};
pub use impact::{Change, ChangeData, Gravity, Impact, Inverse, Loss, Secret, Target};
pub use page::{Cursor, Limit, List, PageRequest};
pub use past::Past;
pub use reference::{
    ApiKeyRef, CertificateRef, ConnectionName, InvalidReference, InvitationRef, JobRef, MemberRef, ModelName, OrganizationRef, PersonRef,
    ProjectRef, ReferenceText, ResourceId, ResourceType, RoleRef, ServiceAccountRef, SoughtRef, TeamRef, UsageLimitRef,
};
pub use review::ReviewLimits;
pub use text::{
    Description, Email, InvalidText, Name, Query, Slug, Timestamp, Website, clean, fold, fold_accents, like_literal, one_line,
    same_letters, slugify,
};
pub use until::{InvalidUntil, Until};
