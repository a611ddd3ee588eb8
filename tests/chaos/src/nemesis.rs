//! The nemesis: kills, pauses and faults, by a seed.
//!
//! A server is killed without warning, or stopped for longer than its leases last and then set going
//! again, so that it wakes with claims that others have taken meanwhile. Of several servers on
//! PostgreSQL any number may be down or paused at once. SQLite is for one server; there a paused one
//! may wake beside its successor, as when somebody starts a second by accident, until it is killed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use landfall_cluster::Cluster;
use landfall_sim::fault::{Answer, Fault, Faults, Gate, On};
use landfall_sim::github::{Fate, OnDelivery, secondary_limit};
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::fleet::{Fleet, Seat};
use crate::history::{History, Pause};
use crate::serve::LEASE;
use crate::town::Town;

/// How long a request is lain in wait for. Who sent one that is held back as long gives it up.
const AMBUSH: Duration = Duration::from_millis(2_000);

/// Who makes things go wrong.
#[derive(Debug)]
pub(crate) struct Nemesis {
    pub(crate) town: Town,
    pub(crate) fleet: Arc<Mutex<Fleet>>,
    pub(crate) history: History,
    pub(crate) rng: StdRng,
    /// How many servers there are at once.
    pub(crate) many: Many,
    /// Whether servers find what GitHub never says within the story's time.
    pub(crate) compares: bool,
    /// What was done so far.
    pub(crate) done: Done,
    /// Servers that will be started or set going again.
    under_way: JoinSet<anyhow::Result<()>>,
    /// Where the request stands that the next strike is about.
    gate: Option<Gate>,
}

/// How many servers a store is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Many {
    One,
    Several,
}

/// What kind of story it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    /// How many servers there are at once.
    pub(crate) many: Many,
    /// Whether they compare with GitHub so often that what it never says is found. Where they do not,
    /// nothing heals what they lose.
    pub(crate) compares: bool,
}

/// How often what was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) kills: u64,
    pub(crate) pauses: u64,
    /// Pauses after which the server woke beside its successor.
    pub(crate) overlaps: u64,
    /// Of all of these, how many struck a server that waited for an answer.
    pub(crate) ambushes: u64,
    /// Servers that were asked to stop, and did.
    pub(crate) stops: u64,
    /// How often the database was away.
    pub(crate) outages: u64,
}

impl Nemesis {
    pub(crate) fn new(
        town: Town,
        fleet: Arc<Mutex<Fleet>>,
        history: History,
        rng: StdRng,
        Weather { many, compares }: Weather,
    ) -> Self {
        let (done, under_way) = (Done::default(), JoinSet::new());
        Self { town, fleet, history, rng, many, compares, done, under_way, gate: None }
    }

    /// Waits a moment and strikes: kills with the probability `kills`, pauses otherwise.
    ///
    /// # Errors
    /// A server cannot be killed, paused or started.
    pub(crate) async fn strike(&mut self, kills: f64) -> anyhow::Result<()> {
        self.misfortune();
        let moment = self.moment();
        sleep(moment).await;
        if self.many == Many::Several && self.rng.random_bool(0.02) {
            self.outage().await;
        }
        while let Some(ended) = self.under_way.try_join_next() {
            ended??;
        }
        let struck = match self.rng.random_bool(0.6) {
            true => self.ambush().await,
            false => self.fleet.lock().await.any_awake(&mut self.rng),
        };
        let Some(seat) = struck else {
            self.open_the_gate();
            return Ok(());
        };
        if self.rng.random_bool(0.05) {
            self.open_the_gate();
            return self.restart(seat).await;
        }
        match (self.rng.random_bool(kills), self.many) {
            (true, _) => self.kill(seat).await,
            (false, Many::Several) => self.pause(seat).await,
            (false, Many::One) => self.pause_the_one(seat).await,
        }
    }

    /// The database stops or is killed under all servers, and comes back after a while.
    async fn outage(&mut self) {
        let cluster = Cluster::of_process();
        let length = self.millis(100, 4_000);
        // As long as a server waits for a connection at its start.
        self.fleet.lock().await.excuse(Instant::now() + length + Duration::from_secs(20));
        self.history.remark(&format!("the database is away for {length:?}"));
        match self.rng.random_bool(0.5) {
            true => cluster.stop_server(),
            false => cluster.kill_server(),
        }
        sleep(length).await;
        cluster.start_server();
        self.history.remark("the database is back");
        self.done.outages += 1;
    }

