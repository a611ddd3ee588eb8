//! How much a configuration may come to: what its files multiply to, each of them within its own bounds.
//!
//! A file is bounded by itself ([`yaml::parse`](crate::yaml::parse)), but every service is made again
//! for every environment, and both may come from anybody's pull request.

use super::{Environment, RepositoryConfig, ServiceFile};
use crate::diagnostic::{Diagnostic, Span};
use crate::yaml::{Node, NodeValue};

/// What all service files may come to, in bytes as [`Budget`] counts them: 10,000 services of a
/// kilobyte in three environments, say.
pub const MAX_TOGETHER: usize = 256 * 1024 * 1024;
/// How many environments there may be.
pub(super) const MAX_ENVIRONMENTS: usize = 50;
/// How many entries another list of the repository config may have: the checks go through them for
/// every name of every service.
pub(super) const MAX_LISTED: usize = 500;

/// What a value takes beside its text, and what a service takes beside its values, in bytes.
const VALUE: usize = 100;
const SERVICE: usize = 1000;

/// What may still be read of the service files of one tree.
///
/// A file is counted once as it is written and once more for each environment that it lives in,
/// there with all that its variables can insert.
#[derive(Debug)]
pub struct Budget {
    left: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: MAX_TOGETHER }
    }
}

impl Budget {
    /// Counts `file`, before anything is made of it.
    ///
    /// # Errors
    /// With this file it is too much.
    pub fn take(
        &mut self,
        repository: &RepositoryConfig,
        file: &ServiceFile,
    ) -> Result<(), Diagnostic> {
        let homes = repository.environments.values().filter(|home| file.lives_in(&home.name));
        let cost = homes.map(|home| file.weight.in_environment(home)).sum::<usize>();
        let cost = cost.saturating_add(file.weight.bytes);
        match self.left.checked_sub(cost) {
            Some(left) => self.left = left,
            None => return Err(too_much(file)),
        }
        Ok(())
    }
}

fn too_much(file: &ServiceFile) -> Diagnostic {
    let message = format!(
        "with this file the services come to more than {} MiB, counted for every environment",
        MAX_TOGETHER / (1024 * 1024)
    );
    Diagnostic::error("too-large", file.span.clone(), message)
        .help("say with `only:` where services live, or divide them among several repositories")
}

/// What a service file takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Weight {
    bytes: usize,
    /// How many references to variables stand in it.
    references: usize,
}

impl Weight {
    pub(super) fn of(source: &[u8], node: &Node) -> Self {
        let references = source.windows(2).filter(|pair| *pair == b"${").count();
        Self { bytes: SERVICE + source.len() + VALUE * values(node), references }
    }

    fn in_environment(self, environment: &Environment) -> usize {
        let own = environment.vars.values().map(|value| value.len());
        let longest = own.max().unwrap_or_default();
        self.bytes.saturating_add(self.references.saturating_mul(longest))
    }
}

/// How many values there are from `node` on. They are not nested deeper than is read.
fn values(node: &Node) -> usize {
    let below: usize = match &node.value {
        NodeValue::Null | NodeValue::Scalar { .. } => 0,
        NodeValue::List(items) => items.iter().map(values).sum(),
        NodeValue::Map(entries) => entries.iter().map(|(_, node)| values(node)).sum(),
    };
    below + 1
}

/// The finding for a list with more entries than are read.
pub(super) fn at_most(most: usize, what: &str, count: usize, span: &Span) -> Option<Diagnostic> {
    let message = || format!("there are {count} {what}, and at most {most} are read");
    (count > most).then(|| Diagnostic::error("too-large", span.clone(), message()))
}
