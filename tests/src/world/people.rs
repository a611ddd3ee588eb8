//! What people do. Nothing here waits for what follows from it.

use landfall::backup::Place;
use landfall_sim::github::{Edit, MergeMethod, NewPull};

use landfall_store::{BACKGROUND, JobKey, NewJob};

use super::{ALICE, World, hook_url};

impl World {
    /// Opens a pull request into `main` with one commit on a new branch and returns its number.
    /// From then on it is the one that is meant.
    ///
    /// # Panics
    /// GitHub refuses.
    pub async fn pull<E: Into<Edit>>(
        &mut self,
        branch: &str,
        edits: impl IntoIterator<Item = E>,
    ) -> u64 {
        self.pull_into("main", branch, edits).await
    }

    /// As [`World::pull`], into another branch, where the new one begins.
    ///
    /// # Panics
    /// GitHub refuses.
    pub async fn pull_into<E: Into<Edit>>(
        &mut self,
        base: &str,
        branch: &str,
        edits: impl IntoIterator<Item = E>,
    ) -> u64 {
        let tip = self.repo.head(base).await.expect("git answers").expect("the base is there");
        self.repo.point_branch(branch, &tip, ALICE).await.expect("a branch can be made");
        self.push(branch, edits).await;
        self.open(NewPull::from(branch).into(base)).await
    }

    /// Opens a pull request for a branch that is there already.
    ///
    /// # Panics
    /// GitHub refuses.
    pub async fn open(&mut self, pull: NewPull) -> u64 {
        self.pull = self.repo.open(pull).await.expect("GitHub opens the pull request");
        self.pull
    }

    /// The pull request that is meant from now on.
    pub fn on(&mut self, pull: u64) -> &mut Self {
        self.pull = pull;
        self
    }

    /// The number of the pull request that is meant.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.pull
    }

    /// Commits and pushes, also to a branch that is mapped, and returns the commit.
    ///
    /// # Panics
    /// GitHub refuses.
    pub async fn push<E: Into<Edit>>(
        &mut self,
        branch: &str,
        edits: impl IntoIterator<Item = E>,
    ) -> String {
        let edits = edits.into_iter().map(|edit| self.names.real_edit(edit.into()));
        let edits: Vec<Edit> = edits.collect();
        let what = edits
            .first()
            .map_or("Change nothing".to_owned(), |edit| format!("Change {}", edit.path));
        let commit =
            self.repo.push(branch, ALICE, &what, edits).await.expect("GitHub takes the push");
        self.names.commit(commit.clone());
        commit
    }

    /// Replaces what a branch holds by one commit on `parent`, as after a rebase. A branch that is
    /// protected is so no more.
    ///
    /// # Panics
    /// GitHub refuses.
    pub async fn force_push<E: Into<Edit>>(
        &mut self,
        branch: &str,
        parent: &str,
        edits: impl IntoIterator<Item = E>,
    ) -> String {
        let edits: Vec<Edit> =
            edits.into_iter().map(|edit| self.names.real_edit(edit.into())).collect();
        self.repo.unprotect(branch).expect("there is a repository");
        let pushed = self.repo.force_push(branch, ALICE, parent, edits).await;
        let commit = pushed.expect("GitHub takes the forced push");
        self.names.commit(commit.clone());
        commit
    }

    /// A commit that came into being otherwise is read as a number, like all others.
    pub fn knows(&mut self, commit: &str) {
        self.names.commit(commit.to_owned());
    }

    /// Comments on the pull request that is meant and returns the comment's id.
    ///
    /// # Panics
    /// There is no such pull request.
    pub fn comment(&mut self, text: &str) -> u64 {
        self.comment_as(ALICE, text)
    }

    /// As [`World::comment`], by somebody else.
    ///
    /// # Panics
    /// There is no such pull request.
    pub fn comment_as(&mut self, login: &str, text: &str) -> u64 {
        self.repo.comment(self.pull, login, text).expect("there is a pull request to comment on")
    }

    /// Clicks on a button of the newest check of this name.
    ///
    /// # Panics
    /// There is no such button.
    pub async fn click(&mut self, check: &str, button: &str) {
        self.click_as(ALICE, check, button).await;
    }

    /// As [`World::click`], by somebody else.
    ///
    /// # Panics
    /// There is no such button.
    pub async fn click_as(&mut self, login: &str, check: &str, button: &str) {
        let run = self.newest_check(check).await;
        let action = run.actions.iter().find(|action| action["label"] == button);
        let action = action.unwrap_or_else(|| panic!("`{check}` has no button `{button}`"));
        let identifier = action["identifier"].as_str().unwrap_or_default();
        self.repo.press(run.id, identifier, login).expect("there is such a button");
    }

    /// Merges the pull request that is meant with a merge commit, and returns the base's new tip.
    ///
    /// # Panics
    /// It cannot be merged.
    pub async fn merge(&mut self) -> String {
        self.merge_by(MergeMethod::Merge).await
    }

    /// As [`World::merge`], in one of GitHub's other ways.
    ///
    /// # Panics
    /// It cannot be merged.
    pub async fn merge_by(&mut self, method: MergeMethod) -> String {
        let commit = self.repo.merge(self.pull, method, ALICE).await.expect("it can be merged");
        self.names.commit(commit.clone());
        commit
    }

    /// Brings `main`, and so production, to what the repository begins with: a first pull request,
    /// its merge, `/apply`. Nothing of it has to be read.
    pub async fn bootstrap(&mut self) {
        self.bootstrap_branch("main").await;
    }

    /// The same for any mapped branch.
    ///
    /// # Panics
    /// It did not become quiet.
    pub async fn bootstrap_branch(&mut self, base: &str) {
        let readme = format!("# What {base} looks after\n");
        self.pull_into(base, &format!("begin-{base}"), [(format!("about-{base}.md"), readme)])
            .await;
        self.settle().await;
        self.merge().await;
        self.settle().await;
        self.comment("/apply");
        self.read_everything().await;
    }

    /// Loses the server's disk, and starts a new server with a backup. Webhooks follow it.
    pub async fn restore(&mut self, backup: &Place) {
        self.server.restore(backup).await;
        self.panics_read = 0;
        self.github.hooks().send_to(&self.server.webhook_url());
    }

    /// Stops the server and starts it again with what is on disk. Webhooks follow it.
    pub async fn restart(&mut self) {
        let said = self.exchanges().all().len();
        self.server.restart().await;
        self.is_back(said).await;
    }

    /// As [`World::restart`], with nothing of what was on disk.
    pub async fn restart_afresh(&mut self) {
        let said = self.exchanges().all().len();
        self.server.restart_afresh().await;
        self.is_back(said).await;
    }

    async fn is_back(&mut self, said: usize) {
        self.panics_read = 0;
        self.github.hooks().send_to(&hook_url(&self.server));
        self.started(said).await;
    }

    /// Time passes, and the server reads GitHub's delivery log.
    pub async fn sweep(&mut self) {
        self.is_due(JobKey::Deliveries).await;
    }

    /// Time passes, and the server compares all that it looks after with GitHub.
    pub async fn compare(&mut self) {
        self.is_due(JobKey::Installations).await;
    }

    /// The server's clock asks for work.
    async fn is_due(&mut self, key: JobKey) {
        let job = NewJob { key, installation: BACKGROUND, run_at: None };
        self.server.store().enqueue(&[job]).await.expect("the store takes the job");
    }
}
