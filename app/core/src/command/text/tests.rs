//! What is read as said stands, by the parser that GitHub's descends from the same source as, in no
//! quote, no code and no HTML.

use std::collections::BTreeSet;

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options, parse_document};
use proptest::prelude::*;

use super::spoken_lines;

#[test]
fn a_line_that_continues_a_quote_is_quoted() {
    for comment in [
        "> alice wrote\n/apply",
        "> alice wrote\nthat\n/apply",
        "> > alice wrote\n/apply",
        "> alice wrote\n    /apply",
        "> alice wrote\n===\n/apply",
        "> alice wrote\n2. and so on\n/apply",
        "- > alice wrote\n/apply",
        "> alice wrote\n    >\n/apply",
        "> alice wrote\n<b>\n/apply",
        "> alice wrote\ntext <!--\n-->\n/apply",
        "> alice wrote\n2. ```\n/apply",
        "> alice wrote\n\u{a0}\n/apply",
    ] {
        assert_eq!(spoken_lines(comment), [""; 0], "{comment:?}");
    }
}

#[test]
fn a_quote_ends_with_a_blank_line_or_another_block() {
    for comment in [
        "> alice wrote\n\n/plan",
        "> alice wrote\r\n\r\n/plan",
        "> alice wrote\n \t\n/plan",
        "> alice wrote\n>\n/plan",
        "> alice wrote\n# Now\n/plan",
        "> alice wrote\n---\n/plan",
        "> alice wrote\n* * *\n/plan",
        "> alice wrote\n- first\n/plan",
        "> alice wrote\n1. first\n/plan",
        "> alice wrote\n```\ncode\n```\n/plan",
        "> alice wrote\n<!-- x -->\n/plan",
        "> alice wrote\n<pre>x</pre>\n/plan",
    ] {
        assert_eq!(spoken_lines(comment), ["/plan"], "{comment:?}");
    }
}

#[test]
fn what_stands_in_a_block_of_html_is_not_said() {
    for comment in [
        "<pre>\n/apply\n\n/apply\n</pre>",
        "<PRE class=x>\n\n/apply",
        "<pre><!-- x -->\n/apply",
        "<script>\n\n/apply\n</script>",
        "<textarea\n\n/apply",
        "<details>\n/apply\n</details>",
        "<div\n/apply",
        "</p>\n/apply",
        "<img src=\"x\">\n/apply",
        "<?php\n\n/apply\n?>",
        "<!DOCTYPE\n\n/apply",
        "<![CDATA[\n\n/apply\n]]>",
        "- <pre>\n</pre>\n<div>\n/apply",
        "text <!--\n/apply\n-->",
        "text <!-- a --> <!--\n<div> -->\n/apply",
        "- <pre>\n  /apply",
    ] {
        assert_eq!(spoken_lines(comment), [""; 0], "{comment:?}");
    }
}

#[test]
fn html_ends_where_markdown_ends_it() {
    for comment in [
        "<pre>\n\ncode\n</pre>\n/plan",
        "<pre>\ncode</Script>\n/plan",
        "<details>\n<summary>More</summary>\n\n/plan\n</details>",
        "<https://example.com>\n/plan",
        "1 <2\n/plan",
        "< b\n/plan",
        "<!DOCTYPE html>\n/plan",
    ] {
        assert_eq!(spoken_lines(comment), ["/plan"], "{comment:?}");
    }
}

#[test]
fn code_in_an_item_of_a_list_is_code_until_the_item_ends() {
    for comment in [
        "- ```\n  /apply\n  ```",
        "1. ```\n   /apply\n\n   /apply\n   ```",
        "- - ```\n    /apply",
        "1. first\n\n     ```\n   /apply\n     ```",
        "text\r```\r/apply\r```",
    ] {
        assert_eq!(spoken_lines(comment), [""; 0], "{comment:?}");
    }
    assert_eq!(spoken_lines("- ```\n  code\n/plan"), ["/plan"]);
    assert_eq!(spoken_lines("- first\n/plan"), ["/plan"], "nobody else said it");
}

/// The lines of a document, from 1, that stand in a quote, in code, or in HTML.
fn not_said(markdown: &str) -> BTreeSet<usize> {
    fn collect<'a>(node: &'a AstNode<'a>, within: bool, lines: &mut BTreeSet<usize>) {
        let data = node.data();
        let is_block = match &data.value {
            NodeValue::CodeBlock(_) | NodeValue::HtmlBlock(_) => true,
            NodeValue::Paragraph => within,
            _ => false,
        };
        if is_block {
            lines.extend(data.sourcepos.start.line..=data.sourcepos.end.line);
        }
        let within = within || matches!(data.value, NodeValue::BlockQuote);
        node.children().for_each(|child| collect(child, within, lines));
    }
    let (arena, mut lines) = (Arena::new(), BTreeSet::new());
    collect(parse_document(&arena, markdown, &Options::default()), false, &mut lines);
    lines
}

/// What most lines consist of: the beginnings, continuations and ends of blocks.
const TEXTS: &[&str] = &[
    "",
    "/plan",
    "/plan",
    "text",
    "```",
    "````",
    "~~~",
    "``` x",
    "# x",
    "#",
    "---",
    "===",
    "***",
    "<pre>",
    "<div>",
    "<!--",
    "-->",
    "<!-- x -->",
    "<!-->",
    "text <!--",
    "<?",
    "?>",
    "<!A",
    "<script> </style>",
    "|-|",
    "\u{a0}",
    "<https://a>",
];
/// What only some lines of text are interrupted by.
const TAGS: &[&str] = &["<b>", "</b>", "</pre>", "<b>x</b>", "<b", "<pre/></pre>"];
/// What they begin with: without lists a line may be indented, in a list what a block belongs to is told
/// by the line on which that begins.
const INDENTED: &[&str] = &["", "", "> ", ">", ">> ", " ", "   ", "    ", "      ", "\t"];
const LISTED: &[&str] =
    &["", "", "> ", ">", "- ", "* ", "1. ", "2. ", "10) ", "-\t", "- - ", "- > ", "+"];

fn blocks() -> impl Strategy<Value = String> {
    let indented = (INDENTED, [TEXTS, TAGS].concat());
    prop_oneof![Just(indented), Just((LISTED, TEXTS.to_vec()))].prop_flat_map(|(marks, texts)| {
        let line = (prop::sample::select(marks), prop::sample::select(texts));
        let line = line.prop_map(|(mark, text)| format!("{mark}{text}"));
        proptest::collection::vec(line, 0..9).prop_map(|lines| lines.join("\n"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn nothing_is_read_that_stands_in_a_quote_in_code_or_in_html(comment in blocks()) {
        let not_said = not_said(&comment);
        for line in spoken_lines(&comment) {
            let at = line.as_ptr().addr() - comment.as_ptr().addr();
            let number = comment[..at].matches('\n').count() + 1;
            prop_assert!(!not_said.contains(&number), "line {number} of {comment:?}");
        }
    }
}
