//! The check: what must hold once everything has come to rest, whatever went wrong before.
//!
//! It goes by what the simulators and the people of the workload know, and asks the store what it
//! believes. Three kinds of findings: something was lost, something was done twice, something is
//! not as it must be. A fourth is no fault of Landfall: a write that only the provider could have
//! refused, because the server was stopped between its last look at the lease and the sending
//! ([`writes`]).

mod deliveries;
mod environments;
mod github;
mod writes;

use landfall_core::name::RepositoryId;
use landfall_store::Store;

use crate::fleet::Fleet;
use crate::history::History;
use crate::people::People;
use crate::town::Town;

/// What is checked.
pub(crate) struct Evidence<'a> {
    pub(crate) town: &'a Town,
    pub(crate) store: &'a dyn Store,
    pub(crate) history: &'a History,
    pub(crate) people: &'a People,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) lost: Vec<String>,
    pub(crate) duplicated: Vec<String>,
    pub(crate) wrong: Vec<String>,
    /// Writes that only the provider could have refused.
    pub(crate) late: Vec<String>,
}

impl Findings {
    /// All that must not be, each with its kind.
    pub(crate) fn violations(&self) -> impl Iterator<Item = String> {
        let told = |kind: &'static str| move |what: &String| format!("{kind}: {what}");
        let lost = self.lost.iter().map(told("lost"));
        let duplicated = self.duplicated.iter().map(told("done twice"));
        lost.chain(duplicated).chain(self.wrong.iter().map(told("wrong")))
    }
}

impl Evidence<'_> {
    /// Checks everything.
    ///
    /// # Errors
    /// The store or the simulators could not be asked.
    pub(crate) async fn check(&self, fleet: &Fleet) -> anyhow::Result<Findings> {
        let mut findings = Findings::default();
        findings.wrong.extend(self.store.damage().await?);
        self.jobs(&mut findings).await?;
        self.commands(&mut findings).await?;
        self.deliveries(&mut findings).await?;
        self.environments(&mut findings).await?;
        self.writes(&mut findings).await?;
        self.comments(&mut findings);
        self.checks(&mut findings);
        self.deployments(&mut findings);
        servers(fleet, &mut findings);
        Ok(findings)
    }

    fn repository(&self) -> RepositoryId {
        RepositoryId(self.town.repo.id())
    }

    async fn jobs(&self, findings: &mut Findings) -> anyhow::Result<()> {
        let backlog = self.store.backlog().await?;
        if !backlog.is_quiet() {
            findings.lost.push(format!("there is work left: {backlog:?}"));
        }
        for job in self.store.given_up().await? {
            findings.lost.push(format!("a job was given up: {job:?}"));
        }
        Ok(())
    }
}

/// No server may have panicked, or ended by itself once it was ready.
fn servers(fleet: &Fleet, findings: &mut Findings) {
    findings.wrong.extend(fleet.endings().iter().cloned());
    for seat in fleet.seats() {
        let log = std::fs::read_to_string(fleet.log_path(seat)).unwrap_or_default();
        let panics = log.lines().filter(|line| line.contains("panicked"));
        findings.wrong.extend(panics.map(|line| format!("server {}: {line}", seat.0)));
    }
}
