//! `ListObjectsV2`: keys below a prefix in pages, and what stands before the next delimiter.

use std::collections::BTreeSet;

use http::StatusCode;

use super::Storage;
use super::route::{escaped, etag, xml};
use crate::call::{Call, Reply};

/// Real storage gives a thousand at once; a small number shows that pages are followed.
const PAGE: usize = 3;

pub(super) fn answer(storage: &Storage, bucket: &str, call: &Call) -> Reply {
    let prefix = call.param("prefix").unwrap_or_default();
    let delimiter = call.param("delimiter").filter(|text| !text.is_empty());
    let after = call.param("continuation-token").unwrap_or_default();
    let objects = &storage.buckets[bucket];
    let below = objects.iter().filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after);
    let (mut found, mut folders) = (Vec::new(), BTreeSet::new());
    for (key, content) in below {
        let folder = delimiter.and_then(|text| key[prefix.len()..].split_once(text));
        match folder {
            Some((folder, _)) => {
                folders.insert(format!("{prefix}{folder}{}", delimiter.unwrap_or_default()));
            }
            None => found.push((key, content)),
        }
    }
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let contents: String = found
        .iter()
        .map(|(key, content)| {
            format!(
                "<Contents><Key>{}</Key><LastModified>2026-11-21T12:00:00.000Z</LastModified><ETag>{}</ETag><Size>{}</Size></Contents>",
                escaped(key),
                escaped(&etag(content)),
                content.len(),
            )
        })
        .collect();
    let common: String = folders
        .iter()
        .map(|folder| {
            format!("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", escaped(folder))
        })
        .collect();
    let next = match (more, found.last()) {
        (true, Some((key, _))) => {
            format!("<NextContinuationToken>{}</NextContinuationToken>", escaped(key))
        }
        _ => String::new(),
    };
    let body = format!(
        "<ListBucketResult><Name>{bucket}</Name><IsTruncated>{more}</IsTruncated>{next}{contents}{common}</ListBucketResult>"
    );
    xml(StatusCode::OK, &body)
}
