use proptest::collection::{btree_map, btree_set};
use proptest::prelude::*;

use super::*;
use crate::plan::ResourceKey;
use crate::plan::testing::{change, key, plan};

const SITE: &str = "unifi_dns:s";
const TUNNEL: &str = "cloudflare_tunnel:a/t";
const ZONE: &str = "cloudflare_dns:z";

fn ranks() -> Ranks {
    let ranks = [("unifi_dns", 0), ("cloudflare_tunnel", 1), ("cloudflare_dns", 2)];
    ranks.into_iter().map(|(kind, rank)| (kind.parse().unwrap(), rank)).collect()
}

fn needs(pairs: &[(&str, &str)]) -> Needs {
    let mut needs = Needs::new();
    for (service, needed) in pairs {
        needs.entry(service.parse().unwrap()).or_default().insert(needed.parse().unwrap());
    }
    needs
}

/// One change of every rank for each service.
fn all_ranks(action: Action, services: &[&str]) -> Vec<Change> {
    let targets = [
        (SITE, "unifi_dns", "lan"),
        (TUNNEL, "cloudflare_tunnel", "com"),
        (ZONE, "cloudflare_tunnel", "com"),
    ];
    let of = |service: &&str| {
        let service = (*service).to_owned();
        targets.map(|(target, kind, end)| {
            change(
                &format!("{service}/{kind}"),
                action,
                key(target, "A", &format!("{service}.{end}")),
            )
        })
    };
    services.iter().flat_map(of).collect()
}

/// Each batch as `provider: name, name`.
fn told(plan: &Plan, needs: &Needs) -> Vec<String> {
    let batches = order(plan, &ranks(), needs).unwrap();
    let told = batches.iter().map(|batch| {
        let names: Vec<&str> =
            batch.changes.iter().map(|change| change.key.name.as_str()).collect();
        format!("{}: {}", batch.target.provider, names.join(", "))
    });
    told.collect()
}

#[test]
fn names_resolve_before_a_tunnel_points_at_them_and_each_target_is_called_once() {
    let plan = plan(all_ranks(Action::Create, &["a", "b"]));
    assert_eq!(
        told(&plan, &needs(&[])),
        [
            "unifi_dns: a.lan, b.lan",
            "cloudflare_tunnel: a.com, b.com",
            "cloudflare_dns: a.com, b.com"
        ]
    );
}

#[test]
fn a_service_comes_after_what_it_needs_through_any_number_of_others() {
    let plan = plan(all_ranks(Action::Create, &["a", "c"]));
    // `b` has no changes and still carries the need.
    let told = told(&plan, &needs(&[("a", "b"), ("b", "c")]));
    assert_eq!(told[0], "unifi_dns: c.lan");
    assert_eq!(told[3], "unifi_dns: a.lan");
}

#[test]
fn deletes_come_last_and_the_other_way_round() {
    let mut changes = all_ranks(Action::Delete, &["old"]);
    changes.extend(all_ranks(Action::Create, &["new"]));
    let told = told(&plan(changes), &needs(&[]));
    assert_eq!(
        told[3..],
        ["cloudflare_dns: old.com", "cloudflare_tunnel: old.com", "unifi_dns: old.lan"]
    );
}

#[test]
fn who_needs_goes_before_what_it_needs_when_both_are_deleted() {
    let told = told(&plan(all_ranks(Action::Delete, &["app", "nas"])), &needs(&[("app", "nas")]));
    assert_eq!(told[2], "unifi_dns: app.lan");
    assert_eq!(told[5], "unifi_dns: nas.lan");
}

#[test]
fn a_delete_that_makes_room_goes_right_before_in_the_same_batch() {
    let changes = [
        change("a/unifi_dns", Action::Create, key(SITE, "A", "a.lan")),
        change("b/unifi_dns", Action::Delete, key(SITE, "CNAME", "a.lan")),
        change("b/unifi_dns", Action::Delete, key(SITE, "A", "b.lan")),
    ];
    assert_eq!(told(&plan(changes), &needs(&[])), ["unifi_dns: a.lan, a.lan", "unifi_dns: b.lan"]);
    let batches = order(
        &plan([
            change("a/unifi_dns", Action::Create, key(SITE, "A", "a.lan")),
            change("b/unifi_dns", Action::Delete, key(SITE, "CNAME", "a.lan")),
        ]),
        &ranks(),
        &needs(&[]),
    )
    .unwrap();
    assert_eq!(batches[0].changes[0].action, Action::Delete);
}

