//! What the rules find.

use proptest::prelude::*;

use super::{things::DAY, *};
use crate::{
    domain::{
        access::{Action, Role as HeldRole},
        keys::OwnerAccess,
    },
    tools::keys::UpdateApiKey,
};

const NOW: Timestamp = Timestamp(1000 * DAY);

fn organization() -> Named {
    Named::new("Acme", "org_1")
}

fn project(at: u8) -> Place {
    Place::Project { project: Named::new(format!("P{at}"), format!("prj_{at}")), organization: organization() }
}

fn grant(who: u8, place: Place, owns: bool) -> Grant {
    let role = if owns { HeldRole::owner("owner", "role_owner") } else { HeldRole::known("member", "role_member", [Action::Read]) };
    Grant::own(Holder::person(&format!("p{who}@acme.example"), Some(&format!("usr_{who}"))), role, place)
}

fn told(grants: Vec<Grant>) -> Told {
    let tools = [AddProjectMember::NAME, UpdateProjectMember::NAME, UpdateApiKey::NAME].map(|it| (it, &[] as &[&str])).into();
    Told { grants, is_whole: true, tells_use: true, tools, ..Told::default() }
}

fn key(owner: OwnerAccess, made: i64, used: Option<i64>, ends: bool) -> Vec<&'static str> {
    let ago = |days: i64| Timestamp(NOW.0 - days * DAY);
    let key = ApiKey {
        api_key: "k".into(),
        id: "key_1".into(),
        project: "P".into(),
        owner_access: Some(owner),
        created_at: Some(ago(made)),
        last_used_at: used.map(ago),
        expires_at: ends.then(|| ago(-1)),
        ..ApiKey::default()
    };
    let all = find(&Told { keys: Some(vec![key]), ..told(Vec::new()) }, NOW);
    assert!(all.iter().all(|it| it.mend.is_some()), "{all:?}");
    all.into_iter().map(|it| it.rule.name()).collect()
}

#[test]
fn keys_are_judged_by_owner_age_use_and_end() {
    assert_eq!(key(OwnerAccess::Active, 10, None, true), [""; 0]);
    assert_eq!(key(OwnerAccess::Active, 31, None, true), ["key_never_used"]);
    assert_eq!(key(OwnerAccess::Active, 366, Some(91), false), ["key_unused", "key_old", "key_without_end"]);
    assert_eq!(key(OwnerAccess::Left, 5, Some(1), true), ["key_of_leaver"]);
    assert_eq!(key(OwnerAccess::None, 5, Some(1), true), ["key_of_nobody"]);
    assert_eq!(key(OwnerAccess::NoAccess, 5, Some(1), true), ["key_without_access"]);
}

#[test]
fn every_rule_is_told_by_a_name_of_its_own_and_the_gravest_come_first() {
    let names: BTreeSet<&str> = Rule::ALL.iter().map(|it| it.name()).collect();
    assert_eq!(names.len(), Rule::ALL.len());
    assert!(Rule::ALL.iter().map(|it| it.weight()).is_sorted());
    assert!(Rule::ALL.is_sorted());
}

proptest! {
    #[test]
    fn a_place_lacks_owners_as_long_as_it_has_fewer_than_two(held in proptest::collection::vec((0_u8..4, 0_u8..3, any::<bool>()), 0..12)) {
        let grants: Vec<Grant> = held.iter().map(|it| grant(it.0, project(it.1), it.2)).collect();
        let found = find(&told(grants.clone()), NOW);
        let some_role_owns = grants.iter().any(|it| it.role.owns);
        for at in 0..3 {
            let place = project(at);
            let owners = access::owners(&grants, &place).len();
            let rules: Vec<Rule> = found
                .iter()
                .filter(|it| matches!(it.rule, Rule::NoOwner | Rule::OneOwner) && it.place.as_ref().is_some_and(|it| it.is_same(&place)))
                .map(|it| it.rule)
                .collect();
            let is_known = some_role_owns && grants.iter().any(|it| it.place.is_same(&place));
            let expected: &[Rule] = match owners {
                0 if is_known => &[Rule::NoOwner],
                1 => &[Rule::OneOwner],
                _ => &[],
            };
            prop_assert_eq!(&rules, expected);
        }
    }

    #[test]
    fn who_is_to_own_a_place_beside_its_owner_is_somebody_else(held in proptest::collection::vec((0_u8..4, 0_u8..3, any::<bool>()), 0..12)) {
        let grants: Vec<Grant> = held.iter().map(|it| grant(it.0, project(it.1), it.2)).collect();
        for it in find(&told(grants), NOW).iter().filter(|it| it.rule == Rule::OneOwner) {
            let Some(mend) = &it.mend else { continue };
            prop_assert_ne!(mend.arguments["member"].as_str(), it.people[0].label().into());
        }
    }
}
