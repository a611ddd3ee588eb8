//! The server as a process of its own, and what can be said of it from outside.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::SERVE;

/// A server that takes longer than this to start has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// What Linux counts processor time in for `/proc`: `sysconf(_SC_CLK_TCK)` is 100 everywhere.
const TICK: Duration = Duration::from_millis(10);

/// The simulated GitHub has no limits, so what is measured is not how they are kept.
const NO_LIMITS: &str = "[github]\ncontent_per_minute = 0\ncontent_per_hour = 0\n";

/// A running `landfall serve`. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// From the start of the process to the first answer that it is ready.
    pub(crate) started_in: Duration,
}

impl Server {
    /// Starts it with `variables` and nothing else in its environment but where programs are, and
    /// waits until it is ready. `folder` is its data directory.
    ///
    /// # Errors
    /// It does not become ready.
    #[expect(
        clippy::disallowed_methods,
        reason = "the server is a child that lives as long as its handle, which is not what subprocesses of the product do"
    )]
    pub(crate) async fn start(
        folder: &Path,
        variables: &[(String, String)],
    ) -> anyhow::Result<Self> {
        let address = free_address().await?;
        let operator_file = folder.join("operator.toml");
        std::fs::write(&operator_file, NO_LIMITS)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(SERVE).env_clear().kill_on_drop(true);
        command.envs(
            ["PATH", "HOME", "LANDFALL_LOG"]
                .iter()
                .filter_map(|name| std::env::var(name).ok().map(|value| (*name, value))),
        );
        command.env("LANDFALL_LISTEN", address.to_string());
        command.env("LANDFALL_DATA_DIR", folder);
        command.env("LANDFALL_CONFIG", operator_file);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        if std::env::var_os("LANDFALL_LOG").is_none() {
            command.env("LANDFALL_LOG", "warn");
        }
        let began = Instant::now();
        let child = command.spawn().context("the server cannot be started")?;
        let mut server = Self { child, address, started_in: Duration::ZERO };
        while !server.is_ready().await {
            anyhow::ensure!(began.elapsed() < PATIENCE, "the server does not become ready");
            anyhow::ensure!(server.child.try_wait()?.is_none(), "the server has ended");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.started_in = began.elapsed();
        Ok(server)
    }

    /// Where deliveries go.
    pub(crate) fn webhook(&self) -> String {
        format!("http://{}/webhook", self.address)
    }

    /// The memory that it has in use now, in MiB: `VmRSS`.
    ///
    /// # Errors
    /// The system does not tell.
    pub(crate) fn resident(&self) -> anyhow::Result<f64> {
        self.memory("VmRSS:")
    }

    /// The most that it ever had in use, in MiB: `VmHWM`.
    ///
    /// # Errors
    /// The system does not tell.
    pub(crate) fn peak(&self) -> anyhow::Result<f64> {
        self.memory("VmHWM:")
    }

    fn memory(&self, field: &str) -> anyhow::Result<f64> {
        let id = self.child.id().context("the server has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kibibytes = line.and_then(|line| line.split_whitespace().next());
        let kibibytes: u32 = kibibytes.context("the field is not in the status")?.parse()?;
        Ok(f64::from(kibibytes) / 1024.0)
    }

    /// The processor time that it and the processes it waited for (git) have taken so far. Unlike a
    /// duration it says the same on a busy machine.
    ///
    /// # Errors
    /// The system does not tell.
    pub(crate) fn processor_time(&self) -> anyhow::Result<Duration> {
        let id = self.child.id().context("the server has ended")?;
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
        // The program's name is in parentheses and may hold anything; proc(5) counts from 1.
        let (_, fields) = stat.rsplit_once(") ").context("no name in the status")?;
        let ticks = fields.split(' ').skip(14 - 3).take(4).map(str::parse::<u32>);
        let ticks: u32 = ticks.sum::<Result<u32, _>>()?;
        Ok(TICK * ticks)
    }

    /// Kills it, as a power cut would: nothing is finished.
    ///
    /// # Errors
    /// It cannot be killed.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    async fn is_ready(&self) -> bool {
        let asked = async {
            let mut stream = TcpStream::connect(self.address).await?;
            stream
                .write_all(b"GET /readyz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
                .await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            std::io::Result::Ok(answer)
        };
        asked.await.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }
}

/// A loopback address that was free a moment ago.
async fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?)
}
