//! What the guard has to know of the account that a change goes to.

use std::time::Duration;

use futures_util::future::BoxFuture;

/// An account at a provider, as far as the guard knows one.
pub(crate) trait Account: Send + Sync {
    /// The connection's name, as it stands in questions and in the ledger.
    fn name(&self) -> &str;

    /// The longest that one request may be on its way: after that it has arrived, or never will.
    fn longest(&self) -> Duration;

    /// Whether the change of a call took effect; `None` where the provider cannot tell. With `give_up`, a change that has
    /// not taken effect by now never will, however late its process wakes up.
    fn settle(&self, call_id: &str, give_up: bool) -> BoxFuture<'static, Option<bool>>;
}
