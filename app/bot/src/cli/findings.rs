//! Findings on a terminal: each with its code, its lines, what is wrong there and what would be right.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet,
};
use landfall_core::diagnostic::{Diagnostic, Position, Severity, Span};
use landfall_core::markdown;
use landfall_core::name::BlobSha;
use landfall_repo::Blob;

use super::terminal::{Paint, harmless};
use crate::gather::Source;
use crate::gather::source::File;

/// The texts of the files that findings are in, by path.
pub(super) type Texts = HashMap<String, String>;

/// Nobody reads more than this many at once, and mending the first often mends the others.
const MOST: usize = 50;

/// Reads the files that the first of `found` speak of, all at once. What cannot be read is shown
/// without its lines.
pub(super) async fn texts(source: &dyn Source, found: &[Diagnostic]) -> anyhow::Result<Texts> {
    let found = &found[..found.len().min(MOST)];
    let related = found.iter().flat_map(|finding| finding.related.iter().map(|(span, _)| span));
    let spans = found.iter().map(|finding| &finding.span).chain(related);
    let wanted: BTreeSet<&str> = spans.map(|span| &*span.file).collect();
    if wanted.is_empty() {
        return Ok(Texts::new());
    }
    let files = source.files().await?.into_iter();
    let files: Vec<_> =
        files.filter(|file| file.is_plain() && wanted.contains(file.path.as_str())).collect();
    let blobs: Vec<BlobSha> = files.iter().map(|file| file.blob.clone()).collect();
    let Ok(contents) = source.contents(&blobs).await else { return Ok(Texts::new()) };
    let text = |file: &File| {
        let Blob::Content(bytes) = contents.get(&file.blob)? else { return None };
        Some((file.path.to_string(), String::from_utf8_lossy(bytes).into_owned()))
    };
    let mut texts: Texts = files.iter().filter_map(text).collect();
    found.iter().for_each(|finding| hide_secrets(finding, &mut texts));
    Ok(texts)
}

/// What a finding says is a secret is not shown to prove it.
fn hide_secrets(finding: &Diagnostic, texts: &mut Texts) {
    let Diagnostic { code, span, .. } = finding;
    match *code {
        "tracked-env-file" => drop(texts.remove(&*span.file)),
        "literal-secret" => {
            if let Some(text) = texts.get_mut(&*span.file) {
                let secret = offset(text, span.start)..offset(text, span.end);
                let hide = |c: char| if c.is_whitespace() { c } else { '*' };
                let hidden: String = text[secret.clone()].chars().map(hide).collect();
                text.replace_range(secret, &hidden);
            }
        }
        _ => {}
    }
}

/// `2 errors, 1 warning`; empty when there is nothing.
pub(super) fn counted(found: &[Diagnostic]) -> String {
    let number = |severity| found.iter().filter(|finding| finding.severity == severity).count();
    let counts = [(number(Severity::Error), "error"), (number(Severity::Warning), "warning")];
    let told = counts.into_iter().filter(|(number, _)| *number > 0);
    let told: Vec<String> = told.map(|(number, what)| many(number, what)).collect();
    told.join(", ")
}

