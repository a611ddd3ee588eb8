//! The example repositories pass all checks, and use what they are examples of.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use landfall_core::config::{Registry, RepositoryConfig, ServiceFile, Tree};
use landfall_core::diagnostic::Diagnostic;
use landfall_core::name::ConfigPath;

fn homelab() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/repos/homelab")
}

/// Loads the repository in a folder as a pull request's tree is loaded.
fn load(root: &Path) -> Result<Tree, Vec<Diagnostic>> {
    let providers = landfall_providers::Registry::new();
    let (kinds, connections) = (providers.kinds(), providers.connection_kinds());
    let registry = Registry { kinds: &kinds, connections: &connections, later: &[] };
    let read = |path: &str| fs::read(root.join(path)).unwrap();
    let repository = RepositoryConfig::load(registry, "landfall.yaml", &read("landfall.yaml"))?;
    let repository = Arc::new(repository);
    let mut services = Vec::new();
    for entry in fs::read_dir(root.join("services")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = ConfigPath::new(format!("services/{name}")).unwrap();
        assert!(repository.services.matches(&path), "{path} is no service file");
        services.push(Arc::new(ServiceFile::parse(registry, &path, &read(path.as_str()))?));
    }
    Tree::load(registry, repository, services)
}

#[test]
fn the_homelab_passes_every_check_without_a_warning() {
    let tree = load(&homelab()).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert_eq!(tree.warnings.len(), 0, "{:#?}", tree.warnings);
}

#[test]
fn the_homelab_shows_every_kind_in_both_environments() {
    let tree = load(&homelab()).unwrap();
    let units: BTreeSet<String> = tree.units().map(|unit| unit.name.to_string()).collect();
    for kind in ["unifi_dns", "cloudflare_tunnel", "cloudflare_dns"] {
        assert!(units.iter().any(|unit| unit.ends_with(kind)), "no service uses {kind}");
    }
    for environment in ["staging/", "production/"] {
        assert!(
            units.iter().filter(|unit| unit.starts_with(environment)).count() >= 4,
            "{units:?}"
        );
    }
    let alone = units.iter().filter_map(|unit| unit.strip_prefix("production/"));
    let mut alone = alone.filter(|unit| !units.contains(&format!("staging/{unit}")));
    assert!(alone.next().is_some(), "no unit lives in production alone");
}

/// `landfall demo` puts the simulators' addresses in their place.
#[test]
fn the_homelabs_consoles_have_addresses_of_their_own() {
    let config = fs::read_to_string(homelab().join("landfall.yaml")).unwrap();
    assert!(config.contains("https://unifi.lan") && config.contains("https://unifi-lab.lan"));
    assert!(!config.contains("127.0.0.1"));
}
