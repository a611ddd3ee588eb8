use std::sync::Arc;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::diagnostic::{Position, Span};
use crate::plan::testing::{key, unit};
use crate::plan::{Cnames, Value};

const REPOSITORY: RepositoryId = RepositoryId(1);

/// A small world: who wants what, who owns what, and what lives.
#[derive(Debug, Clone, Default)]
struct World {
    wants: BTreeMap<UnitName, Vec<Desired>>,
    /// Units of which only what they declare is known.
    unanswered: BTreeMap<UnitName, BTreeSet<ResourceName>>,
    live: BTreeMap<Target, Live>,
    owned: BTreeMap<ResourceKey, Owned>,
    adoption: Adoption,
}

fn desired(key: &ResourceKey, value: u8) -> Desired {
    let at = Position { line: 1, column: 1 };
    let span = Span { file: Arc::from("services/nas.yaml"), start: at, end: at };
    Desired { key: key.clone(), value: json!(value), adopt: false, span }
}

impl World {
    fn wants(mut self, name: &str, key: &ResourceKey, value: u8) -> Self {
        self.wants.entry(unit(name)).or_default().push(desired(key, value));
        self
    }

    fn gone(mut self, name: &str) -> Self {
        self.wants.entry(unit(name)).or_default();
        self
    }

    fn unanswered(mut self, name: &str, key: &ResourceKey) -> Self {
        let declared = ResourceName::new(key.rtype.as_str(), key.name.as_str());
        self.unanswered.entry(unit(name)).or_default().insert(declared);
        self
    }

    fn lives(mut self, key: &ResourceKey, value: u8) -> Self {
        let live = LiveResource { value: json!(value), ids: vec!["id".into()] };
        self.live.entry(key.target.clone()).or_default().resources.insert(key.clone(), live);
        self
    }

    fn looked_at(mut self, key: &ResourceKey) -> Self {
        self.live.entry(key.target.clone()).or_default();
        self
    }

    fn owns(mut self, name: &str, key: &ResourceKey, value: u8) -> Self {
        let owner = Owner { repository: REPOSITORY, unit: unit(name) };
        self.owned
            .insert(key.clone(), Owned { owner, value: json!(value), ids: vec!["id".into()] });
        self
    }

    fn plan(&self) -> Plan {
        let mut units: BTreeMap<UnitName, Result<Vec<Desired>, Unanswered>> =
            self.wants.iter().map(|(name, wants)| (name.clone(), Ok(wants.clone()))).collect();
        units.extend(self.unanswered.iter().map(|(name, declares)| {
            let message = "no answer".to_owned();
            (name.clone(), Err(Unanswered { message, declares: declares.clone() }))
        }));
        let units = units
            .into_iter()
            .map(|(name, desired)| (name, Wanted { origin: Origin::Changed, hash: None, desired }));
        make(&Facts {
            repository: REPOSITORY,
            environment: "production".parse().unwrap(),
            units: units.collect(),
            live: &self.live,
            owned: &self.owned,
            adoption: self.adoption,
        })
    }

    /// Does to the world what the plan says.
    fn apply(&mut self, plan: &Plan) {
        for change in plan.changes() {
            let live = self.live.entry(change.key.target.clone()).or_default();
            match &change.after {
                Some(after) => {
                    let value = after.clone();
                    live.resources
                        .insert(change.key.clone(), LiveResource { value, ids: vec!["id".into()] });
                    let owner = Owner { repository: REPOSITORY, unit: change.unit.clone() };
                    let owned = Owned { owner, value: after.clone(), ids: vec!["id".into()] };
                    self.owned.insert(change.key.clone(), owned);
                }
                None => {
                    live.resources.remove(&change.key);
                    self.owned.remove(&change.key);
                }
            }
        }
    }
}

fn nas() -> ResourceKey {
    key("unifi_dns:s", "A", "nas.lan")
}

/// The only change of the plan: its unit's service, its action, before and after.
fn only(plan: &Plan) -> (String, Action, Option<Value>, Option<Value>) {
    let changes: Vec<&Change> = plan.changes().collect();
    assert_eq!((changes.len(), plan.conflicts().count()), (1, 0), "{plan:#?}");
    let Change { unit, action, before, after, .. } = changes[0].clone();
    (unit.service.to_string(), action, before, after)
}

fn conflicts(plan: &Plan) -> Vec<(String, &Conflict)> {
    assert_eq!(plan.changes().count(), 0, "{plan:#?}");
    plan.conflicts().map(|(unit, conflict)| (unit.service.to_string(), conflict)).collect()
}

