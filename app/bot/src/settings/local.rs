//! The settings of commands on a working copy: the few variables that mean something without GitHub.

use std::path::{Path, PathBuf};

use landfall_os::http::AddressRules;
use secrecy::SecretString;

use super::{Fault, Reader, Variables};

/// What a command on a working copy runs with.
#[derive(Debug, Clone)]
pub struct LocalSettings {
    /// `LANDFALL_DATA_DIR`: where the state of environments without branches is kept.
    data_dir: Option<PathBuf>,
    /// `LANDFALL_DATABASE_URL`: the store of a server, for what environments with branches own.
    database_url: Option<SecretString>,
    /// `LANDFALL_CONFIG`: the operator file.
    pub operator_file: Option<PathBuf>,
    /// `LANDFALL_TEMPLATES`: a folder whose files take the place of built-in templates.
    pub templates: Option<PathBuf>,
    /// `LANDFALL_ALLOW_HOSTS`: hosts and networks that connections may lead to beside public ones.
    pub rules: AddressRules,
    /// `USER`: who runs the command, for the record.
    pub user: String,
}

/// Where state is kept when `LANDFALL_DATA_DIR` does not say: a folder of the working copy, so that
/// every folder below it leads to the same state.
const DATA_DIR: &str = ".landfall";

impl LocalSettings {
    /// Reads the settings.
    ///
    /// # Errors
    /// Every variable that is wrong.
    pub fn read(variables: &Variables<'_>) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader { variables, faults: Vec::new() };
        let settings = Self {
            data_dir: reader.get("LANDFALL_DATA_DIR").map(PathBuf::from),
            database_url: reader.get("LANDFALL_DATABASE_URL").map(SecretString::from),
            operator_file: reader.get("LANDFALL_CONFIG").map(PathBuf::from),
            templates: reader.get("LANDFALL_TEMPLATES").map(PathBuf::from),
            rules: reader.rules(),
            user: reader.or("USER", "somebody"),
        };
        if reader.faults.is_empty() { Ok(settings) } else { Err(reader.faults) }
    }

    /// Where the state of the working copy at `root` is kept.
    #[must_use]
    pub fn data_dir(&self, root: &Path) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(|| root.join(DATA_DIR))
    }

    /// The store of a server, if there is one to be read here.
    #[must_use]
    pub fn server_store(&self) -> Option<SecretString> {
        let file = self.data_dir.as_ref().map(|folder| folder.join("landfall.db"));
        let found = file.filter(|file| file.is_file());
        let found = || Some(format!("sqlite:{}", found?.display()).into());
        self.database_url.clone().or_else(found)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<LocalSettings, Vec<Fault>> {
        LocalSettings::read(&|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn state_lies_in_the_working_copy_unless_the_data_directory_is_named() {
        let root = Path::new("/homelab");
        assert_eq!(read(&[]).unwrap().data_dir(root), root.join(".landfall"));
        let named = read(&[("LANDFALL_DATA_DIR", "/var/lib/landfall")]).unwrap();
        assert_eq!(named.data_dir(root), Path::new("/var/lib/landfall"));
    }

    #[test]
    fn a_server_s_store_is_named_or_found_and_never_guessed() {
        let store = |pairs: &[(&str, &str)]| {
            let url = read(pairs).unwrap().server_store();
            url.map(|url| url.expose_secret().to_owned())
        };
        assert_eq!(store(&[]), None);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        assert_eq!(store(&[("LANDFALL_DATA_DIR", path)]), None);
        std::fs::write(folder.path().join("landfall.db"), "").unwrap();
        let found = store(&[("LANDFALL_DATA_DIR", path)]);
        assert_eq!(found, Some(format!("sqlite:{path}/landfall.db")));
        let url = "sqlite:/srv/landfall.db";
        let named = store(&[("LANDFALL_DATA_DIR", path), ("LANDFALL_DATABASE_URL", url)]);
        assert_eq!(named.as_deref(), Some(url));
    }

    #[test]
    fn a_wrong_list_of_hosts_is_told() {
        let faults = read(&[("LANDFALL_ALLOW_HOSTS", "not a host")]).unwrap_err();
        assert_eq!(faults[0].variable, "LANDFALL_ALLOW_HOSTS");
    }
}
