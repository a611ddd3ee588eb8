//! Name resolution that hands the connector only addresses that the rules permit.
//!
//! The address that was checked is the one that is connected to; there is no second look-up in
//! between that could answer differently.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::AddressRules;

/// A name has addresses, and none of them is permitted.
#[derive(Debug, thiserror::Error)]
#[error("no permitted address")]
pub(super) struct Refused;

/// The resolver of a client, for the one port it connects to.
#[derive(Debug)]
pub(super) struct Checked {
    rules: AddressRules,
    port: u16,
}

impl Checked {
    pub(super) fn new(rules: AddressRules, port: u16) -> Self {
        Self { rules, port }
    }
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (rules, port) = (self.rules.clone(), self.port);
        Box::pin(async move {
            let host = name.as_str();
            let found = tokio::net::lookup_host((host, port)).await?;
            let permitted: Vec<SocketAddr> =
                found.filter(|a| rules.permits(host, port, a.ip())).collect();
            if permitted.is_empty() {
                return Err(Refused.into());
            }
            let addresses: Addrs = Box::new(permitted.into_iter());
            Ok(addresses)
        })
    }
}
