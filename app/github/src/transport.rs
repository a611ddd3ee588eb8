//! One request to GitHub's API and its answer.
//!
//! octocrab carries it. Several of its ways are traps for an App, so only its client is used: its
//! retry layer is compiled out (it would send a POST again on 502), its App and installation
//! authentication are not used (they are attached only for `api.github.com`), and its routes are
//! not (they are not percent-encoded). Here a path is built from encoded segments below the
//! configured base, credentials are set per request, and everything is bounded in time and size.
//!
//! Reads go through a pool: GitHub takes a hundred requests of an App at once, REST and GraphQL
//! together, and whoever sends more is refused. Writes need none, because the outbox sends one at a
//! time for an installation and for few installations at once.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use octocrab::Octocrab;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use url::Url;

use crate::error::{Effect, Failure};

/// The longest answer that is read: a page of a hundred comments of 262,144 bytes.
const LONGEST_ANSWER: usize = 32 << 20;

/// How many reads are under way at once. Three servers and what they write stay below a hundred
/// (<https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits>).
const READS: usize = 24;

/// How many redirects are followed: a repository that was renamed twice.
const MOST_REDIRECTS: usize = 3;

/// What needs no encoding in a segment or a query (RFC 3986, "unreserved").
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path below the API's base, made of encoded segments.
#[derive(Debug, Clone)]
pub(crate) struct Path(String);

impl Path {
    pub(crate) fn new(first: &str) -> Self {
        Self(String::new()).then(first)
    }

    /// Adds one segment, whatever characters it holds.
    pub(crate) fn then(mut self, segment: impl Display) -> Self {
        self.0.push('/');
        match segment.to_string().as_str() {
            // Dots are not encoded, and these two would climb.
            ".." => self.0.push_str("%2E%2E"),
            "." => self.0.push_str("%2E"),
            other => self.0.extend(utf8_percent_encode(other, ENCODED)),
        }
        self
    }
}

/// Which of GitHub's two APIs is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Api {
    Rest,
    GraphQl,
}

/// A request that has not been sent. It may be sent again with other credentials.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    api: Api,
    method: Method,
    path: String,
    query: String,
    body: Option<Value>,
}

impl Call {
    pub(crate) fn get(path: Path) -> Self {
        let query = String::new();
        Self { api: Api::Rest, method: Method::GET, path: path.0, query, body: None }
    }

    pub(crate) fn post(path: Path, body: Value) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(path) }
    }

    /// A document of GraphQL with its variables. It has one address, whatever it is about.
    pub(crate) fn graphql(document: &str, variables: &Value) -> Self {
        let body = json!({ "query": document, "variables": variables });
        Self { api: Api::GraphQl, ..Self::post(Path::new("graphql"), body) }
    }

    /// A request whose path says it all.
    pub(crate) fn post_nothing(path: Path) -> Self {
        Self { method: Method::POST, ..Self::get(path) }
    }

    pub(crate) fn patch(path: Path, body: Value) -> Self {
        Self { method: Method::PATCH, body: Some(body), ..Self::get(path) }
    }

    pub(crate) fn delete(path: Path) -> Self {
        Self { method: Method::DELETE, ..Self::get(path) }
    }

    pub(crate) fn query(mut self, name: &str, value: impl Display) -> Self {
        let value = value.to_string();
        let separator = if self.query.is_empty() { "" } else { "&" };
        let value = utf8_percent_encode(&value, ENCODED);
        self.query.push_str(&format!("{separator}{name}={value}"));
        self
    }

    /// The same call with the query of another page.
    pub(crate) fn with_query(&self, query: &str) -> Self {
        Self { query: query.to_owned(), ..self.clone() }
    }

    /// The path and the query: what makes two reads the same.
    pub(crate) fn target(&self) -> String {
        let query = if self.query.is_empty() { "" } else { "?" };
        format!("{}{query}{}", self.path, self.query)
    }

    pub(crate) fn effect(&self) -> Effect {
        if self.method == Method::GET { Effect::Read } else { Effect::Write }
    }
}

/// Who asks, and which answer they have already.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Credentials<'a> {
    authorization: Option<&'a HeaderValue>,
    /// The entity tag of an answer that need not be given again.
    known: Option<&'a HeaderValue>,
}

impl<'a> Credentials<'a> {
    pub(crate) fn of(authorization: &'a HeaderValue) -> Self {
        Self { authorization: Some(authorization), known: None }
    }

    /// Nobody: for what proves itself, as the code of a manifest does.
    pub(crate) fn none() -> Self {
        Self { authorization: None, known: None }
    }

    pub(crate) fn knowing(self, tag: Option<&'a HeaderValue>) -> Self {
        Self { known: tag, ..self }
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// What came back, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The query of the next page. Only the query of a link is used: wherever a link leads,
    /// our credentials go to the configured base.
    pub(crate) fn next_query(&self) -> Option<String> {
        let links = self.headers.get(header::LINK)?.to_str().ok()?;
        let next = links.split(',').find(|link| link.contains("rel=\"next\""))?;
        let uri = next.split_once('<')?.1.split_once('>')?.0;
        Some(uri.split_once('?')?.1.to_owned())
    }
}

/// The way to one GitHub server.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    octocrab: Octocrab,
    /// The API's base without a slash at the end: `https://api.github.com`, `https://HOST/api/v3`.
    base: String,
    /// `https://api.github.com/graphql`, `https://HOST/api/graphql`.
    graphql: String,
    timeout: Duration,
    reads: Arc<Semaphore>,
}

