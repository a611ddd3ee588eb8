//! Repositories as an installation sees them, and what somebody may do in one.

use landfall_core::name::{BranchName, InstallationId, RepositoryId, RepositoryName, UserId};
use landfall_core::rights::Level;
use serde::Deserialize;

/// A repository that the App is installed on. All that is kept about it is keyed by the two
/// numbers; the name is only for the paths of requests, and may have changed meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InstalledRepository {
    /// Through which installation it is reached.
    pub installation: InstallationId,
    /// The repository.
    pub id: RepositoryId,
    /// Its name when it was last heard of.
    pub name: RepositoryName,
}

/// A repository as GitHub describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Repository {
    /// Its number.
    pub id: RepositoryId,
    /// `owner/name`.
    #[serde(rename = "full_name")]
    pub name: RepositoryName,
    /// The branch that the repository config is read from.
    pub default_branch: BranchName,
    /// Archived repositories take no writes.
    #[serde(default)]
    pub archived: bool,
    /// Whether it was forked from another one.
    #[serde(default)]
    pub fork: bool,
}

/// The answer of `GET .../collaborators/{login}/permission`.
#[derive(Debug, Deserialize)]
pub(crate) struct CollaboratorPermission {
    permission: String,
    #[serde(default)]
    role_name: Option<String>,
    user: Option<Collaborator>,
}

#[derive(Debug, Deserialize)]
struct Collaborator {
    id: UserId,
}

impl CollaboratorPermission {
    /// What `user` may do. Nothing, if the login belongs to somebody else by now or the answer
    /// does not say to whom. A custom role counts as the ordinary one it is built on.
    pub(crate) fn of(&self, user: UserId) -> Option<Level> {
        self.user.as_ref().filter(|found| found.id == user)?;
        // The older `permission` knows neither triage nor maintain.
        let role = self.role_name.as_deref().and_then(Level::named);
        role.or_else(|| Level::named(&self.permission))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(json: serde_json::Value) -> CollaboratorPermission {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_role_is_finer_than_the_permission_and_a_custom_role_is_not_known() {
        let role = |permission: &str, role: &str| {
            let json = serde_json::json!({
                "permission": permission, "role_name": role, "user": { "id": 7 }
            });
            answer(json).of(UserId(7))
        };
        assert_eq!(role("write", "maintain"), Some(Level::Maintain));
        assert_eq!(role("read", "triage"), Some(Level::Triage));
        assert_eq!(role("write", "release-captain"), Some(Level::Write));
        assert_eq!(role("sudo", "release-captain"), None);
    }

    #[test]
    fn a_login_that_changed_hands_grants_nothing() {
        let json = serde_json::json!({ "permission": "admin", "user": { "id": 8 } });
        assert_eq!(answer(json).of(UserId(7)), None);
        let json = serde_json::json!({ "permission": "admin", "user": null });
        assert_eq!(answer(json).of(UserId(7)), None);
    }
}
