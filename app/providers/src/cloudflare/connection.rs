//! Opening a connection, and sending each target to the kind whose it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use landfall_core::config::kind::{Connection, ConnectionKind};
use landfall_core::diagnostic::Diagnostic;
use landfall_core::name::{DnsName, KindName};
use landfall_core::plan::{Effect, Landed, Live, Outcome, ResourceKey, Target};
use landfall_core::yaml::Node;
use schemars::{Schema, SchemaGenerator};

use super::api::Api;
use super::clients::{Clients, Peer};
use super::config::Cloudflare;
use super::names::{About, about, kind_name, looked_up};
use super::session::Session;
use super::zones::ZoneIds;
use crate::hold::Hold;
use crate::provider::{
    Access, ConnectionProvider, Later, Lookup, ProviderError, Reader, Scope, Writer,
};
use crate::{cloudflare_dns, cloudflare_tunnel};

/// The kind of connection `cloudflare`. One serves the whole process: it remembers the ids of
/// zones and keeps connections open between jobs.
#[derive(Debug, Default)]
pub struct CloudflareKind {
    zone_ids: Arc<ZoneIds>,
    clients: Clients,
}

impl ConnectionKind for CloudflareKind {
    fn name(&self) -> KindName {
        kind_name(super::NAME)
    }

    fn decode(&self, node: &Node) -> Result<Box<dyn Connection>, Vec<Diagnostic>> {
        Cloudflare::decode(node).map(|connection| Box::new(connection) as Box<dyn Connection>)
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Cloudflare>()
    }
}

#[async_trait]
impl ConnectionProvider for CloudflareKind {
    async fn reader(
        &self,
        connection: &dyn Connection,
        access: Access,
    ) -> Result<Arc<dyn Reader>, ProviderError> {
        Ok(Arc::new(CloudflareReader { session: self.open(connection, &access)? }))
    }

    async fn writer(
        &self,
        connection: &dyn Connection,
        access: Access,
    ) -> Result<Arc<dyn Writer>, ProviderError> {
        let session = self.open(connection, &access)?;
        Ok(Arc::new(CloudflareWriter { session, marker: access.marker }))
    }

    fn forget(&self, connection: &dyn Connection) {
        let config = of(connection);
        self.zone_ids.forget_account(&config.base(), config.account.as_str());
    }
}

fn of(connection: &dyn Connection) -> &Cloudflare {
    let config = connection.as_any().downcast_ref();
    config.expect("a connection comes back to the kind that decoded it")
}

impl CloudflareKind {
    fn open(&self, connection: &dyn Connection, access: &Access) -> Result<Session, ProviderError> {
        let config = of(connection);
        let token = access.secrets.get(&config.token).ok_or_else(|| {
            ProviderError::Denied(format!("the token `{}` was not resolved", config.token))
        })?;
        let base = config.base();
        let peer =
            Peer { base: base.clone(), rules: access.rules.clone(), deadline: access.deadline };
        let client = self
            .clients
            .get(peer)
            .map_err(|error| ProviderError::Unreachable(error.to_string()))?;
        let api = Api::new(client, token.clone());
        Ok(Session::new(api, config.account.as_str(), base, Arc::clone(&self.zone_ids)))
    }
}

#[derive(Debug)]
struct CloudflareReader {
    session: Session,
}

#[derive(Debug)]
struct CloudflareWriter {
    session: Session,
    marker: String,
}

#[async_trait]
impl Reader for CloudflareReader {
    async fn identify(
        &self,
        scopes: &BTreeSet<Scope>,
    ) -> Result<BTreeMap<Scope, Target>, ProviderError> {
        let zone = |scope: &Scope| match about(scope) {
            Some(About::Zone(name)) => DnsName::new(name).ok(),
            _ => None,
        };
        let ids = self.session.zone_ids(&scopes.iter().filter_map(zone).collect()).await?;
        let target = |scope: &Scope| match about(scope) {
            Some(About::Zone(name)) => {
                let id = DnsName::new(name).ok().and_then(|name| ids.get(&name));
                let id = id.ok_or_else(|| no_zone(name, &self.session.account))?;
                let id = self.session.realm.mark(id);
                Ok((scope.clone(), Target::new(kind_name(cloudflare_dns::NAME), id)))
            }
            Some(About::Tunnel(name)) => {
                // A tunnel that does not exist is created with its first rules, so its name is enough.
                let id = self.session.qualified(name);
                Ok((scope.clone(), Target::new(kind_name(cloudflare_tunnel::NAME), id)))
            }
            None => Err(ProviderError::Missing(format!("Cloudflare has no `{scope}`"))),
        };
        scopes.iter().map(target).collect()
    }

    async fn look_up(
        &self,
        lookups: &BTreeSet<Lookup>,
    ) -> Result<BTreeMap<Lookup, String>, ProviderError> {
        let uuids: Vec<(&Lookup, &str)> =
            lookups.iter().filter_map(|l| Some((l, looked_up(l)?))).collect();
        if uuids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let tunnels = self
            .session
            .tunnels(|known| uuids.iter().all(|(_, uuid)| known.name_of(uuid).is_some()))
            .await?;
        let answer = |(lookup, uuid): (&Lookup, &str)| {
            Some((lookup.clone(), tunnels.name_of(uuid)?.to_owned()))
        };
        Ok(uuids.into_iter().filter_map(answer).collect())
    }

    async fn observe(
        &self,
        target: &Target,
        keys: &BTreeSet<ResourceKey>,
    ) -> Result<Live, ProviderError> {
        match target.provider.as_str() {
            cloudflare_dns::NAME => cloudflare_dns::observe(&self.session, target, keys).await,
            cloudflare_tunnel::NAME => cloudflare_tunnel::observe(&self.session, target).await,
            _ => Err(not_ours(target)),
        }
    }
}

#[async_trait]
impl Writer for CloudflareWriter {
    async fn apply(&self, effect: &Effect, hold: Hold<'_>) -> Result<Outcome, Later> {
        if *hold.target() != effect.target {
            return Ok(Outcome::Failed(format!(
                "the lease is for {}, not for {}",
                hold.target(),
                effect.target
            )));
        }
        self.session.forget_tunnels().await;
        match effect.target.provider.as_str() {
            cloudflare_dns::NAME => {
                cloudflare_dns::apply(&self.session, effect, hold, &self.marker).await
            }
            cloudflare_tunnel::NAME => cloudflare_tunnel::apply(&self.session, effect, hold).await,
            _ => Ok(Outcome::Failed(not_ours(&effect.target).to_string())),
        }
    }

    async fn read_back(
        &self,
        effect: &Effect,
    ) -> Result<(Vec<Landed>, BTreeMap<ResourceKey, Vec<String>>), ProviderError> {
        self.session.forget_tunnels().await;
        match effect.target.provider.as_str() {
            cloudflare_dns::NAME => cloudflare_dns::read_back(&self.session, effect).await,
            cloudflare_tunnel::NAME => cloudflare_tunnel::read_back(&self.session, effect).await,
            _ => Err(not_ours(&effect.target)),
        }
    }
}

fn no_zone(name: &str, account: &str) -> ProviderError {
    ProviderError::Missing(format!(
        "account {account} has no zone `{name}`, or the token has no Zone:Read on it"
    ))
}

fn not_ours(target: &Target) -> ProviderError {
    ProviderError::Missing(format!("{target} is not at Cloudflare"))
}
