//! What people read: comments, reactions, checks, deployments. Everything here waits until the
//! world is quiet, and what is read counts as expected.

use landfall_sim::github::{CheckRun, Comment, Deployment};
use serde_json::Value;

use super::World;

/// The App's account.
const US: &str = "landfall[bot]";
/// How the answer to a command begins.
const ANSWER: &str = "<details open>\n<summary><code>/";

impl World {
    /// The plan on the pull request that is meant, with all of its parts.
    ///
    /// # Panics
    /// There is none.
    pub async fn plan_comment(&mut self) -> String {
        self.settle().await;
        let parts = self.ours(self.pull, "plan");
        assert!(!parts.is_empty(), "there is no plan on pull request {}", self.pull);
        let texts: Vec<String> = parts.iter().map(|part| self.take(part)).collect();
        texts.join("\n")
    }

    /// What stands last in the plan's comment, before answers: what to do next, or what became of it.
    pub async fn outcome(&mut self) -> String {
        let plan = self.plan_comment().await;
        let plan = plan.split(ANSWER).next().unwrap_or_default().trim_end();
        plan.rsplit_once("\n---\n").map_or(String::new(), |(_, tail)| tail.to_owned())
    }

    /// The answers to commands at the end of the plan's comment.
    ///
    /// # Panics
    /// There is no such comment.
    pub async fn answers(&mut self) -> String {
        let plan = self.plan_comment().await;
        plan.find(ANSWER).map_or(String::new(), |at| plan[at..].to_owned())
    }

    /// What was said of the newest run that needed somebody.
    ///
    /// # Panics
    /// There was none.
    pub async fn run_comment(&mut self) -> String {
        self.settle().await;
        let newest = self.ours(self.pull, "run").pop();
        let newest = newest.unwrap_or_else(|| panic!("nothing was said of a run on {}", self.pull));
        self.take(&newest)
    }

    /// Everything on the pull request that is meant and was not read yet, oldest first.
    pub async fn comments(&mut self) -> Vec<String> {
        self.settle().await;
        let unread: Vec<Comment> =
            self.unread().into_iter().filter(|c| c.pull == self.pull).collect();
        unread.iter().map(|comment| self.take(comment)).collect()
    }

    /// The one comment that was not read yet: an answer to a command, say.
    ///
    /// # Panics
    /// There is none, or more than one.
    pub async fn answer(&mut self) -> String {
        let mut comments = self.comments().await;
        assert_eq!(comments.len(), 1, "one comment was expected: {comments:#?}");
        comments.remove(0)
    }

    /// Reads all that was said anywhere, for what is not what the story is about.
    pub async fn read_everything(&mut self) {
        self.settle().await;
        for comment in self.unread() {
            self.take(&comment);
        }
    }

    /// Asserts that nothing was said since the story last read something.
    ///
    /// # Panics
    /// Something was.
    pub async fn assert_silence(&mut self) {
        self.settle().await;
        let told = |comment: &Comment| {
            format!("on pull request {}:\n{}", comment.pull, self.told(comment))
        };
        let unread: Vec<String> = self.unread().iter().map(told).collect();
        assert!(unread.is_empty(), "nobody expected this comment {}", unread.join("\n\nnor "));
    }

    /// How we reacted to a comment: `eyes rocket`.
    pub async fn reactions(&mut self, comment: u64) -> String {
        self.settle().await;
        let reactions =
            self.repo.reactions(comment).into_iter().filter(|reaction| reaction.user == US);
        reactions.map(|reaction| reaction.content).collect::<Vec<_>>().join(" ")
    }

    /// The messages that the chat got, as text, oldest first.
    pub async fn messages(&mut self) -> Vec<String> {
        self.settle().await;
        let text = |message: &Value| self.names.told(message["text"].as_str().unwrap_or_default());
        self.chat.messages().iter().map(text).collect()
    }

    /// The newest message that the chat got, whole.
    ///
    /// # Panics
    /// It got none.
    pub async fn last_message(&mut self) -> String {
        self.settle().await;
        let message = self.chat.messages().pop().expect("the chat got a message");
        self.names.told(&format!("{message:#}"))
    }

    /// The newest check run of this name on the head of the pull request that is meant: conclusion
    /// and title, then a line for each annotation.
    ///
    /// # Panics
    /// There is none.
    pub async fn check(&mut self, name: &str) -> String {
        self.settle().await;
        let head = self.repo.pull(self.pull).expect("there is a pull request").head_sha;
        self.shown(self.repo.check_runs(&head), name)
    }

