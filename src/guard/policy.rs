//! Policy: whether a call may be made at all, and whether a person is asked.

use std::collections::BTreeSet;

use crate::{
    domain::{Gravity, Impact},
    tools::{Effect, Tool, jobs},
};

/// The three answers there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Deny {
        reason: String,
        fix: String,
    },
    Allow,
    /// A person has to agree.
    Confirm,
}

/// What is decided about.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub tool: &'a Tool,
    pub connection: &'a str,
    pub principal: &'a str,
    /// Known once a change was planned.
    pub impact: Option<&'a Impact>,
    /// Whether it gives anybody or anything power over others; known at the same time.
    pub gives_power: bool,
}

/// Decides about calls. It is asked before anything is read for a call, and again when a change's impact is known.
pub trait Policy: Send + Sync {
    fn decide(&self, subject: Subject<'_>) -> Decision;
}

/// The allow-lists of the configuration; a person is asked whenever something is lost or power is given.
#[derive(Debug, Clone)]
pub struct AllowLists {
    pub effects: BTreeSet<Effect>,
    /// Nouns on offer; `None` for all.
    pub domains: Option<BTreeSet<String>>,
}

impl Default for AllowLists {
    fn default() -> Self {
        Self { effects: Effect::ALL.into(), domains: None }
    }
}

impl AllowLists {
    /// Nothing but reads.
    pub fn read_only() -> Self {
        Self { effects: [Effect::Read].into(), domains: None }
    }

    pub fn offers(&self, tool: &Tool) -> bool {
        let may_change = || self.effects.iter().any(|it| *it != Effect::Read);
        let by_effect = match tool.domain {
            // A job has the effects of its steps, and each of them is decided about.
            jobs::DOMAIN if tool.effect != Effect::Read => may_change(),
            _ => self.effects.contains(&tool.effect),
        };
        by_effect && self.domains.as_ref().is_none_or(|it| it.contains(tool.domain) || ["context", jobs::DOMAIN].contains(&tool.domain))
    }
}

impl Policy for AllowLists {
    fn decide(&self, subject: Subject<'_>) -> Decision {
        let tool = subject.tool;
        if !self.offers(tool) {
            return Decision::Deny {
                reason: format!(
                    "{} is not on offer here: this server allows no {} operations on {}",
                    tool.name,
                    tool.effect.name(),
                    tool.domain
                ),
                fix: "the operator of this server decides, with `tools.allow` and `tools.domains`".into(),
            };
        }
        // What gives power is access, whichever tool and argument it comes by.
        if subject.gives_power && !self.effects.contains(&Effect::Access) {
            return Decision::Deny {
                reason: format!("with these arguments {} gives power over others, and this server allows no access operations", tool.name),
                fix: "leave out what gives power, or let the operator of this server allow `access` in `tools.allow`".into(),
            };
        }
        match (tool.effect, subject.impact.map(|it| it.gravity)) {
            (Effect::Destroy, _) | (_, Some(Gravity::Low | Gravity::High | Gravity::Critical)) => Decision::Confirm,
            _ => Decision::Allow,
        }
    }
}
