//! The ids of zones, remembered between readers.
//!
//! An id never leads to another zone, so a remembered one is at worst one of a zone that is gone; it
//! is forgotten by whoever finds that out, because the zone's name may have a new one.
//! What is not found is never remembered: a zone may be added any minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use landfall_core::name::DnsName;
use serde::Deserialize;
use url::Url;

/// How long an id is taken for granted.
const FRESH: Duration = Duration::from_secs(600);
/// How many are kept; beyond it all are forgotten, which costs one read each.
const MOST: usize = 4096;

/// A zone as the list gives it.
#[derive(Debug, Deserialize)]
pub(super) struct ApiZone {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) account: Option<ApiAccount>,
}

/// The account of a zone.
#[derive(Debug, Deserialize)]
pub(super) struct ApiAccount {
    pub(super) id: String,
}

/// Where a zone is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ZoneKey {
    pub(super) api: Url,
    pub(super) account: String,
    pub(super) zone: DnsName,
}

/// The ids that were found.
#[derive(Debug, Default)]
pub(super) struct ZoneIds(Mutex<HashMap<ZoneKey, (String, Instant)>>);

impl ZoneIds {
    /// The id, if it was found not long before `now`.
    pub(super) fn get(&self, key: &ZoneKey, now: Instant) -> Option<String> {
        let ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (id, since) = ids.get(key)?;
        (now.saturating_duration_since(*since) < FRESH).then(|| id.clone())
    }

    /// Forgets what led to the id.
    pub(super) fn forget(&self, id: &str) {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.retain(|_, (known, _)| known != id);
    }

    /// Forgets those that were found in an account.
    pub(super) fn forget_account(&self, api: &Url, account: &str) {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.retain(|key, _| key.api != *api || key.account != account);
    }

    /// Remembers an id found at `now`.
    pub(super) fn put(&self, key: ZoneKey, id: String, now: Instant) {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ids.len() >= MOST {
            ids.clear();
        }
        ids.insert(key, (id, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_remembered_for_ten_minutes_and_per_account() {
        let key = |account: &str| ZoneKey {
            api: "https://api.example/".parse().unwrap(),
            account: account.to_owned(),
            zone: DnsName::new("example.com").unwrap(),
        };
        let (ids, start) = (ZoneIds::default(), Instant::now());
        ids.put(key("a"), "1".to_owned(), start);
        assert_eq!(ids.get(&key("a"), start + Duration::from_secs(599)).as_deref(), Some("1"));
        assert_eq!(ids.get(&key("a"), start + FRESH), None);
        assert_eq!(ids.get(&key("b"), start), None);
    }

    #[test]
    fn what_is_forgotten_of_one_account_is_known_of_another() {
        let api = |host: &str| format!("https://{host}/").parse::<Url>().unwrap();
        let key = |host: &str, account: &str| ZoneKey {
            api: api(host),
            account: account.to_owned(),
            zone: DnsName::new("example.com").unwrap(),
        };
        let (ids, start) = (ZoneIds::default(), Instant::now());
        let keys = [key("a.example", "a"), key("a.example", "b"), key("b.example", "a")];
        keys.iter().for_each(|key| ids.put(key.clone(), "1".to_owned(), start));
        ids.forget_account(&api("a.example"), "a");
        let known = keys.each_ref().map(|key| ids.get(key, start).is_some());
        assert_eq!(known, [false, true, true]);
    }
}
