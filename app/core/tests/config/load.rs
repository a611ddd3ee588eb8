//! Loading whole trees: what the units come to, and what does not change them.

use std::sync::Arc;

use landfall_core::config::{
    Budget, OwnedUnit, RepositoryConfig, ServiceFile, ServiceGlob, Tree, schema, unit_hash,
    vanished,
};
use landfall_core::name::{ConfigPath, KindName};
use landfall_core::plan::{Adoption, Target};

use crate::kinds::REGISTRY;

const REPOSITORY: &str = r#"version: 1
environments:
  dev:
    connections:
      cloudflare: { account: abc, zones: [example.com], token: "ref+env://LANDFALL_SECRET_CF" }
  production:
    branches: [main, release]
    adopt: equal
    vars: { suffix: "" }
    guardrails: { max_deletes: 10%, protect: ["cloudflare_dns:MX:*"] }
    connections:
      unifi: { url: "https://192.168.1.1", api_key: "ref+env://LANDFALL_SECRET_UNIFI" }
      office: { kind: unifi, url: "https://192.168.2.1", api_key: "ref+env://LANDFALL_SECRET_UNIFI" }
      cloudflare: { account: abc, zones: [example.com], token: "ref+env://LANDFALL_SECRET_CF" }
"#;

fn repository() -> RepositoryConfig {
    RepositoryConfig::load(REGISTRY, "landfall.yaml", REPOSITORY.as_bytes()).unwrap()
}

fn service(name: &str, text: &str) -> Arc<ServiceFile> {
    let path = ConfigPath::new(format!("services/{name}.yaml")).unwrap();
    Arc::new(ServiceFile::parse(REGISTRY, &path, text.as_bytes()).unwrap())
}

fn tree(services: Vec<Arc<ServiceFile>>) -> Tree {
    Tree::load(REGISTRY, Arc::new(repository()), services).unwrap()
}

/// The units of a tree with one service, as `name via connection`.
fn units(text: &str) -> Vec<String> {
    let tree = tree(vec![service("nas", text)]);
    tree.units().map(|unit| format!("{} via {}", unit.name, unit.connection)).collect()
}

#[test]
fn an_environment_says_what_it_follows_and_how_careful_it_is() {
    let repository = repository();
    let production = repository.mapped_to("release").next().unwrap();
    assert_eq!((production.guardrails.max_deletes, production.guardrails.protect.len()), (10, 1));
    assert_eq!(production.adopt, Adoption::Equal);
    assert_eq!(production.connections.len(), 3);
    assert!(repository.environments.values().any(|environment| environment.branches.is_empty()));
}

#[test]
fn a_component_lives_where_it_has_a_connection_and_only_says_so() {
    let record = "  nas.internal.lan: { a: 192.168.1.9 }\n";
    assert_eq!(units(&format!("unifi_dns:\n{record}")), ["production/nas/unifi_dns via unifi"]);
    assert_eq!(
        units(&format!("unifi_dns:\n  connection: office\n{record}")),
        ["production/nas/unifi_dns via office"]
    );
    assert!(units(&format!("only: dev\nunifi_dns:\n{record}")).is_empty());
    let public = "cloudflare_dns:\n  only: [production]\n  nas.example.com: { a: 192.0.2.1 }\n";
    assert_eq!(units(public), ["production/nas/cloudflare_dns via cloudflare"]);
}

#[test]
fn an_override_removes_and_adds_components() {
    let text = "cloudflare_dns:\n  nas.example.com: { a: 192.0.2.1 }\nenvironments:\n  dev: { cloudflare_dns: ~ }\n";
    assert_eq!(units(text), ["production/nas/cloudflare_dns via cloudflare"]);
    let text = "environments:\n  dev: { cloudflare_dns: { nas.example.com: { a: 192.0.2.1 } } }\n";
    assert_eq!(units(text), ["dev/nas/cloudflare_dns via cloudflare"]);
}

