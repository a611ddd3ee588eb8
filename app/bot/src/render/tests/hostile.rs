//! What others wrote goes through every template, and the document is built as it is with a
//! harmless word in its place: the same headings, tables, lists and blocks, and nothing in it that
//! GitHub would make a mention, a reference or a link of.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};
use landfall_core::config::{REPOSITORY_CONFIG, proposal};
use landfall_core::diagnostic::{Diagnostic, Position, Span};
use landfall_core::guardrail::Violation;
use landfall_core::name::{BranchName, ConfigPath, ServiceName};
use landfall_core::plan::Conflict;
use landfall_core::report::{Declares, Detour};
use proptest::prelude::*;

use super::*;

/// What a document is built of. Text and code side by side count as one: a quoted name may hold a
/// backtick. HTML counts by its tags, and that around code as code.
fn structure(markdown: &str) -> Vec<String> {
    let mut options = Options::default();
    let ext = &mut options.extension;
    (ext.autolink, ext.table, ext.strikethrough, ext.tasklist) = (true, true, true, true);
    (ext.footnotes, ext.alerts, ext.math_dollars) = (true, true, true);
    let arena = Arena::new();
    let (mut nodes, mut in_code) = (Vec::<String>::new(), false);
    for node in parse_document(&arena, markdown, &options).descendants() {
        let name = match &node.data().value {
            NodeValue::Text(text) => {
                if !in_code {
                    assert_calls_nobody(text, markdown);
                }
                "words".to_owned()
            }
            NodeValue::Code(_) => "words".to_owned(),
            NodeValue::HtmlInline(html) if html == "<code>" || html == "</code>" => {
                in_code = html == "<code>";
                "words".to_owned()
            }
            NodeValue::HtmlInline(html) => html.clone(),
            NodeValue::HtmlBlock(html) => {
                // A character by its number refers to nothing.
                assert_calls_nobody(&html.literal.replace("&#", "&"), markdown);
                tags(&html.literal).join("")
            }
            NodeValue::CodeBlock(block) => {
                format!("{} lines of {}", block.literal.lines().count(), block.info)
            }
            other => format!("{other:?}"),
        };
        if name != "words" || nodes.last().is_none_or(|last| last != "words") {
            nodes.push(name);
        }
    }
    nodes
}

fn tags(html: &str) -> Vec<&str> {
    let opened = html.split('<').skip(1);
    opened.filter_map(|tag| tag.split_once('>')).map(|(tag, _)| tag).collect()
}

/// GitHub looks for these in what it has rendered, outside code.
fn assert_calls_nobody(text: &str, markdown: &str) {
    let called = ["@", "#", "GH-"].into_iter().flat_map(|mark| text.split(mark).skip(1));
    let called = called.filter_map(|rest| rest.chars().next());
    let called: Vec<char> = called.filter(char::is_ascii_alphanumeric).collect();
    assert_eq!(called, Vec::<char>::new(), "{markdown}");
}

fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "```",
        "````",
        "~~~",
        "`",
        "``",
        "\n",
        "\r\n",
        "\n\n",
        "|",
        "\\|",
        "\\",
        "</details>",
        "</summary>",
        "<img src=x>",
        "<script>",
        "-->",
        "<!--",
        "@acme/team",
        "#1",
        "acme/x#1",
        "GH-1",
        "https://example.com/x",
        "www.example.com",
        "a@example.com",
        "closes #1",
        "![x](https://example.com/x.png)",
        "[x](javascript:1)",
        "[x]: y",
        "# ",
        "- ",
        "1. ",
        "> ",
        "===",
        "---",
        "| - |",
        "**",
        "__",
        "_",
        "~~",
        "&lt;",
        "&#64;",
        "$x$",
        "[^1]",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{1b}[31m",
        "\0",
        "\t",
        " ",
        "    ",
        "\n+ create A x",
        "\n@@ x @@",
        "{{ 7 * 7 }}",
        "{% raw %}",
        "[!CAUTION]",
        "word",
    ]);
    let text = prop::collection::vec(pieces, 1..8).prop_map(|pieces| pieces.concat());
    text.prop_filter("nothing to be seen", |text| !text.trim().is_empty())
}

