use std::collections::BTreeMap;

use insta::assert_snapshot;
use landfall_core::plan::{Action, Change, Origin, Plan, ResourceKey, UnitPlan, Value};
use landfall_core::report::{
    EnvironmentReport, Legend, NextStep, PullOutcome, PullReport, RunReport, RunStage, StepReport,
    StepResult, Waiting,
};
use landfall_core::way::{Exposure, Hop, Mark, Way};
use serde_json::json;

use super::*;

mod hostile;

fn templates() -> Templates {
    Templates::load(None).unwrap()
}

fn change(
    unit: &str,
    action: Action,
    key: (&str, &str, &str),
    before: Option<Value>,
    after: Option<Value>,
) -> Change {
    let (target, rtype, name) = key;
    let key = ResourceKey::new(target.parse().unwrap(), rtype, name);
    let unit = format!("production/{unit}").parse().unwrap();
    Change { unit, action, key, before, after, from: None, ids: Vec::new() }
}

fn plan(changes: Vec<Change>) -> Plan {
    let mut units = BTreeMap::new();
    for change in changes {
        let empty =
            UnitPlan { origin: Origin::Changed, hash: None, changes: vec![], conflicts: vec![] };
        units.entry(change.unit.clone()).or_insert(empty).changes.push(change);
    }
    Plan { environment: "production".parse().unwrap(), units, containers: BTreeMap::new() }
}

fn jellyfin() -> Plan {
    let (zone, tunnel, site) = ("cloudflare_dns:z", "cloudflare_tunnel:a/media", "unifi_dns:s");
    let address = |last: u8| json!({"values": [format!("192.168.1.{last}")], "ttl": 0});
    let cname = json!({"values": [{"tunnel": "a/media"}], "ttl": 1, "proxied": true});
    let rule = json!({"service": "http://jellyfin.internal.lan:8096"});
    plan(vec![
        change(
            "jellyfin/cloudflare_tunnel",
            Action::Create,
            (zone, "CNAME", "jellyfin.example.com"),
            None,
            Some(cname),
        ),
        change(
            "jellyfin/cloudflare_tunnel",
            Action::Create,
            (tunnel, "rule", "jellyfin.example.com"),
            None,
            Some(rule),
        ),
        change(
            "jellyfin/unifi_dns",
            Action::Update,
            (site, "A", "jellyfin.internal.lan"),
            Some(address(9)),
            Some(address(50)),
        ),
        change(
            "nas/unifi_dns",
            Action::Delete,
            (site, "A", "old.internal.lan"),
            Some(address(7)),
            None,
        ),
    ])
}

fn environment(plan: Plan, next: NextStep) -> EnvironmentReport {
    EnvironmentReport {
        environment: "production".parse().unwrap(),
        branch: Some("main".parse().unwrap()),
        plan: Ok(plan),
        legend: legend(),
        next,
        ways: Vec::new(),
        exposure: Exposure::default(),
        violations: Vec::new(),
        declares: Vec::new(),
    }
}

fn legend() -> Legend {
    let ranks = [("unifi_dns", 0), ("cloudflare_tunnel", 1), ("cloudflare_dns", 2)];
    let ranks = ranks.map(|(kind, rank)| (kind.parse().unwrap(), rank)).into();
    Legend { ranks, ..Legend::default() }
}

fn report(environments: Vec<EnvironmentReport>) -> PullReport {
    PullReport {
        pull: landfall_core::name::PullNumber(7),
        head: "3f2c1ab".repeat(6)[..40].parse().unwrap(),
        base: "main".parse().unwrap(),
        draft: false,
        outcome: PullOutcome::Planned { warnings: Vec::new(), environments },
        config_note: None,
        opened: None,
        weaknesses: Vec::new(),
    }
}

