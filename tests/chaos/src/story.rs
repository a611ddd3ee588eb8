//! The whole of it: a town, servers, people and a nemesis, from the beginning until all is at rest.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use landfall_cluster::Cluster;
use landfall_core::name::{EnvironmentName, RepositoryId};
use landfall_store::{Backlog, Store, SystemClock};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::sync::Mutex;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::Engine;
use crate::check::{Evidence, Findings};
use crate::fleet::Fleet;
use crate::history::History;
use crate::nemesis::{Many, Nemesis, Weather};
use crate::people::People;
use crate::report::Report;
use crate::town::{ENVIRONMENTS, Town};

/// How many servers share a database.
const SERVERS: usize = 4;
/// How often deliveries get another way, and servers that ended are looked for.
const GLANCE: Duration = Duration::from_millis(150);
/// How often it is said how far it is.
const TELL: Duration = Duration::from_secs(5);
/// When nothing moves for so long any more, nothing will.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often servers compare what GitHub has with what is known: in every second story so often that
/// nothing GitHub never says is missed, and in the others only when they start, so that nothing heals
/// what they lose themselves.
const OFTEN: Duration = Duration::from_secs(4);
const HARDLY: Duration = Duration::from_hours(1);
/// For how long everything has to be at rest: what never arrived has been looked for meanwhile.
const REST: Duration = Duration::from_secs(8);

/// When it is enough: when all of it was reached.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Until {
    pub(crate) kills: u64,
    pub(crate) pauses: u64,
    pub(crate) time: Duration,
}

/// Everything, running.
pub(crate) struct Story {
    engine: Engine,
    seed: u64,
    town: Town,
    fleet: Arc<Mutex<Fleet>>,
    history: History,
    store: Arc<dyn Store>,
    people: Arc<Mutex<People>>,
    /// Ends what goes on beside the nemesis.
    over: CancellationToken,
    began: Instant,
}

impl Story {
    /// Starts everything. Nothing goes wrong yet.
    ///
    /// # Errors
    /// Something cannot be started.
    pub(crate) async fn begin(engine: Engine, seed: u64, folder: &Path) -> anyhow::Result<Self> {
        let town = Town::start().await?;
        let url = match engine {
            Engine::Sqlite => format!("sqlite:{}", folder.join("landfall.db").display()),
            Engine::Postgres => Cluster::of_process().database(),
        };
        // Before the first server: it makes the tables.
        let store = landfall_store::open(&url, Arc::new(SystemClock)).await?;
        let history = History::begin(&town, folder)?;
        // SQLite has a seat for a successor.
        let (seats, at_once) = match engine {
            Engine::Sqlite => (2, 1),
            Engine::Postgres => (SERVERS, SERVERS),
        };
        let reconcile = if compares(seed) { OFTEN } else { HARDLY };
        let mut fleet = Fleet::new(folder, town.told(url.clone(), reconcile), seats);
        for seat in fleet.seats().take(at_once) {
            fleet.start(seat)?;
        }
        // What was delivered to nobody before the log was first read is not Landfall's to know.
        while store.log_read().await?.is_none() {
            sleep(GLANCE).await;
        }
        let people = People::of(&town.repo, StdRng::seed_from_u64(seed));
        Ok(Self {
            engine,
            seed,
            store,
            fleet: Arc::new(Mutex::new(fleet)),
            people: Arc::new(Mutex::new(people)),
            over: CancellationToken::new(),
            began: Instant::now(),
            town,
            history,
        })
    }

    /// Lets people and the nemesis do their work, waits until all is at rest, and checks.
    ///
    /// # Errors
    /// The simulators, the store or the system failed.
    pub(crate) async fn tell(self, until: Until) -> anyhow::Result<Report> {
        let rng = StdRng::seed_from_u64(self.seed.wrapping_add(1));
        let many = match self.engine {
            Engine::Sqlite => Many::One,
            Engine::Postgres => Many::Several,
        };
        let (fleet, history) = (Arc::clone(&self.fleet), self.history.clone());
        let weather = Weather { many, compares: compares(self.seed) };
        let mut nemesis = Nemesis::new(self.town.clone(), fleet, history, rng, weather);
        let post = tokio::spawn(post(
            self.town.clone(),
            Arc::clone(&self.fleet),
            self.over.clone(),
            StdRng::seed_from_u64(self.seed.wrapping_add(2)),
        ));
        let idle = self.over.child_token();
        let people = tokio::spawn(live(Arc::clone(&self.people), idle.clone()));
        self.strike(&mut nemesis, until).await?;
        idle.cancel();
        people.await??;
        nemesis.rest().await?;
        self.progress(&nemesis, "everybody rests now").await?;
        let rests = self.settle(&nemesis).await?;
        self.over.cancel();
        post.await??;
        let mut report = self.check(&nemesis).await?;
        if !rests {
            report.findings.wrong.push("it did not come to rest".to_owned());
        }
        Ok(report)
    }

    async fn strike(&self, nemesis: &mut Nemesis, until: Until) -> anyhow::Result<()> {
        let mut told = Instant::now();
        loop {
            let kills = until.kills.saturating_sub(nemesis.done.kills);
            let pauses = until.pauses.saturating_sub(nemesis.done.pauses);
            if kills == 0 && pauses == 0 && self.began.elapsed() >= until.time {
                return Ok(());
            }
            let share = match kills + pauses {
                0 => 0.7,
                left => kills as f64 / left as f64,
            };
            nemesis.strike(share).await?;
            if told.elapsed() > TELL {
                told = Instant::now();
                self.progress(nemesis, "so far").await?;
                self.town.exchanges.clear();
            }
        }
    }

