//! From GitHub's code to an App that can be served: exchange, keep, set the hook.
//!
//! The order matters. The code is good once, so what it brings is kept before anything else can go
//! wrong; what is left then can be mended by hand, and `landfall doctor` says how.

use std::sync::{Arc, PoisonError};

use anyhow::Context as _;
use landfall_github::manifest::{self, Created};
use landfall_github::{App, AppSettings, GithubError, Timeouts};
use secrecy::SecretString;
use url::Url;

use super::{Finished, Setup, below, door};
use crate::settings::Webhooks;

/// Puts the key and the secret where they are to be.
pub type Keep = Box<dyn Fn(&Created) -> anyhow::Result<()> + Send + Sync>;

/// Whose word the webhook secret is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Agreed {
    /// GitHub made it, or none is needed.
    Yes,
    /// We did, and GitHub has to be told.
    NotYet,
}

/// Exchanges the code, and says where the App is installed.
pub(super) async fn finish(setup: &Setup, code: &str) -> anyhow::Result<Url> {
    let order = &setup.order;
    let exchanged = manifest::exchange(&order.api_url, Timeouts::default(), code).await;
    let mut created = exchanged.context("GitHub gave no App for its code")?;
    let agreed = agree_on_secret(&mut created, order.webhooks);
    (setup.keep)(&created).with_context(|| {
        format!(
            "the App was created, and its key could not be kept. Generate another one on its page, {}, \
             or delete it there and begin anew",
            created.page
        )
    })?;
    let left = match set_hook(setup, &created, agreed).await {
        Ok(()) => None,
        Err(error) => Some(format!("{error:#}")),
    };
    let install = below(&created.page, &["installations", "new"]);
    let finished = Finished { created, left };
    *setup.finished.lock().unwrap_or_else(PoisonError::into_inner) = Some(finished);
    setup.stop.cancel();
    Ok(install)
}

/// In pull mode no delivery is received, so there is no secret to believe one by.
fn agree_on_secret(created: &mut Created, webhooks: Webhooks) -> Agreed {
    match webhooks {
        Webhooks::Pull => {
            created.webhook_secret = None;
            Agreed::Yes
        }
        Webhooks::Push if created.webhook_secret.is_some() => Agreed::Yes,
        Webhooks::Push => {
            created.webhook_secret = Some(SecretString::from(door::random()));
            Agreed::NotYet
        }
    }
}

/// GitHub sends forms unless it is told to send JSON, and a manifest cannot say so.
async fn set_hook(setup: &Setup, created: &Created, agreed: Agreed) -> anyhow::Result<()> {
    let settings = AppSettings {
        app_id: created.id,
        private_key: created.private_key.clone(),
        api_url: setup.order.api_url.clone(),
        web_url: setup.order.web_url.clone(),
        timeouts: Timeouts::default(),
    };
    let app = App::new(settings, Arc::new(|_| {}), Arc::new(jiff::Timestamp::now))?;
    let set: Result<_, GithubError> = match &created.webhook_secret {
        Some(secret) if agreed == Agreed::NotYet => app.sign_deliveries(secret).await,
        _ => app.deliver_json().await,
    };
    set?;
    Ok(())
}
