use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;

use super::*;
use crate::name::RepositoryId;
use crate::plan::Owner;
use crate::plan::testing::{change, key, plan, unit};

fn a(name: &str, action: Action) -> Change {
    change("nas/unifi_dns", action, key("unifi_dns:s", "A", name))
}

fn reviewed(pull: u64, changes: &[Change]) -> Reviewed {
    Reviewed { pull: PullNumber(pull), changes: changes.to_vec(), overtaken: false }
}

/// What speaks for a run, as a test says it.
#[derive(Default)]
struct Case {
    reviewed: Vec<Reviewed>,
    approved: Vec<Vec<Change>>,
    past: Option<Past>,
    owned: BTreeMap<ResourceKey, Owned>,
    proven: BTreeSet<Digest>,
    begun: BTreeSet<Digest>,
    plan_changed: PlanChanged,
}

impl Case {
    fn reviewed(plans: &[&[Change]]) -> Self {
        let reviewed =
            plans.iter().zip(1..).map(|(changes, pull)| reviewed(pull, changes)).collect();
        Self { reviewed, ..Self::default() }
    }

    fn owns(mut self, change: &Change) -> Self {
        let owner = Owner { repository: RepositoryId(1), unit: change.unit.clone() };
        let value = change.after.clone().unwrap_or_default();
        self.owned.insert(change.key.clone(), Owned { owner, value, ids: vec![] });
        self
    }

    fn confirm(&self, changes: &[Change]) -> Result<ApprovedPlan, Uncovered> {
        let evidence = Evidence {
            reviewed: &self.reviewed,
            approved: &self.approved,
            past: self.past.unwrap_or(Past::Known),
            owned: &self.owned,
            proven: &self.proven,
            begun: &self.begun,
            plan_changed: self.plan_changed,
        };
        confirm(&plan(changes.iter().cloned()), &evidence)
    }
}

#[test]
fn exactly_what_was_reviewed_is_covered() {
    let changes = [a("x.lan", Action::Create), a("y.lan", Action::Delete)];
    assert!(Case::reviewed(&[&changes]).confirm(&changes).is_ok());
}

#[test]
fn a_plan_with_nothing_in_it_needs_no_review() {
    assert!(Case::default().confirm(&[]).is_ok());
}

#[test]
fn a_change_that_nobody_saw_is_not_covered() {
    let seen = a("x.lan", Action::Create);
    let other = Change { after: Some("other".into()), ..seen.clone() };
    let found =
        Case::reviewed(&[std::slice::from_ref(&seen)]).confirm(std::slice::from_ref(&other));
    assert_eq!(found, Err(Uncovered::Differs { extra: vec![other], missing: vec![seen] }));
}

#[test]
fn after_a_failed_step_the_rest_is_covered_because_the_first_part_is_ours() {
    let (done, rest) = (a("x.lan", Action::Create), a("y.lan", Action::Create));
    let case = Case::reviewed(&[&[done.clone(), rest.clone()]]);
    assert!(case.confirm(std::slice::from_ref(&rest)).is_err());
    assert!(case.owns(&done).confirm(&[rest]).is_ok());
}

#[test]
fn what_one_of_our_steps_has_done_need_not_be_ours_any_more() {
    let (done, rest) = (a("x.lan", Action::Create), a("y.lan", Action::Create));
    let mut case = Case::reviewed(&[&[done.clone(), rest.clone()]]);
    case.proven.insert(done.digest());
    assert!(case.confirm(&[rest]).is_ok());
}

#[test]
fn what_a_later_plan_on_top_of_it_took_back_is_not_missing() {
    let (made, never) = (a("x.lan", Action::Create), a("y.lan", Action::Create));
    let back = a("x.lan", Action::Delete);
    let mut case = Case::reviewed(&[&[made, never], std::slice::from_ref(&back)]);
    assert!(case.confirm(std::slice::from_ref(&back)).is_err(), "they were planned side by side");
    case.reviewed[0].overtaken = true;
    assert!(case.confirm(std::slice::from_ref(&back)).is_ok());
    assert!(case.confirm(&[]).is_ok());
    assert!(case.confirm(&[a("z.lan", Action::Create)]).is_err());
}

