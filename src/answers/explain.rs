//! `explain_access`: who can do something in a place, and by which ways; or what somebody can.

use super::{
    Ask, Looked, Somebody,
    actions::{Sure, Wanted},
    gather::Gathered,
    words,
};
use crate::{
    domain::{
        Cursor, Gaps, OrganizationRef, ProjectRef, ReferenceText as _, SoughtRef, TeamRef,
        access::{Grant, GrantScope, Holder, Named, Place, State, Via},
        fold,
    },
    error::{CallError, ProviderError},
    providers::Reader,
    tools::access::{Able, AccessExplained, ExplainAccess, Held},
};

/// How many rows of each kind a page has.
const ROWS: usize = 100;

pub(super) async fn explain(ask: Ask<'_>, op: ExplainAccess) -> Result<AccessExplained, CallError> {
    let wanted = Wanted::of(op.action.as_ref().map(ToString::to_string).as_deref())?;
    match (&op.member, scope(&op)) {
        (Some(member), None) => of_somebody(ask, &wanted, member, &op).await,
        (member, named) => in_a_place(ask, &wanted, member.as_ref(), named.unwrap_or(GrantScope::Top(None)), &op).await,
    }
}

/// The place that is named.
fn scope(op: &ExplainAccess) -> Option<GrantScope> {
    match (&op.project, &op.organization) {
        (Some(project), Some(within)) => Some(GrantScope::Project(ProjectRef::read(format!("{} in {}", project.text(), within.text())))),
        (Some(project), None) => Some(GrantScope::Project(project.clone())),
        (None, Some(organization)) => Some(GrantScope::Top(Some(organization.clone()))),
        (None, None) => None,
    }
}

/// Who can do it there; of one who is named, whether they can.
async fn in_a_place(
    ask: Ask<'_>,
    wanted: &Wanted,
    member: Option<&SoughtRef>,
    scope: GrantScope,
    op: &ExplainAccess,
) -> Result<AccessExplained, CallError> {
    let (readers, mut gaps) = ask.readers();
    let told = ask.grants(readers, |_| scope.clone()).await;
    let named =
        op.project.as_ref().map(ProjectRef::text).or_else(|| op.organization.as_ref().map(OrganizationRef::text)).unwrap_or_default();
    let (reader, grants, place) = the_place(told, &mut gaps, named, &scope)?;
    let there = There { ask, wanted, grants: &grants, place: &place };
    match member {
        None => there.everybody(op, gaps),
        Some(member) => {
            let who = there.who(&reader, member, &mut gaps).await?;
            Ok(there.one(&who, gaps))
        }
    }
}

/// The one place that is meant, with what is held in it.
fn the_place(
    mut told: Gathered<Vec<Grant>>,
    gaps: &mut Gaps,
    named: &str,
    scope: &GrantScope,
) -> Result<(Reader, Vec<Grant>, Place), CallError> {
    let is_project = matches!(scope, GrantScope::Project(_));
    let here = |grants: &[Grant]| place(grants, is_project, named);
    if told.found.len() > 1 {
        let label = |(reader, grants): &(Reader, Vec<Grant>)| {
            format!("connection {} ({} in {})", reader.connection.name, here(grants), here(grants).organization().name)
        };
        let candidates = told.found.iter().map(label).collect();
        let kind = if is_project { "project" } else { "organization" };
        return Err(ProviderError::Ambiguous { kind, name: named.to_owned(), candidates }.into());
    }
    if let Some((reader, grants)) = told.found.pop() {
        // That it is not at other accounts goes without saying; that they did not answer does not.
        gaps.extend(told.gaps);
        let place = here(&grants);
        return Ok((reader, grants, place));
    }
    gaps.extend(told.gaps);
    // An account where the name fits several things says more than one where it fits none.
    told.unresolved.sort_by_key(|it| matches!(it.1, ProviderError::NotFound { .. }));
    let several = told.unresolved.len() + gaps.failed.len() > 1;
    match told.unresolved.into_iter().next() {
        Some((_, ProviderError::NotFound { kind, name, fix, scope })) => {
            let scope = gaps.told_short().map_or(scope, |gaps| format!("what was seen ({gaps})"));
            let fix = if several { format!("find it with list_{kind}s, an account at a time; names are matched whole") } else { fix };
            Err(ProviderError::NotFound { kind, name, scope, fix }.into())
        }
        Some((connection, ProviderError::Ambiguous { kind, name, candidates })) => {
            let at = |it: String| if several { format!("{it}, connection {}", connection.name) } else { it };
            Err(ProviderError::Ambiguous { kind, name, candidates: candidates.into_iter().map(at).collect() }.into())
        }
        Some((_, other)) => Err(other.into()),
        None => Err(match gaps.failed.first() {
            Some(it) => {
                ProviderError::conflict("not_seen", format!("nothing was seen: {}", gaps.told_short().unwrap_or_default()), it.fix.clone())
            }
            None => ProviderError::conflict(
                "not_seen",
                format!("nothing was seen: {}", gaps.told_short().unwrap_or_default()),
                "use an account that reports who holds what; list_connections lists the accounts",
            ),
        }
        .into()),
    }
}

