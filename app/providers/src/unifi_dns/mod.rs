//! `unifi_dns`: names in the local network, as records of a UniFi site.
//!
//! A name's records of one type are one resource (`set`). A console changes one record with each
//! request and has no transactions, so an effect is one record set, and what became of it is always
//! asked of the console again. There is nowhere to mark a record as ours: what is ours is in the
//! state alone.

mod attempt;
mod config;
mod plan;
mod read;
mod set;
mod steps;
mod write;

use std::any::Any;

use landfall_core::config::kind::{Component, Connection, Kind};
use landfall_core::config::names::{Device, Names, Record, Space};
use landfall_core::diagnostic::Diagnostic;
use landfall_core::name::KindName;
use landfall_core::plan::{Change, Desired, Effect, Target};
use landfall_core::yaml::Node;
use schemars::{Schema, SchemaGenerator};

use crate::provider::{Found, Needs, Provider};
use crate::unifi;

pub(crate) use config::srv_parts;
pub use config::{Entry, FromDevice, Mx, MxText, Srv, UnifiDns};
pub(crate) use read::SiteReader;
pub(crate) use write::SiteWriter;

/// The kind `unifi_dns`.
#[derive(Debug, Clone, Copy, Default)]
pub struct UnifiDnsKind;

/// The kind's name, and the provider in its targets.
pub(crate) fn kind_name() -> KindName {
    KindName::new("unifi_dns").expect("a kind's name is a plain word")
}

impl Kind for UnifiDnsKind {
    fn name(&self) -> KindName {
        kind_name()
    }

    fn connection(&self) -> KindName {
        unifi::kind_name()
    }

    fn revision(&self) -> u32 {
        1
    }

    fn rank(&self) -> u8 {
        // Names resolve before anything public points at them.
        0
    }

    fn decode(&self, node: &Node) -> Result<Box<dyn Component>, Vec<Diagnostic>> {
        UnifiDns::decode(node).map(|config| Box::new(config) as Box<dyn Component>)
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<UnifiDns>()
    }
}

impl Component for UnifiDns {
    fn names(&self) -> Names {
        let mut names = Names::default();
        for (name, entry) in &self.0.0 {
            for wish in entry.wishes() {
                names.devices.extend(wish.devices.iter().map(|mac| Device {
                    mac: mac.value.clone(),
                    name: name.value.clone(),
                    span: mac.span.clone(),
                }));
                names.records.push(Record {
                    space: Space::Local,
                    name: name.value.clone(),
                    rtype: wish.rtype.as_str(),
                    values: wish.texts,
                    span: name.span.clone(),
                });
            }
        }
        names
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Provider for UnifiDnsKind {
    fn needs(&self, component: &dyn Component, _: &dyn Connection) -> Needs {
        plan::needs(own(component))
    }

    fn desired(
        &self,
        component: &dyn Component,
        _: &dyn Connection,
        found: &Found,
    ) -> Result<Vec<Desired>, Vec<Diagnostic>> {
        plan::desired(own(component), found)
    }

    fn effects(&self, target: &Target, changes: Vec<Change>) -> Vec<Effect> {
        plan::effects(target, changes)
    }
}

fn own(component: &dyn Component) -> &UnifiDns {
    component.as_any().downcast_ref().expect("a component comes back to the kind that decoded it")
}