#[test]
fn what_a_step_of_ours_left_half_done_may_be_finished_and_nothing_else() {
    let reviewed = a("x.lan", Action::Create);
    let finish = a("x.lan", Action::Update);
    assert_eq!(finish.after, reviewed.after);
    let mut case = Case::reviewed(&[std::slice::from_ref(&reviewed)]);
    assert!(case.confirm(std::slice::from_ref(&finish)).is_err(), "no step of ours was there");
    case.begun.insert(reviewed.digest());
    assert!(case.confirm(std::slice::from_ref(&finish)).is_ok());
    let other = Change { after: Some("other".into()), ..finish.clone() };
    assert!(case.confirm(&[other]).is_err(), "that is not what was begun");
    let elsewhere = change("tv/unifi_dns", Action::Update, finish.key);
    assert!(case.confirm(&[elsewhere]).is_err(), "nor is what another unit makes of it");
}

#[test]
fn two_pull_requests_in_one_run_are_covered_together() {
    let (x, y) = (a("x.lan", Action::Create), a("y.lan", Action::Update));
    let case = Case::reviewed(&[std::slice::from_ref(&x), std::slice::from_ref(&y)]);
    assert!(case.confirm(&[x, y]).is_ok());
}

#[test]
fn the_last_pull_request_speaks_for_a_resource_that_two_changed() {
    let first = a("x.lan", Action::Update);
    let last = Change { after: Some("newest".into()), ..first.clone() };
    let case = Case::reviewed(&[std::slice::from_ref(&first), std::slice::from_ref(&last)]);
    assert!(case.confirm(std::slice::from_ref(&last)).is_ok());
    assert!(case.owns(&last).confirm(&[]).is_ok());
}

#[test]
fn the_first_run_waits_and_a_named_digest_releases_it() {
    let changes = [a("x.lan", Action::Create)];
    let mut case = Case::reviewed(&[&changes]);
    case.past = Some(Past::Never);
    assert_eq!(case.confirm(&changes), Err(Uncovered::Bootstrap));
    case.approved.push(changes.to_vec());
    assert!(case.confirm(&changes).is_ok());
}

#[test]
fn after_a_restore_a_run_waits_whatever_was_reviewed_and_whatever_the_rules_say() {
    let changes = [a("x.lan", Action::Update)];
    let mut case = Case { plan_changed: PlanChanged::Apply, ..Case::reviewed(&[&changes]) };
    case.past = Some(Past::Restored);
    assert_eq!(case.confirm(&changes), Err(Uncovered::Restored));
    assert!(case.confirm(&[]).is_ok(), "nothing is to do");
    case.approved.push(changes.to_vec());
    assert!(case.confirm(&changes).is_ok());
}

#[test]
fn what_is_left_of_a_named_plan_needs_no_second_word() {
    let (done, rest) = (a("x.lan", Action::Create), a("y.lan", Action::Create));
    let mut case = Case { past: Some(Past::Never), ..Case::default() };
    case.approved.push(vec![done.clone(), rest.clone()]);
    assert_eq!(case.confirm(std::slice::from_ref(&rest)), Err(Uncovered::Bootstrap));
    assert!(case.owns(&done).confirm(&[rest]).is_ok());
}

#[test]
fn adopting_waits_even_when_it_was_reviewed() {
    let changes = [a("x.lan", Action::Adopt)];
    let found = Case::reviewed(&[&changes]).confirm(&changes);
    assert_eq!(found, Err(Uncovered::Adopts(vec![changes[0].key.clone()])));
}

#[test]
fn leaving_something_behind_waits_even_when_it_was_reviewed() {
    let changes = [a("x.lan", Action::Forget)];
    let found = Case::reviewed(&[&changes]).confirm(&changes);
    assert_eq!(found, Err(Uncovered::Forgets(vec![changes[0].key.clone()])));
}

