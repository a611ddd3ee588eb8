//! What was measured, beside what is allowed: as a table for people and as JSON for machines.

use std::fmt;

use serde::Serialize;

/// Everything that one call of the bench found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    machine: Machine,
    measurements: Vec<Taken>,
}

/// Where it was measured. Figures of two machines do not compare.
#[derive(Debug, Serialize)]
struct Machine {
    cores: usize,
    /// `release` or `debug`. Budgets are for the first.
    profile: &'static str,
}

#[derive(Debug, Serialize)]
struct Taken {
    name: String,
    /// The machine's load average of the last minute when it began: above about 1, others were
    /// measured too.
    load_before: f64,
    figures: Vec<Figure>,
}

/// One number.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    /// What it is of.
    pub(crate) what: String,
    /// The number.
    pub(crate) value: f64,
    /// What it counts.
    pub(crate) unit: Unit,
    /// The most that it may be, if that was decided.
    pub(crate) budget: Option<f64>,
    /// How it was measured, where the name does not say it.
    pub(crate) how: String,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Unit {
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Mebibytes.
    #[serde(rename = "MiB")]
    Mebibytes,
    /// Things.
    #[serde(rename = "count")]
    Count,
}

impl Figure {
    /// A number without a budget.
    pub(crate) fn new(what: impl Into<String>, value: f64, unit: Unit) -> Self {
        Self { what: what.into(), value, unit, budget: None, how: String::new() }
    }

    /// A number of milliseconds.
    pub(crate) fn millis(what: impl Into<String>, value: f64) -> Self {
        Self::new(what, value, Unit::Milliseconds)
    }

    /// A number of things.
    pub(crate) fn count(what: impl Into<String>, value: usize) -> Self {
        let value = u32::try_from(value).map_or(f64::INFINITY, f64::from);
        Self::new(what, value, Unit::Count)
    }

    /// With the most that it may be.
    pub(crate) fn at_most(self, budget: f64) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// With how it was measured.
    pub(crate) fn how(self, how: impl Into<String>) -> Self {
        Self { how: how.into(), ..self }
    }

    fn verdict(&self) -> &'static str {
        match self.budget {
            None => "",
            Some(budget) if self.value <= budget => "met",
            Some(_) => "MISSED",
        }
    }
}

impl Report {
    /// An empty one.
    pub(crate) fn of_this_machine() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, Into::into);
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        Self { machine: Machine { cores, profile }, measurements: Vec::new() }
    }

    /// Adds what a measurement found.
    pub(crate) fn add(&mut self, name: String, load_before: f64, figures: Vec<Figure>) {
        self.measurements.push(Taken { name, load_before, figures });
    }
}

/// The machine's load average of the last minute; 0 where nobody tells it.
pub(crate) fn load() -> f64 {
    let told = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    told.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { cores, profile } = self.machine;
        writeln!(f, "{cores} cores, {profile} build, simulators on the same machine")?;
        for taken in &self.measurements {
            writeln!(f, "\n{} (load before: {:.2})", taken.name, taken.load_before)?;
            for figure in &taken.figures {
                writeln!(f, "{figure}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.unit.shown(self.value);
        let budget = self.budget.map(|budget| self.unit.shown(budget)).unwrap_or_default();
        write!(f, "  {:<44} {value:>12} {budget:>12}  {:<6}", self.what, self.verdict())?;
        if self.how.is_empty() { Ok(()) } else { write!(f, "  {}", self.how) }
    }
}

impl Unit {
    fn shown(self, value: f64) -> String {
        match self {
            Self::Milliseconds => format!("{value:.1} ms"),
            Self::Mebibytes => format!("{value:.1} MiB"),
            Self::Count => format!("{value:.0}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_met_up_to_its_last_bit() {
        let figure = |value: f64| Figure::millis("p99", value).at_most(10.0);
        assert_eq!([figure(10.0).verdict(), figure(10.1).verdict()], ["met", "MISSED"]);
        assert_eq!(Figure::count("lost", 0).verdict(), "");
    }
}