/// The place that a list of grants is about. Nobody may hold anything in it: then it is as it was named.
fn place(grants: &[Grant], is_project: bool, named: &str) -> Place {
    let fits = |it: &&Grant| matches!((&it.place, is_project), (Place::Project { .. }, true) | (Place::Organization(_), false));
    match grants.iter().find(fits) {
        Some(it) => it.place.clone(),
        None if is_project => {
            let organization = grants.first().map_or_else(|| Named::new("", ""), |it| it.place.organization().clone());
            Place::Project { project: Named::new(named, named), organization }
        }
        None => Place::Organization(grants.first().map_or_else(|| Named::new(named, named), |it| it.place.organization().clone())),
    }
}

/// Who is asked about.
enum Who<'a> {
    Person(&'a Somebody),
    Team(Named),
}

impl Who<'_> {
    fn label(&self) -> String {
        match self {
            Self::Person(it) => it.label(),
            Self::Team(it) => format!("team {}", it.name),
        }
    }

    fn has(&self, grant: &Grant) -> bool {
        match (self, &grant.holder) {
            (Self::Person(it), Holder::Everybody(domain)) => {
                it.email().and_then(|it| it.rsplit_once('@')).is_some_and(|it| it.1.eq_ignore_ascii_case(domain))
            }
            (Self::Person(it), holder) => it.seen.iter().any(|it| it.1.is_same(holder)),
            (Self::Team(it), Holder::Team(team)) => team.id == it.id,
            (Self::Team(it), _) => matches!(&grant.via, Via::Team(team) if team.id == it.id),
        }
    }
}

/// What is asked, and what is held where it is asked about.
struct There<'a> {
    ask: Ask<'a>,
    wanted: &'a Wanted,
    grants: &'a [Grant],
    place: &'a Place,
}

