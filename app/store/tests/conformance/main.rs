//! The conformance suite: what every engine promises, told once and run on each.
//!
//! A case is an async function over an [`engine::Engine`]; it sees only the traits, and moves the
//! clock instead of sleeping. What only several servers on one store can show is in `servers`.

#![expect(clippy::unwrap_used, reason = "a case that cannot go on has failed")]

mod allowed;
mod audit;
mod backlog;
mod chores;
mod commands;
mod engine;
mod given;
mod inbox;
mod jobs;
mod leases;
mod locks;
mod missed;
mod model;
mod outbox;
mod plans;
mod pulls;
mod repositories;
mod resources;
mod restores;
mod runs;
mod servers;
mod steps;

/// Runs every case on one engine: `suite!(name, factory)`. A case that is not listed is dead code.
macro_rules! suite {
    ($engine:ident, $factory:path) => {
        mod $engine {
            suite!(@cases $factory;
                allowed: a_head_is_allowed_for_its_base_and_pull_request_alone,
                    the_first_word_for_a_head_stays_and_is_audited_once;
                audit: entries_come_back_newest_first;
                backlog: it_counts_what_is_not_done_in_every_queue, what_comes_by_itself_disturbs_no_quiet;
                chores: one_that_is_due_is_begun_by_one;
                commands: a_burst_loses_none, a_command_has_one_outcome,
                    one_that_was_cut_off_is_pending_still_and_means_the_same,
                    what_came_in_lately_is_known_whatever_became_of_it;
                inbox: a_delivery_is_new_once, deliveries_are_claimed_in_the_order_in_which_they_came,
                    consequences_are_written_once, a_failed_delivery_is_handled_when_it_comes_again,
                    a_retry_waits_for_its_time, purging_spares_ids_and_whatever_is_pending,
                    what_was_accepted_is_there_after_a_restart;
                jobs: the_same_work_waits_once, one_job_runs_per_key, kinds_of_one_key_do_not_share_a_waiting_job,
                    an_expired_claim_is_taken_with_a_new_epoch,
                    a_heartbeat_holds_the_claim, every_write_of_a_stale_worker_is_refused,
                    a_retry_waits_for_its_time_unless_asked_for_anew, a_later_request_replaces_a_failed_attempt,
                    a_job_that_kills_its_worker_is_given_up, a_parked_attempt_does_not_count, an_error_with_any_character_in_it_is_kept,
                    a_flood_of_one_installation_starves_no_other, waiting_workers_are_told,
                    whoever_makes_sure_of_work_hurries_nobody, work_that_comes_again_is_added_once_in_its_time;
                leases: all_or_none_are_taken, of_two_who_ask_at_once_one_gets_them, an_epoch_never_goes_back,
                    a_lost_lease_is_neither_good_nor_renewed, renewing_is_all_or_nothing;
                locks: the_first_lock_stays_until_it_is_taken_off, no_run_begins_under_a_lock_and_none_is_stopped_by_it;
                missed: what_lacks_is_noted_with_how_far_was_read, nothing_is_noted_by_a_stale_worker,
                    one_that_was_fetched_is_handled_like_any_other, one_that_cannot_be_fetched_holds_up_no_other,
                    one_that_failed_is_missed_again_once_somebody_has_it_redelivered;
                model: deliveries_behave_like_the_model, jobs_behave_like_the_model, leases_behave_like_the_model;
                outbox: the_newest_body_wins, items_are_found_by_the_beginning_of_their_subject, a_body_put_while_publishing_is_published_after,
                    the_same_body_is_published_once, one_item_per_installation_is_in_flight_and_comments_go_first,
                    an_expired_claim_makes_an_item_uncertain, ids_noted_on_the_way_are_kept,
                    a_dropped_version_is_not_tried_again_and_a_new_body_is,
                    a_parked_version_waits_for_its_repository_and_a_new_body_does_not,
                    of_two_who_amend_a_body_neither_is_lost, of_two_who_have_a_part_in_a_body_neither_is_lost,
                    a_flood_of_one_installation_starves_no_other,
                    what_has_to_wait_for_its_pace_has_not_failed_and_a_comment_goes_first,
                    silence_holds_for_all_of_an_installation_and_for_no_other,
                    who_is_notified_has_a_lane_of_their_own, it_is_known_when_to_look_again;
                plans: a_plan_is_found_by_what_it_is_for, a_plan_is_found_by_the_beginning_of_its_digest,
                    the_first_publication_counts, discarded_plans_are_found_by_nobody;
                pulls: an_older_description_never_replaces_a_newer_one, merged_ones_are_found_by_their_commit,
                    a_plan_is_due_until_one_was_made_for_the_last_asking,
                    more_can_be_said_of_what_was_stuck_or_judged_otherwise;
                repositories: a_rename_keeps_the_row, an_environment_remembers, a_pushed_head_is_the_last_that_was_announced,
                    a_comparison_is_remembered_with_the_heads_that_it_found;
                resources: a_resource_has_one_owner_everywhere, ownership_is_found_by_key_unit_and_environment,
                    ten_thousand_units_read_back, a_unit_is_as_no_hash_says_once_a_step_for_it_begins;
                restores: what_is_restored_is_the_same_in_either_engine,
                    an_archive_that_is_not_whole_changes_nothing, a_backup_is_of_one_moment_while_writers_go_on,
                    what_is_there_is_replaced_only_when_asked, nothing_is_restored_under_a_server,
                    what_was_given_out_never_becomes_good, nothing_that_was_reviewed_or_found_is_believed,
                    a_run_from_before_a_restore_is_begun_anew_once;
                runs: a_run_that_waits_is_cancelled_and_one_under_way_is_asked_to_stop,
                    a_run_is_unique_for_its_commit_and_config, illegal_steps_between_states_are_refused,
                    success_is_noted_at_the_environment, a_newer_run_supersedes_only_what_waits,
                    a_hold_is_kept_with_its_plan_until_the_run_goes_on, a_retry_is_asked_for_and_counted, each_word_for_a_digest_is_kept_once,
                    a_run_that_was_overtaken_is_begun_anew, a_run_that_was_cut_off_is_ended_by_the_next;
                servers: a_delivery_that_comes_several_times_at_once_is_new_once, each_delivery_is_handled_by_one_worker,
                    no_job_is_claimed_twice_and_one_runs_per_key, of_eight_who_wait_for_an_expired_claim_one_gets_it,
                    work_that_is_asked_for_while_it_fails_waits_once, of_eight_who_ask_for_work_that_comes_again_one_adds_it,
                    of_eight_who_want_a_target_one_writes_to_it,
                    a_resource_that_two_take_at_once_has_one_owner, each_item_is_published_once_and_one_at_a_time,
                    servers_keep_one_pace_together,
                    workers_of_every_server_are_told;
                steps: an_intent_needs_a_running_run_and_the_lease_of_its_target, a_result_is_final,
                    an_intent_of_which_nothing_was_sent_leaves_no_trace,
                    a_result_and_its_ownership_are_one, every_action_leaves_the_right_owner,
                    an_unknown_step_is_resolved_change_by_change, something_foreign_stays_unresolved_until_given_up,
                    what_no_provider_is_told_is_settled_at_once, only_what_was_done_since_proves;
            );
        }
    };
    (@cases $factory:path; $($module:ident: $($case:ident),+;)+) => {
        $(mod $module {
            $(#[tokio::test]
            async fn $case() {
                crate::$module::$case(&$factory().await).await;
            })+
        })+
    };
}

suite!(sqlite, crate::engine::sqlite);
suite!(postgres, crate::engine::postgres);
