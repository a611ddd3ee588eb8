//! What has to be so at the end: every record and route that the repository asks for exists, what
//! is foreign is untouched, and a second plan of everything is empty.
//!
//! What is expected is written down here by hand, not taken from a plan: a plan that forgets
//! something would not miss it.

use std::collections::BTreeMap;

use anyhow::Context as _;
use landfall_core::config::{Environment, Unit};
use landfall_core::coverage::Past;
use landfall_core::name::RepositoryId;
use landfall_core::view::one_line;
use landfall_repo::Wanted;
use landfall_sim::unifi::UnifiSim;
use serde::Serialize;

use super::before::{Foreign, TUNNEL, ZONE};
use super::stage::Stage;
use crate::cli::sim::simulators::Simulators;
use crate::flow::ground::{Ground, Rules};
use crate::gather::facts::{Pending, Place};
use crate::gather::{Declared, Sight};
use crate::house::House;

/// A record at a console of the example: name, type, value at the lab, value at home.
const LOCAL: [(&str, &str, &str, &str); 5] = [
    ("nas.internal.lan", "A", "192.168.1.50", "192.168.1.50"),
    ("backup.internal.lan", "CNAME", "nas.internal.lan", "nas.internal.lan"),
    ("jellyfin.internal.lan", "A", "192.168.1.52", "192.168.1.52"),
    ("home.internal.lan", "A", "192.168.8.60", "192.168.1.60"),
    ("photos.internal.lan", "A", "192.168.1.53", "192.168.1.53"),
];

/// A public name, without what staging puts behind its first label, and where it leads.
const ROUTES: [(&str, &str); 3] = [
    ("jellyfin", "http://jellyfin.internal.lan:8096"),
    ("home", "https://home.internal.lan:8123"),
    ("photos", "http://photos.internal.lan:2283"),
];

/// What was found at the end.
#[derive(Debug, Serialize)]
pub(super) struct Findings {
    /// How many records and routes were expected.
    pub(super) expected: usize,
    /// Those that are not there, or are otherwise.
    pub(super) missing: Vec<String>,
    /// How many things are somebody else's.
    pub(super) foreign: usize,
    /// Those that are not as they were.
    pub(super) touched: Vec<String>,
    /// By environment, what a second plan would change.
    pub(super) second_plan: BTreeMap<String, Vec<String>>,
}

impl Findings {
    /// Looks at everything.
    pub(super) async fn look(stage: &Stage, foreign: &Foreign) -> anyhow::Result<Self> {
        let expectations = expectations(&stage.simulators);
        Ok(Self {
            expected: expectations.len(),
            missing: expectations.into_iter().filter_map(Expectation::missing).collect(),
            foreign: foreign.count(),
            touched: foreign.touched(&stage.simulators),
            second_plan: second_plan(stage).await?,
        })
    }

    /// Whether all is as it should be.
    pub(super) fn is_good(&self) -> bool {
        self.missing.is_empty()
            && self.touched.is_empty()
            && self.second_plan.values().all(Vec::is_empty)
    }
}

/// Something that has to be somewhere.
struct Expectation {
    what: String,
    wanted: Vec<String>,
    found: Vec<String>,
}

impl Expectation {
    fn missing(self) -> Option<String> {
        let Self { what, wanted, found } = self;
        let told = format!("{what}: `{}`, not `{}`", found.join(", "), wanted.join(", "));
        (found != wanted).then_some(told)
    }
}

fn expectations(simulators: &Simulators) -> Vec<Expectation> {
    let Simulators { home, lab, cloudflare, .. } = simulators;
    let local = |console: &UnifiSim, place: &str, (name, kind): (&str, &str), value: &str| {
        let what = format!("UniFi ({place}) {kind} {name}");
        let found = console.record(name, kind);
        Expectation { what, wanted: vec![value.to_owned()], found }
    };
    let mut all = Vec::new();
    for (name, kind, at_lab, at_home) in LOCAL {
        all.push(local(lab, "staging", (name, kind), at_lab));
        all.push(local(home, "production", (name, kind), at_home));
    }
    let (zone, tunnel) = (cloudflare.zone(ZONE), cloudflare.tunnel(TUNNEL));
    let record = |kind: &str, name: &str, value: String| {
        let what = format!("zone {ZONE} {kind} {name}");
        Expectation { what, wanted: vec![value], found: zone.record(name, kind) }
    };
    for (label, origin) in ROUTES {
        for name in [format!("{label}-staging.{ZONE}"), format!("{label}.{ZONE}")] {
            all.push(record("CNAME", &name, format!("{}.cfargotunnel.com", tunnel.id())));
            all.push(Expectation {
                what: format!("tunnel {TUNNEL} {name}"),
                wanted: vec![origin.to_owned()],
                found: tunnel.services(&name),
            });
        }
    }
    let spf = "\"v=spf1 include:_spf.mail.example.net -all\"";
    all.push(record("TXT", ZONE, spf.to_owned()));
    let autodiscover = "autodiscover.mail.example.net".to_owned();
    all.push(record("CNAME", "autodiscover.example.com", autodiscover));
    all
}

/// Plans every unit of every environment anew, as if none had ever been applied, and says what
/// would change.
async fn second_plan(stage: &Stage) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let house = &*stage.house;
    let ground = Ground::open(house, RepositoryId(stage.repo.id())).await?;
    let ground = ground.context("the server does not know the repository")?;
    let ground = ground.fetch(&[Wanted::AllBranches]).await?;
    let rules = ground.rules(house).await.context("the rules cannot be read")?;
    let mut changes = BTreeMap::new();
    for environment in rules.config.environments.values() {
        let told = plan_anew(house, &ground, &rules, environment).await?;
        changes.insert(environment.name.to_string(), told);
    }
    Ok(changes)
}

async fn plan_anew(
    house: &House,
    ground: &Ground,
    rules: &Rules,
    environment: &Environment,
) -> anyhow::Result<Vec<String>> {
    let branch = environment.branches.first().context("the environment follows no branch")?;
    let tip = ground.tip(branch)?;
    let tree = ground.mirror.tree(tip).await?;
    let declared: Declared = ground.declared(house, rules, &tree).await?;
    let units: Vec<&Unit> = declared.tree.units_of(&environment.name).collect();
    let sessions = ground.sessions(house, environment, None);
    let sight = Sight::new(&house.reach.registry, environment, &sessions, None);
    let located = sight.locate(units.iter().copied()).await?;
    let repository = ground.repository.id;
    let everything = Pending::find(&units, &located, &BTreeMap::new());
    let place =
        Place { tools: house.tools(), repository, environment, earlier: None, past: Past::Known };
    let survey = place.survey(&sight, &located, &units, &everything).await?;
    let plan = survey.map_err(anyhow::Error::msg)?.plan;
    let conflicts = plan.conflicts().map(|(unit, conflict)| format!("{unit}: {conflict:?}"));
    let mut told: Vec<String> = plan.changes().map(one_line).chain(conflicts).collect();
    let applied = house.store.unit_hashes(repository, &environment.name).await?;
    let pending = Pending::find(&units, &located, &applied);
    told.extend(pending.origins.keys().map(|unit| format!("{unit} counts as not applied")));
    Ok(told)
}
