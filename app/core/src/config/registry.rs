//! The kinds that there are. `bot` makes the list from `providers`.

use std::fmt;

use super::kind::{ConnectionKind, Kind};

/// What components and connections a configuration may have.
#[derive(Clone, Copy)]
pub struct Registry<'a> {
    /// Kinds of component: the keys of a service file.
    pub kinds: &'a [&'a dyn Kind],
    /// Kinds of connection: the keys of `connections:`.
    pub connections: &'a [&'a dyn ConnectionKind],
    /// Kinds of component that are designed and not there yet: refused with a message that says so.
    pub later: &'a [&'a str],
}

impl<'a> Registry<'a> {
    /// The kind of component with this name.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&'a dyn Kind> {
        self.kinds.iter().copied().find(|kind| kind.name().as_str() == name)
    }

    /// The kind of connection with this name.
    #[must_use]
    pub fn connection(&self, name: &str) -> Option<&'a dyn ConnectionKind> {
        self.connections.iter().copied().find(|kind| kind.name().as_str() == name)
    }

    /// The names of all kinds of component.
    #[must_use]
    pub fn kind_names(&self) -> Vec<String> {
        self.kinds.iter().map(|kind| kind.name().to_string()).collect()
    }

    /// The names of all kinds of connection.
    #[must_use]
    pub fn connection_names(&self) -> Vec<String> {
        self.connections.iter().map(|kind| kind.name().to_string()).collect()
    }
}

impl fmt::Debug for Registry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("kinds", &self.kind_names())
            .field("connections", &self.connection_names())
            .field("later", &self.later)
            .finish()
    }
}
