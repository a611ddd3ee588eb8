//! Chores: one server at a time, and again when due.

use landfall_store::Chore;

use crate::engine::Engine;
use crate::given::LEASE;

pub(crate) async fn one_that_is_due_is_begun_by_one(engine: &Engine) {
    let begun = async || {
        let mut begun = 0;
        for store in engine.servers().await {
            begun += usize::from(store.begin_chore(Chore::Backup, LEASE).await.unwrap());
        }
        begun
    };
    assert_eq!(begun().await, 1, "it was never done");
    engine.pass(29);
    assert_eq!(begun().await, 0, "somebody is at it");
    engine.pass(1);
    assert_eq!(begun().await, 1, "whoever began it is gone");
    engine.store.put_off_chore(Chore::Backup, engine.later(3600).await).await.unwrap();
    engine.pass(3599);
    assert_eq!(begun().await, 0);
    engine.pass(1);
    assert_eq!(begun().await, 1);
}
