//! Repositories as an installation sees them, and what somebody may do in one.

use landfall_core::name::{BranchName, InstallationId, RepositoryId, RepositoryName, UserId};
use serde::{Deserialize, Serialize};

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

/// What somebody may do in a repository, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Nothing, as far as GitHub tells us.
    None,
    /// Look.
    Read,
    /// Sort issues and pull requests.
    Triage,
    /// Push.
    Write,
    /// Push and change some settings.
    Maintain,
    /// Everything.
    Admin,
}

impl Permission {
    /// Reads a `role_name` or the older `permission`, which knows neither triage nor maintain.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "none" => Self::None,
            "read" => Self::Read,
            "triage" => Self::Triage,
            "write" => Self::Write,
            "maintain" => Self::Maintain,
            "admin" => Self::Admin,
            _ => return None,
        })
    }
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
    pub(crate) fn of(&self, user: UserId) -> Permission {
        if self.user.as_ref().is_none_or(|found| found.id != user) {
            return Permission::None;
        }
        let role = self.role_name.as_deref().and_then(Permission::named);
        role.or_else(|| Permission::named(&self.permission)).unwrap_or(Permission::None)
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
        assert_eq!(role("write", "maintain"), Permission::Maintain);
        assert_eq!(role("read", "triage"), Permission::Triage);
        assert_eq!(role("write", "release-captain"), Permission::Write);
        assert_eq!(role("sudo", "release-captain"), Permission::None);
    }

    #[test]
    fn a_login_that_changed_hands_grants_nothing() {
        let json = serde_json::json!({ "permission": "admin", "user": { "id": 8 } });
        assert_eq!(answer(json).of(UserId(7)), Permission::None);
        let json = serde_json::json!({ "permission": "admin", "user": null });
        assert_eq!(answer(json).of(UserId(7)), Permission::None);
    }
}
