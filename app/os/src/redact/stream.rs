//! Redaction of text that arrives in pieces: a secret may be split between two of them.
//!
//! Whole lines are let go, once no known secret can begin in them and end in what is still to
//! come. Patterns stay within a line, except private keys, which are held until they end.

use std::io::{self, Write};

use super::{MARK, Redactor, replace};

/// The most that is held back, in bytes. A "line" or a key longer than this is replaced whole.
const MAX_HELD: usize = 1 << 20;

/// Text on its way through the redactor.
#[derive(Debug)]
pub struct RedactedStream {
    redactor: Redactor,
    held: Vec<u8>,
    /// Inside a line that was too long: what comes up to its end is dropped.
    skipping: bool,
}

impl RedactedStream {
    /// A new stream.
    #[must_use]
    pub fn new(redactor: Redactor) -> Self {
        Self { redactor, held: Vec::new(), skipping: false }
    }

    /// Takes a piece, and gives what may be shown by now.
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        let Some(piece) = self.resume(piece) else { return Vec::new() };
        self.held.extend_from_slice(piece);
        let found = self.redactor.find(&self.held);
        let settled = (self.held.len() + 1).saturating_sub(self.redactor.longest().max(1));
        let lines =
            self.held[..settled].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let straddling = found.iter().find(|range| range.start < lines && lines <= range.end);
        let cut = straddling.map_or(lines, |range| range.start);
        if cut == 0 && self.held.len() > MAX_HELD {
            self.held = Vec::new();
            self.skipping = true;
            return MARK.as_bytes().to_vec();
        }
        let rest = self.held.split_off(cut);
        let ready = std::mem::replace(&mut self.held, rest);
        let within: Vec<_> = found.into_iter().take_while(|range| range.end <= cut).collect();
        replace(&ready, &within)
    }

    /// What is left when nothing more comes.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.take_rest()
    }

    /// What of a piece counts: all of it, or what is behind the line that is skipped.
    fn resume<'p>(&mut self, piece: &'p [u8]) -> Option<&'p [u8]> {
        if self.skipping {
            let end = piece.iter().position(|byte| *byte == b'\n')?;
            self.skipping = false;
            return Some(&piece[end..]);
        }
        Some(piece)
    }

    fn take_rest(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        replace(&held, &self.redactor.find(&held))
    }
}

/// Writes on without secrets. Whole lines go through at once, the rest when it is dropped.
///
/// For logs: `with_writer(move || RedactingWriter::new(redactor.clone(), std::io::stderr()))`; the
/// subscriber makes one writer per event.
#[derive(Debug)]
pub struct RedactingWriter<W: Write> {
    stream: RedactedStream,
    inner: W,
}

impl<W: Write> RedactingWriter<W> {
    /// Writes to `inner` what `redactor` leaves.
    pub fn new(redactor: Redactor, inner: W) -> Self {
        Self { stream: RedactedStream::new(redactor), inner }
    }
}

impl<W: Write> Write for RedactingWriter<W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let ready = self.stream.push(piece);
        self.inner.write_all(&ready)?;
        Ok(piece.len())
    }

    /// Flushes what went through. What is held stays held: it may be half a secret.
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W: Write> Drop for RedactingWriter<W> {
    fn drop(&mut self) {
        let rest = self.stream.take_rest();
        // A log that cannot be written has nowhere to say so.
        let _ = self.inner.write_all(&rest).and_then(|()| self.inner.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_end_is_replaced_whole_and_the_next_one_is_shown() {
        let mut stream = RedactedStream::new(Redactor::new());
        let mut shown = Vec::new();
        for _ in 0..40 {
            shown.extend(stream.push(&[b'x'; 64 << 10]));
            assert!(stream.held.len() <= MAX_HELD);
        }
        shown.extend(stream.push(b"xx\nnext\n"));
        assert_eq!(shown, b"***\nnext\n");
    }
}
