//! State: one SQLite file, or one PostgreSQL database, with the same SQL text.

mod approvals;
mod clock;
mod consoles;
mod db;
mod ends;
mod errors;
mod failure;
mod jobs;
mod kept;
mod ledger;
mod migrating;
mod open;
mod reading;
mod repeats;
mod reviews;
mod segments;
mod servers;
mod values;
mod waiting;

pub use approvals::Approval;
pub use clock::{Clock, Mark};
pub use db::{Conn, Db, Recording, Statement, hear, heard};
pub use ends::EndRow;
pub use failure::StoreError;
pub use jobs::{JobRecord, JobRow, Lease, NewRow, NewRows, RowChange, Taken, Tally};
pub use kept::KeptTime;
pub use ledger::{Anchor, CallPage, CallsOfDay, EntryKind, LedgerRow, OpenIntent, Verification};
pub use repeats::{Repeat, RepeatKey};
pub use segments::{Base, LedgerKey, Retention};
pub use values::{Row, Val};

pub(crate) use db::{FromStore, pause, transaction};
pub use open::Pools;
pub(crate) use open::{private_folder, private_new_file};
pub(crate) use values::{args, row};
pub(crate) use waiting::{Tries, patiently, until, within};

/// A new id such as `prj_01m4x8k2c7qn5w3r`: later ones sort after earlier ones, give or take a millisecond.
pub fn new_id(prefix: &str) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let millis = u128::try_from(crate::domain::Timestamp::now().0).unwrap_or_default();
    let random = uuid::Uuid::new_v4().as_u128();
    // 45 bits of time and 35 of chance: 16 letters of 5 bits.
    let bits = (millis & ((1 << 45) - 1)) << 35 | (random & ((1 << 35) - 1));
    let letters = (0..16).rev().map(|at| char::from(ALPHABET[usize::try_from(bits >> (5 * at) & 31).unwrap_or_default()]));
    format!("{prefix}_{}", letters.collect::<String>())
}

/// SHA-256 in lower-case hex.
pub fn sha256(text: impl AsRef<[u8]>) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text.as_ref()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = std::fmt::Write::write_fmt(&mut hex, format_args!("{byte:02x}"));
        hex
    })
}
