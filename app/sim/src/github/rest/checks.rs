//! Check runs, which only Apps may write.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;

use super::Sim;
use super::access::{Asked, Body, read, write};
use super::paging::Page;
use super::reply::{Refusal, Reply};
use crate::github::act::CheckWritten;
use crate::github::model::CheckRun;
use crate::github::show::annotation;

const MOST_ANNOTATIONS: usize = 50;
const MOST_ACTIONS: usize = 3;

/// Of a summary and of a text, in characters.
const LONGEST_TEXT: usize = 65_535;

const STATUSES: [&str; 6] =
    ["queued", "in_progress", "completed", "waiting", "requested", "pending"];
const CONCLUSIONS: [&str; 8] = [
    "action_required",
    "cancelled",
    "failure",
    "neutral",
    "success",
    "skipped",
    "stale",
    "timed_out",
];

type Numbered = Path<(String, String, u64)>;

pub(super) async fn create(
    State(shared): Sim,
    asked: Asked,
    body: Body,
) -> Reply<(StatusCode, Json<Value>)> {
    let repo = asked.repo(write(&["checks"]))?;
    let (name, sha) = (body.required("name")?, body.required("head_sha")?);
    let known = repo.git()?.commit(sha).await?.filter(|known| known == sha);
    let sha = known.ok_or_else(|| {
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, &format!("No commit found for SHA: {sha}"))
    })?;
    let run = repo.create_check_run(name, &sha, written(&body)?)?;
    let world = shared.world();
    let shown = shared.view(&world).check_run(world.repository(repo.id())?, &run);
    Ok((StatusCode::CREATED, Json(shown)))
}

pub(super) async fn update(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, id)): Numbered,
    body: Body,
) -> Reply {
    let repo = asked.repo(write(&["checks"]))?;
    let run = repo.update_check_run(id, written(&body)?)?.ok_or_else(Refusal::not_found)?;
    let world = shared.world();
    Ok(Json(shared.view(&world).check_run(world.repository(repo.id())?, &run)))
}

pub(super) async fn one(State(shared): Sim, asked: Asked, Path((_, _, id)): Numbered) -> Reply {
    let repo = asked.repo(read(&["checks"]))?;
    let world = shared.world();
    let repository = world.repository(repo.id())?;
    let run = repository.check_runs.get(&id).ok_or_else(Refusal::not_found)?;
    Ok(Json(shared.view(&world).check_run(repository, run)))
}

pub(super) async fn annotations(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, id)): Numbered,
    page: Page,
) -> Reply<Response> {
    let repo = asked.repo(read(&["checks"]))?;
    let world = shared.world();
    let (view, repository) = (shared.view(&world), world.repository(repo.id())?);
    let run = repository.check_runs.get(&id).ok_or_else(Refusal::not_found)?;
    let blob = format!("{}/blob/{}", view.repository_web(repository), run.head_sha);
    let shown = run.annotations.iter().map(|written| {
        let path = written["path"].as_str().unwrap_or_default();
        annotation(written, &format!("{blob}/{path}"))
    });
    Ok(page.of(&shared, shown.collect()))
}

/// The runs of a commit: of each name the newest, unless all are asked for.
pub(super) async fn of_commit(
    State(shared): Sim,
    asked: Asked,
    Path((_, _, reference)): Path<(String, String, String)>,
    page: Page,
) -> Reply<Response> {
    let repo = asked.repo(read(&["checks"]))?;
    let sha = repo.git()?.commit(&reference).await?.ok_or_else(|| {
        let message = format!("No commit found for SHA: {reference}");
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, &message)
    })?;
    let world = shared.world();
    let (view, repository) = (shared.view(&world), world.repository(repo.id())?);
    let runs: Vec<&CheckRun> =
        repository.check_runs.values().filter(|run| run.head_sha == sha).collect();
    let latest = page.param("filter").unwrap_or("latest") == "latest";
    let replaced = |run: &CheckRun| runs.iter().any(|r| r.name == run.name && r.id > run.id);
    let wanted = |run: &&&CheckRun| {
        page.param("check_name").is_none_or(|name| name == run.name)
            && page.param("status").is_none_or(|status| status == run.status)
            && page.param("app_id").is_none_or(|id| id == world.app.id.to_string())
            && !(latest && replaced(run))
    };
    let shown = runs.iter().filter(wanted).map(|run| view.check_run(repository, run)).collect();
    Ok(page.wrapped(&shared, "check_runs", shown))
}

/// What the App wrote, if it keeps the description's limits.
fn written(body: &Body) -> Reply<CheckWritten> {
    let written: CheckWritten = body.read()?;
    if let Some(output) = &written.output {
        if output.title.is_none() || output.summary.is_none() {
            let missing = if output.title.is_none() { "title" } else { "summary" };
            return Err(Refusal::missing(missing));
        }
        if output.annotations.len() > MOST_ANNOTATIONS {
            return Err(Refusal::unfit(&format!(
                "No more than {MOST_ANNOTATIONS} items are allowed; {} were supplied.",
                output.annotations.len()
            )));
        }
        for annotation in &output.annotations {
            check_annotation(annotation)?;
        }
        for (field, text) in [("summary", &output.summary), ("text", &output.text)] {
            if text.as_ref().is_some_and(|text| text.chars().count() > LONGEST_TEXT) {
                let message = format!("{field} exceeds a maximum of {LONGEST_TEXT} characters");
                return Err(Refusal::invalid("CheckRun", field, "custom", &message));
            }
        }
    }
    check_actions(written.actions.as_deref().unwrap_or_default())?;
    check_word("status", written.status.as_deref(), &STATUSES)?;
    check_word("conclusion", written.conclusion.as_deref(), &CONCLUSIONS)?;
    if written.status.as_deref() == Some("completed") && written.conclusion.is_none() {
        return Err(Refusal::missing("conclusion"));
    }
    Ok(written)
}

fn check_word(field: &str, word: Option<&str>, known: &[&str]) -> Reply<()> {
    match word {
        Some(word) if !known.contains(&word) => {
            Err(Refusal::unfit(&format!("For '/{field}', {word} is not a member of {known:?}.")))
        }
        _ => Ok(()),
    }
}

fn check_annotation(annotation: &Value) -> Reply<()> {
    for field in ["path", "start_line", "end_line", "annotation_level", "message"] {
        if annotation.get(field).is_none() {
            return Err(Refusal::missing(field));
        }
    }
    let one_line = annotation["start_line"] == annotation["end_line"];
    if !one_line && annotation.get("start_column").is_some() {
        let message = "start_column can only be used when start_line and end_line are the same";
        return Err(Refusal::invalid("CheckRun", "annotations", "custom", message));
    }
    Ok(())
}

fn check_actions(actions: &[Value]) -> Reply<()> {
    if actions.len() > MOST_ACTIONS {
        return Err(Refusal::unfit(&format!("No more than {MOST_ACTIONS} items are allowed.")));
    }
    for (field, longest) in [("label", 20), ("description", 40), ("identifier", 20)] {
        for action in actions {
            let text = action[field].as_str().ok_or_else(|| Refusal::missing(field))?;
            if text.chars().count() > longest {
                return Err(Refusal::unfit(&format!(
                    "For '/{field}', \"{text}\" is too long; the maximum is {longest}."
                )));
            }
        }
    }
    Ok(())
}
