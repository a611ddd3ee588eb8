//! Coverage: whether a run does only what was reviewed.