impl There<'_> {
    /// Everybody and everything that can, each with every way.
    fn everybody(&self, op: &ExplainAccess, gaps: Gaps) -> Result<AccessExplained, CallError> {
        let (mut people, mut programs, mut perhaps) = (Vec::new(), Vec::new(), Vec::new());
        for group in self.holders() {
            let best = group.iter().map(|it| self.wanted.by(it, self.place)).max();
            let row = || self.able(&group);
            match (best, &group[0].holder) {
                (Some(Sure::Perhaps), Holder::Team(_)) | (None | Some(Sure::No), _) => {}
                (Some(Sure::Perhaps), _) => perhaps.push(row()),
                // The people of a team are told themselves; a team without people is told, since whoever joins it can.
                (Some(Sure::Yes), Holder::Team(team)) => {
                    if !self.grants.iter().any(|it| matches!(&it.via, Via::Team(via) if via.id == team.id)) {
                        programs.push(Able { status: Some("nobody is in it".to_owned()), ..row() });
                    }
                }
                (Some(Sure::Yes), Holder::Key(_) | Holder::ServiceAccount(_)) => programs.push(row()),
                (Some(Sure::Yes), _) => people.push(row()),
            }
        }
        let answer = self.counted(&people, &programs, &perhaps, &gaps);
        let mut page = AccessExplained { answer, gaps, ..AccessExplained::default() };
        page.cut([people, programs, perhaps], op)?;
        Ok(page)
    }

    /// The grants that count here, holder by holder, whoever owns first.
    fn holders(&self) -> Vec<Vec<&Grant>> {
        let mut groups: Vec<Vec<&Grant>> = Vec::new();
        let mut at: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
        for grant in self.grants.iter().filter(|it| self.wanted.by(it, self.place) > Sure::No) {
            match at.entry(key(&grant.holder)) {
                std::collections::hash_map::Entry::Occupied(it) => groups[*it.get()].push(grant),
                std::collections::hash_map::Entry::Vacant(it) => {
                    it.insert(groups.len());
                    groups.push(vec![grant]);
                }
            }
        }
        groups.sort_by_cached_key(|it| {
            let owns = it.iter().any(|it| it.role.owns && it.place.is_same(self.place));
            let above = it.iter().any(|it| it.role.owns);
            let waits = it.iter().all(|it| it.state == State::Pending);
            (!owns, !above, waits, it[0].holder.label().to_lowercase())
        });
        groups
    }

    fn able(&self, group: &[&Grant]) -> Able {
        let mut ways: Vec<_> =
            group.iter().map(|it| words::way(it, self.place, *self.wanted == Wanted::Any, self.wanted.by(it, self.place))).collect();
        ways.dedup();
        let (name, id, kind) = match &group[0].holder {
            Holder::Person(it) => (it.name.clone().filter(|it| !it.is_empty()), it.id.clone(), None),
            Holder::Team(it) => (None, Some(it.id.clone()), Some("team")),
            Holder::ServiceAccount(it) => (None, Some(it.id.clone()), Some("service account")),
            Holder::Key(it) => (None, Some(it.id.clone()), Some("key")),
            Holder::Invitation(_) => (None, None, None),
            Holder::Everybody(_) => (None, None, Some("everybody at this mail domain")),
        };
        let waits = group.iter().all(|it| it.state == State::Pending);
        Able {
            who: group[0].holder.label().to_owned(),
            name,
            id,
            kind: kind.map(str::to_owned),
            status: waits.then(|| "invited".to_owned()),
            ways,
        }
    }

    fn counted(&self, people: &[Able], programs: &[Able], perhaps: &[Able], gaps: &Gaps) -> String {
        let what = format!("{} {}", self.wanted.phrase(), words::whole(self.place));
        let mut said = match people.len() {
            0 => format!("Nobody was found who can {what}"),
            1 => format!("1 person can {what}"),
            many => format!("{many} people can {what}"),
        };
        let invited = people.iter().filter(|it| it.status.is_some()).count();
        if invited > 0 {
            said += &format!(", {invited} of them once they accept an invitation");
        }
        if !programs.is_empty() {
            said += &format!(
                "; so can {}",
                words::counted(programs.len(), "key, service account or empty team", "keys, service accounts or empty teams")
            );
        }
        if !perhaps.is_empty() {
            said += &format!("; {} more may: the service does not report what their roles allow", perhaps.len());
        }
        said.push('.');
        if matches!(self.wanted, Wanted::Code(_)) {
            said += " This is about that code alone: an action, such as delete, asks for every way.";
        }
        if !gaps.is_empty() {
            said += " Rolecall could not see everything, so there may be more.";
        }
        said
    }

    /// Somebody who is named, or a team.
    async fn who(&self, reader: &Reader, member: &SoughtRef, gaps: &mut Gaps) -> Result<Known, CallError> {
        let team = self.grants.iter().find_map(|it| match (&it.holder, &it.via) {
            (Holder::Team(team), _) | (_, Via::Team(team)) if is_team(team, member.text()) => Some(team.clone()),
            _ => None,
        });
        if let Some(team) = team {
            return Ok(Known::Team(team));
        }
        let looked = self.ask.person_among(vec![reader.clone()], member).await;
        if looked.found.is_empty()
            && let Ok(team) = TeamRef::try_from(member.text().to_owned())
            && let Ok(Some(told)) = reader.grants(GrantScope::Team(team)).await
        {
            let of = told.list.iter().find_map(|it| if let Holder::Team(team) = &it.holder { Some(team.clone()) } else { None });
            return Ok(Known::Team(of.unwrap_or_else(|| Named::new(member.text(), member.text()))));
        }
        gaps.extend(looked.gaps.clone());
        looked.one(member.text())?;
        Ok(Known::Person(looked))
    }

    /// Whether one can, and by which ways.
    fn one(&self, who: &Known, gaps: Gaps) -> AccessExplained {
        let who = who.who();
        let held: Vec<&Grant> = self.grants.iter().filter(|it| who.has(it)).collect();
        let with = |sure: Sure| held.iter().copied().filter(move |it| self.wanted.by(it, self.place) == sure).collect::<Vec<_>>();
        let (yes, perhaps) = (with(Sure::Yes), with(Sure::Perhaps));
        let what = format!("{} {}", self.wanted.phrase(), words::whole(self.place));
        let label = who.label();
        let by = |grants: &[&Grant]| {
            let mut ways: Vec<String> = grants.iter().map(|it| words::by(it, self.place)).collect();
            ways.dedup();
            ways.join("; and by ")
        };
        let mut page = AccessExplained { gaps, ..AccessExplained::default() };
        let own = |it: &&&Grant| !matches!(who, Who::Team(_)) || matches!(it.holder, Holder::Team(_));
        let rows = |grants: &[&Grant]| -> Vec<Able> {
            let own: Vec<&Grant> = grants.iter().filter(own).copied().collect();
            let own = if own.is_empty() { grants.to_vec() } else { own };
            vec![Able { who: label.clone(), ..self.able(&own) }]
        };
        page.answer = if !yes.is_empty() {
            page.people = rows(&yes);
            let once = if yes.iter().all(|it| it.state == State::Pending) { "once the invitation is accepted, " } else { "" };
            format!("Yes: {once}{label} can {what}, by {}.", by(&yes))
        } else if !perhaps.is_empty() {
            page.perhaps = rows(&perhaps);
            format!("Perhaps: the service does not report what {label} may do by {}, so they may be able to {what}.", by(&perhaps))
        } else {
            let has =
                if held.is_empty() { "no access there is reported".to_owned() } else { format!("what is held there is {}", by(&held)) };
            let sure = if page.gaps.is_empty() { "No" } else { "No, as far as is told" };
            format!("{sure}: {label} cannot {what}; {has}.")
        };
        page.access = if yes.is_empty() && perhaps.is_empty() { held.iter().map(|it| words::held(it, None)).collect() } else { Vec::new() };
        page
    }
}

