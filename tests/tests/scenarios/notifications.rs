//! Those whom the operator wants to be notified: what they hear, how often, and what they never do.

use insta::assert_snapshot;
use landfall_core::name::{InstallationId, RepositoryId};
use landfall_sim::exchange::Wire;
use landfall_sim::fault::{Answer, Fault, On};
use landfall_store::{ItemKey, ItemKind};
use landfall_tests::world::{NAS, Setting, World, world_with};

/// The chat hears of production.
const CHAT: &str = r#"
[[notifications]]
name = "chat"
url = "ref+env://LANDFALL_SECRET_CHAT"
format = "slack"
repositories = ["acme/*"]
environments = ["production"]
on = ["held", "failed", "needs_attention", "succeeded"]
allow_http = true
"#;

fn notifying(operator: &str) -> Setting {
    Setting { operator: operator.to_owned(), ..Setting::default() }
}

#[tokio::test]
async fn a_chat_hears_of_each_run_what_happened_to_it() {
    world_with(notifying(CHAT), async |w| {
        w.bootstrap_branch("develop").await;
        assert!(w.messages().await.is_empty(), "it does not hear of staging");
        w.bootstrap().await;
        w.pull("move", [("services/nas.yaml", NAS.replace(".50", ".51"))]).await;
        w.read_everything().await;
        w.unifi.faults().inject(On::write("/**"), Fault::Instead(Answer::new(400, "{}")));
        w.merge().await;
        w.read_everything().await;
        w.comment("/apply");
        w.read_everything().await;
        assert_snapshot!(w.messages().await.join("\n"), @"
        ⏸️ <http://github.test/acme/homelab|acme/homelab>: production waits: this is its first run (<http://github.test/acme/homelab/pull/2|#2>, <http://github.test/acme/homelab/commit/commit-4|commit-4>)
        ✅ <http://github.test/acme/homelab|acme/homelab>: Applied to production (<http://github.test/acme/homelab/pull/2|#2>, <http://github.test/acme/homelab/commit/commit-4|commit-4>)
        ❌ <http://github.test/acme/homelab|acme/homelab>: Not all of it could be applied to production: 0 of 1 step done (<http://github.test/acme/homelab/pull/3|#3>, <http://github.test/acme/homelab/commit/commit-6|commit-6>)
        ✅ <http://github.test/acme/homelab|acme/homelab>: Applied to production (<http://github.test/acme/homelab/pull/3|#3>, <http://github.test/acme/homelab/commit/commit-6|commit-6>)
        ");
        assert_snapshot!(w.last_message().await, @r##"
        {
          "blocks": [
            {
              "elements": [
                {
                  "elements": [
                    {
                      "text": "✅",
                      "type": "text"
                    },
                    {
                      "text": " ",
                      "type": "text"
                    },
                    {
                      "text": "acme/homelab",
                      "type": "link",
                      "url": "http://github.test/acme/homelab"
                    },
                    {
                      "text": ": Applied to production (",
                      "type": "text"
                    },
                    {
                      "text": "#3",
                      "type": "link",
                      "url": "http://github.test/acme/homelab/pull/3"
                    },
                    {
                      "text": ", ",
                      "type": "text"
                    },
                    {
                      "text": "commit-6",
                      "type": "link",
                      "url": "http://github.test/acme/homelab/commit/commit-6"
                    },
                    {
                      "text": ")",
                      "type": "text"
                    }
                  ],
                  "type": "rich_text_section"
                }
              ],
              "type": "rich_text"
            }
          ],
          "text": "✅ <http://github.test/acme/homelab|acme/homelab>: Applied to production (<http://github.test/acme/homelab/pull/3|#3>, <http://github.test/acme/homelab/commit/commit-6|commit-6>)"
        }
        "##);
        assert_nobody_else_knows_the_address(w);
    })
    .await;
}

fn assert_nobody_else_knows_the_address(w: &World) {
    let others = w.exchanges().all().into_iter().filter(|exchange| exchange.wire != Wire::Chat);
    for exchange in others {
        let said = String::from_utf8_lossy(&exchange.request_body).into_owned();
        assert!(!said.contains("simulated-chat-secret"), "{exchange:?}");
    }
}

#[tokio::test]
async fn the_outbox_knows_a_target_by_its_name_alone() {
    world_with(notifying(CHAT), async |w| {
        w.bootstrap().await;
        let run = w.repo.deployments().pop().unwrap().payload;
        let run = run["run"].as_str().unwrap();
        let key = ItemKey {
            installation: InstallationId(0),
            repository: RepositoryId(w.repo.id()),
            kind: ItemKind::Notification,
            subject: format!("run/{run}/held/chat"),
        };
        let body = w.server.store().item_body(&key).await.unwrap().unwrap();
        assert_eq!(body["target"], "chat");
        assert!(!body.to_string().contains("simulated-chat-secret"), "{body}");
    })
    .await;
}

#[tokio::test]
async fn a_message_whose_answer_is_lost_is_sent_again_and_one_that_never_arrived_once() {
    world_with(notifying(CHAT), async |w| {
        let message = On::post("/services/**");
        w.chat.faults().inject(message.clone(), Fault::Instead(Answer::bad_gateway()));
        w.chat.faults().inject(message.skipping(1), Fault::ResetAfterCommit);
        w.bootstrap().await;
        let messages = w.messages().await;
        let heard = |sign| messages.iter().filter(|text| text.starts_with(sign)).count();
        assert_eq!((heard("⏸️"), heard("✅")), (1, 2), "{messages:#?}");
    })
    .await;
}

#[tokio::test]
async fn a_target_that_refuses_is_left_alone_and_github_is_told_all_the_same() {
    world_with(notifying(CHAT), async |w| {
        let gone = Fault::Instead(Answer::new(404, "no_service"));
        w.chat.faults().inject(On::post("/services/**").always(), gone);
        w.bootstrap().await;
        assert!(w.messages().await.is_empty());
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        let tried = w.exchanges().count(|exchange| exchange.wire == Wire::Chat);
        assert_eq!(tried, 10, "five attempts for each of two messages");
    })
    .await;
}

#[tokio::test]
async fn nothing_leads_a_message_to_somebody_else() {
    world_with(notifying(CHAT), async |w| {
        let moved = Answer::new(307, "").with("location", "/elsewhere");
        w.chat.faults().inject(On::post("/services/**").always(), Fault::Instead(moved));
        w.bootstrap().await;
        assert_eq!(w.exchanges().count(|exchange| exchange.path.contains("elsewhere")), 0);
    })
    .await;
}
