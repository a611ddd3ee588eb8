//! Lists of the Integration API: pages of at most 200, in an envelope that says how many there are.
//!
//! A listing that is short although it was answered with 200 is an error: what is missing from it
//! would be created anew.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::said::Said;
use super::session::{Ask, Session};
use crate::provider::{MOST_LISTED, ProviderError};

/// The largest page.
const PAGE: usize = 200;
/// How often a listing is begun anew when somebody changes it meanwhile.
const TRIES: usize = 3;
#[derive(Deserialize)]
struct Page<T> {
    offset: usize,
    count: usize,
    #[serde(rename = "totalCount")]
    total: usize,
    data: Vec<T>,
}

/// Everything behind a listing, page by page. If somebody changes it meanwhile, a page may repeat
/// or skip items, so it is begun anew.
pub(super) async fn all<T: DeserializeOwned>(
    session: &Session,
    ask: &Ask,
) -> Result<Vec<T>, ProviderError> {
    for _ in 0..TRIES {
        if let Some(items) = pages(session, ask).await? {
            return Ok(items);
        }
    }
    Err(ProviderError::Unexpected(
        "the console's listing changes faster than it can be read".to_owned(),
    ))
}

/// All pages, or none if the number of items changed between two of them.
async fn pages<T: DeserializeOwned>(
    session: &Session,
    ask: &Ask,
) -> Result<Option<Vec<T>>, ProviderError> {
    let mut items: Vec<T> = Vec::new();
    let mut total = None;
    loop {
        let page: Page<T> = page(session, ask, items.len()).await?;
        let whole = page.offset == items.len() && page.count == page.data.len();
        if *total.get_or_insert(page.total) != page.total {
            return Ok(None);
        }
        if page.total > MOST_LISTED {
            let message = format!("the console's listing of {} items is too long", page.total);
            return Err(ProviderError::Unexpected(message));
        }
        items.extend(page.data);
        if !whole || items.len() > page.total || (page.count == 0 && items.len() < page.total) {
            let message =
                format!("the console's listing is short: {} of {} items", items.len(), page.total);
            return Err(ProviderError::Unexpected(message));
        }
        if items.len() == page.total {
            return Ok(Some(items));
        }
    }
}

async fn page<T: DeserializeOwned>(
    session: &Session,
    ask: &Ask,
    offset: usize,
) -> Result<Page<T>, ProviderError> {
    let ask = ask.clone().query("offset", offset.to_string()).query("limit", PAGE.to_string());
    let answer = session.send(&ask).await?;
    if answer.status != 200 {
        return Err(Said::of(&answer).into_error(&answer));
    }
    answer.json().map_err(|error| {
        ProviderError::Unexpected(format!("the console's listing is none: {error}"))
    })
}