/// Who was found, kept for as long as it is asked about.
enum Known {
    Person(Looked),
    Team(Named),
}

impl Known {
    fn who(&self) -> Who<'_> {
        match self {
            Self::Person(looked) => Who::Person(&looked.found[0]),
            Self::Team(team) => Who::Team(team.clone()),
        }
    }
}

fn is_team(team: &Named, text: &str) -> bool {
    let text = fold(text);
    let bare = text.strip_prefix("team ").or_else(|| text.strip_suffix(" team")).unwrap_or(&text);
    team.id == text || [text.as_str(), bare].contains(&fold(&team.name).as_str())
}

fn key(holder: &Holder) -> String {
    match holder {
        // Whoever is invited is a person with that address, should they have an account.
        Holder::Person(it) => {
            it.email.as_deref().map(str::to_lowercase).or_else(|| it.id.clone()).unwrap_or_else(|| holder.label().to_owned())
        }
        Holder::Invitation(email) => email.to_lowercase(),
        Holder::Team(it) => format!("team {}", it.id),
        Holder::ServiceAccount(it) => format!("service account {}", it.id),
        Holder::Key(it) => format!("key {}", it.id),
        Holder::Everybody(domain) => format!("everybody {domain}"),
    }
}

/// What somebody or a team can do, wherever that is.
async fn of_somebody(ask: Ask<'_>, wanted: &Wanted, member: &SoughtRef, op: &ExplainAccess) -> Result<AccessExplained, CallError> {
    let looked = ask.person(member).await;
    let (told, label) = if looked.found.is_empty() {
        let (readers, gaps) = ask.readers();
        let Ok(team) = TeamRef::try_from(member.text().to_owned()) else { return Err(nobody(&looked, member)) };
        let mut told = ask.grants(readers, |_| GrantScope::Team(team.clone())).await;
        if told.found.is_empty() {
            return Err(nobody(&looked, member));
        }
        if told.found.len() > 1 {
            let candidates = told.found.iter().map(|it| format!("connection {}", it.0.connection.name)).collect();
            return Err(ProviderError::Ambiguous { kind: "team", name: member.text().to_owned(), candidates }.into());
        }
        told.gaps.extend(gaps);
        (told, format!("team {}", member.text().trim_start_matches("team ")))
    } else {
        let person = looked.one(member.text())?;
        let mut told = ask
            .gather(person.readers(), |reader| async move {
                let mut all = (Vec::new(), Vec::new());
                for named in person.named_at(&reader) {
                    match reader.grants(GrantScope::Person(named)).await {
                        Ok(Some(told)) => {
                            all.0.extend(told.list);
                            all.1.extend(told.unseen);
                        }
                        Ok(None) => return Ok(None),
                        Err(ProviderError::NotFound { .. }) => {}
                        Err(other) => return Err(other),
                    }
                }
                Ok(Some(all))
            })
            .await;
        told.gaps.extend(looked.gaps.clone());
        (told, person.label())
    };
    let mut rows = Vec::new();
    for (reader, grants) in &told.found {
        // What a team can is what it holds itself; where a service knows only of its people, what they have through it.
        let is_team = looked.found.is_empty();
        let own: Vec<&Grant> = grants.iter().filter(|it| !is_team || matches!(it.holder, Holder::Team(_))).collect();
        let through = || grants.iter().filter(|it| matches!(it.via, Via::Team(_))).collect();
        let grants: Vec<&Grant> = if own.is_empty() { through() } else { own };
        rows.extend(grants.iter().filter(|it| wanted.somewhere(it)).map(|it| words::held(it, ask.from(&reader.connection))));
    }
    let mut once: Vec<Held> = Vec::new();
    for row in rows {
        if !once.contains(&row) {
            once.push(row);
        }
    }
    let rows = once;
    let mut page = AccessExplained { gaps: told.all_gaps(), ..AccessExplained::default() };
    let count = rows.len();
    let what = match wanted {
        Wanted::Any => format!("{label} has {}", words::counted(count, "role", "roles")),
        _ => format!("{label} can {} {}", wanted.phrase(), words::counted(count, "place", "places")),
    };
    page.answer =
        if page.gaps.is_empty() { format!("{what}.") } else { format!("{what}. Rolecall could not see everything, so there may be more.") };
    page.cut_access(rows, op)?;
    Ok(page)
}

