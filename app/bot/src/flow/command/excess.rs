//! How many commands are carried out: so many of one person, and so many of all on a pull request, within
//! a minute. A program that answers what it reads with a command would otherwise go on for ever, and so
//! would we.
//!
//! Whatever came in counts, also what was not carried out: it goes on when there was a minute with less.
//! One refusal says so, and what comes after it in one go is not answered but by a reaction. What goes
//! beyond one person's limit does not count against that of all, so nobody silences the others.
//!
//! What came in late, because GitHub or the server was down, counts when it came. So it does when it was
//! said over hours, and then some of it has to be said again.

use jiff::{SignedDuration, Timestamp};
use landfall_core::command::MOST;
use landfall_store::{CommandId, Heard};

use super::Said;
use super::answer::{Answer, Refusal};

/// Commands are counted within this time.
const WHILE: SignedDuration = SignedDuration::from_mins(1);
/// Of one person: as many as a comment may carry, and half of them again for who mistyped some.
const OF_ONE: usize = MOST + MOST / 2;
/// Of all on a pull request: three such people.
const OF_ALL: usize = 3 * OF_ONE;

/// Which limit is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Excess {
    OfOne,
    OfAll,
}

impl Excess {
    fn refusal(self) -> Refusal {
        let why = match self {
            Self::OfOne => format!("More than {OF_ONE} commands of yours came within a minute."),
            Self::OfAll => format!("More than {OF_ALL} commands came here within a minute."),
        };
        Refusal { why, help: Some("Say it again after a minute without any.".to_owned()) }
    }

    fn is_outcome_of(self, heard: &Heard) -> bool {
        heard.outcome.as_ref() == Some(&self.refusal().outcome())
    }
}

impl Said<'_> {
    /// What becomes of a command that is beyond what is carried out.
    pub(super) async fn beyond(&self, received_at: Timestamp) -> anyhow::Result<Option<Answer>> {
        let (store, since) = (&self.house.store, received_at - WHILE);
        let repository = self.ground.repository.id;
        let lately = store.commands_since(repository, self.pull.number, since).await?;
        Ok(beyond(&lately, self.words.id))
    }
}

fn beyond(lately: &[Heard], id: CommandId) -> Option<Answer> {
    let at = lately.iter().position(|heard| heard.id == id)?;
    let (this, before) = (&lately[at], &lately[..at]);
    let own = || before.iter().filter(|heard| heard.author == this.author);
    let counted = before.iter().filter(|heard| !Excess::OfOne.is_outcome_of(heard));
    let (excess, told) = if own().count() >= OF_ONE {
        (Excess::OfOne, own().any(|heard| Excess::OfOne.is_outcome_of(heard)))
    } else if counted.count() >= OF_ALL {
        (Excess::OfAll, before.iter().any(|heard| Excess::OfAll.is_outcome_of(heard)))
    } else {
        return None;
    };
    Some(match told {
        true => Answer::RefuseAgain(excess.refusal()),
        false => Answer::Refuse(excess.refusal()),
    })
}

#[cfg(test)]
mod tests {
    use landfall_core::name::UserId;
    use landfall_store::CommandSource;

    use super::*;

    /// Commands in the order in which they came, each by whom, `outcomes` of the first of them.
    fn heard(authors: impl IntoIterator<Item = u64>) -> Vec<Heard> {
        let heard = |(number, author)| Heard {
            id: CommandId { source: CommandSource::Comment(number), index: 0 },
            author: UserId(author),
            received_at: Timestamp::UNIX_EPOCH,
            outcome: None,
        };
        (0..).zip(authors).map(heard).collect()
    }

    /// Carries all of them out, one after the other: `.` for one that is, `!` for one that is refused,
    /// `x` for one that is refused without a word.
    fn carried_out(mut heard: Vec<Heard>) -> String {
        let mut told = String::new();
        for at in 0..heard.len() {
            let (sign, outcome) = match beyond(&heard, heard[at].id) {
                None => ('.', "done".to_owned()),
                Some(Answer::Refuse(refusal)) => ('!', refusal.outcome()),
                Some(Answer::RefuseAgain(refusal)) => ('x', refusal.outcome()),
                Some(other) => panic!("{other:?}"),
            };
            heard[at].outcome = Some(outcome);
            told.push(sign);
        }
        told
    }

    #[test]
    fn one_person_is_told_once_and_then_only_shown() {
        let loops = std::iter::repeat_n(1, 20);
        assert_eq!(carried_out(heard(loops)), ".".repeat(15) + "!xxxx");
    }

    #[test]
    fn nobody_silences_the_others() {
        let flood = std::iter::repeat_n(1, 100).chain([2]);
        let told = carried_out(heard(flood));
        assert!(told.ends_with("x."), "{told}");
    }

    #[test]
    fn many_accounts_together_do_not_do_what_one_may_not() {
        let in_turn = (0..48).map(|number| number % 12);
        assert_eq!(carried_out(heard(in_turn)), ".".repeat(45) + "!xx");
    }
}
