//! One environment against a simulated account: what services want is planned and applied through
//! the provider's own traits, and what was applied is remembered as owned.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use landfall_core::config::kind::{Component, Connection, ConnectionKind};
use landfall_core::lease::LeaseProof;
use landfall_core::name::{EnvironmentName, KindName, RepositoryId, ServiceName, UnitName};
use landfall_core::plan::{
    Action, Adoption, Effect, Facts, Live, Needs, Origin, Outcome, Owned, Owner, Plan, Ranks,
    ResourceKey, Target, Wanted, make, order,
};
use landfall_core::yaml::parse;
use landfall_os::clock::Moment;
use landfall_os::http::{AddressRules, Client, Method, Settings};
use landfall_providers::cloudflare::CloudflareKind;
use landfall_providers::cloudflare_dns::CloudflareDnsKind;
use landfall_providers::cloudflare_tunnel::CloudflareTunnelKind;
use landfall_providers::{
    Access, ConnectionProvider, Found, Hold, Later, Provider, ProviderError, Reader, Writer,
};
use landfall_sim::cloudflare::{
    CloudflareSettings, CloudflareSim, CloudflareTunnel, CloudflareZone,
};

pub(crate) const MARKER: &str = "landfall repository 1 production";
const REPOSITORY: RepositoryId = RepositoryId(1);

/// The account, and what this environment owns in it.
pub(crate) struct World {
    pub(crate) sim: CloudflareSim,
    kind: CloudflareKind,
    token: String,
    units: BTreeMap<UnitName, Box<dyn Component>>,
    gone: BTreeSet<UnitName>,
    pub(crate) owned: BTreeMap<ResourceKey, Owned>,
    pub(crate) adoption: Adoption,
}

fn provider(kind: &str) -> Box<dyn Provider> {
    match kind {
        "cloudflare_dns" => Box::new(CloudflareDnsKind),
        "cloudflare_tunnel" => Box::new(CloudflareTunnelKind),
        other => panic!("{other} is not a kind of Cloudflare"),
    }
}

