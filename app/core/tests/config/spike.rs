//! The claim that everything stands on: a value keeps its place through variables, merging and
//! decoding, and a kind that `core` does not know reports an error at the line a person wrote.

use landfall_core::config::{RepositoryConfig, ServiceFile, effective, show, units};
use landfall_core::diagnostic::Diagnostic;
use landfall_core::name::ConfigPath;
use landfall_core::yaml::Either;

use crate::kinds::{REGISTRY, Tunnel};

const REPOSITORY: &str = r#"version: 1
environments:
  staging:
    branches: [develop]
    vars: { suffix: "-staging", port: "8096" }
    connections:
      cloudflare: { account: abc, zones: [example.com], token: "ref+env://LANDFALL_SECRET_CF" }
"#;

const SERVICE: &str = r#"cloudflare_tunnel:
  tunnel: media-server${suffix}
  routes:
    "jellyfin${suffix}.example.com":
      origin: http://jellyfin.lan:${port}
    gone.example.com: http://10.0.0.1
environments:
  staging:
    cloudflare_tunnel:
      routes:
        "jellyfin${suffix}.example.com": { no_tls_verify: true }
        gone.example.com: null
        new.example.com: http://10.0.0.2
"#;

fn repository() -> RepositoryConfig {
    RepositoryConfig::load(REGISTRY, "landfall.yaml", REPOSITORY.as_bytes()).unwrap()
}

fn service(text: &str) -> ServiceFile {
    let path = ConfigPath::new("services/jellyfin.yaml").unwrap();
    ServiceFile::parse(REGISTRY, &path, text.as_bytes()).unwrap()
}

#[test]
fn places_survive_variables_merging_and_decoding() {
    let repository = repository();
    let environment = repository.environments.values().next().unwrap();
    let units = units(REGISTRY, &repository, environment, &service(SERVICE)).unwrap();
    let tunnel = units[0].component.as_any().downcast_ref::<Tunnel>().unwrap();
    assert_eq!(tunnel.tunnel.value, "media-server-staging");
    assert_eq!(tunnel.tunnel.span.to_string(), "services/jellyfin.yaml:2:11");
    let routes = &tunnel.routes.0;
    assert_eq!(routes.len(), 2);
    let (name, Either::Structure(origin)) = &routes[0] else { panic!("{routes:?}") };
    assert_eq!((name.as_str(), name.span.start.line), ("jellyfin-staging.example.com", 4));
    assert_eq!(
        (origin.origin.as_str(), origin.origin.span.start.line),
        ("http://jellyfin.lan:8096", 5)
    );
    assert!(origin.no_tls_verify);
    assert_eq!(routes[1].0.span.start.line, 13);
}

#[test]
fn an_error_found_by_the_kind_stands_at_the_line_of_the_override() {
    let repository = repository();
    let environment = repository.environments.values().next().unwrap();
    let text = SERVICE.replace("no_tls_verify: true", "no_tls_verfy: true");
    let found = units(REGISTRY, &repository, environment, &service(&text)).unwrap_err();
    let found: Vec<String> = found.iter().map(Diagnostic::to_string).collect();
    assert_eq!(
        found,
        [
            "services/jellyfin.yaml:11:44: the key `no_tls_verfy` is not known here [unknown-key]; did you mean `no_tls_verify`?"
        ]
    );
}

#[test]
fn the_effective_config_is_shown_with_the_line_of_each_value() {
    let repository = repository();
    let environment = repository.environments.values().next().unwrap();
    let lines = show(&effective(environment, &service(SERVICE)).unwrap());
    let text: Vec<String> = lines.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(text.join("\n"), @r"
    cloudflare_tunnel:
      tunnel: media-server-staging  # services/jellyfin.yaml:2
      routes:
        jellyfin-staging.example.com:
          origin: http://jellyfin.lan:8096  # services/jellyfin.yaml:5
          no_tls_verify: true  # services/jellyfin.yaml:11
        new.example.com: http://10.0.0.2  # services/jellyfin.yaml:13
    ");
}
