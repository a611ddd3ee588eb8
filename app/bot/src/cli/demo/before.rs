//! What exists before the first pull request: some of it just as the repository will want it, some
//! of it somebody else's, which has to be there at the end as it was.

use landfall_sim::cloudflare::{CloudflareRecord, ConfigSource, IngressRule, RecordFields};
use landfall_sim::unifi::{RecordValue, UnifiContent, UnifiRecord, UnifiSim};
use serde_json::json;

use crate::cli::sim::simulators::Simulators;

/// The zone.
pub(super) const ZONE: &str = "example.com";
/// The tunnel that both environments share with somebody else.
pub(super) const TUNNEL: &str = "media-server";

/// What is somebody else's.
#[derive(Debug)]
pub(super) struct Foreign {
    home: Vec<UnifiRecord>,
    lab: Vec<UnifiRecord>,
    zone: Vec<CloudflareRecord>,
    rules: Vec<IngressRule>,
}

/// Puts it all there, and says what of it is foreign.
pub(super) fn seed(simulators: &Simulators) -> Foreign {
    let Simulators { home, lab, cloudflare, .. } = simulators;
    let a = |console: &UnifiSim, name: &str, address: [u8; 4]| {
        let value = RecordValue::A(address.into());
        console.default_site().seed(UnifiContent::new(name, value))
    };
    // As the repository will want them: production adopts what is equal.
    a(home, "nas.internal.lan", [192, 168, 1, 50]);
    let autodiscover =
        RecordFields::new("CNAME", "autodiscover.example.com", "autodiscover.mail.example.net");
    cloudflare.zone(ZONE).seed(autodiscover);

    let tunnel = cloudflare.seed_tunnel(TUNNEL, ConfigSource::Cloudflare);
    tunnel.seed_rules(&json!([
        { "hostname": "grafana.example.com", "service": "http://grafana.internal.lan:3000" },
        { "service": "http_status:404" },
    ]));
    let zone = cloudflare.zone(ZONE);
    let own = format!("{}.cfargotunnel.com", tunnel.id());
    Foreign {
        home: vec![
            a(home, "printer.internal.lan", [192, 168, 1, 9]),
            a(home, "grafana.internal.lan", [192, 168, 1, 70]),
        ],
        lab: vec![a(lab, "bench.internal.lan", [192, 168, 8, 20])],
        zone: vec![
            zone.seed(RecordFields::mx(ZONE, "mx1.mail.example.net", 10)),
            zone.seed(RecordFields::new("A", "www.example.com", "203.0.113.10").proxied()),
            zone.seed(RecordFields::new("CNAME", "grafana.example.com", &own).proxied()),
        ],
        rules: tunnel.rules(),
    }
}

impl Foreign {
    /// How many things there are.
    pub(super) fn count(&self) -> usize {
        self.home.len() + self.lab.len() + self.zone.len() + self.rules.len()
    }

    /// What of it is not as it was.
    pub(super) fn touched(&self, simulators: &Simulators) -> Vec<String> {
        let mut touched = Vec::new();
        for (console, records, place) in
            [(&simulators.home, &self.home, "production"), (&simulators.lab, &self.lab, "staging")]
        {
            let now = console.default_site().records();
            let gone = records.iter().filter(|record| !now.contains(record));
            let told = |record: &UnifiRecord| format!("UniFi ({place}) {}", record.content.name);
            touched.extend(gone.map(told));
        }
        let now = simulators.cloudflare.zone(ZONE).records();
        let gone = self.zone.iter().filter(|record| !now.contains(record));
        let told = |record: &CloudflareRecord| {
            format!("zone {ZONE} {} {}", record.fields.record_type, record.fields.name)
        };
        touched.extend(gone.map(told));
        let now = simulators.cloudflare.tunnel(TUNNEL).rules();
        let gone = self.rules.iter().filter(|rule| !now.contains(rule));
        let told = |rule: &IngressRule| {
            format!("tunnel {TUNNEL} {}", rule.hostname.as_deref().unwrap_or("catch-all"))
        };
        touched.extend(gone.map(told));
        // Rules are read from the top: a catch-all anywhere else takes what stands behind it.
        if now.last() != self.rules.last() {
            touched.push(format!("tunnel {TUNNEL}: the catch-all is not the last rule"));
        }
        touched
    }
}
