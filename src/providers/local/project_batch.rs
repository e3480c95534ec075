//! Many people into the directory's projects at once: all rows are understood before the first is written.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use serde_json::json;

use super::{
    Session,
    reach::{PROJECTS, counted},
    resolve::{ProjectRow, RoleRow, UserRow},
};
use crate::{
    domain::{
        Change, Facts, Inverse, ReferenceText as _, Surroundings, Target, Timestamp,
        access::Grant,
        members::{Batch, BatchItem, Counts, ItemOutcome},
        roles::RoleLevel,
    },
    error::ProviderError,
    providers::people::{self, Problem, Row, refused},
    store::{Val, args, new_id, row},
    tools::project_members::{AddProjectMembers, RemoveProjectMember},
};

/// How many rows one statement writes: fewer round trips, and far from the number of values that a statement can bind.
const AT_ONCE: usize = 100;

/// A row that is understood.
struct Entry {
    number: usize,
    project: Arc<ProjectRow>,
    user: UserRow,
    roles: Vec<RoleRow>,
    /// Why nothing is to be done for it.
    skip: Option<String>,
}

/// The most rows of one call: all of them are one transaction.
const MAX_ROWS: usize = 1000;

pub(super) async fn add(at: &mut Session, op: &AddProjectMembers) -> Result<Change<Batch>, ProviderError> {
    let (rows, mut problems) = people::rows(op, MAX_ROWS)?;
    let count = rows.len() + problems.len();
    let mut book = Book::default();
    let mut entries: Vec<Entry> = Vec::new();
    for row in &rows {
        match book.entry(at, row).await {
            Ok(entry) => entries.push(entry),
            Err(error @ ProviderError::Store(_)) => return Err(error),
            Err(error) => problems.push(Problem { number: row.number, message: format!("{error}; {}", error.fix()) }),
        }
    }
    problems.extend(fold_duplicates(&mut entries));
    if !problems.is_empty() {
        return Err(refused(problems, count));
    }
    let joining: Vec<&Entry> = entries.iter().filter(|it| it.skip.is_none()).collect();
    let facts = facts(at, &joining).await?;
    let target = target(&joining, &entries);
    write(at, &joining, &book).await?;
    let inverse =
        joining.iter().rev().map(|it| Inverse::call::<RemoveProjectMember>(json!({ "project": it.project.id, "member": it.user.id })));
    let inverse: Vec<_> = inverse.collect();
    Ok(Change::created(target, facts, batch(entries)).inverses(inverse))
}

/// What was looked up already. A batch names few projects and roles, and many people of the same organization.
#[derive(Default)]
struct Book {
    projects: HashMap<String, Arc<ProjectRow>>,
    roles: HashMap<(String, String), RoleRow>,
    /// By organization, then by id and by e-mail.
    people: HashMap<String, HashMap<String, UserRow>>,
    /// By project.
    held: HashMap<String, Held>,
}

/// Who is in a project, and with which roles.
#[derive(Default)]
struct Held {
    members: HashSet<String>,
    roles: HashMap<String, Vec<HeldRole>>,
}

row! {
    struct HeldRole { user_id: String, role_id: String, role: String }
}

impl Book {
    async fn entry(&mut self, at: &mut Session, row: &Row) -> Result<Entry, ProviderError> {
        let project = self.project(at, row).await?;
        let user = self.person(at, &project, row.member.text()).await?;
        let mut roles: Vec<RoleRow> = Vec::new();
        for named in &row.roles {
            let key = (project.id.clone(), named.text().to_owned());
            if !self.roles.contains_key(&key) {
                let role = at.role(named, RoleLevel::Project, &project.organization_id, Some(&project.id)).await?;
                self.roles.insert(key.clone(), role);
            }
            if let Some(role) = self.roles.get(&key).filter(|it| !roles.iter().any(|role| role.id == it.id)) {
                roles.push(role.clone());
            }
        }
        let skip = self.held(at, &project).await?.reason(&user, &roles);
        Ok(Entry { number: row.number, project, user, roles, skip })
    }

    async fn project(&mut self, at: &mut Session, row: &Row) -> Result<Arc<ProjectRow>, ProviderError> {
        if let Some(known) = self.projects.get(row.project.text()) {
            return Ok(Arc::clone(known));
        }
        let project = Arc::new(at.active_project(&row.project).await?);
        self.projects.insert(row.project.text().to_owned(), Arc::clone(&project));
        Ok(project)
    }

