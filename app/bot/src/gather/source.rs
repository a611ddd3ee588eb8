//! Where files come from: a tree of a mirror, or a working copy.

use std::collections::HashMap;

use async_trait::async_trait;
use landfall_core::name::{BlobSha, ConfigPath, TreeSha};
use landfall_core::plan::{Digest, Value};
use landfall_repo::{Blob, Entry, EntryKind, Listing, Mirror};

/// No configuration file may be larger; what is, is an error and not a service that vanished.
pub const MAX_FILE: u64 = landfall_core::yaml::MAX_BYTES as u64;

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub path: ConfigPath,
    /// The name of its content.
    pub blob: BlobSha,
    /// What stands there.
    pub form: Form,
}

/// What stands at a path. All but the first would look like a service that was removed, if they
/// were left out where one belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A file of its own.
    Plain,
    /// A link to another one.
    Link,
    /// A commit of another repository.
    Submodule,
    /// Something whose name is none that can be shown; the path is as near to it as can be.
    Odd,
}

impl File {
    /// Whether it has a content that can be read.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.form == Form::Plain
    }
}

/// Files by content, the same for a server's mirror and for a working copy.
#[async_trait]
pub trait Source: Send + Sync {
    /// Every file.
    async fn files(&self) -> anyhow::Result<Vec<File>>;

    /// The file at `path`, if there is one.
    async fn file(&self, path: &ConfigPath) -> anyhow::Result<Option<File>> {
        Ok(self.files().await?.into_iter().find(|file| file.path == *path))
    }

    /// The contents of these, all at once. One that is larger than [`MAX_FILE`] is only measured.
    async fn contents(&self, blobs: &[BlobSha]) -> anyhow::Result<HashMap<BlobSha, Blob>>;
}

/// A tree of a mirror.
#[derive(Debug)]
pub struct TreeFiles<'a> {
    /// The mirror.
    pub mirror: &'a Mirror,
    /// The tree.
    pub tree: &'a TreeSha,
}

#[async_trait]
impl Source for TreeFiles<'_> {
    async fn files(&self) -> anyhow::Result<Vec<File>> {
        Ok(files(self.mirror.list(self.tree, None).await?))
    }

    async fn file(&self, path: &ConfigPath) -> anyhow::Result<Option<File>> {
        let entry = self.mirror.file(self.tree, path).await?;
        Ok(entry.map(file))
    }

    async fn contents(&self, blobs: &[BlobSha]) -> anyhow::Result<HashMap<BlobSha, Blob>> {
        Ok(self.mirror.blobs(blobs, MAX_FILE).await?)
    }
}

/// What stands at every path of a listing.
pub(crate) fn files(listing: Listing) -> Vec<File> {
    let Listing { entries, odd } = listing;
    let odd = odd.iter().map(|path| {
        let path = near(path);
        File { blob: stand_in(&path), path, form: Form::Odd }
    });
    entries.into_iter().map(file).chain(odd).collect()
}

fn file(Entry { path, kind, blob }: Entry) -> File {
    let form = match kind {
        EntryKind::File | EntryKind::Executable => Form::Plain,
        EntryKind::Link => Form::Link,
        EntryKind::Submodule => Form::Submodule,
    };
    File { path, blob, form }
}

/// A name for what has no content of its own here.
pub(crate) fn stand_in(path: &ConfigPath) -> BlobSha {
    let name = Digest::of(&Value::from(path.as_str())).to_string();
    BlobSha::new(name).expect("a digest has the form of an object's name")
}

/// The path nearest to one that is none: what cannot be in a path is replaced, and the middle of a
/// long one left out, so that a pattern still says whether it is meant.
fn near(path: &str) -> ConfigPath {
    const END: usize = 500;
    let part = |part: &str| match part {
        "" | "." | ".." => "\u{fffd}".to_owned(),
        part => part.replace(['\0', '\n'], "\u{fffd}"),
    };
    let mut whole = path.split('/').map(part).collect::<Vec<_>>().join("/");
    if whole.len() > 2 * END {
        let head = whole.floor_char_boundary(END);
        let tail = whole.ceil_char_boundary(whole.len() - END);
        whole.replace_range(head..tail, "…");
    }
    ConfigPath::new(whole)
        .expect("every part has a character that a part may have, and it is short")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_listing_is_left_out() {
        let entry = |path: &str, kind| Entry {
            path: ConfigPath::new(path).unwrap(),
            kind,
            blob: BlobSha::new("a".repeat(40)).unwrap(),
        };
        let long = format!("services/{}.yaml", "é".repeat(900));
        let listing = Listing {
            entries: vec![
                entry("services/a.yaml", EntryKind::Executable),
                entry("services/b.yaml", EntryKind::Link),
                entry("services/c.yaml", EntryKind::Submodule),
            ],
            odd: vec!["services/d\n.yaml".to_owned(), "services/../x/".to_owned(), long],
        };
        let files = files(listing);
        let found: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.form)).collect();
        assert_eq!(
            found[..5],
            [
                ("services/a.yaml", Form::Plain),
                ("services/b.yaml", Form::Link),
                ("services/c.yaml", Form::Submodule),
                ("services/d\u{fffd}.yaml", Form::Odd),
                ("services/\u{fffd}/x/\u{fffd}", Form::Odd),
            ]
        );
        let (path, form) = found[5];
        assert!(path.starts_with("services/é") && path.ends_with("é.yaml") && form == Form::Odd);
    }
}
