//! Places at which a test can cut the work off, as if the process had ended there.
//!
//! Without the feature `failpoints`, which only tests turn on, they are nothing.

/// An error where a test has the work cut off at `name`.
#[cfg(feature = "failpoints")]
pub(crate) fn pass(name: &str) -> anyhow::Result<()> {
    fail::fail_point!(name, |_| Err(anyhow::anyhow!("cut off at {name}")));
    Ok(())
}

/// Nothing.
#[cfg(not(feature = "failpoints"))]
#[expect(clippy::unnecessary_wraps, reason = "it has something to say when tests are built")]
pub(crate) fn pass(_: &str) -> anyhow::Result<()> {
    Ok(())
}
