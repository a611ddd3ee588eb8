//! Which address a device has, from everything that a console knows: pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use landfall_core::name::MacAddress;

/// Devices that are asked for.
pub(crate) type Macs = BTreeSet<MacAddress>;
/// Devices and their addresses.
pub(crate) type Addresses = BTreeMap<MacAddress, Ipv4Addr>;

/// What a console remembers of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    /// The address that DHCP always gives it.
    pub(crate) fixed: Option<Ipv4Addr>,
    /// The address it had when it was last seen.
    pub(crate) last: Option<Ipv4Addr>,
}

/// The address of each device: the fixed one, else the one it has now, else the last. The first
/// cannot change behind our back; the last is better than no answer while the device is off.
pub(crate) fn prefer(
    devices: &Macs,
    now: &Addresses,
    known: &BTreeMap<MacAddress, Known>,
) -> Addresses {
    let address = |mac: &MacAddress| {
        let known = known.get(mac);
        let fixed = known.and_then(|known| known.fixed);
        fixed.or_else(|| now.get(mac).copied()).or_else(|| known.and_then(|known| known.last))
    };
    devices.iter().filter_map(|mac| Some((mac.clone(), address(mac)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_is_before_now_and_now_is_before_last() {
        let mac = MacAddress::new("aa:bb:cc:dd:ee:01").unwrap();
        let ip = |n| Some(Ipv4Addr::new(192, 168, 1, n));
        for (fixed, now, last, expected) in [
            (ip(1), ip(2), ip(3), ip(1)),
            (None, ip(2), ip(3), ip(2)),
            (None, None, ip(3), ip(3)),
            (None, None, None, None),
        ] {
            let now: Addresses = now.map(|ip| (mac.clone(), ip)).into_iter().collect();
            let known = [(mac.clone(), Known { fixed, last })].into();
            let found = prefer(&[mac.clone()].into(), &now, &known);
            assert_eq!(found.get(&mac).copied(), expected);
        }
    }
}
