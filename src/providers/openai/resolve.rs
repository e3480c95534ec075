//! From names to things: exactly one, or an error that says what to write instead.

use super::{
    Session,
    errors::found,
    invitations,
    members::{self, WireUser},
    projects::{self, WireProject},
    roles::{self, WireRole},
    teams::{self, WireGroup},
};
use crate::{
    domain::{ProjectRef, ReferenceText, RoleRef, TeamRef, fold},
    error::ProviderError,
    providers::{
        meant::{at_most_one, has_id},
        people::{Sought, with_address},
        resolve::matching,
    },
};

/// How many look-ups are made one by one before the whole list is read instead.
pub(super) const ONE_BY_ONE: u32 = 3;

/// What a reference is looked for in.
pub(super) struct Search<'a> {
    pub(super) kind: &'static str,
    pub(super) wanted: &'a str,
    /// Where it was looked for, for messages; empty: in the organization.
    pub(super) scope: &'a str,
    pub(super) list_tool: &'static str,
}

impl Search<'_> {
    /// The only match.
    pub(super) fn only<T: Clone>(&self, all: &[T], id: impl Fn(&T) -> &str, name: impl Fn(&T) -> &str) -> Result<T, ProviderError> {
        let fitting = matching(all, self.kind, self.wanted, &id, |it| vec![name(it)], |_| Vec::new());
        let only = at_most_one(fitting, self.kind, self.wanted, |it| format!("{} [{}]", name(it), id(it)))?;
        only.cloned().ok_or_else(|| self.not_found(&near(&fold(self.wanted), all.iter().map(&name))))
    }

    pub(super) fn not_found(&self, near: &[String]) -> ProviderError {
        let Self { kind, wanted, scope, list_tool } = *self;
        let hint = if near.is_empty() { String::new() } else { format!("did you mean {}? ", near.join(" or ")) };
        let fix = format!("{hint}find it with {list_tool}; names are matched whole");
        ProviderError::NotFound { kind, name: wanted.to_owned(), scope: scope.to_owned(), fix }
    }
}

/// The names that somebody may have meant.
fn near<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut near: Vec<(f64, &str)> = names.map(|it| (strsim::jaro_winkler(wanted, &fold(it)), it)).filter(|it| it.0 > 0.8).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    near.into_iter().take(3).map(|it| format!("`{}`", it.1)).collect()
}

impl Session {
    /// The project that is named, archived or not.
    pub(super) async fn project(&self, named: &ProjectRef) -> Result<WireProject, ProviderError> {
        let wanted = named.text();
        // What looks like an id is asked for as one: it saves the list, and where it is a name after all, the list decides.
        if wanted.starts_with("proj_")
            && let Some(project) = found(projects::retrieve(self, wanted).await)?
        {
            return Ok(project);
        }
        let search = Search { kind: "project", wanted, scope: "", list_tool: "list_projects" };
        let all = projects::known(self).await?;
        // One that is archived stands back behind an active one of the same name.
        let (active, archived): (Vec<&WireProject>, Vec<&WireProject>) = all.iter().partition(|it| !it.is_archived());
        let fits = |pool: &[&WireProject]| {
            !matching(pool, search.kind, wanted, |it: &&WireProject| &it.id, |it| vec![it.name()], |_| Vec::new()).is_empty()
        };
        let pool = if fits(&active) || !fits(&archived) { active } else { archived };
        search.only(&pool, |it| &it.id, |it| it.name()).cloned()
    }

    /// The project that is named, if it can be changed.
    pub(super) async fn active_project(&self, named: &ProjectRef) -> Result<WireProject, ProviderError> {
        let project = self.project(named).await?;
        if !project.is_archived() {
            return Ok(project);
        }
        Err(ProviderError::conflict(
            "project_archived",
            format!("project `{}` is archived and read-only", project.name()),
            "create a new project, or choose an active one from list_projects",
        ))
    }

    /// The person of the organization who is named.
    pub(super) async fn person<R: ReferenceText>(&self, named: &R) -> Result<WireUser, ProviderError> {
        self.person_called(named.text(), R::BY_PART).await
    }

    /// The same, by the text alone.
    pub(super) async fn person_called(&self, text: &str, by_part: bool) -> Result<WireUser, ProviderError> {
        if let Some(person) = self.find_person(text).await? {
            return Ok(person);
        }
        let scope = self.organization();
        // Whoever was invited is not here yet, and that is said.
        if let Some(fix) = self.invited(text).await {
            return Err(ProviderError::NotFound { kind: "member", name: text.to_owned(), scope, fix });
        }
        let sought = Sought { text, by_part, scope: &scope, list_tool: "list_organization_members" };
        sought.among(&members::all(self).await?, WireUser::known).cloned()
    }

    /// What can be done about somebody who was invited and has not come in yet. It is only a hint, so that a key that may not look
    /// at invitations is no error.
    pub(super) async fn invited(&self, wanted: &str) -> Option<String> {
        if !wanted.contains('@') {
            return None;
        }
        let pending = invitations::pending_of(self, wanted).await.ok()?.into_iter().next()?;
        Some(format!("an invitation is pending: {}; wait until it is accepted, or end it with cancel_invitation", pending.told()))
    }

