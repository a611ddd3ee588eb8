//! The ground that plans and runs stand on: the repository, its mirror, and the rules that hold.
//!
//! Rules come from the default branch only. What another branch says of itself is checked, never used.

use std::sync::Arc;

use landfall_core::config::{Environment, REPOSITORY_CONFIG, RepositoryConfig};
use landfall_core::diagnostic::Diagnostic;
use landfall_core::name::{BlobSha, BranchName, CommitSha, PullNumber, RepositoryId, TreeSha};
use landfall_core::plan::{Digest, Value};
use landfall_github::{InstalledRepository, Reader};
use landfall_repo::{Blob, Fetched, Mirror, Remote, RepoError, Wanted};
use landfall_store::Repository;

use crate::gather::source::{MAX_FILE, TreeFiles};
use crate::gather::{Declared, LoadError, Sessions, tree};
use crate::house::{House, Kinds};

/// A repository that is about to be planned or run.
#[derive(Debug)]
pub struct Ground {
    /// As the store has it.
    pub repository: Repository,
    /// GitHub, for reading.
    pub reader: Reader,
    /// Its mirror, fetched.
    pub mirror: Mirror,
    /// Where everything was that was fetched.
    pub fetched: Fetched,
}

/// The rules that hold: the repository config of the default branch.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The config.
    pub config: Arc<RepositoryConfig>,
    /// The name of its content.
    pub blob: BlobSha,
    /// What runs are told apart by.
    pub digest: Digest,
}

impl Ground {
    /// The repository as it was last fetched. None for one where the App is not installed any more.
    ///
    /// # Errors
    /// The store could not be asked.
    pub async fn open(house: &House, id: RepositoryId) -> anyhow::Result<Option<Self>> {
        let Some(repository) =
            house.store.repository(id).await?.filter(|repository| repository.active)
        else {
            return Ok(None);
        };
        let reader = house.github.reader(InstalledRepository {
            installation: repository.installation,
            id,
            name: repository.name.clone(),
        });
        let mirror = house.mirrors.mirror(id);
        Ok(Some(Self { repository, reader, mirror, fetched: Fetched::default() }))
    }

    /// Fetches what is wanted, and the default branch with it.
    ///
    /// # Errors
    /// GitHub or git could not be asked; [`RepoError::Gone`] when a ref is not there.
    pub async fn fetch(mut self, wanted: &[Wanted]) -> anyhow::Result<Self> {
        let remote = self.remote().await?;
        let mut wanted = wanted.to_vec();
        if !wanted.contains(&Wanted::AllBranches) {
            wanted.push(Wanted::Branch(self.repository.default_branch.clone()));
        }
        wanted.sort();
        wanted.dedup();
        self.fetched = self.mirror.fetch(&remote, &wanted).await?;
        Ok(self)
    }

    async fn remote(&self) -> anyhow::Result<Remote> {
        let credentials = self.reader.git_credentials().await?;
        Ok(Remote { url: credentials.url, token: Some(credentials.password) })
    }

    /// Where a branch is now. Its commit is in the mirror then.
    ///
    /// # Errors
    /// As [`Self::fetch`].
    pub async fn newest(&self, branch: &BranchName) -> anyhow::Result<CommitSha> {
        let wanted = Wanted::Branch(branch.clone());
        let fetched =
            self.mirror.fetch(&self.remote().await?, std::slice::from_ref(&wanted)).await?;
        let tip = fetched.tip(&wanted).cloned();
        Ok(tip.ok_or_else(|| RepoError::Gone(wanted.to_string()))?)
    }

    /// Proves that a commit is the head of a pull request: its ref is there now. That GitHub knows a
    /// commit proves nothing, because a repository answers for those of all its forks.
    ///
    /// # Errors
    /// As [`Self::fetch`]; [`RepoError::NotYet`] when the ref is elsewhere.
    pub async fn prove_head(&self, pull: PullNumber, head: &CommitSha) -> anyhow::Result<()> {
        let wanted = Wanted::Pull(pull);
        let remote = self.remote().await?;
        let fetched = self.mirror.fetch(&remote, std::slice::from_ref(&wanted)).await?;
        Ok(fetched.expect(&wanted, head)?)
    }

    /// Where a branch was at the fetch.
    ///
    /// # Errors
    /// It was not there.
    pub fn tip(&self, branch: &BranchName) -> Result<&CommitSha, RepoError> {
        let wanted = Wanted::Branch(branch.clone());
        self.fetched.tip(&wanted).ok_or_else(|| RepoError::Gone(wanted.to_string()))
    }

    /// The rules that hold.
    ///
    /// # Errors
    /// There are none, or they are wrong.
    pub async fn rules(&self, house: &House) -> Result<Rules, LoadError> {
        let tip = self.tip(&self.repository.default_branch).map_err(anyhow::Error::from)?;
        let tree = self.mirror.tree(tip).await.map_err(anyhow::Error::from)?;
        self.rules_of(house, &tree).await
    }

