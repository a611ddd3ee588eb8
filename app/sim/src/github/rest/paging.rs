//! Pages of a list: `per_page`, `page` and the `Link` header that leads on.

use axum::Json;
use axum::extract::{FromRequestParts, Query};
use axum::response::{IntoResponse, Response};
use http::header::LINK;
use http::request::Parts;
use serde::Deserialize;
use serde_json::Value;

use super::super::Shared;
use super::reply::Refusal;

/// Which page of which list was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    path: String,
    /// The query without what pages it.
    others: Vec<(String, String)>,
    number: usize,
    size: usize,
}

#[derive(Deserialize)]
struct Asked {
    page: Option<usize>,
    per_page: Option<usize>,
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Page, Refusal> {
        let Query(asked) = Query::<Asked>::try_from_uri(&parts.uri)
            .map_err(|_| Refusal::unfit("`page` and `per_page` are numbers"))?;
        let Query(mut others) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| Refusal::unfit("the query cannot be read"))?;
        others.retain(|(name, _)| name != "page" && name != "per_page");
        Ok(Page {
            path: parts.uri.path().to_owned(),
            others,
            number: asked.page.unwrap_or(1).max(1),
            size: asked.per_page.unwrap_or(30).clamp(1, 100),
        })
    }
}

impl Page {
    /// A parameter of the query.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.others.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// How many fit on a page.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Whether nothing of the list lies before this page.
    pub(crate) fn is_first(&self) -> bool {
        self.number == 1
    }

    /// The part of `all` that is on this page, with the way to the others.
    pub(crate) fn of(&self, shared: &Shared, all: Vec<Value>) -> Response {
        let (link, shown) = self.cut(shared, all);
        with_link(link, Value::Array(shown))
    }

    /// As [`Page::of`], for lists that are wrapped in an object with a `total_count`.
    pub(crate) fn wrapped(&self, shared: &Shared, name: &str, all: Vec<Value>) -> Response {
        let total = all.len();
        let (link, shown) = self.cut(shared, all);
        let mut body = serde_json::json!({ "total_count": total });
        body[name] = Value::Array(shown);
        with_link(link, body)
    }

    fn cut(&self, shared: &Shared, all: Vec<Value>) -> (Option<String>, Vec<Value>) {
        let last = all.len().div_ceil(self.size).max(1);
        let mut links = Vec::new();
        let mut link = |relation: &str, page: usize| {
            links.push(format!("<{}>; rel=\"{relation}\"", self.address(shared, page)));
        };
        if self.number > 1 {
            link("prev", self.number - 1);
        }
        if self.number < last {
            link("next", self.number + 1);
            link("last", last);
        }
        if self.number > 1 {
            link("first", 1);
        }
        let shown = all.into_iter().skip((self.number - 1) * self.size).take(self.size).collect();
        ((!links.is_empty()).then(|| links.join(", ")), shown)
    }

    fn address(&self, shared: &Shared, page: usize) -> String {
        let others: String =
            self.others.iter().map(|(name, value)| format!("{name}={}&", encoded(value))).collect();
        let Page { path, size, .. } = self;
        format!("{}{path}?{others}per_page={size}&page={page}", shared.urls().api)
    }
}

pub(crate) fn with_link(link: Option<String>, body: Value) -> Response {
    match link {
        Some(link) => ([(LINK, link)], Json(body)).into_response(),
        None => Json(body).into_response(),
    }
}

fn encoded(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}
