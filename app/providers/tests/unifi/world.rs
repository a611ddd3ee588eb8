//! One service's component against a simulated console: planned and applied through the provider's own
//! traits, and what was applied is remembered as owned.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use landfall_core::config::kind::{Component, Connection, ConnectionKind, Kind};
use landfall_core::diagnostic::Diagnostic;
use landfall_core::lease::LeaseProof;
use landfall_core::name::{EnvironmentName, RepositoryId, UnitName};
use landfall_core::plan::{
    Action, Adoption, Change, Desired, Effect, Facts, Landed, Live, Needs, Origin, Outcome, Owned,
    Owner, Plan, Ranks, ResourceKey, Target, Wanted, make, order,
};
use landfall_core::yaml::parse;
use landfall_os::clock::Moment;
use landfall_os::http::AddressRules;
use landfall_providers::unifi::UnifiKind;
use landfall_providers::unifi_dns::UnifiDnsKind;
use landfall_providers::{
    Access, ConnectionProvider, Found, Hold, Later, Provider, ProviderError, Reader, Writer,
};
use landfall_sim::unifi::{Software, UnifiSettings, UnifiSim, UnifiSite};

const KEY: &str = "api_key: 'ref+env://KEY'";
const USER: &str = "username: landfall, password: 'ref+env://PASSWORD'";

/// Consoles that differ in how they are talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setup {
    /// UniFi OS with the Integration API, and a key.
    Integration,
    /// UniFi OS before the Integration API had DNS, and a key.
    StaticDns,
    /// The application alone, before the Integration API had DNS, and a login.
    SelfHosted,
}

pub(crate) const SETUPS: [Setup; 3] = [Setup::Integration, Setup::StaticDns, Setup::SelfHosted];

/// The console, and what this environment owns there.
pub(crate) struct World {
    pub(crate) sim: UnifiSim,
    pub(crate) kind: UnifiKind,
    /// The connection's fields behind `url`.
    pub(crate) fields: String,
    pub(crate) owned: BTreeMap<ResourceKey, Owned>,
    pub(crate) adoption: Adoption,
    component: Box<dyn Component>,
    /// What keeps one login for the whole test, as a job's reader does for the job.
    job: Option<Arc<dyn Reader>>,
}

pub(crate) fn unit() -> UnitName {
    "production/nas/unifi_dns".parse().unwrap()
}

pub(crate) fn settings(setup: Setup) -> UnifiSettings {
    let standard = UnifiSettings::default();
    match setup {
        Setup::Integration => standard,
        Setup::StaticDns => UnifiSettings { version: "10.0.162".to_owned(), ..standard },
        Setup::SelfHosted => UnifiSettings {
            version: "9.5.21".to_owned(),
            software: Software::SelfHosted,
            api_key: None,
            ..standard
        },
    }
}

impl World {
    pub(crate) async fn new(setup: Setup) -> Self {
        let fields = if setup == Setup::SelfHosted { USER } else { KEY };
        let mut world = Self::with(settings(setup), fields).await;
        if setup == Setup::SelfHosted {
            world.begin_job().await;
        }
        world
    }

    pub(crate) async fn with_user(settings: UnifiSettings) -> Self {
        Self::with(settings, USER).await
    }

    pub(crate) async fn with_key(settings: UnifiSettings) -> Self {
        Self::with(settings, KEY).await
    }

    async fn with(settings: UnifiSettings, fields: &str) -> Self {
        Self {
            sim: UnifiSim::start(settings).await.unwrap(),
            kind: UnifiKind::default(),
            fields: fields.to_owned(),
            owned: BTreeMap::new(),
            adoption: Adoption::Listed,
            component: decode("{}").unwrap(),
            job: None,
        }
    }

    /// Holds a reader from now on: everything that follows shares its login.
    pub(crate) async fn begin_job(&mut self) {
        self.job = Some(self.reader().await);
    }

    /// The service's component is as in this text from now on.
    pub(crate) fn set(&mut self, yaml: &str) {
        self.component = decode(yaml).unwrap();
    }

    pub(crate) fn site(&self) -> UnifiSite {
        self.sim.default_site()
    }

    pub(crate) fn connection(&self) -> Box<dyn Connection> {
        self.connection_to(&self.sim.url())
    }

    pub(crate) fn connection_to(&self, url: &str) -> Box<dyn Connection> {
        let text = format!("{{ url: '{url}', {} }}", self.fields);
        self.kind.decode(&parse("landfall.yaml", text.as_bytes()).unwrap()).unwrap()
    }

    pub(crate) async fn try_reader(&self) -> Result<Arc<dyn Reader>, ProviderError> {
        self.kind.reader(&*self.connection(), access(&*self.connection())).await
    }

    pub(crate) async fn reader(&self) -> Arc<dyn Reader> {
        self.try_reader().await.unwrap()
    }

    pub(crate) async fn writer(&self) -> Arc<dyn Writer> {
        self.kind.writer(&*self.connection(), access(&*self.connection())).await.unwrap()
    }

    pub(crate) async fn target(&self) -> Target {
        identify(&*self.reader().await).await
    }

    /// What the service wants, with everything looked up.
    pub(crate) async fn desired(&self) -> Result<Vec<Desired>, Vec<Diagnostic>> {
        let (reader, connection) = (self.reader().await, self.connection());
        let needs = UnifiDnsKind.needs(&*self.component, &*connection);
        let targets = reader.identify(&needs.scopes).await.unwrap();
        let answers = reader.look_up(&needs.lookups).await.unwrap();
        UnifiDnsKind.desired(&*self.component, &*connection, &Found { targets, answers })
    }

