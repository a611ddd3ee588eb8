//! What GitHub or a provider answers, whoever has them do it. Half of an answer is none.

use landfall_sim::fault::{Answer, Fault, On};
use landfall_tests::world::world;
use serde_json::json;

use crate::nas::nas_at;

/// A vendor that repeats what it was sent, credentials and all.
#[tokio::test]
async fn an_error_of_a_provider_carries_a_secret_into_a_comment() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        let echo =
            json!({ "code": "api.err", "message": "bad key simulated-unifi-key" }).to_string();
        let echo = Answer::new(400, &echo).with("content-type", "application/json");
        w.unifi.faults().inject(On::write("/**"), Fault::Instead(echo));
        w.merge().await;
        let told = w.run_comment().await;
        assert!(told.contains("bad key") && !told.contains("simulated-unifi-key"), "{told}");
        let checks = format!("{:?}", w.repo.all_check_runs());
        assert!(checks.contains("bad key") && !checks.contains("simulated-unifi-key"));
        w.read_everything().await;
    })
    .await;
}

/// The services are gone from the branch because a page, a file or a right was missing: nothing may be
/// deleted for that.
#[tokio::test]
async fn an_answer_of_github_that_is_cut_off_deletes_everything() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        let cut = Fault::Instead(Answer::new(200, "000000").with("content-type", "text/plain"));
        w.github.git_faults().inject(On::any("/**").times(3), cut);
        w.merge().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);
        w.read_everything().await;
    })
    .await;
}

/// Whatever is not in the list of where the App is would be left alone.
#[tokio::test]
async fn half_a_list_of_repositories_has_us_leave_the_others() {
    let page = json!({ "total_count": 200, "repositories": [] }).to_string();
    let next =
        r#"<https://api.github.com/installation/repositories?per_page=100&page=2>; rel="next""#;
    let page = Answer::new(200, page).with("content-type", "application/json").with("link", next);
    let list = On::get("/installation/repositories");
    let endless = vec![(list.clone().always(), page.clone())];
    let half = Answer::new(200, "{").with("content-type", "application/json");
    let broken = vec![(list.clone(), page), (list.always(), half)];
    for faults in [endless, broken] {
        world(async |w| {
            w.bootstrap().await;
            let before = w.server.store().active_repositories().await.unwrap();
            for (on, answer) in faults {
                w.github.faults().inject(on, Fault::Instead(answer));
            }
            w.compare().await;
            assert_eq!(w.given_up().await.len(), 1, "nobody knows where the App is");
            assert_eq!(w.server.store().active_repositories().await.unwrap(), before);
            w.github.faults().clear();
            w.exchanges().clear();
        })
        .await;
    }
}
