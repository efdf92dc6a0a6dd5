//! The server's value formats, binary and text: numbers, times, UUIDs, arrays and rows. Independent of what a value
//! means to a trial.

/// Days from year 0 (proleptic Gregorian calendar) to 2000-01-01, the server's epoch.
const EPOCH_DAYS: i64 = 730_485;
const DAY: i64 = 86_400_000_000;

/// Quotes a text as an SQL literal.
pub(super) fn quoted(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') {
        format!("E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

/// Quotes a name as an SQL identifier.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "t" | "true" | "on" | "yes" | "1" => Some(true),
        "f" | "false" | "off" | "no" | "0" => Some(false),
        _ => None,
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\\x{digits}")
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?;
    pairs(digits)
}

fn pairs(digits: &str) -> Option<Vec<u8>> {
    if !digits.is_ascii() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    (0..digits.len()).step_by(2).map(byte).collect()
}

pub(super) fn uuid_binary(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.trim_matches(['{', '}']).chars().filter(|letter| *letter != '-').collect();
    pairs(&digits).filter(|bytes| bytes.len() == 16)
}

pub(super) fn uuid_text(bytes: &[u8]) -> Option<String> {
    let digits = hex(bytes);
    let part = |from: usize, to: usize| digits.get(2 + from..2 + to);
    Some([part(0, 8)?, part(8, 12)?, part(12, 16)?, part(16, 20)?, part(20, 32)?].join("-"))
}

/// Reformats Rust's shortest float representation as the server prints it: with an exponent from `digits_at_most`
/// digits on.
pub(super) fn float_text(scientific: &str, digits_at_most: i32) -> String {
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific.replace("inf", "Infinity");
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    if exponent < -4 || exponent >= digits_at_most {
        let mark = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{mantissa}e{mark}{:02}", exponent.abs());
    }
    if exponent < 0 {
        return format!("{sign}0.{}{digits}", "0".repeat((-exponent - 1) as usize));
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        return format!("{sign}{digits}{}", "0".repeat(whole - digits.len()));
    }
    format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
}

/// Encodes a decimal number in groups of four digits: the number of groups, the weight of the first, the sign, the
/// scale, the groups.
pub(super) fn numeric_binary(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let words = |words: [u16; 4], groups: &[u16]| -> Vec<u8> {
        words.iter().chain(groups).flat_map(|word| word.to_be_bytes()).collect()
    };
    if text.eq_ignore_ascii_case("nan") {
        return Some(words([0, 0, 0xC000, 0], &[]));
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|letter| letter.is_ascii_digit());
    if whole.len() + part.len() == 0 || !all_digits(whole) || !all_digits(part) {
        return None;
    }
    let lead = (4 - whole.len() % 4) % 4;
    let tail = (4 - part.len() % 4) % 4;
    let padded = format!("{}{whole}{part}{}", "0".repeat(lead), "0".repeat(tail));
    let group = |at: usize| padded[at..at + 4].parse::<u16>().ok();
    let mut groups: Vec<u16> = (0..padded.len()).step_by(4).map(group).collect::<Option<_>>()?;
    let mut weight = (whole.len() + lead) as i32 / 4 - 1;
    while groups.first() == Some(&0) {
        groups.remove(0);
        weight -= 1;
    }
    while groups.last() == Some(&0) {
        groups.pop();
    }
    let (weight, sign) = if groups.is_empty() { (0, 0) } else { (weight, if negative { 0x4000 } else { 0 }) };
    Some(words([groups.len() as u16, weight as i16 as u16, sign, part.len() as u16], &groups))
}

pub(super) fn numeric_text(bytes: &[u8]) -> Option<String> {
    let word = |index: usize| -> Option<u16> {
        Some(u16::from_be_bytes(bytes.get(2 * index..2 * index + 2)?.try_into().ok()?))
    };
    let (count, weight, sign, scale) =
        (word(0)?, i32::from(word(1)? as i16), word(2)?, usize::from(word(3)?));
    match sign {
        0xC000 => return Some("NaN".to_owned()),
        0xD000 => return Some("Infinity".to_owned()),
        0xF000 => return Some("-Infinity".to_owned()),
        _ => {}
    }
    let group = |index: i32| -> u16 {
        if (0..i32::from(count)).contains(&index) { word(4 + index as usize).unwrap_or(0) } else { 0 }
    };
    let whole: String = (0..=weight).map(|index| format!("{:04}", group(index))).collect();
    let whole = whole.trim_start_matches('0');
    let groups = scale.div_ceil(4) as i32;
    let part: String = (0..groups).map(|index| format!("{:04}", group(weight + 1 + index))).collect();
    let minus = if sign == 0x4000 { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if scale > 0 { "." } else { "" };
    Some(format!("{minus}{whole}{point}{}", &part[..scale]))
}

/// Days from 2000-01-01 to a civil date (after Howard Hinnant's `days_from_civil`).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - (EPOCH_DAYS - 60)
}

fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_DAYS - 60;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

pub(super) fn date_binary(text: &str) -> Option<i32> {
    if let Some(end) = endless(text) {
        return Some(if end { i32::MAX } else { i32::MIN });
    }
    let mut parts = text.trim().splitn(3, '-');
    let mut part = || parts.next()?.parse::<i64>().ok();
    let (year, month, day) = (part()?, part()?, part()?);
    let valid = (1..=12).contains(&month) && civil(days(year, month, day)) == (year, month, day);
    valid.then(|| days(year, month, day) as i32)
}

pub(super) fn date_text(days: i32) -> String {
    match days {
        i32::MAX => return "infinity".to_owned(),
        i32::MIN => return "-infinity".to_owned(),
        _ => {}
    }
    let (year, month, day) = civil(i64::from(days));
    if year > 0 {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{:04}-{month:02}-{day:02} BC", 1 - year)
    }
}

fn endless(text: &str) -> Option<bool> {
    match text.trim() {
        "infinity" => Some(true),
        "-infinity" => Some(false),
        _ => None,
    }
}

/// Microseconds since midnight.
pub(super) fn time_binary(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.splitn(3, ':');
    let mut number = || parts.next().map_or(Some(0), |part| part.parse::<i64>().ok());
    let (hours, minutes, seconds) = (number()?, number()?, number()?);
    if part.len() > 6 || !whole.contains(':') {
        return None;
    }
    let micros: i64 = if part.is_empty() { 0 } else { format!("{part:0<6}").parse().ok()? };
    let valid = (0..=24).contains(&hours) && (0..60).contains(&minutes) && (0..=60).contains(&seconds);
    valid.then_some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros)
}

