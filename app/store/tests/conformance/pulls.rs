//! Pull requests: the newest description, and the merged ones by their commit.

use landfall_core::name::{BranchName, PullNumber};
use landfall_core::plan::{Digest, Value};
use landfall_store::{Asked, PlanMade, Pull, PullState};

use crate::engine::Engine;
use crate::given::{HOMELAB, OCTOCAT, OTHER, commit, fence};

/// Pull request `number`, as GitHub describes it at minute `minute`.
fn pull(number: u64, minute: u32, state: PullState) -> Pull {
    Pull {
        repository: HOMELAB,
        number: PullNumber(number),
        head: commit('a'),
        head_repository: Some(HOMELAB),
        base: "main".parse().unwrap(),
        author: OCTOCAT,
        state,
        updated_at: format!("2026-01-05T09:{minute:02}:00Z").parse().unwrap(),
    }
}

fn merged(minute: u32, digit: char) -> PullState {
    let at = format!("2026-01-05T09:{minute:02}:00Z").parse().unwrap();
    PullState::Merged { at, commit: commit(digit), by: None }
}

pub(crate) async fn an_older_description_never_replaces_a_newer_one(engine: &Engine) {
    let store = &*engine.store;
    let newer = Pull { head: commit('b'), head_repository: None, ..pull(7, 5, merged(5, 'c')) };
    for description in [&pull(7, 1, PullState::Open), &newer, &pull(7, 3, PullState::Open)] {
        store.upsert_pull(description).await.unwrap();
    }
    let found = store.pull(HOMELAB, PullNumber(7)).await.unwrap().unwrap();
    assert_eq!(found, newer);
    assert!(found.is_fork(), "its repository is gone, so it was not this one");
    assert!(!pull(7, 1, PullState::Open).is_fork());
    assert_eq!(store.pull(OTHER, PullNumber(7)).await.unwrap(), None);
}

pub(crate) async fn merged_ones_are_found_by_their_commit(engine: &Engine) {
    let store = &*engine.store;
    let all = [
        pull(1, 0, PullState::Open),
        pull(2, 0, PullState::Closed),
        pull(3, 0, merged(9, 'c')),
        pull(4, 0, merged(8, 'd')),
        pull(5, 0, merged(7, 'e')),
    ];
    for pull in &all {
        store.upsert_pull(pull).await.unwrap();
    }
    assert_eq!(store.open_pulls(HOMELAB).await.unwrap(), all[..1]);
    let found =
        store.merged_pulls(HOMELAB, &[commit('c'), commit('d'), commit('f')]).await.unwrap();
    assert_eq!(
        found.iter().map(|pull| pull.number.0).collect::<Vec<_>>(),
        [4, 3],
        "by the time of the merge"
    );
}

pub(crate) async fn a_plan_is_due_until_one_was_made_for_the_last_asking(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let number = PullNumber(7);
    let due = async || store.plan_due(HOMELAB, number).await.unwrap();
    assert_eq!(due().await, None, "nobody heard of it");
    store.upsert_pull(&pull(7, 1, PullState::Open)).await.unwrap();
    let opened = due().await.unwrap();
    store.ask_for_plans(HOMELAB, &[number]).await.unwrap();
    let asked = due().await.unwrap();
    assert!(asked > opened, "{asked:?} {opened:?}");
    store.plan_made(&fence, HOMELAB, number, &made(opened)).await.unwrap();
    assert_eq!(due().await, Some(asked), "it was asked for again meanwhile");
    store.plan_made(&fence, HOMELAB, number, &made(asked)).await.unwrap();
    store.plan_made(&fence, HOMELAB, number, &made(opened)).await.unwrap();
    assert_eq!(due().await, None);
    store.upsert_pull(&pull(7, 2, PullState::Open)).await.unwrap();
    assert_eq!(due().await, None, "a description asks for nothing");
}

fn made(asked: Asked) -> PlanMade {
    PlanMade { asked, rules: None, stuck: false }
}

pub(crate) async fn more_can_be_said_of_what_was_stuck_or_judged_otherwise(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let (now, then) = (Digest::of(&Value::from("now")), Digest::of(&Value::from("then")));
    let plans = [
        (7, Some(now), false),
        (8, Some(now), true),
        (9, Some(then), false),
        (10, None, false),
        (11, Some(then), true),
    ];
    for (number, rules, stuck) in plans {
        let state = if number == 11 { PullState::Closed } else { PullState::Open };
        store.upsert_pull(&pull(number, 1, state)).await.unwrap();
        let made = PlanMade { asked: Asked(1), rules, stuck };
        store.plan_made(&fence, HOMELAB, PullNumber(number), &made).await.unwrap();
    }
    let outdated = async |branch: &str, rules: Option<&Digest>| {
        let branch = BranchName::new(branch).unwrap();
        let found = store.outdated_pulls(HOMELAB, &branch, rules).await.unwrap();
        found.into_iter().map(|number| number.0).collect::<Vec<_>>()
    };
    let base = pull(7, 1, PullState::Open).base;
    assert_eq!(outdated(base.as_str(), None).await, [8]);
    assert_eq!(outdated("elsewhere", None).await, [0; 0]);
    assert_eq!(outdated("elsewhere", Some(&now)).await, [9, 10]);
    assert_eq!(outdated(base.as_str(), Some(&now)).await, [8, 9, 10]);
}