    async fn progress(&self, nemesis: &Nemesis, when: &str) -> anyhow::Result<()> {
        let (done, backlog) = (nemesis.done, self.store.backlog().await?);
        let (effects, faults) = {
            let seen = self.history.seen();
            (seen.writes.len(), seen.faults)
        };
        let (merges, said) = {
            let people = self.people.lock().await;
            (people.merges, people.said.len())
        };
        eprintln!(
            "{:>5} s {when}: {} killed, {} paused, {faults} faults, {merges} merges, {said} commands, \
             {effects} effects; to do: {} deliveries, {} jobs, {} items",
            self.began.elapsed().as_secs(),
            done.kills,
            done.pauses,
            backlog.deliveries,
            backlog.jobs,
            backlog.items,
        );
        Ok(self.history.flush()?)
    }

    /// Waits until nothing is left to do, for as long as something still moves.
    async fn settle(&self, nemesis: &Nemesis) -> anyhow::Result<bool> {
        let (mut last, mut since, mut told) = (String::new(), Instant::now(), Instant::now());
        let mut resting = Instant::now();
        while resting.elapsed() < REST {
            self.people.lock().await.tend().await?;
            self.town.github.hooks().deliver_all().await;
            let (rests, state) = self.state().await?;
            if !rests {
                resting = Instant::now();
            }
            if state != last {
                (last, since) = (state, Instant::now());
            }
            if since.elapsed() > PATIENCE {
                eprintln!("nothing moves any more: {last}");
                return Ok(false);
            }
            if told.elapsed() > TELL {
                told = Instant::now();
                self.progress(nemesis, "settling").await?;
            }
            sleep(Duration::from_millis(200)).await;
        }
        Ok(true)
    }

    /// Whether everything is at rest, and a text that changes as long as something moves.
    async fn state(&self) -> anyhow::Result<(bool, String)> {
        let backlog = self.store.backlog().await?;
        let mut rests = backlog.is_quiet();
        let Backlog { deliveries, jobs, background, items } = backlog;
        let (jobs, said) = (jobs - background, self.people.lock().await.said.len());
        let mut state = format!("{deliveries} deliveries, {jobs} jobs, {items} items, {said} said");
        let repository = RepositoryId(self.town.repo.id());
        for environment in ENVIRONMENTS {
            let name: EnvironmentName = environment.name.parse()?;
            let head = self.town.repo.head(environment.branch).await?;
            let row = self.store.environment(repository, &name).await?;
            let at = row.and_then(|row| row.last).map(|last| last.commit.to_string());
            rests &= at == head;
            let newest = self.store.recent_runs(repository, &name, 1).await?;
            let newest = newest.first().map(|run| format!("{} {}", run.state, run.reason));
            state.push_str(&format!(" {name} at {at:?} of {head:?}, {newest:?}"));
        }
        Ok((rests, state))
    }

    async fn check(&self, nemesis: &Nemesis) -> anyhow::Result<Report> {
        let log = self.town.github.hooks().log();
        let known: std::collections::BTreeSet<&str> =
            log.iter().map(|attempt| attempt.guid.as_str()).collect();
        let people = self.people.lock().await;
        let evidence = Evidence {
            town: &self.town,
            store: &*self.store,
            history: &self.history,
            people: &people,
        };
        let findings: Findings = evidence.check(&*self.fleet.lock().await).await?;
        self.history.flush()?;
        let seen = self.history.seen();
        Ok(Report {
            engine: self.engine,
            seed: self.seed,
            done: nemesis.done,
            faults: seen.faults,
            deliveries: known.len(),
            attempts: log.len(),
            merges: people.merges,
            commands: people.said.len(),
            effects: seen.writes.len(),
            refused: seen.refused.len(),
            findings,
            took: self.began.elapsed(),
        })
    }
}

/// Whether servers compare often in the story of a seed.
fn compares(seed: u64) -> bool {
    seed.is_multiple_of(2)
}

/// People live their lives until they are told to rest.
async fn live(people: Arc<Mutex<People>>, over: CancellationToken) -> anyhow::Result<()> {
    while !over.is_cancelled() {
        let rest = {
            let mut people = people.lock().await;
            people.act().await?;
            people.tend().await?;
            people.rest()
        };
        tokio::select! {
            () = over.cancelled() => {}
            () = sleep(rest) => {}
        }
    }
    Ok(())
}

/// Sends deliveries to some server that is awake, and starts servers that ended by themselves. What
/// nobody took is for Landfall to find.
async fn post(
    town: Town,
    fleet: Arc<Mutex<Fleet>>,
    over: CancellationToken,
    mut rng: StdRng,
) -> anyhow::Result<()> {
    while !over.is_cancelled() {
        {
            let mut fleet = fleet.lock().await;
            fleet.supervise()?;
            let awake = fleet.any_awake(&mut rng);
            if let Some(url) = awake.and_then(|seat| fleet.webhook(seat)) {
                town.github.hooks().send_to(&url);
            }
        }
        tokio::select! {
            () = over.cancelled() => {}
            () = sleep(GLANCE) => {}
        }
    }
    Ok(())
}
