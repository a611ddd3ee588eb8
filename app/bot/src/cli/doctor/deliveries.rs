//! How deliveries are to come here, and whether they did.

use std::collections::HashMap;

use landfall_github::{App, Attempt, Hook, Verified};
use url::Url;

use super::report::Finding;
use crate::settings::{Settings, Webhooks};

/// What says that a delivery was taken.
const TAKEN: &str = "OK";

pub(super) async fn findings(app: &App, settings: &Settings) -> Vec<Finding> {
    let mut found = match app.hook().await {
        Ok(hook) => of_the_hook(&hook, settings.webhooks),
        Err(error) => vec![Finding::unknown("webhook", error)],
    };
    // In pull mode every delivery fails, and that is as it should be.
    if settings.webhooks == Webhooks::Push {
        found.push(match app.deliveries(None).await {
            Ok(page) => of_the_log(&page.attempts),
            Err(error) => Finding::unknown("deliveries", error),
        });
    }
    found
}

fn of_the_hook(hook: &Hook, webhooks: Webhooks) -> Vec<Finding> {
    let Ok(url) = hook.url.parse::<Url>() else {
        let mend = match webhooks {
            Webhooks::Push => "set the App's Webhook URL to https://HOST/webhook of this server",
            Webhooks::Pull => "set the App's Webhook URL to https://landfall.invalid/webhook",
        };
        return vec![Finding::fault("webhook", "the App has no Webhook URL", mend)];
    };
    let mut found = match webhooks {
        Webhooks::Push => pushed_to(&url, hook),
        Webhooks::Pull => vec![pulled_from(&url)],
    };
    if hook.content_type != "json" {
        let said = format!("deliveries are sent as `{}`", hook.content_type);
        let mend = "set Content type to application/json on the App's page, at Webhook";
        found.push(Finding::fault("webhook", said, mend));
    }
    found
}

fn pushed_to(url: &Url, hook: &Hook) -> Vec<Finding> {
    let mut found = Vec::new();
    if is_nowhere(url) {
        let mend = "set it to https://HOST/webhook of this server, or LANDFALL_WEBHOOKS=pull";
        found.push(Finding::fault("webhook", format!("{url} leads nowhere"), mend));
    } else if url.path() != "/webhook" {
        let said = format!("deliveries go to {url}, and the server takes them at /webhook");
        let mend = "let the URL end in /webhook, unless a proxy changes the path";
        found.push(Finding::warning("webhook", said, mend));
    } else {
        found.push(Finding::fine("webhook", format!("deliveries go to {url}")));
    }
    let mend = "put a proxy or a tunnel with a certificate in front, and turn SSL verification on";
    if url.scheme() != "https" {
        let said = "deliveries are not encrypted";
        found.push(Finding::warning("webhook", said, mend));
    } else if hook.verified == Verified::Unchecked {
        let said = "GitHub does not look at the server's certificate";
        found.push(Finding::warning("webhook", said, mend));
    }
    if !hook.signed {
        let said = "the App has no webhook secret, so the server takes no delivery";
        let mend = "set the App's Webhook secret to what GITHUB_WEBHOOK_SECRET is";
        found.push(Finding::fault("webhook", said, mend));
    }
    found
}

/// Deliveries are fetched, and where they are sent to must be nobody else's.
fn pulled_from(url: &Url) -> Finding {
    match is_nowhere(url) {
        true => Finding::fine("webhook", format!("deliveries are fetched; {url} leads nowhere")),
        false => Finding::unknown(
            "webhook",
            format!(
                "deliveries are fetched, and are sent to {url} too: let that be a host of yours"
            ),
        ),
    }
}

/// Names below `.invalid` never lead anywhere (RFC 6761, section 6.4).
fn is_nowhere(url: &Url) -> bool {
    url.host_str().is_some_and(|host| host == "invalid" || host.ends_with(".invalid"))
}

/// A page of the log, newest first: all attempts of a delivery share its id. What failed before others
/// were taken is over.
fn of_the_log(attempts: &[Attempt]) -> Finding {
    let mut taken = HashMap::new();
    for attempt in attempts {
        *taken.entry(attempt.delivery).or_insert(false) |= attempt.status == TAKEN;
    }
    let (all, failed) = (taken.len(), taken.values().filter(|taken| !**taken).count());
    let Some(newest) = attempts.first() else {
        let said = "GitHub sent none in the last days, so nothing shows yet that they arrive";
        return Finding::unknown("deliveries", said);
    };
    let Attempt { event, delivered_at, status, .. } = newest;
    if failed == 0 {
        return Finding::fine("deliveries", format!("of the last {all} all were taken"));
    }
    if newest.status == TAKEN {
        let said = format!("the newest was taken; {failed} of the last {all} were not");
        return Finding::fine("deliveries", said);
    }
    let said = format!(
        "of the last {all}, {failed} were not taken; `{event}` at {delivered_at}: {status}"
    );
    Finding::warning("deliveries", said, mend(status))
}

/// What helps, by the number in GitHub's words for how a delivery ended.
fn mend(status: &str) -> &'static str {
    let number = status.rsplit(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 3);
    match number {
        Some("401") => {
            "the App's Webhook secret and GITHUB_WEBHOOK_SECRET have to be the same, and this App's"
        }
        Some("404" | "405") => "the App's Webhook URL has to lead to /webhook of this server",
        Some("415") => "set Content type to application/json on the App's page, at Webhook",
        Some("500" | "503") => {
            "the server's log says why it could not keep it; it fetches it later"
        }
        Some("502" | "504") => {
            "is the server up? The proxy or tunnel in front of it does not reach it"
        }
        _ => "is the server up and reachable from outside? It fetches what it missed",
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// The newest first.
    fn log(statuses: &[&str]) -> Finding {
        let attempt = |(number, status): (usize, &&str)| Attempt {
            id: number as u64,
            delivery: Uuid::from_u128(number as u128),
            delivered_at: "2026-01-05T09:00:00Z".parse().unwrap(),
            redelivery: false,
            status: (*status).to_owned(),
            event: "push".to_owned(),
            action: None,
            installation: None,
            repository: None,
        };
        of_the_log(&statuses.iter().enumerate().map(attempt).collect::<Vec<_>>())
    }

    #[test]
    fn what_failed_before_others_were_taken_is_over() {
        let over = log(&["OK", "Invalid HTTP Response: 503", "OK"]);
        let said = "the newest was taken; 1 of the last 3 were not";
        assert_eq!(over, Finding::fine("deliveries", said));
        assert!(format!("{:?}", log(&[])).contains("Unknown"));
    }

    #[test]
    fn how_it_failed_says_what_to_mend() {
        let told = |status: &str| format!("{:?}", log(&[status]));
        assert!(told("Invalid HTTP Response: 401").contains("have to be the same"));
        assert!(told("Invalid HTTP Response: 415").contains("application/json"));
        assert!(told("Invalid HTTP Response: 404").contains("/webhook"));
        assert!(told("timed out").contains("reachable from outside"));
        assert!(told("failed to connect to host").contains("reachable from outside"));
    }
}
