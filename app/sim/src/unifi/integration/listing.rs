//! Pages: `offset`, `limit`, `filter`, and an envelope that says how many there are in all.

use http::StatusCode;
use serde_json::{Value, json};

use super::super::console::Console;
use super::Problem;
use super::filter::Filter;
use crate::call::{Call, Reply};

const DEFAULT_LIMIT: usize = 25;
const LARGEST_LIMIT: usize = 200;

/// The page of `items` that the request asks for, or a short one if the console was told so.
pub(super) fn page(
    console: &mut Console,
    call: &Call,
    items: Vec<Value>,
) -> Result<Reply, Problem> {
    let offset = number(call, "offset", 0, usize::MAX)?;
    let limit = number(call, "limit", DEFAULT_LIMIT, LARGEST_LIMIT)?;
    let filter = match call.param("filter") {
        None => None,
        Some(text) => Some(Filter::parse(text).map_err(|error| {
            Problem::bad_request("api.request.filter.invalid", format!("Invalid filter: {error}"))
        })?),
    };
    let wanted = |item: &Value| filter.as_ref().is_none_or(|filter| filter.accepts(item));
    let found: Vec<Value> = items.into_iter().filter(wanted).collect();
    let total = found.len();
    let mut data: Vec<Value> = found.into_iter().skip(offset).take(limit).collect();
    if console.quirks.empty_pages > 0 {
        console.quirks.empty_pages -= 1;
        data.clear();
    }
    let page = json!({
        "offset": offset,
        "limit": limit,
        "count": data.len(),
        "totalCount": total,
        "data": data,
    });
    Ok(Reply::json(StatusCode::OK, &page))
}

fn number(call: &Call, name: &str, default: usize, largest: usize) -> Result<usize, Problem> {
    let Some(text) = call.param(name) else { return Ok(default) };
    match text.parse() {
        Ok(number) if number <= largest => Ok(number),
        _ => Err(Problem::bad_request(
            "api.request.argument-type-mismatch",
            format!("'{text}' is not a valid '{name}' value"),
        )),
    }
}
