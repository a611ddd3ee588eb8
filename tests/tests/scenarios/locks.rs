//! Locking an environment, and stopping what runs in one.

use insta::assert_snapshot;
use landfall_core::name::RepositoryId;
use landfall_sim::fault::{Fault, Gate, On};
use landfall_tests::world::{ALICE, BOB, world};

use crate::nas::{nas_at, planned};

#[tokio::test]
async fn no_run_begins_in_a_locked_environment_before_it_is_unlocked() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        let word = w.comment("/lock production the console is being updated");
        assert_snapshot!(w.outcome().await, @"**Next:** Merge. **production** is locked by alice (the console is being updated), so the run waits until `/unlock production`.");
        assert_eq!(w.reactions(word).await, "eyes rocket");
        assert_snapshot!(w.check("landfall / production (main)").await, @"success: 1 to update; locked by alice (the console is being updated)");

        let before = w.writes();
        w.merge().await;
        assert_snapshot!(w.run_comment().await, @"
        ### ⏸️ production is locked by alice (the console is being updated)

        `commit-4` on `main`, plan `2f488bee`: 1 to update

        ```diff
        @@ nas/unifi_dns @@
        ! update A nas.internal.lan
        -     values: 192.168.1.50
        +     values: 192.168.1.51
        ```

        ---
        **Next:**

        - `/unlock production` takes the lock off, and the run goes on
        - `/cancel production` drops this run
        ");
        assert_snapshot!(w.outcome().await, @"⏸️ production is locked by alice (the console is being updated) (`commit-4`)");
        w.comment_as(BOB, "/apply");
        assert_snapshot!(w.answer().await, @"
        `bob`: `/apply` was not carried out. production is locked by alice (the console is being updated).

        `/unlock production` takes the lock off.
        ");
        w.comment("/status");
        assert_snapshot!(w.answers().await, @"
        <details open>
        <summary><code>/status</code> at THEN, asked for by <b>alice</b></summary>

        | Environment | Live | Waits |
        |---|---|---|
        | **production** | `commit-2` | locked by alice (the console is being updated); held at `commit-4` |

        </details>
        ");
        assert_eq!(w.writes(), before);

        let word = w.comment_as(BOB, "/unlock production");
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-4`): 1 updated");
        assert_eq!(w.reactions(word).await, "eyes rocket");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
async fn a_lock_stays_whoever_wants_another_one() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        w.comment("/lock production");
        w.read_everything().await;
        w.comment_as(BOB, "/lock production mine");
        assert_snapshot!(w.answer().await, @"
        `bob`: `/lock production mine` was not carried out. production is locked by alice already.

        `/unlock production` takes that lock off.
        ");
        w.comment("/lock");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/lock` was not carried out. `/lock` lacks an environment.

        Usage: `/lock ENVIRONMENT [reason]`, for example `/lock production the database is being moved`.
        ");
        w.comment("/lock prodution");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/lock prodution` was not carried out. There is no environment `prodution` here.

        Did you mean `production`?
        ");
        // Nothing to do is nothing that could begin.
        w.merge().await;
        assert_snapshot!(w.run_comment().await, @"
        ### ⏸️ production is locked by alice

        `commit-4` on `main`

        ---
        **Next:**

        - `/unlock production` takes the lock off, and the run goes on
        - `/cancel production` drops this run
        ");
        w.comment("/unlock production");
        assert_snapshot!(w.run_comment().await, @"
        ### ✅ Applied to production

        `commit-4` on `main`
        ");
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
async fn two_people_unlock_at_once_and_the_run_goes_on() {
    world(async |w| {
        w.bootstrap().await;
        let pull = w.pull("move", nas_at("192.168.1.51")).await;
        w.comment("/lock production");
        w.read_everything().await;
        w.merge().await;
        w.read_everything().await;
        // The run that the first word frees is looked at when the second one is carried out.
        let gate = Gate::closed();
        w.unifi.faults().inject(On::get("/**"), Fault::Hold(gate.clone()));
        w.comment("/unlock production");
        w.comment_as(BOB, "/unlock production");
        w.github.hooks().deliver_all().await;
        gate.arrival().await;
        while w.repo.comments(pull).iter().all(|comment| !comment.body.contains("`bob`")) {
            tokio::task::yield_now().await;
        }
        gate.open();
        let told = w.comments().await;
        assert!(told[0].ends_with("✅ Applied to production (`commit-4`): 1 updated"), "{told:#?}");
        assert_snapshot!(told[2], @"
        `bob`: `/unlock production` was not carried out. production is not locked.

        `/cancel production` drops the run that waits there.
        ");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
async fn a_run_that_waits_is_cancelled_and_applied_by_a_later_word() {
    world(async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        w.comment("/cancel");
        assert_snapshot!(w.answer().await, @"`alice`: `/cancel` was not carried out. This pull request is not merged, so there is no run of it.");
        w.merge().await;
        w.read_everything().await;
        let word = w.comment("/cancel");
        assert_snapshot!(w.run_comment().await, @"
        ### ⏹️ The run on production was cancelled

        `commit-2` on `main`, plan `c1005935`: 3 to create

        > cancelled by alice
        ");
        assert_snapshot!(w.outcome().await, @"⏹️ The run on production was cancelled (`commit-2`)");
        assert_eq!(w.reactions(word).await, "eyes rocket");
        w.comment("/cancel production");
        assert_snapshot!(w.answer().await, @"`alice`: `/cancel production` was not carried out. No run of this pull request waits or is under way.");
        assert_eq!(w.writes(), 0);

        // It is looked at again, and waits again: nobody has given a word for what it does.
        w.comment("/apply");
        assert!(w.run_comment().await.contains("this is its first run"));
        w.comment("/apply");
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

#[tokio::test]
async fn a_run_that_is_under_way_finishes_its_step_and_stops() {
    world(async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        w.merge().await;
        w.read_everything().await;
        let (step, told) = (Gate::closed(), Gate::closed());
        w.unifi.faults().inject(On::write("/**"), Fault::Hold(step.clone()));
        let reactions = "/repos/*/*/issues/comments/*/reactions";
        // Of `/apply` both reactions pass, of `/cancel` the first.
        let done = On::post(reactions).skipping(3);
        w.github.faults().inject(done, Fault::Hold(told.clone()));
        w.comment("/apply");
        w.github.hooks().deliver_all().await;
        step.arrival().await;
        let word = w.comment_as(BOB, "/cancel production");
        w.github.hooks().deliver_all().await;
        told.arrival().await;
        step.open();
        told.open();
        assert_snapshot!(w.run_comment().await, @"
        ### ⏹️ The run on production was cancelled: 1 of 3 steps done

        `commit-2` on `main`, plan `c1005935`: 3 to create

        > cancelled by bob

        | Step | Result | Change |
        |---|---|---|
        | 1 | done | `create A nas.internal.lan 192.168.1.50` |
        | 2 | skipped | `create rule jellyfin.example.com http://nas.internal.lan:8096` |
        | 3 | skipped | `create CNAME jellyfin.example.com tunnel media (proxied)` |

        ---
        **Next:**

        - `/apply production` does what is left
        ");
        assert_snapshot!(w.outcome().await, @"⏹️ The run on production was cancelled: 1 of 3 steps done (`commit-2`); not done: `jellyfin/cloudflare_tunnel`");
        assert_eq!(w.reactions(word).await, "eyes rocket");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
        assert_eq!(w.writes(), 1);

        w.comment("/apply");
        w.read_everything().await;
        assert!(w.writes() > 1);
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-2`): 2 created");
    })
    .await;
}

/// Whoever locked for a pull request that comes to nothing has forgotten it.
#[tokio::test]
async fn a_lock_goes_with_the_pull_request_that_is_closed_and_no_other() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        w.comment("/lock production moving the NAS");
        w.read_everything().await;
        w.pull("elsewhere", nas_at("192.168.1.52")).await;
        w.read_everything().await;
        w.comment("/lock staging");
        w.read_everything().await;
        let forgotten = 2;
        w.repo.close(forgotten, ALICE).unwrap();
        w.on(forgotten);
        assert_snapshot!(w.outcome().await, @"⏹️ Closed without being merged, so nothing of this is applied. **production** is unlocked again. Opened again, it is planned anew.");
        w.read_everything().await;
        w.compare().await;
        w.settle().await;
        assert_snapshot!(w.outcome().await, @"⏹️ Closed without being merged, so nothing of this is applied. **production** is unlocked again. Opened again, it is planned anew.");
        let there = w.server.store().locks(RepositoryId(w.repo.id())).await.unwrap();
        assert_eq!(
            there.iter().map(|lock| lock.environment.as_str()).collect::<Vec<_>>(),
            ["staging"]
        );

        w.on(3).merge().await;
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.52"]);
    })
    .await;
}