/// `1 service`, `2 services`.
pub(super) fn many(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// The first of the findings with their lines, an empty line behind each.
pub(super) fn snippets(found: &[Diagnostic], texts: &Texts, paint: Paint) -> String {
    let renderer = match paint {
        Paint::Coloured => Renderer::styled(),
        Paint::Plain => Renderer::plain(),
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let shown = |finding: &Diagnostic| renderer.render(&[group(finding, texts)]) + "\n\n";
    let mut text: String = found.iter().take(MOST).map(shown).collect();
    if let more @ 1.. = found.len().saturating_sub(MOST) {
        text.push_str(&format!("and {more} more\n\n"));
    }
    text
}

fn group<'a>(finding: &'a Diagnostic, texts: &'a Texts) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(harmless(&finding.message)).id(finding.code);
    let (here, elsewhere): (Vec<_>, Vec<_>) =
        finding.related.iter().partition(|(span, _)| span.file == finding.span.file);
    let marks = here.iter().map(|(span, note)| (AnnotationKind::Context, span, note.as_str()));
    let marks = std::iter::once((AnnotationKind::Primary, &finding.span, "")).chain(marks);
    let mut group = title.element(lines(marks.collect(), texts));
    for (span, note) in elsewhere {
        group = group.element(lines(vec![(AnnotationKind::Context, span, note)], texts));
    }
    match &finding.help {
        Some(help) => group.element(Level::HELP.message(harmless(help))),
        None => group,
    }
}

type Mark<'a> = (AnnotationKind, &'a Span, &'a str);

/// The lines of one file with marks under them; without the file, its place alone.
fn lines<'a>(marks: Vec<Mark<'a>>, texts: &'a Texts) -> Element<'a> {
    let (_, Span { file, start, .. }, _) = marks[0];
    let Some(text) = texts.get(&**file).filter(|text| !text.is_empty()) else {
        let number = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        let place = Origin::path(&**file).line(number(start.line));
        return place.char_column(number(start.column)).into();
    };
    let mark = |(kind, span, note): Mark<'a>| -> Annotation<'a> {
        let label = Some(harmless(note)).filter(|note| !note.is_empty());
        kind.span(range(text, span)).label(label)
    };
    Snippet::source(text.as_str()).path(&**file).annotations(marks.into_iter().map(mark)).into()
}

/// The bytes of a span, cut at the end of its first line: a finding about a whole file would
/// otherwise mark all of it.
fn range(text: &str, span: &Span) -> Range<usize> {
    let start = offset(text, span.start);
    let line_end = text[start..].find(['\r', '\n']).map_or(text.len(), |at| start + at);
    start..offset(text, span.end).clamp(start, line_end)
}

/// The byte at a position; the end of the line or of the text for one behind it.
fn offset(text: &str, position: Position) -> usize {
    let before = usize::try_from(position.line).unwrap_or(usize::MAX).saturating_sub(1);
    let start = match before {
        0 => 0,
        before => match text.match_indices('\n').nth(before - 1) {
            Some((at, _)) => at + 1,
            None => return text.len(),
        },
    };
    let line = text[start..].split('\n').next().unwrap_or_default();
    let column = usize::try_from(position.column).unwrap_or(usize::MAX).saturating_sub(1);
    start + line.char_indices().nth(column).map_or(line.len(), |(at, _)| at)
}

/// The findings as a Markdown list.
pub(super) fn list(found: &[Diagnostic]) -> String {
    let item = |finding: &Diagnostic| {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let (place, code) = (finding.span.to_string(), finding.code);
        let (place, message) = (markdown::code_span(&place), markdown::text(&finding.message));
        let help = finding.help.as_deref().map(|help| format!("<br>{}", markdown::text(help)));
        let related = finding.related.iter().map(|(span, note)| {
            format!("\n  - {}: {}", markdown::code_span(&span.to_string()), markdown::text(note))
        });
        let related: String = related.collect();
        format!("- {severity} {place} {message} (`{code}`){}{related}\n", help.unwrap_or_default())
    };
    found.iter().map(item).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn span(start: (u32, u32), end: (u32, u32)) -> Span {
        let position = |(line, column)| Position { line, column };
        Span::new(&Arc::from("f"), position(start), position(end))
    }

    #[test]
    fn columns_count_characters_and_ranges_stay_in_their_line_and_in_the_text() {
        let text = "ä: ö\r\nb\n";
        assert_eq!(&text[range(text, &span((1, 4), (1, 5)))], "ö");
        assert_eq!(&text[range(text, &span((1, 1), (3, 1)))], "ä: ö");
        assert_eq!(range(text, &span((2, 1), (2, 2))), 8..9);
        assert_eq!(range(text, &span((9, 9), (9, 10))), text.len()..text.len());
        assert_eq!(range("", &span((1, 1), (1, 1))), 0..0);
    }
}
