//! The disk: how much room is left on it.

use std::io;
use std::path::Path;

/// How many bytes whoever asks may still write to the file system that `path` is on.
///
/// # Errors
/// There is nothing at `path`, or it may not be looked at.
pub fn free(path: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(path)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_some_room_where_files_are_made_and_none_where_nothing_is() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free(folder.path()).unwrap() > 0);
        assert!(free(&folder.path().join("nothing")).is_err());
    }
}
