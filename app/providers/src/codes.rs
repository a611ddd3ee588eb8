//! The codes that decoding a component can find beside those of `landfall_core::diagnostic::CODES`.

/// A code, and what it means in one sentence.
pub const CODES: &[(&str, &str)] = &[
    ("no-record", "A name is declared without any record."),
    ("too-many-values", "A name has more values than one batch could hold."),
    ("value-twice", "A record set has the same value twice."),
    ("no-origin", "A public hostname leads nowhere."),
    ("path-twice", "Two routes of a hostname have the same path."),
    (
        "target-unknown",
        "A zone, tunnel or site could not be found at the provider (found while gathering).",
    ),
    ("text-too-long", "The console takes no text of this length (found while gathering)."),
    ("device-unknown", "A device's address is not known to the console (found while gathering)."),
];
