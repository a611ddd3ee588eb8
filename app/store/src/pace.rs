//! Pace: how fast an installation may be written to, by all servers together.
//!
//! GitHub refuses who creates too much content at once, and going on may get an App banned
//! (<https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api>), so the lane of
//! an installation is paced before GitHub has to say so. A part of what is allowed may be used at
//! once, the rest comes evenly: what waits for its turn then waits for seconds and not for the end
//! of a minute that somebody else used up. The arithmetic is here, pure, and the same for every
//! engine; an engine keeps a [`WriteLane`] in a row and asks under its lock.

use std::time::Duration;

/// At most so many requests within a time, however that time is laid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    most: u32,
    within: Duration,
}

impl Pace {
    /// At most `most` within `within`: a quarter of them at once, the others evenly. None at all is
    /// no pace, so one is the least.
    #[must_use]
    pub const fn at_most(most: u32, within: Duration) -> Self {
        Self { most: if most == 0 { 1 } else { most }, within }
    }

    /// How many may be made at once.
    fn burst(self) -> i64 {
        i64::from(self.most / 4).max(1)
    }

    /// How long one has to wait for the next once all of the burst was used, in milliseconds.
    fn interval(self) -> i64 {
        let within = i64::try_from(self.within.as_millis()).unwrap_or(i64::MAX);
        let rest = (i64::from(self.most) - self.burst()).max(1);
        within / rest + i64::from(within % rest != 0)
    }
}

/// An installation's write lane. Times are in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct WriteLane {
    /// Nothing is written before.
    pub(crate) opens_at: i64,
    /// For each pace in turn, when all of its burst may be used again.
    pub(crate) whole_at: Vec<i64>,
}

impl WriteLane {
    /// Takes what so many requests use up, if they may be made now; otherwise the lane is closed
    /// until they may, so that smaller things do not take from what they wait for. Who wants more
    /// than a burst waits for a whole one.
    pub(crate) fn spend(&mut self, now: i64, calls: u32, paces: &[Pace]) -> Result<(), i64> {
        self.whole_at.resize(paces.len(), 0);
        let calls = i64::from(calls);
        let due = self.whole_at.iter().zip(paces).map(|(whole_at, pace)| {
            whole_at - (pace.burst() - calls).max(0).saturating_mul(pace.interval())
        });
        if let Some(due) = due.max().filter(|due| *due > now) {
            self.close(due);
            return Err(due);
        }
        for (whole_at, pace) in self.whole_at.iter_mut().zip(paces) {
            let used = calls.saturating_mul(pace.interval());
            *whole_at = (*whole_at).max(now).saturating_add(used);
            let next = whole_at.saturating_sub((pace.burst() - 1).saturating_mul(pace.interval()));
            self.opens_at = self.opens_at.max(next);
        }
        Ok(())
    }

    /// Closes it until then, if it is not closed for longer.
    pub(crate) fn close(&mut self, until: i64) {
        self.opens_at = self.opens_at.max(until);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Pace = Pace::at_most(80, Duration::from_secs(60));
    const HOUR: Pace = Pace::at_most(500, Duration::from_secs(3_600));

    #[test]
    fn a_quarter_goes_at_once_and_then_one_a_second() {
        let mut lane = WriteLane::default();
        for _ in 0..20 {
            assert_eq!(lane.spend(5_000, 1, &[MINUTE]), Ok(()));
        }
        assert_eq!(lane.spend(5_000, 1, &[MINUTE]), Err(6_000));
        assert_eq!(lane.spend(6_000, 1, &[MINUTE]), Ok(()));
        assert_eq!(lane.opens_at, 7_000);
    }

    #[test]
    fn what_takes_several_requests_waits_until_it_can_make_all() {
        let mut lane = WriteLane::default();
        assert_eq!(lane.spend(0, 18, &[MINUTE]), Ok(()));
        assert_eq!(lane.spend(0, 5, &[MINUTE]), Err(3_000));
        assert_eq!(lane.opens_at, 3_000, "nothing smaller goes before it");
        assert_eq!(lane.spend(3_000, 5, &[MINUTE]), Ok(()));
    }

    #[test]
    fn what_takes_more_than_a_burst_waits_for_a_whole_one() {
        let mut lane = WriteLane::default();
        assert_eq!(lane.spend(0, 1, &[MINUTE]), Ok(()));
        assert_eq!(lane.spend(0, 30, &[MINUTE]), Err(1_000));
        assert_eq!(lane.spend(1_000, 30, &[MINUTE]), Ok(()));
        assert_eq!(lane.spend(1_000, 1, &[MINUTE]), Err(12_000));
    }

    #[test]
    fn who_is_told_to_be_silent_is_silent_for_the_longest_time_that_was_named() {
        let mut lane = WriteLane::default();
        lane.close(60_000);
        lane.close(30_000);
        assert_eq!(lane.spend(60_000, 1, &[MINUTE]), Ok(()));
        assert_eq!(lane.opens_at, 60_000);
    }

    #[test]
    fn without_a_pace_nothing_waits() {
        let mut lane = WriteLane { opens_at: 7, whole_at: vec![i64::MAX] };
        assert_eq!(lane.spend(0, u32::MAX, &[]), Ok(()));
        assert_eq!(lane.opens_at, 7);
    }

    /// The most that any stretch of time has of `made`, which is in order; a stretch has its beginning
    /// in it.
    fn most_within(made: &[i64], within: i64) -> usize {
        let from = |first: usize| made[first..].partition_point(|at| *at < made[first] + within);
        (0..made.len()).map(from).max().unwrap_or_default()
    }

    proptest! {
        #[test]
        fn no_minute_and_no_hour_has_more_than_it_may(
            wishes in proptest::collection::vec((0_i64..4_000, 1_u32..20), 1..600)
        ) {
            let (mut lane, mut now, mut made) = (WriteLane::default(), 0, Vec::new());
            for (pause, calls) in wishes {
                now += pause;
                if let Err(due) = lane.spend(now, calls, &[MINUTE, HOUR]) {
                    prop_assert!(due > now);
                    now = due;
                    prop_assert_eq!(lane.spend(now, calls, &[MINUTE, HOUR]), Ok(()));
                }
                made.extend(std::iter::repeat_n(now, calls as usize));
            }
            prop_assert!(most_within(&made, 60_000) <= 80);
            prop_assert!(most_within(&made, 3_600_000) <= 500);
        }
    }
}