    async fn person(&mut self, at: &mut Session, project: &ProjectRow, wanted: &str) -> Result<UserRow, ProviderError> {
        if !self.people.contains_key(&project.organization_id) {
            let sql = "SELECT u.id, u.email, u.name, u.created_at FROM users u JOIN organization_members m ON m.user_id = u.id \
                       WHERE m.organization_id = $1";
            let people: Vec<UserRow> = at.db.all(sql, &args![&project.organization_id]).await?;
            let by_both = people.into_iter().flat_map(|it| [(it.id.clone(), it.clone()), (it.email.clone(), it)]).collect();
            self.people.insert(project.organization_id.clone(), by_both);
        }
        let known = self.people.get(&project.organization_id);
        match known.and_then(|it| it.get(wanted).or_else(|| it.get(&wanted.to_lowercase()))) {
            Some(person) => Ok(person.clone()),
            // Says why they cannot be added.
            None => at.candidate(&project.organization_id, &project.organization, wanted).await,
        }
    }

    async fn held(&mut self, at: &mut Session, project: &ProjectRow) -> Result<&Held, ProviderError> {
        if !self.held.contains_key(&project.id) {
            let members = at.db.texts("SELECT user_id FROM project_members WHERE project_id = $1", &args![&project.id]).await?;
            let sql = "SELECT a.user_id, a.role_id, r.name AS role FROM role_assignments a JOIN roles r ON r.id = a.role_id \
                       WHERE a.project_id = $1 AND a.user_id IS NOT NULL ORDER BY r.name";
            let mut held = Held { members: members.into_iter().collect(), roles: HashMap::new() };
            for role in at.db.all::<HeldRole>(sql, &args![&project.id]).await? {
                held.roles.entry(role.user_id.clone()).or_default().push(role);
            }
            self.held.insert(project.id.clone(), held);
        }
        Ok(self.held.entry(project.id.clone()).or_default())
    }
}

impl Held {
    fn holds(&self, user_id: &str, role_id: &str) -> bool {
        self.roles.get(user_id).is_some_and(|it| it.iter().any(|it| it.role_id == role_id))
    }

    /// Why somebody who is a member already is left as they are.
    fn reason(&self, user: &UserRow, roles: &[RoleRow]) -> Option<String> {
        if !self.members.contains(&user.id) {
            return None;
        }
        if roles.iter().all(|role| self.holds(&user.id, &role.id)) {
            return Some("is a member already".into());
        }
        let held = self.roles.get(&user.id).map(Vec::as_slice).unwrap_or_default();
        let held = if held.is_empty() { "without a role".to_owned() } else { format!("as {}", roles_told(held.iter().map(|it| &it.role))) };
        Some(format!("is a member already, {held}; for other roles use assign_role or update_project_member"))
    }
}

/// A person who is named twice for a project is added once; with other roles the second time, nobody knows what is meant.
fn fold_duplicates(entries: &mut [Entry]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut first: HashMap<(String, String), (usize, Vec<String>)> = HashMap::new();
    for it in entries {
        let mut roles: Vec<String> = it.roles.iter().map(|it| it.id.clone()).collect();
        roles.sort();
        match first.get(&(it.project.id.clone(), it.user.id.clone())) {
            None => drop(first.insert((it.project.id.clone(), it.user.id.clone()), (it.number, roles))),
            Some((number, same)) if *same == roles => it.skip = Some(format!("duplicate of row {number}")),
            Some((number, _)) => {
                let message = format!(
                    "gives `{}` other roles in project `{}` than row {number}; put all roles into one row",
                    it.user.email, it.project.name
                );
                problems.push(Problem { number: it.number, message });
            }
        }
    }
    problems
}

