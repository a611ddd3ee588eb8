//! Check runs: what is published on a commit. Only Apps may write them.

use jiff::Timestamp;
use landfall_core::name::CommitSha;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::actor::AppId;

/// How many annotations one request carries; GitHub appends those of later requests.
pub(crate) const ANNOTATIONS: usize = 50;

/// The longest title of an annotation and message of one, in characters.
const TITLE: usize = 255;
const MESSAGE: usize = 16_000;

/// GitHub's number of a check run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckRunId(pub u64);

/// A check run to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRun {
    /// Its name, which a branch's rules refer to: `landfall / production (main)`.
    pub name: String,
    /// The commit.
    pub head_sha: CommitSha,
    /// How far it is.
    pub status: CheckStatus,
    /// One line above the summary.
    pub title: String,
    /// Markdown, at most 65,535 characters.
    pub summary: String,
    /// More Markdown below it, at most 65,535 characters.
    pub text: Option<String>,
    /// Findings at lines. GitHub adds them to those that the check run has already.
    pub annotations: Vec<Annotation>,
    /// Our key to find it again; never evidence.
    pub external_id: String,
    /// Where "Details" leads.
    pub details_url: Option<String>,
    /// Its buttons, three at most; those that it had are taken away.
    pub actions: Vec<Action>,
}

/// A button on a check run. A click comes as `check_run.requested_action` with the identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Action {
    /// What stands on it, at most 20 characters.
    pub label: String,
    /// What it does, at most 40 characters.
    pub description: String,
    /// What a click on it is told by, at most 20 characters.
    pub identifier: String,
}

/// How far a check run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckStatus {
    /// Not begun.
    Queued,
    /// At work.
    InProgress {
        /// Since when.
        started_at: Timestamp,
    },
    /// Done.
    Completed {
        /// With what outcome.
        conclusion: Conclusion,
        /// When.
        completed_at: Timestamp,
    },
}

/// The outcome of a check run. `Success`, `Neutral` and `Skipped` satisfy a required check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "GitHub's own words")]
pub enum Conclusion {
    ActionRequired,
    Cancelled,
    Failure,
    Neutral,
    Success,
    Skipped,
    /// Set by GitHub alone.
    Stale,
    TimedOut,
}

/// A finding at lines of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Annotation {
    path: String,
    start_line: u32,
    end_line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<u32>,
    annotation_level: Level,
    title: String,
    message: String,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "GitHub's own words")]
pub enum Level {
    Notice,
    Warning,
    Failure,
}

impl Annotation {
    /// A finding at `place`: first line and column, last line and column, all from 1, the last one
    /// behind the last character. GitHub takes columns only within one line, and its last column is
    /// that of the last character.
    #[must_use]
    pub fn new(path: &str, place: [u32; 4], level: Level, title: &str, message: &str) -> Self {
        let [start_line, start, end_line, end] = place;
        let one_line = start_line == end_line;
        Self {
            path: path.to_owned(),
            start_line,
            end_line: end_line.max(start_line),
            start_column: one_line.then_some(start),
            end_column: one_line.then_some(end.saturating_sub(1).max(start)),
            annotation_level: level,
            title: shortened(title, TITLE),
            message: shortened(message, MESSAGE),
        }
    }
}

impl CheckRun {
    /// How many requests it takes to publish it.
    #[must_use]
    pub fn requests_needed(&self) -> u32 {
        let chunks = self.annotations.len().div_ceil(ANNOTATIONS).max(1);
        u32::try_from(chunks).unwrap_or(u32::MAX)
    }

    /// The request's body without the annotations behind the first fifty, and those in fifties.
    pub(crate) fn requests(&self) -> (Value, Vec<Value>) {
        let mut chunks = self.annotations.chunks(ANNOTATIONS);
        let mut first = json!({
            "name": self.name,
            "head_sha": self.head_sha,
            "external_id": self.external_id,
            "output": self.output(chunks.next().unwrap_or_default()),
            "actions": self.actions,
        });
        let more = self.status.fields().into_iter();
        let details = self.details_url.as_ref().map(|url| ("details_url", json!(url)));
        for (name, value) in more.chain(details) {
            first[name] = value;
        }
        (first, chunks.map(|chunk| json!({ "output": self.output(chunk) })).collect())
    }