    /// The rules as they were on the default branch when that was fetched last, however long ago.
    /// Nobody else is asked.
    ///
    /// # Errors
    /// As [`Self::rules`]; also where it never was.
    pub async fn last_rules(&self, house: &House) -> Result<Rules, LoadError> {
        let tip = self.mirror.tip(&self.repository.default_branch).await;
        let tip = tip.map_err(anyhow::Error::from)?;
        let tree = self.mirror.tree(&tip).await.map_err(anyhow::Error::from)?;
        self.rules_of(house, &tree).await
    }

    /// The rules as a tree writes them, to be checked.
    ///
    /// # Errors
    /// As [`Self::rules`].
    pub async fn rules_of(&self, house: &House, tree: &TreeSha) -> Result<Rules, LoadError> {
        let kinds = Kinds::of(&house.reach.registry);
        let source = TreeFiles { mirror: &self.mirror, tree };
        let (config, blob) = tree::repository_config(&source, kinds.registry()).await?;
        let digest = Digest::of(&Value::from(blob.as_str()));
        Ok(Rules { config: Arc::new(config), blob, digest })
    }

    /// The rules that an environment was last applied by; none when it never was, or when they
    /// cannot be read any more.
    ///
    /// # Errors
    /// Git could not be asked.
    pub async fn earlier_rules(
        &self,
        house: &House,
        rules: &Rules,
        row: Option<&landfall_store::Environment>,
    ) -> anyhow::Result<Option<Arc<RepositoryConfig>>> {
        let last = row.and_then(|row| row.last.as_ref()).and_then(|last| last.rules.as_ref());
        match last {
            Some(blob) if *blob == rules.blob => Ok(Some(Arc::clone(&rules.config))),
            Some(blob) if self.mirror.has_blob(blob).await? => self.rules_in(house, blob).await,
            _ => Ok(None),
        }
    }

    /// The rules that a blob writes; none when they cannot be used any more.
    async fn rules_in(
        &self,
        house: &House,
        blob: &BlobSha,
    ) -> anyhow::Result<Option<Arc<RepositoryConfig>>> {
        let kinds = Kinds::of(&house.reach.registry);
        let known = self.mirror.blobs(std::slice::from_ref(blob), MAX_FILE).await?;
        let Some(Blob::Content(bytes)) = known.get(blob) else { return Ok(None) };
        let config = RepositoryConfig::load(kinds.registry(), REPOSITORY_CONFIG, bytes);
        Ok(config.ok().map(Arc::new))
    }

    /// What a tree declares under `rules`.
    ///
    /// # Errors
    /// It has errors, or could not be read.
    pub async fn declared(
        &self,
        house: &House,
        rules: &Rules,
        tree: &TreeSha,
    ) -> Result<Declared, LoadError> {
        let (caches, config) = (&house.caches, Arc::clone(&rules.config));
        if let Some(declared) = caches.tree(tree, &rules.digest) {
            return Ok(declared);
        }
        let kinds = Kinds::of(&house.reach.registry);
        let source = TreeFiles { mirror: &self.mirror, tree };
        let declared = tree::declared(&source, kinds.registry(), config, caches).await?;
        caches.keep_tree(tree, &rules.digest, &declared);
        Ok(declared)
    }

    /// The connections of an environment, and those that it had `earlier`.
    #[must_use]
    pub fn sessions<'a>(
        &self,
        house: &'a House,
        environment: &'a Environment,
        earlier: Option<&'a Environment>,
    ) -> Sessions<'a> {
        let policy = house.operator.policy(&self.repository.name, &environment.name);
        Sessions::new(&house.reach, environment, self.repository.id, policy).and_earlier(earlier)
    }
}

/// What is said when there are no rules on `branch`, or only some that are `wrong`.
#[must_use]
pub fn no_rules(branch: &str, wrong: Option<&[Diagnostic]>) -> String {
    match wrong.and_then(<[Diagnostic]>::first) {
        None => {
            format!(
                "There is no `{REPOSITORY_CONFIG}` on `{branch}` yet; planning starts once it is merged."
            )
        }
        Some(first) => format!(
            "`{}` on `{branch}` cannot be used: {}. Planning goes on once it is fixed there.",
            first.span, first.message
        ),
    }
}

/// The errors of a load, with one that stands for a file that could not be read at all.
///
/// # Errors
/// The files could not be asked for: not the fault of what is in them.
pub fn findings(error: LoadError) -> anyhow::Result<Option<Vec<Diagnostic>>> {
    match error {
        LoadError::Invalid(findings) => Ok(Some(findings)),
        LoadError::NoConfig => Ok(None),
        LoadError::Source(error) => Err(error),
    }
}
