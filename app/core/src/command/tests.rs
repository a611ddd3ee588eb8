use super::*;

fn one(comment: &str) -> Result<Command, CommandError> {
    let mut found = parse(comment);
    assert_eq!(found.len(), 1, "{comment}");
    found.remove(0)
}

#[test]
fn both_forms_and_all_arguments_are_read() {
    let staging = Some(EnvironmentName::new("staging").unwrap());
    let digest = Some(DigestPrefix::new("A1B2C3D4").unwrap());
    assert_eq!(one("/help"), Ok(Command::Help));
    assert_eq!(one("/landfall"), Ok(Command::Help));
    assert_eq!(one("/landfall plan"), Ok(Command::Plan { environment: None }));
    assert_eq!(one("/plan staging"), Ok(Command::Plan { environment: staging.clone() }));
    let both = Ok(Command::Apply { environment: staging, digest });
    assert_eq!(one("/apply staging a1b2c3d4"), both);
    assert_eq!(one("/apply a1b2c3d4 staging"), both);
    assert_eq!(one("  /status  "), Ok(Command::Status));
}

#[test]
fn several_commands_in_one_comment_keep_their_order() {
    let found = parse("Looks good.\n/plan\nthanks\n/apply\n");
    assert!(matches!(found[..], [Ok(Command::Plan { .. }), Ok(Command::Apply { .. })]));
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
        "/plan a b",
        "/plan Staging",
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
        Ok(Command::Apply { digest: None, environment: Some(_) })
    ));
}

#[test]
fn a_flood_is_cut_and_said_so() {
    let found = parse(&"/plan\n".repeat(1000));
    assert_eq!(found.len(), MOST + 1);
    assert_eq!(found.last(), Some(&Err(CommandError::TooMany)));
}

#[test]
fn every_command_has_its_own_line_of_help() {
    for usage in USAGE {
        assert_eq!(one(&format!("/{}", usage.word)).unwrap().usage(), usage);
    }
}
