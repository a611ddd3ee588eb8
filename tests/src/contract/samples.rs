//! Webhooks as GitHub really sent them, each by the name of its file: `push.7` is the seventh of a push.
//!
//! They lie in the folder `webhooks` beside the vendors' descriptions. Third-party texts like those, they are never part of this
//! repository, and a test that misses them fails with a sentence that says so.

use std::path::Path;

/// Every payload, in the order of the names.
///
/// # Panics
/// The folder is missing, or has none.
pub fn samples() -> Vec<(String, Vec<u8>)> {
    match read(&super::folder().with_file_name("webhooks")) {
        Ok(samples) => samples,
        Err(missing) => panic!("{missing}"),
    }
}

/// Reads the payloads of a folder.
///
/// # Errors
/// A sentence that says where they were looked for and how to name another place.
pub fn read(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let missing = |error: &dyn std::fmt::Display| {
        format!(
            "the tests need payloads that GitHub sent, in {}: {error}; set LANDFALL_SPECS to the folder that has them beside it",
            folder.display()
        )
    };
    let mut samples = Vec::new();
    for file in std::fs::read_dir(folder).map_err(|error| missing(&error))? {
        let path = file.map_err(|error| missing(&error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".json"));
        if let Some(name) = name.filter(|name| *name != "MANIFEST") {
            let payload = std::fs::read(&path).map_err(|error| missing(&error))?;
            samples.push((name.to_owned(), payload));
        }
    }
    samples.sort();
    if samples.is_empty() { Err(missing(&"there is none")) } else { Ok(samples) }
}
