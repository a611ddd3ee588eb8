//! At a terminal: the question before anything is applied, and colour. `script` of util-linux makes
//! the terminal, which every Debian has; other systems' takes other words.

use crate::world::World;

#[tokio::test]
async fn the_plan_is_shown_and_carried_out_when_somebody_types_yes() {
    let world = World::new().await;
    let seen = world.at_a_terminal("apply --env dev", "yes\n").await;
    assert!(seen.out.contains("Apply this to dev? Type yes: "), "{seen:?}");
    assert!(seen.out.contains('\u{1b}'), "no colour: {seen:?}");
    assert!(seen.out.contains("dev: applied in 4 steps"), "{seen:?}");
    assert_eq!(seen.code, 0);
    assert_eq!(world.unifi.record("nas-dev.internal.lan", "A"), ["192.168.1.20"]);
}

#[tokio::test]
async fn nothing_is_carried_out_when_they_type_anything_else() {
    let world = World::new().await;
    for typed in ["y\n", "no\n", "\n"] {
        let seen = world.at_a_terminal("apply --env dev", typed).await;
        assert!(seen.out.contains("not confirmed"), "{typed:?}: {seen:?}");
        assert_eq!(seen.code, 2, "{typed:?}: there are changes");
    }
    assert_eq!(world.unifi.mutations().len() + world.cloudflare.mutations().len(), 0);
}

#[tokio::test]
async fn no_color_is_respected() {
    let world = World::new().await;
    let seen = world.at_a_terminal("plan --env dev", "").await;
    assert!(seen.out.contains('\u{1b}'), "no colour: {seen:?}");
    let plain = world.at_a_terminal_with(&[("NO_COLOR", "1")], "plan --env dev", "").await;
    assert!(!plain.out.contains("\u{1b}[3"), "colour all the same: {plain:?}");
}
