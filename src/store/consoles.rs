//! The consoles that are open on a store, and the codes by which people sign in to them.

use super::{Clock, Conn, StoreError, args, sha256};

/// How long a console counts as open since it was last heard of, in milliseconds.
const OPEN_FOR: i64 = 30_000;
/// How long a code is good, in milliseconds.
const CODE_FOR: i64 = 300_000;

impl Conn {
    /// Says that a console is open at an address: for the first time, or still.
    pub async fn console_is_open(&mut self, id: &str, address: &str) -> Result<(), StoreError> {
        let now = self.now(&Clock::Machine).await?.0;
        self.run("DELETE FROM consoles WHERE seen_at < $1", &args![now - OPEN_FOR]).await?;
        let sql = "INSERT INTO consoles (id, address, seen_at) VALUES ($1, $2, $3) \
                   ON CONFLICT (id) DO UPDATE SET address = excluded.address, seen_at = excluded.seen_at";
        self.run(sql, &args![id, address, now]).await.map(drop)
    }

    /// Says that a console is open no longer.
    pub async fn console_is_closed(&mut self, id: &str) -> Result<(), StoreError> {
        self.run("DELETE FROM consoles WHERE id = $1", &args![id]).await.map(drop)
    }

    /// The address of the console that was heard of last, where one is open.
    pub async fn console(&mut self) -> Result<Option<String>, StoreError> {
        let now = self.now(&Clock::Machine).await?.0;
        let sql = "SELECT address FROM consoles WHERE seen_at >= $1 ORDER BY seen_at DESC, id LIMIT 1";
        Ok(self.texts(sql, &args![now - OPEN_FOR]).await?.pop())
    }

    /// Keeps a code by which a person may sign in once, soon. What is kept does not tell the code.
    pub async fn add_code(&mut self, code: &str, person: &str) -> Result<(), StoreError> {
        let now = self.now(&Clock::Machine).await?.0;
        self.run("DELETE FROM sign_in_codes WHERE expires_at <= $1", &args![now]).await?;
        let sql = "INSERT INTO sign_in_codes (digest, person, expires_at) VALUES ($1, $2, $3)";
        self.run(sql, &args![digest(code), person, now + CODE_FOR]).await.map(drop)
    }

    /// Uses a code up; answers for whom it was made, or `None` where it is none, was used before or has expired.
    pub async fn use_code(&mut self, code: &str) -> Result<Option<String>, StoreError> {
        let now = self.now(&Clock::Machine).await?.0;
        let person =
            self.texts("SELECT person FROM sign_in_codes WHERE digest = $1 AND expires_at > $2", &args![digest(code), now]).await?;
        let used = self.run("DELETE FROM sign_in_codes WHERE digest = $1", &args![digest(code)]).await?;
        Ok(person.into_iter().next().filter(|_| used == 1))
    }
}

fn digest(code: &str) -> String {
    sha256(format!("rolecall sign-in\n{code}"))
}
