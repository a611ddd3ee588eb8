//! What a message says in each form, and that nothing in it is markup.

use insta::assert_snapshot;
use landfall_core::name::{CommitSha, PullNumber};

use super::*;

fn told(title: &str, pulls: u64, format: Format) -> String {
    let body = NotificationBody {
        target: "chat".to_owned().try_into().unwrap(),
        event: Event::Held,
        run: "0197b2a1".to_owned(),
        environment: "production".parse().unwrap(),
        branch: "main".parse().unwrap(),
        commit: CommitSha::new("a".repeat(40)).unwrap(),
        title: title.to_owned(),
        pulls: (7..7 + pulls).map(PullNumber).collect(),
    };
    let repository = RepositoryName::new("acme/home_lab").unwrap();
    let web = "https://github.com/".parse().unwrap();
    let written = Message::new(&body, &repository, &web).written_for(format);
    serde_json::to_string_pretty(&written).unwrap()
}

const HOSTILE: &str = "*b* _i_ `c` <!channel> @everyone [x](http://evil.test) &amp; \u{202e}";

#[test]
fn slack_reads_nothing_as_markup() {
    assert_snapshot!(told(HOSTILE, 1, Format::Slack), @r##"
    {
      "blocks": [
        {
          "elements": [
            {
              "elements": [
                {
                  "text": "⏸️",
                  "type": "text"
                },
                {
                  "text": " ",
                  "type": "text"
                },
                {
                  "text": "acme/home_lab",
                  "type": "link",
                  "url": "https://github.com/acme/home_lab"
                },
                {
                  "text": ": *b* _i_ `c` <!channel> @everyone [x](http://evil.test) &amp; \\u{202e} (",
                  "type": "text"
                },
                {
                  "text": "#7",
                  "type": "link",
                  "url": "https://github.com/acme/home_lab/pull/7"
                },
                {
                  "text": ", ",
                  "type": "text"
                },
                {
                  "text": "aaaaaaa",
                  "type": "link",
                  "url": "https://github.com/acme/home_lab/commit/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                },
                {
                  "text": ")",
                  "type": "text"
                }
              ],
              "type": "rich_text_section"
            }
          ],
          "type": "rich_text"
        }
      ],
      "text": "⏸️ <https://github.com/acme/home_lab|acme/home_lab>: *b* _i_ `c` &lt;!channel&gt; @everyone [x](http://evil.test) &amp;amp; \\u{202e} (<https://github.com/acme/home_lab/pull/7|#7>, <https://github.com/acme/home_lab/commit/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|aaaaaaa>)"
    }
    "##);
}

#[test]
fn discord_reads_nothing_as_markup() {
    assert_snapshot!(told(HOSTILE, 1, Format::Discord), @r#"
    {
      "allowed_mentions": {
        "parse": []
      },
      "content": "⏸️ [acme/home\\_lab](<https://github.com/acme/home_lab>)\\: \\*b\\* \\_i\\_ \\`c\\` \\<!channel\\> \\@everyone \\[x\\]\\(http\\://evil.test\\) \\&amp; \\\\u\\{202e\\} \\([\\#7](<https://github.com/acme/home_lab/pull/7>), [aaaaaaa](<https://github.com/acme/home_lab/commit/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa>)\\)",
      "flags": 4
    }
    "#);
}

#[test]
fn a_program_gets_fields() {
    assert_snapshot!(told("production waits", 2, Format::Json), @r#"
    {
      "branch": "main",
      "commit": {
        "sha": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "url": "https://github.com/acme/home_lab/commit/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      },
      "environment": "production",
      "event": "held",
      "id": "0197b2a1/held",
      "pull_requests": [
        {
          "number": 7,
          "url": "https://github.com/acme/home_lab/pull/7"
        },
        {
          "number": 8,
          "url": "https://github.com/acme/home_lab/pull/8"
        }
      ],
      "repository": "acme/home_lab",
      "run": "0197b2a1",
      "title": "production waits",
      "version": 1
    }
    "#);
}

#[test]
fn a_queue_of_pull_requests_does_not_fill_the_screen() {
    let text = told("production waits", 9, Format::Slack);
    assert!(text.contains("#11") && !text.contains("#12") && text.contains("4 more, "), "{text}");
}