fn nobody(looked: &Looked, member: &SoughtRef) -> CallError {
    match looked.one(member.text()) {
        Err(error) => error,
        Ok(_) => CallError::Internal,
    }
}

impl AccessExplained {
    /// One page of each kind of rows, all from the same place on.
    fn cut(&mut self, rows: [Vec<Able>; 3], op: &ExplainAccess) -> Result<(), CallError> {
        let (from, most) = page(op)?;
        let more = rows.iter().any(|it| it.len() > from + most);
        let [people, programs, perhaps] = rows.map(|it| it.into_iter().skip(from).take(most).collect());
        (self.people, self.programs, self.perhaps) = (people, programs, perhaps);
        self.next_cursor = more.then(|| Cursor::after(&(from + most).to_string()).0);
        Ok(())
    }

    fn cut_access(&mut self, rows: Vec<Held>, op: &ExplainAccess) -> Result<(), CallError> {
        let (from, most) = page(op)?;
        self.next_cursor = (rows.len() > from + most).then(|| Cursor::after(&(from + most).to_string()).0);
        self.access = rows.into_iter().skip(from).take(most).collect();
        Ok(())
    }
}

/// From which row on, and how many.
fn page(op: &ExplainAccess) -> Result<(usize, usize), CallError> {
    let most = ROWS;
    let Some(cursor) = &op.cursor else { return Ok((0, most)) };
    match cursor.key().and_then(|it| it.parse().ok()) {
        Some(from) => Ok((from, most)),
        None => Err(CallError::InvalidArguments {
            message: "this is not a cursor of explain_access".into(),
            fix: "send back `next_cursor` of the page before as it was, or leave `cursor` out for the first page".into(),
        }),
    }
}
