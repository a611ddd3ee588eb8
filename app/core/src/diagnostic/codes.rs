//! The codes of everything that reading and checking a configuration can find.
//!
//! A test holds that each has a fixture and that no fixture shows one that is not listed here.

/// A code, and what it means in one sentence.
pub const CODES: &[(&str, &str)] = &[
    // Reading a file.
    ("not-utf8", "A file is not UTF-8 text."),
    ("syntax", "A file is not YAML."),
    (
        "too-large",
        "A file, a list, what variables insert, or all files together are more than is read.",
    ),
    ("too-deep", "Values are nested deeper than is read."),
    ("several-documents", "A file holds more than one YAML document."),
    ("anchor", "A file uses an anchor or an alias; write the value out or use a variable."),
    ("tag", "A file uses a YAML tag."),
    ("duplicate-key", "A mapping has the same key, or the same name in two spellings, twice."),
    // Decoding it.
    ("unknown-key", "A key is not known at its place; usually it is mistyped."),
    ("missing-key", "A key that has to be there is missing."),
    (
        "wrong-type",
        "A value has another shape than its key wants: a list for a text, a text for a number.",
    ),
    ("invalid-value", "A value has the right shape and breaks a rule: a name, a range."),
    ("unknown-value", "A value is none of the words that are known at its place."),
    (
        "literal-secret",
        "A literal, or something that is no reference, stands where a reference to a secret belongs.",
    ),
    ("not-yet", "A key is designed and not supported by this version."),
    ("version", "The file is written in another version of the language."),
    ("bad-glob", "A pattern over paths cannot be read."),
    // Variables, environments and connections.
    ("unknown-variable", "A reference names a variable that the environment does not have."),
    ("bad-variable", "A reference to a variable is not closed."),
    ("keys-become-equal", "Two keys of a mapping are equal once variables are inserted."),
    (
        "unknown-environment",
        "A service names an environment that the repository config does not have.",
    ),
    ("unknown-connection", "A component names a connection that the environment does not have."),
    (
        "connection-not-chosen",
        "The environment has several connections of a kind and the component chooses none.",
    ),
    // Checks within an environment.
    ("service-declared-twice", "Two files have the name of one service."),
    ("needs-missing", "A service needs one that does not exist."),
    ("needs-cycle", "Services need each other in a circle, so none can come first."),
    ("name-declared-twice", "Two services, or two components of one, declare the same record set."),
    (
        "cname-beside-other",
        "A name has a CNAME and a record of a type that cannot stand beside it: any in a local network, addresses and NS in public.",
    ),
    (
        "ns-beside-other",
        "A public name below that of its zone has NS and a record of another type.",
    ),
    ("two-cnames", "A name has more than one CNAME."),
    ("outside-zones", "A public name is in none of the zones of its connection."),
    ("outside-scope", "A public name is not among those that `scopes` gives to the service."),
    ("origin-loop", "An origin is itself a public hostname, so requests would go in a loop."),
    ("origin-public", "An origin is in a public zone."),
    ("origin-unknown", "Nobody declares the name of an origin (a warning)."),
    ("device-with-two-names", "Two names are looked up from one hardware address (a warning)."),
    ("repeated-override", "A value is the same in the override of every environment (a warning)."),
    ("tracked-env-file", "The repository tracks a `.env` file."),
    // Checks across environments and against state.
    ("two-environments", "Two environments declare the same record set."),
    ("services-vanished", "The pattern of `services` lost files that still own something."),
    ("environment-vanished", "An environment is gone and still owns something."),
    ("connection-vanished", "A connection is gone and still leads to something that is owned."),
];