#[test]
fn what_is_missing_is_created_also_when_we_owned_it() {
    let world = World::default().wants("nas/unifi_dns", &nas(), 1);
    let created = ("nas".to_owned(), Action::Create, None, Some(json!(1)));
    assert_eq!(only(&world.plan()), created);
    assert_eq!(only(&world.owns("nas/unifi_dns", &nas(), 1).plan()), created);
}

#[test]
fn what_is_ours_and_differs_is_updated_and_replaced_where_the_target_cannot() {
    let mut world = World::default()
        .wants("nas/unifi_dns", &nas(), 2)
        .owns("nas/unifi_dns", &nas(), 1)
        .lives(&nas(), 3);
    assert_eq!(
        only(&world.plan()),
        ("nas".to_owned(), Action::Update, Some(json!(3)), Some(json!(2)))
    );
    world.live.values_mut().for_each(|live| live.replaces = true);
    assert_eq!(only(&world.plan()).1, Action::Replace);
}

#[test]
fn what_is_ours_and_wanted_no_more_is_deleted_or_released_when_it_is_gone() {
    let world =
        World::default().gone("nas/unifi_dns").owns("nas/unifi_dns", &nas(), 1).looked_at(&nas());
    assert_eq!(only(&world.plan()), ("nas".to_owned(), Action::Release, None, None));
    assert_eq!(
        only(&world.lives(&nas(), 1).plan()),
        ("nas".to_owned(), Action::Delete, Some(json!(1)), None)
    );
}

#[test]
fn what_is_ours_where_nobody_can_look_any_more_is_forgotten() {
    let world = World::default().gone("nas/unifi_dns").owns("nas/unifi_dns", &nas(), 1);
    assert_eq!(only(&world.plan()), ("nas".to_owned(), Action::Forget, Some(json!(1)), None));
}

#[test]
fn what_is_nobodys_is_a_conflict_until_it_may_be_adopted() {
    let mut world = World::default().wants("nas/unifi_dns", &nas(), 2).lives(&nas(), 1);
    assert!(matches!(conflicts(&world.plan())[..], [(_, Conflict::Exists { .. })]));
    world.adoption = Adoption::Equal;
    assert!(matches!(conflicts(&world.plan())[..], [(_, Conflict::Exists { .. })]));
    world.adoption = Adoption::All;
    assert_eq!(
        only(&world.plan()),
        ("nas".to_owned(), Action::Adopt, Some(json!(1)), Some(json!(2)))
    );
    let mut equal = World::default().wants("nas/unifi_dns", &nas(), 1).lives(&nas(), 1);
    equal.adoption = Adoption::Equal;
    assert_eq!(only(&equal.plan()).1, Action::Adopt);
}

#[test]
fn a_foreign_resource_that_nobody_wants_is_left_alone() {
    let world = World::default().gone("nas/unifi_dns").lives(&nas(), 1);
    assert!(world.plan().is_empty());
}

#[test]
fn a_renamed_service_is_a_transfer_that_touches_no_provider() {
    let world = World::default().gone("nas/unifi_dns").wants("storage/unifi_dns", &nas(), 1);
    let world = world.owns("nas/unifi_dns", &nas(), 1).lives(&nas(), 1);
    let plan = world.plan();
    assert_eq!(
        only(&plan),
        ("storage".to_owned(), Action::Transfer, Some(json!(1)), Some(json!(1)))
    );
    assert!(plan.changes().all(|change| !change.touches_provider()));
    assert_eq!(plan.changes().next().unwrap().from, Some(unit("nas/unifi_dns")));
}

#[test]
fn what_two_units_want_is_a_conflict_of_both() {
    let other = key("unifi_dns:s", "A", "other.lan");
    let world = World::default().wants("a/unifi_dns", &nas(), 1).wants("b/unifi_dns", &nas(), 1);
    let plan = world.wants("a/unifi_dns", &other, 1).plan();
    let [(a, Conflict::WantedTwice { other: b, .. }), (_, Conflict::WantedTwice { .. })] =
        &conflicts(&plan)[..]
    else {
        panic!("{plan:#?}")
    };
    assert_eq!((a.as_str(), b), ("a", &unit("b/unifi_dns")));
}

#[test]
fn what_a_unit_outside_the_plan_owns_is_a_conflict() {
    let world = World::default()
        .wants("nas/unifi_dns", &nas(), 1)
        .owns("other/unifi_dns", &nas(), 1)
        .lives(&nas(), 1);
    assert!(matches!(conflicts(&world.plan())[..], [(_, Conflict::OwnedElsewhere { .. })]));
}

