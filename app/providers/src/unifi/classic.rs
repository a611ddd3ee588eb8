//! The classic API, as far as it is about the identity of sites and the addresses of devices. Every
//! answer is `{meta, data}`; errors are told with 400, or with 200 and `rc: error`.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use landfall_core::name::MacAddress;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::device::{Addresses, Known};
use super::said::Said;
use super::session::{Ask, Session};
use crate::provider::ProviderError;

#[derive(Deserialize)]
struct Envelope<T> {
    meta: Meta,
    data: Vec<T>,
}

#[derive(Deserialize)]
struct Meta {
    rc: String,
}

#[derive(Deserialize)]
struct Site {
    #[serde(rename = "_id")]
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Device {
    mac: Option<String>,
    ip: Option<String>,
    last_ip: Option<String>,
    fixed_ip: Option<String>,
    #[serde(default)]
    use_fixedip: bool,
}

/// The identity of the site with this name: its `_id`, whichever API its records come through.
///
/// It is the id that the console's database gave the site when it was made: it differs between
/// consoles, and stays through updates, moves to other hardware and changes of address. The uuid of
/// the Integration API is not an identity: it is derived from the site's name, and the first site of
/// every console has the same one. It would also make a console another target on the day it is
/// updated to 10.1.
pub(super) async fn site_id(session: &Session, reference: &str) -> Result<String, ProviderError> {
    let sites: Vec<Site> = ask(session, &["self", "sites"]).await?;
    let names: Vec<String> = sites.iter().map(|site| site.name.clone()).collect();
    let found = sites.into_iter().find(|site| site.name == reference);
    found.map(|site| site.id).ok_or_else(|| super::no_site(reference, &names))
}

/// The addresses that connected devices have now.
pub(super) async fn addresses(session: &Session, site: &str) -> Result<Addresses, ProviderError> {
    let devices: Vec<Device> = ask(session, &["s", site, "stat", "sta"]).await?;
    let each = devices.into_iter().filter_map(|device| Some((mac(&device)?, address(device.ip)?)));
    Ok(each.collect())
}

/// What the console knows of every device that ever connected.
pub(super) async fn known(
    session: &Session,
    site: &str,
) -> Result<BTreeMap<MacAddress, Known>, ProviderError> {
    let devices: Vec<Device> = ask(session, &["s", site, "rest", "user"]).await?;
    let each = devices.into_iter().filter_map(|device| {
        let fixed = device.use_fixedip.then(|| address(device.fixed_ip.clone())).flatten();
        Some((mac(&device)?, Known { fixed, last: address(device.last_ip) }))
    });
    Ok(each.collect())
}

fn mac(device: &Device) -> Option<MacAddress> {
    MacAddress::new(device.mac.as_deref()?).ok()
}

fn address(text: Option<String>) -> Option<Ipv4Addr> {
    text?.parse().ok()
}

async fn ask<T: DeserializeOwned>(
    session: &Session,
    path: &[&str],
) -> Result<Vec<T>, ProviderError> {
    let answer = session.send(&Ask::get(["api"].iter().chain(path).copied())).await?;
    if answer.status != 200 {
        return Err(Said::of(&answer).into_error(&answer));
    }
    match answer.json::<Envelope<T>>() {
        Ok(Envelope { meta, data }) if meta.rc == "ok" => Ok(data),
        Ok(_) => Err(ProviderError::Unexpected(format!(
            "the console refuses to answer: {}",
            Said::of(&answer)
        ))),
        Err(error) => {
            Err(ProviderError::Unexpected(format!("the console's listing is none: {error}")))
        }
    }
}
