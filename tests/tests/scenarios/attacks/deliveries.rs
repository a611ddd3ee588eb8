//! Who delivers to the webhook what GitHub did not send, or sent to others, or long ago. All of it is
//! signed with our secret.

use std::io::ErrorKind;
use std::net::TcpListener;

use landfall_sim::github::{Fate, OnDelivery, edit};
use landfall_tests::world::{Delivery, World, world};
use serde_json::{Value, json};

use crate::nas::nas_at;

/// Years later, or by somebody who could read our traffic once: the same bytes with a new id.
#[tokio::test]
async fn an_old_delivery_comes_again_under_another_id() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        w.merge().await;
        w.read_everything().await;
        w.push("main", nas_at("192.168.1.52")).await;
        w.read_everything().await;
        let held = w.run_check("production").await;
        let writes = w.writes();
        for (number, attempt) in w.github.hooks().log().iter().enumerate() {
            let body = attempt.payload.to_string();
            let again = Delivery::signed(&attempt.event, 700 + number, body);
            assert_eq!(w.deliver(again).await.0, 202);
        }
        w.assert_silence().await;
        assert_eq!((w.run_check("production").await, w.writes()), (held, writes));
    })
    .await;
}

/// Payloads are full of addresses. None of them is believed: everything is asked where the operator
/// says that GitHub is.
#[tokio::test]
async fn a_payload_leads_us_to_a_server_of_its_own() {
    world(async |w| {
        w.bootstrap().await;
        let payload = held_back(w).await.to_string();
        let trap = TcpListener::bind("127.0.0.1:0").unwrap();
        trap.set_nonblocking(true).unwrap();
        let here = format!("http://{}", trap.local_addr().unwrap());
        let payload = payload.replace(&w.github.api_url(), &here).replace(&w.github.url(), &here);
        assert!(payload.contains(&here));
        assert_eq!(w.deliver(Delivery::signed("pull_request", 1, payload)).await.0, 202);
        assert!(w.plan_comment().await.contains("192.168.1.51"));
        assert_eq!(trap.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody called");
    })
    .await;
}

/// Two Apps of one operator may have one secret.
#[tokio::test]
async fn a_delivery_for_another_app_is_handed_to_us() {
    world(async |w| {
        let opened = held_back(w).await.to_string();
        let ours = landfall_sim::github::Settings::default().app_id;
        let theirs =
            Delivery { target: Some(ours + 1), ..Delivery::signed("pull_request", 1, opened) };
        assert_eq!(w.deliver(theirs.clone()).await, (401, "no".to_owned()));
        w.assert_silence().await;
        assert_eq!(w.deliver(Delivery { target: Some(ours), ..theirs }).await.0, 202);
        assert!(w.plan_comment().await.contains("192.168.1.51"));
    })
    .await;
}

/// Whoever is let in by one owner names what another one has.
#[tokio::test]
async fn an_installation_speaks_for_a_repository_of_somebody_else() {
    world(async |w| {
        w.bootstrap().await;
        let opened = held_back(w).await;
        let readme = [edit("README.md", "# Lab\n")];
        w.github.create_repository("umbrella/lab", readme).await.unwrap();
        w.settle().await;
        let [ours, theirs] = [0, 1].map(|at| w.github.installations()[at].id);
        let store = w.server.store();
        let before = store.active_repositories().await.unwrap();
        w.exchanges().clear();

        let mut payload = opened.clone();
        payload["installation"]["id"] = json!(theirs);
        assert_eq!(w.deliver(signed(1, &payload)).await.0, 202);
        w.assert_silence().await;
        let asked = w.exchanges().count(|said| said.path.contains("/repos/acme/homelab"));
        assert_eq!((asked, w.repo.comments(w.number()).len()), (0, 0));
        assert_eq!(w.server.store().active_repositories().await.unwrap(), before);

        assert_eq!(opened["installation"]["id"], json!(ours));
        assert_eq!(w.deliver(signed(2, &opened)).await.0, 202);
        assert!(w.plan_comment().await.contains("192.168.1.51"));
    })
    .await;
}

/// What GitHub would say of a pull request that was opened, and did not.
async fn held_back(w: &mut World) -> Value {
    w.github.hooks().fate(OnDelivery::event("pull_request"), Fate::Held);
    w.pull("move", nas_at("192.168.1.51")).await;
    w.settle().await;
    w.github.hooks().held().pop().expect("it is held back")
}

fn signed(number: usize, payload: &Value) -> Delivery {
    Delivery::signed("pull_request", number, payload.to_string())
}