#[test]
fn another_type_in_the_way_is_a_conflict_unless_this_plan_takes_it_away() {
    let cname = key("unifi_dns:s", "CNAME", "nas.lan");
    let world = World::default().wants("nas/unifi_dns", &nas(), 1).lives(&cname, 9);
    assert!(matches!(conflicts(&world.plan())[..], [(_, Conflict::InTheWay { .. })]));
    let plan = world.owns("nas/unifi_dns", &cname, 9).plan();
    assert_eq!(plan.counts(), BTreeMap::from([(Action::Create, 1), (Action::Delete, 1)]));
}

#[test]
fn where_a_cname_is_flattened_it_stands_beside_mail_and_text_but_no_address() {
    let at = |rtype: &str| key("cloudflare_dns:z", rtype, "example.com");
    for (rtype, blocks) in
        [("MX", false), ("TXT", false), ("A", true), ("AAAA", true), ("NS", true)]
    {
        let world = World::default().wants("web/tunnel", &at("CNAME"), 1).lives(&at(rtype), 9);
        assert_eq!(world.plan().conflicts().count(), 1, "{rtype} where a CNAME stands alone");
        let mut flattened = world;
        flattened.live.values_mut().for_each(|live| live.cnames = Cnames::Flattened);
        assert_eq!(flattened.plan().conflicts().count(), usize::from(blocks), "{rtype}");
    }
}

#[test]
fn who_is_blocked_gives_nothing_and_makes_no_room() {
    let (cname, blocked) =
        (key("unifi_dns:s", "CNAME", "nas.lan"), key("unifi_dns:s", "A", "x.lan"));
    let world = World::default().wants("nas/unifi_dns", &nas(), 1);
    // `old` would delete the CNAME, but something else of it is blocked.
    let world = world.lives(&cname, 9).owns("old/unifi_dns", &cname, 9);
    let world = world.wants("old/unifi_dns", &blocked, 1).lives(&blocked, 2);
    let plan = world.plan();
    let found = conflicts(&plan);
    assert!(
        matches!(found[..], [(_, Conflict::InTheWay { .. }), (_, Conflict::Exists { .. })]),
        "{found:?}"
    );
}

#[test]
fn a_unit_whose_wishes_are_unknown_loses_nothing() {
    let world = World::default().unanswered("nas/unifi_dns", &nas());
    let world = world.owns("nas/unifi_dns", &nas(), 1).lives(&nas(), 1);
    assert!(matches!(conflicts(&world.plan())[..], [(_, Conflict::Unanswered { .. })]));
}

#[test]
fn what_moves_to_a_unit_whose_wishes_are_unknown_stays_until_they_are_known() {
    let other = key("unifi_dns:s", "A", "other.lan");
    let world = World::default().gone("old/unifi_dns").unanswered("new/unifi_dns", &nas());
    let world = world.owns("old/unifi_dns", &nas(), 1).lives(&nas(), 1);
    let world = world.owns("old/unifi_dns", &other, 1).lives(&other, 1);
    let plan = world.plan();
    let [(_, Conflict::Unanswered { .. }), (old, Conflict::Entangled { other })] =
        &conflicts(&plan)[..]
    else {
        panic!("{plan:#?}")
    };
    assert_eq!((old.as_str(), other), ("old", &unit("new/unifi_dns")));
    // Once it is known, it moves, and what nobody declares goes.
    let world = World { unanswered: BTreeMap::new(), ..world }.wants("new/unifi_dns", &nas(), 1);
    let counts = BTreeMap::from([(Action::Delete, 1), (Action::Transfer, 1)]);
    assert_eq!(world.plan().counts(), counts);
}

/// Two targets that were looked at and one to which nothing leads any more.
const TARGETS: [&str; 3] = ["unifi_dns:s", "cloudflare_dns:z", "unifi_dns:gone"];

fn any_key() -> impl Strategy<Value = ResourceKey> {
    let name = prop::sample::select(vec!["a.lan", "b.lan", "c.lan"]);
    let rtype = prop::sample::select(vec!["A", "CNAME", "TXT"]);
    let target = prop::sample::select(&TARGETS[..]);
    (target, rtype, name).prop_map(|(target, rtype, name)| key(target, rtype, name))
}

fn any_unit() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a/unifi_dns", "b/unifi_dns", "c/unifi_dns"]).prop_map(str::to_owned)
}

/// What lives: foreign resources, and of ours those that are still there.
type Owning = BTreeMap<ResourceKey, (String, u8, bool)>;

