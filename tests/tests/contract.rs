//! The contract tests, tested: what is as the vendors describe it passes, what is not is found, and the simulators answer as
//! their vendors do.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "contract/caller.rs"]
mod caller;
#[path = "contract/cloudflare.rs"]
mod cloudflare;
#[path = "contract/descriptions.rs"]
mod descriptions;
#[path = "contract/github.rs"]
mod github;
#[path = "contract/manifest.rs"]
mod manifest;
#[path = "contract/unifi.rs"]
mod unifi;
#[path = "contract/webhooks.rs"]
mod webhooks;
