//! What a message says, and how it is written for whom it is sent to.
//!
//! One line: what happened where, and links to look further. Repositories choose names, and so does
//! whoever opens a pull request, so nothing of the text is markup: Slack gets it as rich text, whose
//! parts are literal, Discord with every mark escaped and without mentions, a program as fields.

use std::fmt::Write as _;

use landfall_core::markdown::terminal;
use landfall_core::name::RepositoryName;
use serde_json::{Value, json};
use url::Url;

use super::NotificationBody;
use crate::operator::{Event, Format};

/// The longest title, in characters.
const TITLE: usize = 300;

/// How many pull requests are named. A merge queue may bring a hundred at once.
const PULLS: usize = 5;

/// Discord: no preview of what is linked (`SUPPRESS_EMBEDS`).
const WITHOUT_PREVIEW: u32 = 1 << 2;

/// A message.
#[derive(Debug)]
pub(super) struct Message<'a> {
    body: &'a NotificationBody,
    repository: &'a RepositoryName,
    /// `https://github.com/acme/homelab`
    home: String,
}

/// A piece of the line.
#[derive(Debug)]
enum Piece {
    Text(String),
    Link { text: String, url: String },
}

impl<'a> Message<'a> {
    /// Says `body` of a repository of the GitHub at `web`.
    pub(super) fn new(
        body: &'a NotificationBody,
        repository: &'a RepositoryName,
        web: &Url,
    ) -> Self {
        let home = format!("{}/{repository}", web.as_str().trim_end_matches('/'));
        Self { body, repository, home }
    }

    /// The request's body.
    pub(super) fn written_for(&self, format: Format) -> Value {
        match format {
            Format::Slack => slack(&self.line()),
            Format::Discord => discord(&self.line()),
            Format::Json => self.fields(),
        }
    }

    fn line(&self) -> Vec<Piece> {
        let sign = match self.body.event {
            Event::Held => "⏸️",
            Event::Failed => "❌",
            Event::NeedsAttention => "⚠️",
            Event::Succeeded => "✅",
        };
        let link = |text: String, path: String| Piece::Link { text, url: self.url(&path) };
        let text = |text: &str| Piece::Text(text.to_owned());
        let title: String = terminal(&self.body.title).chars().take(TITLE).collect();
        let commit = &self.body.commit;
        let mut line = vec![text(sign), text(" ")];
        line.push(link(self.repository.to_string(), String::new()));
        line.push(Piece::Text(format!(": {title} (")));
        for pull in self.body.pulls.iter().take(PULLS) {
            line.extend([link(format!("#{pull}"), format!("/pull/{pull}")), text(", ")]);
        }
        if let Some(more @ 1..) = self.body.pulls.len().checked_sub(PULLS) {
            line.push(Piece::Text(format!("{more} more, ")));
        }
        line.push(link(commit.short().to_owned(), format!("/commit/{commit}")));
        line.push(text(")"));
        line
    }

    fn fields(&self) -> Value {
        let NotificationBody { target: _, event, run, environment, branch, commit, title, pulls } =
            self.body;
        let pulls: Vec<Value> = pulls
            .iter()
            .map(|pull| json!({ "number": pull, "url": self.url(&format!("/pull/{pull}")) }))
            .collect();
        json!({
            "version": 1,
            "id": format!("{run}/{}", event.as_str()),
            "event": event,
            "repository": self.repository,
            "environment": environment,
            "run": run,
            "title": title,
            "branch": branch,
            "commit": { "sha": commit, "url": self.url(&format!("/commit/{commit}")) },
            "pull_requests": pulls,
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.home)
    }
}

/// Rich text, and the same as text for what does not show that, such as a phone's notification
/// (<https://docs.slack.dev/reference/block-kit/blocks/rich-text-block>).
fn slack(line: &[Piece]) -> Value {
    let (mut elements, mut plain) = (Vec::new(), String::new());
    for piece in line {
        match piece {
            Piece::Text(text) => {
                elements.push(json!({ "type": "text", "text": text }));
                plain.push_str(&without_control_sequences(text));
            }
            Piece::Link { text, url } => {
                elements.push(json!({ "type": "link", "url": url, "text": text }));
                let _ = write!(plain, "<{url}|{}>", without_control_sequences(text));
            }
        }
    }
    let section = json!({ "type": "rich_text_section", "elements": elements });
    json!({ "text": plain, "blocks": [{ "type": "rich_text", "elements": [section] }] })
}

/// Slack's three characters that begin something, as it wants them written
/// (<https://docs.slack.dev/messaging/formatting-message-text/#escaping>).
fn without_control_sequences(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Markdown without mentions and previews
/// (<https://discord.com/developers/docs/resources/webhook#execute-webhook>).
fn discord(line: &[Piece]) -> Value {
    let mut content = String::new();
    for piece in line {
        match piece {
            Piece::Text(text) => content.push_str(&escaped(text)),
            Piece::Link { text, url } => {
                let _ = write!(content, "[{}](<{url}>)", escaped(text));
            }
        }
    }
    json!({
        "content": content,
        "allowed_mentions": { "parse": [] },
        "flags": WITHOUT_PREVIEW,
    })
}

/// Discord takes a backslash before whatever is neither letter, digit nor space.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() && !matches!(c, ',' | '.' | ';' | '!' | '?' | '/' | '\'' | '"')
        {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests;
