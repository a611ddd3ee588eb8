//! Whether the database is there, can be written to, and is whole.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use landfall_store::{Store, StoreError, SystemClock, Tables};
use secrecy::ExposeSecret as _;

use super::Patient;
use super::report::Finding;

pub(super) async fn findings(patient: &Patient) -> Vec<Finding> {
    let url = patient.settings.database_url.expose_secret();
    if let Some(file) = file_of(url).filter(|file| !file.exists()) {
        let said = format!("{} is not there yet; the server makes it", file.display());
        return vec![Finding::fine("database", said)];
    }
    let engine = engine(url);
    // Opening it brings it up to date, which is for the server to do, when it is started.
    let said = match landfall_store::tables(url).await {
        Ok(Tables::Current) => return opened(url, engine).await,
        Ok(Tables::None) => "there are no tables yet; the server makes them",
        Ok(Tables::Older) => {
            "its tables are of an older version; the server brings them up to date when it starts"
        }
        Ok(Tables::Newer) => {
            let mend = "start the version of Landfall that ran last, or restore a backup into another database";
            let said = format!("{engine}: its tables are of a newer version than this Landfall");
            return vec![Finding::fault("database", said, mend)];
        }
        Err(error) => return vec![unreachable(error)],
    };
    vec![Finding::fine("database", format!("{engine}: {said}"))]
}

async fn opened(url: &str, engine: &str) -> Vec<Finding> {
    let store = match landfall_store::open(url, Arc::new(SystemClock)).await {
        Ok(store) => store,
        Err(error) => return vec![unreachable(error)],
    };
    let found = look(&*store, engine).await;
    store.close().await;
    found
}

fn unreachable(error: StoreError) -> Finding {
    let mend = "LANDFALL_DATABASE_URL has to lead to it, and this user be allowed to write";
    Finding::fault("database", error, mend)
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
