//! What the App's webhook is set to.

use serde_json::{Value, json};

/// Where webhooks go and what the hook is set to.
#[derive(Debug, Clone)]
pub(crate) struct HookConfig {
    pub(crate) app_id: u64,
    pub(crate) hook_id: u64,
    pub(crate) url: Option<String>,
    pub(crate) secret: Option<String>,
    pub(crate) content_type: String,
    pub(crate) events: Vec<String>,
}

impl HookConfig {
    /// As the API shows it: the secret never comes back.
    pub(crate) fn shown(&self) -> Value {
        let mut shown = json!({
            "content_type": self.content_type,
            "insecure_ssl": "0",
            "url": self.url.as_deref().unwrap_or_default(),
        });
        if self.secret.is_some() {
            shown["secret"] = "********".into();
        }
        shown
    }

    /// Events about an installation reach every App, as do clicks on its own check runs.
    pub(super) fn wants(&self, event: &str) -> bool {
        let always =
            ["ping", "installation", "installation_repositories", "check_run", "check_suite"];
        always.contains(&event) || self.events.iter().any(|known| known == event)
    }
}

/// The events that an App like this subscribes to.
pub(crate) fn usual_events() -> Vec<String> {
    [
        "pull_request",
        "push",
        "repository",
        "issue_comment",
        "check_run",
        "check_suite",
        "merge_group",
        "deployment_protection_rule",
    ]
    .map(str::to_owned)
    .to_vec()
}
