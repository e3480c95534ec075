//! Who is meant: by address, id or name, the same for all providers.

use super::meant::{at_most_one, has_address, has_id, is_called};
use crate::{
    domain::{ReferenceText, fold_accents, written_address},
    error::ProviderError,
};

/// How a provider lists a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Known<'a> {
    pub(crate) id: &'a str,
    /// Empty where it is not told.
    pub(crate) email: &'a str,
    /// First and last name; empty where it is not told.
    pub(crate) name: &'a str,
    /// What else stands for the person and no other, such as a name of sign-in.
    pub(crate) also: Option<&'a str>,
}

impl Known<'_> {
    /// How a candidate is told.
    fn label(&self) -> String {
        match (self.email, self.name) {
            ("", "") => self.id.to_owned(),
            ("", name) => format!("{name} [{}]", self.id),
            (email, "") => email.to_owned(),
            (email, name) => format!("{email} ({name})"),
        }
    }

    /// The same, where others have the same address.
    fn told_apart(&self) -> String {
        match [self.email, self.name].into_iter().find(|it| !it.is_empty()) {
            Some(known) if !self.id.is_empty() => format!("{known} [{}]", self.id),
            _ => self.label(),
        }
    }
}

/// The one person with this address, if there is one.
///
/// # Errors
///
/// The candidates, where several have it.
pub(crate) fn with_address<'p, T>(
    people: &'p [T],
    address: &str,
    known: impl Fn(&'p T) -> Known<'p>,
) -> Result<Option<&'p T>, ProviderError> {
    at_most_one(people.iter().filter(|it| has_address(known(it).email, address)), "member", address, |it| known(it).told_apart())
}

/// Who is looked for.
pub(crate) struct Sought<'a> {
    pub(crate) text: &'a str,
    /// Whether a part of a name is enough, where one person alone has it: for those who only look.
    pub(crate) by_part: bool,
    /// Where it is looked, for messages; empty for everywhere.
    pub(crate) scope: &'a str,
    pub(crate) list_tool: &'static str,
}

impl<'a> Sought<'a> {
    pub(crate) fn of<R: ReferenceText>(named: &'a R, scope: &'a str, list_tool: &'static str) -> Self {
        Self { text: named.text(), by_part: R::BY_PART, scope, list_tool }
    }

    /// The one person of these who is meant.
    ///
    /// # Errors
    ///
    /// The candidates, where several are called so, or where a part of a name does not do; else nobody, with those who have nearly
    /// the same name or address.
    pub(crate) fn among<'p, T>(&self, people: &'p [T], known: impl Fn(&'p T) -> Known<'p>) -> Result<&'p T, ProviderError> {
        match found(people, self.text, self.by_part, &known) {
            Ok(one) => Ok(one),
            Err(candidates) if candidates.len() > 1 => Err(ProviderError::Ambiguous {
                kind: "member",
                name: self.text.to_owned(),
                candidates: labels(&candidates.into_iter().map(known).collect::<Vec<_>>()),
            }),
            Err(_) => Err(self.nobody(people, known)),
        }
    }

    /// All of these who are meant, by the first way of naming that fits anybody: the caller knows which of them are one person.
    ///
    /// # Errors
    ///
    /// Nobody, with those who have nearly the same name or address.
    pub(crate) fn fitting<'p, T>(&self, people: &'p [T], known: impl Fn(&'p T) -> Known<'p>) -> Result<Vec<&'p T>, ProviderError> {
        match found(people, self.text, self.by_part, &known) {
            Ok(one) => Ok(vec![one]),
            Err(candidates) if candidates.len() > 1 => Ok(candidates),
            Err(_) => Err(self.nobody(people, known)),
        }
    }

    /// That nobody is called so, and who may be meant.
    fn nobody<'p, T>(&self, people: &'p [T], known: impl Fn(&'p T) -> Known<'p>) -> ProviderError {
        let fix = match near(people, self.text, known) {
            Some(hint) => hint,
            None => format!("find them with {}: give a whole name, an e-mail address or an id", self.list_tool),
        };
        ProviderError::NotFound { kind: "member", name: self.text.to_owned(), scope: self.scope.to_owned(), fix }
    }
}

/// Who may be meant instead, of an error that says that nobody is called so.
pub(crate) fn hint(error: &ProviderError) -> Option<String> {
    match error {
        ProviderError::NotFound { fix, .. } if fix.starts_with(HINT) => Some(fix.clone()),
        _ => None,
    }
}

const HINT: &str = "did you mean ";

