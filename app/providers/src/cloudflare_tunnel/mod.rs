//! `cloudflare_tunnel`: public hostnames through a tunnel.
//!
//! A component's resources are the ingress rules of its hostnames, at the tunnel's target, and
//! their proxied CNAMEs, at the zones' targets. The tunnel itself is a container: created with the
//! first rules, owned by no unit. Its configuration is shared by many and replaced at once by the
//! vendor's API; only the rules of an effect's own changes are ever replaced in it.
//!
//! Connector tokens, which the vendor puts into the answer to a create, are never read.

mod api;
mod config;
mod ingress;
mod origin;
mod path;
mod plan;
mod rule;
mod write;

use std::any::Any;

use landfall_core::config::kind::{Component, Connection, Kind};
use landfall_core::config::names::Names;
use landfall_core::diagnostic::Diagnostic;
use landfall_core::name::KindName;
use landfall_core::plan::{Change, Desired, Effect, Target};
use landfall_core::yaml::Node;
use schemars::{Schema, SchemaGenerator};

use crate::cloudflare::kind_name;
use crate::provider::{Found, Needs, Provider};

pub use config::{AccessPolicy, CloudflareTunnel, Route, TunnelName, Way};
pub use origin::{Origin, OriginError};

pub(crate) use api::observe;
pub(crate) use write::{apply, read_back};

/// The kind's name, and the provider of a tunnel's target.
pub(crate) const NAME: &str = "cloudflare_tunnel";

/// The kind `cloudflare_tunnel`.
#[derive(Debug, Clone, Copy, Default)]
pub struct CloudflareTunnelKind;

impl Kind for CloudflareTunnelKind {
    fn name(&self) -> KindName {
        kind_name(NAME)
    }

    fn connection(&self) -> KindName {
        kind_name(crate::cloudflare::NAME)
    }

    fn revision(&self) -> u32 {
        1
    }

    fn rank(&self) -> u8 {
        1
    }

    fn decode(&self, node: &Node) -> Result<Box<dyn Component>, Vec<Diagnostic>> {
        CloudflareTunnel::decode(node).map(|config| Box::new(config) as Box<dyn Component>)
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<CloudflareTunnel>()
    }
}

impl Component for CloudflareTunnel {
    fn names(&self) -> Names {
        Names { routes: plan::routes(self), ..Names::default() }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Provider for CloudflareTunnelKind {
    fn needs(&self, component: &dyn Component, connection: &dyn Connection) -> Needs {
        plan::needs(own(component), connection)
    }

    fn desired(
        &self,
        component: &dyn Component,
        connection: &dyn Connection,
        found: &Found,
    ) -> Result<Vec<Desired>, Vec<Diagnostic>> {
        plan::desired(own(component), connection, found)
    }

    fn effects(&self, target: &Target, changes: Vec<Change>) -> Vec<Effect> {
        plan::effects(target, changes)
    }
}

fn own(component: &dyn Component) -> &CloudflareTunnel {
    component.as_any().downcast_ref().expect("a component comes back to the kind that decoded it")
}
