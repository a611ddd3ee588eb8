use super::*;
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
}

#[test]
fn who_needs_a_failed_service_stands_behind_it() {
    let needs = needs(&[("app", "api"), ("api", "db")]);
    let failed = BTreeSet::from(["db".parse().unwrap()]);
    assert!(stands_behind(&"app".parse().unwrap(), &failed, &needs));
    assert!(stands_behind(&"db".parse().unwrap(), &failed, &needs));
    assert!(!stands_behind(&"web".parse().unwrap(), &failed, &needs));
}
