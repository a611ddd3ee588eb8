//! What a service of the workload declares, how that is written, and what must then live at the
//! providers.
//!
//! None of Landfall's own code is used here, so that it cannot agree with itself on a mistake. A file
//! on a branch is known by its text: whoever wrote it noted what it stands for ([`Written`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fmt::Write as _;

use rand::RngExt as _;
use rand::rngs::StdRng;

/// The domain of the local names.
pub(crate) const LOCAL: &str = "internal.lan";
/// The zone of the public names.
pub(crate) const ZONE: &str = "example.com";
/// The tunnel that all services of an environment share, before its suffix.
pub(crate) const TUNNEL: &str = "media";

/// The name of the service that nobody changes.
pub(crate) const LASTING: &str = "gateway";

/// One service file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    name: String,
    /// The last numbers of its local addresses; none for a service without local names.
    local: BTreeSet<u8>,
    /// A text beside them.
    note: Option<u32>,
    /// The last number of its public address, and its time to live.
    public: Option<(u8, u32)>,
    /// The port that its route through the tunnel leads to.
    port: Option<u16>,
}

/// A DNS record, as a person would compare two.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) rtype: String,
    pub(crate) value: String,
    /// Seconds, and whether it is proxied: for public ones. 0 and no for local ones.
    pub(crate) ttl: u32,
    pub(crate) proxied: bool,
}

/// What lives, or should, for one or more services of one environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Live {
    pub(crate) local: Vec<Record>,
    pub(crate) public: Vec<Record>,
    /// Hostnames with where they lead to.
    pub(crate) routes: Vec<(String, String)>,
}

impl Service {
    /// Some service of this name.
    pub(crate) fn any(name: &str, rng: &mut StdRng) -> Self {
        let mut service = Self {
            name: name.to_owned(),
            local: BTreeSet::new(),
            note: None,
            public: None,
            port: None,
        };
        if rng.random_bool(0.7) {
            let many = rng.random_range(1..=3);
            service.local = (0..many).map(|_| rng.random_range(2..250)).collect();
            service.note = rng.random_bool(0.3).then(|| rng.random_range(0..1_000_000));
        }
        if rng.random_bool(0.5) {
            let ttl = [60, 300, 3600][rng.random_range(0..3)];
            service.public = Some((rng.random_range(2..250), ttl));
        }
        if rng.random_bool(0.5) {
            service.port = Some(rng.random_range(1024..60_000));
        }
        if service.local.is_empty() && service.public.is_none() && service.port.is_none() {
            service.local = BTreeSet::from([rng.random_range(2..250)]);
        }
        service
    }

    /// One that is on every branch and stays: without any service Landfall asks whether that is meant.
    pub(crate) fn lasting() -> Self {
        let local = BTreeSet::from([1]);
        Self { name: LASTING.to_owned(), local, note: None, public: None, port: None }
    }

    /// Where its file is.
    pub(crate) fn path(&self) -> String {
        path(&self.name)
    }

    /// Its file.
    pub(crate) fn text(&self) -> String {
        let (mut text, name) = (String::new(), &self.name);
        if !self.local.is_empty() {
            let addresses: Vec<String> = self.local.iter().map(|n| local_address(*n)).collect();
            let note = self.note.map(|note| format!(", txt: \"note={note}\"")).unwrap_or_default();
            let _ = write!(
                text,
                "unifi_dns:\n  \"{name}${{suffix}}.{LOCAL}\": {{ a: [{}]{note} }}\n",
                addresses.join(", ")
            );
        }
        if let Some((number, ttl)) = self.public {
            let address = public_address(number);
            let _ = write!(
                text,
                "cloudflare_dns:\n  \"{name}${{suffix}}.{ZONE}\": {{ a: {address}, ttl: {ttl} }}\n"
            );
        }
        if let Some(port) = self.port {
            let _ = write!(
                text,
                "cloudflare_tunnel:\n  tunnel: \"{TUNNEL}${{suffix}}\"\n  routes:\n    \
                 \"{name}-web${{suffix}}.{ZONE}\": \"{}\"\n",
                origin(port)
            );
        }
        text
    }

    /// What must live for it where names carry `suffix`. `tunnel` is the id of the environment's
    /// tunnel, which the vendor chose.
    fn wanted(&self, suffix: &str, tunnel: &str, live: &mut Live) {
        let Self { name, local, note, public, port } = self;
        let record = |name: String, rtype: &str, value: String| Record {
            name,
            rtype: rtype.to_owned(),
            value,
            ttl: 0,
            proxied: false,
        };
        let here = format!("{name}{suffix}.{LOCAL}");
        let addresses = local.iter().map(|n| record(here.clone(), "A", local_address(*n)));
        live.local.extend(addresses);
        live.local.extend(note.map(|note| record(here, "TXT", format!("note={note}"))));
        if let Some((number, ttl)) = *public {
            let there = record(format!("{name}{suffix}.{ZONE}"), "A", public_address(number));
            live.public.push(Record { ttl, ..there });
        }
        if let Some(port) = *port {
            let host = format!("{name}-web{suffix}.{ZONE}");
            let alias = record(host.clone(), "CNAME", format!("{tunnel}.cfargotunnel.com"));
            live.public.push(Record { ttl: 1, proxied: true, ..alias });
            live.routes.push((host, origin(port)));
        }
    }
}

impl Live {
    /// What must live where these services are declared.
    pub(crate) fn wanted<'s>(
        services: impl IntoIterator<Item = &'s Service>,
        suffix: &str,
        tunnel: &str,
    ) -> Self {
        let mut live = Self::default();
        services.into_iter().for_each(|service| service.wanted(suffix, tunnel, &mut live));
        live.sorted()
    }

    /// In an order of its own, so that two can be compared.
    pub(crate) fn sorted(mut self) -> Self {
        self.local.sort();
        self.public.sort();
        self.routes.sort();
        self
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, rtype, value, ttl, proxied } = self;
        write!(f, "{name} {rtype} {value} ttl={ttl}{}", if *proxied { " proxied" } else { "" })
    }
}

/// Every service file that was ever written, by its text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written(BTreeMap<String, Service>);

impl Written {
    /// Notes what a text stands for.
    pub(crate) fn note(&mut self, service: &Service) {
        self.0.insert(service.text(), service.clone());
    }

    /// What a file stands for; none for a text that nobody of the workload wrote.
    pub(crate) fn read(&self, text: &str) -> Option<&Service> {
        self.0.get(text)
    }
}

/// Where the file of a service is.
pub(crate) fn path(name: &str) -> String {
    format!("services/{name}.yaml")
}

fn local_address(number: u8) -> String {
    format!("192.168.7.{number}")
}

fn public_address(number: u8) -> String {
    format!("198.51.100.{number}")
}

fn origin(port: u16) -> String {
    format!("http://192.168.7.1:{port}")
}
