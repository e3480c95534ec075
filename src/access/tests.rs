//! What always holds of the questions, whatever the grants are.

use proptest::prelude::*;

use super::{difference, lost, only_owner, reach, who_can};
use crate::domain::access::{Action, Allows, Grant, Holder, Named, Place, Role, State, Via};

fn organization() -> Named {
    Named::new("Acme", "org_1")
}

fn place(at: u8) -> Place {
    match at {
        0 => Place::Organization(organization()),
        1 => Place::Team { team: Named::new("Team", "team_1"), organization: organization() },
        at => Place::Project { project: Named::new(format!("P{at}"), format!("prj_{at}")), organization: organization() },
    }
}

fn role(bits: u8) -> Role {
    let actions = Action::ALL.into_iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0).map(|it| it.1);
    Role { permissions: vec![format!("code.{}", bits & 7)], ..Role::known(format!("r{bits}"), format!("role_{bits}"), actions) }
}

prop_compose! {
    fn any_grant()(who in 0_u8..4, at in 0_u8..5, bits in 0_u8..128, inside in 0_u8..128, way in 0_u8..2, waits in any::<bool>()) -> Grant {
        let held = place(at);
        let inside = if at == 0 { role(inside).allows } else { Allows::nothing() };
        Grant {
            holder: Holder::person(&format!("p{who}@acme.example"), Some(&format!("usr_{who}"))),
            role: Role { inside, ..role(bits) },
            place: held,
            via: if way == 0 { Via::Own } else { Via::Team(Named::new("Team", "team_1")) },
            state: if waits { State::Pending } else { State::Active },
            ends_at: None,
            since: None,
        }
    }
}

prop_compose! {
    fn any_grants()(grants in proptest::collection::vec(any_grant(), 0..12)) -> Vec<Grant> { grants }
}

/// What somebody surely can do in a place.
fn can(grants: &[Grant], holder: &Holder, place: &Place) -> Vec<Action> {
    Action::ALL.into_iter().filter(|it| who_can(grants, place, *it).iter().any(|it| it.holder.is_same(holder))).collect()
}

proptest! {
    #[test]
    fn a_grant_added_never_shrinks_a_reach(grants in any_grants(), added in any_grant()) {
        let mut more = grants.clone();
        more.push(added);
        for grant in &grants {
            let (before, after) = (can(&grants, &grant.holder, &grant.place), can(&more, &grant.holder, &grant.place));
            prop_assert!(before.iter().all(|it| after.contains(it)));
            prop_assert!(reach(&more, &grant.holder).len() >= reach(&grants, &grant.holder).len());
        }
        prop_assert!(lost(&grants, &more).is_empty());
    }

    #[test]
    fn what_is_lost_and_what_is_kept_is_what_was_held(before in any_grants(), after in any_grants()) {
        let losses = lost(&before, &after);
        for grant in &before {
            let held = |grants: &[Grant]| -> Vec<Action> {
                Action::ALL.into_iter().filter(|action| {
                    who_can(grants, &grant.place, *action).iter().any(|it| it.holder.is_same(&grant.holder) && (it.place.is_same(&grant.place)))
                }).collect()
            };
            let had = held(&before);
            let has = can(&after, &grant.holder, &grant.place);
            let loss = losses.iter().find(|it| it.holder.is_same(&grant.holder) && it.place.is_same(&grant.place));
            for action in had {
                let is_lost = loss.is_some_and(|it| it.actions.contains(&action));
                prop_assert_eq!(is_lost, !has.contains(&action));
            }
        }
    }

    #[test]
    fn what_still_reads_is_not_lost_to_sight(before in any_grants(), after in any_grants()) {
        for loss in lost(&before, &after) {
            let reads = can(&after, &loss.holder, &loss.place).contains(&Action::Read);
            prop_assert_eq!(!loss.still.is_empty(), reads);
        }
    }

    #[test]
    fn a_list_differs_from_itself_in_nothing(grants in any_grants()) {
        let (more, less) = difference(&grants, &grants);
        prop_assert!(more.is_empty() && less.is_empty());
    }
}

#[test]
fn an_absent_id_or_address_equals_nothing() {
    let nobody = Holder::Person(crate::domain::access::Person::default());
    assert!(!nobody.is_same(&nobody.clone()));
    assert!(Holder::person("Ana@acme.example", None).is_same(&Holder::Invitation("ana@ACME.example".into())));
    assert!(!Holder::person("ana@acme.example", Some("1")).is_same(&Holder::person("ana@acme.example", Some("2"))));
}

#[test]
fn what_is_unknown_may_do_anything_and_surely_reads_nothing() {
    let here = place(2);
    let ana = || Holder::person("ana@acme.example", None);
    let unknown = Grant::own(ana(), Role::unknown("odd", "odd"), here.clone());
    let list = [unknown.clone()];
    assert_eq!(who_can(&list, &here, Action::Delete).len(), 1);
    let reader = Grant::own(ana(), Role::known("Viewer", "viewer", [Action::Read]), here.clone());
    let losses = lost(&[reader], &list);
    assert!(losses[0].still.is_empty(), "nobody knows whether the odd role reads: {losses:?}");
}

#[test]
fn one_owner_is_alone_and_an_invited_one_does_not_help() {
    let here = place(2);
    let owner = |who: &str| Grant::own(Holder::person(who, None), Role::owner("Owner", "owner"), here.clone());
    let list = [owner("ana@acme.example"), owner("bo@acme.example").pending()];
    assert_eq!(only_owner(&list, &here).map(Holder::label), Some("ana@acme.example"));
}
