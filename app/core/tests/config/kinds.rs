//! Small kinds in the shape of the real ones: what `core` sees of them is the same.

use std::any::Any;
use std::net::Ipv4Addr;

use landfall_core::config::Registry;
use landfall_core::config::kind::{Component, Connection, ConnectionKind, Kind};
use landfall_core::config::names::{Device, Names, Record, Route, Space};
use landfall_core::config::secret::SecretRef;
use landfall_core::diagnostic::Diagnostic;
use landfall_core::name::{DnsName, KindName, MacAddress};
use landfall_core::yaml::{Either, Entries, Node, OneOrMany, Spanned, decode};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

/// The registry that all tests here use.
pub(crate) const REGISTRY: Registry<'static> = Registry {
    kinds: &[&UnifiDns, &CloudflareTunnel, &CloudflareDns],
    connections: &[&Unifi, &Cloudflare],
    later: &["terraform"],
};

fn word(text: &str) -> KindName {
    KindName::new(text).unwrap()
}

/// Implements a kind by its component's type.
macro_rules! kind {
    ($kind:ident, $name:literal, $connection:literal, $component:ty) => {
        #[derive(Debug)]
        struct $kind;

        impl Kind for $kind {
            fn name(&self) -> KindName {
                word($name)
            }

            fn connection(&self) -> KindName {
                word($connection)
            }

            fn revision(&self) -> u32 {
                1
            }

            fn rank(&self) -> u8 {
                0
            }

            fn decode(&self, node: &Node) -> Result<Box<dyn Component>, Vec<Diagnostic>> {
                Ok(Box::new(decode::<$component>(node)?))
            }

            fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
                <$component>::json_schema(generator)
            }
        }
    };
}

kind!(UnifiDns, "unifi_dns", "unifi", LocalRecords);
kind!(CloudflareTunnel, "cloudflare_tunnel", "cloudflare", Tunnel);
kind!(CloudflareDns, "cloudflare_dns", "cloudflare", PublicRecords);

/// The values of one name.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Values {
    a: OneOrMany<Either<Address, Lookup>>,
    cname: OneOrMany<DnsName>,
    txt: OneOrMany<String>,
    mx: OneOrMany<String>,
    ns: OneOrMany<DnsName>,
    ttl: Option<u32>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
struct Address(#[schemars(with = "String")] Ipv4Addr);

#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct Lookup {
    mac: Spanned<MacAddress>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
struct LocalRecords(Entries<DnsName, Values>);

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
struct PublicRecords(Entries<DnsName, Values>);

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Tunnel {
    pub(crate) tunnel: Spanned<String>,
    #[serde(default)]
    pub(crate) routes: Entries<DnsName, Either<Spanned<String>, Origin>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Origin {
    pub(crate) origin: Spanned<String>,
    #[serde(default)]
    pub(crate) no_tls_verify: bool,
}

impl Values {
    fn names(&self, space: Space, name: &Spanned<DnsName>, names: &mut Names) {
        let addresses: Vec<String> = self
            .a
            .0
            .iter()
            .filter_map(|a| match a {
                Either::Scalar(address) => Some(address.0.to_string()),
                Either::Structure(_) => None,
            })
            .collect();
        let devices = self.a.0.iter().filter_map(|a| match a {
            Either::Scalar(_) => None,
            Either::Structure(lookup) => Some(lookup.mac.clone()),
        });
        names.devices.extend(devices.map(|mac| Device {
            mac: mac.value,
            name: name.value.clone(),
            span: mac.span,
        }));
        let cnames: Vec<String> = self.cname.0.iter().map(ToString::to_string).collect();
        let sets = [
            ("A", self.a.0.len(), addresses),
            ("CNAME", cnames.len(), cnames),
            ("TXT", self.txt.0.len(), self.txt.0.clone()),
            ("MX", self.mx.0.len(), self.mx.0.clone()),
            ("NS", self.ns.0.len(), self.ns.0.iter().map(ToString::to_string).collect()),
        ];
        for (rtype, _, values) in sets.into_iter().filter(|(_, length, _)| *length > 0) {
            names.records.push(Record {
                space,
                name: name.value.clone(),
                rtype,
                values,
                span: name.span.clone(),
            });
        }
    }
}

fn records(space: Space, entries: &Entries<DnsName, Values>) -> Names {
    let mut names = Names::default();
    entries.0.iter().for_each(|(name, values)| values.names(space, name, &mut names));
    names
}

impl Component for LocalRecords {
    fn names(&self) -> Names {
        records(Space::Local, &self.0)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Component for PublicRecords {
    fn names(&self) -> Names {
        records(Space::Public, &self.0)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Component for Tunnel {
    fn names(&self) -> Names {
        let route = |(name, origin): &(Spanned<DnsName>, Either<Spanned<String>, Origin>)| {
            let origin = match origin {
                Either::Scalar(origin) => origin,
                Either::Structure(origin) => &origin.origin,
            };
            let host = origin
                .split("://")
                .nth(1)
                .unwrap_or(origin)
                .split([':', '/'])
                .next()
                .unwrap_or_default();
            let literal = host.parse::<Ipv4Addr>().is_ok();
            Route {
                hostname: name.value.clone(),
                path: None,
                rule: name.to_string(),
                tunnel: self.tunnel.value.clone(),
                origin: origin.value.clone(),
                origin_name: DnsName::new(host).ok().filter(|_| !literal),
                span: name.span.clone(),
                origin_span: origin.span.clone(),
            }
        };
        Names { routes: self.routes.0.iter().map(route).collect(), ..Names::default() }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Implements a kind of connection by its type.
macro_rules! connection {
    ($kind:ident, $name:literal, $connection:ty) => {
        #[derive(Debug)]
        struct $kind;

        impl ConnectionKind for $kind {
            fn name(&self) -> KindName {
                word($name)
            }

            fn decode(&self, node: &Node) -> Result<Box<dyn Connection>, Vec<Diagnostic>> {
                Ok(Box::new(decode::<$connection>(node)?))
            }

            fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
                <$connection>::json_schema(generator)
            }
        }
    };
}

connection!(Unifi, "unifi", Console);
connection!(Cloudflare, "cloudflare", Account);

#[derive(Debug, Deserialize, JsonSchema)]
struct Console {
    url: String,
    api_key: SecretRef,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Account {
    account: String,
    zones: Vec<DnsName>,
    token: SecretRef,
}

impl Connection for Console {
    fn zones(&self) -> Vec<DnsName> {
        Vec::new()
    }

    fn address(&self) -> String {
        self.url.clone()
    }

    fn secrets(&self) -> Vec<SecretRef> {
        vec![self.api_key.clone()]
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Connection for Account {
    fn zones(&self) -> Vec<DnsName> {
        self.zones.clone()
    }

    fn address(&self) -> String {
        self.account.clone()
    }

    fn secrets(&self) -> Vec<SecretRef> {
        vec![self.token.clone()]
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
