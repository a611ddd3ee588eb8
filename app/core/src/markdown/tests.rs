//! Foreign text is put into Markdown and read back with a parser that GitHub's descends from the
//! same source as (comrak is a port of cmark-gfm): the document's structure is what it was.

use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};
use proptest::prelude::*;

use super::*;

/// A document's nodes in order, each by its kind, text and code with their content.
fn outline(markdown: &str) -> Vec<String> {
    let mut options = Options::default();
    let ext = &mut options.extension;
    (ext.autolink, ext.table, ext.strikethrough, ext.tasklist) = (true, true, true, true);
    (ext.footnotes, ext.alerts, ext.math_dollars) = (true, true, true);
    let arena = Arena::new();
    let mut nodes: Vec<String> = Vec::new();
    for node in parse_document(&arena, markdown, &options).descendants() {
        let name = match &node.data().value {
            NodeValue::Text(text) => match nodes.last_mut() {
                Some(last) if last.starts_with("text ") => {
                    last.push_str(text);
                    continue;
                }
                _ => format!("text {text}"),
            },
            NodeValue::Code(code) => format!("code {}", code.literal),
            NodeValue::CodeBlock(block) => format!("block {} {}", block.info, block.literal),
            NodeValue::HtmlInline(html) => format!("html {html}"),
            NodeValue::HtmlBlock(html) => format!("html {}", html.literal),
            NodeValue::Document => "document".to_owned(),
            NodeValue::Paragraph => "paragraph".to_owned(),
            NodeValue::Table(_) => "table".to_owned(),
            NodeValue::TableRow(_) => "row".to_owned(),
            NodeValue::TableCell => "cell".to_owned(),
            NodeValue::Item(_) => "item".to_owned(),
            NodeValue::List(_) => "list".to_owned(),
            other => format!("{other:?}"),
        };
        nodes.push(name);
    }
    nodes
}

fn without_breaks(text: &str) -> String {
    text.replace(ZERO_WIDTH_SPACE, "")
}

/// What hostile text is made of.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("```"),
        Just("~~~"),
        Just("`"),
        Just("``"),
        Just("\n"),
        Just("\r\n"),
        Just("\n\n"),
        Just("|"),
        Just("\\|"),
        Just("\\"),
        Just("</details>"),
        Just("<img src=x>"),
        Just("-->"),
        Just("<!--"),
        Just("@acme/team"),
        Just("#1"),
        Just("acme/x#1"),
        Just("GH-1"),
        Just("https://example.com/x"),
        Just("www.example.com"),
        Just("a@example.com"),
        Just("![x](https://example.com/x.png)"),
        Just("[x](javascript:1)"),
        Just("[x]: y"),
        Just("# "),
        Just("- "),
        Just("1. "),
        Just("> "),
        Just("==="),
        Just("---"),
        Just("| - |"),
        Just("**"),
        Just("__"),
        Just("~~"),
        Just("&lt;"),
        Just("&#64;"),
        Just("$x$"),
        Just("[^1]"),
        Just("\u{202e}"),
        Just("\u{200b}"),
        Just("\u{1b}[31m"),
        Just("\0"),
        Just("\t"),
        Just(" "),
        Just("    "),
        Just("fixes"),
        Just("mailto:"),
        Just("text"),
        Just("ä"),
        Just("😀"),
    ]
    .prop_map(str::to_owned);
    prop::collection::vec(prop_oneof![4 => piece, 1 => ".{0,8}"], 0..12).prop_map(|p| p.concat())
}

#[test]
fn what_is_invisible_is_shown() {
    assert_eq!(code_span("a\u{202e}b\u{1b}[0m"), "`a\\u{202e}b\\u{1b}[0m`");
    assert_eq!(fence("", "a\u{200b}\tb"), "```\na\\u{200b}\tb\n```");
    assert_eq!(text("a\u{200d}b"), r"a\\u\{200d\}b");
}

#[test]
fn a_fence_is_longer_than_what_it_holds() {
    assert_eq!(fence("diff", "+ a\n"), "```diff\n+ a\n```");
    assert_eq!(fence("di`ff x", "````"), "`````diffx\n````\n`````");
    assert_eq!(fence("", ""), "```\n```");
}

#[test]
fn code_keeps_its_backticks_and_spaces() {
    assert_eq!(code_span("nas.internal.lan"), "`nas.internal.lan`");
    assert_eq!(code_span("`a``b"), "``` `a``b ```");
    assert_eq!(code_span(" a "), "`  a  `");
    assert_eq!(code_span(""), "` `");
}

#[test]
fn a_cell_with_a_pipe_is_html() {
    assert_eq!(cell("a.b"), "`a.b`");
    assert_eq!(cell("a\\|b"), "<code>a&#92;&#124;b</code>");
}

#[test]
fn prose_neither_mentions_nor_refers_nor_links() {
    let b = ZERO_WIDTH_SPACE;
    assert_eq!(text("media-server.example.com"), "media-server.example.com");
    assert_eq!(text("ask @acme, see #1"), format!("ask @{b}acme, see \\#{b}1"));
    assert_eq!(text("GH-1 www.a.b"), format!("GH-{b}1 www{b}.a.b"));
    assert_eq!(text("https://a.b"), format!("https:{b}//a.b"));
    assert_eq!(text("1. a\n- b"), r"1\. a - b");
}

