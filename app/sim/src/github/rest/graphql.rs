//! GraphQL, as far as an App needs it where REST has nothing: folding comments away.
//!
//! What goes wrong is told with 200, beside `data`.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Sim;
use super::access::{Body, write};
use super::reply::{Refusal, Reply};
use crate::github::act::Repo;
use crate::github::auth::Caller;
use crate::github::show::node_id;

/// One mutation: `minimizeComment` or `unminimizeComment`, with the comment as the variable `id`.
pub(super) async fn mutate(State(shared): Sim, caller: Caller, body: Body) -> Reply {
    if matches!(caller, Caller::Nobody) {
        return Err(Refusal::unauthorized("This endpoint requires you to be authenticated."));
    }
    let document = body.required("query")?;
    let (mutation, field) = match document {
        text if text.contains("unminimizeComment(") => ("unminimizeComment", "unminimizedComment"),
        text if text.contains("minimizeComment(") => ("minimizeComment", "minimizedComment"),
        _ => return Ok(Json(wrong(None, "Field doesn't exist on type 'Mutation'"))),
    };
    let id = body.0["variables"]["id"].as_str().unwrap_or_default();
    let found = {
        let world = shared.world();
        world.repositories.values().find_map(|repository| {
            let mut comments = repository.comments.keys();
            comments
                .find(|comment| node_id("IC", **comment) == id)
                .map(|comment| (repository.id, *comment))
        })
    };
    let need = write(&["issues", "pull_requests"]);
    let allowed = found.filter(|(repository, _)| {
        caller.may(&shared, *repository, need.access, need.permissions) == Some(true)
    });
    let Some((repository, comment)) = allowed else {
        let message = format!("Could not resolve to a node with the global id of '{id}'");
        return Ok(Json(wrong(Some(mutation), &message)));
    };
    let outdated = mutation == "minimizeComment";
    Repo::new(shared, repository).fold_comment(comment, outdated).ok_or_else(Refusal::not_found)?;
    Ok(Json(json!({ "data": { mutation: { field: { "isMinimized": outdated } } } })))
}

fn wrong(mutation: Option<&str>, message: &str) -> Value {
    let data = mutation.map(|mutation| json!({ mutation: null }));
    json!({ "data": data, "errors": [{ "type": "NOT_FOUND", "message": message }] })
}
