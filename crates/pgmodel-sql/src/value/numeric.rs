//! `numeric`: decimal numbers of up to 38 digits, with the result scales of Postgres. A result that needs more digits
//! is refused.

use std::cmp::Ordering;
use std::fmt;

use super::{invalid_input, is_space};
use crate::error::{Failure, Result};

/// The maximum number of digits after the decimal point.
const MAX_SCALE: u32 = 38;

const LIMIT: i128 = 10i128.pow(MAX_SCALE);

/// A `numeric` value: an integer and the number of its digits after the decimal point. Equality and order ignore the
/// scale, so `1.0` equals `1`.
#[derive(Clone, Debug)]
pub struct Numeric {
    digits: i128,
    scale: u32,
}

fn beyond() -> Failure {
    Failure::not_modelled("numeric beyond 38 digits")
}

/// `value * 10^power`, refused on overflow.
fn shifted(value: i128, power: u32) -> Result<i128> {
    if value == 0 {
        return Ok(0);
    }
    let factor = 10i128.checked_pow(power).ok_or_else(beyond)?;
    value.checked_mul(factor).ok_or_else(beyond)
}

impl Numeric {
    /// `digits / 10^scale`.
    ///
    /// # Errors
    /// A refusal if it needs more than 38 digits.
    pub(crate) fn new(digits: i128, scale: u32) -> Result<Numeric> {
        if digits <= -LIMIT || digits >= LIMIT || scale > MAX_SCALE {
            return Err(beyond());
        }
        Ok(Numeric { digits, scale })
    }

    /// The integer as a `numeric` of scale 0.
    pub fn from_int(int: i64) -> Numeric {
        Numeric { digits: i128::from(int), scale: 0 }
    }

    /// The sum, with the larger scale.
    ///
    /// # Errors
    /// A refusal beyond 38 digits.
    pub fn add(&self, other: &Numeric) -> Result<Numeric> {
        let scale = self.scale.max(other.scale);
        let (a, b) = (shifted(self.digits, scale - self.scale)?, shifted(other.digits, scale - other.scale)?);
        Numeric::new(a.checked_add(b).ok_or_else(beyond)?, scale)
    }

    /// The difference, with the larger scale.
    ///
    /// # Errors
    /// A refusal beyond 38 digits.
    pub(crate) fn sub(&self, other: &Numeric) -> Result<Numeric> {
        self.add(&other.neg())
    }

    /// The product, with the sum of the scales.
    ///
    /// # Errors
    /// A refusal beyond 38 digits.
    pub(crate) fn mul(&self, other: &Numeric) -> Result<Numeric> {
        Numeric::new(self.digits.checked_mul(other.digits).ok_or_else(beyond)?, self.scale + other.scale)
    }

    /// The quotient, with the scale of the server's `select_div_scale`: at least 16 significant digits.
    ///
    /// # Errors
    /// 22012 for division by zero; a refusal beyond 38 digits.
    pub(crate) fn div(&self, other: &Numeric) -> Result<Numeric> {
        if other.digits == 0 {
            return Err(Failure::sql("22012", "division by zero"));
        }
        let ((weight1, first1), (weight2, first2)) = (self.leading(), other.leading());
        let weight = weight1 - weight2 - i32::from(first1 <= first2);
        let significant = u32::try_from((16 - weight * 4).max(0)).map_err(|_| beyond())?;
        let scale = significant.max(self.scale).max(other.scale);
        // Long division, one decimal digit at a time, as the scaled dividend may not fit.
        let power = scale + other.scale - self.scale;
        let (dividend, divisor) = (self.digits.unsigned_abs(), other.digits.unsigned_abs());
        let (mut quotient, mut rest) = (dividend / divisor, dividend % divisor);
        for _ in 0..power {
            let ten = rest.checked_mul(10).ok_or_else(beyond)?;
            quotient =
                quotient.checked_mul(10).and_then(|q| q.checked_add(ten / divisor)).ok_or_else(beyond)?;
            rest = ten % divisor;
        }
        if rest >= divisor - rest {
            quotient = quotient.checked_add(1).ok_or_else(beyond)?;
        }
        let quotient = i128::try_from(quotient).map_err(|_| beyond())?;
        let negative = (self.digits < 0) != (other.digits < 0);
        Numeric::new(if negative { -quotient } else { quotient }, scale)
    }

