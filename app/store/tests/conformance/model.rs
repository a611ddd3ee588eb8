//! The store against models small enough to be believed, with random histories.
//!
//! A history is told to both, step by step, and both must answer the same.

mod deliveries;
mod jobs;
mod leases;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

pub(crate) use deliveries::deliveries_behave_like_the_model;
pub(crate) use jobs::jobs_behave_like_the_model;
pub(crate) use leases::leases_behave_like_the_model;

/// Histories of up to 60 of these operations, the same ones in every run.
fn histories<Op: std::fmt::Debug>(
    op: impl Strategy<Value = Op> + 'static,
    count: usize,
) -> impl Iterator<Item = Vec<Op>> {
    let mut runner = TestRunner::deterministic();
    let histories = proptest::collection::vec(op, 1..60);
    (0..count)
        .map(move |_| histories.new_tree(&mut runner).expect("nothing is filtered out").current())
}
