//! The one comment itself: it comes back when somebody deletes it, and nothing of a long plan is
//! left out of it in silence.

use insta::assert_snapshot;
use landfall_sim::fault::{Answer, Fault, On};
use landfall_sim::github::{Comment, edit};
use landfall_tests::world::{ALICE, NAS, Setting, World, world, world_with};

/// Our comments on the pull request that is meant, by number.
fn ours(w: &World) -> Vec<Comment> {
    w.repo.comments(w.number()).into_iter().filter(|c| c.author == "landfall[bot]").collect()
}

#[tokio::test]
async fn a_comment_that_a_person_deleted_is_made_again() {
    world(async |w| {
        w.bootstrap().await;
        let at = |address: &str| NAS.replace("192.168.1.50", address);
        w.pull("move", [("services/nas.yaml", at("192.168.1.51"))]).await;
        w.read_everything().await;
        let [first] = &ours(w)[..] else { panic!("one comment was expected") };
        w.repo.delete_comment(first.id, ALICE).unwrap();
        w.push("move", [("services/nas.yaml", at("192.168.1.52"))]).await;
        assert!(w.plan_comment().await.contains("192.168.1.52"));
        assert_eq!(ours(w).len(), 1);

        w.push("move", [("services/nas.yaml", at("192.168.1.53"))]).await;
        assert!(w.plan_comment().await.contains("192.168.1.53"));
        assert_eq!(ours(w).len(), 1, "the new one is edited from then on");
    })
    .await;
}

/// Which of our comments are folded away, once a run that waited has its word: the plan, the run.
async fn folded_after_a_word(w: &mut World) -> Vec<bool> {
    let folded = |w: &World| ours(w).iter().map(|comment| comment.outdated).collect::<Vec<_>>();
    w.pull("readme", [("README.md", "# Homelab\n")]).await;
    w.settle().await;
    w.merge().await;
    w.settle().await;
    assert_eq!(folded(w), [false, false]);
    w.comment("/apply");
    w.read_everything().await;
    folded(w)
}

#[tokio::test]
async fn what_nobody_has_to_do_anything_about_any_more_is_folded_away() {
    world(async |w| assert_eq!(folded_after_a_word(w).await, [false, true])).await;
}

#[tokio::test]
async fn where_github_does_not_fold_a_comment_everything_else_goes_on() {
    for fault in [Fault::Instead(Answer::bad_gateway()), Fault::Reset] {
        world(async |w| {
            w.github.faults().inject(On::post("/graphql"), fault);
            assert_eq!(folded_after_a_word(w).await, [false, false]);
            assert!(w.github.faults().is_used_up());
        })
        .await;
    }
}

/// `services/rack-N.yaml`: sixty names each.
fn rack(number: usize) -> (String, String) {
    let name = |host: usize| {
        format!(
            "  \"server-{host}-of-the-rack-number-{number}${{suffix}}.internal.lan\": {{ a: 10.{number}.0.{host} }}\n"
        )
    };
    let names: String = (1..=60).map(name).collect();
    (format!("services/rack-{number}.yaml"), format!("unifi_dns:\n{names}"))
}

#[tokio::test]
async fn a_plan_that_is_too_long_for_one_comment_comes_in_parts_that_grow_and_shrink() {
    world(async |w| {
        w.bootstrap().await;
        let racks = |from, to| (from..=to).map(rack).map(|(path, text)| edit(path, text));
        w.pull("racks", racks(1, 2)).await;
        w.read_everything().await;
        assert_eq!(ours(w).len(), 1);

        w.push("racks", racks(3, 24)).await;
        w.read_everything().await;
        let parts = ours(w);
        assert!(parts.len() > 1, "{} bytes fit into one", parts[0].body.len());
        let all = w.plan_comment().await;
        for number in 1..=24 {
            let last = format!("server-60-of-the-rack-number-{number}.internal.lan");
            assert!(all.contains(&last), "{last} is not shown");
        }
        for (at, part) in parts.iter().enumerate() {
            let numbered = format!("**Part {}/{}**", at + 1, parts.len());
            assert!(part.body.contains(&numbered), "{}", &part.body[..200]);
            assert_eq!(
                part.body.matches("<details").count(),
                part.body.matches("</details>").count()
            );
        }
        assert!(parts.last().unwrap().body.contains("Merge to apply to **production**"));

        let fewer = (3..=24).map(|n| landfall_sim::github::remove(rack(n).0));
        w.push("racks", fewer).await;
        w.read_everything().await;
        let left = ours(w);
        assert_eq!(
            left.iter().map(|c| c.id).collect::<Vec<_>>(),
            [parts[0].id],
            "the rest is gone"
        );
    })
    .await;
}

