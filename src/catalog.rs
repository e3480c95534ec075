//! The catalog: verbs × connections = what is on offer, schemas narrowed to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use serde_json::{Map, Value, json};

use crate::{
    error::CallError,
    guard::AllowLists,
    providers::{Connection, Prepared, Scope, builtin},
    tools::{
        self, Asked, Effect, Fault, Operation as _, Tool, Understood, jobs,
        members::{CopyAccess, InvitePeople, OffboardPerson},
        misunderstood,
        project_members::{AddProjectMember, AddProjectMembers},
        projects::{CopyProject, CreateProject},
        understand,
    },
};

/// A tool on offer.
#[derive(Debug, Clone)]
pub struct Offer {
    pub tool: Tool,
    /// The connections that serve it.
    able: Vec<Arc<Connection>>,
    /// Those that do not.
    others: Vec<Arc<Connection>>,
    /// Fields that every able connection ignores.
    dropped: BTreeSet<&'static str>,
    token: bool,
    /// Whether there is one account only: then nothing has to say which.
    alone: bool,
    /// See [`Offer::asked`].
    asked: OnceLock<Map<String, Value>>,
}

/// What the arguments of a call hold besides the operation's own.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    pub connection: Option<String>,
    pub dry_run: bool,
    pub idempotency_key: Option<String>,
    pub confirmation_token: Option<String>,
}

/// Everything on offer, by name.
#[derive(Debug)]
pub struct Catalog {
    offers: BTreeMap<&'static str, Offer>,
}

impl Catalog {
    /// `own` serves the server's own tools; `token` says whether consent may come as a token.
    pub fn new(connections: &[Arc<Connection>], own: &Arc<Connection>, lists: &AllowLists, token: bool) -> Self {
        let offer = |tool: Tool| {
            let able: Vec<_> = connections.iter().chain([own]).filter(|it| it.serves(tool.name) || is_job(&tool, it)).cloned().collect();
            let ignored = |it: &Arc<Connection>| it.ignores(tool.name).iter().copied().collect::<BTreeSet<_>>();
            let dropped = able.iter().map(ignored).reduce(|a, b| &a & &b).unwrap_or_default();
            let token = token && matches!(tool.effect, Effect::Access | Effect::Destroy);
            let others = connections.iter().filter(|it| !able.iter().any(|able| Arc::ptr_eq(able, it))).cloned().collect();
            let alone = connections.len() < 2;
            (!able.is_empty()).then_some((tool.name, Offer { tool, able, others, dropped, token, alone, asked: OnceLock::new() }))
        };
        Self { offers: tools::all().into_iter().filter(|it| lists.offers(it)).filter_map(offer).collect() }
    }

    /// The offers, sorted by name: the same list every time.
    pub fn offers(&self) -> impl Iterator<Item = &Offer> {
        self.offers.values()
    }

    /// The offer of this name, also where it is written in another style, such as `listProjects`.
    ///
    /// # Errors
    ///
    /// Where there is none, with the nearest.
    pub fn offer(&self, name: &str) -> Result<&Offer, CallError> {
        if let Some(offer) = self.offers.get(name) {
            return Ok(offer);
        }
        let plain = |it: &str| it.chars().filter(char::is_ascii_alphanumeric).map(|it| it.to_ascii_lowercase()).collect::<String>();
        let wanted = plain(name);
        self.offers.values().find(|it| plain(it.tool.name) == wanted).ok_or_else(|| {
            let near = tools::near(name, self.offers.keys().copied());
            CallError::UnknownTool { name: crate::shape::cut(name, 80), near: near.into_iter().map(str::to_owned).collect() }
        })
    }
}

