//! Where a backup is: a file, or an object in a bucket; and the names that we give.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Where a backup is, or where several are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// One, in a file.
    File(PathBuf),
    /// Several, in files of a folder.
    Folder(PathBuf),
    /// One, in an object.
    Object {
        /// The bucket.
        bucket: String,
        /// The object's key.
        key: String,
    },
    /// Several, in objects whose keys begin so.
    Prefix {
        /// The bucket.
        bucket: String,
        /// What keys begin with: empty, or ended by a slash.
        prefix: String,
    },
}

/// A text that names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a file, a folder, `s3://BUCKET/KEY` nor `s3://BUCKET/PREFIX/`")]
pub struct NoPlace(String);

impl FromStr for Place {
    type Err = NoPlace;

    /// What ends with a slash holds several, and so does a folder that is there.
    fn from_str(text: &str) -> Result<Self, NoPlace> {
        if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                return Err(NoPlace(text.to_owned()));
            }
            let (bucket, key) = (bucket.to_owned(), key.to_owned());
            return Ok(match key.is_empty() || key.ends_with('/') {
                true => Self::Prefix { bucket, prefix: key },
                false => Self::Object { bucket, key },
            });
        }
        if text.is_empty() || text.contains("://") {
            return Err(NoPlace(text.to_owned()));
        }
        let path = PathBuf::from(text);
        let several = text.ends_with('/') || path.is_dir();
        Ok(if several { Self::Folder(path) } else { Self::File(path) })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) | Self::Folder(path) => path.display().fmt(f),
            Self::Object { bucket, key } | Self::Prefix { bucket, prefix: key } => {
                write!(f, "s3://{bucket}/{key}")
            }
        }
    }
}

impl Place {
    /// Whether it holds several.
    #[must_use]
    pub fn is_for_several(&self) -> bool {
        matches!(self, Self::Folder(_) | Self::Prefix { .. })
    }

    /// Where the one is that is called `name` here. A place for one is that already.
    #[must_use]
    pub fn for_one(&self, name: &str) -> Self {
        match self {
            Self::File(_) | Self::Object { .. } => self.clone(),
            Self::Folder(folder) => Self::File(folder.join(name)),
            Self::Prefix { bucket, prefix } => {
                Self::Object { bucket: bucket.clone(), key: format!("{prefix}{name}") }
            }
        }
    }
}

const BEGIN: &str = "landfall-";
const END: &str = ".backup";
/// In order of time when in order of text, and nothing in it that a shell or a URL minds.
const TIME: &str = "%Y%m%dT%H%M%SZ";

/// What a backup is called that is taken at `at`.
#[must_use]
pub fn name(at: Timestamp) -> String {
    format!("{BEGIN}{}{END}", at.strftime(TIME))
}

/// When a backup with this name was taken; none when the name is none of ours.
#[must_use]
pub fn taken_at(called: &str) -> Option<Timestamp> {
    let time = called.strip_prefix(BEGIN)?.strip_suffix(END)?;
    let time = DateTime::strptime(TIME, time).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
    (name(time) == called).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let there = folder.path().to_str().unwrap();
        for (text, several) in [
            ("landfall.backup", false),
            ("backups/", true),
            (there, true),
            ("s3://acme", true),
            ("s3://acme/", true),
            ("s3://acme/landfall/", true),
            ("s3://acme/landfall/one.backup", false),
        ] {
            let place: Place = text.parse().unwrap();
            assert_eq!(place.is_for_several(), several, "{text}");
            assert_eq!(place.to_string().trim_end_matches('/'), text.trim_end_matches('/'));
        }
        for none in ["", "s3://", "s3:///key", "gs://acme/landfall/", "https://example.org/x"] {
            assert_eq!(none.parse::<Place>(), Err(NoPlace(none.to_owned())));
        }
    }

    #[test]
    fn only_our_own_names_are_ours_and_their_order_is_that_of_time() {
        let at: Timestamp = "2026-11-21T14:53:07.9Z".parse().unwrap();
        assert_eq!(name(at), "landfall-20261121T145307Z.backup");
        assert_eq!(taken_at(&name(at)), Some("2026-11-21T14:53:07Z".parse().unwrap()));
        for other in [
            "landfall.db",
            "landfall-.backup",
            "landfall-20261121T145307Z.backup.part",
            "landfall-20261321T145307Z.backup",
            "landfall-20261121T145307Z.backup/x",
            "mine-20261121T145307Z.backup",
        ] {
            assert_eq!(taken_at(other), None, "{other}");
        }
    }
}
