//! Who gets to a branch past the check, or past every review. Only the repository's rules can keep
//! them from it, so every plan says which do not.

use insta::assert_snapshot;
use landfall_tests::world::{World, world};

/// Whoever may push can write a status of that name, unless the rule wants it from Landfall's App. Only
/// the repository's rules can refuse it, so every plan says which do not.
#[tokio::test]
async fn somebody_forges_the_check_that_a_branch_requires() {
    world(async |w| {
        let required = "landfall / production (main)";
        w.repo
            .require_check("main", required, Some(landfall_sim::github::Settings::default().app_id))
            .unwrap();
        w.repo.require_check("main", "actions/test", None).unwrap();
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        let plan = w.plan_comment().await;
        assert!(!plan.contains("from any source"), "{plan}");

        w.repo.require_check("main", required, None).unwrap();
        w.repo.require_check("main", "landfall / staging (main)", Some(7)).unwrap();
        w.comment("/plan fresh");
        let plan = w.plan_comment().await;
        let warning: Vec<&str> = plan.lines().skip(2).take_while(|line| !line.is_empty()).collect();
        assert_snapshot!(warning.join("\n"), @"
        > [!WARNING]
        > `main` requires the check `landfall / production (main)` from any source, so whoever may write can set it.<br>choose Landfall's App as the source of the check: Settings, Rules or Branches of the repository
        >
        > `main` requires the check `landfall / staging (main)` from App 7, which is not Landfall and never sets it.<br>choose Landfall's App as the source of the check: Settings, Rules or Branches of the repository
        ");
    })
    .await;
}

#[tokio::test]
async fn somebody_pushes_past_every_review_where_no_rule_keeps_them_from_it() {
    world(async |w| {
        w.repo.unprotect("main").unwrap();
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        let plan = w.plan_comment().await;
        let warning: Vec<&str> = plan.lines().skip(2).take_while(|line| !line.is_empty()).collect();
        assert_snapshot!(warning.join("\n"), @"
        > [!WARNING]
        > `main` is not protected, so nobody has to review what comes there.<br>require a pull request and a review: Settings, Rules of the repository
        ");
        // Said in every plan, and asked once.
        let asked = |w: &World| w.exchanges().count(|said| said.path.contains("/branches/main"));
        let before = asked(w);
        w.push("readme", [("README.md", "# Home\n"), ("NOTES.md", "None.\n")]).await;
        assert!(w.plan_comment().await.contains("`main` is not protected"));
        assert_eq!((before, asked(w)), (2, 2));
    })
    .await;
}
