//! Runs: one per commit and config, through legal states only.

use landfall_core::plan::Plan;
use landfall_core::report::Waiting;
use landfall_store::{Approval, Created, NewRun, RunId, RunState, Store, StoreError};

use crate::engine::Engine;
use crate::given::{
    HOMELAB, OCTOCAT, commit, digest, fence, new_plan, new_run, production, run_id, running,
    staging,
};

async fn state(store: &dyn Store, id: RunId) -> RunState {
    store.run(id).await.unwrap().unwrap().state
}

pub(crate) async fn a_run_is_unique_for_its_commit_and_config(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let first = store.insert_or_get_run(&fence, &new_run(1, commit('a'))).await.unwrap();
    let Created::New(run) = first else { panic!("{first:?}") };
    assert_eq!((run.state, run.attempt, run.plan), (RunState::Queued, 1, None));
    store.advance_run(&fence, run_id(1), RunState::Cancelled, "by octocat").await.unwrap();
    let again = store.insert_or_get_run(&fence, &new_run(2, commit('a'))).await.unwrap();
    let Created::Existing(run) = again else { panic!("{again:?}") };
    assert_eq!(
        (run.run.id, run.state),
        (run_id(1), RunState::Cancelled),
        "asking for it does not retry it"
    );
    let judged_anew = NewRun { config_digest: digest("another config"), ..new_run(3, commit('a')) };
    for other in [
        judged_anew,
        NewRun { environment: staging(), ..new_run(4, commit('a')) },
        new_run(5, commit('b')),
    ] {
        let created = store.insert_or_get_run(&fence, &other).await.unwrap();
        assert!(matches!(created, Created::New(_)), "{created:?}");
    }
}

pub(crate) async fn illegal_steps_between_states_are_refused(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let run = running(store, &fence, &new_run(1, commit('a'))).await;
    let refused = store.advance_run(&fence, run, RunState::Superseded, "").await;
    assert!(
        matches!(
            refused,
            Err(StoreError::IllegalTransition {
                from: RunState::Running,
                to: RunState::Superseded,
                ..
            })
        ),
        "{refused:?}"
    );
    store.advance_run(&fence, run, RunState::NeedsAttention, "a foreign record").await.unwrap();
    let refused = store.advance_run(&fence, run, RunState::Running, "").await;
    assert!(matches!(refused, Err(StoreError::IllegalTransition { .. })), "{refused:?}");
    let found = store.run(run).await.unwrap().unwrap();
    assert_eq!(
        (found.state, found.reason.as_str()),
        (RunState::NeedsAttention, "a foreign record")
    );
    assert!(found.ended_at.is_some());
    let missing = store.advance_run(&fence, run_id(9), RunState::Running, "").await;
    assert!(matches!(missing, Err(StoreError::Missing(_))), "{missing:?}");
}

pub(crate) async fn success_is_noted_at_the_environment(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    assert_eq!(store.last_succeeded_run(HOMELAB, &production()).await.unwrap(), None);
    for (number, end) in [(1, RunState::Succeeded), (2, RunState::Failed)] {
        let digit = char::from_digit(number, 10).unwrap();
        let run = running(store, &fence, &new_run(number.into(), commit(digit))).await;
        engine.pass(1);
        store.advance_run(&fence, run, end, "").await.unwrap();
    }
    let environment = store.environment(HOMELAB, &production()).await.unwrap().unwrap();
    let last = environment.last.unwrap();
    assert_eq!(
        (last.run, last.commit, last.config_digest),
        (run_id(1), commit('1'), digest("config"))
    );
    assert_eq!(environment.bootstrapped_at, Some(last.at));
    assert_eq!(
        store.last_succeeded_run(HOMELAB, &production()).await.unwrap().unwrap().run.id,
        run_id(1)
    );
    let recent = store.recent_runs(HOMELAB, &production(), 10).await.unwrap();
    assert_eq!(recent.iter().map(|run| run.run.id).collect::<Vec<_>>(), [run_id(2), run_id(1)]);
}

