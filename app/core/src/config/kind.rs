//! Kinds: what `core` knows of a component or a connection it does not know.
//!
//! `providers` implements these and `bot` hands the list to `core`. From it come the keys that a
//! service file may have, the schema, and everything the checks see.

use std::any::Any;
use std::fmt;

use schemars::{Schema, SchemaGenerator};

use super::names::Names;
use super::secret::SecretRef;
use crate::diagnostic::Diagnostic;
use crate::name::{DnsName, KindName};
use crate::yaml::Node;

/// A kind of component: `unifi_dns`, `cloudflare_tunnel`, `cloudflare_dns`.
pub trait Kind: Send + Sync {
    /// Its key in a service file.
    fn name(&self) -> KindName;

    /// The kind of connection it needs: `unifi`, `cloudflare`.
    fn connection(&self) -> KindName;

    /// Grows when decoding changes, so that what was decoded before is not used again.
    fn revision(&self) -> u32;

    /// Where it stands in the order of forward changes: names (0) before what points at them.
    fn rank(&self) -> u8;

    /// Decodes the component's part of the effective config.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    fn decode(&self, node: &Node) -> Result<Box<dyn Component>, Vec<Diagnostic>>;

    /// The JSON Schema of what `decode` takes.
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema;
}

/// A decoded component. The provider that made it knows what it is.
pub trait Component: Any + fmt::Debug + Send + Sync {
    /// The names it declares and points at, for the checks.
    fn names(&self) -> Names;

    /// For the provider that made it.
    fn as_any(&self) -> &dyn Any;
}

/// A kind of connection: `unifi`, `cloudflare`.
pub trait ConnectionKind: Send + Sync {
    /// Its word in `kind:`, and the name of a connection that gives none.
    fn name(&self) -> KindName;

    /// Decodes a connection.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    fn decode(&self, node: &Node) -> Result<Box<dyn Connection>, Vec<Diagnostic>>;

    /// The JSON Schema of what `decode` takes.
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema;
}

/// A decoded connection, its secrets still references.
pub trait Connection: Any + fmt::Debug + Send + Sync {
    /// The public zones that may be written through it; none for a connection to something local.
    fn zones(&self) -> Vec<DnsName>;

    /// Where it leads, as configured (an address, an account): only for messages and for telling
    /// apart what certainly differs. Two addresses may lead to one target.
    fn address(&self) -> String;

    /// The references that have to be resolved before it can be used.
    fn secrets(&self) -> Vec<SecretRef>;

    /// For the provider that made it.
    fn as_any(&self) -> &dyn Any;
}
