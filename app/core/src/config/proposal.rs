//! The first `landfall.yaml` of a repository, proposed from the branches that it has.
//!
//! A text, because what it says to people is half of it. It passes all checks as it is; what has to be
//! filled in before it does anything is marked.

use std::collections::BTreeSet;

use crate::name::BranchName;

/// What a line ends with that somebody has to look at.
const MARK: &str = "# fill in";

/// The branches that are asked for, beside the default one: those of production and those of
/// staging, each in the order in which they are taken.
pub const USUAL: [&str; 4] = ["main", "master", "develop", "staging"];

const PRODUCTION: &[&str] = &["main", "master"];
const STAGING: &[&str] = &["develop", "staging"];

/// A `landfall.yaml` for a repository with these branches, whose `default` one is where it will be.
#[must_use]
pub fn proposal(default: &BranchName, branches: &BTreeSet<BranchName>) -> String {
    let there = |name: &&str| {
        default.as_str() == *name || branches.iter().any(|branch| branch.as_str() == *name)
    };
    let first = |names: &[&'static str]| names.iter().copied().find(there);
    let staging = first(STAGING);
    // A default branch of another name is what people live from.
    let own = Some(default.as_str()).filter(|name| !STAGING.contains(name));
    let production = first(PRODUCTION).or(own);
    let staging = staging.map(|branch| environment("staging", branch, "_STAGING"));
    let production = production.map(|branch| environment("production", branch, ""));
    let environments: String = [staging, production].into_iter().flatten().collect();
    format!("version: 1\nenvironments:\n{environments}")
}

fn environment(name: &str, branch: &str, suffix: &str) -> String {
    format!(
        r#"  {name}:
    branches: [{branch}]
    connections:
      unifi:
        url: "https://192.168.1.1" {MARK}: the address of your console
        api_key: "ref+env://LANDFALL_SECRET_UNIFI{suffix}"
      cloudflare:
        account: 0123456789abcdef0123456789abcdef {MARK}: the number of your account
        zones: [example.com] {MARK}: your zones
        token: "ref+env://LANDFALL_SECRET_CLOUDFLARE{suffix}"
"#,
        branch = quoted(branch),
    )
}

/// A YAML scalar. JSON's form of a text is one, whatever is in it.
fn quoted(text: &str) -> String {
    let plain = text.chars().all(|c| c.is_ascii_lowercase());
    let word = plain && !matches!(text, "null" | "true" | "false" | "yes" | "no" | "on" | "off");
    if word { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follows(default: &str, branches: &[&str]) -> Vec<String> {
        let branches = branches.iter().map(|branch| branch.parse().unwrap()).collect();
        let text = proposal(&default.parse().unwrap(), &branches);
        let lines: Vec<&str> = text.lines().collect();
        let pairs = lines.windows(2).filter(|pair| pair[1].trim().starts_with("branches:"));
        pairs.map(|pair| format!("{}{}", pair[0].trim(), &pair[1].trim()[9..])).collect()
    }

    #[test]
    fn branches_lead_to_the_environments_that_they_are_named_after() {
        assert_eq!(follows("main", &["main"]), ["production: [main]"]);
        let both = ["staging: [develop]", "production: [master]"];
        assert_eq!(follows("master", &["master", "develop", "staging"]), both);
        let own = ["staging: [staging]", "production: [\"release/1.x\"]"];
        assert_eq!(follows("release/1.x", &["staging"]), own);
        assert_eq!(follows("develop", &["develop"]), ["staging: [develop]"]);
        let both = ["staging: [develop]", "production: [main]"];
        assert_eq!(follows("develop", &["develop", "main"]), both);
    }

    #[test]
    fn a_name_that_yaml_reads_otherwise_is_quoted() {
        assert_eq!(follows("on", &[]), ["production: [\"on\"]"]);
        assert_eq!(follows("a#b", &[]), ["production: [\"a#b\"]"]);
    }
}