#[test]
fn comments_order_quotes_and_the_chosen_connection_do_not_change_the_config_digest() {
    let config = |text: &str| tree(vec![service("nas", text)]).units().next().unwrap().config;
    let plain = config("unifi_dns:\n  nas.internal.lan: { a: 192.168.1.9, ttl: 300 }\n");
    let same = "# the nas\nunifi_dns:\n  connection: office\n  'nas.internal.lan':\n    ttl: 300 # seconds\n    a: \"192.168.1.9\"\n";
    assert_eq!(plain, config(same));
    assert_ne!(plain, config("unifi_dns:\n  nas.internal.lan: { a: 192.168.1.9, ttl: 301 }\n"));
}

#[test]
fn a_unit_hash_is_of_config_and_targets_in_any_order() {
    let config = tree(vec![service("nas", "unifi_dns:\n  nas.internal.lan: { a: 192.168.1.9 }\n")]);
    let config = config.units().next().unwrap().config;
    let target = |id: &str| Target::new(KindName::new("cloudflare_dns").unwrap(), id);
    let (a, b) = (target("a"), target("b"));
    assert_eq!(unit_hash(&config, [&a, &b]), unit_hash(&config, [&b, &a]));
    assert_ne!(unit_hash(&config, [&a]), unit_hash(&config, [&b]));
}

#[test]
fn a_pattern_that_loses_files_is_an_error_and_one_that_moves_with_them_is_not() {
    let path = |text: &str| ConfigPath::new(text).unwrap();
    let owned = [OwnedUnit {
        name: "production/nas/unifi_dns".parse().unwrap(),
        connection: None,
        here: true,
    }];
    let text = format!("{REPOSITORY}services: \"svc/*.yaml\"\n");
    let repository = RepositoryConfig::load(REGISTRY, "landfall.yaml", text.as_bytes()).unwrap();
    let before = ServiceGlob::new("services/*.yaml").unwrap();
    let said = |paths: &[ConfigPath]| {
        let found = vanished(REGISTRY, &repository, Some(&before), paths, &owned);
        found.first().map(|finding| finding.message.clone())
    };
    let lost = said(&[path("services/nas.yaml"), path("svc/other.yaml")]).unwrap();
    assert_eq!(
        lost,
        "`svc/*.yaml` does not match `services/nas.yaml`, which `services/*.yaml` did, but Landfall still owns what it declared"
    );
    assert_eq!(
        said(&[path("README.md")]).unwrap(),
        "`svc/*.yaml` matches no file, but Landfall still owns what 1 service declared"
    );
    assert_eq!(said(&[path("svc/nas.yaml")]), None);
    // The file is gone as well: that is a deletion, as a person means it.
    assert_eq!(said(&[path("svc/other.yaml")]), None);
}

#[test]
fn the_schemas_hold_the_keys_of_all_kinds() {
    let repository = schema::repository(REGISTRY);
    let connections = &repository["properties"]["environments"]["additionalProperties"]["properties"]
        ["connections"];
    assert!(connections["properties"]["unifi"].is_object(), "{connections:#}");
    let service = schema::service(REGISTRY);
    for key in ["unifi_dns", "cloudflare_tunnel", "owners", "needs", "only", "environments"] {
        assert!(service["properties"][key].is_object(), "{key}");
    }
    assert_eq!(service["additionalProperties"], false);
}

#[test]
fn a_pattern_is_refused_before_whoever_reads_it_runs_out_of_stack() {
    let said = |text: &str| {
        let text = format!("{REPOSITORY}{text}");
        let found = RepositoryConfig::load(REGISTRY, "landfall.yaml", text.as_bytes());
        found.unwrap_err().into_iter().map(|finding| (finding.code, finding.span.start.line)).next()
    };
    let nested = |depth: usize| format!("{}a{}", "{".repeat(depth), "}".repeat(depth));
    for depth in [17, 200, 100_000] {
        let scope = format!("scopes:\n  ? \"{}\"\n  : [a.example.com]\n", nested(depth));
        assert_eq!(said(&scope), Some(("bad-glob", 16)), "{depth}");
        assert_eq!(
            said(&format!("services: \"{}\"\n", nested(depth))),
            Some(("bad-glob", 15)),
            "{depth}"
        );
    }
}