fn unit(service: &str, kind: &str) -> UnitName {
    UnitName {
        environment: EnvironmentName::new("production").unwrap(),
        service: ServiceName::new(service).unwrap(),
        kind: KindName::new(kind).unwrap(),
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(CloudflareSettings::default()).await
    }

    pub(crate) async fn with(settings: CloudflareSettings) -> Self {
        let token = settings.tokens[0].value.clone();
        Self {
            sim: CloudflareSim::start(settings).await.unwrap(),
            kind: CloudflareKind::default(),
            token,
            units: BTreeMap::new(),
            gone: BTreeSet::new(),
            owned: BTreeMap::new(),
            adoption: Adoption::Listed,
        }
    }

    /// A service's component is as in this text from now on.
    pub(crate) fn set(&mut self, service: &str, kind: &str, yaml: &str) {
        let node = parse(&format!("services/{service}.yaml"), yaml.as_bytes()).unwrap();
        let component = provider(kind).decode(&node).unwrap();
        self.units.insert(unit(service, kind), component);
    }

    pub(crate) fn dns(&mut self, yaml: &str) {
        self.set("web", "cloudflare_dns", yaml);
    }

    pub(crate) fn tunnel(&mut self, service: &str, routes: &str) {
        self.set(service, "cloudflare_tunnel", &format!("tunnel: media\nroutes:\n{routes}\n"));
    }

    /// A service has no such component any more.
    pub(crate) fn remove(&mut self, service: &str, kind: &str) {
        self.units.remove(&unit(service, kind)).unwrap();
        self.gone.insert(unit(service, kind));
    }

    pub(crate) fn zone(&self) -> CloudflareZone {
        self.sim.zone("example.com")
    }

    pub(crate) fn media(&self) -> CloudflareTunnel {
        self.sim.tunnel("media")
    }

    fn connection(&self) -> Box<dyn Connection> {
        self.connection_to(&self.sim.url())
    }

    pub(crate) fn connection_to(&self, url: &str) -> Box<dyn Connection> {
        let text = format!(
            "{{ account: {}, zones: [example.com], token: 'ref+env://TOKEN', url: '{url}' }}",
            self.sim.account(),
        );
        self.kind.decode(&parse("landfall.yaml", text.as_bytes()).unwrap()).unwrap()
    }

    fn access(&self) -> Access {
        let reference = self.connection().secrets().remove(0);
        Access {
            secrets: HashMap::from([(reference, self.token.clone().into())]),
            marker: MARKER.to_owned(),
            rules: AddressRules::parse("127.0.0.1").unwrap(),
            deadline: Duration::from_secs(10),
        }
    }

    pub(crate) async fn reader(&self) -> Arc<dyn Reader> {
        self.reader_of(&*self.connection()).await
    }

    pub(crate) async fn reader_of(&self, connection: &dyn Connection) -> Arc<dyn Reader> {
        self.kind.reader(connection, self.access()).await.unwrap()
    }

    pub(crate) async fn writer(&self) -> Arc<dyn Writer> {
        self.writer_of(&*self.connection()).await
    }

    pub(crate) async fn writer_of(&self, connection: &dyn Connection) -> Arc<dyn Writer> {
        self.kind.writer(connection, self.access()).await.unwrap()
    }

    pub(crate) async fn plan(&self) -> Plan {
        self.try_plan().await.unwrap()
    }

    /// Gathers and plans everything.
    pub(crate) async fn try_plan(&self) -> Result<Plan, ProviderError> {
        let (reader, connection) = (self.reader().await, self.connection());
        let mut units = BTreeMap::new();
        let mut keys: BTreeSet<ResourceKey> = self.owned.keys().cloned().collect();
        for (name, component) in &self.units {
            let provider = provider(name.kind.as_str());
            let needs = provider.needs(&**component, &*connection);
            let targets = reader.identify(&needs.scopes).await?;
            let answers = reader.look_up(&needs.lookups).await?;
            let desired =
                provider.desired(&**component, &*connection, &Found { targets, answers }).unwrap();
            keys.extend(desired.iter().map(|desired| desired.key.clone()));
            units.insert(
                name.clone(),
                Wanted { origin: Origin::Changed, hash: None, desired: Ok(desired) },
            );
        }
        for name in &self.gone {
            let nothing = Wanted { origin: Origin::Changed, hash: None, desired: Ok(Vec::new()) };
            units.entry(name.clone()).or_insert(nothing);
        }
        let live = observe(&*reader, &keys).await?;
        let environment = EnvironmentName::new("production").unwrap();
        let (owned, adoption) = (&self.owned, self.adoption);
        Ok(make(&Facts {
            repository: REPOSITORY,
            environment,
            units,
            live: &live,
            owned,
            adoption,
        }))
    }

    /// The effects of a plan, in order.
    pub(crate) fn effects(&self, plan: &Plan) -> Vec<Effect> {
        let kinds = ["cloudflare_dns", "cloudflare_tunnel"].map(provider);
        let ranks: Ranks = kinds.iter().map(|kind| (kind.name(), kind.rank())).collect();
        let batches = order(plan, &ranks, &Needs::new()).unwrap();
        let effects = batches.into_iter().flat_map(|batch| {
            provider(batch.target.provider.as_str()).effects(&batch.target, batch.changes)
        });
        effects.collect()
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

    /// Plans and applies everything; nothing may fail, and a second plan must be empty.
    pub(crate) async fn run(&mut self) {
        let plan = self.plan().await;
        assert_eq!(plan.conflicts().collect::<Vec<_>>(), []);
        for effect in self.effects(&plan) {
            let outcome = self.apply(&effect).await;
            let Outcome::Done(ids) = outcome else { panic!("{effect:#?}\ncame to {outcome:?}") };
            self.remember(&effect, &ids);
        }
        self.settle(&plan);
        let second = self.plan().await;
        assert_eq!(
            second.changes().collect::<Vec<_>>(),
            Vec::<&landfall_core::plan::Change>::new(),
            "a second plan"
        );
    }

    /// Plans, and expects one effect on a target of this kind.
    pub(crate) async fn effect(&self, provider: &str) -> Effect {
        let plan = self.plan().await;
        assert_eq!(plan.conflicts().collect::<Vec<_>>(), []);
        let effects = self.effects(&plan).into_iter();
        let mut of_kind = effects.filter(|effect| effect.target.provider.as_str() == provider);
        of_kind.next().unwrap_or_else(|| panic!("nothing to do at {provider}"))
    }

    pub(crate) fn remember(&mut self, effect: &Effect, ids: &BTreeMap<ResourceKey, Vec<String>>) {
        for change in &effect.changes {
            match (&change.after, ids.get(&change.key)) {
                (Some(value), Some(ids)) => {
                    self.own(change.unit.clone(), &change.key, value.clone(), ids.clone());
                }
                (None, None) => {
                    self.owned.remove(&change.key);
                }
                (after, ids) => panic!("{}: wanted {after:?}, has the ids {ids:?}", change.key),
            }
        }
    }

    /// Deletes a tunnel as a person does: it stays listed as deleted, and its name is free again.
    pub(crate) async fn delete_tunnel(&self, id: &str) {
        let base = self.sim.url().parse().unwrap();
        let client =
            Client::new(&Settings { rules: self.access().rules, ..Settings::new(base) }).unwrap();
        let account = self.sim.account();
        let request = client.request(Method::DELETE, ["accounts", &account, "cfd_tunnel", id]);
        let answer = request.bearer(&self.token.clone().into()).send().await.unwrap();
        assert!(answer.is_success(), "{answer:?}");
    }

    /// What changes owners alone, without a word to the provider.
    fn settle(&mut self, plan: &Plan) {
        for change in plan.changes().filter(|change| !change.touches_provider()) {
            match (change.action, &change.after) {
                (Action::Release | Action::Forget, _) => drop(self.owned.remove(&change.key)),
                (_, Some(after)) => {
                    self.own(change.unit.clone(), &change.key, after.clone(), change.ids.clone());
                }
                (action, None) => panic!("{action} without a value"),
            }
        }
    }

    fn own(
        &mut self,
        unit: UnitName,
        key: &ResourceKey,
        value: landfall_core::plan::Value,
        ids: Vec<String>,
    ) {
        let owner = Owner { repository: REPOSITORY, unit };
        self.owned.insert(key.clone(), Owned { owner, value, ids });
    }

    /// The actions of a plan, in the order of keys: `create CNAME a.example.com`.
    pub(crate) async fn planned(&self) -> Vec<String> {
        let plan = self.plan().await;
        plan.changes().map(|change| format!("{} {}", change.action, change.key)).collect()
    }
}

pub(crate) async fn observe(
    reader: &dyn Reader,
    keys: &BTreeSet<ResourceKey>,
) -> Result<BTreeMap<Target, Live>, ProviderError> {
    let mut by_target: BTreeMap<Target, BTreeSet<ResourceKey>> = BTreeMap::new();
    for key in keys {
        by_target.entry(key.target.clone()).or_default().insert(key.clone());
    }
    let mut live = BTreeMap::new();
    for (target, keys) in by_target {
        let found = reader.observe(&target, &keys).await?;
        live.insert(target, found);
    }
    Ok(live)
}
