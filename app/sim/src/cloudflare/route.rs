//! Which request goes where, once the limiter and the token let it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use bytes::Bytes;
use http::{HeaderMap, Method, Uri};

use super::cloud::Cloud;
use super::envelope::{self, ApiError, Outcome, PageSizes};
use super::settings::{Permission, TokenOwner, TokenSettings};
use super::{dns, token, tunnels};
use crate::call::{Call, Reply};

const ZONE_PAGES: PageSizes = PageSizes { smallest: 5, default: 20, largest: 50 };

/// Answers any request.
pub(super) async fn answer(
    State(cloud): State<Arc<Mutex<Cloud>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Reply {
    let call = Call::new(method, &uri, headers, body);
    let cloud = &mut *cloud.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(limit) = cloud.settings.rate_limit else {
        return routed(cloud, &call);
    };
    let now = cloud.now();
    if let Err(refusal) = cloud.limiter.admit(limit, now) {
        return *refusal;
    }
    let reply = routed(cloud, &call);
    cloud.limiter.tell(limit, reply)
}

fn routed(cloud: &mut Cloud, call: &Call) -> Reply {
    route(cloud, call).unwrap_or_else(|error| error.reply())
}

fn route(cloud: &mut Cloud, call: &Call) -> Outcome {
    let token = token::of(cloud, call)?;
    let pieces = call.pieces();
    let ["client", "v4", rest @ ..] = pieces.as_slice() else {
        return Err(ApiError::no_route(call));
    };
    match (&call.method, rest) {
        (&Method::GET, ["user", "tokens", "verify"]) => token::verify(&token, TokenOwner::User),
        (&Method::GET, ["accounts", account, "tokens", "verify"])
            if *account == cloud.settings.account =>
        {
            token::verify(&token, TokenOwner::Account)
        }
        (&Method::GET, ["zones"]) => zones(cloud, call, &token),
        (_, ["zones", zone, rest @ ..]) => in_zone(cloud, call, &token, zone, rest),
        (_, ["accounts", account, "cfd_tunnel", rest @ ..]) => {
            let wanted =
                if call.writes() { Permission::TunnelEdit } else { Permission::TunnelRead };
            // The token of a connector is as good as the right to edit.
            let wanted =
                if rest.last() == Some(&"token") { Permission::TunnelEdit } else { wanted };
            token::require(&token, wanted)?;
            match *account == cloud.settings.account {
                true => tunnels::answer(cloud, call, rest),
                false => Err(ApiError::authentication()),
            }
        }
        _ => Err(ApiError::no_route(call)),
    }
}

/// Zones that the token may not see are not in the list.
fn zones(cloud: &Cloud, call: &Call, token: &TokenSettings) -> Outcome {
    token::require(token, Permission::ZoneRead)?;
    let wanted =
        |name: &str| call.param("name").is_none_or(|wanted| wanted.eq_ignore_ascii_case(name));
    let account = call.param("account.id").is_none_or(|wanted| wanted == cloud.settings.account);
    let zones = cloud.zones.iter().filter(|zone| {
        account && wanted(&zone.settings.name) && token::sees(token, &zone.settings.name)
    });
    let zones: Vec<_> = zones.map(|zone| zone.json(&cloud.settings.account, cloud.since)).collect();
    envelope::page(call, &zones, ZONE_PAGES)
}

fn in_zone(
    cloud: &mut Cloud,
    call: &Call,
    token: &TokenSettings,
    id: &str,
    rest: &[&str],
) -> Outcome {
    let place = cloud.zones.iter().position(|zone| zone.settings.id == id);
    let place = place.ok_or_else(|| ApiError::no_route(call))?;
    if !token::sees(token, &cloud.zones[place].settings.name) {
        return Err(token::unauthorized());
    }
    match (&call.method, rest) {
        (&Method::GET, []) => {
            token::require(token, Permission::ZoneRead)?;
            envelope::result(cloud.zones[place].json(&cloud.settings.account, cloud.since))
        }
        (_, ["dns_records", rest @ ..]) => {
            let wanted = if call.writes() { Permission::DnsEdit } else { Permission::DnsRead };
            token::require(token, wanted)?;
            dns::answer(cloud, place, call, rest)
        }
        _ => Err(ApiError::no_route(call)),
    }
}
