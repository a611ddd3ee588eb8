//! The example repository, built into the binary, as it is at the simulators.
//!
//! What `fixtures/repos/homelab` says stays word for word but for one thing: its connections lead to
//! the simulators' addresses.

/// The rules.
pub(in crate::cli) const RULES: &str = "landfall.yaml";

macro_rules! homelab {
    ($($path:literal),+ $(,)?) => {
        [$(($path, include_str!(concat!("../../../../../fixtures/repos/homelab/", $path)))),+]
    };
}

/// Every file of it.
const FILES: [(&str, &str); 6] = homelab![
    "README.md",
    "landfall.yaml",
    "services/home-assistant.yaml",
    "services/jellyfin.yaml",
    "services/mail.yaml",
    "services/nas.yaml",
];

/// The addresses in its rules: the console of staging, that of production, and, as nobody writes
/// where Cloudflare is, the account that its address is put before.
const LAB: &str = "https://unifi-lab.lan";
const HOME: &str = "https://unifi.lan";
const ACCOUNT: &str = "account: 0123456789abcdef0123456789abcdef";

/// Where its connections lead instead.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Addresses {
    pub(in crate::cli) lab: String,
    pub(in crate::cli) home: String,
    pub(in crate::cli) cloudflare: String,
}

/// The files with their paths, the rules first.
pub(in crate::cli) fn files(addresses: &Addresses) -> Vec<(&'static str, String)> {
    let account = format!("url: \"{}\"\n        {ACCOUNT}", addresses.cloudflare);
    let rules = |text: &str| {
        let text = text.replace(LAB, &addresses.lab).replace(HOME, &addresses.home);
        text.replace(ACCOUNT, &account)
    };
    let mut files: Vec<(&str, String)> = FILES
        .iter()
        .map(|(path, text)| match *path {
            RULES => (*path, rules(text)),
            _ => (*path, (*text).to_owned()),
        })
        .collect();
    files.sort_by_key(|(path, _)| *path != RULES);
    files
}

/// What one file says.
pub(in crate::cli) fn file(path: &str) -> anyhow::Result<&'static str> {
    let found = FILES.iter().find(|(known, _)| *known == path);
    let (_, text) =
        found.ok_or_else(|| anyhow::anyhow!("the example repository has no `{path}`"))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    fn paths_below(folder: &Path, found: &mut BTreeSet<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => paths_below(&path, found),
                false => found.extend([path]),
            }
        }
    }

    #[test]
    fn every_file_of_the_fixture_is_built_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/repos/homelab");
        let mut found = BTreeSet::new();
        paths_below(&folder, &mut found);
        let built_in: BTreeSet<PathBuf> = FILES.iter().map(|(path, _)| folder.join(path)).collect();
        assert_eq!(found, built_in);
    }

    #[test]
    fn all_connections_lead_to_the_simulators() {
        let addresses = Addresses {
            lab: "http://127.0.0.1:1".to_owned(),
            home: "http://127.0.0.1:2".to_owned(),
            cloudflare: "http://127.0.0.1:3/client/v4".to_owned(),
        };
        let files = files(&addresses);
        let (path, rules) = &files[0];
        assert_eq!(*path, RULES);
        assert!(!rules.contains("https://"), "{rules}");
        assert_eq!(rules.matches("url: \"http://127.0.0.1:1\"").count(), 1, "{rules}");
        assert_eq!(rules.matches("url: \"http://127.0.0.1:2\"").count(), 1, "{rules}");
        assert_eq!(rules.matches("url: \"http://127.0.0.1:3/client/v4\"").count(), 2, "{rules}");
    }
}
