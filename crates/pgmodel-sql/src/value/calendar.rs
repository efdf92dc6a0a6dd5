//! Days and dates of the Gregorian calendar.

/// Days from 1970-01-01 to 2000-01-01, the epoch of the server's timestamps.
const EPOCH_SHIFT: i64 = 10_957;

/// Microseconds per day.
pub(crate) const DAY: i64 = 86_400_000_000;

/// The parts of a point in time, in UTC; year 0 is 1 BC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The year.
    pub year: i64,
    /// The month, from 1.
    pub month: i64,
    /// The day of the month, from 1.
    pub day: i64,
    /// Microseconds since midnight.
    pub micros: i64,
}

impl Moment {
    /// Splits a timestamp into its parts.
    pub(crate) fn of(timestamp: i64) -> Moment {
        let (year, month, day) = civil_from_days(timestamp.div_euclid(DAY));
        Moment { year, month, day, micros: timestamp.rem_euclid(DAY) }
    }

    /// Midnight of the day that is `days` after 2000-01-01.
    pub(crate) fn of_day(days: i64) -> Moment {
        let (year, month, day) = civil_from_days(days);
        Moment { year, month, day, micros: 0 }
    }

    /// The timestamp; `None` on overflow.
    pub(crate) fn timestamp(&self) -> Option<i64> {
        days_from_civil(self.year, self.month, self.day).checked_mul(DAY)?.checked_add(self.micros)
    }
}

/// The days from 2000-01-01 to a date.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March in this computation, so that the leap day comes last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468 - EPOCH_SHIFT
}

/// The date that is `days` after 2000-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + EPOCH_SHIFT + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * march + 2) / 5 + 1)
}

/// The number of days of a month.
pub(crate) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
