//! What a component wants of its site, and how its changes become effects: pure.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use landfall_core::diagnostic::Diagnostic;
use landfall_core::name::{DnsName, MacAddress};
use landfall_core::plan::{Change, Desired, Effect, ResourceKey, Target};
use landfall_core::yaml::Spanned;

use super::config::{Entry, UnifiDns, Wish};
use super::set::RecordSet;
use crate::provider::{Found, Lookup, Needs};
use crate::unifi::console::TAKEN_BY_ALL;
use crate::unifi::record::Record;

/// What a component writes to: the one site that its connection leads to.
pub(crate) const SITE: &str = "site";

/// The question how long a text the console takes; the answer is a number of bytes. Only asked for a
/// text that not every console takes.
pub(crate) const LONGEST_TEXT: &str = "longest text";

/// The question for a device's address.
pub(crate) fn mac_lookup(mac: &MacAddress) -> Lookup {
    format!("mac {mac}")
}

/// The device that a question is about.
pub(crate) fn looked_up_mac(lookup: &str) -> Option<MacAddress> {
    lookup.strip_prefix("mac ")?.parse().ok()
}

/// The site, the devices that addresses are wanted of, and what the console takes.
pub(super) fn needs(config: &UnifiDns) -> Needs {
    let entries = || config.0.0.iter().map(|(_, entry)| entry);
    let devices = entries().flat_map(Entry::wishes).flat_map(|wish| wish.devices);
    let long = entries().any(|entry| entry.texts_beyond(TAKEN_BY_ALL).next().is_some());
    let mut lookups: BTreeSet<Lookup> = devices.map(|mac| mac_lookup(mac)).collect();
    lookups.extend(long.then(|| LONGEST_TEXT.to_owned()));
    Needs { scopes: [SITE.to_owned()].into(), lookups }
}

/// One resource for each type of each name.
pub(super) fn desired(config: &UnifiDns, found: &Found) -> Result<Vec<Desired>, Vec<Diagnostic>> {
    let (mut desired, mut findings) = (Vec::new(), Vec::new());
    for (name, entry) in &config.0.0 {
        let Some(target) = found.targets.get(SITE) else {
            findings.push(Diagnostic::error(
                "target-unknown",
                name.span.clone(),
                "nobody asked which site this is for",
            ));
            break;
        };
        findings.extend(too_long(entry, found));
        for wish in entry.wishes() {
            match resource(target, name, entry, &wish, found) {
                Ok(resource) => desired.push(resource),
                Err(mut unanswered) => findings.append(&mut unanswered),
            }
        }
    }
    if findings.is_empty() { Ok(desired) } else { Err(findings) }
}

fn resource(
    target: &Target,
    name: &Spanned<DnsName>,
    entry: &Entry,
    wish: &Wish<'_>,
    found: &Found,
) -> Result<Desired, Vec<Diagnostic>> {
    let (mut texts, mut unanswered) = (wish.texts.clone(), Vec::new());
    for mac in &wish.devices {
        match address_of(mac, found) {
            // Two devices, or a device and a literal, may come to one address: one record is enough.
            Some(address) if texts.contains(&address) => {}
            Some(address) => texts.push(address),
            None => unanswered.push(nowhere(mac)),
        }
    }
    if !unanswered.is_empty() {
        return Err(unanswered);
    }
    let ttl = entry.ttl.as_ref().filter(|_| wish.rtype.has_ttl()).map_or(0, |ttl| ttl.value);
    let set = RecordSet::new(texts.into_iter().map(|text| Record::new(text, ttl)).collect());
    let value =
        set.to_value(wish.rtype.as_str()).expect("a wish has a text or a device with an address");
    let key = ResourceKey::new(target.clone(), wish.rtype.as_str(), name.as_str());
    Ok(Desired { key, value, adopt: entry.adopt, span: name.span.clone() })
}

/// The texts that the console does not take.
fn too_long(entry: &Entry, found: &Found) -> Vec<Diagnostic> {
    let answer = found.answers.get(LONGEST_TEXT).and_then(|answer| answer.parse().ok());
    let longest: usize = answer.unwrap_or(TAKEN_BY_ALL);
    let told = |text: &Spanned<String>| {
        let message = format!("the console takes texts of at most {longest} bytes");
        Diagnostic::error("text-too-long", text.span.clone(), message)
            .help("consoles with UniFi Network 10.1 or later and an `api_key` take longer ones")
    };
    entry.texts_beyond(longest).map(told).collect()
}

fn address_of(mac: &MacAddress, found: &Found) -> Option<String> {
    let answer = found.answers.get(&mac_lookup(mac))?;
    answer.parse().ok().map(|address: Ipv4Addr| address.to_string())
}

fn nowhere(mac: &Spanned<MacAddress>) -> Diagnostic {
    let message = format!("the console knows no address of the device {}", mac.value);
    Diagnostic::error("device-unknown", mac.span.clone(), message)
        .help("connect it once, give it a fixed address in the console, or write the address here")
}

/// One effect for each record set, in the order given: a console takes one record at a time.
pub(super) fn effects(target: &Target, changes: Vec<Change>) -> Vec<Effect> {
    changes
        .into_iter()
        .map(|change| Effect { target: target.clone(), changes: vec![change] })
        .collect()
}