/// The codes and messages of what is said of a tree.
fn said(repository: &str, services: Vec<Arc<ServiceFile>>) -> Vec<(&'static str, String)> {
    let tree = RepositoryConfig::load(REGISTRY, "landfall.yaml", repository.as_bytes())
        .and_then(|repository| Tree::load(REGISTRY, Arc::new(repository), services));
    let findings = tree.map_or_else(|findings| findings, |tree| tree.warnings);
    findings.into_iter().map(|finding| (finding.code, finding.message)).collect()
}

#[test]
fn more_environments_or_entries_than_are_read_are_refused_before_anything_is_made_of_them() {
    let environments = |count: usize| -> String {
        let names: String = (0..count).map(|n| format!("  e{n}: {{}}\n")).collect();
        format!("version: 1\nenvironments:\n{names}")
    };
    assert_eq!(said(&environments(50), vec![]), []);
    let message = "there are 30000 environments, and at most 50 are read".to_owned();
    assert_eq!(said(&environments(30_000), vec![]), [("too-large", message)]);
    let names: String = (0..501).map(|n| format!("n{n}.lan, ")).collect();
    let many = format!("{REPOSITORY}known_names: [{names}]\n");
    assert_eq!(said(&many, vec![])[0].0, "too-large");
    assert_eq!(said(&many.replace("n0.lan, ", ""), vec![]), []);
}

#[test]
fn services_are_counted_for_every_environment_they_live_in() {
    let homes: String = (0..50).map(|n| format!("  e{n}: {{}}\n")).collect();
    let repository = format!("version: 1\nenvironments:\n{homes}");
    // Nine files of 10,000 values each: 450,000 values once they are made for 50 environments.
    let values = "1, ".repeat(10_000);
    let text =
        |only: &str| format!("{only}cloudflare_dns: {{ a.example.com: {{ mx: [{values}] }} }}\n");
    let nine = |only: &str| (0..9).map(|n| service(&format!("s{n}"), &text(only))).collect();
    assert_eq!(said(&repository, nine(""))[0].0, "too-large");
    assert_eq!(said(&repository, nine("only: e0\n")), []);
}

#[test]
fn ten_thousand_services_of_a_kilobyte_are_read() {
    let lines: String = (0..20)
        .map(|n| {
            format!("  name-{n}.of-this-service.example.com: {{ a: 192.0.2.{n}, ttl: 300 }}\n")
        })
        .collect();
    let text = format!("cloudflare_dns:\n{lines}");
    assert!(text.len() > 1024);
    let file = service("s", &text);
    let repository = repository();
    let mut budget = Budget::default();
    assert!((0..10_000).all(|_| budget.take(&repository, &file).is_ok()));
}

#[test]
fn what_variables_may_insert_is_counted_too() {
    let (long, uses) = ("x".repeat(1024), "${long} ".repeat(1000));
    let repository = REPOSITORY.replace("suffix: \"\"", &format!("long: \"{long}\""));
    let repository = RepositoryConfig::load(REGISTRY, "landfall.yaml", repository.as_bytes());
    let repository = repository.unwrap();
    let file =
        service("s", &format!("cloudflare_dns: {{ a.example.com: {{ txt: \"{uses}\" }} }}\n"));
    let mut budget = Budget::default();
    let fit = (0..).take_while(|_| budget.take(&repository, &file).is_ok()).count();
    assert!((200..300).contains(&fit), "{fit}");
}

#[test]
fn a_hostile_web_of_needs_is_told_in_few_words() {
    const COUNT: usize = 3000;
    let needs = |n: usize| format!("needs: [s{}, s0, gone-{n}]\n", (n + 1) % COUNT);
    let services = (0..COUNT).map(|n| service(&format!("s{n}"), &needs(n))).collect();
    let found = said(REPOSITORY, services);
    assert!(found.len() <= 1000 && found.iter().any(|(code, _)| *code == "needs-cycle"));
    assert!(found.iter().all(|(_, message)| message.len() < 300));
}
