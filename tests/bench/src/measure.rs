//! The measurements: one file each, and one line in the `match`.

mod acknowledge;
mod comment;
mod drain;
mod flight;
mod recover;
mod start;
mod zone;

use clap::ValueEnum;

use crate::engine::Engine;
use crate::report::Figure;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measurement {
    /// From the start of the process to its first "ready", and what it takes at rest.
    Start,
    /// Deliveries acknowledged and kept, 500 each second.
    Acknowledge,
    /// The same on PostgreSQL.
    AcknowledgePostgres,
    /// Jobs that are claimed and done in a second, by one server and by four on one store.
    Drain,
    /// From a kill -9 to everything being as if it had not happened.
    Recover,
    /// From event to comment, where 1 of 1,000 services changes.
    Comment1k,
    /// The same with two environments.
    Comment1kTwo,
    /// From event to comment, where 1 of 10,000 services changes.
    Comment10k,
    /// A change in a zone with 5,000 records of others.
    Zone,
    /// 1,000 pull requests over 50 installations at once, and the memory that they take.
    Flight,
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// For how many seconds deliveries are sent.
    pub(crate) seconds: u32,
    /// How many pull requests are timed.
    pub(crate) events: usize,
}

impl Measurement {
    /// As it is named on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Measures.
    ///
    /// # Errors
    /// What is measured does not happen.
    pub(crate) async fn take(self, extent: &Extent) -> anyhow::Result<Vec<Figure>> {
        match self {
            Self::Start => start::measure().await,
            Self::Acknowledge => acknowledge::measure(Engine::Sqlite, extent).await,
            Self::AcknowledgePostgres => acknowledge::measure(Engine::Postgres, extent).await,
            Self::Drain => drain::measure().await,
            Self::Recover => recover::measure().await,
            Self::Comment1k => comment::measure(&comment::THOUSAND, extent).await,
            Self::Comment1kTwo => comment::measure(&comment::THOUSAND_TWICE, extent).await,
            Self::Comment10k => comment::measure(&comment::TEN_THOUSAND, extent).await,
            Self::Zone => zone::measure(extent).await,
            Self::Flight => flight::measure().await,
        }
    }
}
