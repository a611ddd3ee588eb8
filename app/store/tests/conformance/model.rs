//! The store against models small enough to be believed, with random histories.
//!
//! A history is told to both, step by step, and both must answer the same.

mod deliveries;
mod jobs;
mod leases;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

pub(crate) use deliveries::deliveries_behave_like_the_model;
pub(crate) use jobs::jobs_behave_like_the_model;
pub(crate) use leases::leases_behave_like_the_model;

/// Histories of up to 60 of these operations. The seed is printed where they fail, and
/// `LANDFALL_HISTORIES` brings those of a seed again.
fn histories<Op: std::fmt::Debug>(
    op: impl Strategy<Value = Op> + 'static,
    count: usize,
) -> impl Iterator<Item = Vec<Op>> {
    let told = std::env::var("LANDFALL_HISTORIES").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = told.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
    println!("LANDFALL_HISTORIES={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let histories = proptest::collection::vec(op, 1..60);
    (0..count)
        .map(move |_| histories.new_tree(&mut runner).expect("nothing is filtered out").current())
}
