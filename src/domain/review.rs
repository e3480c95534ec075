//! What a review of access counts as long.

/// From when on something is worth a finding, and how many findings are told at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReviewLimits {
    /// A key that nobody used for so many days is not needed.
    pub unused_days: u32,
    /// So many days a new key may wait for its first use.
    pub new_days: u32,
    /// A key that is older than so many days should be replaced.
    pub old_days: u32,
    /// Whoever owns more projects than so many is a risk.
    pub owned_projects: u32,
    /// So many findings a page has.
    pub page: u32,
}

impl Default for ReviewLimits {
    fn default() -> Self {
        Self { unused_days: 90, new_days: 30, old_days: 365, owned_projects: 3, page: 50 }
    }
}
