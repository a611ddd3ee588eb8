//! Planning a pull request: what would happen if it were merged now.
//!
//! The tree is the one that merging would give; the rules are the default branch's. No code of the
//! pull request runs, and nothing that it says of connections or rules is used.

use std::time::Duration;

use landfall_core::config::vanished;
use landfall_core::diagnostic::{Diagnostic, Severity};
use landfall_core::label::Label;
use landfall_core::name::{
    BranchName, CommitSha, EnvironmentName, PullNumber, RepositoryId, TreeSha,
};
use landfall_core::report::{EnvironmentReport, NextStep, PullOutcome, PullReport};
use landfall_github::{Pull, PullState};
use landfall_repo::{Merged, Wanted};
use landfall_store::{Asked, ClaimedJob, NewPlan, PlanId, PlanMade};
use uuid::Uuid;

use super::announce::{Board, Expected};
use super::command::{Found, Ordered, There};
use super::ground::{Ground, Rules, findings, no_rules};
use super::{Ended, command, guard, resolve};
use crate::gather::{Declared, LoadError};
use crate::house::{House, Kinds};
use fork::Trust;

mod closed;
mod config;

pub(crate) use closed::labelled;
pub(crate) use config::owned_units;
pub(super) mod environment;
pub(super) mod fork;

/// Plans a pull request, after carrying out what people said on it.
///
/// # Errors
/// Something could not be asked; the job is tried again.
pub async fn plan(
    house: &House,
    job: &ClaimedJob,
    repository: RepositoryId,
    number: PullNumber,
) -> anyhow::Result<Ended> {
    let Some(ground) = Ground::open(house, repository).await? else { return Ok(Ended::Done) };
    let pull = ground.reader.pull(number).await?;
    super::handle::note_pull(house, repository, &pull).await?;
    let (ground, ordered) = match command::carry_out(house, job, ground, &pull).await {
        Ok(carried_out) => carried_out,
        Err(error) if resolve::lags(&error) => return Ok(resolve::behind(house, job, &error)),
        Err(error) => return Err(error),
    };
    match pull.state {
        PullState::Open => {}
        PullState::Closed => return closed::discard(house, job, &pull, repository).await,
        PullState::Merged { .. } => return closed::look_again(house, repository, number).await,
    }
    let Some(asked) = house.store.plan_due(repository, number).await? else {
        return Ok(Ended::Done);
    };
    let wanted = match pull.has(Label::Skip) {
        true => Vec::new(),
        false => vec![Wanted::Branch(pull.base.branch.clone()), Wanted::Pull(number)],
    };
    let ground = match ground.fetch(&wanted).await {
        Ok(ground) => ground,
        Err(error) if resolve::lags(&error) => return Ok(resolve::behind(house, job, &error)),
        Err(error) => return Err(error),
    };
    if let Some(head) = wanted.last()
        && let Err(error) = ground.fetched.expect(head, &pull.head.sha)
    {
        return Ok(resolve::behind(house, job, &error.into()));
    }
    Planning { house, job, ground: &ground, pull: &pull, asked, ordered }.publish().await
}

/// One pull request being planned.
#[derive(Debug)]
struct Planning<'a> {
    house: &'a House,
    job: &'a ClaimedJob,
    ground: &'a Ground,
    pull: &'a Pull,
    /// What is answered by it.
    asked: Asked,
    /// Who asked for it by a command, and what they want to look at.
    ordered: Ordered,
}

/// What planning came to.
struct Planned {
    outcome: PullOutcome,
    config_note: Option<String>,
    /// The checks that are due.
    expected: Expected,
    rows: Vec<NewPlan>,
    /// What commands named of it.
    found: Found,
}

impl Planned {
    /// What came of it where there is no plan.
    fn of(outcome: PullOutcome, expected: Expected) -> Self {
        let (rows, found) = (Vec::new(), Found::default());
        Self { outcome, config_note: None, expected, rows, found }
    }
}

