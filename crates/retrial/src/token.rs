//! Tokens: a case in one word that can be pasted into an issue. It encodes the case's text, deflated, and a checksum.

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use retrial_sim::digest::Digest;
use retrial_sim::explore::case::Case;

/// The prefix of every token: the version of the format.
pub const PREFIX: &str = "rt1-";

/// The largest text of a case, in bytes; a token that inflates to more is broken.
const LARGEST: usize = 1 << 20;

/// Whether the text is a token, whole or damaged.
pub fn is_one(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// The token of a case.
pub fn encode(case: &Case) -> String {
    seal(&case.to_string())
}

/// A token with a valid checksum for any text, which need not be a case.
pub fn seal(text: &str) -> String {
    let mut bytes = checksum(text).to_vec();
    bytes.extend(miniz_oxide::deflate::compress_to_vec(text.as_bytes(), 9));
    seal_bytes(&bytes)
}

/// A word with the prefix and encoding of a token, from any bytes.
pub fn seal_bytes(bytes: &[u8]) -> String {
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The case that a token encodes.
///
/// # Errors
/// The token is damaged, or its text is not a case.
pub fn decode(token: &str) -> Result<Case> {
    let broken = "the token is broken: it was truncated or changed; copy all of it";
    let body = token.strip_prefix(PREFIX).context(broken)?;
    let bytes = URL_SAFE_NO_PAD.decode(body).ok().context(broken)?;
    ensure!(bytes.len() > 4, broken);
    let (sum, deflated) = bytes.split_at(4);
    let text = miniz_oxide::inflate::decompress_to_vec_with_limit(deflated, LARGEST).ok().context(broken)?;
    let text = String::from_utf8(text).ok().context(broken)?;
    ensure!(checksum(&text) == *sum, broken);
    Ok(text.parse()?)
}

fn checksum(text: &str) -> [u8; 4] {
    let mut digest = Digest::default();
    digest.text(text);
    (digest.0 as u32).to_le_bytes()
}
