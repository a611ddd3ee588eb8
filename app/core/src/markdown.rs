//! Puts text that we did not write into Markdown without letting it become Markdown.
//!
//! Pure. Whatever came from a repository, a provider or a person passes one of these on its way
//! into a comment or a check run: it cannot end its fence, open a heading, load an image, mention
//! somebody, or close an issue. Nothing is dropped: what would be invisible (control characters,
//! ANSI escapes, zero width, bidirectional overrides) is shown as `\u{…}`, because a reviewer must
//! be able to tell two values apart that differ only in it.
//!
//! GitHub's dialect is CommonMark with GFM's tables, strikethrough and autolinks; mentions and
//! references are looked for after rendering, but never inside code.

use std::fmt::Write as _;

/// Breaks up what GitHub looks for after rendering, where no escape of Markdown helps.
const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// `text` as a code span: names, values, digests. One line; a line end becomes a space.
#[must_use]
pub fn code_span(text: &str) -> String {
    let text = one_line(text);
    if text.is_empty() {
        return "` `".to_owned();
    }
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    // One space at either end is taken away again when both are there (CommonMark 6.1), and only
    // when there is more than spaces.
    let edge = |c: char| c == '`' || c == ' ';
    let blank = text.chars().all(|c| c == ' ');
    let pad = if !blank && (text.starts_with(edge) || text.ends_with(edge)) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// `text` as code in a cell of a table. A cell ends at `|` even inside a code span, and a
/// backslash before it is read differently by different parsers; then HTML's code stands in.
#[must_use]
pub fn cell(text: &str) -> String {
    if !text.contains('|') {
        return code_span(text);
    }
    let mut code = String::from("<code>");
    for c in one_line(text).chars() {
        if c.is_ascii_punctuation() {
            let _ = write!(code, "&#{};", u32::from(c));
        } else {
            code.push(c);
        }
        // A mail address is made a link of even here.
        code.extend((c == '@').then_some(ZERO_WIDTH_SPACE));
    }
    code + "</code>"
}

/// `text` as a fenced block of code, for `diff` and the like. It ends without a line end.
#[must_use]
pub fn fence(language: &str, text: &str) -> String {
    let text = visible(text, |c| matches!(c, '\n' | '\t'));
    let fence = "`".repeat((longest_run(&text, '`') + 1).max(3));
    let language: String =
        language.chars().filter(|c| c.is_ascii_alphanumeric() || "+-_".contains(*c)).collect();
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{language}\n{text}{end}{fence}")
}

/// The lines of a diff as a fenced block: what stands in one of them cannot begin another.
#[must_use]
pub fn diff(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| terminal(line)).collect();
    fence("diff", &lines.join("\n"))
}

/// `text` as prose, wherever it stands: messages, titles, cells of a table. One line.
#[must_use]
pub fn text(text: &str) -> String {
    escaped(text, Stands::First)
}

/// Where on its line a text stands. A line is a list or a heading by how it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// It may be the first on it.
    First,
    /// Something of ours stands before it.
    Behind,
}

fn escaped(text: &str, stands: Stands) -> String {
    let line = one_line(text);
    let line = line.trim();
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    let mut escaped = String::with_capacity(line.len() + 8);
    for (at, c) in line.char_indices() {
        let opens_block = at == 0 && matches!(c, '-' | '+' | '=' | ':');
        let opens_list = at == digits && at > 0 && matches!(c, '.' | ')');
        let opens = stands == Stands::First && (opens_block || opens_list);
        if opens || "\\`*_{}[]<>#|~&$!^".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
        if breaks_after(c, &line[..at], &line[at + c.len_utf8()..]) {
            escaped.push(ZERO_WIDTH_SPACE);
        }
    }
    escaped
}

/// `text` as prose in which what stands between backticks is code: our own sentences that quote
/// names. Whoever chose the names can make more or less of it code, and nothing else.
#[must_use]
pub fn prose(line: &str) -> String {
    quoting(line, Stands::First)
}

/// The same for the rest of a line that something of ours begins.
#[must_use]
pub fn rest(line: &str) -> String {
    let space = if line.starts_with(' ') { " " } else { "" };
    format!("{space}{}", quoting(line, Stands::Behind))
}