#[test]
fn an_environment_may_say_that_changed_plans_go_on_and_then_they_are_told() {
    let changes = [a("x.lan", Action::Create)];
    let case = Case { plan_changed: PlanChanged::Apply, ..Case::default() };
    assert_eq!(case.confirm(&changes).unwrap().unreviewed(), changes);
}

/// Every action that a provider's changes have and that a review alone covers.
const REVIEWABLE: [Action; 6] = [
    Action::Create,
    Action::Update,
    Action::Replace,
    Action::Delete,
    Action::Transfer,
    Action::Release,
];

fn any_changes(actions: Vec<Action>) -> impl Strategy<Value = Vec<Change>> {
    vec(prop::sample::select(actions), 0..8).prop_map(|actions| {
        let named = actions.into_iter().enumerate();
        let of = |(n, action)| {
            let from = (action == Action::Transfer).then(|| unit("old/unifi_dns"));
            Change { from, ..a(&format!("h{n}.lan"), action) }
        };
        named.map(of).collect()
    })
}

fn any_changes_and_some() -> impl Strategy<Value = (Vec<Change>, Vec<Change>)> {
    any_changes([&REVIEWABLE[..], &[Action::Adopt]].concat()).prop_flat_map(|all| {
        let count = all.len();
        (Just(all.clone()), subsequence(all, 0..=count))
    })
}

proptest! {
    #[test]
    fn a_subset_is_covered_when_the_rest_is_in_place(
        (all, some) in any_changes_and_some(), named in any::<bool>()
    ) {
        let mut case = match named {
            true => Case { approved: vec![all.clone()], ..Case::default() },
            false => Case::reviewed(&[&all]),
        };
        for change in &all {
            // A delete is in place when nobody owns the resource any more.
            if !some.contains(change) && change.after.is_some() {
                case = case.owns(change);
            }
        }
        // What becomes ours has to be named, whoever reviewed it.
        let adopts = some.iter().any(|change| change.action == Action::Adopt);
        prop_assert_eq!(case.confirm(&some).is_ok(), named || !adopts);
    }

    #[test]
    fn anything_else_is_not(all in any_changes(REVIEWABLE.to_vec()), at in any::<prop::sample::Index>(), what in 0..5) {
        let mut run = all.clone();
        let stranger = a("stranger.lan", Action::Create);
        if run.is_empty() || what == 0 {
            run.push(stranger);
        } else {
            let change = &mut run[at.index(all.len())];
            match what {
                1 => change.before = Some("moved".into()),
                2 => change.after = Some("moved".into()),
                3 => change.from = Some(unit("stranger/unifi_dns")),
                _ => change.unit = unit("other/unifi_dns"),
            }
        }
        prop_assert!(Case::reviewed(&[&all]).confirm(&run).is_err());
    }

    #[test]
    fn what_was_reviewed_and_is_neither_planned_nor_in_place_is_missed(all in any_changes(REVIEWABLE.to_vec()), at in any::<prop::sample::Index>()) {
        prop_assume!(!all.is_empty());
        let mut run = all.clone();
        let left_out = run.remove(at.index(all.len()));
        // The plan is not empty, or there would be nothing to confirm.
        prop_assume!(!run.is_empty());
        let mut case = Case::reviewed(&[&all]);
        if left_out.after.is_none() {
            let before = Change { after: left_out.before.clone(), ..left_out };
            case = case.owns(&before);
        }
        prop_assert!(case.confirm(&run).is_err());
    }
}

#[test]
fn what_a_run_did_beyond_what_was_seen_is_found_and_what_it_only_finished_is_not() {
    let [seen, other] = ["x.lan", "y.lan"].map(|name| a(name, Action::Update));
    let finished = Change { before: seen.after.clone(), ..seen.clone() };
    let done = [seen.clone(), finished.clone(), other.clone()];
    assert_eq!(unseen(&done, std::slice::from_ref(&seen)), [other]);
    // Nobody of ours began it: somebody else had changed what it was.
    assert_eq!(unseen(std::slice::from_ref(&finished), &[seen]), [finished]);
}
