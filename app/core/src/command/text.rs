//! Which lines of a comment are spoken, and which are quoted, code, or hidden.
//!
//! The blocks of CommonMark, line by line, as far as they keep a line from being said:
//!
//! - a quote (5.1), and with it the lines behind it that continue its paragraph without a `>` of their
//!   own, until a blank line or the beginning of another block;
//! - fenced code (4.5) and indented code (4.4);
//! - HTML (4.6): `<pre>`, `<script>`, `<style>` and `<textarea>` until they end, `<!-- -->`, `<? ?>` and
//!   the like too; what other tags begin, until a blank line;
//! - each of these in an item of a list (5.2) as well, where it ends with the item if it begins on the
//!   same line.
//!
//! Of what stands within a paragraph only a comment of HTML is looked for; code over several lines is not.
//! Where less than a whole parser cannot tell, a line counts as not said: one that is passed over is
//! said again, one that is carried out is not taken back.

use crate::markdown::{closes_fence, opens_fence};

/// The lines that a person says, trimmed, and that begin with a slash.
pub(super) fn spoken_lines(comment: &str) -> Vec<&str> {
    let mut open = Open::Nothing;
    let lines = comment.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    // A carriage return alone ends a line too (2.1).
    let lines = lines.flat_map(|line| line.split('\r')).map(Line::of);
    let spoken = lines.filter(|line| !open.takes(line) && line.text.starts_with('/'));
    spoken.map(|line| line.text).collect()
}

/// What may stand around a line's text; other white space is text (2.1).
const BLANK: [char; 2] = [' ', '\t'];

/// A line, with what tells where it stands.
struct Line<'a> {
    /// All of it, trimmed.
    text: &'a str,
    /// The column where that begins.
    indent: usize,
    /// What stands behind the marks of lists that it begins with.
    content: &'a str,
    /// The column where that begins; none when it begins with no such mark.
    item: Option<usize>,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        let text = line.trim_matches(BLANK);
        let mut content = line.trim_start_matches(BLANK);
        let indent = column(&line[..line.len() - content.len()]);
        let mut item = None;
        while let Some(rest) = behind_mark(content) {
            content = rest.trim_start_matches(BLANK);
            item = Some(column(&line[..line.len() - content.len()]));
        }
        Self { text, indent, content: content.trim_end_matches(BLANK), item }
    }

    fn is_heading(&self) -> bool {
        let heading = self.content.trim_start_matches('#');
        let level = self.content.len() - heading.len();
        (1..=6).contains(&level) && (heading.is_empty() || heading.starts_with(BLANK))
    }

    /// Whether it makes a heading of the paragraph before it (4.3).
    fn is_underline(&self) -> bool {
        self.indent <= 3 && self.text.chars().all(|c| c == '=')
    }

    /// Whether it ends a paragraph that it stands behind, by beginning something else.
    fn interrupts(&self) -> bool {
        if self.indent > 3 {
            return false;
        }
        if self.item.is_some() {
            let mark = self.text.split(['.', ')']).next();
            let may = self.text.starts_with(['-', '+', '*']) || mark == Some("1");
            return is_break(self.text) || (may && !self.content.is_empty());
        }
        self.is_heading()
            || is_break(self.text)
            || self.text.starts_with('>')
            || opens_fence(self.text).is_some()
            || End::of_block(self.text).is_some()
    }
}

/// The column behind `text`: a tab leads to the next multiple of four (2.2).
fn column(text: &str) -> usize {
    text.chars().fold(0, |at, c| if c == '\t' { (at / 4 + 1) * 4 } else { at + 1 })
}

/// What stands behind the mark of a list, with the space that makes it one.
fn behind_mark(text: &str) -> Option<&str> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = match digits {
        0 => text.strip_prefix(['-', '+', '*']),
        1..=9 => text[digits..].strip_prefix(['.', ')']),
        _ => None,
    };
    rest.filter(|rest| rest.is_empty() || rest.starts_with(BLANK))
}

/// Whether it is a line across (4.1).
fn is_break(text: &str) -> bool {
    let marks = text.chars().filter(|c| !BLANK.contains(c));
    let one_of = |mark: char| marks.clone().all(|c| c == mark) && marks.clone().count() >= 3;
    ['-', '_', '*'].into_iter().any(one_of)
}

/// What keeps the next line from being said. A line that begins left of the column `least` is not
/// within what holds a block any more.
enum Open<'a> {
    Nothing,
    /// A paragraph, which keeps nothing from being said; but no tag of its own line interrupts it.
    Paragraph,
    /// A paragraph within a quote.
    Quote,
    /// A comment of HTML in a paragraph.
    Comment,
    /// Code, in a fence that began with this run of backticks or tildes.
    Fence {
        run: &'a str,
        least: usize,
    },
    Html {
        end: End,
        least: usize,
    },
    /// One of these two within an item that began earlier, or else only indented code.
    Deep,
}

impl<'a> Open<'a> {
    /// Whether a line is within what is open, or is itself what keeps it from being said.
    fn takes(&mut self, line: &Line<'a>) -> bool {
        if self.goes_on_with(line) {
            if self.ends_with(line) {
                *self = Self::Nothing;
            }
            return true;
        }
        let is_code = line.indent >= 4 && line.item.is_none();
        *self = match (&self, Self::begun_by(line)) {
            (Self::Paragraph, Self::Html { end: End::Alone, .. }) => Self::Paragraph,
            (Self::Paragraph, Self::Paragraph) if line.is_underline() => Self::Nothing,
            (Self::Nothing, Self::Paragraph) if is_code => Self::Nothing,
            (_, begun) => begun,
        };
        !self.is_text() || line.indent >= 4 || line.text.contains("<!--")
    }