impl Transport {
    /// Must be called within a Tokio runtime: octocrab's client lives in a task of it.
    pub(crate) fn new(
        api_url: &Url,
        connect: Duration,
        read: Duration,
        whole: Duration,
    ) -> octocrab::Result<Self> {
        let base = api_url.as_str().trim_end_matches('/').to_owned();
        let octocrab = Octocrab::builder()
            // Targets are whole addresses. A path here would be put before theirs.
            .base_uri(api_url.origin().ascii_serialization())?
            .set_connect_timeout(Some(connect))
            .set_read_timeout(Some(read))
            .set_write_timeout(Some(read))
            .add_header(header::ACCEPT, "application/vnd.github+json".to_owned())
            .build()?;
        let graphql = graphql(&base);
        let reads = Arc::new(Semaphore::new(READS));
        Ok(Self { octocrab, base, graphql, timeout: whole, reads })
    }

    /// Sends a call. An answer of any status is an answer; a failure is the lack of one.
    /// Redirects (a renamed repository) are followed on the same server only.
    pub(crate) async fn send(
        &self,
        call: &Call,
        credentials: Credentials<'_>,
    ) -> Result<Answer, Failure> {
        // Waiting for a place takes nothing from the time that GitHub has.
        let _place = match call.effect() {
            Effect::Read => self.reads.acquire().await.ok(),
            Effect::Write => None,
        };
        let mut target = match call.api {
            Api::Rest => format!("{}{}", self.base, call.target()),
            Api::GraphQl => self.graphql.clone(),
        };
        for _ in 0..=MOST_REDIRECTS {
            let sent = self.send_once(call, &target, credentials);
            let answer = tokio::time::timeout(self.timeout, sent).await.unwrap_or_else(|_| {
                Err(call.effect().lost(format!("no answer within {:?}", self.timeout)))
            })?;
            match self.redirect(&answer) {
                Some(location) => target = location,
                None => return Ok(answer),
            }
        }
        Err(Failure::Malformed { why: "too many redirects".to_owned() })
    }

    async fn send_once(
        &self,
        call: &Call,
        target: &str,
        credentials: Credentials<'_>,
    ) -> Result<Answer, Failure> {
        let unusable = |e: &dyn Display| Failure::Unreachable { why: format!("no request: {e}") };
        let uri = target.parse::<Uri>().map_err(|e| unusable(&e))?;
        let mut request = Request::builder().method(call.method.clone()).uri(uri);
        if let Some(authorization) = credentials.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if let Some(tag) = credentials.known {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        let request =
            self.octocrab.build_request(request, call.body.as_ref()).map_err(|e| unusable(&e))?;
        let sent = self.octocrab.execute(request).await;
        let (parts, body) = sent.map_err(|e| not_answered(&e, call.effect()))?.into_parts();
        let body = Limited::new(body, LONGEST_ANSWER).collect().await;
        let body = body.map_err(|_| call.effect().lost("the answer was cut off"))?.to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    /// Where GitHub wants the request repeated as it is, if that is on the same server.
    fn redirect(&self, answer: &Answer) -> Option<String> {
        if !matches!(answer.status.as_u16(), 301 | 302 | 307 | 308) {
            return None;
        }
        let base = Url::parse(&self.base).ok()?;
        let location = answer.headers.get(header::LOCATION)?.to_str().ok()?;
        let location = base.join(location).ok()?;
        let same_server = location.origin() == base.origin();
        let below_base = location.path().starts_with(base.path().trim_end_matches('/'));
        (same_server && below_base).then(|| location.to_string())
    }
}

/// Where GraphQL is, beside the REST API at `base`: below it on github.com, and in place of its version
/// on an Enterprise Server
/// (<https://docs.github.com/enterprise-server/graphql/guides/managing-enterprise-accounts>).
fn graphql(base: &str) -> String {
    let beside = base.strip_suffix("/api/v3").map(|host| format!("{host}/api/graphql"));
    beside.unwrap_or_else(|| format!("{base}/graphql"))
}

/// What it means that octocrab has no answer: a connection that was never made sent nothing.
fn not_answered(error: &octocrab::Error, effect: Effect) -> Failure {
    let octocrab::Error::Service { source, .. } = error else {
        return effect.lost("the connection failed");
    };
    match source.downcast_ref::<hyper_util::client::legacy::Error>() {
        Some(error) if error.is_connect() => Failure::Unreachable { why: with_causes(error) },
        Some(error) => effect.lost(with_causes(error)),
        None => effect.lost("the connection failed"),
    }
}

/// An error and what caused it, in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_cannot_leave_its_place() {
        let path = Path::new("repos").then("a/../b").then("..").then("c#d?e f%20");
        assert_eq!(path.0, "/repos/a%2F..%2Fb/%2E%2E/c%23d%3Fe%20f%2520");
    }

    #[test]
    fn a_value_cannot_add_to_the_query() {
        let call = Call::get(Path::new("x")).query("check_name", "a&b=c / (main)").query("n", 1);
        assert_eq!(call.query, "check_name=a%26b%3Dc%20%2F%20%28main%29&n=1");
    }

    #[test]
    fn the_next_page_is_read_from_the_link() {
        let links = "<https://api.github.com/x?page=1>; rel=\"prev\", \
                     <https://api.github.com/repositories/1/x?per_page=100&page=3>; rel=\"next\"";
        let mut headers = HeaderMap::new();
        headers.insert(header::LINK, links.parse().unwrap());
        let answer = Answer { status: StatusCode::OK, headers, body: Bytes::new() };
        assert_eq!(answer.next_query().as_deref(), Some("per_page=100&page=3"));
    }
}
