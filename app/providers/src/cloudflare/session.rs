//! One opened connection: the account's API, its zones and its tunnels.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use landfall_core::name::DnsName;
use tokio::sync::Mutex;
use url::Url;

use super::api::Api;
use super::error::CallError;
use super::realm::Realm;
use super::tunnels::{Tunnel, TunnelNames, qualified};
use super::zones::{ApiZone, ZoneIds, ZoneKey};

/// The most zones of a page, says the vendor.
const ZONES_PER_PAGE: usize = 50;
/// The most tunnels of a page.
const TUNNELS_PER_PAGE: usize = 1000;

/// One opened connection.
#[derive(Debug)]
pub(crate) struct Session {
    /// Its API.
    pub(crate) api: Api,
    /// The account's id.
    pub(crate) account: String,
    /// Who answers for the identities of zones and tunnels.
    pub(crate) realm: Realm,
    base: Url,
    zone_ids: Arc<ZoneIds>,
    /// The tunnels as they were last listed. The lock is held while they are listed, so that two
    /// who need them at once ask once.
    tunnels: Mutex<Option<Arc<TunnelNames>>>,
}

impl Session {
    pub(super) fn new(api: Api, account: &str, base: Url, zone_ids: Arc<ZoneIds>) -> Self {
        let (account, realm) = (account.to_owned(), Realm::of(&base));
        Self { api, account, realm, base, zone_ids, tunnels: Mutex::new(None) }
    }

    /// What a plan calls the tunnel `name` of the account.
    pub(crate) fn qualified(&self, name: &str) -> String {
        qualified(&self.realm.mark(&self.account), name)
    }

    /// The name of the tunnel that a plan calls this; none if it is not of the account.
    pub(crate) fn own_tunnel<'t>(&self, qualified: &'t str) -> Option<&'t str> {
        let (account, name) = qualified.split_once('/')?;
        (self.realm.unmark(account)? == self.account).then_some(name)
    }

    /// The living tunnels. A list that was read before is used as long as it `suffices`: what is
    /// not on it may have been created since, so a missing one is always looked for again.
    pub(crate) async fn tunnels(
        &self,
        suffices: impl Fn(&TunnelNames) -> bool + Send,
    ) -> Result<Arc<TunnelNames>, CallError> {
        let mut known = self.tunnels.lock().await;
        if let Some(tunnels) = known.as_ref().filter(|tunnels| suffices(tunnels)) {
            return Ok(Arc::clone(tunnels));
        }
        let path = ["accounts", &self.account, "cfd_tunnel"];
        let listing =
            self.api.list::<Tunnel>(&path, &[("is_deleted", "false")], TUNNELS_PER_PAGE).await?;
        let tunnels = Arc::new(TunnelNames::new(&self.realm.mark(&self.account), listing.items));
        *known = Some(Arc::clone(&tunnels));
        Ok(tunnels)
    }

    /// Makes the next who needs the tunnels list them anew.
    pub(crate) async fn forget_tunnels(&self) {
        *self.tunnels.lock().await = None;
    }

    /// Makes the next who needs the zone with this id look for its name anew.
    pub(crate) fn forget_zone(&self, id: &str) {
        self.zone_ids.forget(id);
    }

    /// The ids of zones. One that the account does not have is left out.
    pub(super) async fn zone_ids(
        &self,
        zones: &BTreeSet<DnsName>,
    ) -> Result<BTreeMap<DnsName, String>, CallError> {
        let now = Instant::now();
        let key = |zone: &DnsName| ZoneKey {
            api: self.base.clone(),
            account: self.account.clone(),
            zone: zone.clone(),
        };
        let known = zones
            .iter()
            .filter_map(|zone| Some((zone.clone(), self.zone_ids.get(&key(zone), now)?)));
        let mut ids: BTreeMap<DnsName, String> = known.collect();
        let unknown: Vec<&DnsName> = zones.iter().filter(|zone| !ids.contains_key(*zone)).collect();
        let mut query = vec![("account.id", self.account.as_str())];
        match unknown.as_slice() {
            [] => return Ok(ids),
            // Several are found with one list, and one with one request, too.
            [one] => query.push(("name", one.as_str())),
            _ => {}
        }
        for zone in self.api.list::<ApiZone>(&["zones"], &query, ZONES_PER_PAGE).await?.items {
            let Some(name) = self.own_name(&zone).filter(|name| zones.contains(name)) else {
                continue;
            };
            self.zone_ids.put(key(&name), zone.id.clone(), now);
            ids.insert(name, zone.id);
        }
        Ok(ids)
    }

    /// The name of a zone, if it is of this account: a token may see several.
    fn own_name(&self, zone: &ApiZone) -> Option<DnsName> {
        let foreign = zone.account.as_ref().is_some_and(|account| account.id != self.account);
        if foreign { None } else { DnsName::new(zone.name.as_str()).ok() }
    }
}
