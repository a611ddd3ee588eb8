//! What the cases begin with: names, claimed jobs, running runs, changes.

use std::collections::BTreeMap;
use std::time::Duration;

use landfall_core::lease::LeaseProof;
use landfall_core::name::{
    CommitSha, EnvironmentName, InstallationId, PullNumber, RepositoryId, TreeSha, UnitName, UserId,
};
use landfall_core::plan::{
    Action, Change, Digest, Effect, Origin, Plan, ResourceKey, Target, UnitPlan,
};
use landfall_store::{
    Acquired, ClaimJob, ClaimedJob, Fence, JobKey, LeaseRequest, NewJob, NewPlan, NewRun, PlanId,
    RunId, RunState, Store, Trigger,
};
use serde_json::json;
use uuid::Uuid;

pub(crate) const HOMELAB: RepositoryId = RepositoryId(42);
pub(crate) const OTHER: RepositoryId = RepositoryId(43);
pub(crate) const ACME: InstallationId = InstallationId(1);
pub(crate) const OCTOCAT: UserId = UserId(583_231);

/// How long claims and leases hold in the cases.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

pub(crate) fn production() -> EnvironmentName {
    "production".parse().unwrap()
}

pub(crate) fn staging() -> EnvironmentName {
    "staging".parse().unwrap()
}

pub(crate) fn commit(digit: char) -> CommitSha {
    CommitSha::new(digit.to_string().repeat(40)).unwrap()
}

pub(crate) fn digest(text: &str) -> Digest {
    Digest::of(&json!(text))
}

pub(crate) fn target(id: &str) -> Target {
    Target::new("cloudflare_dns".parse().unwrap(), id)
}

pub(crate) fn unit(environment: &EnvironmentName, service: &str) -> UnitName {
    format!("{environment}/{service}/cloudflare_dns").parse().unwrap()
}

pub(crate) fn run_id(number: u128) -> RunId {
    RunId(Uuid::from_u128(number))
}

pub(crate) fn plan_job(pull: u64) -> NewJob {
    NewJob {
        key: JobKey::Plan { repository: HOMELAB, pull: PullNumber(pull) },
        installation: ACME,
        run_at: None,
    }
}

pub(crate) fn run_job(environment: &EnvironmentName) -> NewJob {
    let key = JobKey::Run { repository: HOMELAB, environment: environment.clone() };
    NewJob { key, installation: ACME, run_at: None }
}

pub(crate) async fn claim(store: &dyn Store) -> Option<ClaimedJob> {
    let claim = ClaimJob { worker: "worker-1".to_owned(), lease: LEASE, max_attempts: 3 };
    store.claim_job(&claim).await.unwrap()
}

/// The right to write of a job that was just claimed. There must be no other job waiting.
pub(crate) async fn fence(store: &dyn Store) -> Fence {
    store.enqueue(&[run_job(&production())]).await.unwrap();
    claim(store).await.expect("the job that was just enqueued").fence
}

pub(crate) fn new_run(number: u128, commit: CommitSha) -> NewRun {
    NewRun {
        id: run_id(number),
        repository: HOMELAB,
        environment: production(),
        commit,
        config_digest: digest("config"),
        rules: None,
        trigger: Trigger::Push,
    }
}

/// A run in the state `running`.
pub(crate) async fn running(store: &dyn Store, fence: &Fence, run: &NewRun) -> RunId {
    store.insert_or_get_run(fence, run).await.unwrap();
    store.advance_run(fence, run.id, RunState::Running, "").await.unwrap();
    run.id
}

pub(crate) fn lease_request(run: RunId, targets: &[&str]) -> LeaseRequest {
    LeaseRequest {
        targets: targets.iter().map(|id| target(id)).collect(),
        holder: run,
        duration: LEASE,
    }
}

/// The leases of free targets.
pub(crate) async fn leases(
    store: &dyn Store,
    fence: &Fence,
    run: RunId,
    targets: &[&str],
) -> Vec<LeaseProof> {
    match store.acquire_leases(fence, &lease_request(run, targets)).await.unwrap() {
        Acquired::Held(leases) => leases,
        busy @ Acquired::Busy { .. } => panic!("{busy:?}"),
    }
}

/// A change of the record `name` of `service` in the zone `zone`, to `value`.
pub(crate) fn change(
    environment: &EnvironmentName,
    service: &str,
    action: Action,
    name: &str,
) -> Change {
    let gone = matches!(action, Action::Delete | Action::Release | Action::Forget);
    Change {
        unit: unit(environment, service),
        action,
        key: ResourceKey::new(target("zone"), "A", name),
        before: None,
        after: (!gone).then(|| json!(["192.0.2.1"])),
        from: None,
        ids: Vec::new(),
    }
}

pub(crate) fn effect(changes: Vec<Change>) -> Effect {
    Effect { target: target("zone"), changes }
}

/// Ids as a provider gives them: one for each change.
pub(crate) fn ids(changes: &[Change]) -> BTreeMap<ResourceKey, Vec<String>> {
    changes
        .iter()
        .map(|change| (change.key.clone(), vec![format!("id of {}", change.key.name)]))
        .collect()
}

/// A plan of production that makes these records.
pub(crate) fn new_plan(number: u128, pull: Option<u64>, names: &[&str]) -> NewPlan {
    let changes =
        names.iter().map(|name| change(&production(), "nas", Action::Create, name)).collect();
    let mut plan = Plan::empty(production());
    let unit_plan =
        UnitPlan { origin: Origin::Changed, hash: None, changes, conflicts: Vec::new() };
    plan.units.insert(unit(&production(), "nas"), unit_plan);
    NewPlan {
        id: PlanId(Uuid::from_u128(number)),
        repository: HOMELAB,
        pull: pull.map(PullNumber),
        head: commit('a'),
        base: commit('b'),
        tree: TreeSha::new("c".repeat(40)).unwrap(),
        config_digest: digest("config"),
        provisional: false,
        plan,
    }
}
