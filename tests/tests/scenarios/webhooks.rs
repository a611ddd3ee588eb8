//! The door: which deliveries are believed, and what one that is believed may cost.

use std::time::Duration;

use insta::assert_snapshot;
use landfall_sim::github::{Fate, OnDelivery};
use landfall_tests::contract::samples::samples;
use landfall_tests::world::{ALICE, Delivery, Setting, World, world, world_with};

/// The bytes of the largest delivery that GitHub sends.
const LARGEST: usize = 25 << 20;

#[tokio::test]
async fn a_delivery_that_comes_twice_changes_nothing() {
    world(async |w| {
        w.github.hooks().fate(OnDelivery::event("pull_request"), Fate::Twice);
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        let plan = w.plan_comment().await;

        let asked = w.github.exchanges().all().len();
        let attempts = w.github.hooks().log();
        let opened: Vec<_> = attempts.iter().filter(|a| a.event == "pull_request").collect();
        assert_eq!(opened.len(), 2, "it was sent twice");
        assert_eq!(opened[0].guid, opened[1].guid);
        w.github.hooks().redeliver(opened[0].id).expect("GitHub remembers it");
        w.assert_silence().await;
        assert_eq!(w.plan_comment().await, plan);
        // The redelivery itself, and nothing that followed from it.
        assert_eq!(w.github.exchanges().all().len(), asked + 1);
    })
    .await;
}

#[tokio::test]
async fn a_command_that_is_delivered_twice_is_carried_out_once() {
    world(async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        w.github.hooks().fate(OnDelivery::event("issue_comment"), Fate::Twice);
        w.comment("/help");
        w.answer().await;
    })
    .await;
}

#[tokio::test]
async fn what_the_secret_did_not_sign_is_not_believed() {
    world(async |w| {
        let body = a_command(w).await;
        let good = Delivery::signed("issue_comment", 1, body.clone());
        let other = landfall_sim::github::signature("another secret", &body);
        let of_other_bytes = landfall_sim::github::signature(
            landfall_sim::github::TEST_WEBHOOK_SECRET,
            b"something else",
        );
        for signature in [
            None,
            Some(String::new()),
            Some("sha256=".to_owned()),
            Some("sha256=zz".to_owned()),
            Some(other.replace("sha256=", "sha1=")),
            Some(other),
            Some(of_other_bytes),
        ] {
            let delivery = Delivery { signature: signature.clone(), ..good.clone() };
            let answer = w.deliver(delivery).await;
            assert_eq!(answer, (401, "no".to_owned()), "signature {signature:?}");
        }
        w.assert_silence().await;
        // The same words, signed: so it was the signature that they lacked.
        assert_eq!(w.deliver(good).await, (202, "stored".to_owned()));
        w.answer().await;
    })
    .await;
}

#[tokio::test]
async fn a_form_is_refused_with_the_setting_that_mends_it() {
    world(async |w| {
        let body = "payload=%7B%22zen%22%3A%22%22%7D";
        let form = "application/x-www-form-urlencoded".to_owned();
        let delivery = Delivery { content_type: form, ..Delivery::signed("push", 1, body) };
        let (status, text) = w.deliver(delivery).await;
        assert_eq!(status, 415);
        assert_snapshot!(text, @"the hook's content type has to be application/json");
    })
    .await;
}

#[tokio::test]
async fn a_body_beyond_what_github_sends_is_refused() {
    world(async |w| {
        let refused = "HTTP/1.1 413 Payload Too Large";
        // It says so itself: nothing of it has to come.
        let length = format!("content-length: {}\r\n\r\n", LARGEST + 1);
        assert_eq!(w.begin_delivery(&length, "").await, refused);
        // It turns out to be: what would have come after that is not waited for.
        let chunk = format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n", 2 * LARGEST);
        assert_eq!(w.begin_delivery(&chunk, vec![b' '; LARGEST + 1]).await, refused);
    })
    .await;
}

#[tokio::test]
async fn a_client_that_takes_its_time_is_cut_off() {
    let mut setting = Setting::default();
    setting.timing.request_head = Duration::from_millis(50);
    setting.timing.request_body = Duration::from_millis(50);
    world_with(setting, async |w| {
        let half_a_body = w.begin_delivery("content-length: 2\r\n\r\n", "{").await;
        assert_eq!(half_a_body, "HTTP/1.1 408 Request Timeout");
        assert_eq!(w.begin_delivery("content-le", "").await, "");
    })
    .await;
}

#[tokio::test]
async fn a_ping_is_answered() {
    world(async |w| {
        w.github.hooks().ping();
        w.assert_silence().await;
        let ping = w.github.hooks().log().pop().expect("it was sent");
        assert_eq!((ping.event.as_str(), ping.status_code), ("ping", 200));
        assert_eq!(ping.response_body.as_deref(), Some("pong"));
    })
    .await;
}

#[tokio::test]
async fn events_that_we_do_not_know_are_taken_and_left_alone() {
    world(async |w| {
        let unknown = Delivery::signed("sponsorship", 1, r#"{"action":"created"}"#);
        assert_eq!(w.deliver(unknown).await.0, 202);
        let newer = Delivery::signed("pull_request", 2, r#"{"action":"teleported"}"#);
        assert_eq!(w.deliver(newer).await.0, 202);
        let no_json = Delivery::signed("push", 3, "not JSON at all");
        assert_eq!(w.deliver(no_json).await.0, 202);
        w.assert_silence().await;
    })
    .await;
}

/// GitHub counts an answer that is an error as a delivery that failed, and a hook that fails often
/// is one that people learn to ignore.
#[tokio::test]
async fn every_payload_of_the_collection_is_taken() {
    world(async |w| {
        let samples = samples();
        assert_eq!(samples.len(), 129);
        for (number, (name, body)) in samples.into_iter().enumerate() {
            let event = name.split('.').next().unwrap_or_default();
            let (status, text) = w.deliver(Delivery::signed(event, number, body)).await;
            assert!((200..300).contains(&status), "{name} is answered {status}: {text}");
        }
        w.assert_silence().await;
    })
    .await;
}

/// The body of a comment that says `/help` on a pull request, which never arrived.
async fn a_command(w: &mut World) -> Vec<u8> {
    w.pull("readme", [("README.md", "# Homelab\n")]).await;
    w.read_everything().await;
    w.github.hooks().fate(OnDelivery::event("issue_comment"), Fate::Unreachable);
    w.comment_as(ALICE, "/help");
    w.assert_silence().await;
    let lost = w.github.hooks().log().pop().expect("GitHub remembers it");
    lost.payload.to_string().into_bytes()
}