    /// Holds a request back where it arrives, and says which server sent it. What is struck then is
    /// struck while it waits for the answer: between a look at what lives and the write that follows
    /// from it, or between a write and the note of its result. The request itself is carried out, before
    /// that or after it.
    async fn ambush(&mut self) -> Option<Seat> {
        let gate = Gate::closed();
        let on = On::any("/**").skipping(self.rng.random_range(0..4));
        let hold = match self.rng.random_bool(0.5) {
            true => Fault::Hold(gate.clone()),
            false => Fault::HoldAfterCommit(gate.clone()),
        };
        self.wire().inject(on, hold);
        self.gate = Some(gate.clone());
        let sender = timeout(AMBUSH, gate.arrival()).await.ok()?;
        let seat = self.fleet.lock().await.whose(sender)?;
        self.history.remark(&format!("server {} waits for the answer to a request", seat.0));
        self.done.ambushes += 1;
        Some(seat)
    }

    /// Some API. Providers are asked less often than GitHub, and more is at stake.
    fn wire(&mut self) -> Faults {
        let town = &self.town;
        let wires = [town.unifi.faults(), town.cloudflare.faults(), town.github.faults()];
        wires[self.rng.random_range(0..wires.len())].clone()
    }

    /// The request that was held back goes on.
    fn open_the_gate(&mut self) {
        if let Some(gate) = self.gate.take() {
            gate.open();
        }
    }

    /// Lets everything that was begun come to its end, and takes all faults back.
    ///
    /// # Errors
    /// A server cannot be started.
    pub(crate) async fn rest(&mut self) -> anyhow::Result<()> {
        while let Some(ended) = self.under_way.join_next().await {
            ended??;
        }
        self.clear();
        self.town.github.hooks().release_reversed();
        Ok(())
    }

    /// Until the next strike. One server alone is left long enough, more often than not, to get at the
    /// work of the one before it, whose claims have to expire: work that is begun too often and never
    /// lives to its end is given up, as it should be.
    fn moment(&mut self) -> Duration {
        match self.many {
            Many::One => self.millis(200, 6_000),
            Many::Several => self.millis(50, 900),
        }
    }

    fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.rng.random_range(from..to))
    }

    /// Longer than a lease.
    fn pause_length(&mut self) -> Duration {
        LEASE + self.millis(100, 900)
    }

    async fn kill(&mut self, seat: Seat) -> anyhow::Result<()> {
        self.history.remark(&format!("server {} is killed", seat.0));
        self.fleet.lock().await.kill(seat).await?;
        self.open_the_gate();
        self.done.kills += 1;
        self.start_again(seat).await
    }

    /// As whoever installs a new version does.
    async fn restart(&mut self, seat: Seat) -> anyhow::Result<()> {
        self.history.remark(&format!("server {} is stopped", seat.0));
        self.fleet.lock().await.stop(seat).await?;
        self.done.stops += 1;
        self.start_again(seat).await
    }

    async fn start_again(&mut self, seat: Seat) -> anyhow::Result<()> {
        let (fleet, down) = (Arc::clone(&self.fleet), self.millis(0, 700));
        self.under_way.spawn(async move {
            sleep(down).await;
            fleet.lock().await.start(seat)
        });
        if self.many == Many::One {
            self.rest_of_start().await?;
        }
        Ok(())
    }

    /// Where there is one server alone, it is given the time to come up, now and then only just.
    async fn rest_of_start(&mut self) -> anyhow::Result<()> {
        while let Some(ended) = self.under_way.join_next().await {
            ended??;
        }
        if self.rng.random_bool(0.2) {
            return Ok(());
        }
        for _ in 0..200 {
            let fleet = self.fleet.lock().await;
            if fleet.seats().any(|seat| fleet.webhook(seat).is_some()) {
                break;
            }
            drop(fleet);
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn pause(&mut self, seat: Seat) -> anyhow::Result<()> {
        let length = self.pause_length();
        self.history.remark(&format!("server {} is paused for {length:?}", seat.0));
        self.fleet.lock().await.pause(seat)?;
        self.open_the_gate();
        self.done.pauses += 1;
        let (fleet, history, from) =
            (Arc::clone(&self.fleet), self.history.clone(), Timestamp::now());
        self.under_way.spawn(async move {
            sleep(length).await;
            wake(&fleet, &history, seat, from).await
        });
        Ok(())
    }

    async fn pause_the_one(&mut self, seat: Seat) -> anyhow::Result<()> {
        let length = self.pause_length();
        self.history.remark(&format!("server {} is paused for {length:?}", seat.0));
        self.fleet.lock().await.pause(seat)?;
        self.open_the_gate();
        self.done.pauses += 1;
        let from = Timestamp::now();
        sleep(length).await;
        if self.rng.random_bool(0.4) {
            return wake(&self.fleet, &self.history, seat, from).await;
        }
        let successor = {
            let mut fleet = self.fleet.lock().await;
            let free = fleet.seats().find(|seat| !fleet.is_taken(*seat));
            let successor = free.unwrap_or(seat);
            self.history.remark(&format!("server {} is started beside it", successor.0));
            fleet.start(successor)?;
            successor
        };
        let before = self.millis(0, 1_500);
        sleep(before).await;
        wake(&self.fleet, &self.history, seat, from).await?;
        self.done.overlaps += 1;
        let beside = self.millis(200, 2_000);
        sleep(beside).await;
        self.history.remark(&format!("server {} goes, {} stays", seat.0, successor.0));
        self.fleet.lock().await.kill(seat).await?;
        self.done.kills += 1;
        Ok(())
    }

    /// What goes wrong beside the servers.
    fn misfortune(&mut self) {
        if self.rng.random_bool(0.05) {
            self.clear();
        }
        for _ in 0..self.rng.random_range(0..3) {
            match self.rng.random_range(0..10) {
                0..3 => self.trouble_github(),
                3 => self.trouble_git(),
                4..9 => self.trouble_a_provider(),
                _ => self.trouble_deliveries(),
            }
        }
        if self.rng.random_bool(0.3) {
            self.town.github.hooks().release_reversed();
        }
    }

    fn clear(&self) {
        let town = &self.town;
        let all = [town.github.faults(), town.github.git_faults()];
        all.into_iter().for_each(Faults::clear);
        [town.unifi.faults(), town.cloudflare.faults()].into_iter().for_each(Faults::clear);
    }

    fn on(&mut self, writes: bool) -> On {
        let on = if writes { On::write("/**") } else { On::any("/**") };
        on.skipping(self.rng.random_range(0..3)).times(self.rng.random_range(1..3))
    }

    fn trouble_github(&mut self) {
        let (on, fault) = match self.rng.random_range(0..8) {
            0 => (self.on(true), Fault::AfterCommit(Answer::bad_gateway())),
            1 => (self.on(true), Fault::ResetAfterCommit),
            2 => (self.on(false), Fault::Reset),
            3 => (self.on(false), Fault::Instead(Answer::bad_gateway())),
            4 => (self.on(true), Fault::Instead(secondary_limit(429, 1))),
            5 => (self.on(false), Fault::Delay(self.millis(50, 1_500))),
            6 => (self.on(true), self.slow()),
            _ => (
                On::post("/repos/*/*/issues/*/comments"),
                Fault::AfterCommit(Answer::bad_gateway()),
            ),
        };
        self.town.github.faults().inject(on, fault);
        if self.rng.random_bool(0.2) {
            self.town.github.lag_index(self.rng.random_range(0..3));
            self.town.github.lag_pull_refs(self.rng.random_range(0..2));
        }
    }

    fn trouble_git(&mut self) {
        let fault = match self.rng.random_range(0..3) {
            0 => Fault::Reset,
            1 => Fault::Instead(Answer::bad_gateway()),
            _ => Fault::Delay(self.millis(50, 800)),
        };
        let on = self.on(false);
        self.town.github.git_faults().inject(on, fault);
    }

    fn trouble_a_provider(&mut self) {
        let (on, fault) = match self.rng.random_range(0..10) {
            0 | 1 => (self.on(true), Fault::AfterCommit(Answer::bad_gateway())),
            2 => (self.on(true), Fault::ResetAfterCommit),
            3 => (self.on(false), Fault::Reset),
            4 => (self.on(false), Fault::Instead(Answer::bad_gateway())),
            5 => (self.on(false), Fault::Instead(too_many())),
            // The request takes as long as it may, and less.
            6..9 => (self.on(true).times(4), Fault::Delay(self.millis(50, 700))),
            _ => (self.on(true), self.slow()),
        };
        let providers = [self.town.unifi.faults(), self.town.cloudflare.faults()];
        providers[usize::from(self.rng.random_bool(0.5))].inject(on, fault);
    }

    /// It is done at once, and the answer takes longer than a request may.
    fn slow(&mut self) -> Fault {
        Fault::SlowBody { chunk: 1 << 20, pause: self.millis(700, 1_600) }
    }

    fn trouble_deliveries(&mut self) {
        let fate = [Fate::Twice, Fate::Unreachable, Fate::Held][self.rng.random_range(0..3)];
        let on = OnDelivery::any().times(self.rng.random_range(1..4));
        self.town.github.hooks().fate(on, fate);
        // Nobody can know of a comment that GitHub does not tell of, but of everything else.
        if self.compares && self.rng.random_bool(0.3) {
            let event = ["push", "pull_request"][self.rng.random_range(0..2)];
            self.town.github.hooks().fate(OnDelivery::event(event), Fate::NeverSent);
        }
    }
}

/// Lets a server that was paused go on, if it is there still.
async fn wake(
    fleet: &Mutex<Fleet>,
    history: &History,
    seat: Seat,
    from: Timestamp,
) -> anyhow::Result<()> {
    let mut fleet = fleet.lock().await;
    history.remark(&format!("server {} goes on", seat.0));
    history.seen().pauses.push(Pause { from, until: Timestamp::now() });
    fleet.resume(seat)
}

fn too_many() -> Answer {
    Answer::new(429, "{}").with("content-type", "application/json").with("retry-after", "1")
}
