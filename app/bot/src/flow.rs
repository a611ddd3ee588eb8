//! Flows: what follows from an event.
//!
//! `handle` turns a delivery into rows and jobs; `plan` and `run` carry jobs out; `command` carries
//! out what people say. `missed`, `installations` and `reconcile` find what no delivery brought. A webhook is a hint: each flow finds out from GitHub, git and the store what
//! is to be done, so a lost, late or repeated one only delays.

pub mod announce;
pub mod branch;
pub mod command;
pub mod confirm;
pub mod given_up;
pub mod ground;
pub mod group;
pub mod guard;
pub mod handle;
pub mod holding;
pub mod installations;
pub mod left;
pub mod missed;
pub mod onboard;
pub mod plan;
pub mod protection;
pub mod reconcile;
pub mod resolve;
pub mod restored;
pub mod run;
pub mod steps;

use std::time::Duration;

/// How a job ended that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It is done.
    Done,
    /// It is to be tried again after this long, because something outside is not ready yet. It
    /// counts as an attempt.
    Again(Duration, String),
    /// It is to be begun anew after this long, because it is not its turn: somebody else writes to
    /// its target, or a request may still be on its way. That may go on for as long as it does.
    Later(Duration, String),
    /// It is not tried any more, and that was said.
    GivenUp,
}
