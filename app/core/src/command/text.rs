//! Which lines of a comment are spoken, and which are quoted, code, or hidden.

/// The lines that a person says, trimmed: outside fences, indented code, quotes and HTML comments.
pub(super) fn spoken_lines(comment: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut hidden = Hidden::No;
    for line in comment.lines() {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let text = line.trim();
        let code = indent >= 4 || line.starts_with('\t');
        match &hidden {
            Hidden::Fence(fence) => {
                if !code && closes(text, fence) {
                    hidden = Hidden::No;
                }
            }
            Hidden::Html => {
                if text.contains("-->") {
                    hidden = Hidden::No;
                }
            }
            Hidden::No if code => {}
            Hidden::No => match opens(text) {
                Some(fence) => hidden = Hidden::Fence(fence),
                None if text.contains("<!--") && !text.contains("-->") => hidden = Hidden::Html,
                None if text.contains("<!--") => {}
                None if text.starts_with('/') => lines.push(text),
                None => {}
            },
        }
    }
    lines
}

enum Hidden<'a> {
    No,
    /// Inside a fence that began with this run of backticks or tildes.
    Fence(&'a str),
    Html,
}

/// The run that opens a fence (CommonMark section 4.5): three or more backticks or tildes.
fn opens(text: &str) -> Option<&str> {
    let mark = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let run = text.len() - text.trim_start_matches(mark).len();
    let info_is_plain = mark == '~' || !text[run..].contains('`');
    (run >= 3 && info_is_plain).then(|| &text[..run])
}

/// Whether `text` closes a fence: the same mark, at least as long, and nothing else.
fn closes(text: &str, fence: &str) -> bool {
    let mark = fence.chars().next().unwrap_or('`');
    text.len() >= fence.len() && text.chars().all(|c| c == mark)
}