/// Who joins what.
async fn facts(at: &mut Session, joining: &[&Entry]) -> Result<Facts, ProviderError> {
    if joining.is_empty() {
        return Ok(Facts::none().note("nobody is to be added"));
    }
    // By name and id: names are shown, and two organizations may have a project of the same name.
    let mut projects: BTreeMap<(&str, &str), Vec<&Entry>> = BTreeMap::new();
    for it in joining {
        projects.entry((&it.project.name, &it.project.id)).or_default().push(it);
    }
    let names: Vec<String> = projects.iter().map(|((name, _), entries)| format!("{name} ({})", entries.len())).collect();
    let mut facts = Facts::none()
        .about(about(at, joining).await?)
        .note(format!("into {}", counted(names.len(), PROJECTS, &names)))
        .undo("remove_project_member for each who was added");
    for entries in projects.into_values() {
        for it in entries {
            let gives = |facts: Facts, role: &RoleRow| facts.gives(Grant::own(it.user.holder(), role.held(), it.project.place()));
            facts = it.roles.iter().fold(facts, gives);
        }
    }
    Ok(facts)
}

/// Of several organizations, the mail domains that are in power in each of them count.
async fn about(at: &mut Session, joining: &[&Entry]) -> Result<Surroundings, ProviderError> {
    let organizations: BTreeMap<&str, &str> =
        joining.iter().map(|it| (it.project.organization_id.as_str(), it.project.organization.as_str())).collect();
    let mut all: Option<Surroundings> = None;
    for id in organizations.keys() {
        let one = at.surroundings(id).await?;
        all = Some(match all {
            None => one,
            Some(all) => Surroundings {
                organization: format!("{} and {}", all.organization, one.organization),
                domains_in_power: all.domains_in_power.zip(one.domains_in_power).map(|(all, one)| &all & &one),
                ..Surroundings::default()
            },
        });
    }
    Ok(all.unwrap_or_default())
}

fn target(joining: &[&Entry], entries: &[Entry]) -> Target {
    let people = joining.iter().map(|it| &it.user.id).collect::<HashSet<_>>().len();
    let name = if people == 1 { "1 person".to_owned() } else { format!("{people} people") };
    let organizations: HashSet<&str> = entries.iter().map(|it| it.project.organization.as_str()).collect();
    let organization = organizations.iter().next().filter(|_| organizations.len() == 1).map(|it| (*it).to_owned());
    let mut projects: Vec<String> = entries.iter().map(|it| format!("{} [{}]", it.project.name, it.project.id)).collect();
    projects.sort();
    projects.dedup();
    Target { kind: "batch".into(), name, id: None, within: Some(projects.join(", ")), organization }
}

async fn write(at: &mut Session, joining: &[&Entry], book: &Book) -> Result<(), ProviderError> {
    let now = Timestamp::now().0;
    let members = joining.iter().map(|it| args![&it.project.id, &it.user.id, now].to_vec());
    insert(at, "project_members (project_id, user_id, joined_at)", members.collect()).await?;
    let mut roles = Vec::new();
    for it in joining {
        for role in &it.roles {
            // Somebody who came through a team may hold a role of their own already.
            if !book.held.get(&it.project.id).is_some_and(|held| held.holds(&it.user.id, &role.id)) {
                roles.push(args![new_id("asg"), &it.project.organization_id, &it.project.id, &role.id, &it.user.id, now].to_vec());
            }
        }
    }
    insert(at, "role_assignments (id, organization_id, project_id, role_id, user_id, created_at)", roles).await
}

/// Writes rows, many with one statement.
async fn insert(at: &mut Session, into: &str, rows: Vec<Vec<Val>>) -> Result<(), ProviderError> {
    for rows in rows.chunks(AT_ONCE) {
        let mut next = 1..;
        let values: Vec<String> = rows
            .iter()
            .map(|row| format!("({})", next.by_ref().take(row.len()).map(|it| format!("${it}")).collect::<Vec<_>>().join(", ")))
            .collect();
        at.db.run(&format!("INSERT INTO {into} VALUES {}", values.join(", ")), &rows.concat()).await?;
    }
    Ok(())
}

fn batch(entries: Vec<Entry>) -> Batch {
    let mut batch = Batch { counts: Counts::default(), items: Vec::new(), more: 0 };
    for it in entries {
        if it.skip.is_some() {
            batch.counts.skipped += 1;
        } else {
            batch.counts.done += 1;
        }
        batch.items.push(BatchItem {
            member: it.user.email,
            project: it.project.name.clone(),
            roles: it.roles.into_iter().map(|it| it.name).collect(),
            outcome: if it.skip.is_some() { ItemOutcome::Skipped } else { ItemOutcome::Done },
            reason: it.skip,
        });
    }
    batch
}

fn roles_told<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}