impl Offer {
    /// The JSON Schema of the arguments, narrowed to the connections that serve it.
    pub fn input_schema(&self) -> Map<String, Value> {
        let mut schema = self.tool.input();
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            // A field that only some connections know stays: a call that gives it to another one is told so before anything is sent.
            properties.retain(|name, _| !self.dropped.contains(name.as_str()));
            if let Some(steps) = properties.get_mut("steps").filter(|_| self.alone && self.tool.name == jobs::ApplyChanges::NAME) {
                steps["description"] = "Calls".into();
            }
            if self.able.len() > 1 {
                let names: Vec<&str> = self.able.iter().map(|it| it.name.as_str()).collect();
                let description = if self.tool.across { "Account; absent: all" } else { "Account" };
                properties.insert("connection".into(), json!({ "type": "string", "description": description, "enum": names }));
            } else if self.tool.spans && self.others.len() > 1 {
                let names: Vec<&str> = self.others.iter().map(|it| it.name.as_str()).collect();
                properties.insert("connection".into(), json!({ "type": "string", "description": "Account; absent: all", "enum": names }));
            }
            if self.tool.effect != Effect::Read {
                properties.insert("dry_run".into(), json!({ "type": "boolean", "description": "Preview" }));
                // The choice of an account is paid for with what models can do without: all changes still take it.
                if self.able.len() == 1 {
                    properties.insert("idempotency_key".into(), json!({ "type": "string", "description": "Unique" }));
                }
            }
            if self.token {
                let token = json!({ "type": "string", "description": "From the answer before" });
                properties.insert("confirmation_token".into(), token);
            }
        }
        if self.able.len() > 1 && !self.tool.across {
            let required = schema.entry("required").or_insert_with(|| json!([]));
            if let Value::Array(required) = required {
                required.push("connection".into());
            }
        }
        schema
    }

    /// The JSON Schema of the result: of a receipt, the fields that it can have here. Where an account has to be named, the answer
    /// repeats its name, which is not declared again.
    pub fn output_schema(&self) -> Map<String, Value> {
        let mut schema = self.tool.output();
        let many = self.able.len() > 1;
        if let (Some(Value::Object(properties)), true) = (schema.get_mut("properties"), many) {
            properties.shift_remove("connection");
        }
        if let (Some(Value::Object(properties)), true) = (schema.get_mut("properties"), self.tool.effect != Effect::Read) {
            let is_job = self.able.iter().any(|it| self.is_job(it));
            properties.retain(|name, _| match name.as_str() {
                "secret" => self.tool.makes_secret,
                "confirmation_token" | "expires_in_s" => self.token,
                "job" => is_job,
                // Of a key that is not in the list of arguments, either.
                "replayed" => !many,
                _ => true,
            });
        }
        schema
    }

    /// Understands the arguments of a call, and takes what is not the operation's own out of them.
    ///
    /// # Errors
    ///
    /// All that cannot be understood, at once.
    pub fn open(&self, arguments: &mut Map<String, Value>) -> Result<Envelope, CallError> {
        let Understood { arguments: mut own, mut faults } = understand(self.as_asked(), std::mem::take(arguments));
        let mut envelope = Envelope::default();
        let mut text = |own: &mut Map<String, Value>, name: &str, most: usize| match own.shift_remove(name) {
            None => None,
            Some(Value::String(it)) if it.len() <= most => Some(it),
            Some(_) => {
                faults.push(Fault::new(name, format!("`{name}` is not a text of 1 to {most} characters"), "correct it or leave it out"));
                None
            }
        };
        envelope.connection = text(&mut own, "connection", 200);
        envelope.idempotency_key = text(&mut own, "idempotency_key", 100);
        envelope.confirmation_token = text(&mut own, "confirmation_token", 2000);
        envelope.dry_run = own.shift_remove("dry_run").is_some_and(|it| it == true);
        if let (Some(named), true, false) = (envelope.connection.as_ref().filter(|it| *it != builtin::NAME), self.is_own(), self.tool.spans)
        {
            let message = format!("`connection` is `{}`, and {} is about all connections", crate::shape::cut(named, 80), self.tool.name);
            let fix = if self.tool.name == OffboardPerson::NAME { "name accounts in `connections`" } else { "leave it out" };
            faults.push(Fault::new("connection", message, fix));
        }
        if faults.is_empty() {
            *arguments = own;
            return Ok(envelope);
        }
        // What is wrong with the others is told at the same time.
        let more = (self.tool.faults)(own.clone()).into_iter().filter(|it| own.contains_key(it.root()));
        faults.extend(more.filter(|it| !is_reference(&own[it.root()])));
        Err(misunderstood(faults))
    }

    fn as_asked(&self) -> Asked<'_> {
        Asked { tool: self.tool.name, effect: self.tool.effect, schema: self.asked.get_or_init(|| self.asked()) }
    }

    /// The argument that a name stands for, such as `userEmail` for `member`, with its schema.
    pub(crate) fn argument(&self, name: &str) -> Option<(&str, &Value)> {
        tools::argument(self.as_asked(), name)
    }

    /// The schema of all that a call may have, which the first call needs and the others look at again.
    fn asked(&self) -> Map<String, Value> {
        let mut schema = self.tool.input();
        let properties = schema.entry("properties").or_insert_with(|| json!({}));
        if let Value::Object(properties) = properties {
            properties.insert("connection".into(), json!({ "type": "string" }));
            if self.tool.effect != Effect::Read {
                properties.insert("dry_run".into(), json!({ "type": "boolean" }));
                properties.insert("idempotency_key".into(), json!({ "type": "string" }));
            }
            if self.token {
                properties.insert("confirmation_token".into(), json!({ "type": "string" }));
            }
        }
        schema
    }

    /// Whether it is one of the server's own tools, which are about all connections.
    fn is_own(&self) -> bool {
        self.able.iter().all(|it| it.name == builtin::NAME)
    }

    /// The accounts that a call of the server's own tools is about: the one that is named, else all.
    ///
    /// # Errors
    ///
    /// Where none is called so.
    pub fn about(&self, named: Option<&str>) -> Result<&[Arc<Connection>], CallError> {
        let Some(named) = named.filter(|it| *it != builtin::NAME) else { return Ok(&self.others) };
        let at = self
            .others
            .iter()
            .position(|it| it.name == named)
            .or_else(|| self.others.iter().position(|it| plain(&it.name) == plain(named)));
        let able = || self.others.iter().map(|it| it.name.clone()).collect();
        let at = at.ok_or_else(|| CallError::UnknownConnection { name: crate::shape::cut(named, 80), able: able() })?;
        Ok(&self.others[at..=at])
    }

    /// The connection a call is for.
    pub fn connection(&self, named: Option<&str>) -> Result<&Arc<Connection>, CallError> {
        let able = || self.able.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
        if let ([own], true) = (self.able.as_slice(), self.tool.spans) {
            return Ok(own);
        }
        match (named, self.able.as_slice()) {
            (None, [only]) => Ok(only),
            (None, _) => Err(invalid("`connection` is missing", format!("use one of: {}", able().join(", ")))),
            (Some(name), all) => {
                let found = all.iter().find(|it| it.name == name).or_else(|| all.iter().find(|it| plain(&it.name) == plain(name)));
                found.ok_or_else(|| match self.others.iter().find(|it| plain(&it.name) == plain(name)) {
                    Some(other) => self.not_served(other, able()),
                    None => CallError::UnknownConnection { name: crate::shape::cut(name, 80), able: able() },
                })
            }
        }
    }

    /// That a connection has no such tool, and which of its tools come near.
    fn not_served(&self, connection: &Connection, able: Vec<String>) -> CallError {
        let there = tools::all().into_iter().filter(|it| connection.serves(it.name) && it.domain == self.tool.domain).map(|it| it.name);
        let near = tools::near(self.tool.name, there).into_iter().map(str::to_owned).collect();
        CallError::NotServed { tool: self.tool.name, connection: connection.name.clone(), near, able }
    }

    /// Decodes a call; nothing is sent. Arguments that the connection's provider knows nothing to do with are refused: whoever gave
    /// them counts on them.
    pub(crate) fn prepare(&self, connection: &Connection, scope: &Scope, arguments: Map<String, Value>) -> Result<Prepared, CallError> {
        if let Some(field) = connection.ignores(self.tool.name).iter().find(|it| arguments.contains_key(**it)) {
            return Err(invalid(format!("`{field}` is not supported by connection `{}`", connection.name), "leave it out"));
        }
        connection.prepare(scope, self.tool.name, arguments)
    }

    /// Whether it changes nothing.
    pub fn is_read(&self) -> bool {
        self.tool.effect == Effect::Read
    }

    /// Whether a call that names no connection is for all of them.
    pub fn is_across(&self) -> bool {
        self.tool.across && self.able.len() > 1
    }

    /// Whether a call on this connection is a job: work of many calls.
    pub(crate) fn is_job(&self, connection: &Connection) -> bool {
        is_job(&self.tool, connection)
    }

    /// The connections that serve it.
    pub fn able(&self) -> &[Arc<Connection>] {
        &self.able
    }
}

/// What is about jobs belongs to the server itself; many people are a job wherever one can be added.
fn is_job(tool: &Tool, connection: &Connection) -> bool {
    match tool.name {
        AddProjectMembers::NAME | InvitePeople::NAME | CopyAccess::NAME => connection.serves(AddProjectMember::NAME),
        CopyProject::NAME => connection.serves(CreateProject::NAME) && connection.serves(AddProjectMember::NAME),
        OffboardPerson::NAME => connection.name == builtin::NAME,
        _ => tool.domain == jobs::DOMAIN && connection.name == builtin::NAME,
    }
}

/// A connection's name without what was written around it.
fn plain(name: &str) -> String {
    name.trim().trim_matches(['"', '\'', '`']).to_lowercase()
}

/// Whether a value is what an earlier step gives, which is known only then.
fn is_reference(value: &Value) -> bool {
    value.to_string().contains("${")
}

fn invalid(message: impl Into<String>, fix: impl Into<String>) -> CallError {
    CallError::InvalidArguments { message: message.into(), fix: fix.into() }
}
