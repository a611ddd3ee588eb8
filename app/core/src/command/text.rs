//! Which lines of a comment are spoken, and which are quoted, code, or hidden.

use crate::markdown::{closes_fence, opens_fence};

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
                if !code && closes_fence(text, fence) {
                    hidden = Hidden::No;
                }
            }
            Hidden::Html => {
                if text.contains("-->") {
                    hidden = Hidden::No;
                }
            }
            Hidden::No if code => {}
            Hidden::No => match opens_fence(text) {
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
