//! Text to tree, within budgets.
//!
//! The events come from `granit-parser`, which keeps its state on the heap; the tree is built on a
//! stack of our own, so a deep file costs no call stack. Anchors, aliases and tags are refused: a
//! configuration does not need them, and without aliases a small file cannot become a large tree.

use std::sync::Arc;

use granit_parser::{ErrorKind, Event, Marker, Parser, ScalarStyle, ScanError, StructureStyle};

use super::{Key, Node, NodeValue};
use crate::diagnostic::{Diagnostic, Position, Span};

/// The longest file that is read, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// How many values a file may have.
pub const MAX_NODES: usize = 100_000;
/// How deep they may be nested.
pub const MAX_DEPTH: usize = 64;

/// After so many findings reading stops: nobody reads more, and a hostile file could have a million.
const MAX_FINDINGS: usize = 50;

/// Reads one document.
///
/// # Errors
/// Everything that is wrong with the text, each with its place, up to a bound.
pub fn parse(file: &str, bytes: &[u8]) -> Result<Node, Vec<Diagnostic>> {
    let file: Arc<str> = file.into();
    let text = match text(&file, bytes) {
        Ok(text) => text,
        Err(finding) => return Err(vec![finding]),
    };
    let mut builder = Builder::new(file);
    if let Err(finding) = builder.read(text) {
        builder.findings.push(finding);
    }
    builder.finish()
}

/// The bytes as text without a byte order mark.
fn text<'b>(file: &Arc<str>, bytes: &'b [u8]) -> Result<&'b str, Diagnostic> {
    let top = Span::new(file, Position::START, Position::START);
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, at most {MAX_BYTES} are read", bytes.len());
        return Err(Diagnostic::error("too-large", top, message));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let at = Position::behind(&good);
            let message = "this byte is not UTF-8";
            Err(Diagnostic::error("not-utf8", Span::new(file, at, at), message)
                .help("save the file as UTF-8"))
        }
    }
}

/// A collection whose end has not come yet.
enum Open {
    List { start: Position, flow: bool, items: Vec<Node> },
    Map { start: Position, flow: bool, entries: Vec<(Key, Node)>, key: Option<Key> },
}

struct Builder {
    file: Arc<str>,
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
    documents: usize,
    findings: Vec<Diagnostic>,
}

impl Builder {
    fn new(file: Arc<str>) -> Self {
        Self { file, open: Vec::new(), root: None, nodes: 0, documents: 0, findings: Vec::new() }
    }

    /// Feeds every event; an `Err` ends reading.
    fn read(&mut self, text: &str) -> Result<(), Diagnostic> {
        let options = granit_parser::options! {
            emit_comments: false,
            emit_unresolved_aliases: true,
            disallow_directives: true,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event.map_err(|error| self.syntax(&error, text))?;
            let span = Span::new(&self.file, position(span.start), position(span.end));
            self.event(event, span)?;
            if self.findings.len() >= MAX_FINDINGS {
                break;
            }
        }
        Ok(())
    }