fn owning(foreign: Vec<(ResourceKey, u8)>, owned: Owning, replaces: bool) -> World {
    let mut world = World::default();
    for target in &TARGETS[..2] {
        world = world.looked_at(&key(target, "A", "a.lan"));
    }
    let looked_at = |key: &ResourceKey| key.target.to_string() != TARGETS[2];
    for (key, value) in foreign.into_iter().filter(|(key, _)| looked_at(key)) {
        world = world.lives(&key, value);
    }
    for (key, (unit, value, lives)) in owned {
        world = world.owns(&unit, &key, value);
        if lives && looked_at(&key) {
            world = world.lives(&key, value);
        }
    }
    let zone = world.live.values_mut().next().expect("two targets were looked at");
    (zone.cnames, zone.replaces) = (Cnames::Flattened, replaces);
    world
}

fn any_world() -> impl Strategy<Value = World> {
    let wants = vec((any_key(), (any_unit(), 0..3u8)), 0..5);
    let owned = btree_map(any_key(), (any_unit(), 0..3u8, any::<bool>()), 0..5);
    let lives = (vec((any_key(), 0..3u8), 0..2), owned, any::<bool>());
    let unanswered = prop::option::weighted(0.3, any_unit());
    (wants, lives, unanswered, any::<bool>()).prop_map(|(wants, lives, unanswered, adopt)| {
        let (foreign, owned, replaces) = lives;
        let world = owning(foreign, owned, replaces);
        let mut world = world.gone("a/unifi_dns").gone("b/unifi_dns").gone("c/unifi_dns");
        world.adoption = if adopt { Adoption::All } else { Adoption::Listed };
        for (key, (unit, value)) in wants {
            world = match &unanswered {
                Some(silent) if *silent == unit => world.unanswered(&unit, &key),
                _ => world.wants(&unit, &key, value),
            };
        }
        world
    })
}

proptest! {
    #[test]
    fn applying_a_plan_leaves_nothing_to_do_for_its_units(mut world in any_world()) {
        let plan = world.plan();
        world.apply(&plan);
        let again = world.plan();
        for (name, unit) in &plan.units {
            if unit.conflicts.is_empty() {
                prop_assert!(again.units[name].changes.is_empty(), "{plan:#?}\n{again:#?}");
            }
        }
    }

    #[test]
    fn nothing_that_we_do_not_own_is_changed_or_deleted(world in any_world()) {
        for change in world.plan().changes() {
            let owned = world.owned.contains_key(&change.key);
            let adopted = change.action == Action::Adopt && world.adoption == Adoption::All;
            prop_assert!(owned || adopted || change.before.is_none(), "{change:#?}");
        }
    }

    #[test]
    fn a_unit_that_is_not_blocked_gets_all_that_it_wants(mut world in any_world()) {
        let plan = world.plan();
        world.apply(&plan);
        let wants = world.wants.iter().filter(|(name, _)| plan.units[*name].conflicts.is_empty());
        for (name, desired) in wants.flat_map(|(name, wants)| wants.iter().map(move |w| (name, w))) {
            let owned = world.owned.get(&desired.key);
            prop_assert_eq!(owned.map(|owned| &owned.owner.unit), Some(name), "{:#?}", plan);
            prop_assert_eq!(owned.map(|owned| &owned.value), Some(&desired.value));
        }
    }

    #[test]
    fn what_a_unit_declares_whose_wishes_are_unknown_stays(world in any_world()) {
        let declared: BTreeSet<&ResourceName> = world.unanswered.values().flatten().collect();
        for change in world.plan().changes().filter(|change| change.after.is_none()) {
            let name = ResourceName::new(&*change.key.rtype, &*change.key.name);
            prop_assert!(!declared.contains(&name), "{change:#?}");
        }
    }

    #[test]
    fn what_is_changed_of_ours_was_its_units_or_comes_from_a_unit_that_gives_it_up(world in any_world()) {
        let plan = world.plan();
        for change in plan.changes() {
            let owner = world.owned.get(&change.key).map(|owned| &owned.owner.unit);
            let moves = change.action == Action::Transfer;
            prop_assert_eq!(change.from.is_some(), moves);
            match owner {
                Some(owner) if moves => {
                    prop_assert_eq!(change.from.as_ref(), Some(owner));
                    prop_assert!(plan.units[owner].conflicts.is_empty());
                }
                Some(owner) => prop_assert_eq!(owner, &change.unit),
                None => prop_assert!(matches!(change.action, Action::Create | Action::Adopt)),
            }
        }
    }

    #[test]
    fn a_blocked_unit_changes_nothing(world in any_world()) {
        for unit in world.plan().units.values() {
            prop_assert!(unit.conflicts.is_empty() || unit.changes.is_empty());
        }
    }

    #[test]
    fn the_order_in_which_wishes_are_listed_does_not_matter(mut world in any_world()) {
        let plan = world.plan();
        world.wants.values_mut().for_each(|wants| wants.reverse());
        prop_assert_eq!(plan.digest(), world.plan().digest());
    }
}
