//! Commands: none is lost, none has two outcomes.

use landfall_core::name::PullNumber;
use landfall_store::{CommandId, CommandSource, Consequences, NewCommand, Store};

use crate::engine::Engine;
use crate::given::{HOMELAB, OCTOCAT, digest, fence};
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
    store.finish_command(&fence, id, "applied").await.unwrap();
    store.finish_command(&fence, id, "refused").await.unwrap();
    assert_eq!(store.command_outcome(id).await.unwrap().as_deref(), Some("applied"));
    assert!(store.pending_commands(HOMELAB, PULL).await.unwrap().is_empty());
}

pub(crate) async fn one_that_was_cut_off_is_pending_still(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    say(store, 1, vec![command(100, 0, "/apply"), command(100, 1, "/status")]).await;
    store
        .take_command(&fence, CommandId { source: CommandSource::Comment(100), index: 0 })
        .await
        .unwrap();
    let pending = store.pending_commands(HOMELAB, PULL).await.unwrap();
    assert_eq!(pending.iter().map(|row| row.taken).collect::<Vec<_>>(), [true, false]);
}
