//! A private PostgreSQL cluster for tests: in a folder of its own, behind a socket in that folder, with
//! a database for each who asks. It knows nothing of Landfall.
//!
//! It lives as long as the process that started it, however that ends: a shell keeps it, and reads
//! from a pipe that only that process can write to. When the pipe closes, the shell stops the cluster
//! and removes the folder. What is in it is not for keeping, so it does not wait for the disk, unless
//! somebody wants to know how long that takes. Its server can be stopped and started again, as by an
//! operator or a machine that fails.
//!
//! Without PostgreSQL there is no cluster, and the tests that need one fail and say what is missing;
//! none is skipped. As root on Debian it is installed (`install`).

mod find;
mod install;

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

/// `$1` is the folder with PostgreSQL's programs, `$2` that of the cluster, `$3` whether it waits for the
/// disk. Says `ready` once the cluster answers, and after each word that it was given and has
/// carried out. Text is ordered as people order it, not by bytes, so that a query that relies on
/// the order of bytes shows.
const KEEP: &str = r#"
trap '' HUP INT TERM
"$1/initdb" --pgdata="$2/data" --username=landfall --auth=trust --encoding=UTF8 --locale=C \
    --locale-provider=icu --icu-locale=en-US --no-sync --no-instructions >"$2/log" 2>&1 || exit
begin() {
    "$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c fsync="$3" -c max_connections=200 >>"$2/log" 2>&1 &
    until "$1/pg_isready" --quiet --host="$2" --username=landfall --dbname=postgres; do
        kill -0 $! 2>/dev/null || exit
        sleep 0.05
    done
    echo ready
}
end() {
    kill -"$1" $! 2>/dev/null
    wait $!
}
begin "$@"
while read -r word; do
    case "$word" in
        stop) end INT; echo ready ;;
        kill) end QUIT; echo ready ;;
        start) begin "$@" ;;
    esac
done
end QUIT
rm -rf "$2"
"#;

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    keeper: Option<find::User>,
    shell: Child,
    talk: Mutex<Talk>,
    databases: AtomicU32,
}

/// What is said to the shell, and what it answers.
#[derive(Debug)]
struct Talk {
    tell: Option<ChildStdin>,
    hear: BufReader<ChildStdout>,
}

/// Whether a cluster waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// It does not: what is in it is gone with the machine.
    Unused,
    /// It does, as one that is to be trusted.
    Synced,
}

impl Talk {
    /// Whether the shell has carried out `word`.
    fn done(&mut self, word: &str) -> io::Result<bool> {
        if let Some(tell) = &mut self.tell {
            writeln!(tell, "{word}")?;
        }
        self.is_ready()
    }

    fn is_ready(&mut self) -> io::Result<bool> {
        let mut said = String::new();
        self.hear.read_line(&mut said)?;
        Ok(said.trim() == "ready")
    }
}

