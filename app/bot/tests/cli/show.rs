//! `landfall show`.

use insta::assert_snapshot;

use crate::world::World;

const OVERRIDDEN: &str = "\
unifi_dns:
  tv${suffix}.internal.lan: { a: [192.168.1.60, 192.168.1.61], txt: \"on air\" }
environments:
  dev:
    unifi_dns:
      tv${suffix}.internal.lan: { a: 192.168.1.70, ttl: 60 }
";

#[tokio::test]
async fn every_value_says_which_line_it_came_from() {
    let world = World::new().await;
    world.write("services/tv.yaml", OVERRIDDEN);
    assert_snapshot!(world.landfall("show tv --env dev").await.all(), @r#"
    unifi_dns:
      tv-dev.internal.lan:
        a: 192.168.1.70                       # services/tv.yaml:6
        txt: "on air"                         # services/tv.yaml:2
        ttl: 60                               # services/tv.yaml:6
    --- exit code 0
    "#);
    let by_path = world.landfall("show ./services/tv.yaml --env production").await;
    assert_snapshot!(by_path.all(), @r#"
    unifi_dns:
      tv.internal.lan:
        a:
          - 192.168.1.60                      # services/tv.yaml:2
          - 192.168.1.61                      # services/tv.yaml:2
        txt: "on air"                         # services/tv.yaml:2
    --- exit code 0
    "#);
}

#[tokio::test]
async fn what_cannot_be_shown_says_what_can() {
    let world = World::new().await;
    assert_snapshot!(world.landfall("show jellyfn --env dev").await.all(), @"
    --- stderr
    error: there is no service `jellyfn`
    help: did you mean `jellyfin`?
    --- exit code 1
    ");
    assert_snapshot!(world.landfall("show jellyfin --env prodution").await.all(), @"
    --- stderr
    error: there is no environment `prodution`
    help: did you mean `production`?
    --- exit code 1
    ");
    assert_snapshot!(world.landfall("show jellyfin").await.all(), @"
    --- stderr
    error: several environments are there: dev, production
    help: choose one with --env
    --- exit code 1
    ");
}

#[tokio::test]
async fn a_service_that_does_not_live_there_is_shown_with_a_note() {
    let world = World::new().await;
    world.write("services/mail.yaml", "only: [production]\ncloudflare_dns:\n  example.com: { mx: [{ priority: 10, target: mail.example.com }] }\n");
    let seen = world.landfall("show mail --env dev").await;
    assert!(seen.out.starts_with("# does not live in this environment"), "{seen:?}");
    assert_eq!(world.landfall("show mail --env dev --format json").await.json()["lives"], false);
}

#[tokio::test]
async fn an_error_in_its_file_is_shown_and_one_elsewhere_does_not_matter() {
    let world = World::new().await;
    world.write("services/broken.yaml", "unifi_dsn: {}\n");
    assert_eq!(world.landfall("show nas --env dev").await.code, 0);
    let seen = world.landfall("show broken --env dev").await;
    assert!(seen.err.contains("error[unknown-key]"), "{seen:?}");
    assert_eq!((seen.code, seen.out.as_str()), (1, ""));
}

#[tokio::test]
async fn escape_sequences_of_a_file_do_not_reach_the_terminal() {
    let world = World::new().await;
    world.write("services/evil.yaml", "unifi_dns:\n  evil.internal.lan: { txt: \"a\\e[2Jb\" }\n");
    // The world refuses every escape character in what is printed.
    assert_eq!(world.landfall("show evil --env dev").await.code, 0);
}