/// What is left out is said to be, and what one has to know to act stands there all the same.
#[tokio::test]
async fn a_plan_that_no_number_of_comments_would_hold_says_where_it_ends() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("racks", (1..=80).map(rack).map(|(path, text)| edit(path, text))).await;
        let all = w.plan_comment().await;
        let parts = ours(w);
        assert_eq!(parts.len(), 5);
        assert!(all.contains("| 4800 to create | `"), "the whole plan and its digest come first");
        let (shown, end) = all.split_once("*The rest does not fit").unwrap();
        assert!(!shown.contains("server-60-of-the-rack-number-9."), "it is not all there");
        assert_snapshot!(format!("*The rest does not fit{end}"), @"
        *The rest does not fit into these comments; the digest covers all of it. Pull requests of fewer services show every change.*

        ---
        **Next:** Merge to apply to **production**.
        ");
        for part in &parts {
            let count = |mark: &str| part.body.matches(mark).count();
            assert_eq!(count("<details"), count("</details>"));
            assert_eq!(count("```") % 2, 0, "{}", part.body);
        }
    })
    .await;
}

#[tokio::test]
async fn a_plan_with_a_thousand_changes_is_counted_grouped_and_folded() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("racks", (1..=17).map(rack).map(|(path, text)| edit(path, text))).await;
        let plan = w.plan_comment().await;
        let marks = ["#", "| ", "<details", "<summary", "@@", "**"];
        let shape = plan.lines().filter(|line| marks.iter().any(|mark| line.starts_with(mark)));
        let shape: Vec<&str> = shape.collect();
        let (begin, end) = (&shape[..9], &shape[shape.len() - 4..]);
        assert_snapshot!([begin, end].map(|lines| lines.join("\n")).join("\n...\n"), @"
        **Part 1/2**
        ### Landfall plan for `commit-3`
        | Environment | Plan | Digest |
        | **production** (`main`) | 1020 to create | `bb1a1165` |
        <details>
        <summary><b>rack-1</b> in <b>production</b>: 60 to create</summary>
        @@ unifi_dns @@
        <details>
        <summary><b>rack-10</b> in <b>production</b>: 60 to create</summary>
        ...
        <details>
        <summary><b>rack-9</b> in <b>production</b>: 60 to create</summary>
        @@ unifi_dns @@
        **Next:** Merge to apply to **production**.
        ");
        assert_eq!(shape.iter().filter(|line| line.starts_with("<summary")).count(), 17);
        assert_eq!(plan.matches("+ create A server-").count(), 1020);
    })
    .await;
}

/// Nobody waits where the environment says so, and everybody is told.
#[tokio::test]
async fn an_environment_that_says_so_goes_on_with_what_nobody_reviewed() {
    let config = landfall_tests::world::CONFIG
        .replace("    branches: [main]\n", "    branches: [main]\n    plan_changed: apply\n");
    world_with(Setting { config, ..Setting::default() }, async |w| {
        w.bootstrap().await;
        w.pull("readme", [("about.md", "# Homelab\n")]).await;
        w.settle().await;
        w.push("main", [("services/nas.yaml", NAS.replace("192.168.1.50", "192.168.1.51"))]).await;
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);
        assert_snapshot!(w.run_check("production").await, @"success: Applied to production");
    })
    .await;
}
