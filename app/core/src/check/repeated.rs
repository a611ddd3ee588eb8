//! Overrides that say the same everywhere.

use std::collections::HashMap;

use super::scene::Scene;
use crate::config::ServiceFile;
use crate::diagnostic::{Diagnostic, Span};
use crate::name::EnvironmentName;
use crate::yaml::{Node, NodeValue};

/// A value that every environment's override has belongs above them.
pub(super) fn repeated_in_every_override(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let names: Vec<&EnvironmentName> = scene.repository.environments.keys().collect();
    if names.len() < 2 {
        return Vec::new();
    }
    scene.files.iter().flat_map(|file| of_file(file, &names)).collect()
}

fn of_file(file: &ServiceFile, names: &[&EnvironmentName]) -> Vec<Diagnostic> {
    let homes: Vec<_> = names.iter().filter(|name| file.lives_in(name)).collect();
    let overrides: Vec<&Node> =
        homes.iter().filter_map(|name| file.overrides.get(**name)).map(|(_, node)| node).collect();
    if homes.len() < 2 || overrides.len() < homes.len() {
        return Vec::new();
    }
    let mut seen: HashMap<(Vec<&str>, &str), Vec<&Span>> = HashMap::new();
    for node in &overrides {
        leaves(node, &mut Vec::new(), &mut seen);
    }
    let repeated = seen.into_iter().filter(|(_, spans)| spans.len() == overrides.len());
    let finding = |((path, _), spans): ((Vec<&str>, &str), Vec<&Span>)| {
        let message = format!("`{}` is the same in every environment", path.join("."));
        let finding = Diagnostic::warning("repeated-override", spans[0].clone(), message)
            .help("write it once, above `environments:`");
        spans[1..]
            .iter()
            .fold(finding, |finding, span| finding.related((*span).clone(), "and here"))
    };
    repeated.map(finding).collect()
}

/// Every single value with the keys that lead to it. Lists are replaced whole and left out: that
/// one environment has the same list as another says little.
fn leaves<'n>(
    node: &'n Node,
    path: &mut Vec<&'n str>,
    seen: &mut HashMap<(Vec<&'n str>, &'n str), Vec<&'n Span>>,
) {
    match &node.value {
        NodeValue::Scalar { text, .. } => {
            seen.entry((path.clone(), text)).or_default().push(&node.span);
        }
        NodeValue::Map(entries) => {
            for (key, node) in entries {
                path.push(&key.text);
                leaves(node, path, seen);
                path.pop();
            }
        }
        NodeValue::Null | NodeValue::List(_) => {}
    }
}
