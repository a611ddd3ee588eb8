//! A running program and everything it started, stopped together.

use std::io;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use super::Exit;

/// A child that leads its own process group. Dropped before its end, the whole group is killed.
#[derive(Debug)]
pub(super) struct Group {
    child: Child,
    /// None once the leader has ended by itself: from then on its number may be somebody else's.
    leader: Option<Pid>,
}

impl Group {
    /// `child` was started with `process_group(0)` and with all three pipes.
    pub(super) fn new(child: Child) -> Self {
        let leader = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        Self { child, leader }
    }

    /// The three pipes. To be called once.
    pub(super) fn pipes(&mut self) -> (ChildStdin, ChildStdout, ChildStderr) {
        let pipes = (self.child.stdin.take(), self.child.stdout.take(), self.child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            unreachable!("the child was started with three pipes, and they are taken once")
        };
        (stdin, stdout, stderr)
    }

    /// Waits for the leader's end.
    pub(super) async fn wait(&mut self) -> io::Result<Exit> {
        let status = self.child.wait().await?;
        self.leader = None;
        Ok(status.code().map_or(Exit::Killed, Exit::Code))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            // The group may be gone already; there is nothing to do about any error here.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}