    fn syntax(&self, error: &ScanError, text: &str) -> Diagnostic {
        let at = position(*error.marker());
        let span = Span::new(&self.file, at, at);
        match error.kind() {
            // It reads ahead, so it may reach the limit before we do.
            ErrorKind::RecursionLimitExceeded => too_deep(span),
            _ => {
                let finding = Diagnostic::error("syntax", span, error.info());
                let line = usize::try_from(at.line)
                    .ok()
                    .and_then(|line| text.lines().nth(line.checked_sub(1)?));
                // The brace of a variable ends a mapping that is written in braces.
                match line.is_some_and(|line| line.contains("${") && !line.contains('"')) {
                    true => finding
                        .help("inside `{ }` a value with a variable needs quotes: `\"a${b}\"`"),
                    false => finding,
                }
            }
        }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Diagnostic> {
        match event {
            Event::DocumentStart(..) => self.document(span)?,
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.refuse_anchor(&span);
                self.add(NodeValue::Null, span)?;
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse(anchor != 0, tag.is_some(), &span);
                self.scalar(text.into_owned(), style, span)?;
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.refuse(anchor != 0, tag.is_some(), &span);
                let flow = style == StructureStyle::Flow;
                self.enter(Open::List { start: span.start, flow, items: Vec::new() }, &span)?;
            }
            Event::MappingStart(style, anchor, tag) => {
                self.refuse(anchor != 0, tag.is_some(), &span);
                let flow = style == StructureStyle::Flow;
                self.enter(
                    Open::Map { start: span.start, flow, entries: Vec::new(), key: None },
                    &span,
                )?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(span.end)?,
            _ => {}
        }
        Ok(())
    }

    fn document(&mut self, span: Span) -> Result<(), Diagnostic> {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        let message = "a second document begins here, and a file holds one";
        Err(Diagnostic::error("several-documents", span, message).help("make it a file of its own"))
    }

    fn refuse(&mut self, anchor: bool, tag: bool, span: &Span) {
        if anchor {
            self.refuse_anchor(span);
        }
        if tag {
            let message = "tags (`!name`) are not used here";
            self.findings
                .push(Diagnostic::error("tag", span.clone(), message).help("remove the tag"));
        }
    }

    fn refuse_anchor(&mut self, span: &Span) {
        let message = "anchors (`&name`) and aliases (`*name`) are not used here";
        let help = "write the value out, or use a variable of the environment: `${name}`";
        self.findings.push(Diagnostic::error("anchor", span.clone(), message).help(help));
    }

    fn scalar(&mut self, text: String, style: ScalarStyle, span: Span) -> Result<(), Diagnostic> {
        let plain = style == ScalarStyle::Plain;
        if let Some(Open::Map { key: key @ None, .. }) = self.open.last_mut() {
            if plain && text.is_empty() {
                self.findings.push(Diagnostic::error(
                    "syntax",
                    span.clone(),
                    "a key is missing before `:`",
                ));
            }
            *key = Some(Key { text, span });
            return Ok(());
        }
        let null = plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL");
        self.add(if null { NodeValue::Null } else { NodeValue::Scalar { text, plain } }, span)
    }

    fn enter(&mut self, open: Open, span: &Span) -> Result<(), Diagnostic> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(span.clone()));
        }
        if let Some(Open::Map { key: None, .. }) = self.open.last() {
            let message = "a key is a text, not a list or a mapping";
            self.findings.push(Diagnostic::error("syntax", span.clone(), message));
        }
        self.open.push(open);
        Ok(())
    }

    fn leave(&mut self, end: Position) -> Result<(), Diagnostic> {
        let (value, start, end) = match self.open.pop() {
            // A block has no closing character: its end event stands wherever the next token is.
            Some(Open::List { start, flow, items }) => {
                let end = items.last().filter(|_| !flow).map_or(end, |last| last.span.end);
                (NodeValue::List(items), start, end)
            }
            Some(Open::Map { start, flow, entries, .. }) => {
                self.find_duplicates(&entries);
                let end = entries.last().filter(|_| !flow).map_or(end, |(_, last)| last.span.end);
                (NodeValue::Map(entries), start, end)
            }
            None => return Ok(()),
        };
        self.add(value, Span::new(&self.file, start, end))
    }

    fn find_duplicates(&mut self, entries: &[(Key, Node)]) {
        let mut keys: Vec<&Key> = entries.iter().map(|(key, _)| key).collect();
        keys.sort_by(|a, b| a.text.cmp(&b.text));
        for pair in keys.windows(2).filter(|pair| pair[0].text == pair[1].text) {
            let message = format!("the key `{}` stands here twice", shown(&pair[1].text));
            let finding = Diagnostic::error("duplicate-key", pair[1].span.clone(), message);
            self.findings.push(finding.related(pair[0].span.clone(), "the first one"));
            if self.findings.len() >= MAX_FINDINGS {
                return;
            }
        }
    }

    fn add(&mut self, value: NodeValue, span: Span) -> Result<(), Diagnostic> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let message = format!("the file has more than {MAX_NODES} values");
            return Err(Diagnostic::error("too-large", span, message));
        }
        let node = Node { value, span };
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, .. }) => match key.take() {
                Some(key) => entries.push((key, node)),
                // An alias or a collection as a key: refused already, so the text does not matter.
                None => *key = Some(Key { text: String::new(), span: node.span }),
            },
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Node, Vec<Diagnostic>> {
        if !self.findings.is_empty() {
            self.findings.sort_by(|a, b| a.span.cmp(&b.span));
            self.findings.truncate(MAX_FINDINGS);
            return Err(self.findings);
        }
        let top = Span::new(&self.file, Position::START, Position::START);
        Ok(self.root.unwrap_or(Node { value: NodeValue::Null, span: top }))
    }
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error("too-deep", span, format!("values are nested deeper than {MAX_DEPTH}"))
}

/// A key as a message shows it: cut to a length that fits a line.
fn shown(key: &str) -> String {
    key.chars().take(80).collect()
}

/// granit counts lines from 1 and columns from 0.
fn position(marker: Marker) -> Position {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position { line: number(marker.line()), column: number(marker.col()).saturating_add(1) }
}
