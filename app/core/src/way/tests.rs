use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::config::names::Space;
use crate::diagnostic::{Position, Span};
use crate::plan::testing::{change, key, plan, unit};
use crate::plan::{Conflict, Origin, UnitPlan};

const SITE: &str = "unifi_dns:s";
const TUNNEL: &str = "cloudflare_tunnel:a/media";

fn span() -> Span {
    Span::new(&Arc::from("services/web.yaml"), Position::START, Position::START)
}

/// `web.example.com` with this path, to `http://ORIGIN`.
fn web(path: Option<&str>, rule: &str, origin: &str) -> Names {
    let route = Route {
        hostname: DnsName::new("web.example.com").unwrap(),
        path: path.map(str::to_owned),
        rule: rule.to_owned(),
        tunnel: "media".to_owned(),
        origin: format!("http://{origin}"),
        origin_name: DnsName::new(origin).ok(),
        span: span(),
        origin_span: span(),
    };
    Names { routes: vec![route], ..Names::default() }
}

/// A local record set.
fn local(name: &str, rtype: &'static str, value: &str) -> Names {
    let name = DnsName::new(name).unwrap();
    let values = vec![value.to_owned()];
    let record = Record { space: Space::Local, name, rtype, values, span: span() };
    Names { records: vec![record], ..Names::default() }
}

/// The ways of `declared`, each hop as `label: mark`.
fn told(declared: &[(&str, Names)], plan: &Plan, live: &BTreeMap<Target, Live>) -> Vec<String> {
    let declared: Vec<(UnitName, &Names)> =
        declared.iter().map(|(name, names)| (unit(name), names)).collect();
    let network = Network::new(declared.iter().map(|(unit, names)| (unit, *names)), plan, live);
    let ways = network.ways(declared.iter().flat_map(|(_, names)| &names.routes));
    let hop = |hop: Hop| format!("{}: {:?}", hop.label, hop.mark);
    let way = |way: Way| way.hops.into_iter().map(hop).collect::<Vec<_>>().join(" > ");
    ways.into_iter().map(way).collect()
}

#[test]
fn a_rule_is_found_by_the_name_that_its_provider_gives_it() {
    let names = web(Some("^/api"), "web.example.com/^/api", "192-0-2-1.lan");
    let names = Names {
        routes: names.routes.into_iter().map(|r| Route { origin_name: None, ..r }).collect(),
        ..names
    };
    let rule = key(TUNNEL, "rule", "web.example.com/^/api");
    let plan = plan([change("web/cloudflare_tunnel", Action::Create, rule)]);
    assert_eq!(
        told(&[("web/cloudflare_tunnel", names)], &plan, &BTreeMap::new()),
        ["web.example.com^/api: Created > tunnel media: Existing > http://192-0-2-1.lan: Existing"]
    );
}

#[test]
fn a_name_that_was_not_looked_at_is_not_called_broken_and_one_that_goes_is() {
    let declared = [("web/cloudflare_tunnel", web(None, "web.example.com", "nas.lan"))];
    let created = || {
        let rule = key(TUNNEL, "rule", "web.example.com");
        change("web/cloudflare_tunnel", Action::Create, rule)
    };
    let told = |plan: Plan| told(&declared, &plan, &BTreeMap::new());
    assert_eq!(
        told(plan([created()])),
        ["web.example.com: Created > tunnel media: Existing > nas.lan: Unseen"]
    );
    let goes = change("nas/unifi_dns", Action::Delete, key(SITE, "A", "nas.lan"));
    assert_eq!(
        told(plan([created(), goes])),
        ["web.example.com: Created > tunnel media: Existing > nas.lan: Broken"]
    );
    assert_eq!(told(plan([])), [""; 0], "nothing changes on it");
}

#[test]
fn what_a_blocked_unit_declares_and_nobody_found_will_not_be_there() {
    let declared = [
        ("web/cloudflare_tunnel", web(None, "web.example.com", "nas.lan")),
        ("nas/unifi_dns", local("nas.lan", "A", "192.168.1.9")),
    ];
    let rule = key(TUNNEL, "rule", "web.example.com");
    let mut plan = plan([change("web/cloudflare_tunnel", Action::Create, rule)]);
    let blocked = UnitPlan {
        origin: Origin::Changed,
        hash: None,
        changes: Vec::new(),
        conflicts: vec![Conflict::Unanswered { message: "no answer".into() }],
    };
    plan.units.insert(unit("nas/unifi_dns"), blocked);
    assert_eq!(
        told(&declared, &plan, &BTreeMap::new()),
        ["web.example.com: Created > tunnel media: Existing > nas.lan: Broken"]
    );
    // It is there from before: the way holds.
    let mut live = BTreeMap::from([(SITE.parse().unwrap(), Live::default())]);
    let found = LiveResource { value: json!({ "values": ["192.168.1.9"] }), ids: vec![] };
    let site: &mut Live = live.values_mut().next().unwrap();
    site.resources.insert(key(SITE, "A", "nas.lan"), found);
    assert_eq!(
        told(&declared, &plan, &live),
        [
            "web.example.com: Created > tunnel media: Existing > nas.lan: Existing > 192.168.1.9: Existing"
        ]
    );
}

#[test]
fn what_only_becomes_ours_was_public_before() {
    let value = json!({ "values": ["192.0.2.1"] });
    let adopted = |name: &str, before| Change {
        before: Some(before),
        after: Some(value.clone()),
        ..change("web/cloudflare_dns", Action::Adopt, key("cloudflare_dns:z", "A", name))
    };
    let plan = plan([
        adopted("same.example.com", value.clone()),
        adopted("other.example.com", json!({ "values": ["192.0.2.9"] })),
        change(
            "web/cloudflare_dns",
            Action::Create,
            key("cloudflare_dns:z", "A", "new.example.com"),
        ),
        change("web/unifi_dns", Action::Create, key(SITE, "A", "web.lan")),
    ]);
    let is_public = |target: &Target| target.provider.as_str() == "cloudflare_dns";
    let exposure = exposure(&plan, is_public);
    assert_eq!(exposure.opens, ["new.example.com", "other.example.com"]);
    assert!(exposure.closes.is_empty());
}