    /// The newest check run of this name on a commit, as [`World::check`] shows it.
    ///
    /// # Panics
    /// There is none.
    pub async fn check_on(&mut self, sha: &str, name: &str) -> String {
        self.settle().await;
        self.shown(self.repo.check_runs(sha), name)
    }

    /// What stands in the newest check run of this name, below its title.
    ///
    /// # Panics
    /// There is none.
    pub async fn check_summary(&mut self, name: &str) -> String {
        let run = self.newest_check(name).await;
        self.names.told(&run.summary.unwrap_or_default())
    }

    /// What stands on the buttons of the newest check run of this name.
    ///
    /// # Panics
    /// There is none.
    pub async fn buttons(&mut self, name: &str) -> Vec<String> {
        let run = self.newest_check(name).await;
        let label = |action: &Value| action["label"].as_str().unwrap_or_default().to_owned();
        run.actions.iter().map(label).collect()
    }

    /// The newest check run of this name, on whatever commit.
    ///
    /// # Panics
    /// There is none.
    pub async fn newest_check(&mut self, name: &str) -> CheckRun {
        self.settle().await;
        let run = self.repo.all_check_runs().into_iter().rfind(|run| run.name == name);
        run.unwrap_or_else(|| panic!("there is no check `{name}`"))
    }

    /// The newest check run of an environment's runs, as [`World::check`] shows it.
    ///
    /// # Panics
    /// There is none.
    pub async fn run_check(&mut self, environment: &str) -> String {
        self.settle().await;
        self.shown(self.repo.all_check_runs(), &format!("landfall / {environment}"))
    }

    /// A text of GitHub's as a story reads it.
    #[must_use]
    pub fn read(&self, text: &str) -> String {
        self.names.told(text)
    }

    /// The deployments by environment, the oldest first, each with where it stands:
    /// `production at commit-1: success`.
    pub async fn deployments(&mut self) -> String {
        self.settle().await;
        let mut deployments = self.repo.deployments();
        deployments.sort_by_key(|deployment| deployment.environment.clone());
        let told = |deployment: &Deployment| {
            let state = deployment.statuses.last().map_or("none", |status| &status.state);
            let commit = self.names.told(&deployment.sha);
            format!("{} at {commit}: {state}", deployment.environment)
        };
        deployments.iter().map(told).collect::<Vec<_>>().join("\n")
    }

    fn shown(&self, mut runs: Vec<CheckRun>, name: &str) -> String {
        runs.retain(|run| run.name == name);
        let run = runs.pop().unwrap_or_else(|| panic!("there is no check `{name}`"));
        let state = run.conclusion.unwrap_or(run.status);
        let mut lines = vec![format!("{state}: {}", run.title.unwrap_or_default())];
        lines.extend(run.annotations.iter().map(annotation));
        self.names.told(&lines.join("\n"))
    }

    /// Our comments of a kind on a pull request, oldest first.
    fn ours(&self, pull: u64, kind: &str) -> Vec<Comment> {
        let begin = format!("<!-- landfall:{kind} ");
        let comments = self.repo.comments(pull).into_iter();
        comments
            .filter(|comment| comment.author == US && comment.body.starts_with(&begin))
            .collect()
    }

    fn unread(&self) -> Vec<Comment> {
        let all = self.repo.pulls().into_iter().flat_map(|pull| self.repo.comments(pull.number));
        all.filter(|c| c.author == US && self.read.get(&c.id) != Some(&c.body)).collect()
    }

    fn take(&mut self, comment: &Comment) -> String {
        self.read.insert(comment.id, comment.body.clone());
        self.told(comment)
    }

    /// A comment as a person sees it: without its marker.
    fn told(&self, comment: &Comment) -> String {
        let (marker, text) = comment.body.split_once('\n').unwrap_or(("", &comment.body));
        assert!(
            marker.starts_with("<!-- landfall:"),
            "a comment without a marker: {}",
            comment.body
        );
        self.names.told(text)
    }
}

fn annotation(annotation: &Value) -> String {
    let text = |key: &str| annotation[key].as_str().unwrap_or_default().to_owned();
    let place =
        format!("{}:{}:{}", text("path"), annotation["start_line"], annotation["start_column"]);
    format!("{place} {} {}: {}", text("annotation_level"), text("title"), text("message"))
}
