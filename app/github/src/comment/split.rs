//! Splits a document that is too long for one comment.
//!
//! Pure. Parts end between sections where that is possible, else between lines: an open fence and
//! open `<details>` are closed at the end of a part and opened again in the next. Nothing is left
//! out in silence: what cannot be shown is replaced by a line that says so.

use landfall_core::markdown::{closes_fence, opens_fence};

/// The most bytes of a part, marker not included. GitHub's error names 65,536 characters, storage
/// takes more on github.com; this fits every reading, with room for a marker.
pub const LIMIT: usize = 60_000;

/// The most parts of a document.
pub const PARTS: usize = 5;

/// Room for the line that numbers the parts.
const NUMBER: usize = "**Part 100000/100000**\n\n".len();

/// What is between two blocks.
const GAP: &str = "\n\n";

/// A Markdown document that knows where it may be split. Every piece is complete Markdown: what
/// it opens it closes.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// What the first part begins with.
    pub head: &'a str,
    /// What should not be torn apart, in order.
    pub sections: &'a [String],
    /// What the last part ends with, even if sections before it are left out. Short.
    pub tail: &'a str,
    /// The line that stands for sections that are left out, and says where they are. Short.
    pub more: &'a str,
}

/// The parts of a document, each of at most `limit` bytes and at most `most` of them.
///
/// `tail` and `more` together may have a quarter of `limit`, which is 500 at least.
#[must_use]
pub fn split(document: &Document<'_>, limit: usize, most: usize) -> Vec<String> {
    let Document { head, sections, tail, more } = *document;
    let blocks = || std::iter::once(head).chain(sections.iter().map(String::as_str));
    let whole = joined(blocks().chain([tail]));
    if whole.len() <= limit {
        return vec![whole];
    }
    let end = joined([more, tail]);
    let room = limit.saturating_sub(NUMBER + GAP.len() + end.len());
    let mut parts = packed(blocks(), room);
    let complete = parts.len() <= most;
    parts.truncate(most);
    let end = if complete { tail } else { &end };
    if let Some(last) = parts.last_mut() {
        *last = joined([last.as_str(), end]);
    }
    let count = parts.len();
    let numbered = |(at, part)| format!("**Part {}/{count}**{GAP}{part}", at + 1);
    if count == 1 { parts } else { parts.into_iter().enumerate().map(numbered).collect() }
}

/// The blocks that are not empty, with gaps between them.
fn joined<'a>(blocks: impl IntoIterator<Item = &'a str>) -> String {
    let blocks: Vec<&str> = blocks
        .into_iter()
        .map(|block| block.trim_matches('\n'))
        .filter(|b| !b.is_empty())
        .collect();
    blocks.join(GAP)
}

/// The blocks in parts of at most `room` bytes. A block that fits into a part is not cut; one that
/// fits into none begins where the last part ends, unless that is more than half full.
fn packed<'a>(blocks: impl Iterator<Item = &'a str>, room: usize) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for block in blocks.map(|block| block.trim_matches('\n')).filter(|block| !block.is_empty()) {
        let used = parts.last().map_or(room, |part| part.len() + GAP.len());
        let left = room.saturating_sub(used);
        let mut pieces = match block.len() {
            length if length <= room => vec![block.to_owned()],
            _ if left > room / 2 => pieces(block, left, room),
            _ => pieces(block, room, room),
        };
        if let (Some(part), Some(first)) = (parts.last_mut(), pieces.first())
            && first.len() <= left
        {
            part.push_str(GAP);
            part.push_str(&pieces.remove(0));
        }
        parts.append(&mut pieces);
    }
    parts
}

/// A block in pieces, the first of at most `first` bytes and the others of at most `room`.
fn pieces(block: &str, first: usize, room: usize) -> Vec<String> {
    let mut cutter = Cutter { room: first, later: room, ..Cutter::default() };
    for line in block.lines() {
        if cutter.line(line).is_err() {
            return vec![left_out(block)];
        }
    }
    cutter.done.push(cutter.piece);
    cutter.done
}

/// What stands for text that cannot be shown.
fn left_out(text: &str) -> String {
    format!("_{} bytes are not shown here._", text.len())
}

/// A block whose fences and folds leave no room for what is in them.
struct Uncuttable;

/// Cuts one block.
#[derive(Default)]
struct Cutter {
    /// For the piece at work.
    room: usize,
    /// For the pieces after it.
    later: usize,
    open: Open,
    piece: String,
    done: Vec<String>,
}

impl Cutter {
    fn line(&mut self, line: &str) -> Result<(), Uncuttable> {
        let mut after = self.open.clone();
        after.read(line);
        let close = self.open.closing().len().max(after.closing().len());
        if after.reopening().len() + close > self.later / 2 {
            return Err(Uncuttable);
        }
        if self.piece.len() + line.len() + 1 + close > self.room && !self.piece.is_empty() {
            self.cut();
        }
        let room = self.room.saturating_sub(self.piece.len() + close + 1);
        if line.len() <= room {
            self.push(line);
        } else if after != self.open {
            // Without the line that opens it, what is inside would be outside.
            return Err(Uncuttable);
        } else if self.open.fence.is_some() {
            self.long_code(line);
        } else {
            // Text cannot be torn at any place without becoming another text.
            self.push(&left_out(line));
        }
        self.open = after;
        Ok(())
    }

    /// A line of code that is longer than a piece, torn between characters.
    fn long_code(&mut self, mut line: &str) {
        while !line.is_empty() {
            let close = self.open.closing().len();
            // Four bytes at least, so that every round takes a character.
            let room = self.room.saturating_sub(self.piece.len() + close + 1).max(4);
            let (now, later) = line.split_at(line.floor_char_boundary(room));
            self.push(now);
            line = later;
            if !line.is_empty() {
                self.cut();
            }
        }
    }

    fn push(&mut self, line: &str) {
        if !self.piece.is_empty() {
            self.piece.push('\n');
        }
        self.piece.push_str(line);
    }

    fn cut(&mut self) {
        let mut piece = std::mem::replace(&mut self.piece, self.open.reopening());
        piece.push_str(&self.open.closing());
        self.done.push(piece);
        self.room = self.later;
    }
}

/// What is open at a place in a block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Open {
    /// The lines that opened `<details>`, outermost first.
    details: Vec<String>,
    /// The line that opened a fence.
    fence: Option<String>,
}

impl Open {
    fn read(&mut self, line: &str) {
        if let Some(opening) = &self.fence {
            if opens_fence(opening).is_some_and(|run| closes_fence(line, run)) {
                self.fence = None;
            }
        } else if opens_fence(line).is_some() {
            self.fence = Some(line.to_owned());
        } else if line.starts_with("</details>") {
            self.details.pop();
        } else if line.starts_with("<details") && !line.contains("</details>") {
            self.details.push(line.to_owned());
        } else if let Some(opening) =
            self.details.last_mut().filter(|_| line.starts_with("<summary"))
        {
            opening.push_str(line);
        }
    }

    /// What closes all that is open.
    fn closing(&self) -> String {
        let fence = self.fence.as_deref().and_then(opens_fence);
        let fence = fence.map(|run| format!("\n{run}")).unwrap_or_default();
        fence + &"\n\n</details>".repeat(self.details.len())
    }

    /// What opens it again.
    fn reopening(&self) -> String {
        let mut text = self.details.join("\n\n");
        if let Some(fence) = &self.fence {
            text.push_str(if text.is_empty() { "" } else { GAP });
            text.push_str(fence);
        }
        text
    }
}

#[cfg(test)]
mod tests;