pub(crate) async fn a_newer_run_supersedes_only_what_waits(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let busy = running(store, &fence, &new_run(1, commit('1'))).await;
    let elsewhere = NewRun { environment: staging(), ..new_run(2, commit('2')) };
    for run in
        [new_run(3, commit('3')), elsewhere, new_run(4, commit('4')), new_run(5, commit('5'))]
    {
        store.insert_or_get_run(&fence, &run).await.unwrap();
    }
    let plan = Plan::empty(production());
    store.hold_run(&fence, run_id(3), &Waiting::Bootstrap, &plan).await.unwrap();
    let superseded = store.supersede_older_runs(&fence, run_id(4)).await.unwrap();
    assert_eq!(superseded, [run_id(3)]);
    assert_eq!(state(store, busy).await, RunState::Running);
    assert_eq!(state(store, run_id(3)).await, RunState::Superseded);
    let queued = store.runs_in(&[RunState::Queued, RunState::Held]).await.unwrap();
    assert_eq!(
        queued.iter().map(|run| run.run.id).collect::<Vec<_>>(),
        [run_id(2), run_id(4), run_id(5)]
    );
}

pub(crate) async fn a_run_that_waits_is_cancelled_and_one_under_way_is_asked_to_stop(
    engine: &Engine,
) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let busy = running(store, &fence, &new_run(1, commit('1'))).await;
    store.insert_or_get_run(&fence, &new_run(2, commit('2'))).await.unwrap();
    store.insert_or_get_run(&fence, &new_run(3, commit('3'))).await.unwrap();
    let plan = Plan::empty(production());
    store.hold_run(&fence, run_id(3), &Waiting::Bootstrap, &plan).await.unwrap();
    for waiting in [run_id(2), run_id(3)] {
        let run = store.cancel_run(&fence, waiting, "by octocat").await.unwrap().unwrap();
        assert_eq!((run.state, run.reason.as_str()), (RunState::Cancelled, "by octocat"));
        assert_eq!((run.waiting, run.stop), (None, None));
        assert_eq!(store.cancel_run(&fence, waiting, "again").await.unwrap(), None);
    }
    assert_eq!(store.stop_asked(busy).await.unwrap(), None);
    for who in ["by octocat", "by somebody else"] {
        let run = store.cancel_run(&fence, busy, who).await.unwrap().unwrap();
        assert_eq!((run.state, run.stop.as_deref()), (RunState::Running, Some("by octocat")));
    }
    assert_eq!(store.stop_asked(busy).await.unwrap().as_deref(), Some("by octocat"));
    store.advance_run(&fence, busy, RunState::Cancelled, "by octocat").await.unwrap();
    let again = store.retry_run(&fence, busy).await.unwrap();
    assert_eq!((again.state, again.stop), (RunState::Queued, None));
}

pub(crate) async fn a_hold_is_kept_with_its_plan_until_the_run_goes_on(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let plan = Plan::empty(production());
    store.insert_or_get_run(&fence, &new_run(1, commit('1'))).await.unwrap();
    let bare = store.advance_run(&fence, run_id(1), RunState::Held, "why").await;
    assert!(matches!(bare, Err(StoreError::IllegalTransition { .. })), "{bare:?}");

    let held = store.hold_run(&fence, run_id(1), &Waiting::Bootstrap, &plan).await.unwrap();
    assert_eq!((held.state, held.reason.as_str()), (RunState::Held, "this is its first run"));
    assert_eq!((held.waiting, held.plan), (Some(Waiting::Bootstrap), Some(plan.clone())));
    let held = store.hold_run(&fence, run_id(1), &Waiting::Conflicts, &plan).await.unwrap();
    assert_eq!(held.waiting, Some(Waiting::Conflicts), "what it waits for has changed");

    let gone_on = store.advance_run(&fence, run_id(1), RunState::Running, "").await.unwrap();
    assert_eq!((gone_on.waiting, gone_on.reason.as_str()), (None, ""));
    let again = store.hold_run(&fence, run_id(1), &Waiting::Conflicts, &plan).await.unwrap();
    assert_eq!(again.state, RunState::Held, "it was cut off, and what is left was not reviewed");
    store.advance_run(&fence, run_id(1), RunState::Cancelled, "").await.unwrap();
    let too_late = store.hold_run(&fence, run_id(1), &Waiting::Bootstrap, &plan).await;
    assert!(matches!(too_late, Err(StoreError::IllegalTransition { .. })), "{too_late:?}");
}

