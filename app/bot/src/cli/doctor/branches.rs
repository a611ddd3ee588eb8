//! Where the App is installed, and whether the branches that environments follow are protected.

use std::collections::BTreeSet;

use landfall_core::config::{REPOSITORY_CONFIG, RepositoryConfig};
use landfall_core::name::BranchName;
use landfall_core::weakness::Weakness;
use landfall_github::needs;
use landfall_github::{
    App, AppId, GithubError, Installation, InstalledRepository, Reader, Registration, Repository,
};
use landfall_providers::Registry;
use landfall_secrets::Policy;

use super::registration::lacking;
use super::report::Finding;
use crate::flow::guard::weak;
use crate::house::Kinds;
use crate::operator::Operator;
use crate::settings::Settings;

/// How many repositories are looked into: each takes a request or more.
const MOST: usize = 100;

pub(super) async fn findings(
    app: &App,
    registered: &Registration,
    settings: &Settings,
) -> Vec<Finding> {
    let installations = match app.installations().await {
        Ok(installations) => installations,
        Err(error) => return vec![Finding::unknown("installations", error)],
    };
    if installations.is_empty() {
        let mend = format!("install it: {}/installations/new", registered.page);
        return vec![Finding::warning("installations", "the App is installed nowhere", mend)];
    }
    let (mut found, mut repositories) = (Vec::new(), Vec::new());
    for installation in &installations {
        let name = owner(installation);
        if installation.suspended_at.is_some() {
            let said = format!("{name} has suspended the App");
            let mend = format!("unsuspend it: {}", settings_page(settings, &name));
            found.push(Finding::warning("installations", said, mend));
            continue;
        }
        found.extend(ungranted(installation, registered, settings));
        match app.repositories(installation.id).await {
            Ok(listed) => repositories.extend(listed.into_iter().map(|one| (installation, one))),
            Err(error) => found.push(Finding::unknown("installations", error)),
        }
    }
    found.insert(0, counted(&installations, &repositories));
    found.extend(shared_secrets(&installations, settings));
    let working = repositories.into_iter().filter(|(_, repository)| !repository.archived);
    for (installation, repository) in working.take(MOST) {
        found.extend(protection(app, installation, &repository).await);
    }
    found
}

fn counted(installations: &[Installation], listed: &[(&Installation, Repository)]) -> Finding {
    let many = |count: usize, one: &str, many: &str| {
        format!("{count} {}", if count == 1 { one } else { many })
    };
    let archived = listed.iter().filter(|(_, repository)| repository.archived).count();
    let archived = match archived {
        0 => String::new(),
        archived => format!(", {archived} archived"),
    };
    let owners = many(installations.len(), "account", "accounts");
    let repositories = many(listed.len(), "repository", "repositories");
    Finding::fine("installations", format!("on {owners}, {repositories}{archived}"))
}

/// That whoever may write in one account's repository may use what another account's is for.
fn shared_secrets(installations: &[Installation], settings: &Settings) -> Option<Finding> {
    let operator = settings.operator_file.as_deref().map(Operator::read).transpose().ok()?;
    let nobody_is_named = operator.is_none_or(|operator| operator.trusts_all());
    let said = format!(
        "each repository of these {} accounts may use every {}…",
        installations.len(),
        Policy::ENV_PREFIX
    );
    let mend = "name in the operator file (LANDFALL_CONFIG) which repositories may use which";
    (nobody_is_named && installations.len() > 1)
        .then(|| Finding::warning("installations", said, mend))
}

fn owner(installation: &Installation) -> String {
    let account = installation.account.as_ref();
    account.map_or_else(|| "an account".to_owned(), |account| account.login.clone())
}

/// Where owners find what is installed. The page of an organisation is one further.
fn settings_page(settings: &Settings, owner: &str) -> String {
    let web = settings.github.url.as_str().trim_end_matches('/');
    format!("{web}/settings/installations, or {web}/organizations/{owner}/settings/installations")
}

/// What the App asks for and an owner has not accepted yet.
fn ungranted(
    installation: &Installation,
    registered: &Registration,
    settings: &Settings,
) -> Vec<Finding> {
    let name = owner(installation);
    let asked = needs::missing(&registered.permissions);
    let mend = format!("an owner accepts it: {}", settings_page(settings, &name));
    let who = format!("{name} has not granted");
    let missing = needs::missing(&installation.permissions).into_iter();
    missing
        .filter(|missing| !asked.iter().any(|known| known.permission == missing.permission))
        .map(|missing| lacking(&missing, &who, &mend))
        .collect()
}

/// Whoever may push to a branch that nobody protects applies what nobody reviewed.
async fn protection(
    app: &App,
    installation: &Installation,
    repository: &Repository,
) -> Vec<Finding> {
    let name = &repository.name;
    let on = InstalledRepository {
        installation: installation.id,
        id: repository.id,
        name: name.clone(),
    };
    let reader = app.reader(on);
    let bytes = match reader.file(REPOSITORY_CONFIG).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            let said =
                format!("{name} has no {REPOSITORY_CONFIG} on {}", repository.default_branch);
            return vec![Finding::unknown("repositories", said)];
        }
        Err(error) => return vec![Finding::unknown("repositories", error)],
    };
    let registry = Registry::new();
    let kinds = Kinds::of(&registry);
    let config = match RepositoryConfig::load(kinds.registry(), REPOSITORY_CONFIG, &bytes) {
        Ok(config) => config,
        Err(_) => {
            let said = format!("{REPOSITORY_CONFIG} of {name} has errors: nothing is planned");
            let mend = format!("run landfall validate in it, and mend {REPOSITORY_CONFIG}");
            return vec![Finding::warning("repositories", said, mend)];
        }
    };
    let environments = config.environments.values();
    let branches: BTreeSet<BranchName> =
        environments.flat_map(|environment| environment.branches.iter().cloned()).collect();
    let mut found = Vec::new();
    for branch in &branches {
        found.extend(of_branch(&reader, branch, app.id()).await);
    }
    found
}

async fn of_branch(reader: &Reader, branch: &BranchName, us: AppId) -> Vec<Finding> {
    use landfall_github::Failure;

    let name = &reader.on().name;
    match reader.branch_protection(branch).await {
        Ok(Some(protection)) => {
            let weak = weak(&protection, branch, us);
            let warning = |weakness: &Weakness| {
                let said = match weakness {
                    Weakness::Unprotected(_) => {
                        "is not protected, and environments follow it".to_owned()
                    }
                    Weakness::Forgeable { check, .. } => {
                        format!("requires `{check}` from any source: whoever may write can set it")
                    }
                    Weakness::Misbound { check, app, .. } => {
                        format!("requires `{check}` from App {app}, which never sets it")
                    }
                };
                let said = format!("{branch} of {name} {said}");
                Finding::warning("branches", said, weakness.mend())
            };
            match weak.as_slice() {
                [] => vec![Finding::fine("branches", format!("{branch} of {name} is protected"))],
                weak => weak.iter().map(warning).collect(),
            }
        }
        Ok(None) => Vec::new(),
        Err(GithubError { failure: Failure::NotFound, .. }) => {
            let said = format!("{branch} of {name} is not there, and environments follow it");
            let mend = format!("create the branch, or take it out of {REPOSITORY_CONFIG}");
            vec![Finding::warning("branches", said, mend)]
        }
        Err(error) => vec![Finding::unknown("branches", error)],
    }
}
