//! Effects: what kind of thing an operation does. Annotations, policy and consent follow from it.

use serde::{Deserialize, Serialize};

/// What kind of thing an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// Changes something that can be changed back.
    Write,
    /// Gives somebody power or reach.
    Access,
    /// Ends access, data or a thing, or cannot be undone.
    Destroy,
}

impl Effect {
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Access, Self::Destroy];

    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Access => "access",
            Self::Destroy => "destroy",
        }
    }
}

/// An effect as a type, so that the compiler keeps changes behind the guard.
pub trait EffectKind: Send + Sync + 'static {
    const EFFECT: Effect;
}

/// The effects that change something: they need a plan with its impact.
///
/// Providers register reads and changes by two functions, whose bounds are these:
///
/// ```
/// use rolecall::tools::{Changes, Operation, Read, projects::{DeleteProject, ListProjects}};
///
/// fn registered_as_read<O: Operation<Effect = Read>>() {}
/// fn registered_as_change<O: Operation<Effect: Changes>>() {}
///
/// registered_as_read::<ListProjects>();
/// registered_as_change::<DeleteProject>();
/// ```
///
/// A change is no read:
///
/// ```compile_fail,E0271
/// use rolecall::tools::{Operation, Read, projects::DeleteProject};
///
/// fn registered_as_read<O: Operation<Effect = Read>>() {}
///
/// registered_as_read::<DeleteProject>();
/// ```
///
/// And a read has no plan, so it is no change:
///
/// ```compile_fail,E0277
/// use rolecall::tools::{Changes, Operation, projects::ListProjects};
///
/// fn registered_as_change<O: Operation<Effect: Changes>>() {}
///
/// registered_as_change::<ListProjects>();
/// ```
pub trait Changes: EffectKind {}

macro_rules! kinds {
    ($($name:ident)*) => {$(
        #[doc = concat!("[`Effect::", stringify!($name), "`] as a type.")]
        #[derive(Debug)]
        pub struct $name;
        impl EffectKind for $name {
            const EFFECT: Effect = Effect::$name;
        }
    )*};
}

kinds! { Read Write Access Destroy }

impl Changes for Write {}
impl Changes for Access {}
impl Changes for Destroy {}
