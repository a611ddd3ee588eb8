//! What is on the machine: PostgreSQL's programs, and a user to run them as.

use std::path::PathBuf;
use std::{env, fs, io};

/// Where Debian puts the programs of each version: `/usr/lib/postgresql/17/bin`.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A user's number and that of their group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: u32,
    pub(crate) group: u32,
}

/// The folder with the programs of the newest version that Debian installed, else the first in
/// `PATH` that has them.
pub(crate) fn programs() -> Option<PathBuf> {
    let installed = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = installed
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    let path = env::var_os("PATH").unwrap_or_default();
    let candidates = versions.into_iter().rev().map(|(_, folder)| folder);
    candidates.chain(env::split_paths(&path)).find(|folder| {
        ["initdb", "postgres", "pg_isready", "createdb"]
            .iter()
            .all(|program| folder.join(program).is_file())
    })
}

/// A user without rights: PostgreSQL's own, else `nobody`.
pub(crate) fn somebody_else() -> io::Result<User> {
    let users = fs::read_to_string("/etc/passwd")?;
    let found = ["postgres", "nobody"].iter().find_map(|name| user(&users, name));
    found.ok_or_else(|| io::Error::other("it does not run as root, and there is no user `nobody`"))
}

/// The user `name` in `/etc/passwd`.
fn user(users: &str, name: &str) -> Option<User> {
    let mut of =
        users.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?.split(':');
    Some(User { id: of.nth(1)?.parse().ok()?, group: of.next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_the_whole_name() {
        let users =
            "root:x:0:0:root:/root:/bin/sh\npostgresql:x:7:7::/:\npostgres:x:101:104:,,,:/:\n";
        assert_eq!(user(users, "postgres"), Some(User { id: 101, group: 104 }));
        assert_eq!(user(users, "nobody"), None);
    }
}