    pub(crate) async fn observe(&self) -> Result<Live, ProviderError> {
        self.reader().await.observe(&self.target().await, &BTreeSet::new()).await
    }

    pub(crate) async fn plan(&self) -> Plan {
        let desired = self.desired().await.unwrap();
        let wanted = Wanted { origin: Origin::Changed, hash: None, desired: Ok(desired) };
        let live = BTreeMap::from([(self.target().await, self.observe().await.unwrap())]);
        let environment = EnvironmentName::new("production").unwrap();
        make(&Facts {
            repository: RepositoryId(1),
            environment,
            units: [(unit(), wanted)].into(),
            live: &live,
            owned: &self.owned,
            adoption: self.adoption,
        })
    }

    /// What a plan would do, in the order of keys: `create A nas.lan`.
    pub(crate) async fn planned(&self) -> Vec<String> {
        let plan = self.plan().await;
        plan.changes().map(|change| format!("{} {}", change.action, change.key)).collect()
    }

    pub(crate) async fn effects(&self) -> Vec<Effect> {
        let plan = self.plan().await;
        assert_eq!(plan.conflicts().collect::<Vec<_>>(), []);
        let ranks: Ranks = [(UnifiDnsKind.name(), UnifiDnsKind.rank())].into();
        let batches = order(&plan, &ranks, &Needs::new()).unwrap();
        batches
            .into_iter()
            .flat_map(|batch| UnifiDnsKind.effects(&batch.target, batch.changes))
            .collect()
    }

    /// Plans, and expects one effect.
    pub(crate) async fn effect(&self) -> Effect {
        let mut effects = self.effects().await;
        assert_eq!(effects.len(), 1, "{effects:#?}");
        effects.remove(0)
    }

    pub(crate) async fn apply(&self, effect: &Effect) -> Outcome {
        let until = Moment::now() + Duration::from_hours(1);
        self.apply_until(effect, until).await.expect("it is the time")
    }

    /// As [`Self::apply`], when no request may begin after `until`.
    pub(crate) async fn apply_until(
        &self,
        effect: &Effect,
        until: Moment,
    ) -> Result<Outcome, Later> {
        let lease = LeaseProof::new(effect.target.clone(), 1);
        self.writer().await.apply(effect, Hold::new(&lease, until)).await
    }

    /// Applies an effect that cannot fail, and owns what it made.
    pub(crate) async fn done(&mut self, effect: &Effect) {
        let outcome = self.apply(effect).await;
        let Outcome::Done(ids) = outcome else { panic!("{effect:#?}\ncame to {outcome:?}") };
        for change in &effect.changes {
            self.remember(change, ids.get(&change.key));
        }
    }

    /// Plans and applies everything; nothing may fail, and a second plan must be empty.
    pub(crate) async fn run(&mut self) {
        for effect in self.effects().await {
            self.done(&effect).await;
            assert!(self.sim.gateway_resolves());
        }
        let silent = self.plan().await;
        for change in silent.changes().filter(|change| !change.touches_provider()) {
            self.remember(change, (change.action == Action::Adopt).then_some(&change.ids));
        }
        assert_eq!(self.planned().await, Vec::<String>::new(), "a second plan");
    }

    /// Reads back an effect of one change whose outcome is not known; what is there of it is owned,
    /// as the store keeps it.
    pub(crate) async fn resolve(&mut self, effect: &Effect) -> Landed {
        let (landed, ids) = self.writer().await.read_back(effect).await.unwrap();
        let change = &effect.changes[0];
        match landed[0] {
            Landed::After => self.remember(change, ids.get(&change.key)),
            Landed::Partly if change.after.is_some() => {
                self.remember(change, ids.get(&change.key));
            }
            Landed::Partly | Landed::Before | Landed::Foreign => {}
        }
        landed[0]
    }

    fn remember(&mut self, change: &Change, ids: Option<&Vec<String>>) {
        match (&change.after, ids) {
            (Some(value), Some(ids)) => {
                let owner = Owner { repository: RepositoryId(1), unit: unit() };
                let owned = Owned { owner, value: value.clone(), ids: ids.clone() };
                self.owned.insert(change.key.clone(), owned);
            }
            (None, None) => drop(self.owned.remove(&change.key)),
            (after, ids) => panic!("{}: wanted {after:?}, has the ids {ids:?}", change.key),
        }
    }
}

pub(crate) fn decode(yaml: &str) -> Result<Box<dyn Component>, Vec<Diagnostic>> {
    UnifiDnsKind.decode(&parse("services/nas.yaml", yaml.as_bytes()).unwrap())
}

pub(crate) fn access(connection: &dyn Connection) -> Access {
    let secret = |backend: &str| match backend {
        "KEY" => "simulated-unifi-key",
        "PASSWORD" => "simulated-unifi-password",
        _ => "wrong-secret",
    };
    let secrets = connection.secrets().into_iter();
    Access {
        secrets: secrets
            .map(|reference| (reference.clone(), secret(reference.path()).into()))
            .collect(),
        marker: "landfall repository 1 production".to_owned(),
        rules: AddressRules::parse("127.0.0.1,localhost").unwrap(),
        deadline: Duration::from_secs(10),
    }
}

pub(crate) async fn identify(reader: &dyn Reader) -> Target {
    let found = reader.identify(&["site".to_owned()].into()).await.unwrap();
    found["site"].clone()
}
