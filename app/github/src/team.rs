//! Teams of organisations: whether somebody is in one.

use serde::Deserialize;

use crate::error::{Failure, GithubError};
use crate::reader::Reader;
use crate::transport::{Call, Path};

/// The answer of `GET /orgs/{org}/teams/{slug}/memberships/{login}`.
#[derive(Deserialize)]
struct Membership {
    /// `active`, or `pending` for somebody who was invited and has not accepted.
    state: String,
}

impl Reader {
    /// Whether the account `login` is in the team `slug` of `organization`, or in one below it. No for
    /// a team that does not exist, and for one of an organisation that the App is not installed on.
    ///
    /// A login changes hands: who asks has to know that it is still the one that is meant.
    ///
    /// # Errors
    /// As every call; [`Failure::Denied`] when the installation may not read members.
    pub async fn is_in_team(
        &self,
        organization: &str,
        slug: &str,
        login: &str,
    ) -> Result<bool, GithubError> {
        let team = Path::new("orgs").then(organization).then("teams").then(slug);
        let call = Call::get(team.then("memberships").then(login));
        match self.of_members().call::<Membership>(call).await {
            Ok(membership) => Ok(membership.state == "active"),
            Err(GithubError { failure: Failure::NotFound, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
