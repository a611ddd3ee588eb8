//! `landfall validate`.

use insta::assert_snapshot;

use crate::world::{NAS, World};

#[tokio::test]
async fn what_is_right_is_told_in_one_line() {
    let world = World::new().await;
    assert_snapshot!(world.landfall("validate").await.all(), @"
    2 services in 2 environments, 6 units: no errors
    --- exit code 0
    ");
    let inside = world.landfall_in("services", "validate nas.yaml").await;
    assert_snapshot!(inside.all(), @"
    2 services in 2 environments, 6 units: no errors
    --- exit code 0
    ");
}

#[tokio::test]
async fn an_error_shows_its_line_what_is_wrong_and_what_would_be_right() {
    let world = World::new().await;
    world.write(
        "services/broken.yaml",
        "unifi_dsn: {}\ncloudflare_dns: { a.example.com: { a: ${address} } }\n",
    );
    world.write("services/twice.yaml", "unifi_dns:\n  x.internal.lan: { cname: nas.internal.lan }\n  x.internal.lan: { cname: b.lan }\n");
    assert_snapshot!(world.landfall("validate").await.all(), @r#"
    error[syntax]: while parsing a flow mapping, did not find expected ',' or '}'
     --> services/broken.yaml:2:40
      |
    2 | cloudflare_dns: { a.example.com: { a: ${address} } }
      |                                        ^
      |
      = help: inside `{ }` a value with a variable needs quotes: `"a${b}"`

    error[duplicate-key]: the key `x.internal.lan` stands here twice
     --> services/twice.yaml:3:3
      |
    2 |   x.internal.lan: { cname: nas.internal.lan }
      |   -------------- the first one
    3 |   x.internal.lan: { cname: b.lan }
      |   ^^^^^^^^^^^^^^

    2 errors
    --- exit code 1
    "#);
}

#[tokio::test]
async fn places_in_other_files_are_shown_with_their_lines() {
    let world = World::new().await;
    world.write("services/double.yaml", NAS);
    assert_snapshot!(world.landfall("validate").await.all(), @"
    error[name-declared-twice]: A nas-dev.internal.lan is declared by another service too
     --> services/nas.yaml:2:3
      |
    2 |   nas${suffix}.internal.lan: { a: 192.168.1.20, ttl: 300 }
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
     ::: services/double.yaml:2:3
      |
    2 |   nas${suffix}.internal.lan: { a: 192.168.1.20, ttl: 300 }
      |   ------------------------- declared by double here
      |
      = help: declare it in one service, and let the other one need it

    error[name-declared-twice]: A nas.internal.lan is declared by another service too
     --> services/nas.yaml:2:3
      |
    2 |   nas${suffix}.internal.lan: { a: 192.168.1.20, ttl: 300 }
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
     ::: services/double.yaml:2:3
      |
    2 |   nas${suffix}.internal.lan: { a: 192.168.1.20, ttl: 300 }
      |   ------------------------- declared by double here
      |
      = help: declare it in one service, and let the other one need it

    2 errors
    --- exit code 1
    ");
}

#[tokio::test]
async fn a_warning_is_no_error() {
    let world = World::new().await;
    world.write(
        "services/grafana.yaml",
        "cloudflare_tunnel:\n  tunnel: media-server\n  routes: { \"grafana${suffix}.example.com\": \"http://grafana.lan:3000\" }\n",
    );
    let seen = world.landfall("validate").await;
    assert_snapshot!(seen.all(), @r#"
    warning[origin-unknown]: no service of dev declares the origin grafana.lan
     --> services/grafana.yaml:3:45
      |
    3 |   routes: { "grafana${suffix}.example.com": "http://grafana.lan:3000" }
      |                                             ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: declare the name, or list it in `known_names` if somebody else does

    warning[origin-unknown]: no service of production declares the origin grafana.lan
     --> services/grafana.yaml:3:45
      |
    3 |   routes: { "grafana${suffix}.example.com": "http://grafana.lan:3000" }
      |                                             ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: declare the name, or list it in `known_names` if somebody else does

    3 services in 2 environments, 8 units: no errors, 2 warnings
    --- exit code 0
    "#);
    let markdown = world.landfall("validate --format markdown").await;
    assert_snapshot!(markdown.out, @r"
    3 services in 2 environments, 8 units: no errors, 2 warnings

    - warning `services/grafana.yaml:3:45` no service of dev declares the origin grafana.lan (`origin-unknown`)<br>declare the name, or list it in \`known\_names\` if somebody else does
    - warning `services/grafana.yaml:3:45` no service of production declares the origin grafana.lan (`origin-unknown`)<br>declare the name, or list it in \`known\_names\` if somebody else does
    ");
}

#[tokio::test]
async fn a_pre_commit_hook_sees_what_is_staged_and_nothing_else() {
    let world = World::new().await;
    world.git(&["add", "."]).await;
    world.write("services/nas.yaml", "unifi_dns: []\n");
    assert_eq!(world.landfall("validate").await.code, 1);
    assert_eq!(world.landfall("validate --staged").await.code, 0);

    world.git(&["add", "services/nas.yaml"]).await;
    world.write("services/nas.yaml", NAS);
    assert_eq!(world.landfall("validate").await.code, 0);
    let staged = world.landfall("validate --staged").await;
    assert_snapshot!(staged.all(), @"
    error[wrong-type]: expected a mapping, found a list
     --> services/nas.yaml:1:12
      |
    1 | unifi_dns: []
      |            ^^

    1 error
    --- exit code 1
    ");
}

#[tokio::test]
async fn the_index_that_git_names_to_a_hook_is_the_one_that_counts() {
    let world = World::new().await;
    world.git(&["add", "."]).await;
    std::fs::copy(world.path().join(".git/index"), world.path().join(".git/next-index")).unwrap();
    world.write("services/nas.yaml", "unifi_dns: []\n");
    world.git(&["add", "."]).await;
    let hook = [("GIT_INDEX_FILE", ".git/next-index")];
    assert_eq!(world.landfall_with(&hook, "validate --staged").await.code, 0);
    assert_eq!(world.landfall("validate --staged").await.code, 1);
}

#[tokio::test]
async fn a_folder_without_git_is_walked() {
    let world = World::new().await;
    std::fs::remove_dir_all(world.path().join(".git")).unwrap();
    world.write(".env", "not tracked by anybody");
    assert_eq!(world.landfall("validate").await.code, 0);
    assert_snapshot!(world.landfall("validate --staged").await.all(), @"
    --- stderr
    error: /home/ada/homelab is in no git repository, so nothing is staged there
    help: leave --staged out to check the files as they are
    --- exit code 1
    ");
}

#[tokio::test]
async fn a_secret_file_is_an_error_once_it_is_tracked() {
    let world = World::new().await;
    world.write(".env", "TOKEN=hunter2");
    assert_eq!(world.landfall("validate").await.code, 0);
    world.git(&["add", "."]).await;
    let seen = world.landfall("validate").await;
    assert_snapshot!(seen.all(), @"
    error[tracked-env-file]: .env is tracked, and such files hold secrets
    --> .env:1:1
     = help: run `git rm --cached` on it, list it in .gitignore, and replace the secrets: they stay in the history

    1 error
    --- exit code 1
    ");
}

#[tokio::test]
async fn a_secret_where_a_reference_belongs_is_hidden_in_its_own_line() {
    let world = World::new().await;
    world.write(
        "landfall.yaml",
        "version: 1\nenvironments:\n  dev:\n    connections:\n      unifi: { url: 'https://unifi.lan', api_key: hunter2 }\n",
    );
    let seen = world.landfall("validate").await;
    assert_snapshot!(seen.all(), @"
    error[literal-secret]: `…` is not a reference to a secret: `ref+BACKEND://PATH`, as in `ref+env://LANDFALL_SECRET_UNIFI`
     --> landfall.yaml:5:51
      |
    5 |       unifi: { url: 'https://unifi.lan', api_key: ******* }
      |                                                   ^^^^^^^

    1 error
    --- exit code 1
    ");
    assert!(!world.landfall("validate --format json").await.out.contains("hunter2"));
}

#[tokio::test]
async fn a_link_in_the_place_of_a_service_is_an_error_and_not_a_service_that_vanished() {
    let world = World::new().await;
    world.remove("services/nas.yaml");
    std::os::unix::fs::symlink("jellyfin.yaml", world.path().join("services/nas.yaml")).unwrap();
    world.git(&["add", "."]).await;
    let seen = world.landfall("validate").await;
    assert!(seen.out.contains("error[linked-file]"), "{seen:?}");
    std::fs::remove_dir_all(world.path().join(".git")).unwrap();
    let seen = world.landfall("validate").await;
    assert!(seen.out.contains("error[linked-file]"), "{seen:?}");
}

#[tokio::test]
async fn what_is_no_readable_file_in_the_place_of_a_service_is_an_error_at_that_place() {
    let world = World::new().await;
    let long = format!("unifi_dns: {{}}\n{}", "#".repeat(1 << 20));
    world.write("services/nas.yaml", &long);
    world.git(&["add", "."]).await;
    let commit = "1111111111111111111111111111111111111111";
    let submodule = format!("160000,{commit},services/jellyfin.yaml");
    world.git(&["update-index", "--cacheinfo", &submodule]).await;
    let staged = world.landfall("validate --staged --format json").await;
    assert_eq!(staged.code, 1, "{staged:?}");
    let told = |place: usize| {
        let finding = &staged.json()["findings"][place];
        let start = &finding["span"]["start"];
        assert_eq!((&start["line"], &start["column"]), (&1.into(), &1.into()));
        format!("{} {}", finding["span"]["file"], finding["code"])
    };
    assert_eq!(told(0), "\"services/jellyfin.yaml\" \"submodule\"");
    assert_eq!(told(1), "\"services/nas.yaml\" \"too-large\"");
    std::fs::remove_file(world.path().join("services/jellyfin.yaml")).unwrap();
    let seen = world.landfall("validate").await;
    for code in ["submodule", "too-large"] {
        assert!(seen.out.contains(&format!("error[{code}]")), "{seen:?}");
    }
}

#[tokio::test]
async fn programs_get_every_finding_with_its_place() {
    let world = World::new().await;
    world.write("services/broken.yaml", "unifi_dsn: {}\n");
    let seen = world.landfall("validate --format json").await;
    assert_eq!(seen.code, 1);
    let finding = &seen.json()["findings"][0];
    assert_eq!(finding["code"], "unknown-key");
    assert_eq!(finding["severity"], "error");
    assert_eq!(finding["span"]["file"], "services/broken.yaml");
    assert_eq!(finding["span"]["start"]["line"], 1);
    assert_eq!(seen.json()["errors"], 1);
}

#[tokio::test]
async fn a_flood_of_findings_is_cut_and_counted() {
    let world = World::new().await;
    for n in 0..60 {
        world.write(&format!("services/s{n}.yaml"), "unifi_dsn: {}\n");
    }
    let seen = world.landfall("validate").await;
    assert!(seen.out.ends_with("and 10 more\n\n60 errors\n"), "{seen:?}");
}

#[tokio::test]
async fn nothing_to_check_is_an_error_with_a_next_step() {
    let world = World::empty().await;
    world.write("README.md", "");
    assert_snapshot!(world.landfall("validate").await.all(), @"
    --- stderr
    error: there is no `landfall.yaml` in /home/ada/homelab or above it
    help: it says which environments there are; `landfall schema repository` describes it
    --- exit code 1
    ");
}
