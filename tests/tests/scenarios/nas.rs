//! What most stories are about: the NAS gets another address.

use landfall_tests::world::{NAS, World};

/// The edit that moves it.
pub(crate) fn nas_at(address: &str) -> [(&'static str, String); 1] {
    [("services/nas.yaml", NAS.replace("192.168.1.50", address))]
}

/// Production runs, and a pull request that moves the NAS was planned.
pub(crate) async fn planned(w: &mut World, address: &str) {
    w.bootstrap().await;
    w.pull("move", nas_at(address)).await;
    w.plan_comment().await;
}
