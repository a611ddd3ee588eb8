//! What somebody may try who can open a pull request, write a comment, deliver to the webhook, or
//! answer in the place of GitHub or a provider.
//!
//! What such a program is attacked by, and the stories that show what becomes of it, here and in other
//! files. Where a whole file is about it, its name stands for its stories.
//!
//! - **Code, attributes or addresses of a pull request are used by planning it**:
//!   `a_pull_request_has_git_merge_by_its_own_attributes`,
//!   `a_pull_request_leads_a_connection_to_a_server_of_its_own`. That planning does no I/O is held by
//!   `tidy.rs`, and that git runs nothing of a repository by the tests of `app/repo`.
//! - **A pull request brings its own rules**: `a_branch_that_maps_itself_to_production_changes_nothing`,
//!   `a_pull_request_gives_nobody_a_right`, `nobody_is_made_an_owner_by_what_they_ask_to_apply`,
//!   `no_word_passes_a_guardrail_and_no_merge_is_judged_by_the_rules_alone_that_it_brings`.
//! - **A fork is planned with our credentials, or applied**: `a_fork_has_a_provider_asked_with_our_credentials`,
//!   `the_author_of_a_fork_allows_their_own_head`, `what_nobody_read_before_the_merge_waits_after_it`.
//! - **A commit is named that is somebody's fork's, or is on the branch no more**:
//!   `a_commit_of_somebody_elses_fork_is_named_where_it_is_not_the_head`,
//!   `a_commit_is_made_that_begins_like_the_one_that_was_read`,
//!   `a_word_on_a_merge_that_was_forced_away_brings_it_back`.
//! - **Somebody commands who may not**: `who_may_not_write_is_refused`,
//!   `rights_are_asked_for_when_a_command_acts_not_when_it_is_said`,
//!   `a_person_whom_github_does_not_know_commands`, `who_may_not_write_is_refused_a_click`, and `rights.rs`.
//! - **An old comment becomes a command**: `only_what_a_person_says_when_they_say_it_is_a_command`,
//!   `what_was_edited_or_deleted_before_it_was_carried_out_is_not_done`.
//! - **A command where nothing can be commanded**: `somebody_commands_where_nothing_can_be_planned_any_more`,
//!   `somebody_commands_on_an_issue_that_is_no_pull_request`,
//!   `somebody_locks_the_conversation_so_that_nobody_reads_the_plan`.
//! - **The head or the plan moves between the word and the act**: `a_head_moves_between_the_word_about_it_and_the_plan`,
//!   `a_digest_of_an_old_head_is_refused_and_the_one_that_waits_is_named`,
//!   `a_word_for_a_run_that_a_newer_commit_replaced_does_not_release_the_newer_one`,
//!   `a_click_on_what_is_shown_no_more_is_refused`,
//!   `a_record_that_changed_between_plan_and_merge_holds_the_run_until_its_digest_is_named`.
//! - **An approval is for something else**: comes with approvals.
//! - **A secret is shown**: `an_error_of_a_provider_carries_a_secret_into_a_comment`,
//!   `a_repository_that_the_operator_does_not_name_reads_no_secret_of_another`, and
//!   `no_log_tells_what_was_delivered` of the bot.
//! - **Names and values break out of their place**: `what_others_wrote_changes_no_structure` of the bot, through
//!   every template.
//! - **Programs talk to each other for ever, or speak for a person**: `a_loop_of_commands_has_us_talk_for_ever`,
//!   `what_an_app_says_is_a_command`.
//! - **A delivery is forged, or for another App or installation**: `what_the_secret_did_not_sign_is_not_believed`,
//!   `a_body_beyond_what_github_sends_is_refused`, `a_delivery_for_another_app_is_handed_to_us`,
//!   `an_installation_speaks_for_a_repository_of_somebody_else`. Why failures are not counted by address
//!   stands in `server/receive.rs`.
//! - **A delivery comes again**: `an_old_delivery_comes_again_under_another_id`,
//!   `a_delivery_that_comes_twice_changes_nothing`, `a_command_that_is_delivered_twice_is_carried_out_once`.
//! - **One tenant reaches another's things**: `two_installations_share_a_server_and_nothing_else`,
//!   `a_pull_request_takes_a_name_that_another_environment_owns`, `one_console_under_two_addresses_is_one_target`.
//! - **A check that is required is forged, or never comes**: `somebody_forges_the_check_that_a_branch_requires`,
//!   `somebody_pushes_past_every_review_where_no_rule_keeps_them_from_it`,
//!   `a_fork_has_the_check_of_a_pull_request_pass_that_must_not`,
//!   `a_fork_has_the_check_of_a_group_pass_that_must_not`, and `required.rs`.
//! - **The server is led somewhere, or its set-up taken over**: `a_payload_leads_us_to_a_server_of_its_own`,
//!   `nothing_leads_a_message_to_somebody_else`, and `who_was_not_invited_creates_nothing` of the bot.
//! - **Half an answer is taken for a whole one**: `an_answer_of_github_that_is_cut_off_deletes_everything`,
//!   `half_a_list_of_repositories_has_us_leave_the_others`, `a_file_that_cannot_be_read_makes_no_plan_for_anything`,
//!   `a_typo_in_the_glob_of_services_is_an_error_and_no_mass_deletion`,
//!   `the_first_place_of_codeowners_counts_and_a_broken_one_makes_nobody_an_owner`,
//!   `more_files_than_github_lists_hide_nothing`.

mod answers;
mod branches;
mod commands;
mod deliveries;
mod forks;
mod rules;
mod shared;

use std::fs::read_to_string;
use std::path::{Path, PathBuf};

use landfall_sim::exchange::Wire;
use landfall_tests::world::World;

/// Requests to the console or the account.
fn asked_providers(w: &World) -> usize {
    w.exchanges().count(|exchange| matches!(exchange.wire, Wire::Unifi | Wire::Cloudflare))
}

/// A list that names what is gone shows nothing.
#[test]
fn every_story_that_the_list_names_is_told() {
    let list = include_str!("attacks.rs").lines().take_while(|line| line.starts_with("//!"));
    let list = list.collect::<String>();
    let named: Vec<&str> =
        list.split('`').skip(1).step_by(2).filter(|name| name.matches('_').count() > 2).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["tests/scenarios", "../app/bot/tests", "../app/bot/src/render/tests"];
    let told: String = folders.iter().map(|folder| sources(&root.join(folder))).collect();
    let missing = named.iter().filter(|name| !told.contains(&format!("fn {name}(")));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&&str>::new());
    assert!(named.len() > 40, "{named:#?}");
}

/// All sources below a folder, one after the other.
fn sources(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let text = |path: PathBuf| match path.is_dir() {
        true => sources(&path),
        false => read_to_string(path).unwrap(),
    };
    entries.map(text).collect()
}