    /// Weight and value of the first nonzero digit in the server's base of 10000.
    fn leading(&self) -> (i32, u128) {
        let mut whole = self.digits.unsigned_abs();
        if whole == 0 {
            return (0, 0);
        }
        // The decimal point must fall between two digits of base 10000.
        let padding = (4 - self.scale % 4) % 4;
        let mut weight = -i32::try_from((self.scale + padding) / 4).unwrap_or(0);
        // The lowest digit of base 10000 may lack `padding` decimal digits.
        let low = 10u128.pow(4 - padding);
        if whole < low {
            return (weight, whole * 10u128.pow(padding));
        }
        whole /= low;
        weight += 1;
        while whole >= 10_000 {
            whole /= 10_000;
            weight += 1;
        }
        (weight, whole)
    }

    /// The remainder of the truncated division; it has the sign of the dividend.
    ///
    /// # Errors
    /// 22012 for division by zero; a refusal beyond 38 digits.
    pub(crate) fn rem(&self, other: &Numeric) -> Result<Numeric> {
        if other.digits == 0 {
            return Err(Failure::sql("22012", "division by zero"));
        }
        let scale = self.scale.max(other.scale);
        let (a, b) = (shifted(self.digits, scale - self.scale)?, shifted(other.digits, scale - other.scale)?);
        Numeric::new(a % b, scale)
    }

    /// The negated number.
    pub(crate) fn neg(&self) -> Numeric {
        Numeric { digits: -self.digits, scale: self.scale }
    }

    /// The absolute value.
    pub(crate) fn abs(&self) -> Numeric {
        Numeric { digits: self.digits.abs(), scale: self.scale }
    }

    /// -1, 0 or 1.
    pub(crate) fn signum(&self) -> Numeric {
        Numeric { digits: self.digits.signum(), scale: 0 }
    }

    /// Rounds half away from zero to `places` digits after the decimal point, or before it if negative.
    ///
    /// # Errors
    /// A refusal beyond 38 digits.
    pub(crate) fn round(&self, places: i64) -> Result<Numeric> {
        self.cut(places, |digits, unit| {
            let (quotient, rest) = (digits / unit, (digits % unit).abs());
            if rest >= unit - rest { quotient + digits.signum() } else { quotient }
        })
    }

    /// Truncates to `places` digits after the decimal point.
    ///
    /// # Errors
    /// A refusal beyond 38 digits.
    pub(crate) fn trunc(&self, places: i64) -> Result<Numeric> {
        self.cut(places, |digits, unit| digits / unit)
    }

    /// The largest integer that is not greater.
    ///
    /// # Errors
    /// A refusal beyond 38 digits.
    pub(crate) fn floor(&self) -> Result<Numeric> {
        self.cut(0, i128::div_euclid)
    }

    /// The smallest integer that is not less.
    ///
    /// # Errors
    /// A refusal beyond 38 digits.
    pub(crate) fn ceil(&self) -> Result<Numeric> {
        self.cut(0, |digits, unit| -(-digits).div_euclid(unit))
    }

    fn cut(&self, places: i64, divide: fn(i128, i128) -> i128) -> Result<Numeric> {
        let places = places.clamp(-2000, 2000);
        let drop = i64::from(self.scale) - places;
        let scale = u32::try_from(places.max(0)).map_err(|_| beyond())?;
        let Ok(drop) = u32::try_from(drop) else {
            return Numeric::new(shifted(self.digits, scale - self.scale)?, scale);
        };
        // A unit above the largest value leaves zero for every rounding mode.
        let Some(unit) = 10i128.checked_pow(drop) else { return Numeric::new(0, scale) };
        let kept = divide(self.digits, unit);
        if places >= 0 {
            Numeric::new(kept, scale)
        } else {
            Numeric::new(shifted(kept, scale_up(places))?, 0)
        }
    }

