//! Trying the templates out: each is printed once with something in it, so that one which asks for
//! what is not there is found before somebody waits for a comment.

use std::collections::BTreeMap;

use jiff::Timestamp;
use landfall_core::name::PullNumber;
use landfall_core::plan::{Action, Change, Origin, Plan, ResourceKey, UnitPlan};
use landfall_core::report::{
    EnvironmentReport, Legend, NextStep, PullOutcome, PullReport, RunReport, RunStage, StepReport,
    StepResult, Waiting,
};
use landfall_core::way::Exposure;
use landfall_core::weakness::Weakness;
use serde_json::json;

use super::{StatusRow, Templates};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

impl Templates {
    /// Prints every template once.
    ///
    /// # Errors
    /// One does not print; the message names it and the line.
    pub fn try_out(&self) -> anyhow::Result<()> {
        let waits = NextStep::MergeThenApply(Waiting::Bootstrap);
        let planned =
            PullOutcome::Planned { warnings: Vec::new(), environments: vec![report(waits)?] };
        let conflicted = PullOutcome::Conflicted(Vec::new());
        for outcome in [planned, PullOutcome::Unconcerned, PullOutcome::Skipped, conflicted] {
            self.pull(&PullReport {
                pull: PullNumber(7),
                head: COMMIT.parse()?,
                base: "main".parse()?,
                outcome,
                config_note: Some("takes effect once it is on main".to_owned()),
                draft: true,
                opened: None,
                weaknesses: vec![Weakness::Unprotected("main".parse()?)],
            })?;
        }
        for stage in [RunStage::Running, RunStage::Held(Waiting::Bootstrap), RunStage::Succeeded] {
            let run = run(stage)?;
            self.run(&run)?;
            self.run_alone(&run)?;
            self.run_line(&run, Some("1 created"))?;
        }
        self.closed(&[])?;
        self.closed(&[&"production".parse()?])?;
        self.help("octocat")?;
        self.refused("octocat", "/apply", "the digest is another one by now", Some("/plan"))?;
        self.given_up(12, "GitHub could not be reached")?;
        let live = Some(COMMIT[..7].to_owned());
        let row = StatusRow { name: "production".to_owned(), live, waits: String::new() };
        self.status("octocat", Timestamp::UNIX_EPOCH, &[row])?;
        self.proposal("main", "version: 1\n")?;
        Ok(())
    }
}

fn report(next: NextStep) -> anyhow::Result<EnvironmentReport> {
    Ok(EnvironmentReport {
        environment: "production".parse()?,
        branch: Some("main".parse()?),
        plan: Ok(plan()?),
        legend: Legend::default(),
        next,
        ways: Vec::new(),
        exposure: Exposure::default(),
        violations: Vec::new(),
        declares: Vec::new(),
    })
}

fn run(stage: RunStage) -> anyhow::Result<RunReport> {
    let step = StepReport {
        services: vec!["nas".parse()?],
        changes: vec![change()?],
        result: StepResult::Done,
    };
    Ok(RunReport {
        environment: "production".parse()?,
        commit: COMMIT.parse()?,
        branch: "main".parse()?,
        digest: None,
        plan: Some(plan()?),
        legend: Legend::default(),
        stage,
        steps: vec![step],
        unreviewed: vec![change()?],
        left_out: vec![("production/nas/unifi_dns".to_owned(), "a step is unknown".to_owned())],
    })
}

fn plan() -> anyhow::Result<Plan> {
    let change = change()?;
    let unit = change.unit.clone();
    let planned = UnitPlan {
        origin: Origin::Changed,
        hash: None,
        changes: vec![change],
        conflicts: Vec::new(),
    };
    let units = BTreeMap::from([(unit, planned)]);
    Ok(Plan { environment: "production".parse()?, units, containers: BTreeMap::new() })
}

fn change() -> anyhow::Result<Change> {
    Ok(Change {
        unit: "production/nas/unifi_dns".parse()?,
        action: Action::Create,
        key: ResourceKey::new("unifi_dns:site".parse()?, "A", "nas.internal.lan"),
        before: None,
        after: Some(json!({ "values": ["192.168.1.20"], "ttl": 300 })),
        from: None,
        ids: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_templates_print_and_one_that_asks_for_too_much_is_named() {
        Templates::load(None).unwrap().try_out().unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("comment")).unwrap();
        std::fs::write(folder.path().join("comment/run.md"), "{{ nobody.knows }}\n").unwrap();
        let templates = Templates::load(Some(folder.path())).unwrap();
        let error = format!("{:#}", templates.try_out().unwrap_err());
        assert!(error.contains("run.md:1"), "{error}");
    }
}
