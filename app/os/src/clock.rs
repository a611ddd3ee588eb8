//! Time that passes while the machine sleeps, for deadlines that others count on too.
//!
//! `std::time::Instant` stands still on Linux while the machine is suspended, and the time of day
//! can be set. A lease runs out on the database's clock all the while, so whoever holds one measures
//! it with this.

use std::ops::{Add, Sub};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What counts suspended time: Linux has a clock for it, Apple's usual one does, and elsewhere there
/// is only the time of day, which somebody may set.
#[cfg(any(target_os = "linux", target_os = "android"))]
const CLOCK: ClockId = ClockId::Boottime;
#[cfg(target_vendor = "apple")]
const CLOCK: ClockId = ClockId::Monotonic;
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
const CLOCK: ClockId = ClockId::Realtime;

/// A point in time of this machine, good for comparing with others of the same process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

impl Moment {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        let read = clock_gettime(CLOCK);
        let whole = u64::try_from(read.tv_sec).unwrap_or_default();
        Self(Duration::new(whole, u32::try_from(read.tv_nsec).unwrap_or_default()))
    }

    /// Whether it lies behind us.
    #[must_use]
    pub fn is_over(self) -> bool {
        Self::now() >= self
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        Self(self.0.saturating_add(later))
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;

    fn sub(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(earlier))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on() {
        let then = Moment::now();
        assert!(then.is_over());
        assert!(!(then + Duration::from_hours(1)).is_over());
        assert!((then - Duration::from_hours(1)).is_over());
    }
}
