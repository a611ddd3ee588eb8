//! Whether the database is there, can be written to, and is whole.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use landfall_store::{Store, SystemClock};
use secrecy::ExposeSecret as _;

use super::Patient;
use super::report::Finding;

pub(super) async fn findings(patient: &Patient) -> Vec<Finding> {
    let url = patient.settings.database_url.expose_secret();
    if let Some(file) = file_of(url).filter(|file| !file.exists()) {
        let said = format!("{} is not there yet; the server makes it", file.display());
        return vec![Finding::fine("database", said)];
    }
    let store = match landfall_store::open(url, Arc::new(SystemClock)).await {
        Ok(store) => store,
        Err(error) => {
            let mend = "LANDFALL_DATABASE_URL has to lead to it, and this user be allowed to write";
            return vec![Finding::fault("database", error, mend)];
        }
    };
    let found = look(&*store, engine(url)).await;
    store.close().await;
    found
}

async fn look(store: &dyn Store, engine: &str) -> Vec<Finding> {
    if let Err(error) = store.ready().await {
        let mend = "it needs room on its disk, and a user who may write";
        return vec![Finding::fault("database", format!("cannot be written to: {error}"), mend)];
    }
    match store.damage().await {
        Ok(damage) if damage.is_empty() => {
            let said =
                format!("{engine}: its version fits, it can be written to, nothing is damaged");
            vec![Finding::fine("database", said)]
        }
        Ok(damage) => {
            let mend = "stop the server and restore a backup: landfall restore --help";
            damage.iter().map(|fault| Finding::fault("database", fault, mend)).collect()
        }
        Err(error) => {
            let mend = "stop the server and restore a backup: landfall restore --help";
            vec![Finding::fault("database", format!("cannot be read: {error}"), mend)]
        }
    }
}

fn engine(url: &str) -> &'static str {
    if url.starts_with("sqlite:") { "SQLite" } else { "PostgreSQL" }
}

/// The file behind `sqlite:PATH?…`; none for a database that is no file.
fn file_of(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?.split('?').next()?;
    let path = path.strip_prefix("//").unwrap_or(path);
    (!path.is_empty() && !path.starts_with(':')).then(|| Path::new(path).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_is_looked_for_before_it_is_opened() {
        let path = |url| file_of(url).map(|path| path.display().to_string());
        assert_eq!(path("sqlite:data/landfall.db?mode=ro").as_deref(), Some("data/landfall.db"));
        assert_eq!(path("sqlite:///srv/landfall.db").as_deref(), Some("/srv/landfall.db"));
        assert_eq!(path("sqlite::memory:"), None);
        assert_eq!(path("postgres://db/landfall"), None);
    }
}
