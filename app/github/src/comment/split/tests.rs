//! What splitting promises, by example and as properties.

use landfall_core::markdown::fence;
use proptest::prelude::*;

use super::*;

fn document<'a>(sections: &'a [String]) -> Document<'a> {
    Document { head: "# Plan", sections, tail: "Merge to apply.", more: "The rest: [run](/7)." }
}

fn sections(lengths: &[usize]) -> Vec<String> {
    let letter = |at: usize| char::from(b'a' + u8::try_from(at % 26).unwrap()).to_string();
    lengths.iter().enumerate().map(|(at, length)| letter(at).repeat(*length)).collect()
}

#[test]
fn what_fits_is_one_comment_without_a_number() {
    let parts = split(&document(&["a".into(), "b".into()]), LIMIT, PARTS);
    assert_eq!(parts, ["# Plan\n\na\n\nb\n\nMerge to apply."]);
}

#[test]
fn sections_stay_whole_where_they_fit() {
    let parts = split(&document(&sections(&[300, 300, 300])), 800, PARTS);
    assert_eq!(parts.len(), 2);
    assert!(parts[0].starts_with("**Part 1/2**\n\n# Plan\n\naaa"));
    assert!(parts[0].ends_with("bbb"));
    assert!(parts[1].starts_with("**Part 2/2**\n\nccc"));
    assert!(parts[1].ends_with("ccc\n\nMerge to apply."));
}

#[test]
fn what_is_left_out_is_said_and_the_next_step_stays() {
    let parts = split(&document(&sections(&[400; 9])), 500, 3);
    assert_eq!(parts.len(), 3);
    assert!(parts[2].ends_with("The rest: [run](/7).\n\nMerge to apply."));
}

#[test]
fn a_cut_fence_and_its_details_are_closed_and_opened_again() {
    let code = (0..60).map(|n| format!("+ line {n}\n")).collect::<String>();
    let section =
        format!("<details>\n<summary>nas</summary>\n\n{}\n</details>", fence("diff", &code));
    let parts = split(&document(&[section]), 500, PARTS);
    assert!(parts.len() > 1);
    for part in &parts[1..] {
        assert!(
            part.contains("**\n\n<details><summary>nas</summary>\n\n```diff\n+ line "),
            "{part}"
        );
    }
    for part in &parts[..parts.len() - 1] {
        assert!(part.ends_with("\n```\n\n</details>"), "{part}");
    }
}

#[test]
fn a_line_of_text_without_end_is_replaced_by_a_sentence() {
    let parts = split(&document(&["x".repeat(5_000)]), 800, PARTS);
    assert!(parts.concat().contains("_5000 bytes are not shown here._"));
}

#[test]
fn a_fence_longer_than_a_comment_is_replaced_by_a_sentence() {
    let parts = split(&document(&[fence("", &"`".repeat(5_000))]), 800, PARTS);
    assert!(parts.concat().contains("bytes are not shown here._"));
}

/// Sections as the bot makes them: folded, with code that came from anywhere.
fn section() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        30 => "[a-zäß`~<>/|# -]{0,80}|</details>|```|~~~".prop_map(|line| format!("§{line}")),
        1 => (0_usize..5_000).prop_map(|length| "`".repeat(length)),
    ];
    let code = prop::collection::vec(line, 0..60);
    (code, any::<bool>()).prop_map(|(code, folded)| {
        let code = fence("diff", &code.join("\n"));
        if folded {
            format!("<details><summary>s</summary>\n\n{code}\n\n</details>")
        } else {
            format!("### s\n\n{code}")
        }
    })
}

proptest! {
    #[test]
    fn no_part_is_too_long_and_each_closes_what_it_opens(
        sections in prop::collection::vec(section(), 0..8),
        limit in 500_usize..3_000,
        most in 1_usize..6,
    ) {
        let parts = split(&document(&sections), limit, most);
        prop_assert!(!parts.is_empty() && parts.len() <= most);
        for part in &parts {
            prop_assert!(part.len() <= limit, "{} of {limit}", part.len());
            let mut open = Open::default();
            for line in part.lines() {
                prop_assert!(!line.contains('§') || open.fence.is_some(), "outside: {line}");
                open.read(line);
            }
            prop_assert!(open.fence.is_none() && open.details.is_empty(), "{part}");
        }
        prop_assert!(parts[0].contains("# Plan"));
        prop_assert!(parts.last().unwrap().ends_with("Merge to apply."));
    }

    #[test]
    fn no_line_of_code_is_lost_when_there_is_room_for_all_parts(
        lines in prop::collection::vec("[+-] [a-z]{1,60}", 1..200),
    ) {
        let parts = split(&document(&[fence("diff", &lines.join("\n"))]), 600, usize::MAX);
        let shown: Vec<&str> = parts.iter().flat_map(|part| part.lines())
            .filter(|line| line.starts_with("+ ") || line.starts_with("- ")).collect();
        prop_assert_eq!(shown, lines);
    }
}