    /// The person with this e-mail or id, if there is one.
    pub(super) async fn find_person(&self, wanted: &str) -> Result<Option<WireUser>, ProviderError> {
        if self.asked_before("person") >= ONE_BY_ONE {
            let all = members::all(self).await?;
            if let Some(found) = all.iter().find(|it| has_id(it.id.as_str(), wanted)) {
                return Ok(Some(found.clone()));
            }
            return Ok(with_address(&all, wanted, WireUser::known)?.cloned());
        }
        if wanted.contains('@') {
            return members::by_email(self, wanted).await;
        }
        // What has blanks is a name.
        let is_id = wanted.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '_'));
        if is_id { found(members::retrieve(self, wanted).await) } else { Ok(None) }
    }

    /// The group that is named.
    pub(super) async fn team(&self, named: &TeamRef) -> Result<WireGroup, ProviderError> {
        let search = Search { kind: "team", wanted: named.text(), scope: "", list_tool: "list_teams" };
        search.only(&teams::known(self).await?, |it| &it.id, |it| &it.name)
    }

    /// The role that is named, of the organization or of a project. Built-in ones are known by their short names too.
    pub(super) async fn role(&self, named: &RoleRef, project: Option<&WireProject>) -> Result<WireRole, ProviderError> {
        let all = roles::known(self, project.map(|it| it.id.as_str())).await?;
        let scope = project.map_or_else(|| "the roles of the organization".to_owned(), |it| format!("the roles of project {}", it.name()));
        let wanted = named.text();
        if let Some(found) = all.iter().find(|it| it.is_called(wanted)) {
            return Ok(found.clone());
        }
        match (Search { kind: "role", wanted, scope: &scope, list_tool: "list_roles" }).only(&all, |it| &it.id, |it| &it.name) {
            Err(ProviderError::NotFound { kind, name, scope, .. }) => {
                // A built-in role, written as services name it for people.
                if let Some(found) = all.iter().find(|it| it.is_called(&roles::short_of(wanted))) {
                    return Ok(found.clone());
                }
                let names: Vec<&str> = all.iter().map(|it| it.name.as_str()).collect();
                Err(ProviderError::NotFound { kind, name, scope, fix: format!("use one of: {}", names.join(", ")) })
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc, sync::Arc, time::Duration};

    use super::*;
    use crate::providers::{
        http::{Api, Auth, Remote, Service},
        openai::{Settings, errors},
    };
    use rolecall_sandbox as sandbox;

    /// A name that counts how often it is looked at.
    #[derive(Debug, Clone)]
    struct Counted(String, Rc<Cell<usize>>);

    impl Counted {
        fn name(&self) -> &str {
            self.1.set(self.1.get() + 1);
            &self.0
        }
    }

    #[test]
    fn likeness_is_worked_out_only_where_nothing_is_found() {
        let looks = Rc::new(Cell::new(0));
        let names: Vec<Counted> = (0..100).map(|it| Counted(format!("project {it}"), Rc::clone(&looks))).collect();
        let found = Search { kind: "project", wanted: "Project 99", scope: "", list_tool: "list_projects" };
        assert_eq!(found.only(&names, |_| "", Counted::name).ok().map(|it| it.0).as_deref(), Some("project 99"));
        assert_eq!(looks.replace(0), 100, "each name is looked at once");
        let missing = Search { wanted: "project 1000", ..found };
        assert!(missing.only(&names, |_| "", Counted::name).is_err_and(|it| it.fix().contains("did you mean")));
    }

    #[tokio::test]
    async fn a_list_is_understood_once_in_a_piece_of_work() -> Result<(), Box<dyn std::error::Error>> {
        let seeded = <sandbox::openai::Openai as sandbox::Platform>::seeded(sandbox::Seed::Acme);
        let service = sandbox::start(seeded, sandbox::Options::default()).await?;
        let remote = Remote {
            connection: "openai".into(),
            base_url: format!("{}/v1", service.url),
            pin: None,
            ca_file: None,
            timeout: Duration::from_secs(5),
            files: Vec::new(),
        };
        let auth = Auth::Bearer(sandbox::openai::ADMIN_KEY.into());
        let api = Api::new(Service::of(&remote, auth, Vec::new(), errors::explain));
        let settings = Settings { remote, api_key: sandbox::openai::ADMIN_KEY.into(), organization_id: None, project_id: None };
        let at = Session::new(api, Arc::new(settings));
        assert!(Arc::ptr_eq(&projects::known(&at).await?, &projects::known(&at).await?));
        assert!(Arc::ptr_eq(&teams::known(&at).await?, &teams::known(&at).await?));
        assert!(Arc::ptr_eq(&roles::known(&at, None).await?, &roles::known(&at, None).await?));
        assert!(!Arc::ptr_eq(&projects::known(&at).await?, &projects::known(&at.afresh()).await?), "a look afresh is one");
        Ok(())
    }
}
