//! `cloudflare_dns`: records in public zones.
//!
//! A name's records of one type are one resource. All changes of a zone go out as one
//! transactional batch. What is ours is also marked in the comment of a record; tags and settings
//! of a record are never touched.

mod api;
mod batch;
mod config;
mod content;
mod plan;
mod set;
mod txt;
mod write;

use std::any::Any;

use landfall_core::config::kind::{Component, Connection, Kind};
use landfall_core::config::names::{Names, Record, Space};
use landfall_core::diagnostic::Diagnostic;
use landfall_core::name::{DnsName, KindName};
use landfall_core::plan::{Change, Desired, Effect, Target};
use landfall_core::yaml::{Node, Spanned};
use schemars::{Schema, SchemaGenerator};

use crate::cloudflare::kind_name;
use crate::provider::{Found, Needs, Provider};

pub use config::{Caa, CloudflareDns, Entry, Host, Mx, MxText, Srv, Tag, Text};

pub(crate) use api::observe;
pub(crate) use set::{AUTOMATIC, Content, Record as ZoneRecord, RecordSet};
pub(crate) use write::{apply, read_back};

/// The kind's name, and the provider of a zone's target.
pub(crate) const NAME: &str = "cloudflare_dns";

/// The kind `cloudflare_dns`.
#[derive(Debug, Clone, Copy, Default)]
pub struct CloudflareDnsKind;

impl Kind for CloudflareDnsKind {
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
        // Behind tunnels: a public name comes when there is something behind it, and goes first.
        2
    }

    fn decode(&self, node: &Node) -> Result<Box<dyn Component>, Vec<Diagnostic>> {
        CloudflareDns::decode(node).map(|config| Box::new(config) as Box<dyn Component>)
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<CloudflareDns>()
    }
}

impl Component for CloudflareDns {
    fn names(&self) -> Names {
        let record = |name: &Spanned<DnsName>, (rtype, values)| Record {
            space: Space::Public,
            name: name.value.clone(),
            rtype,
            values,
            span: name.span.clone(),
        };
        let entries = self.0.0.iter();
        let records = entries
            .flat_map(|(name, entry)| entry.sets().into_iter().map(move |set| record(name, set)));
        Names { records: records.collect(), ..Names::default() }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Provider for CloudflareDnsKind {
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

fn own(component: &dyn Component) -> &CloudflareDns {
    component.as_any().downcast_ref().expect("a component comes back to the kind that decoded it")
}