pub(super) fn time_text(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match micros % 1_000_000 {
        0 => clock,
        part => format!("{clock}.{}", format!("{part:06}").trim_end_matches('0')),
    }
}

/// Microseconds since 2000-01-01 UTC; a zone's offset is subtracted.
pub(super) fn timestamp_binary(text: &str) -> Option<i64> {
    if let Some(end) = endless(text) {
        return Some(if end { i64::MAX } else { i64::MIN });
    }
    let text = text.trim();
    let Some((date, clock)) = text.split_once([' ', 'T']) else {
        return Some(i64::from(date_binary(text)?) * DAY);
    };
    let clock = clock.trim_end_matches(['Z', 'z']).trim_end_matches(" UTC");
    let zone = clock.find(['+', '-']);
    let (clock, zone) = zone.map_or((clock, ""), |at| clock.split_at(at));
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    let offset = match digits.len() {
        0 => 0,
        2 => digits.parse::<i64>().ok()? * 60,
        4 => digits[..2].parse::<i64>().ok()? * 60 + digits[2..].parse::<i64>().ok()?,
        _ => return None,
    };
    let offset = if zone.starts_with('-') { -offset } else { offset };
    Some(i64::from(date_binary(date)?) * DAY + time_binary(clock)? - offset * 60_000_000)
}

pub(super) fn timestamp_text(micros: i64, zone: bool) -> String {
    match micros {
        i64::MAX => return "infinity".to_owned(),
        i64::MIN => return "-infinity".to_owned(),
        _ => {}
    }
    let date = date_text(micros.div_euclid(DAY) as i32);
    let (date, era) = date.strip_suffix(" BC").map_or((&*date, ""), |date| (date, " BC"));
    format!("{date} {}{}{era}", time_text(micros.rem_euclid(DAY)), if zone { "+00" } else { "" })
}

/// The elements of an array such as `{1,NULL,"a b"}`; `None` if it has several dimensions.
pub(super) fn array_elements(text: &str) -> Option<Vec<Option<String>>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    if inner.trim().is_empty() {
        return Some(Vec::new());
    }
    let fields = fields(inner, true)?;
    Some(
        fields
            .into_iter()
            .map(|(text, quoted)| (quoted || !text.eq_ignore_ascii_case("null")).then_some(text))
            .collect(),
    )
}

pub(super) fn array_literal(elements: &[Option<String>]) -> String {
    let written = elements.iter().map(|element| match element {
        None => "NULL".to_owned(),
        Some(text) => {
            let plain = !text.is_empty()
                && !text.eq_ignore_ascii_case("null")
                && !text.contains(|letter: char| "{},\"\\".contains(letter) || letter.is_ascii_whitespace());
            let escaped = || text.replace('\\', "\\\\").replace('"', "\\\"");
            if plain { text.clone() } else { format!("\"{}\"", escaped()) }
        }
    });
    format!("{{{}}}", written.collect::<Vec<_>>().join(","))
}

/// The fields of a row that was cast to text, such as `(1,,"a ""b""")`; an empty field is NULL.
pub(super) fn row_fields(text: &str) -> Option<Vec<Option<String>>> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?;
    let fields = fields(inner, false)?;
    Some(fields.into_iter().map(|(text, quoted)| (quoted || !text.is_empty()).then_some(text)).collect())
}

/// Comma-separated fields, each with whether it was quoted.
fn fields(text: &str, is_array: bool) -> Option<Vec<(String, bool)>> {
    let mut found = vec![(String::new(), false)];
    let mut letters = text.chars().peekable();
    let mut inside = false;
    while let Some(letter) = letters.next() {
        let field = found.last_mut()?;
        match letter {
            '\\' => field.0.push(letters.next()?),
            '"' if inside && letters.peek() == Some(&'"') => field.0.extend(letters.next()),
            '"' => {
                inside = !inside;
                field.1 = true;
            }
            ',' if !inside => found.push((String::new(), false)),
            '{' | '}' if !inside && is_array => return None,
            ' ' if !inside && is_array => {}
            _ => field.0.push(letter),
        }
    }
    (!inside).then_some(found)
}
