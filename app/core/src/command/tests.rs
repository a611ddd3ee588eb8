use proptest::prelude::*;

use super::*;
use crate::name::{CommitSha, EnvironmentName};

fn one(comment: &str) -> Result<Command, CommandError> {
    let mut found = parse(comment);
    assert_eq!(found.len(), 1, "{comment}");
    found.remove(0)
}

#[test]
fn both_forms_and_all_arguments_are_read() {
    let staging = Some(EnvironmentName::new("staging").unwrap());
    let digest = Some(DigestPrefix::new("A1B2C3D4").unwrap());
    assert_eq!(one("/help"), Ok(Command::Help(Help)));
    assert_eq!(one("/landfall"), Ok(Command::Help(Help)));
    let plan = Plan { names: Vec::new(), head: None, only: Vec::new(), fresh: false };
    assert_eq!(one("/landfall plan"), Ok(Command::Plan(plan)));
    let both = Ok(Command::Apply(Apply { environment: staging.clone(), digest }));
    assert_eq!(one("/apply staging a1b2c3d4"), both);
    assert_eq!(one("/apply a1b2c3d4 staging"), both);
    assert_eq!(one("  /status  "), Ok(Command::Status(Status)));
    assert_eq!(one("/cancel staging"), Ok(Command::Cancel(Cancel { environment: staging })));
}

#[test]
fn a_plan_names_an_environment_services_and_kinds_in_any_order() {
    let Ok(Command::Plan(plan)) = one("/plan fresh staging only:unifi_dns nas jellyfin") else {
        panic!("it is a plan")
    };
    assert!(plan.fresh);
    assert_eq!(plan.only, ["unifi_dns".parse().unwrap()]);
    let staging: EnvironmentName = "staging".parse().unwrap();
    let (environment, services) = plan.about(|name| *name == staging);
    assert_eq!(environment.as_ref(), Some(&staging));
    assert_eq!(services, ["nas".parse().unwrap(), "jellyfin".parse().unwrap()]);
    let (environment, services) = plan.about(|_| false);
    assert_eq!((environment, services.len()), (None, 3));
}

#[test]
fn a_plan_names_the_head_that_was_looked_at_anywhere_among_its_words() {
    let head = Some(CommitPrefix::new("1a2b3c4d").unwrap());
    for comment in [
        "/plan production 1a2b3c4d",
        "/plan 1A2B3C4D production",
        "/plan fresh 1a2b3c4d production",
    ] {
        let Ok(Command::Plan(plan)) = one(comment) else { panic!("it is a plan") };
        assert_eq!((plan.head, plan.names.len()), (head.clone(), 1), "{comment}");
    }
}

#[test]
fn what_reads_as_a_commit_is_one_whatever_services_there_are() {
    let read = |comment: &str| match one(comment) {
        Ok(Command::Plan(plan)) => (plan.head.map(|head| head.to_string()), plan.names.len()),
        other => panic!("{comment}: {other:?}"),
    };
    assert_eq!(read("/plan deadbeef"), (Some("deadbeef".to_owned()), 0));
    assert_eq!(read("/plan facaded"), (Some("facaded".to_owned()), 0));
    assert_eq!(read("/plan facade"), (None, 1), "six are too few");
    assert_eq!(read(&format!("/plan {}", "a".repeat(41))), (None, 1), "there is no such commit");
}