#[test]
fn a_delete_that_makes_room_does_not_wait_for_what_its_own_service_needs() {
    let changes = [
        change("a/unifi_dns", Action::Delete, key(SITE, "A", "x.lan")),
        change("a/unifi_dns", Action::Create, key(SITE, "A", "a.lan")),
        change("b/unifi_dns", Action::Create, key(SITE, "CNAME", "x.lan")),
    ];
    let batches = order(&plan(changes), &ranks(), &needs(&[("a", "b")])).unwrap();
    let first: Vec<Action> = batches[0].changes.iter().map(|change| change.action).collect();
    assert_eq!(first, [Action::Delete, Action::Create]);
    assert_eq!(batches[1].changes[0].key.name, "a.lan");
}

#[test]
fn a_delete_makes_room_for_the_first_of_several() {
    let changes = [
        change("a/unifi_dns", Action::Create, key(SITE, "A", "x.lan")),
        change("b/unifi_dns", Action::Create, key(SITE, "AAAA", "x.lan")),
        change("c/unifi_dns", Action::Delete, key(SITE, "CNAME", "x.lan")),
    ];
    let batches = order(&plan(changes), &ranks(), &needs(&[("a", "b")])).unwrap();
    let told: Vec<_> = batches.iter().map(|batch| batch.changes.len()).collect();
    assert_eq!(told, [2, 1]);
    assert_eq!(batches[0].changes[0].action, Action::Delete);
}

#[test]
fn a_chain_of_ten_thousand_services_costs_as_much_as_it_has_links() {
    let services: Vec<String> = (0..10_000).map(|n| format!("s{n:05}")).collect();
    let names: Vec<&str> = services.iter().map(String::as_str).collect();
    let pairs: Vec<(&str, &str)> = names.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let (plan, needs) = (plan(all_ranks(Action::Delete, &names)), needs(&pairs));
    let batches = order(&plan, &ranks(), &needs).unwrap();
    assert_eq!(batches.len(), 30_000);
    assert_eq!(batches[0].changes[0].unit.service.as_str(), "s00000");
}

#[test]
fn what_only_changes_the_owner_is_not_sent() {
    let mut moved = change("a/unifi_dns", Action::Transfer, key(SITE, "A", "a.lan"));
    moved.before = moved.after.clone();
    assert!(order(&plan([moved]), &ranks(), &needs(&[])).unwrap().is_empty());
}

#[test]
fn a_cycle_is_told_with_its_services() {
    let plan = plan(all_ranks(Action::Create, &["a", "b", "c"]));
    let cycle = order(&plan, &ranks(), &needs(&[("a", "b"), ("b", "a")])).unwrap_err();
    assert_eq!(cycle.to_string(), "these services need each other: a, b");
    // Nor is one lost that only stands behind them.
    let cycle = order(&plan, &ranks(), &needs(&[("a", "b"), ("b", "a"), ("c", "b")]));
    assert_eq!(cycle.unwrap_err().to_string(), "these services need each other: a, b");
}

#[test]
fn who_needs_a_failed_service_stands_behind_it() {
    let needs = needs(&[("app", "api"), ("api", "db")]);
    let failed = BTreeSet::from(["db".parse().unwrap()]);
    assert!(stands_behind(&"app".parse().unwrap(), &failed, &needs));
    assert!(stands_behind(&"db".parse().unwrap(), &failed, &needs));
    assert!(!stands_behind(&"web".parse().unwrap(), &failed, &needs));
}

const SERVICES: [&str; 5] = ["a", "b", "c", "d", "e"];

fn any_change() -> impl Strategy<Value = (String, Action)> {
    const KINDS: [&str; 3] = ["unifi_dns", "cloudflare_tunnel", "cloudflare_dns"];
    const ACTIONS: [Action; 5] =
        [Action::Create, Action::Update, Action::Delete, Action::Replace, Action::Release];
    let unit = (prop::sample::select(&SERVICES[..]), prop::sample::select(&KINDS[..]));
    let unit = unit.prop_map(|(service, kind)| format!("{service}/{kind}"));
    (unit, prop::sample::select(&ACTIONS[..]))
}

