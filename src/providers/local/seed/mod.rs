//! Demo content for an empty directory, so that there is something to practise on.
//!
//! What is planted stands in `.toml` files, each beside the file that makes rows of it. Everything has a fixed id, and times
//! count back from now, so that one invitation is always pending and another always expired. All names are invented, and all
//! addresses end in `.example`.

use serde::de::DeserializeOwned;

use crate::{
    domain::Timestamp,
    error::ProviderError,
    store::{Conn, Db, StoreError, Val, args, transaction},
};

mod keys;
mod limits;
mod organizations;
mod people;
mod projects;

/// The seeds there are, and what is in them.
pub const SEEDS: &[(&str, &str)] = &[("acme", "three organizations with about 60 people, 9 teams and 22 projects")];

/// What was planted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeded {
    pub organizations: u64,
    pub people: u64,
    pub teams: u64,
    pub projects: u64,
    pub api_keys: u64,
}

/// Fills an empty directory, in one transaction.
///
/// # Errors
///
/// When there is no such seed, when the directory is not empty, or when it cannot be used.
pub async fn seed(db: &Db, name: &str) -> Result<Seeded, ProviderError> {
    if !SEEDS.iter().any(|(known, _)| *known == name) {
        let known: Vec<_> = SEEDS.iter().map(|it| it.0).collect();
        return Err(ProviderError::NotFound {
            kind: "seed",
            name: name.to_owned(),
            scope: String::new(),
            fix: format!("use one of: {}", known.join(", ")),
        });
    }
    transaction!(db, ProviderError, tx => { plant(&mut tx).await })
}

async fn plant(tx: &mut Conn) -> Result<Seeded, ProviderError> {
    let sql = "SELECT (SELECT COUNT(*) FROM organizations) + (SELECT COUNT(*) FROM users)";
    if tx.number(sql, &args![]).await? > 0 {
        return Err(ProviderError::conflict(
            "directory_not_empty",
            "the directory has organizations or people already",
            "seed a new store: give another file or database",
        ));
    }
    let ago = Ago(Timestamp::now().0);
    // Rows come after those they refer to.
    let tables = [organizations::rows(ago)?, people::rows(ago)?, projects::rows(ago)?, keys::rows(ago)?, limits::rows(ago)?];
    let tables: Vec<Rows> = tables.into_iter().flatten().collect();
    for rows in &tables {
        rows.insert(tx).await?;
    }
    let count = |table: &str| tables.iter().filter(|it| it.table == table).map(|it| it.len() as u64).sum();
    Ok(Seeded {
        organizations: count("organizations"),
        people: count("users"),
        teams: count("teams"),
        projects: count("projects"),
        api_keys: count("api_keys"),
    })
}

/// Reads a file of the seed. It is part of the program: that it can be read is what the tests of the seed see to.
fn read<T: DeserializeOwned>(file: &str) -> Result<T, ProviderError> {
    toml::from_str(file)
        .map_err(|error| ProviderError::conflict("seed_not_readable", format!("the seed cannot be read: {error}"), "report it as a defect"))
}

const DAY: i64 = 86_400_000;

/// Times relative to the moment of seeding.
#[derive(Debug, Clone, Copy)]
struct Ago(i64);

impl Ago {
    /// So many days before now; after it, when negative.
    fn days(self, days: i64) -> i64 {
        self.0 - days * DAY
    }
}

/// Rows of one table, inserted many at a time.
struct Rows {
    table: &'static str,
    columns: &'static [&'static str],
    values: Vec<Val>,
}

/// How many values one statement binds at most; `SQLite` takes 32,766.
const BOUND: usize = 20_000;

impl Rows {
    fn of<const N: usize>(table: &'static str, columns: &'static [&'static str; N], rows: impl IntoIterator<Item = [Val; N]>) -> Self {
        Self { table, columns, values: rows.into_iter().flatten().collect() }
    }

    fn len(&self) -> usize {
        self.values.len() / self.columns.len()
    }

    async fn insert(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let width = self.columns.len();
        for values in self.values.chunks(BOUND / width * width) {
            let places: Vec<String> = (0..values.len() / width)
                .map(|row| {
                    let row: Vec<_> = (1..=width).map(|column| format!("${}", row * width + column)).collect();
                    format!("({})", row.join(", "))
                })
                .collect();
            let sql = format!("INSERT INTO {} ({}) VALUES {}", self.table, self.columns.join(", "), places.join(", "));
            tx.run(&sql, values).await?;
        }
        Ok(())
    }
}

/// The texts as a JSON array.
fn json_array(texts: &[String]) -> String {
    serde_json::Value::from(texts).to_string()
}

/// A number of a table's row, for times that differ from row to row and are always the same.
fn step(at: usize) -> i64 {
    i64::try_from(at).unwrap_or_default()
}
