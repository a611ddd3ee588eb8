//! A comment as GitHub shows it, as a page to take a picture of.
//!
//! Reads the comment's Markdown and prints HTML, with the style sheet whose path is the one argument.
//! `docs/picture/take` tells the rest.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::io::Read as _;

use anyhow::Context as _;
use comrak::adapters::SyntaxHighlighterAdapter;
use comrak::options::Plugins;
use comrak::{Options, markdown_to_html_with_plugins};

/// GitHub's classes for the lines of a diff, by how they begin.
const CLASSES: [(&str, &str); 4] =
    [("@@", "pl-mdr"), ("+", "pl-mi1"), ("-", "pl-md"), ("!", "pl-mc")];

/// Colours diffs as GitHub does, line by line.
struct Diffs;

impl SyntaxHighlighterAdapter for Diffs {
    fn write_highlighted(
        &self,
        output: &mut dyn fmt::Write,
        _language: Option<&str>,
        code: &str,
    ) -> fmt::Result {
        for (at, line) in code.lines().enumerate() {
            let class = CLASSES.iter().find(|(begin, _)| line.starts_with(begin));
            let class = class.map_or("", |(_, class)| class);
            let line = line.replace('&', "&amp;").replace('<', "&lt;");
            let end = if at == 0 { "" } else { "\n" };
            write!(output, "{end}<span class=\"{class}\">{line}</span>")?;
        }
        Ok(())
    }

    fn write_pre_tag(
        &self,
        output: &mut dyn fmt::Write,
        _attributes: HashMap<&'static str, Cow<'_, str>>,
    ) -> fmt::Result {
        output.write_str("<div class=\"highlight\"><pre>")
    }

    fn write_code_tag(
        &self,
        output: &mut dyn fmt::Write,
        _attributes: HashMap<&'static str, Cow<'_, str>>,
    ) -> fmt::Result {
        output.write_str("<code>")
    }
}

fn main() -> anyhow::Result<()> {
    let sheet = std::env::args().nth(1).context("the path of a style sheet is missing")?;
    let style = std::fs::read_to_string(&sheet).with_context(|| sheet.clone())?;
    let mut markdown = String::new();
    std::io::stdin().read_to_string(&mut markdown)?;
    let mut options = Options::default();
    let ext = &mut options.extension;
    (ext.table, ext.strikethrough, ext.autolink, ext.alerts) = (true, true, true, true);
    // What a comment has of HTML is ours.
    options.render.r#unsafe = true;
    let mut plugins = Plugins::default();
    plugins.render.codefence_syntax_highlighter = Some(&Diffs);
    let body = markdown_to_html_with_plugins(&markdown, &options, &plugins);
    println!(
        "<!doctype html><meta charset=utf-8><style>{style}
body {{ margin: 0; padding: 24px 32px; width: 816px; box-sizing: border-box }}</style>
<body class=markdown-body>{body}
<script>document.documentElement.dataset.height = document.body.offsetHeight</script>"
    );
    Ok(())
}