#[test]
fn a_plan_reads_from_the_table_to_the_next_step() {
    let mut production = environment(jellyfin(), NextStep::Merge);
    production.exposure.opens = vec!["jellyfin.example.com".to_owned()];
    let hop = |label: &str, mark| Hop { label: label.to_owned(), mark };
    production.ways = vec![Way {
        hops: vec![
            hop("jellyfin.example.com", Mark::Created),
            hop("tunnel media", Mark::Existing),
            hop("jellyfin.internal.lan", Mark::Changed),
            hop("192.168.1.50", Mark::Changed),
        ],
    }];
    let document = templates().pull(&report(vec![production])).unwrap();
    assert_snapshot!(document.whole(), @"
    ### Landfall plan for `3f2c1ab`

    | Environment | Plan | Digest |
    |---|---|---|
    | **production** (`main`) | 2 to create, 1 to update, 1 to delete | `4848f513` |

    - 🌍 **becomes public** in **production**: `jellyfin.example.com`

    <details open>
    <summary><b>jellyfin</b> in <b>production</b>: 2 to create, 1 to update</summary>

    ```diff
    @@ unifi_dns @@
    ! update A jellyfin.internal.lan
    -     values: 192.168.1.9
    +     values: 192.168.1.50
    @@ cloudflare_tunnel @@
    + create rule jellyfin.example.com = http://jellyfin.internal.lan:8096
    + create CNAME jellyfin.example.com = tunnel media (proxied)
    ```

    `jellyfin.example.com` *created* → `tunnel media` → `jellyfin.internal.lan` *changed* → `192.168.1.50` *changed*

    </details>

    <details open>
    <summary><b>nas</b> in <b>production</b>: 1 to delete</summary>

    ```diff
    @@ unifi_dns @@
    - delete A old.internal.lan = 192.168.1.7
    ```

    </details>

    ---
    **Next:** Merge to apply to **production**.
    ");
}

#[test]
fn a_run_that_waits_shows_both_plans() {
    let plan = jellyfin();
    let extra: Vec<Change> = plan.changes().skip(2).take(1).cloned().collect();
    let before = Some(json!({"values": ["192.168.1.8"], "ttl": 0}));
    let missing = vec![Change { before, ..extra[0].clone() }];
    let report = RunReport {
        environment: "production".parse().unwrap(),
        commit: "3f2c1ab".repeat(6)[..40].parse().unwrap(),
        branch: "main".parse().unwrap(),
        digest: Some(plan.digest()),
        plan: Some(plan),
        legend: legend(),
        stage: RunStage::Held(Waiting::Differs { extra, missing }),
        steps: Vec::new(),
        unreviewed: Vec::new(),
        left_out: Vec::new(),
    };
    assert_snapshot!(templates().run(&report).unwrap().whole(), @"
    ### ⏸️ production waits: what would happen is not what was reviewed

    `3f2c1ab` on `main`, plan `4848f513`: 2 to create, 1 to update, 1 to delete

    **Was reviewed:**

    ```diff
    @@ jellyfin/unifi_dns @@
    ! update A jellyfin.internal.lan
    -     values: 192.168.1.8
    +     values: 192.168.1.50
    ```

    **Would happen now:**

    ```diff
    @@ jellyfin/unifi_dns @@
    ! update A jellyfin.internal.lan
    -     values: 192.168.1.9
    +     values: 192.168.1.50
    @@ jellyfin/cloudflare_tunnel @@
    + create rule jellyfin.example.com = http://jellyfin.internal.lan:8096
    + create CNAME jellyfin.example.com = tunnel media (proxied)
    @@ nas/unifi_dns @@
    - delete A old.internal.lan = 192.168.1.7
    ```

    **Of this, nobody reviewed:**

    ```diff
    @@ jellyfin/unifi_dns @@
    ! update A jellyfin.internal.lan
    -     values: 192.168.1.9
    +     values: 192.168.1.50
    ```

    ---
    **Next:**

    - `/apply production 4848f513` applies exactly what is shown here
    - `/cancel production` drops this run
    ");
}

#[test]
fn a_failed_run_says_what_was_done_and_what_goes_on() {
    let plan = jellyfin();
    let mut changes = plan.changes().cloned();
    let mut step = |result| StepReport {
        services: Vec::new(),
        changes: vec![changes.next().unwrap()],
        result,
    };
    let steps = vec![
        step(StepResult::Done),
        step(StepResult::Failed("the zone says no: 81053".to_owned())),
        step(StepResult::Skipped),
    ];
    let report = RunReport {
        environment: "production".parse().unwrap(),
        commit: "3f2c1ab".repeat(6)[..40].parse().unwrap(),
        branch: "main".parse().unwrap(),
        digest: Some(plan.digest()),
        plan: Some(plan.clone()),
        legend: legend(),
        stage: RunStage::Failed("the zone says no: 81053".to_owned()),
        steps,
        unreviewed: Vec::new(),
        left_out: Vec::new(),
    };
    assert_snapshot!(templates().run(&report).unwrap().whole(), @"
    ### ❌ Not all of it could be applied to production: 1 of 3 steps done

    `3f2c1ab` on `main`, plan `4848f513`: 2 to create, 1 to update, 1 to delete

    | Step | Result | Change |
    |---|---|---|
    | 1 | done | `create CNAME jellyfin.example.com tunnel media (proxied)` |
    | 2 | failed | `create rule jellyfin.example.com http://jellyfin.internal.lan:8096`<br>the zone says no: 81053 |
    | 3 | skipped | `update A jellyfin.internal.lan 192.168.1.9 → 192.168.1.50` |

    ---
    **Next:**

    - `/apply production` tries what is left again
    ");
    assert_snapshot!(templates().run_line(&report, None).unwrap(), @"❌ Not all of it could be applied to production: 1 of 3 steps done (`3f2c1ab`); not done: `jellyfin/cloudflare_tunnel`, `jellyfin/unifi_dns`");
}

#[test]
fn gaps_are_closed_outside_fences_only() {
    let text = "\n\na\n\n\nb\n```diff\n\n\nx\n```\n\n\n";
    assert_eq!(without_gaps(text), "a\n\nb\n```diff\n\n\nx\n```\n");
}