fn any_key() -> impl Strategy<Value = ResourceKey> {
    let targets = prop::sample::select(&[SITE, TUNNEL, ZONE, "cloudflare_dns:y"][..]);
    let rtype = prop::sample::select(&["A", "AAAA", "CNAME"][..]);
    (targets, rtype, "[xyz]").prop_map(|(target, rtype, name)| key(target, rtype, &name))
}

fn any_plan() -> impl Strategy<Value = Plan> {
    btree_map(any_key(), any_change(), 0..20).prop_map(|changes| {
        plan(changes.into_iter().map(|(key, (unit, action))| change(&unit, action, key)))
    })
}

/// Needs without a circle: each service needs later ones alone.
fn any_needs() -> impl Strategy<Value = Needs> {
    btree_set((0..SERVICES.len(), 0..SERVICES.len()), 0..8).prop_map(|pairs| {
        let pairs = pairs.into_iter().filter(|(service, needed)| service < needed);
        needs(&pairs.map(|(s, n)| (SERVICES[s], SERVICES[n])).collect::<Vec<_>>())
    })
}

/// Every change with the number of its batch, in order.
fn placed(batches: &[Batch]) -> Vec<(usize, &Change)> {
    let batches = batches.iter().enumerate();
    batches.flat_map(|(at, batch)| batch.changes.iter().map(move |change| (at, change))).collect()
}

proptest! {
    #[test]
    fn no_change_is_lost_or_sent_twice(plan in any_plan(), needs in any_needs()) {
        let batches = order(&plan, &ranks(), &needs).unwrap();
        let mut sent: Vec<_> = placed(&batches).iter().map(|(_, change)| change.digest()).collect();
        let mut planned: Vec<_> =
            plan.changes().filter(|c| c.touches_provider()).map(Change::digest).collect();
        sent.sort();
        planned.sort();
        prop_assert_eq!(sent, planned);
        for batch in &batches {
            prop_assert!(batch.changes.iter().all(|change| change.key.target == batch.target));
        }
    }

    #[test]
    fn nothing_comes_before_the_delete_that_it_needs(plan in any_plan(), needs in any_needs()) {
        let batches = order(&plan, &ranks(), &needs).unwrap();
        let placed = placed(&batches);
        for (at, (_, change)) in placed.iter().enumerate() {
            if change.action != Action::Delete {
                let later = placed[at..].iter().filter(|(_, other)| other.action == Action::Delete);
                let mut in_the_way = later.filter(|(_, other)| excludes(&change.key, &other.key, Cnames::Alone));
                prop_assert!(in_the_way.next().is_none(), "{batches:#?}");
            }
        }
    }

    #[test]
    fn whoever_is_needed_goes_first_and_is_deleted_last(plan in any_plan(), needs in any_needs()) {
        let batches = order(&plan, &ranks(), &needs).unwrap();
        let (deletes, forward): (Vec<_>, Vec<_>) = placed(&batches)
            .into_iter()
            .partition(|(_, change)| change.action == Action::Delete);
        let comes_after = |later: &[(usize, &Change)], earlier: &ServiceName, service: &ServiceName| {
            let mut of_earlier = later.iter().filter(|(_, c)| c.unit.service == *earlier);
            let first = later.iter().find(|(_, c)| c.unit.service == *service);
            first.is_none_or(|(first, _)| of_earlier.all(|(at, _)| at < first))
        };
        for service in needs.keys() {
            for needed in all_needs(service, &needs) {
                prop_assert!(comes_after(&forward, needed, service), "{batches:#?}");
                // A delete that makes room stands among the forward changes and waits for nobody.
                let end = forward.last().map_or(0, |(at, _)| at + 1);
                let last: Vec<_> = deletes.iter().copied().filter(|(at, _)| *at >= end).collect();
                prop_assert!(comes_after(&last, service, needed), "{batches:#?}");
            }
        }
    }

    #[test]
    fn within_a_service_names_come_before_what_points_at_them(plan in any_plan(), needs in any_needs()) {
        let batches = order(&plan, &ranks(), &needs).unwrap();
        let rank = |change: &Change| ranks()[&change.key.target.provider];
        for service in SERVICES {
            let of = placed(&batches).into_iter().map(|(_, change)| change);
            let forward = of.filter(|c| c.unit.service.as_str() == service && c.action != Action::Delete);
            prop_assert!(forward.map(rank).is_sorted(), "{batches:#?}");
        }
    }
}