/// `text` as far as git takes it for a branch.
fn branch(text: &str) -> BranchName {
    let allowed = |c: &char| !c.is_ascii_control() && !" ~^:?*[\\.@/".contains(*c);
    let name: String = text.chars().filter(allowed).collect();
    BranchName::new(format!("x{name}x")).unwrap()
}

fn finding(text: &str) -> Diagnostic {
    let at = Position { line: 1, column: 1 };
    let span = Span { file: Arc::from(text), start: at, end: at };
    let finding = Diagnostic::error("unknown-key", span.clone(), text).help(text);
    finding.related(span, text)
}

fn hostile_plan(text: &str) -> Plan {
    let value = |last: u8| json!({"values": [text], text: text, "n": last});
    let target = "unifi_dns:s";
    let with = |action, before, after| {
        change("nas/unifi_dns", action, (target, "A", "a.b"), before, after)
    };
    let named = |change: Change| {
        let key = ResourceKey::new(target.parse().unwrap(), text, text);
        Change { key, ..change }
    };
    let mut plan = plan(vec![
        named(with(Action::Create, None, Some(value(1)))),
        named(with(Action::Update, Some(value(1)), Some(value(2)))),
        with(Action::Delete, Some(value(1)), None),
    ]);
    plan.containers.insert(target.parse().unwrap(), vec![text.to_owned()]);
    plan
}

fn conflicts(text: &str) -> Plan {
    let mut plan = hostile_plan(text);
    let key = ResourceKey::new("unifi_dns:s".parse().unwrap(), text, text);
    for unit in plan.units.values_mut() {
        unit.conflicts = vec![
            Conflict::Unanswered { message: text.to_owned() },
            Conflict::Exists {
                key: key.clone(),
                live: json!(text),
                desired: json!({ text: text }),
            },
        ];
    }
    plan
}

fn pulls(text: &str) -> Vec<PullReport> {
    let switch = Detour::Switch { from: branch(text), to: branch(text) };
    let mut production =
        environment(hostile_plan(text), NextStep::MergeThenApply(Waiting::Branch(switch)));
    production.branch = Some(branch(text));
    production.exposure = Exposure { opens: vec![text.to_owned()], closes: vec![text.to_owned()] };
    let hop = |label: &str| Hop { label: label.to_owned(), mark: Mark::Created };
    production.ways = vec![Way { hops: vec![hop(text), hop("a.b"), hop(text)] }];
    let rule = format!("a:{}:x", text.replace(':', "")).parse().unwrap();
    let key = ResourceKey::new("unifi_dns:s".parse().unwrap(), text, text);
    production.violations = vec![Violation::Protected { action: Action::Delete, key, rule }];
    let mut later = environment(conflicts(text), NextStep::MergeLater);
    later.branch = Some(branch(text));
    let mut failed = environment(plan(Vec::new()), NextStep::Mend);
    failed.plan = Err(text.to_owned());
    let mut unread = environment(plan(Vec::new()), NextStep::NotPlanned);
    unread.plan = Err(text.to_owned());
    let service: ServiceName = "nas".parse().unwrap();
    let lines = vec![text.to_owned(), format!("+ {text}")];
    unread.declares = vec![Declares { service, is_new: true, is_gone: false, lines }];
    let locked = NextStep::MergeThenApply(locked(text));
    let locked = environment(hostile_plan(text), locked);
    let mut planned = report(vec![production, later, failed, unread, locked]);
    planned.config_note = Some(text.to_owned());
    if let PullOutcome::Planned { warnings, .. } = &mut planned.outcome {
        *warnings = vec![Diagnostic {
            severity: landfall_core::diagnostic::Severity::Warning,
            ..finding(text)
        }];
    }
    let path = format!("x{}x", text.replace(['/', '\0', '\n'], ""));
    let path = ConfigPath::new(path).unwrap_or_else(|_| REPOSITORY_CONFIG.parse().unwrap());
    let outcomes = [PullOutcome::Invalid(vec![finding(text)]), PullOutcome::Conflicted(vec![path])];
    let others =
        outcomes.map(|outcome| PullReport { outcome, base: branch(text), ..planned.clone() });
    others.into_iter().chain([planned]).collect()
}