    fn is_text(&self) -> bool {
        matches!(self, Self::Nothing | Self::Paragraph)
    }

    fn goes_on_with(&self, line: &Line<'a>) -> bool {
        let blank = line.text.is_empty();
        match self {
            Self::Nothing | Self::Paragraph => false,
            Self::Quote => !blank && !line.interrupts(),
            Self::Comment => !blank && Self::begun_by(line).is_text(),
            Self::Fence { least, .. } | Self::Html { least, .. } => blank || line.indent >= *least,
            Self::Deep if (1..=3).contains(&line.indent) => Self::begun_by(line).is_text(),
            Self::Deep => blank || line.indent >= 4,
        }
    }

    fn ends_with(&self, line: &Line<'_>) -> bool {
        match self {
            Self::Nothing | Self::Paragraph | Self::Quote | Self::Deep => false,
            Self::Comment => line.text.contains("-->"),
            Self::Fence { run, least } => line.indent < least + 4 && closes_fence(line.text, run),
            Self::Html { end, .. } => end.is_in(line.text),
        }
    }

    fn begun_by(line: &Line<'a>) -> Self {
        let text = line.content;
        let least = line.item.unwrap_or(0);
        if text.is_empty() {
            return Self::Nothing;
        }
        if let Some(quoted) = text.strip_prefix('>') {
            // A quote without a word has no paragraph that could be continued.
            let empty = quoted.chars().all(|c| c == '>' || BLANK.contains(&c));
            return if empty && line.indent <= 3 { Self::Nothing } else { Self::Quote };
        }
        let fence = opens_fence(text);
        if line.item.is_none() && line.indent >= 4 {
            let begins = fence.is_some() || End::of_block(text).is_some();
            return if begins { Self::Deep } else { Self::Paragraph };
        }
        if let Some(run) = fence {
            return Self::Fence { run, least };
        }
        match End::of_block(text) {
            Some(end @ End::With(_)) if end.is_in(text) => Self::Nothing,
            Some(end) => Self::Html { end, least },
            // The last one on the line is the one that may still be open.
            None => match text.rfind("<!--") {
                Some(at) if !text[at..].contains("-->") => Self::Comment,
                _ if line.is_heading() || is_break(line.text) || line.item.is_some() => {
                    Self::Nothing
                }
                _ => Self::Paragraph,
            },
        }
    }
}

/// With what a block of HTML ends.
#[derive(Clone, Copy)]
enum End {
    /// A blank line.
    BlankLine,
    /// The same, for a tag that stands alone on its line, whatever its name.
    Alone,
    /// The line that has this in it, whatever its case.
    With(&'static str),
}

/// Elements that begin a block wherever their tag begins a line.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "base",
    "basefont",
    "blockquote",
    "body",
    "caption",
    "center",
    "col",
    "colgroup",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "frame",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "iframe",
    "legend",
    "li",
    "link",
    "main",
    "menu",
    "menuitem",
    "nav",
    "noframes",
    "ol",
    "optgroup",
    "option",
    "p",
    "param",
    "search",
    "section",
    "source",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "track",
    "ul",
];

/// Elements whose text is taken as it is, and what ends them.
const VERBATIM: [(&str, &str); 4] = [
    ("pre", "</pre>"),
    ("script", "</script>"),
    ("style", "</style>"),
    ("textarea", "</textarea>"),
];

impl End {
    /// With what the block of HTML ends that a line begins.
    fn of_block(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('<')?;
        let letter = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic());
        for (begins, end) in [("!--", "-->"), ("![CDATA[", "]]>"), ("?", "?>")] {
            if inner.starts_with(begins) {
                return Some(Self::With(end));
            }
        }
        if inner.strip_prefix('!').is_some_and(letter) {
            return Some(Self::With(">"));
        }
        let tag = inner.strip_prefix('/').unwrap_or(inner);
        let behind = tag.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-');
        let name = &tag[..tag.len() - behind.len()];
        if !letter(name) || !(behind.is_empty() || behind.starts_with([' ', '\t', '>', '/'])) {
            return None;
        }
        let opens = tag.len() == inner.len() && !behind.starts_with('/');
        let named = |word: &str| name.eq_ignore_ascii_case(word);
        if let Some((_, end)) = VERBATIM.iter().find(|(word, _)| opens && named(word)) {
            return Some(Self::With(end));
        }
        if BLOCKS.iter().any(|word| named(word)) {
            return Some(Self::BlankLine);
        }
        is_one_tag(text).then_some(Self::Alone)
    }

    /// Whether a line has it.
    fn is_in(self, line: &str) -> bool {
        match self {
            Self::BlankLine | Self::Alone => line.is_empty(),
            // An element of this kind ends with the end of any (4.6).
            Self::With(end) if end.starts_with("</") => {
                let line = line.to_ascii_lowercase();
                VERBATIM.iter().any(|(_, end)| line.contains(end))
            }
            Self::With(end) => line.contains(end),
        }
    }
}

/// Whether a line that begins with a tag is nothing else: what its attributes quote aside, it has one
/// `>`, at its end.
fn is_one_tag(text: &str) -> bool {
    let mut quote = None;
    let mut letters = text.char_indices().skip(1);
    let end = letters.find(|(_, c)| match quote {
        Some(open) => {
            quote = quote.filter(|_| *c != open);
            false
        }
        None if matches!(c, '"' | '\'') => {
            quote = Some(*c);
            false
        }
        None => matches!(c, '<' | '>'),
    });
    end == Some((text.len() - 1, '>'))
}

#[cfg(test)]
mod tests;
