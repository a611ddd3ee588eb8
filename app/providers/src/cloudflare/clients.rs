//! HTTP clients, kept between readers: a new one reads the system's certificates and connects anew.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use landfall_os::http::{AddressRules, Client, Settings, SettingsError};
use url::Url;

/// How many are kept. There is one for each API address, so one in practice.
const MOST: usize = 8;

/// The clients that were made, by what they were made of. They hold no credentials.
#[derive(Debug, Default)]
pub(super) struct Clients(Mutex<Vec<(Peer, Client)>>);

/// What a client is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) base: Url,
    pub(super) rules: AddressRules,
    pub(super) deadline: Duration,
}

impl Clients {
    /// The client of a peer.
    pub(super) fn get(&self, peer: Peer) -> Result<Client, SettingsError> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(known, _)| *known == peer) {
            return Ok(client.clone());
        }
        let Peer { base, rules, deadline } = peer.clone();
        let client = Client::new(&Settings { rules, timeout: deadline, ..Settings::new(base) })?;
        if clients.len() >= MOST {
            clients.remove(0);
        }
        clients.push((peer, client.clone()));
        Ok(client)
    }
}
