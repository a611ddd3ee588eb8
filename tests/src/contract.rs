//! Holds what was said on a wire against the vendor's own description of its API.
//!
//! Every exchange that a simulator recorded comes in; what goes out is a list of [`Violation`]s: a request that the vendor would
//! not understand, or an answer or webhook that the vendor would not give. The descriptions are OpenAPI documents that are read
//! from the folder that `LANDFALL_SPECS` names, `../shared/specs` beside the workspace by default; they are third-party texts and
//! never part of this repository. Without them [`Contract::load`] panics with a sentence that says so: nothing is skipped.
//!
//! Where a description is silent about what is real, `known` says it, with the reason. Three things are not looked at: what git
//! clients say and messages to a chat, which no OpenAPI document describes, and answers that a scenario injected as faults.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use landfall_sim::exchange::{Exchange, ExchangeLog, Wire};

mod answer;
mod body;
mod document;
mod known;
mod parameter;
mod pointer;
mod request;
pub mod samples;
mod schema;
mod template;
mod webhook;

use document::{Document, Vendor};

/// The vendors' descriptions, ready to be asked.
#[derive(Debug)]
pub struct Contract {
    github: Document,
    webhooks: Document,
    unifi: Document,
    cloudflare: Document,
}

/// One way in which an exchange is not as its vendor describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The exchange and the part of it: `GitHub POST /repos/acme/homelab/check-runs: request body, /output/title`.
    pub at: String,
    /// What is wrong there. Values are never quoted: they may be secrets.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.what)
    }
}

impl Contract {
    /// The descriptions, read once and shared by all tests of a process.
    ///
    /// # Panics
    /// A description is missing or is not what it is taken for.
    pub fn load() -> &'static Contract {
        static CONTRACT: OnceLock<Contract> = OnceLock::new();
        CONTRACT.get_or_init(|| match Contract::read(&folder()) {
            Ok(contract) => contract,
            Err(missing) => panic!("{missing}"),
        })
    }

    /// Reads the descriptions from a folder.
    ///
    /// # Errors
    /// A sentence that says which file is missing, where it was looked for and how to name another place.
    pub fn read(folder: &Path) -> Result<Contract, String> {
        Ok(Contract {
            github: Document::read(folder, Vendor::GitHub)?,
            webhooks: Document::read(folder, Vendor::Webhooks)?,
            unifi: Document::read(folder, Vendor::Unifi)?,
            cloudflare: Document::read(folder, Vendor::Cloudflare)?,
        })
    }

    /// What is wrong with one exchange; nothing if all is as described.
    pub fn check(&self, exchange: &Exchange) -> Vec<Violation> {
        let mut findings = Findings::of(exchange);
        match exchange.wire {
            Wire::Git | Wire::S3 | Wire::Chat => {}
            Wire::Webhook => webhook::check(&self.webhooks, exchange, &mut findings),
            Wire::GitHub => call(&self.github, exchange, &mut findings),
            Wire::Unifi => call(&self.unifi, exchange, &mut findings),
            Wire::Cloudflare => call(&self.cloudflare, exchange, &mut findings),
        }
        findings.violations
    }

    /// What is wrong with all exchanges of a log, oldest first.
    pub fn check_all(&self, log: &ExchangeLog) -> Vec<Violation> {
        log.all().iter().flat_map(|exchange| self.check(exchange)).collect()
    }
}

/// The folder of the vendors' descriptions.
pub fn folder() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/specs");
    let named = std::env::var_os("LANDFALL_SPECS").filter(|folder| !folder.is_empty());
    named.map_or_else(|| PathBuf::from(beside), PathBuf::from)
}

fn call(document: &Document, exchange: &Exchange, findings: &mut Findings) {
    let Some(path) = known::described_path(exchange) else { return };
    let Some(matched) = document.find(&exchange.method, path) else {
        findings.add("", "the vendor describes no such operation");
        return;
    };
    request::check(document, &matched, exchange, findings);
    // A broken connection and an injected fault are no answers of the vendor.
    if !exchange.faulted {
        answer::check(document, &matched, exchange, findings);
    }
}

/// The violations of one exchange, while they are collected.
struct Findings {
    exchange: String,
    violations: Vec<Violation>,
}

impl Findings {
    fn of(exchange: &Exchange) -> Findings {
        let exchange = format!("{:?} {} {}", exchange.wire, exchange.method, exchange.path);
        Findings { exchange, violations: Vec::new() }
    }

    /// `part` is empty for the exchange as a whole.
    fn add(&mut self, part: &str, what: impl Into<String>) {
        let at = match part {
            "" => self.exchange.clone(),
            part => format!("{}: {part}", self.exchange),
        };
        self.violations.push(Violation { at, what: what.into() });
    }
}
