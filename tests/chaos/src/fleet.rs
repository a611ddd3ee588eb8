//! The servers: processes that are started, killed, paused and set going again.
//!
//! Each has a seat: a folder for its mirrors and a file for its log, which whoever sits there next goes
//! on with. Where deliveries go is up to [`Fleet::any_awake`]; the fleet decides nothing by itself
//! but to start a server where one ended that nobody killed.

use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::serve::{READY, SERVE, Told};

/// How long a server may take to finish what is under way: as long as `fly.toml` gives it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A place for one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Seat(pub(crate) usize);

/// All servers.
#[derive(Debug)]
pub(crate) struct Fleet {
    folder: PathBuf,
    told: Told,
    seats: Vec<Option<Server>>,
    /// How servers ended that nobody killed.
    endings: Vec<String>,
    /// Until when a server may fail at its start: it has no database.
    excused_until: Option<Instant>,
}

/// A running server. It is killed when this is dropped.
#[derive(Debug)]
struct Server {
    child: Child,
    webhook: Webhook,
    paused: bool,
}

/// Where a server takes deliveries, once it has said so.
#[derive(Debug, Clone, Default)]
struct Webhook(Arc<Mutex<Option<String>>>);

impl Webhook {
    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fleet {
    /// Seats for `many`, all empty. What servers leave behind is in `folder`.
    pub(crate) fn new(folder: &Path, told: Told, many: usize) -> Self {
        let seats = (0..many).map(|_| None).collect();
        Self { folder: folder.to_owned(), told, seats, endings: Vec::new(), excused_until: None }
    }

    /// Starts a server, and does not wait for it.
    ///
    /// # Errors
    /// There is no process for it.
    #[expect(
        clippy::disallowed_methods,
        reason = "a server is a child that is killed and paused, which is not what subprocesses of the product do"
    )]
    pub(crate) fn start(&mut self, seat: Seat) -> anyhow::Result<()> {
        let folder = self.folder.join(format!("server-{}", seat.0));
        std::fs::create_dir_all(&folder)?;
        let told = Told { folder, ..self.told.clone() };
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(SERVE).arg(serde_json::to_string(&told)?).env_clear().kill_on_drop(true);
        command.envs(
            ["PATH", "HOME", "LANDFALL_LOG", "RUST_BACKTRACE"]
                .iter()
                .filter_map(|name| std::env::var(name).ok().map(|value| (*name, value))),
        );
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(self.log(seat)?);
        let mut child = command.spawn().context("a server cannot be started")?;
        let webhook = Webhook::default();
        let said = child.stdout.take().context("a server has an output")?;
        tokio::spawn(listen(said, webhook.clone()));
        self.seats[seat.0] = Some(Server { child, webhook, paused: false });
        Ok(())
    }

    /// Where the log of a seat is.
    pub(crate) fn log_path(&self, seat: Seat) -> PathBuf {
        self.folder.join(format!("server-{}.log", seat.0))
    }

    fn log(&self, seat: Seat) -> std::io::Result<File> {
        OpenOptions::new().create(true).append(true).open(self.log_path(seat))
    }

    /// All seats.
    pub(crate) fn seats(&self) -> impl Iterator<Item = Seat> + use<> {
        (0..self.seats.len()).map(Seat)
    }

    /// Some server that runs and is not paused.
    pub(crate) fn any_awake(&self, rng: &mut StdRng) -> Option<Seat> {
        let awake = |seat: &Seat| self.seats[seat.0].as_ref().is_some_and(|one| !one.paused);
        let awake: Vec<Seat> = self.seats().filter(awake).collect();
        (!awake.is_empty()).then(|| awake[rng.random_range(0..awake.len())])
    }

    /// Whose end of a connection this is.
    pub(crate) fn whose(&self, address: SocketAddr) -> Option<Seat> {
        let socket = socket(address)?;
        let has = |seat: &Seat| {
            let server = self.seats[seat.0].as_ref().filter(|server| !server.paused);
            server.and_then(|server| server.child.id()).is_some_and(|id| holds(id, &socket))
        };
        self.seats().find(has)
    }

    /// Where a server takes deliveries; none before it is ready, and while it is paused.
    pub(crate) fn webhook(&self, seat: Seat) -> Option<String> {
        let server = self.seats[seat.0].as_ref().filter(|server| !server.paused)?;
        server.webhook.lock().clone()
    }

    /// Kills a server: nothing is finished.
    ///
    /// # Errors
    /// The system does not say how it ended.
    pub(crate) async fn kill(&mut self, seat: Seat) -> anyhow::Result<()> {
        let Some(mut server) = self.seats[seat.0].take() else { return Ok(()) };
        Ok(server.child.kill().await?)
    }

    /// Asks a server to stop, and waits until it has. One that does not is killed, and remembered as
    /// well as one that fails over it. Before it is ready it knows of nothing to finish.
    ///
    /// # Errors
    /// The system does not say how it ended.
    pub(crate) async fn stop(&mut self, seat: Seat) -> anyhow::Result<()> {
        let mut server = self.seats[seat.0].take().context("nobody sits there")?;
        let ready = server.webhook.lock().is_some();
        server.signal(Signal::TERM)?;
        match timeout(PATIENCE, server.child.wait()).await {
            Ok(Ok(status)) if status.success() || !ready => {}
            Ok(_) => self.endings.push(format!("server {} failed when it was stopped", seat.0)),
            Err(_) => {
                server.child.kill().await?;
                self.endings.push(format!("server {} did not stop", seat.0));
            }
        }
        Ok(())
    }

    /// Stops a server where it stands.
    ///
    /// # Errors
    /// It is not there any more.
    pub(crate) fn pause(&mut self, seat: Seat) -> anyhow::Result<()> {
        let server = self.seats[seat.0].as_mut().context("nobody sits there")?;
        server.signal(Signal::STOP)?;
        server.paused = true;
        Ok(())
    }

    /// Lets a server that was paused go on.
    ///
    /// # Errors
    /// It is not there any more.
    pub(crate) fn resume(&mut self, seat: Seat) -> anyhow::Result<()> {
        let server = self.seats[seat.0].as_mut().context("nobody sits there")?;
        server.signal(Signal::CONT)?;
        server.paused = false;
        Ok(())
    }

    /// A server that starts within so long may find no database.
    pub(crate) fn excuse(&mut self, until: Instant) {
        self.excused_until = Some(until);
    }

    /// Starts servers anew that ended by themselves, and remembers how they did.
    ///
    /// # Errors
    /// There is no process for one.
    pub(crate) fn supervise(&mut self) -> anyhow::Result<()> {
        for seat in self.seats() {
            let Some(server) = self.seats[seat.0].as_mut() else { continue };
            if let Some(status) = server.child.try_wait()? {
                let was_ready = server.webhook.lock().is_some();
                let excused =
                    !was_ready && self.excused_until.is_some_and(|at| Instant::now() < at);
                let when = if was_ready { "it was ready" } else { "at its start" };
                if !excused {
                    self.endings
                        .push(format!("server {} ended by itself ({when}): {status}", seat.0));
                }
                self.start(seat)?;
            }
        }
        Ok(())
    }

    /// How servers ended that nobody killed.
    pub(crate) fn endings(&self) -> &[String] {
        &self.endings
    }

    /// Whether somebody sits there.
    pub(crate) fn is_taken(&self, seat: Seat) -> bool {
        self.seats[seat.0].is_some()
    }
}

impl Server {
    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let id = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Ok(kill_process(id.context("the server has ended")?, signal)?)
    }
}

/// What Linux calls the socket of this machine that is bound to an address of IPv4: `socket:[4711]`,
/// after proc_net_tcp(5).
fn socket(address: SocketAddr) -> Option<String> {
    let SocketAddr::V4(address) = address else { return None };
    let [a, b, c, d] = address.ip().octets();
    let local = format!("{:08X}:{:04X}", u32::from_le_bytes([a, b, c, d]), address.port());
    let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let mut rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| row.get(1) == Some(&&*local))?;
    Some(format!("socket:[{}]", row.get(9)?))
}

/// Whether a process has a socket open.
fn holds(id: u32, socket: &str) -> bool {
    let open = std::fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
    open.filter_map(|file| std::fs::read_link(file.path()).ok())
        .any(|file| file.as_os_str() == socket)
}

/// Notes the address that a server tells, and lets go of whatever else it says.
async fn listen(said: ChildStdout, webhook: Webhook) {
    let mut lines = BufReader::new(said).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(address) = line.strip_prefix(READY) {
            *webhook.lock() = Some(format!("http://{address}/webhook"));
        }
    }
}
