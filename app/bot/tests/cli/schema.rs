//! `landfall schema`.

use crate::world::World;

#[tokio::test]
async fn editors_get_the_schema_of_both_files() {
    let world = World::empty().await;
    world.write("README.md", "");
    let repository = world.landfall("schema repository").await;
    let environment =
        &repository.json()["properties"]["environments"]["additionalProperties"]["properties"];
    assert!(environment["connections"]["properties"]["unifi"].is_object(), "{repository:?}");
    let service = world.landfall("schema service").await;
    assert!(service.json()["properties"]["cloudflare_tunnel"].is_object(), "{service:?}");
    assert_eq!((repository.code, service.code), (0, 0));
    assert_eq!(world.landfall("schema").await.code, 1, "2 would mean that there are changes");
}