    fn output(&self, annotations: &[Annotation]) -> Value {
        let mut output = json!({
            "title": self.title,
            "summary": self.summary,
            "annotations": annotations,
        });
        if let Some(text) = &self.text {
            output["text"] = json!(text);
        }
        output
    }
}

impl CheckStatus {
    fn fields(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::Queued => vec![("status", json!("queued"))],
            Self::InProgress { started_at } => {
                vec![("status", json!("in_progress")), ("started_at", json!(whole(*started_at)))]
            }
            Self::Completed { conclusion, completed_at } => vec![
                ("status", json!("completed")),
                ("conclusion", json!(conclusion)),
                ("completed_at", json!(whole(*completed_at))),
            ],
        }
    }
}

/// GitHub documents times in whole seconds.
fn whole(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// A check run as GitHub has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PublishedCheck {
    /// Its number.
    pub id: CheckRunId,
    /// Its name.
    pub name: String,
    /// The commit.
    pub head_sha: CommitSha,
    /// The key that its author gave it.
    pub external_id: Option<String>,
    /// The outcome; none before it is completed.
    pub conclusion: Option<Conclusion>,
    /// When it began, by GitHub's clock unless its author said otherwise.
    pub started_at: Option<Timestamp>,
    /// How many annotations it has.
    #[serde(rename = "output", deserialize_with = "annotations_count", default)]
    pub annotations: usize,
    app: Option<CheckAuthor>,
}

fn annotations_count<'de, D: Deserializer<'de>>(output: D) -> Result<usize, D::Error> {
    #[derive(Deserialize)]
    struct Output {
        #[serde(default)]
        annotations_count: usize,
    }
    Output::deserialize(output).map(|output| output.annotations_count)
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct CheckAuthor {
    id: AppId,
}

impl PublishedCheck {
    /// Whether an App wrote it. Others may use the same name.
    #[must_use]
    pub fn is_by(&self, app: AppId) -> bool {
        self.app.as_ref().is_some_and(|author| author.id == app)
    }
}

/// `text` with at most `most` characters; what was cut is marked.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(place: [u32; 4]) -> Annotation {
        Annotation::new("services/nas.yaml", place, Level::Failure, "unknown-key", "no such key")
    }

    fn check(findings: usize) -> CheckRun {
        CheckRun {
            name: "landfall / production (main)".into(),
            head_sha: CommitSha::new("a".repeat(40)).unwrap(),
            status: CheckStatus::Queued,
            title: "t".into(),
            summary: "s".into(),
            text: None,
            annotations: vec![at([3, 1, 3, 5]); findings],
            external_id: "7".into(),
            details_url: None,
            actions: Vec::new(),
        }
    }

    #[test]
    fn columns_are_told_only_within_one_line() {
        let columns = |place| (at(place).start_column, at(place).end_column);
        assert_eq!(columns([3, 2, 3, 5]), (Some(2), Some(4)));
        assert_eq!(columns([3, 2, 3, 2]), (Some(2), Some(2)));
        assert_eq!(columns([3, 2, 4, 1]), (None, None));
    }

    #[test]
    fn annotations_go_out_in_fifties() {
        let sizes = |findings| {
            let (first, more) = check(findings).requests();
            let size = |body: &Value| body["output"]["annotations"].as_array().unwrap().len();
            (size(&first), more.iter().map(size).collect::<Vec<_>>())
        };
        assert_eq!(sizes(0), (0, vec![]));
        assert_eq!(sizes(50), (50, vec![]));
        assert_eq!(sizes(101), (50, vec![50, 1]));
    }

    #[test]
    fn what_is_too_long_is_cut_at_a_character_and_marked() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöüß", 3), "äö…");
    }
}
