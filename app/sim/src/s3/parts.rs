//! An object in parts: begun, its parts put in any order, then completed or given up.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use http::{Method, StatusCode};

use super::Storage;
use super::route::{error, escaped, etag, xml};
use crate::call::{Call, Reply};

/// Every part but the last has to be this large
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
const SMALLEST: usize = 5 << 20;

/// One that was begun.
#[derive(Default)]
pub(super) struct Upload {
    key: String,
    parts: BTreeMap<u32, Bytes>,
}

pub(super) fn answer(storage: &mut Storage, bucket: &str, key: &str, call: &Call) -> Reply {
    let Some(id) = call.param("uploadId") else { return begin(storage, bucket, key, call) };
    let Some(upload) = storage.uploads.get_mut(id).filter(|upload| upload.key == key) else {
        return error(StatusCode::NOT_FOUND, "NoSuchUpload");
    };
    match (&call.method, call.param("partNumber").and_then(|number| number.parse().ok())) {
        (&Method::PUT, Some(number)) => {
            upload.parts.insert(number, call.body.clone());
            Reply::empty(StatusCode::OK).with("etag", &etag(&call.body))
        }
        (&Method::POST, None) => complete(storage, bucket, key, id),
        (&Method::DELETE, None) => {
            storage.uploads.remove(id);
            Reply::empty(StatusCode::NO_CONTENT)
        }
        _ => error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
    }
}

fn begin(storage: &mut Storage, bucket: &str, key: &str, call: &Call) -> Reply {
    if call.method != Method::POST {
        return error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed");
    }
    storage.begun += 1;
    let id = format!("upload-{}", storage.begun);
    storage.uploads.insert(id.clone(), Upload { key: key.to_owned(), parts: BTreeMap::new() });
    let key = escaped(key);
    xml(
        StatusCode::OK,
        &format!(
            "<InitiateMultipartUploadResult><Bucket>{bucket}</Bucket><Key>{key}</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
        ),
    )
}

fn complete(storage: &mut Storage, bucket: &str, key: &str, id: &str) -> Reply {
    let upload = storage.uploads.remove(id).unwrap_or_default();
    let last = upload.parts.keys().next_back().copied();
    let too_small = |(number, part): (&u32, &Bytes)| Some(*number) != last && part.len() < SMALLEST;
    if upload.parts.iter().any(too_small) {
        return error(StatusCode::BAD_REQUEST, "EntityTooSmall");
    }
    let mut whole = BytesMut::new();
    upload.parts.values().for_each(|part| whole.extend_from_slice(part));
    let tag = escaped(&etag(&whole));
    let objects = storage.buckets.entry(bucket.to_owned()).or_default();
    objects.insert(key.to_owned(), whole.freeze());
    let key = escaped(key);
    xml(
        StatusCode::OK,
        &format!(
            "<CompleteMultipartUploadResult><Location>/{bucket}/{key}</Location><Bucket>{bucket}</Bucket><Key>{key}</Key><ETag>{tag}</ETag></CompleteMultipartUploadResult>"
        ),
    )
}