/// What the rules come to that a pull request brings itself.
enum Own {
    /// It brings none, or those that hold.
    Nothing,
    /// What they would change once they hold.
    Later(String),
    /// There are none that hold. By these it would be planned for these environments.
    First(Vec<EnvironmentName>),
}

/// What a command may name: a service that is removed is in the plan alone.
fn there<'a>(
    place: &'a environment::Place<'_>,
    planned: &'a [EnvironmentName],
    rows: &'a [NewPlan],
) -> There<'a> {
    let declared = place.merged.tree.services.iter().map(|service| &service.name);
    let changed = rows.iter().flat_map(|row| row.plan.units.keys()).map(|unit| &unit.service);
    There {
        base: place.into,
        environments: place.rules.config.environments.keys().collect(),
        planned,
        services: declared.chain(changed).collect(),
        unread: None,
    }
}

impl Planning<'_> {
    async fn publish(&self) -> anyhow::Result<Ended> {
        let planned = self.planned().await?;
        // It was asked for again meanwhile, by a newer head or a person, and the job for that waits:
        // its plan is the one that people should read.
        let (store, repository) = (&self.house.store, self.ground.repository.id);
        if store.plan_due(repository, self.pull.number).await? != Some(self.asked) {
            return Ok(Ended::Done);
        }
        let board = Board::of(self.house, self.job, self.ground.repository.id);
        let weaknesses = match &planned.outcome {
            PullOutcome::Planned { .. } => {
                guard::weaknesses(self.house, self.ground, self.base()).await?
            }
            _ => Vec::new(),
        };
        if !self.is_open_still().await? {
            let error = anyhow::anyhow!("{} is not open any more", self.pull.number);
            return Ok(resolve::behind(self.house, self.job, &error));
        }
        let report = PullReport {
            pull: self.pull.number,
            head: self.pull.head.sha.clone(),
            base: self.pull.base.branch.clone(),
            draft: self.pull.draft,
            outcome: planned.outcome,
            config_note: planned.config_note,
            opened: planned.found.opened.clone(),
            weaknesses,
        };
        let left_over = board.left_over(&report, &planned.expected).await?;
        if !left_over.is_empty() || matches!(report.outcome, PullOutcome::Skipped) {
            // What was reviewed was for another branch, or is not to count.
            store.discard_plans(&self.job.fence, repository, self.pull.number).await?;
        }
        let mut ids = Vec::new();
        for row in &planned.rows {
            ids.push(store.insert_plan(&self.job.fence, row).await?.plan.id);
        }
        // A run that ended just now has looked for provisional plans before there were these.
        for row in planned.rows.iter().filter(|row| row.provisional) {
            if !environment::is_busy(self.house, repository, &row.plan.environment).await? {
                let why = "the run has ended that it was planned beside".to_owned();
                return Ok(Ended::Again(Duration::ZERO, why));
            }
        }
        match &report.outcome {
            PullOutcome::Unconcerned => {
                board.quietly(&report, &planned.expected).await?;
                if report.config_note.is_some() || board.has_commented(self.pull.number).await? {
                    board.pull(&report, &ids).await?;
                }
            }
            PullOutcome::Skipped => {
                board.skipped(&report, &planned.expected).await?;
                if board.has_commented(self.pull.number).await? {
                    board.pull(&report, &ids).await?;
                }
            }
            PullOutcome::Invalid(found) => {
                board.pull(&report, &ids).await?;
                board.invalid(&report, &planned.expected, found).await?;
            }
            PullOutcome::Conflicted(_) => {
                board.pull(&report, &ids).await?;
                board.invalid(&report, &planned.expected, &[]).await?;
            }
            PullOutcome::Planned { .. } => board.pull(&report, &ids).await?,
        }
        board.retire(&report, left_over).await?;
        self.ordered.done(&board, &planned.found).await?;
        store
            .plan_made(&self.job.fence, repository, self.pull.number, &self.made(&report).await)
            .await?;
        Ok(Ended::Done)
    }

    /// What the asking came to: what may change it is the rules, and the base where nothing was planned.
    async fn made(&self, report: &PullReport) -> PlanMade {
        let rules = self.ground.rules(self.house).await.ok().map(|rules| rules.digest);
        let stuck = matches!(report.outcome, PullOutcome::Invalid(_) | PullOutcome::Conflicted(_));
        PlanMade { asked: self.asked, rules, stuck }
    }

    /// Whether the pull request was not merged or closed while it was planned. Its runs tell what they do
    /// as soon as that is known, so a plan that comes after them would say that it is all to come.
    async fn is_open_still(&self) -> anyhow::Result<bool> {
        let row = self.house.store.pull(self.ground.repository.id, self.pull.number).await?;
        Ok(row.is_none_or(|row| row.state == landfall_store::PullState::Open))
    }

    async fn planned(&self) -> anyhow::Result<Planned> {
        let (rules, without) = match self.ground.rules(self.house).await {
            Ok(rules) => (Some(rules), None),
            Err(error) => {
                let branch = self.ground.repository.default_branch.as_str();
                (None, Some(no_rules(branch, findings(error)?.as_deref())))
            }
        };
        let expected = self.expected(rules.as_ref()).await?;
        if self.pull.has(Label::Skip) {
            return Ok(Planned::of(PullOutcome::Skipped, expected));
        }
        let base = self.ground.tip(&self.pull.base.branch)?.clone();
        let tree = match self.ground.mirror.merge_tree(&base, &self.pull.head.sha).await? {
            Merged::Tree(tree) => tree,
            Merged::Conflict(paths) => {
                let paths = paths.into_iter().filter_map(|path| path.parse().ok()).collect();
                return Ok(Planned::of(PullOutcome::Conflicted(paths), expected));
            }
        };
        let own = match self.own_rules(rules.as_ref(), &tree).await? {
            Ok(own) => own,
            Err(found) => return Ok(self.invalid(found, expected)),
        };
        let Some(rules) = rules else { return Ok(self.unruled(own, without, expected)) };
        let note = match own {
            Own::Later(note) => Some(note),
            Own::Nothing | Own::First(_) => None,
        };
        let merged = match self.ground.declared(self.house, &rules, &tree).await {
            Ok(declared) => declared,
            Err(error) => {
                return Ok(self.invalid(findings(error)?.unwrap_or_default(), expected));
            }
        };
        let before = before(self.house, self.ground, &rules, &base).await?;
        let place = environment::Place {
            house: self.house,
            ground: self.ground,
            pull: Some(self.pull),
            trust: Trust::of(self.house, self.pull).await?,
            into: self.base(),
            rules: &rules,
            merged: &merged,
            before: before.as_ref(),
            base: &base,
            tree: &tree,
        };
        self.plan_environments(&place, expected, note).await
    }

    /// The checks that are due, also where no rules say which.
    async fn expected(&self, rules: Option<&Rules>) -> anyhow::Result<Expected> {
        let Some(rules) = rules else {
            let board = Board::of(self.house, self.job, self.ground.repository.id);
            let pull = self.pull;
            let heard_of = board.heard_of(pull.number, &pull.head.sha, self.base()).await?;
            return Ok(Expected::without_rules(heard_of));
        };
        Ok(Expected::by(&rules.config, self.base()))
    }

    /// What comes of it where there are no rules to plan it by. `without` says why; only a pull request
    /// that may have to do with Landfall is told.
    fn unruled(&self, own: Own, without: Option<String>, mut expected: Expected) -> Planned {
        let is_ours = matches!(own, Own::First(_)) || !expected.environments.is_empty();
        if let Own::First(names) = own {
            let new: Vec<_> =
                names.into_iter().filter(|name| !expected.environments.contains(name)).collect();
            expected.environments.extend(new);
        }
        let config_note = without.filter(|_| is_ours);
        Planned { config_note, ..Planned::of(PullOutcome::Unconcerned, expected) }
    }

    async fn plan_environments(
        &self,
        place: &environment::Place<'_>,
        expected: Expected,
        config_note: Option<String>,
    ) -> anyhow::Result<Planned> {
        let (mut reports, mut rows) = (Vec::new(), Vec::new());
        for name in &expected.environments {
            let report = place.report(name).await?;
            // Where no provider was asked, nothing is there for anybody to review.
            if let (Ok(plan), Trust::Full) = (&report.plan, &place.trust) {
                rows.push(NewPlan {
                    id: PlanId(Uuid::new_v4()),
                    repository: self.ground.repository.id,
                    pull: Some(self.pull.number),
                    head: self.pull.head.sha.clone(),
                    base: place.base.clone(),
                    tree: place.tree.clone(),
                    config_digest: place.rules.digest,
                    provisional: report.next == NextStep::Provisional,
                    plan: plan.clone(),
                });
            }
            reports.push(report);
        }
        let outcome = if reports.iter().any(EnvironmentReport::says_something) {
            PullOutcome::Planned { warnings: place.warnings(), environments: reports }
        } else {
            PullOutcome::Unconcerned
        };
        let unread = outcome.is_unread().then_some(&self.pull.head.sha);
        let there = There { unread, ..there(place, &expected.environments, &rows) };
        let found = self.ordered.find(&there);
        Ok(Planned { outcome, config_note, expected, rows, found })
    }

    /// Checks the rules that the pull request brings, if it brings others: what they would change
    /// later, or what is wrong with them.
    async fn own_rules(
        &self,
        rules: Option<&Rules>,
        tree: &TreeSha,
    ) -> anyhow::Result<Result<Own, Vec<Diagnostic>>> {
        let own = match self.ground.rules_of(self.house, tree).await {
            Ok(own) => own,
            Err(LoadError::NoConfig) if rules.is_none() => return Ok(Ok(Own::Nothing)),
            Err(error) => {
                return Ok(Err(findings(error)?.unwrap_or_else(|| vec![config::removed()])));
            }
        };
        if rules.is_some_and(|rules| rules.blob == own.blob) {
            return Ok(Ok(Own::Nothing));
        }
        let declared = match self.ground.declared(self.house, &own, tree).await {
            Ok(declared) => declared,
            Err(error) => return Ok(Err(findings(error)?.unwrap_or_default())),
        };
        let here: Vec<_> =
            own.config.mapped_to(self.base().as_str()).map(|one| &one.name).collect();
        let owned = owned_units(self.house, self.ground.repository.id, &here).await?;
        let kinds = Kinds::of(&self.house.reach.registry);
        let services = rules.map(|rules| &rules.config.services.value);
        let found = vanished(kinds.registry(), &own.config, services, &declared.paths, &owned);
        if found.iter().any(|finding| finding.severity == Severity::Error) {
            return Ok(Err(found));
        }
        let Some(rules) = rules else {
            return Ok(Ok(Own::First(here.into_iter().cloned().collect())));
        };
        let now = self.ground.declared(self.house, rules, tree).await.ok();
        Ok(Ok(Own::Later(config::note(self.ground, rules, &own, now.as_ref(), &declared))))
    }

    /// Only what is wrong is told: a warning may be about nothing but what could not be read.
    fn invalid(&self, mut found: Vec<Diagnostic>, expected: Expected) -> Planned {
        found.retain(|finding| finding.severity == Severity::Error);
        Planned::of(PullOutcome::Invalid(found), expected)
    }

    fn base(&self) -> &BranchName {
        &self.pull.base.branch
    }
}

/// What the base declares; none when that cannot be read, and then everything counts as changed.
pub(super) async fn before(
    house: &House,
    ground: &Ground,
    rules: &Rules,
    base: &CommitSha,
) -> anyhow::Result<Option<Declared>> {
    let tree = ground.mirror.tree(base).await?;
    match ground.declared(house, rules, &tree).await {
        Ok(declared) => Ok(Some(declared)),
        Err(LoadError::Source(error)) => Err(error),
        Err(_) => Ok(None),
    }
}
