//! Environments: each is at its branch's head, and what lives is what its files declare there, no more
//! and no less, and all of it is owned.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use landfall_core::name::EnvironmentName;
use landfall_sim::unifi::RecordValue;
use landfall_store::{RunState, Unresolved};

use super::{Evidence, Findings};
use crate::model::{Live, Record, Service, TUNNEL, ZONE};
use crate::town::{ENVIRONMENTS, Environment};

impl Evidence<'_> {
    pub(super) async fn environments(&self, findings: &mut Findings) -> anyhow::Result<()> {
        let mut wanted = Live::default();
        let mut live = self.live();
        for environment in ENVIRONMENTS {
            self.arrived(environment, findings).await?;
            let tunnel = format!("{TUNNEL}{}", environment.suffix);
            let found = self.town.cloudflare.find_tunnel(&tunnel);
            let id = found.as_ref().map(|tunnel| tunnel.id()).unwrap_or_default();
            let services = self.services(environment).await?;
            let here = Live::wanted(services.values(), environment.suffix, &id);
            self.owned(environment, &here, findings).await?;
            wanted.local.extend(here.local);
            wanted.public.extend(here.public);
            wanted.routes.extend(here.routes);
            let rules = found.map(|tunnel| tunnel.rules()).unwrap_or_default();
            let routes = rules.into_iter().filter_map(|rule| Some((rule.hostname?, rule.service)));
            live.routes.extend(routes);
        }
        let (wanted, live) = (wanted.sorted(), live.sorted());
        differ("the console", &wanted.local, &live.local, findings);
        differ("the zone", &wanted.public, &live.public, findings);
        differ("the tunnels", &wanted.routes, &live.routes, findings);
        Ok(())
    }

    /// The services of an environment's branch, read with what the people who wrote them know.
    async fn services(
        &self,
        environment: Environment,
    ) -> anyhow::Result<BTreeMap<String, Service>> {
        let mut services = BTreeMap::new();
        for name in crate::people::services() {
            let path = crate::model::path(&name);
            let Some(text) = self.town.repo.file(environment.branch, &path).await? else {
                continue;
            };
            let service = self.people.written.read(&text);
            let service = service.ok_or_else(|| anyhow::anyhow!("nobody wrote {path}:\n{text}"))?;
            services.insert(name, service.clone());
        }
        Ok(services)
    }

    /// What lives at the console and in the zone.
    fn live(&self) -> Live {
        let mut live = Live::default();
        for record in self.town.unifi.default_site().records() {
            let content = record.content;
            let value = match &content.value {
                RecordValue::Txt(text) => text.trim_matches('"').to_owned(),
                value => value.to_string(),
            };
            live.local.push(Record {
                name: content.name,
                rtype: content.value.record_type().to_owned(),
                value,
                ttl: content.ttl,
                proxied: false,
            });
        }
        for record in self.town.cloudflare.zone(ZONE).records() {
            let value = record.fields.to_string();
            let fields = record.fields;
            live.public.push(Record {
                name: fields.name,
                rtype: fields.record_type,
                value,
                ttl: fields.ttl,
                proxied: fields.proxied,
            });
        }
        live
    }

    /// The last run succeeded at the branch's head, and no step is left that nobody knows the end of.
    async fn arrived(
        &self,
        environment: Environment,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        let name: EnvironmentName = environment.name.parse()?;
        let repository = self.repository();
        let head = self.town.repo.head(environment.branch).await?.unwrap_or_default();
        let last = self.store.environment(repository, &name).await?.and_then(|row| row.last);
        if last.as_ref().is_none_or(|last| last.commit.as_str() != head) {
            let at = last.map(|last| last.commit.to_string());
            findings.lost.push(format!("the merge {head} on {name}: it is at {at:?}"));
        }
        for run in self.store.recent_runs(repository, &name, 1).await? {
            if run.state != RunState::Succeeded {
                findings
                    .lost
                    .push(format!("{name}: the newest run is {}: {}", run.state, run.reason));
            }
        }
        for step in self.store.unresolved_steps(&Unresolved::In(repository, name)).await? {
            findings.wrong.push(format!("a step that nobody knows the end of: {step:?}"));
        }
        Ok(())
    }

    /// What is declared is owned, and nothing else.
    async fn owned(
        &self,
        environment: Environment,
        wanted: &Live,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        let name: EnvironmentName = environment.name.parse()?;
        let owned = self.store.owned_in(self.repository(), &name).await?;
        let owned: BTreeSet<(String, String)> =
            owned.into_keys().map(|key| (key.name, key.rtype)).collect();
        let records = wanted.local.iter().chain(&wanted.public);
        let records = records.map(|record| (record.name.clone(), record.rtype.clone()));
        let rules = wanted.routes.iter().map(|(host, _)| (host.clone(), "rule".to_owned()));
        let wanted: BTreeSet<(String, String)> = records.chain(rules).collect();
        let (wanted, owned): (Vec<_>, Vec<_>) =
            (wanted.into_iter().collect(), owned.into_iter().collect());
        differ(&format!("what {name} owns"), &wanted, &owned, findings);
        Ok(())
    }
}

/// Notes what is missing, what should not be there, and what is there twice. Both are sorted.
fn differ<T: Ord + Debug>(place: &str, wanted: &[T], found: &[T], findings: &mut Findings) {
    let count = |of: &[T], what: &T| of.iter().filter(|one| *one == what).count();
    for what in wanted.iter().collect::<BTreeSet<_>>() {
        if count(found, what) < count(wanted, what) {
            findings.wrong.push(format!("{place}: {what:?} is missing"));
        }
    }
    for what in found.iter().collect::<BTreeSet<_>>() {
        match (count(wanted, what), count(found, what)) {
            (0, _) => findings.wrong.push(format!("{place}: {what:?} should not be there")),
            (wanted, found) if found > wanted => {
                findings.duplicated.push(format!("{place}: {what:?} is there {found} times"));
            }
            _ => {}
        }
    }
}
