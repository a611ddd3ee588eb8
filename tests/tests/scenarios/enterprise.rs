//! A GitHub Enterprise Server: the same, with its API below `/api/v3` and GraphQL beside that.

use landfall_sim::exchange::Wire;
use landfall_tests::world::{Setting, world_with};

use crate::nas::nas_at;

#[tokio::test]
async fn the_whole_way_leads_through_an_enterprise_server() {
    let mut setting = Setting::default();
    setting.github.enterprise = true;
    world_with(setting, async |w| {
        w.bootstrap().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        assert!(w.plan_comment().await.contains("192.168.1.51"));
        w.merge().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        w.sweep().await;
        w.compare().await;
        w.assert_silence().await;
        let asked = |path: &str| {
            w.exchanges().count(|asked| asked.wire == Wire::GitHub && asked.path.starts_with(path))
        };
        assert!(asked("/api/graphql") > 0, "the run that waited is folded away");
        assert_eq!(asked("/"), asked("/api/v3/") + asked("/api/graphql"));
        assert!(w.repo.comments(1).iter().any(|comment| comment.outdated));
    })
    .await;
}
