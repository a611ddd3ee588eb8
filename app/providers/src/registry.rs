//! The list of everything that Landfall can look after. Nothing else names a provider.

use std::fmt;

use landfall_core::config::NamedConnection;
use landfall_core::config::kind::{ConnectionKind, Kind};
use landfall_core::name::KindName;

use crate::cloudflare::CloudflareKind;
use crate::cloudflare_dns::CloudflareDnsKind;
use crate::cloudflare_tunnel::CloudflareTunnelKind;
use crate::provider::{ConnectionProvider, Provider};
use crate::unifi::UnifiKind;
use crate::unifi_dns::UnifiDnsKind;

/// All providers and all kinds of connection. One lives as long as the process: kinds of
/// connection share what they have open.
pub struct Registry {
    providers: Vec<Box<dyn Provider>>,
    connections: Vec<Box<dyn ConnectionProvider>>,
}

impl Registry {
    /// The providers that there are, one line each.
    #[must_use]
    pub fn new() -> Self {
        Self {
            providers: vec![
                Box::new(UnifiDnsKind),
                Box::new(CloudflareTunnelKind),
                Box::new(CloudflareDnsKind),
            ],
            connections: vec![Box::new(UnifiKind::default()), Box::new(CloudflareKind::default())],
        }
    }

    /// The provider of a kind of component.
    #[must_use]
    pub fn provider(&self, kind: &KindName) -> Option<&dyn Provider> {
        self.providers.iter().find(|provider| provider.name() == *kind).map(AsRef::as_ref)
    }

    /// The provider of a kind of connection.
    #[must_use]
    pub fn connection(&self, kind: &KindName) -> Option<&dyn ConnectionProvider> {
        self.connections.iter().find(|provider| provider.name() == *kind).map(AsRef::as_ref)
    }

    /// Forgets what was found out where a connection leads to, and nothing of any other.
    pub fn forget(&self, connection: &NamedConnection) {
        if let Some(kind) = self.connection(&connection.kind) {
            kind.forget(&*connection.connection);
        }
    }

    /// All providers.
    pub fn providers(&self) -> impl Iterator<Item = &dyn Provider> {
        self.providers.iter().map(AsRef::as_ref)
    }

    /// The kinds of component, as `core` sees them: for `landfall_core::config::Registry`.
    #[must_use]
    pub fn kinds(&self) -> Vec<&dyn Kind> {
        self.providers.iter().map(|provider| &**provider as &dyn Kind).collect()
    }

    /// The kinds of connection, as `core` sees them.
    #[must_use]
    pub fn connection_kinds(&self) -> Vec<&dyn ConnectionKind> {
        self.connections.iter().map(|provider| &**provider as &dyn ConnectionKind).collect()
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<_> = self.kinds().iter().map(|kind| kind.name()).collect();
        let connections: Vec<_> = self.connection_kinds().iter().map(|kind| kind.name()).collect();
        f.debug_struct("Registry")
            .field("kinds", &kinds)
            .field("connections", &connections)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_of_component_has_a_name_of_its_own_and_its_kind_of_connection() {
        let registry = Registry::new();
        let names: BTreeSet<_> = registry.providers().map(|provider| provider.name()).collect();
        assert_eq!(names.len(), registry.kinds().len());
        for provider in registry.providers() {
            assert!(registry.connection(&provider.connection()).is_some(), "{}", provider.name());
            assert!(registry.provider(&provider.name()).is_some());
        }
    }

    #[test]
    fn names_come_before_what_points_at_them() {
        let registry = Registry::new();
        let rank = |name: &str| {
            let kind = KindName::new(name).unwrap();
            registry.provider(&kind).map(|provider| provider.rank())
        };
        assert_eq!(rank("unifi_dns"), Some(0));
    }
}
