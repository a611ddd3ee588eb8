//! The audit log comes back as it was written.

use landfall_store::AuditEntry;

use crate::engine::Engine;
use crate::given::{HOMELAB, OTHER, digest, production};

pub(crate) async fn entries_come_back_newest_first(engine: &Engine) {
    let store = &engine.store;
    let entry = |what: &str, repository| AuditEntry {
        who: "octocat (583231)".to_owned(),
        what: what.to_owned(),
        repository,
        environment: Some(production()),
        digest: Some(digest("plan")),
        why: "/apply 0123abcd".to_owned(),
    };
    let early = store.now().await.unwrap();
    store.append_audit(&entry("apply", HOMELAB)).await.unwrap();
    store.append_audit(&entry("apply", OTHER)).await.unwrap();
    engine.pass(5);
    store.append_audit(&entry("unlock", HOMELAB)).await.unwrap();
    let rows = store.audit(HOMELAB, 10).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.entry.what.as_str()).collect::<Vec<_>>(),
        ["unlock", "apply"]
    );
    assert_eq!(rows[1].at, early);
    assert_eq!(rows[1].entry, entry("apply", HOMELAB));
    assert_eq!(store.audit(HOMELAB, 1).await.unwrap().len(), 1);
}
