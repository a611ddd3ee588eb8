//! Commands: none is lost, none has two outcomes.

use jiff::SignedDuration;
use landfall_core::name::PullNumber;
use landfall_store::{
    AuditEntry, CommandId, CommandSource, Consequences, Meant, NewCommand, Store,
};

use crate::engine::Engine;
use crate::given::{HOMELAB, OCTOCAT, digest, fence, run_id};
use crate::inbox::delivery;

const PULL: PullNumber = PullNumber(7);

fn command(comment: u64, index: u32, text: &str) -> NewCommand {
    NewCommand {
        id: CommandId { source: CommandSource::Comment(comment), index },
        repository: HOMELAB,
        pull: PULL,
        author: OCTOCAT,
        login: "octocat".to_owned(),
        text: text.to_owned(),
        said: Some(digest(text)),
        commented_at: "2026-01-05T09:00:00Z".parse().unwrap(),
    }
}

/// Commands as they come in: with a delivery.
async fn say(store: &dyn Store, number: u128, commands: Vec<NewCommand>) {
    let delivery = delivery(number, "issue_comment");
    store.insert_delivery(&delivery).await.unwrap();
    store
        .finish_delivery(delivery.id, &Consequences { commands, ..Default::default() })
        .await
        .unwrap();
}

pub(crate) async fn a_burst_loses_none(engine: &Engine) {
    let store = &*engine.store;
    say(store, 1, vec![command(100, 0, "/plan"), command(100, 1, "/plan")]).await;
    say(store, 2, vec![command(101, 0, "/plan")]).await;
    // The same comment in a second delivery is the same command.
    say(store, 3, vec![command(101, 0, "/plan")]).await;
    let pending = store.pending_commands(HOMELAB, PULL).await.unwrap();
    let ids: Vec<String> = pending.iter().map(|row| row.command.id.to_string()).collect();
    assert_eq!(ids, ["100.0", "100.1", "101.0"]);
    assert_eq!(pending[0].command, command(100, 0, "/plan"));
}

pub(crate) async fn a_command_has_one_outcome(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let id = CommandId { source: CommandSource::Comment(100), index: 0 };
    say(store, 1, vec![command(100, 0, "/apply")]).await;
    assert_eq!(store.command_outcome(id).await.unwrap(), None);
    let entry = |what: &str| AuditEntry {
        who: "octocat (1)".to_owned(),
        what: what.to_owned(),
        repository: HOMELAB,
        environment: None,
        digest: None,
        why: "/apply".to_owned(),
    };
    store.finish_command(&fence, id, "applied", Some(&entry("apply"))).await.unwrap();
    store.finish_command(&fence, id, "refused", Some(&entry("refused"))).await.unwrap();
    assert_eq!(store.command_outcome(id).await.unwrap().as_deref(), Some("applied"));
    assert!(store.pending_commands(HOMELAB, PULL).await.unwrap().is_empty());
    let audit = store.audit(HOMELAB, 10).await.unwrap();
    assert_eq!(audit.into_iter().map(|row| row.entry).collect::<Vec<_>>(), [entry("apply")]);
}

pub(crate) async fn one_that_was_cut_off_is_pending_still_and_means_the_same(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    say(store, 1, vec![command(100, 0, "/cancel"), command(100, 1, "/unlock")]).await;
    say(store, 2, vec![command(101, 0, "/status")]).await;
    let run = Meant::Run(run_id(7));
    let lock = Meant::Lock("production".parse().unwrap());
    let id = |index| CommandId { source: CommandSource::Comment(100), index };
    store.note_meant(&fence, id(0), &run).await.unwrap();
    store.note_meant(&fence, id(1), &lock).await.unwrap();
    let pending = store.pending_commands(HOMELAB, PULL).await.unwrap();
    let meant: Vec<Option<Meant>> = pending.into_iter().map(|row| row.meant).collect();
    assert_eq!(meant, [Some(run), Some(lock), None]);
}

pub(crate) async fn what_came_in_lately_is_known_whatever_became_of_it(engine: &Engine) {
    let store = &*engine.store;
    say(store, 1, vec![command(100, 0, "/plan")]).await;
    engine.pass(40);
    say(store, 2, vec![command(102, 0, "/help"), command(102, 1, "/plan")]).await;
    engine.pass(20);
    // It was written before those, and came in after them.
    say(store, 3, vec![command(101, 0, "/apply")]).await;
    let elsewhere = NewCommand { pull: PullNumber(8), ..command(103, 0, "/help") };
    say(store, 4, vec![elsewhere]).await;
    let id = CommandId { source: CommandSource::Comment(102), index: 0 };
    let fence = fence(store).await;
    store.finish_command(&fence, id, "answered", None).await.unwrap();

    let pending = store.pending_commands(HOMELAB, PULL).await.unwrap();
    let newest = pending.iter().map(|row| row.received_at).max().unwrap();
    assert_eq!(newest, store.now().await.unwrap());
    let since = newest - SignedDuration::from_secs(59);
    let lately = store.commands_since(HOMELAB, PULL, since).await.unwrap();
    let told: Vec<(String, Option<&str>)> =
        lately.iter().map(|heard| (heard.id.to_string(), heard.outcome.as_deref())).collect();
    let expected = [("102.0", Some("answered")), ("102.1", None), ("101.0", None)];
    assert_eq!(told, expected.map(|(id, outcome)| (id.to_owned(), outcome)));
    assert!(lately.iter().all(|heard| heard.author == OCTOCAT));
}
