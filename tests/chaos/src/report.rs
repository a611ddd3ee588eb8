//! What came of it: everything that must not be, and one line that says how much was tried.

use std::fmt;
use std::time::Duration;

use crate::Engine;
use crate::check::Findings;
use crate::nemesis::Done;

/// What is printed at the end.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) engine: Engine,
    pub(crate) seed: u64,
    pub(crate) done: Done,
    pub(crate) faults: u64,
    /// Deliveries that GitHub knows of, and attempts to deliver them.
    pub(crate) deliveries: usize,
    pub(crate) attempts: usize,
    /// Merges and direct pushes.
    pub(crate) merges: u64,
    pub(crate) commands: usize,
    /// Writes that providers accepted, and that they refused because it was there already.
    pub(crate) effects: usize,
    pub(crate) refused: usize,
    pub(crate) findings: Findings,
    pub(crate) took: Duration,
}

impl Report {
    /// Whether everything is as it must be.
    pub(crate) fn is_good(&self) -> bool {
        self.findings.violations().next().is_none()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for late in &self.findings.late {
            writeln!(f, "late, and only the provider could have refused it: {late}")?;
        }
        for violation in self.findings.violations() {
            writeln!(f, "{violation}")?;
        }
        let Self { engine, seed, done, findings, .. } = self;
        let Self { faults, deliveries, attempts, merges, commands, effects, refused, .. } = self;
        writeln!(
            f,
            "chaos: {} killed, {} paused ({} woke beside a successor), {} of them in the middle of a request, {} stopped, {} outages of the database, {faults} faults, {deliveries} \
             deliveries in {attempts} attempts, {merges} merges, {commands} commands, {effects} effects \
             ({refused} refused as there already), {} lost, {} done twice, {} wrong, {} late; {}, seed \
             {seed}, {} s",
            done.kills,
            done.pauses,
            done.overlaps,
            done.ambushes,
            done.stops,
            done.outages,
            findings.lost.len(),
            findings.duplicated.len(),
            findings.wrong.len(),
            findings.late.len(),
            engine.name(),
            self.took.as_secs(),
        )
    }
}
