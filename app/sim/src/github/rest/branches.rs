//! Branches, their protection, and refs.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::Sim;
use super::access::{Asked, METADATA, read};
use super::reply::{Refusal, Reply};

pub(super) async fn branch(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, name)): Path<(String, String, String)>,
) -> Reply {
    let repo = asked.repo(read(&["contents"]))?;
    let git = repo.git()?;
    let no_branch = || Refusal::new(http::StatusCode::NOT_FOUND, "Branch not found");
    let tip = git.tip(&name).await?.ok_or_else(no_branch)?;
    let facts = git.facts(&tip).await?;
    let world = shared.world();
    Ok(Json(shared.view(&world).branch(world.repository(repo.id())?, &name, &facts)))
}

/// The rules of a branch. One that is protected has the three that matter: it cannot be deleted,
/// not be force-pushed, and changes come by pull request; and one for the checks that it requires.
/// Rules are also for branches that do not exist yet, so there is no 404.
pub(super) async fn rules(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, name)): Path<(String, String, String)>,
) -> Reply {
    let repo = asked.repo(METADATA)?;
    let world = shared.world();
    let repository = world.repository(repo.id())?;
    let source = |mut rule: Value| {
        rule["ruleset_source_type"] = "Repository".into();
        rule["ruleset_source"] = repository.full_name().into();
        rule["ruleset_id"] = repository.id.into();
        rule
    };
    let review = json!({
        "type": "pull_request",
        "parameters": {
            "dismiss_stale_reviews_on_push": false,
            "require_code_owner_review": false,
            "require_last_push_approval": false,
            "required_approving_review_count": 1,
            "required_review_thread_resolution": false,
        },
    });
    let mut rules = Vec::new();
    if repository.protected.contains(&name) {
        rules.extend([
            json!({ "type": "deletion" }),
            json!({ "type": "non_fast_forward" }),
            review,
        ]);
    }
    let required = repository.required.iter().filter(|(branch, ..)| *branch == name);
    let required: Vec<Value> =
        required.map(|(_, check, app)| required_check(check, *app)).collect();
    if !required.is_empty() {
        let parameters = json!({
            "required_status_checks": required,
            "strict_required_status_checks_policy": false,
        });
        rules.push(json!({ "type": "required_status_checks", "parameters": parameters }));
    }
    Ok(Json(rules.into_iter().map(source).collect()))
}

fn required_check(check: &str, app: Option<u64>) -> Value {
    let mut required = json!({ "context": check });
    if let Some(app) = app {
        required["integration_id"] = app.into();
    }
    required
}

pub(super) async fn reference(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, name)): Path<(String, String, String)>,
) -> Reply {
    let repo = asked.repo(read(&["contents"]))?;
    let full = format!("refs/{name}");
    let sha = repo.git()?.commit(&full).await?.ok_or_else(Refusal::not_found)?;
    let world = shared.world();
    let api = shared.view(&world).repository_api(world.repository(repo.id())?);
    Ok(Json(json!({
        "ref": full,
        "node_id": format!("REF_{sha}"),
        "url": format!("{api}/git/{full}"),
        "object": { "type": "commit", "sha": sha, "url": format!("{api}/git/commits/{sha}") },
    })))
}