impl Cluster {
    /// The cluster of this process, started by the first who asks.
    ///
    /// # Panics
    /// There is no PostgreSQL, or it does not start. What is missing is said.
    #[must_use]
    pub fn of_process() -> &'static Self {
        static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| {
            Cluster::start(Disk::Unused)
                .unwrap_or_else(|error| panic!("PostgreSQL for the tests: {error}"))
        });
        &CLUSTER
    }

    /// Starts a cluster.
    ///
    /// # Errors
    /// There is no PostgreSQL and none could be installed, or it does not start.
    pub fn start(disk: Disk) -> io::Result<Self> {
        let programs = match find::programs() {
            Some(programs) => programs,
            None => install::programs()?,
        };
        let folder = tempfile::Builder::new().prefix("landfall-cluster-").tempdir()?.keep();
        let keeper = keeper(&folder)?;
        let mut shell = program(Path::new("/bin/sh"), &folder, keeper);
        shell.args(["-c", KEEP, "cluster"]).arg(&programs).arg(&folder);
        shell.arg(match disk {
            Disk::Unused => "off",
            Disk::Synced => "on",
        });
        // Not in the group that Ctrl-C goes to: the end of this process is enough.
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = shell.spawn()?;
        let tell = shell.stdin.take();
        let hear = shell.stdout.take().ok_or_else(|| io::Error::other("the shell has no pipes"))?;
        let mut talk = Talk { tell, hear: BufReader::new(hear) };
        if !talk.is_ready()? {
            shell.wait()?;
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            fs::remove_dir_all(&folder)?;
            return Err(io::Error::other(format!("it did not start:\n{log}")));
        }
        let databases = AtomicU32::new(0);
        Ok(Self { programs, folder, keeper, shell, talk: Mutex::new(talk), databases })
    }

    /// Stops the server: connections are cut, nothing that was committed is lost. Returns when it has
    /// ended.
    ///
    /// # Panics
    /// The shell that keeps it is gone.
    pub fn stop_server(&self) {
        self.tell("stop");
    }

    /// Ends the server as when its machine fails: it recovers when it starts again.
    ///
    /// # Panics
    /// The shell that keeps it is gone.
    pub fn kill_server(&self) {
        self.tell("kill");
    }

    /// Starts the server again. Returns when it answers.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_server(&self) {
        self.tell("start");
    }

    fn tell(&self, word: &str) {
        let mut talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(talk.done(word).is_ok_and(|done| done), "the cluster does not {word}");
    }

    /// The URL of a new and empty database.
    ///
    /// # Panics
    /// It cannot be made.
    #[must_use]
    pub fn database(&self) -> String {
        let name = format!("case_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let folder = self.folder.display();
        let mut createdb = program(&self.programs.join("createdb"), &self.folder, self.keeper);
        let createdb =
            createdb.arg(format!("--host={folder}")).arg("--username=landfall").arg(&name);
        let made = createdb.output().unwrap_or_else(|error| panic!("createdb: {error}"));
        assert!(made.status.success(), "createdb: {}", String::from_utf8_lossy(&made.stderr));
        format!("postgres://landfall@localhost/{name}?host={folder}")
    }

    /// Where it lives until it ends.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let talk = self.talk.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(talk.tell.take());
        // Nothing is left to be done about a shell that cannot be waited for.
        let _ = self.shell.wait();
    }
}

/// Who runs PostgreSQL: none for ourselves. It refuses to run as root, so for root it is somebody
/// else, who the folder is given to.
fn keeper(folder: &Path) -> io::Result<Option<find::User>> {
    let ourselves = fs::metadata(folder)?.uid();
    if ourselves != 0 {
        return Ok(None);
    }
    let user = find::somebody_else()?;
    chown(folder, Some(user.id), Some(user.group))?;
    Ok(Some(user))
}

/// A program that works in `folder`.
#[expect(clippy::disallowed_methods, reason = "it depends on nothing of Landfall")]
fn program(path: &Path, folder: &Path, keeper: Option<find::User>) -> Command {
    let mut command = Command::new(path);
    command.current_dir(folder).env("LC_ALL", "C");
    if let Some(user) = keeper {
        command.uid(user.id).gid(user.group);
    }
    command
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_cluster_that_is_dropped_leaves_nothing() {
        let cluster = Cluster::start(Disk::Unused).unwrap();
        let folder = cluster.folder().to_owned();
        let (one, other) = (cluster.database(), cluster.database());
        assert_ne!(one, other);
        assert!(folder.is_dir());
        drop(cluster);
        assert!(!folder.exists());
    }

    /// Runs itself in a process that it kills.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "it depends on nothing of Landfall")]
    fn a_cluster_ends_with_a_process_that_is_killed() {
        const VICTIM: &str = "LANDFALL_CLUSTER_VICTIM";
        if std::env::var_os(VICTIM).is_some() {
            let cluster = Cluster::start(Disk::Unused).unwrap();
            println!("\n{}", cluster.folder().display());
            io::stdin().read_to_end(&mut Vec::new()).unwrap();
            return;
        }
        let this = "tests::a_cluster_ends_with_a_process_that_is_killed";
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", this, "--nocapture"])
            .env(VICTIM, "")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(victim.stdout.take().unwrap()).lines().map(Result::unwrap);
        let folder = said.map(PathBuf::from).find(|line| line.is_absolute()).unwrap();
        assert!(folder.join("data").is_dir());
        victim.kill().unwrap();
        // The shell has the same one, and closes it when it has done its work.
        victim.stderr.take().unwrap().read_to_end(&mut Vec::new()).unwrap();
        victim.wait().unwrap();
        assert!(!folder.exists());
    }
}