fn locked(text: &str) -> Waiting {
    Waiting::Locked { by: text.to_owned(), reason: text.to_owned() }
}

fn runs(text: &str) -> Vec<RunReport> {
    let changes: Vec<Change> = hostile_plan(text).changes().cloned().collect();
    let differs = Waiting::Differs { extra: changes[..1].to_vec(), missing: changes[1..].to_vec() };
    let forced = Detour::Switch { from: branch(text), to: branch(text) };
    let stages = [
        RunStage::Held(differs),
        RunStage::Held(Waiting::Branch(forced)),
        RunStage::Held(Waiting::Conflicts),
        RunStage::Held(locked(text)),
        RunStage::Invalid(vec![finding(text)]),
        RunStage::Failed(text.to_owned()),
        RunStage::NeedsAttention(format!("no {text}")),
        RunStage::Cancelled(text.to_owned()),
        RunStage::Succeeded,
    ];
    let results = [StepResult::Done, StepResult::Failed(text.to_owned()), StepResult::Skipped];
    let step = |result| StepReport { services: Vec::new(), changes: changes.clone(), result };
    let report = |stage| RunReport {
        environment: "production".parse().unwrap(),
        commit: "3f2c1ab".repeat(6)[..40].parse().unwrap(),
        branch: branch(text),
        digest: None,
        plan: Some(conflicts(text)),
        legend: legend(),
        stage,
        steps: results.clone().map(step).into(),
        unreviewed: changes.clone(),
        left_out: vec![(text.to_owned(), text.to_owned())],
    };
    stages.map(report).into()
}

/// Everything that is ever said, with `text` wherever somebody else chooses the words.
fn documents(text: &str) -> Vec<String> {
    static TEMPLATES: LazyLock<Templates> = LazyLock::new(templates);
    let templates = &*TEMPLATES;
    let mut documents = Vec::new();
    for report in pulls(text) {
        documents.push(templates.pull(&report).unwrap().whole());
    }
    for report in runs(text) {
        documents.push(templates.run(&report).unwrap().whole());
        for part in [None, Some("1 updated")] {
            documents.push(templates.run_line(&report, part).unwrap());
        }
    }
    documents.push(templates.given_up(5, text).unwrap());
    documents.push(templates.refused(text, text, text, Some(text)).unwrap());
    let row = StatusRow {
        name: text.to_owned(),
        live: Some(text.to_owned()),
        waits: format!("held at `x`: {text}"),
    };
    let rows = [row.clone(), row];
    documents.push(templates.status(text, Timestamp::UNIX_EPOCH, &rows).unwrap());
    documents.push(templates.help(text).unwrap());
    let default = branch(text);
    let file = proposal(&default, &BTreeSet::new());
    documents.push(templates.proposal(default.as_str(), &file).unwrap());
    documents
}

/// How every document is built.
static HARMLESS: LazyLock<Vec<Vec<String>>> =
    LazyLock::new(|| documents("word").iter().map(|document| structure(document)).collect());

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_others_wrote_changes_no_structure(text in hostile()) {
        for (document, harmless) in documents(&text).iter().zip(&*HARMLESS) {
            prop_assert_eq!(&structure(document), harmless, "{}", document);
            let hidden = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{2066}\u{1b}".contains(c);
            prop_assert!(!document.contains(hidden), "{document:?}");
        }
    }
}

#[test]
fn a_name_in_a_summary_is_read_as_html() {
    let mut view = view::pull(&report(vec![environment(jellyfin(), NextStep::Merge)]));
    view.sections[0].service = "home_assistant".to_owned();
    view.sections[1].service = "<b>&".to_owned();
    let text = templates().document(&view).unwrap().whole();
    assert!(text.contains("<summary><b>home_assistant</b> in"), "{text}");
    assert!(text.contains("<summary><b>&#60;b&#62;&#38;</b> in"), "{text}");
}
