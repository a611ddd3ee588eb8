//! Allowed heads: each holds for one commit into one branch, and is in the audit log once.

use landfall_core::name::PullNumber;
use landfall_store::{AllowedHead, AuditEntry, CommandId, CommandSource};

use crate::engine::Engine;
use crate::given::{HOMELAB, OCTOCAT, OTHER, commit, fence};

const PULL: PullNumber = PullNumber(7);

pub(crate) fn allowed(head: char, base: &str) -> AllowedHead {
    AllowedHead {
        repository: HOMELAB,
        pull: PULL,
        head: commit(head),
        base: base.parse().unwrap(),
        command: CommandId { source: CommandSource::Comment(100), index: 1 },
        by: OCTOCAT,
        login: "octocat".to_owned(),
        at: "2026-01-05T09:00:00Z".parse().unwrap(),
    }
}

pub(crate) fn entry() -> AuditEntry {
    AuditEntry {
        who: "octocat (583231)".to_owned(),
        what: "allow".to_owned(),
        repository: HOMELAB,
        environment: None,
        digest: None,
        why: "/plan aaaaaaaa".to_owned(),
    }
}

pub(crate) async fn a_head_is_allowed_for_its_base_and_pull_request_alone(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let (main, develop) = (allowed('a', "main"), allowed('a', "develop"));
    let later = AllowedHead { at: "2026-01-05T09:05:00Z".parse().unwrap(), ..allowed('b', "main") };
    for head in [&later, &main, &develop] {
        store.allow_head(&fence, head, &entry()).await.unwrap();
    }
    assert_eq!(store.allowed_heads(HOMELAB, PULL).await.unwrap(), [develop, main, later]);
    assert_eq!(store.allowed_heads(HOMELAB, PullNumber(8)).await.unwrap(), []);
    assert_eq!(store.allowed_heads(OTHER, PULL).await.unwrap(), []);
}

pub(crate) async fn the_first_word_for_a_head_stays_and_is_audited_once(engine: &Engine) {
    let store = &*engine.store;
    let fence = fence(store).await;
    let first = allowed('a', "main");
    let again = AllowedHead { login: "hubot".to_owned(), ..first.clone() };
    for head in [&first, &first, &again] {
        store.allow_head(&fence, head, &entry()).await.unwrap();
    }
    assert_eq!(store.allowed_heads(HOMELAB, PULL).await.unwrap(), [first]);
    let audited = store.audit(HOMELAB, 10).await.unwrap();
    assert_eq!(audited.into_iter().map(|row| row.entry).collect::<Vec<_>>(), [entry()]);
}
