//! Who has a fork, or makes commits in somebody else's.

use landfall_core::name::RepositoryId;
use landfall_sim::github::{Fate, NewPull, OnDelivery, edit};
use landfall_store::{Consequences, Item, ItemKey, ItemKind, NewDelivery, Store};
use landfall_tests::world::{ALICE, EVE, World, world};

use super::asked_providers;
use crate::nas::nas_at;

#[tokio::test]
async fn a_fork_has_a_provider_asked_with_our_credentials() {
    world(async |w| {
        w.bootstrap().await;
        let before = asked_providers(w);
        let fork = w.repo.fork(EVE).await.unwrap();
        let [(path, moved)] = nas_at("6.6.6.6");
        fork.push("main", EVE, "Change it", [edit(path, moved)]).await.unwrap();
        w.open(NewPull::from("main").of_fork(&fork).by(EVE)).await;
        w.read_everything().await;
        // Not even for somebody who may command.
        w.comment_as(ALICE, "/plan");
        w.read_everything().await;
        assert_eq!(asked_providers(w), before);
    })
    .await;
}

/// A repository answers for the commits of all its forks, whoever's pull request they are in.
#[tokio::test]
async fn a_commit_of_somebody_elses_fork_is_named_where_it_is_not_the_head() {
    world(async |w| {
        w.bootstrap().await;
        let [evil, harmless] = forks_of(w, ["6.6.6.6", "192.168.1.51"]).await;
        let before = asked_providers(w);
        for named in [&evil[..], &evil[..8], &"0".repeat(40)] {
            let word = w.comment_as(ALICE, &format!("/plan {named}"));
            let answer = w.answer().await;
            assert!(answer.contains("is not the head of this pull request"), "{answer}");
            assert!(answer.contains(&w.read(&format!("`/plan {}`", &harmless[..8]))), "{answer}");
            assert_eq!(w.reactions(word).await, "eyes confused");
        }
        assert_eq!(asked_providers(w), before);
    })
    .await;
}

/// What was read is replaced while the word about it is on its way.
#[tokio::test]
async fn a_head_moves_between_the_word_about_it_and_the_plan() {
    world(async |w| {
        w.bootstrap().await;
        let fork = w.repo.fork(EVE).await.unwrap();
        let read = fork.push("main", EVE, "Move it", nas_at("192.168.1.51")).await.unwrap();
        w.open(NewPull::from("main").of_fork(&fork).by(EVE)).await;
        w.read_everything().await;
        let before = asked_providers(w);
        w.github.hooks().fate(OnDelivery::event("issue_comment"), Fate::Held);
        let word = w.comment_as(ALICE, &format!("/plan {}", &read[..8]));
        let evil = fork.push("main", EVE, "Move it there", nas_at("6.6.6.6")).await.unwrap();
        w.knows(&evil);
        w.read_everything().await;
        w.github.hooks().release();
        let answer = w.answer().await;
        assert!(answer.contains(&w.read(&format!("which is `{}` now", &evil[..8]))), "{answer}");
        assert_eq!(w.reactions(word).await, "eyes confused");
        assert_eq!(asked_providers(w), before);
        w.assert_silence().await;
    })
    .await;
}

/// Whoever makes a commit can choose how it begins, so it can be made to fit what was said of another
/// one. Here the one that was read had the same first twelve digits.
#[tokio::test]
async fn a_commit_is_made_that_begins_like_the_one_that_was_read() {
    world(async |w| {
        w.bootstrap().await;
        let [_, head] = forks_of(w, ["192.168.1.51", "6.6.6.6"]).await;
        w.server.stop().await;
        let store = w.server.store_at_rest().await;
        let read = format!("{}{}", &head[..12], "0".repeat(28));
        was_reported_on(&*store, RepositoryId(w.repo.id()), &head, &read).await;
        store.close().await;
        w.restart().await;
        w.read_everything().await;
        let before = asked_providers(w);
        for digits in [7, 12] {
            let word = w.comment(&format!("/plan {}", &head[..digits]));
            let answer = w.answer().await;
            assert!(answer.contains("is how more than one commit begins"), "{answer}");
            assert_eq!(w.reactions(word).await, "eyes confused");
        }
        assert_eq!(asked_providers(w), before);
        // Who has read this one says so with all of it.
        w.comment(&format!("/plan {head}"));
        assert!(w.plan_comment().await.contains("| 1 to update |"));
    })
    .await;
}

/// The commit `read` had a check like that of `head`.
async fn was_reported_on(store: &dyn Store, repository: RepositoryId, head: &str, read: &str) {
    let kind = ItemKind::Check;
    let told = store.items_under(repository, kind, &format!("check/{head}/")).await.unwrap();
    let mut body = told.into_iter().next().expect("the head was reported on");
    body["head"] = read.into();
    let subject = format!("check/{read}/{}", body["name"].as_str().unwrap());
    let known = store.repository(repository).await.unwrap().unwrap();
    let key = ItemKey { installation: known.installation, repository, kind, subject };
    let delivery = NewDelivery {
        id: "00000000-0000-0000-0000-000000000077".parse().unwrap(),
        event: "ping".to_owned(),
        action: None,
        installation: None,
        repository: None,
        body: b"{}".to_vec(),
        received_at: store.now().await.unwrap(),
    };
    store.insert_delivery(&delivery).await.unwrap();
    let items = vec![Item { key, body, priority: 0 }];
    store
        .finish_delivery(delivery.id, &Consequences { items, ..Consequences::default() })
        .await
        .unwrap();
}

#[tokio::test]
async fn the_author_of_a_fork_allows_their_own_head() {
    world(async |w| {
        w.bootstrap().await;
        let [_, head] = forks_of(w, ["192.168.1.52", "192.168.1.51"]).await;
        let before = asked_providers(w);
        for login in [EVE, "mallory"] {
            let word = w.comment_as(login, &format!("/plan {head}"));
            w.read_everything().await;
            assert_eq!(w.reactions(word).await, "eyes confused", "{login}");
        }
        assert_eq!(asked_providers(w), before);
    })
    .await;
}

/// The heads of two pull requests, each from a fork of somebody else. The second one is meant from then
/// on, and all was read.
async fn forks_of(w: &mut World, addresses: [&str; 2]) -> [String; 2] {
    let mut heads = addresses.map(str::to_owned);
    for (head, owner) in heads.iter_mut().zip([EVE, "mallory"]) {
        let fork = w.repo.fork(owner).await.unwrap();
        *head = fork.push("main", owner, "Move it", nas_at(head)).await.unwrap();
        w.knows(head);
        w.open(NewPull::from("main").of_fork(&fork).by(owner)).await;
    }
    w.read_everything().await;
    heads
}
