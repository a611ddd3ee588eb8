//! The order in which files are read changes nothing: not the units, not the findings, not the plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use landfall_core::config::{RepositoryConfig, ServiceFile, Tree};
use landfall_core::diagnostic::Diagnostic;
use landfall_core::name::{ConfigPath, KindName, RepositoryId, ServiceName};
use landfall_core::plan::{
    Adoption, Desired, Facts, Needs, Origin, Plan, Ranks, ResourceKey, Target, Wanted, make, order,
};
use proptest::prelude::*;
use serde_json::json;

use crate::kinds::REGISTRY;

const REPOSITORY: &str = r#"version: 1
environments:
  staging:
    vars: { suffix: "-staging" }
    connections:
      cloudflare: { account: abc, zones: [example.com], token: "ref+env://LANDFALL_SECRET_CF" }
  production:
    vars: { suffix: "" }
    connections:
      unifi: { url: "https://192.168.1.1", api_key: "ref+env://LANDFALL_SECRET_UNIFI" }
      cloudflare: { account: abc, zones: [example.com], token: "ref+env://LANDFALL_SECRET_CF" }
"#;

/// Services that need each other, and sometimes declare the same names.
fn any_file() -> impl Strategy<Value = String> {
    let name = "[a-d]";
    let need = prop::option::weighted(0.3, 0..6_usize);
    let local = prop::collection::btree_map(name, 1..9_u8, 0..3);
    let public = prop::collection::btree_map(name, name, 0..3);
    (need, local, public).prop_map(|(need, local, public)| {
        let mut text = need.map(|n| format!("needs: [s{n}]\n")).unwrap_or_default();
        text.push_str("unifi_dns:\n  own.lan: { a: 192.168.1.1 }\n");
        for (name, last) in local {
            text.push_str(&format!("  {name}.lan: {{ a: 192.168.1.{last} }}\n"));
        }
        text.push_str("cloudflare_tunnel:\n  tunnel: media${suffix}\n  routes:\n    own.example.com: http://10.0.0.1\n");
        for (name, origin) in public {
            text.push_str(&format!("    {name}${{suffix}}.example.com: http://{origin}.lan\n"));
        }
        text
    })
}

/// Files and the same in another order. Each has names of its own, so that many trees are right.
fn any_files() -> impl Strategy<Value = (Vec<Arc<ServiceFile>>, Vec<Arc<ServiceFile>>)> {
    let files = prop::collection::vec((any_file(), any::<bool>()), 1..6);
    let files = files.prop_map(|texts| {
        let file = |(n, (text, shares)): (usize, (String, bool))| {
            let own = format!("s{n}");
            let text = text.replace("own.", &format!("own-{n}${{suffix}}."));
            // A letter before the dot is a name that others have, too.
            let text = if shares { text } else { rename(&text, &own) };
            let path = ConfigPath::new(format!("services/{own}.yaml")).unwrap();
            Arc::new(ServiceFile::parse(REGISTRY, &path, text.as_bytes()).unwrap())
        };
        texts.into_iter().enumerate().map(file).collect::<Vec<_>>()
    });
    files.prop_flat_map(|files| (Just(files.clone()), Just(files).prop_shuffle()))
}

fn rename(text: &str, own: &str) -> String {
    ["a", "b", "c", "d"].iter().fold(text.to_owned(), |text, name| {
        text.replace(&format!("  {name}."), &format!("  {name}-{own}."))
            .replace(&format!("  {name}$"), &format!("  {name}-{own}$"))
    })
}

fn load(files: Vec<Arc<ServiceFile>>) -> Result<Tree, Vec<Diagnostic>> {
    let repository = RepositoryConfig::load(REGISTRY, "landfall.yaml", REPOSITORY.as_bytes());
    Tree::load(REGISTRY, Arc::new(repository.unwrap()), files)
}

/// A plan that makes everything the units of production declare.
fn plan(tree: &Tree) -> Plan {
    let production = "production".parse().unwrap();
    let units = tree.units_of(&production).map(|unit| {
        let target = Target::new(unit.name.kind.clone(), "t");
        let desired = unit.names.resources().into_iter().map(|name| Desired {
            key: ResourceKey::new(target.clone(), name.rtype, name.name),
            value: json!(unit.config.to_string()),
            adopt: false,
            span: unit.span.clone(),
        });
        let desired = Ok(desired.collect());
        (unit.name.clone(), Wanted { origin: Origin::Changed, hash: None, desired })
    });
    make(&Facts {
        repository: RepositoryId(1),
        environment: production.clone(),
        units: units.collect(),
        live: &BTreeMap::new(),
        owned: &BTreeMap::new(),
        adoption: Adoption::Listed,
    })
}

fn needs(tree: &Tree) -> Needs {
    let needed = |file: &ServiceFile| -> BTreeSet<ServiceName> {
        file.needs.iter().map(|need| need.value.clone()).collect()
    };
    tree.services.iter().map(|file| (file.name.clone(), needed(file))).collect()
}

fn ranks() -> Ranks {
    let rank = |(kind, rank)| (KindName::new(kind).unwrap(), rank);
    [("unifi_dns", 0), ("cloudflare_tunnel", 1)].map(rank).into()
}

proptest! {
    #[test]
    fn the_order_of_files_changes_nothing((files, shuffled) in any_files()) {
        match (load(files), load(shuffled)) {
            (Ok(tree), Ok(other)) => {
                let told = |tree: &Tree| -> Vec<String> {
                    tree.units().map(|unit| format!("{} {}", unit.name, unit.config)).collect()
                };
                prop_assert_eq!(told(&tree), told(&other));
                prop_assert_eq!(&tree.warnings, &other.warnings);
                let (plan, again) = (plan(&tree), plan(&other));
                prop_assert_eq!(&plan, &again);
                prop_assert_eq!(plan.digest(), again.digest());
                let order = |plan: &Plan, tree: &Tree| order(plan, &ranks(), &needs(tree));
                prop_assert_eq!(order(&plan, &tree), order(&again, &other));
            }
            (Err(findings), Err(others)) => prop_assert_eq!(findings, others),
            (one, other) => prop_assert!(false, "{one:#?}\n{other:#?}"),
        }
    }
}