    /// Rounds to the precision and scale of a column type.
    ///
    /// # Errors
    /// 22003 if it needs more digits before the decimal point.
    pub(crate) fn fit(&self, precision: u32, scale: u32) -> Result<Numeric> {
        let rounded = self.round(i64::from(scale))?;
        let limit = 10i128.checked_pow(precision).unwrap_or(i128::MAX);
        if rounded.digits.abs() < limit {
            return Ok(rounded);
        }
        let bound = match precision.saturating_sub(scale) {
            0 => "1".to_owned(),
            whole => format!("10^{whole}"),
        };
        let bound = format!("must round to an absolute value less than {bound}.");
        let detail = format!("A field with precision {precision}, scale {scale} {bound}");
        Err(Failure::detailed("22003", "numeric field overflow", detail))
    }

    /// The number rounded to an integer.
    ///
    /// # Errors
    /// A refusal beyond 38 digits.
    pub(crate) fn to_integer(&self) -> Result<i128> {
        Ok(self.round(0)?.digits)
    }

    /// Parses a text.
    ///
    /// # Errors
    /// 22P02 if it is not a number; a refusal of NaN, the infinities and more than 38 digits.
    pub(crate) fn input(text: &str) -> Result<Numeric> {
        let trimmed = text.trim_matches(is_space);
        let unsigned = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
        match unsigned.to_ascii_lowercase().as_str() {
            "nan" | "inf" | "infinity" => return Err(Failure::not_modelled("numeric NaN and infinity")),
            _ => {}
        }
        let parts = split_number(unsigned).ok_or_else(|| invalid_input("numeric", text))?;
        let (mut digits, mut scale) = (0i128, 0i64);
        for digit in parts.whole.bytes().chain(parts.fraction.bytes()) {
            digits = shifted(digits, 1)?.checked_add(i128::from(digit - b'0')).ok_or_else(beyond)?;
        }
        scale += i64::try_from(parts.fraction.len()).map_err(|_| beyond())?;
        scale -= parts.exponent;
        if scale < 0 {
            digits = shifted(digits, u32::try_from(-scale).map_err(|_| beyond())?)?;
            scale = 0;
        }
        let digits = if trimmed.starts_with('-') { -digits } else { digits };
        Numeric::new(digits, u32::try_from(scale).map_err(|_| beyond())?)
    }
}

/// The power of ten for a negative scale.
fn scale_up(places: i64) -> u32 {
    u32::try_from(-places).unwrap_or(0)
}

struct Parts<'a> {
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

/// Splits an unsigned decimal number into integer digits, fraction digits and exponent.
fn split_number(text: &str) -> Option<Parts<'_>> {
    let (number, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let exponent = match exponent {
        Some(text) => {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            if digits.is_empty() || !is_digits(digits) {
                return None;
            }
            let size = digits.parse::<i64>().unwrap_or(i64::from(i32::MAX)).min(i64::from(i32::MAX));
            if text.starts_with('-') { -size } else { size }
        }
        None => 0,
    };
    Some(Parts { whole, fraction, exponent })
}

impl fmt::Display for Numeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.digits < 0 { "-" } else { "" };
        let unit = 10u128.pow(self.scale);
        let digits = self.digits.unsigned_abs();
        write!(f, "{sign}{}", digits / unit)?;
        if self.scale > 0 {
            write!(f, ".{:0width$}", digits % unit, width = self.scale as usize)?;
        }
        Ok(())
    }
}

impl Ord for Numeric {
    fn cmp(&self, other: &Numeric) -> Ordering {
        if self.scale == other.scale {
            return self.digits.cmp(&other.digits);
        }
        // Integer and fraction are compared separately, since a common scale could need more than 38 digits.
        let (unit1, unit2) = (10i128.pow(self.scale), 10i128.pow(other.scale));
        let whole = (self.digits / unit1).cmp(&(other.digits / unit2));
        whole.then_with(|| {
            let scale = self.scale.max(other.scale);
            let fraction1 = self.digits % unit1 * 10i128.pow(scale - self.scale);
            let fraction2 = other.digits % unit2 * 10i128.pow(scale - other.scale);
            fraction1.cmp(&fraction2)
        })
    }
}

impl PartialOrd for Numeric {
    fn partial_cmp(&self, other: &Numeric) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Numeric {
    fn eq(&self, other: &Numeric) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Numeric {}