pub(crate) async fn a_retry_is_asked_for_and_counted(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let run = running(store, &fence, &new_run(1, commit('a'))).await;
    assert!(store.retry_run(&fence, run).await.is_err(), "it runs");
    let plan = new_plan(1, None, &["nas"]).plan;
    store.set_run_plan(&fence, run, &plan).await.unwrap();
    assert_eq!(store.run(run).await.unwrap().unwrap().plan, Some(plan));
    store.advance_run(&fence, run, RunState::Failed, "HTTP 403").await.unwrap();
    let again = store.retry_run(&fence, run).await.unwrap();
    assert_eq!((again.state, again.attempt, again.plan), (RunState::Queued, 2, None));
    assert_eq!((again.started_at, again.ended_at), (None, None));
    store.advance_run(&fence, run, RunState::Running, "").await.unwrap();
    store.advance_run(&fence, run, RunState::Succeeded, "").await.unwrap();
    assert!(store.retry_run(&fence, run).await.is_err(), "what succeeded is not retried");
}

pub(crate) async fn each_word_for_a_digest_is_kept_once(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    store.insert_or_get_run(&fence, &new_run(1, commit('a'))).await.unwrap();
    let at = store.now().await.unwrap();
    let first = Approval { digest: digest("plan"), by: OCTOCAT, login: "octocat".to_owned(), at };
    let second = Approval { digest: digest("another plan"), ..first.clone() };
    let repeated = Approval { login: "renamed".to_owned(), ..first.clone() };
    for approval in [&first, &second, &repeated] {
        store.approve_run(&fence, run_id(1), approval).await.unwrap();
    }
    let approvals = store.run(run_id(1)).await.unwrap().unwrap().approvals;
    assert_eq!(approvals.len(), 2);
    assert!(approvals.contains(&first) && approvals.contains(&second));
}

pub(crate) async fn a_run_that_was_overtaken_is_begun_anew(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let ask = async |number, digit| {
        store.insert_or_get_run(&fence, &new_run(number, commit(digit))).await.unwrap()
    };
    let end = async |run, state| {
        store.advance_run(&fence, run, RunState::Running, "").await.unwrap();
        store.advance_run(&fence, run, state, "").await.unwrap();
    };
    ask(1, 'a').await;
    let word = Approval {
        digest: digest("plan"),
        by: OCTOCAT,
        login: "octocat".to_owned(),
        at: store.now().await.unwrap(),
    };
    store.approve_run(&fence, run_id(1), &word).await.unwrap();
    end(run_id(1), RunState::Succeeded).await;
    assert!(matches!(ask(9, 'a').await, Created::Existing(_)), "it is the newest");
    ask(2, 'b').await;
    let plan = Plan::empty(production());
    store.hold_run(&fence, run_id(2), &Waiting::Bootstrap, &plan).await.unwrap();
    assert!(matches!(ask(9, 'a').await, Created::Existing(_)), "nothing has moved since");
    end(run_id(2), RunState::Failed).await;

    let Created::New(again) = ask(9, 'a').await else { panic!("the branch went back") };
    assert_eq!((again.run.id, again.state, again.attempt), (run_id(1), RunState::Queued, 2));
    assert!(again.approvals.is_empty(), "a word is for what was to be done then");
    let newest = store.recent_runs(HOMELAB, &production(), 1).await.unwrap().remove(0);
    assert_eq!(newest.run.id, run_id(1));
    assert!(matches!(ask(9, 'b').await, Created::Existing(_)), "nothing retries what failed");

    ask(3, 'c').await;
    assert_eq!(store.supersede_older_runs(&fence, run_id(3)).await.unwrap(), [run_id(1)]);
    assert!(matches!(ask(9, 'a').await, Created::New(_)), "it went back before that one began");
}

pub(crate) async fn a_run_that_was_cut_off_is_ended_by_the_next(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let cut_off = running(store, &fence, &new_run(1, commit('1'))).await;
    let elsewhere = NewRun { environment: staging(), ..new_run(2, commit('2')) };
    let elsewhere = running(store, &fence, &elsewhere).await;
    let this = running(store, &fence, &new_run(3, commit('3'))).await;
    assert_eq!(store.end_cut_off_runs(&fence, this).await.unwrap(), [cut_off]);
    assert_eq!(state(store, cut_off).await, RunState::Failed);
    assert_eq!(state(store, this).await, RunState::Running);
    assert_eq!(state(store, elsewhere).await, RunState::Running);
}