#[test]
fn the_beginning_of_a_commit_has_seven_digits_at_least() {
    let commit = CommitSha::new(format!("1a2b3c4{}", "0".repeat(33))).unwrap();
    for digits in ["1a2b3c4", "1A2B3C40", commit.as_str()] {
        assert!(CommitPrefix::new(digits).unwrap().begins(&commit), "{digits}");
    }
    assert!(!CommitPrefix::new("1a2b3c5").unwrap().begins(&commit));
    for wrong in ["", "1a2b3c", "1a2b3cg", &"a".repeat(41), "1a2b3c4 ", "HEAD~1"] {
        assert!(CommitPrefix::new(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_lock_keeps_its_reason_as_it_was_said() {
    let Ok(Command::Lock(lock)) = one("/lock staging  the database,  which moves") else {
        panic!("it is a lock")
    };
    assert_eq!(lock.reason, "the database, which moves");
    assert!(matches!(one("/lock"), Err(CommandError::Missing { .. })));
}

#[test]
fn several_commands_in_one_comment_keep_their_order() {
    let found = parse("Looks good.\n/plan\nthanks\n/apply\n");
    assert!(matches!(found[..], [Ok(Command::Plan(_)), Ok(Command::Apply(_))]));
}

#[test]
fn what_is_quoted_fenced_indented_or_hidden_is_not_said() {
    for comment in [
        "> /apply",
        "```\n/apply\n```",
        "~~~ text\n/apply\n```\n/apply\n~~~",
        "````\n```\n/apply\n````",
        "    /apply",
        "\t/apply",
        "<!-- /apply -->",
        "<!--\n/apply\n-->",
        "say /apply",
        "`/apply`",
        "",
    ] {
        assert_eq!(parse(comment), [], "{comment:?}");
    }
}

#[test]
fn a_fence_ends_where_markdown_ends_it() {
    assert_eq!(parse("```\ncode\n```\n/plan").len(), 1);
    assert_eq!(parse("<!-- x -->\n/plan").len(), 1);
}

#[test]
fn other_apps_commands_are_left_alone_and_ours_are_corrected() {
    assert_eq!(parse("/lgtm\n/retest"), []);
    let suggestion = Some("plan");
    assert_eq!(
        one("/landfall paln"),
        Err(CommandError::Unknown { word: "paln".into(), suggestion })
    );
    assert_eq!(one("/rollback"), Err(CommandError::NotYet { word: "rollback" }));
}

#[test]
fn a_wrong_argument_is_an_error_that_says_what_is_taken() {
    for comment in [
        "/plan Staging",
        "/plan a b c d e f g",
        "/plan only:UniFi",
        "/plan 1a2b3c4d deadbeef",
        "/plan fresh fresh fresh!",
        "/apply only:unifi_dns",
        "/apply fresh",
        "/unlock staging production",
        "/apply staging production",
        "/apply 12345678 87654321",
        "/status x",
    ] {
        assert!(matches!(one(comment), Err(CommandError::Argument { .. })), "{comment}");
    }
}

#[test]
fn a_short_digest_is_taken_for_an_environment_and_refused_there_later() {
    assert!(matches!(
        one("/apply a1b2"),
        Ok(Command::Apply(Apply { digest: None, environment: Some(_) }))
    ));
}

#[test]
fn a_flood_is_cut_and_said_so() {
    let found = parse(&"/plan\n".repeat(1000));
    assert_eq!(found.len(), MOST + 1);
    assert_eq!(found.last(), Some(&Err(CommandError::TooMany)));
}

#[test]
fn a_flood_is_kept_line_by_line_and_the_last_line_says_so() {
    let of = |count: usize| lines(&"/plan\n".repeat(count));
    assert_eq!(of(MOST), vec!["/plan"; MOST]);
    for count in [MOST + 1, 1000] {
        let kept = of(count);
        assert_eq!(kept.len(), MOST + 1);
        assert_eq!(one(&kept[MOST]), Err(CommandError::TooMany));
    }
}

#[test]
fn a_long_line_is_cut_to_nothing_that_it_did_not_say() {
    let spaces = " ".repeat(400);
    let kept = lines(&format!("/apply staging{spaces}a1b2c3d4"));
    assert_eq!(kept, ["/apply staging a1b2c3d4"]);
    let kept = lines(&format!("/plan staging{spaces}{}", "x".repeat(1200)));
    assert!(matches!(one(&kept[0]), Err(CommandError::Argument { .. })), "{kept:?}");
}

#[test]
fn every_command_has_its_own_line_of_help() {
    for usage in usages() {
        assert_eq!(one(usage.example).unwrap().usage(), usage);
        assert!(usage.form.starts_with(&format!("/{}", usage.word)));
    }
}

/// Comments with more than their share of what hides a line, or looks like a command.
fn any_comment() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "[ \\t]{0,5}",
        "/(landfall )?[a-z]{1,8}( [a-z0-9-]{1,12}){0,3}",
        prop::sample::select(
            &["/apply a1b2c3d4", "/plan", "/landfall", "/rollback", "/unlock x"][..]
        )
        .prop_map(str::to_owned),
        "[ ]{0,5}[`~]{1,5}[a-z ]{0,3}",
        prop::sample::select(
            &["<!--", "-->", "<!-- x -->", "> /apply", "- /apply", "\u{2028}/plan"][..]
        )
        .prop_map(str::to_owned),
        "\\PC{0,20}",
    ];
    let end = prop::sample::select(&["\n", "\r\n", "\n\n"][..]);
    proptest::collection::vec((line, end), 0..30).prop_map(|lines| {
        lines.into_iter().flat_map(|(line, end)| [line, end.to_owned()]).collect()
    })
}

proptest! {
    #[test]
    fn any_comment_is_read_within_bounds_and_line_by_line_as_at_once(comment in any_comment()) {
        let (found, kept) = (parse(&comment), lines(&comment));
        prop_assert!(found.len() <= MOST + 1);
        prop_assert!(kept.iter().all(|line| line.chars().count() <= LONGEST));
        let again: Vec<_> = kept.iter().map(|line| one(line)).collect();
        prop_assert_eq!(again, found);
    }

    #[test]
    fn nothing_is_read_in_quotes_code_or_what_is_hidden(comment in any_comment()) {
        let indented: String = comment.lines().map(|line| format!("    {line}\n")).collect();
        let quoted: String = comment.lines().map(|line| format!("> {line}\n")).collect();
        let fenced = format!("``````\n{comment}\n``````");
        // A comment that ends the hiding itself is not hidden any more.
        let hidden = format!("<!--\n{}\n-->", comment.replace("-->", "--"));
        for comment in [indented, quoted, fenced, hidden] {
            prop_assert_eq!(parse(&comment), [], "{}", comment);
        }
    }

    #[test]
    fn what_is_read_was_written_as_a_line_of_its_own(comment in any_comment()) {
        let spoken = comment.lines().filter(|line| {
            let text = line.trim();
            text.starts_with('/') && !line.starts_with("    ") && !line.starts_with('\t')
        });
        let most = spoken.count();
        prop_assert!(parse(&comment).len() <= most);
    }
}
