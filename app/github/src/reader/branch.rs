//! How GitHub guards a branch: by the older protection, by rulesets, or by both.
//!
//! Both are read with what the App has anyway. The older protection shows with the branch itself as far
//! as it is asked for here; the page that shows all of it would take the right to administer.

use landfall_core::name::BranchName;
use serde::Deserialize;

use super::Reader;
use crate::actor::AppId;
use crate::error::{Failure, GithubError};
use crate::transport::Call;

/// How a branch is guarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchProtection {
    /// Whether anything is asked of a push to it.
    pub is_protected: bool,
    /// The checks that have to pass, by either of the two.
    pub required: Vec<RequiredCheck>,
}

/// A check that has to pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredCheck {
    /// Its name.
    pub name: String,
    /// The App whose check it has to be; none where anybody's counts who may write.
    pub source: Option<AppId>,
}

impl Reader {
    /// How a branch is guarded. None when we may not know.
    ///
    /// # Errors
    /// As every call; [`Failure::NotFound`] for a branch that is not there.
    pub async fn branch_protection(
        &self,
        branch: &BranchName,
    ) -> Result<Option<BranchProtection>, GithubError> {
        let path = self.0.path().then("branches").then(branch);
        let older = match self.0.call::<Branch>(Call::get(path)).await {
            Ok(older) => older,
            Err(GithubError { failure: Failure::Denied { .. }, .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(rules) = self.rules(branch).await? else { return Ok(None) };
        let is_protected = older.protected || !rules.is_empty();
        let by_rules = rules.into_iter().flat_map(Rule::required);
        let required = older.required().chain(by_rules).collect();
        Ok(Some(BranchProtection { is_protected, required }))
    }

    /// The rules of all rulesets that apply to a branch; none when we may not know. Servers older than
    /// rulesets have none.
    async fn rules(&self, branch: &BranchName) -> Result<Option<Vec<Rule>>, GithubError> {
        let path = self.0.path().then("rules").then("branches").then(branch);
        match self.0.list(Call::get(path), |page: Vec<Rule>| page).await {
            Ok(rules) => Ok(Some(rules)),
            Err(GithubError { failure: Failure::NotFound, .. }) => Ok(Some(Vec::new())),
            Err(GithubError { failure: Failure::Denied { .. }, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A branch, with as much of the older protection as is shown to all who may read it.
#[derive(Deserialize)]
struct Branch {
    protected: bool,
    #[serde(default)]
    protection: Older,
}

#[derive(Default, Deserialize)]
struct Older {
    #[serde(default)]
    required_status_checks: OlderChecks,
}

#[derive(Default, Deserialize)]
struct OlderChecks {
    /// The names alone, which is all that older servers tell.
    #[serde(default)]
    contexts: Vec<String>,
    #[serde(default)]
    checks: Vec<OlderCheck>,
}

#[derive(Deserialize)]
struct OlderCheck {
    context: String,
    /// Null or -1 for any App.
    app_id: Option<i64>,
}

impl Branch {
    fn required(self) -> impl Iterator<Item = RequiredCheck> {
        let OlderChecks { contexts, checks } = self.protection.required_status_checks;
        let told: Vec<String> = checks.iter().map(|check| check.context.clone()).collect();
        let names = contexts.into_iter().filter(move |name| !told.contains(name));
        let from_any = names.map(|name| RequiredCheck { name, source: None });
        let source = |id: i64| u64::try_from(id).ok().map(AppId);
        let checks = checks.into_iter().map(move |check| RequiredCheck {
            name: check.context,
            source: check.app_id.and_then(source),
        });
        checks.chain(from_any)
    }
}

/// A rule, of those that matter.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Rule {
    RequiredStatusChecks {
        #[serde(default)]
        parameters: RuleChecks,
    },
    #[serde(other)]
    Other,
}

#[derive(Default, Deserialize)]
struct RuleChecks {
    #[serde(default)]
    required_status_checks: Vec<RuleCheck>,
}

#[derive(Deserialize)]
struct RuleCheck {
    context: String,
    integration_id: Option<u64>,
}

impl Rule {
    fn required(self) -> Vec<RequiredCheck> {
        let Self::RequiredStatusChecks { parameters } = self else { return Vec::new() };
        let checks = parameters.required_status_checks.into_iter();
        let required = |check: RuleCheck| RequiredCheck {
            name: check.context,
            source: check.integration_id.map(AppId),
        };
        checks.map(required).collect()
    }
}
