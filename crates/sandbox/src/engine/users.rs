//! Accounts.

use serde_json::{Value, json};

use super::{Account, Call, Code, Engine, Refusal, configs::OWNER, records::role_of, wire::Fields};

impl Account {
    pub(super) fn reply(&self) -> Value {
        json!({
            "id": self.id,
            "display_name": self.display_name,
            "email": self.email,
            "photo_url": "",
            "phone": self.phone,
            "status": self.status,
        })
    }
}

impl Engine {
    pub(super) fn user_by_email(&self, call: &Call) -> Result<Value, Refusal> {
        let email = call.param("email").filter(|it| !it.is_empty()).ok_or_else(|| Refusal::invalid("email is required"))?;
        self.with_email(email).map(Account::reply).ok_or_else(|| Refusal::missing("user", email))
    }

    /// Creates an account, with a password of the service's own where none is given. Only owners of an organization may.
    pub(super) fn create_user(&mut self, caller: &str, call: &Call) -> Result<Value, Refusal> {
        if !self.orgs.iter().any(|it| role_of(&it.seats, caller) == Some(OWNER)) {
            return Err(Refusal::denied("organization owner"));
        }
        let fields = Fields::read(call, &["email", "name", "password"])?;
        let (email, name) = (fields.required("email")?, fields.required("name")?);
        if !email.contains('@') {
            return Err(Refusal::invalid("email is not an e-mail address"));
        }
        if self.with_email(email).is_some() {
            return Err(Refusal::new(Code::AlreadyExists, "ALREADY_EXISTS", format!("a user with email {email} exists")));
        }
        let number = self.next();
        let password = Some(fields.text("password")).filter(|it| !it.is_empty());
        let account = Account {
            id: format!("u-{number}"),
            display_name: name.to_owned(),
            email: email.to_owned(),
            phone: String::new(),
            status: String::new(),
            password: password.map_or_else(|| format!("engine-test-password-{number}"), ToOwned::to_owned),
            custom_token: None,
        };
        let reply = account.reply();
        self.accounts.push(account);
        Ok(reply)
    }

    fn with_email(&self, email: &str) -> Option<&Account> {
        self.accounts.iter().find(|it| it.email.to_lowercase() == email.to_lowercase())
    }
}
