//! The headers of a delivery.

use http::{HeaderMap, header};
use uuid::Uuid;

use crate::actor::AppId;

/// What the headers of a delivery say. Read them after the signature was found good; they are
/// not signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// `X-GitHub-Event`: `pull_request`.
    pub event: String,
    /// `X-GitHub-Delivery`: the same for every attempt to deliver one event.
    pub delivery: Uuid,
    /// `X-GitHub-Hook-Installation-Target-ID`: for an App's hook, the App.
    pub target: Option<AppId>,
}

/// What is wrong with the headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The body is a form. Answered with 415; the hook's content type has to be JSON.
    #[error("not application/json: the hook's content type has to be JSON")]
    NotJson,
    /// A header is missing.
    #[error("no {0}")]
    Missing(&'static str),
    /// A header is not what it should be.
    #[error("{0} is malformed")]
    Malformed(&'static str),
}

const EVENT: &str = "X-GitHub-Event";
const DELIVERY: &str = "X-GitHub-Delivery";
const TARGET: &str = "X-GitHub-Hook-Installation-Target-ID";

impl Headers {
    /// Reads them.
    ///
    /// # Errors
    /// One is missing or malformed.
    pub fn read(headers: &HeaderMap) -> Result<Self, HeaderError> {
        let content = text(headers, header::CONTENT_TYPE.as_str(), "Content-Type")?;
        let media = content.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/json") {
            return Err(HeaderError::NotJson);
        }
        let event = text(headers, EVENT, EVENT)?.ok_or(HeaderError::Missing(EVENT))?;
        let plain = |c: char| c.is_ascii_lowercase() || c == '_';
        if event.is_empty() || event.len() > 100 || !event.chars().all(plain) {
            return Err(HeaderError::Malformed(EVENT));
        }
        let delivery = text(headers, DELIVERY, DELIVERY)?.ok_or(HeaderError::Missing(DELIVERY))?;
        let delivery = Uuid::try_parse(delivery).map_err(|_| HeaderError::Malformed(DELIVERY))?;
        let target = text(headers, TARGET, TARGET)?.map(str::parse).transpose();
        let target = target.map_err(|_| HeaderError::Malformed(TARGET))?.map(AppId);
        Ok(Self { event: event.to_owned(), delivery, target })
    }
}

fn text<'a>(
    headers: &'a HeaderMap,
    key: &str,
    name: &'static str,
) -> Result<Option<&'a str>, HeaderError> {
    let value = headers.get(key).map(http::HeaderValue::to_str).transpose();
    value.map_err(|_| HeaderError::Malformed(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID: &str = "72d3162e-cc78-11e3-81ab-4c9367dc0958";

    fn headers(list: &[(&'static str, &'static str)]) -> Result<Headers, HeaderError> {
        let mut map = HeaderMap::new();
        for (name, value) in list {
            map.insert(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        Headers::read(&map)
    }

    #[test]
    fn a_delivery_says_what_it_is() {
        let read = headers(&[
            ("content-type", "application/json; charset=utf-8"),
            (EVENT, "pull_request"),
            (DELIVERY, GUID),
            (TARGET, "29310"),
        ]);
        let delivery = GUID.parse().unwrap();
        let target = Some(AppId(29310));
        assert_eq!(read, Ok(Headers { event: "pull_request".into(), delivery, target }));
    }

    #[test]
    fn a_form_and_missing_or_malformed_headers_are_refused() {
        let json = ("content-type", "application/json");
        let form = ("content-type", "application/x-www-form-urlencoded");
        let (event, guid) = ((EVENT, "push"), (DELIVERY, GUID));
        assert_eq!(headers(&[form, event, guid]), Err(HeaderError::NotJson));
        assert_eq!(headers(&[event, guid]), Err(HeaderError::NotJson));
        assert_eq!(headers(&[json, guid]), Err(HeaderError::Missing(EVENT)));
        assert_eq!(headers(&[json, event]), Err(HeaderError::Missing(DELIVERY)));
        let bad = headers(&[json, event, (DELIVERY, "1")]);
        assert_eq!(bad, Err(HeaderError::Malformed(DELIVERY)));
        let bad = headers(&[json, (EVENT, "../x"), guid]);
        assert_eq!(bad, Err(HeaderError::Malformed(EVENT)));
        let bad = headers(&[json, event, guid, (TARGET, "me")]);
        assert_eq!(bad, Err(HeaderError::Malformed(TARGET)));
    }
}
