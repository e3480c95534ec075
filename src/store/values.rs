//! What goes into statements and comes out of them, the same for both databases.

use sqlx::{postgres::PgRow, sqlite::SqliteRow};

/// A value to bind.
#[derive(Debug, Clone)]
pub enum Val {
    Text(Option<String>),
    Int(Option<i64>),
    Bool(bool),
    Bytes(Vec<u8>),
}

impl From<&str> for Val {
    fn from(it: &str) -> Self {
        Self::Text(Some(it.to_owned()))
    }
}
impl From<&String> for Val {
    fn from(it: &String) -> Self {
        Self::Text(Some(it.clone()))
    }
}
impl From<String> for Val {
    fn from(it: String) -> Self {
        Self::Text(Some(it))
    }
}
impl From<Option<String>> for Val {
    fn from(it: Option<String>) -> Self {
        Self::Text(it)
    }
}
impl From<&Option<String>> for Val {
    fn from(it: &Option<String>) -> Self {
        Self::Text(it.clone())
    }
}
impl From<Option<&str>> for Val {
    fn from(it: Option<&str>) -> Self {
        Self::Text(it.map(str::to_owned))
    }
}
impl From<i64> for Val {
    fn from(it: i64) -> Self {
        Self::Int(Some(it))
    }
}
impl From<Option<i64>> for Val {
    fn from(it: Option<i64>) -> Self {
        Self::Int(it)
    }
}
impl From<bool> for Val {
    fn from(it: bool) -> Self {
        Self::Bool(it)
    }
}
impl From<Vec<u8>> for Val {
    fn from(it: Vec<u8>) -> Self {
        Self::Bytes(it)
    }
}

/// The values to bind to `$1`, `$2`, ….
macro_rules! args {
    ($($value:expr),* $(,)?) => { [$($crate::store::Val::from($value)),*] };
}
pub(crate) use args;

/// A struct read from a row, column by column, on both databases.
pub trait Row: for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin {}
impl<T> Row for T where T: for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin {}

/// Declares a struct whose fields are columns: `row! { struct Team { id: String, members: i64 } }`.
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($field:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        $vis struct $name { $($vis $field: $type),+ }

        impl<'r, R> sqlx::FromRow<'r, R> for $name
        where
            R: sqlx::Row,
            &'static str: sqlx::ColumnIndex<R>,
            $($type: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>),+
        {
            fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
                Ok(Self { $($field: row.try_get(stringify!($field))?),+ })
            }
        }
    };
}
pub(crate) use row;