#[test]
fn the_rest_of_a_line_opens_nothing() {
    assert_eq!(prose("- `a`: - b"), r"\- `a`: - b");
    assert_eq!(rest(": a - 1. b"), ": a - 1. b");
    assert_eq!(rest(" follows `main`."), " follows `main`.");
    assert_eq!(rest("1. <b>"), r"1. \<b\>");
}

#[test]
fn html_is_escaped_as_html() {
    assert_eq!(html("home_assistant"), "home_assistant");
    assert_eq!(html("<b>&\u{202e}"), "&#60;b&#62;&#38;\\u{202e}");
}

#[test]
fn a_line_of_a_diff_is_one_line() {
    let lines = ["+ create A x".to_owned(), "- y\n+ create B z\r".to_owned()];
    assert_eq!(diff(&lines), "```diff\n+ create A x\n- y\\u{a}+ create B z\\u{d}\n```");
}

#[test]
fn what_prose_quotes_is_code() {
    assert_eq!(
        prose("the key `aaa` is not known: did you mean `a`?"),
        "the key `aaa` is not known: did you mean `a`?"
    );
    assert_eq!(prose("`*` matches <nothing>"), r"`*` matches \<nothing\>");
    assert_eq!(prose("`a` `b`"), "`a` `b`");
    assert_eq!(prose("`a``b`"), "`a` `b`");
    assert_eq!(prose("an odd `"), r"an odd \`");
}

proptest! {
    #[test]
    fn a_code_span_is_one_code_span(content in hostile()) {
        let markdown = format!("The record {} changes.", code_span(&content));
        let shown = if one_line(&content).is_empty() { " ".into() } else { one_line(&content) };
        let expected =
            ["document", "paragraph", "text The record ", &format!("code {shown}"), "text  changes."];
        prop_assert_eq!(outline(&markdown), expected);
    }

    #[test]
    fn a_fence_is_one_block(content in hostile()) {
        let markdown = format!("before\n\n{}\n\nafter", fence("diff", &content));
        let mut shown = visible(&content, |c| matches!(c, '\n' | '\t'));
        if !shown.is_empty() && !shown.ends_with('\n') {
            shown.push('\n');
        }
        let block = format!("block diff {shown}");
        let expected =
            ["document", "paragraph", "text before", &block, "paragraph", "text after"];
        prop_assert_eq!(outline(&markdown), expected);
    }

    #[test]
    fn prose_is_text_and_nothing_else(content in hostile()) {
        let line = one_line(&content);
        let line = line.trim();
        if line.is_empty() {
            return Ok(());
        }
        for (before, after) in [("", ""), ("Refused: ", "."), ("- ", "")] {
            let markdown = format!("{before}{}{after}", text(&content));
            let seen = outline(&markdown);
            let seen: Vec<_> = seen.iter().map(|node| without_breaks(node)).collect();
            let expected = match before {
                "- " => vec!["document".into(), "list".into(), "item".into(), "paragraph".into(), format!("text {line}")],
                _ => vec!["document".into(), "paragraph".into(), format!("text {before}{line}{after}")],
            };
            prop_assert_eq!(seen, expected, "{}", markdown);
        }
    }

    #[test]
    fn prose_with_quotes_is_text_and_code_and_nothing_else(content in hostile()) {
        // Code with a pipe is HTML: see `cell`.
        let content = content.replace('|', "");
        for told in [format!("Refused: {}.", rest(&content)), format!("{}.", prose(&content))] {
            for node in &outline(&told)[2..] {
                prop_assert!(node.starts_with("text ") || node.starts_with("code "), "{node} of {content:?}");
            }
        }
    }

    #[test]
    fn a_cell_stays_in_its_row(content in hostile()) {
        for inner in [cell(&content), text(&content), prose(&content)] {
            let markdown = format!("| a | b |\n| - | - |\n| {inner} | x |\n\nafter");
            let seen = outline(&markdown);
            let structure: Vec<&str> = seen.iter().map(String::as_str)
                .filter(|node| ["table", "row", "cell", "paragraph"].contains(node)).collect();
            let expected = ["table", "row", "cell", "cell", "row", "cell", "cell", "paragraph"];
            prop_assert_eq!(structure, expected, "{}", markdown);
            prop_assert_eq!(&seen[seen.len() - 2..], ["paragraph", "text after"]);
        }
    }

    #[test]
    fn no_output_holds_a_raw_invisible_character(content in hostile()) {
        let inline = [code_span(&content), cell(&content), html(&content), text(&content)];
        let lines = [prose(&content), rest(&content), fence("", &content), diff(&[content])];
        for shown in inline.iter().chain(&lines) {
            let hidden = without_breaks(shown).chars().any(|c| is_invisible(c) && !"\n\t".contains(c));
            prop_assert!(!hidden, "{shown:?}");
        }
    }
}