/// How several people are told, each in another way than the others.
fn labels(people: &[Known<'_>]) -> Vec<String> {
    let alike = |it: &Known<'_>| people.iter().filter(|other| !it.email.is_empty() && has_address(other.email, it.email)).count() > 1;
    people.iter().map(|it| if alike(it) { it.told_apart() } else { it.label() }).collect()
}

/// The one person, or those who may be meant: none, one by a part of the name, or several.
fn found<'p, T>(people: &'p [T], text: &str, by_part: bool, known: &impl Fn(&'p T) -> Known<'p>) -> Result<&'p T, Vec<&'p T>> {
    let some = |fits: &dyn Fn(&&'p T) -> bool| {
        let mut found: Vec<&'p T> = Vec::new();
        // Somebody who is told twice is one person.
        for it in people.iter().filter(fits) {
            if !found.iter().any(|other| known(other) == known(it)) {
                found.push(it);
            }
        }
        (!found.is_empty()).then_some(found)
    };
    if let Some(one) = people.iter().find(|it| has_id(known(it).id, text)) {
        return Ok(one);
    }
    let address = if text.contains('@') { written_address(text) } else { None };
    let address = address.as_deref().unwrap_or(text);
    if let Some(found) = some(&|it| has_address(known(it).email, address)) {
        return single(found);
    }
    if text.contains('@') && written_address(text).is_some() {
        return Err(Vec::new());
    }
    if let Some(found) = some(&|it| is_called(known(it).also, text)) {
        return single(found);
    }
    for reading in super::resolve::readings("member", text) {
        let is = |it: &&'p T| !known(it).id.is_empty() && known(it).id.eq_ignore_ascii_case(&reading.text);
        let called =
            |it: &&'p T| reading.called.iter().all(|name| whole(known(it), name) != Likeness::Other || has_address(known(it).email, name));
        if let Some(found) = some(&|it| is(it) && called(it)) {
            return single(found);
        }
    }
    for wanted in [Likeness::Same, Likeness::Turned] {
        if let Some(found) = some(&|it| whole(known(it), text) == wanted) {
            return single(found);
        }
    }
    let found = some(&|it| in_part(known(it), text)).unwrap_or_default();
    match found.as_slice() {
        [one] if by_part => Ok(one),
        _ => Err(found),
    }
}

fn single<T>(mut found: Vec<&T>) -> Result<&T, Vec<&T>> {
    if found.len() == 1 { Ok(found.remove(0)) } else { Err(found) }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Likeness {
    Same,
    /// With the last name first.
    Turned,
    Other,
}

/// The words of a name, or of the part of an address before the `@`, without accents.
fn words(text: &str) -> Vec<String> {
    let text = text.split('@').next().unwrap_or_default();
    let letters = fold_accents(text).replace(['\'', '’'], "");
    letters.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

/// Whether a text is somebody's whole name; also as it stands in an address, with dots.
fn whole(known: Known<'_>, text: &str) -> Likeness {
    let (wanted, name) = (words(text), words(known.name));
    if wanted.is_empty() || name.is_empty() {
        return Likeness::Other;
    }
    if wanted == name {
        return Likeness::Same;
    }
    let sorted = |mut words: Vec<String>| {
        words.sort();
        words
    };
    if sorted(wanted) == sorted(name) { Likeness::Turned } else { Likeness::Other }
}

/// Whether all words of a text are words of somebody's name or address.
fn in_part(known: Known<'_>, text: &str) -> bool {
    let wanted = words(text);
    let own = [words(known.name), words(known.email)].concat();
    !wanted.is_empty() && !text.contains('@') && wanted.iter().all(|it| own.contains(it))
}

/// Who may be meant by a text that names nobody, as advice; `None` where nobody is near. A likely one is a slip of the fingers away,
/// or has all the words of the text in their name: nobody is to be removed because they were suggested.
pub(crate) fn near<'p, T>(people: &'p [T], text: &str, known: impl Fn(&'p T) -> Known<'p>) -> Option<String> {
    let in_part: Vec<String> =
        people.iter().filter(|it| self::in_part(known(it), text)).map(|it| format!("`{}`", known(it).label())).collect();
    if !in_part.is_empty() {
        let shown = in_part.iter().take(5).cloned().collect::<Vec<_>>().join(" or ");
        return Some(format!("{HINT}{shown}? A part of a name does not do here: give the whole name or the address"));
    }
    let mut alike: Vec<(usize, String)> =
        people.iter().filter_map(|it| Some((slips(known(it), text)?, format!("`{}`", known(it).label())))).collect();
    alike.sort();
    let shown = alike.into_iter().take(3).map(|it| it.1).collect::<Vec<_>>().join(" or ");
    (!shown.is_empty()).then(|| format!("{HINT}{shown}?"))
}

/// How many slips of the fingers lie between a text and a person's address or name; `None` for more than there can be. Numbers tell
/// people apart.
fn slips(known: Known<'_>, text: &str) -> Option<usize> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let distance = |known: &str, wanted: &str, letters: usize| {
        let slips = strsim::osa_distance(known, wanted);
        (!known.is_empty() && slips <= (letters / 4).min(2) && digits(known) == digits(wanted)).then_some(slips)
    };
    let local = |text: &str| text.split('@').next().unwrap_or_default().to_owned();
    let (wanted, email) = (fold_accents(text), fold_accents(known.email));
    let letters = local(&wanted).chars().count();
    let by_address = if wanted.contains('@') {
        // The same person at another address of theirs is as likely as a slip.
        let elsewhere = (local(&wanted) == local(&email) && letters > 4).then_some(1);
        distance(&email, &wanted, letters).or(elsewhere)
    } else {
        distance(&local(&email), &wanted, letters)
    };
    let joined = |text: &str| words(text).join(" ");
    let by_name = (!wanted.contains('@')).then(|| distance(&joined(known.name), &joined(text), letters)).flatten();
    by_address.into_iter().chain(by_name).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (&'static str, &'static str, &'static str);

    const PEOPLE: [Row; 7] = [
        ("usr_ana", "ana.ruiz@acme.example", "Ana Ruiz"),
        ("usr_grace", "grace.whitfield@acme.example", "Grace Whitfield"),
        ("usr_lucia", "lucia.herrera@acme.example", "Lucía Herrera"),
        ("usr_brigid", "brigid.oneill@northwind.example", "Brigid O'Neill"),
        ("usr_jo1", "jo.lee@acme.example", "Jo Lee"),
        ("usr_jo2", "jo.lee2@acme.example", "Jo Lee"),
        ("usr_nobody", "", ""),
    ];

    fn look(row: &Row) -> Known<'_> {
        Known { id: row.0, email: row.1, name: row.2, also: None }
    }

    fn find(text: &str, by_part: bool) -> Result<&'static str, String> {
        let sought = Sought { text, by_part, scope: "Acme", list_tool: "list_organization_members" };
        sought.among(&PEOPLE, look).map(|it| it.0).map_err(|error| format!("{}: {}", error.code(), error.fix()))
    }

    #[test]
    fn people_are_found_by_address_id_and_whole_name() {
        for (text, id) in [
            ("ANA.RUIZ@acme.example", "usr_ana"),
            ("USR_ANA", "usr_ana"),
            ("{usr_ana}", "usr_ana"),
            ("ana.ruiz@acme.example [usr_ana]", "usr_ana"),
            ("Ana Ruiz [usr_ana]", "usr_ana"),
            ("ana ruiz", "usr_ana"),
            ("Ruiz, Ana", "usr_ana"),
            ("ana.ruiz", "usr_ana"),
            ("Lucia Herrera", "usr_lucia"),
            ("LUCÍA  HERRERA", "usr_lucia"),
            ("Brigid O’Neill", "usr_brigid"),
            ("Brigid ONeill", "usr_brigid"),
        ] {
            assert_eq!(find(text, false), Ok(id), "{text}");
        }
    }

    #[test]
    fn a_part_of_a_name_does_for_those_who_only_look() {
        for (text, id) in [("Grace", "usr_grace"), ("ruiz", "usr_ana"), ("lucia", "usr_lucia")] {
            assert_eq!(find(text, true), Ok(id), "{text}");
            let refused = find(text, false).unwrap_err();
            assert!(refused.starts_with("member_not_found: did you mean `") && refused.contains("A part of a name"), "{refused}");
        }
        assert!(find("Jo Lee", true).unwrap_err().starts_with("ambiguous_member: call again with one of: jo.lee@acme.example (Jo Lee), "));
        assert!(find("Ana Ruiz [usr_grace]", true).unwrap_err().starts_with("member_not_found"));
    }

    #[test]
    fn nobody_is_suggested_for_an_unrelated_person() {
        for (text, suggested) in [
            ("ana.riuz@acme.example", true),
            ("ana.ruiz@acme.test", true),
            ("Grace Witfield", true),
            ("mei.tanaka@acme.example", false),
            ("mei.tanaka", false),
            ("eva.cruz@acme.example", false),
            ("ada@northwind.example", false),
            ("jo.lee3@acme.example", false),
            ("", false),
            ("u-99", false),
        ] {
            assert_eq!(find(text, true).is_err_and(|it| it.contains("did you mean")), suggested, "{text}: {:?}", find(text, true));
        }
    }
}