/// `text` in HTML: what stands within a block of it is not read as Markdown.
#[must_use]
pub fn html(text: &str) -> String {
    let line = one_line(text);
    let mut escaped = String::with_capacity(line.len() + 8);
    for (at, c) in line.char_indices() {
        match c {
            '&' | '<' | '>' | '"' | '\'' => {
                let _ = write!(escaped, "&#{};", u32::from(c));
            }
            _ => escaped.push(c),
        }
        if breaks_after(c, &line[..at], &line[at + c.len_utf8()..]) {
            escaped.push(ZERO_WIDTH_SPACE);
        }
    }
    escaped
}

fn quoting(line: &str, stands: Stands) -> String {
    let pieces: Vec<&str> = line.split('`').collect();
    if pieces.len().is_multiple_of(2) {
        return escaped(line, stands);
    }
    let mut told = String::with_capacity(line.len() + 8);
    for (at, piece) in pieces.iter().enumerate() {
        if at % 2 == 1 {
            // Two code spans side by side would be read as one.
            told.push_str(if told.ends_with('`') { " " } else { "" });
            told.push_str(&cell(piece));
        } else {
            let space = |edge: bool| if edge { " " } else { "" };
            let blank = piece.trim().is_empty();
            told.push_str(space(piece.starts_with(char::is_whitespace) && !told.is_empty()));
            let stands = if at == 0 { stands } else { Stands::Behind };
            told.push_str(&escaped(piece, stands));
            let last = at + 1 == pieces.len();
            told.push_str(space(piece.ends_with(char::is_whitespace) && !blank && !last));
        }
    }
    told
}

/// Whether GitHub would make a link of what is around `c`: a mention, a reference to an issue, a
/// web or mail address.
fn breaks_after(c: char, before: &str, after: &str) -> bool {
    let ends_with = |word: &str| {
        let at = before.len().checked_sub(word.len());
        at.and_then(|at| before.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(word))
    };
    match c {
        '@' | '#' => true,
        ':' => after.starts_with('/') || ends_with("mailto") || ends_with("xmpp"),
        'w' | 'W' => ends_with("ww") && after.starts_with('.'),
        '-' => ends_with("gh"),
        _ => false,
    }
}

/// `text` as a line of a terminal: nothing in it moves the cursor, colours or hides anything.
#[must_use]
pub fn terminal(text: &str) -> String {
    visible(text, |_| false)
}

/// The run of backticks or tildes that opens a fence on this line (CommonMark 4.5).
#[must_use]
pub fn opens_fence(line: &str) -> Option<&str> {
    let text = unindented(line)?;
    let mark = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let run = text.len() - text.trim_start_matches(mark).len();
    let info_fits = mark == '~' || !text[run..].contains('`');
    (run >= 3 && info_fits).then(|| &text[..run])
}

/// Whether this line closes a fence that `run` opened: the same mark, as often or more, and
/// nothing else.
#[must_use]
pub fn closes_fence(line: &str, run: &str) -> bool {
    let text = unindented(line).map(str::trim_end).unwrap_or_default();
    let mark = run.chars().next().unwrap_or('`');
    text.len() >= run.len() && text.chars().all(|c| c == mark)
}

/// A line without the up to three spaces that a fence may be indented by.
fn unindented(line: &str) -> Option<&str> {
    let text = line.trim_start_matches(' ');
    (line.len() - text.len() <= 3).then_some(text)
}

/// The length of the longest run of `mark`.
fn longest_run(text: &str, mark: char) -> usize {
    text.split(|c| c != mark).map(str::len).max().unwrap_or(0)
}

/// Line ends become spaces, everything invisible becomes visible.
fn one_line(text: &str) -> String {
    visible(&text.replace("\r\n", "\n").replace(['\n', '\t'], " "), |_| false)
}

/// Shows what cannot be seen, except for what `keeps` keeps.
fn visible(text: &str, keeps: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) && !keeps(c) {
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Characters that change what is seen without being seen: controls (Unicode Cc), the invisible
/// part of Cf, line and paragraph separators, blank letters.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests;
