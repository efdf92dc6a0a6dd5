//! `md5` and `hashtext`, bit for bit as the server computes them, because applications derive lock keys from them.

use super::signature::Kind::{Bytea, Int4, Text};
use super::signature::{Entry, strict};
use super::{mistyped, str};
use crate::error::Result;
use crate::value::Value;

/// The functions.
pub(super) const FUNCTIONS: &[Entry] = &[
    strict("md5", &[Text], Text, md5),
    strict("md5", &[Bytea], Text, md5),
    strict("hashtext", &[Text], Int4, |args| Ok(Value::Int(i64::from(hash_bytes(str(args, 0)?.as_bytes()))))),
];

fn md5(args: &[Value]) -> Result<Value> {
    let digest = match args.first() {
        Some(Value::Text(text)) => md5_digest(text.as_bytes()),
        Some(Value::Bytes(bytes)) => md5_digest(bytes),
        _ => return Err(mistyped()),
    };
    let hex: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Value::Text(hex.concat().into()))
}

/// The rotations of MD5's four rounds (RFC 1321, 3.4).
const ROTATIONS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// The table T of RFC 1321, 3.4: fractions of sines, listed because binary floating point is not used here.
#[rustfmt::skip]
const SINES: [u32; 64] = [
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
];

fn md5_digest(bytes: &[u8]) -> [u8; 16] {
    let mut message = bytes.to_vec();
    message.push(0x80);
    while message.len() % 64 != 56 {
        message.push(0);
    }
    let bits = (bytes.len() as u64).wrapping_mul(8);
    message.extend(bits.to_le_bytes());
    let mut state = [0x6745_2301u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in message.chunks_exact(64) {
        let words: Vec<u32> = block.chunks_exact(4).map(little_endian).collect();
        let [mut a, mut b, mut c, mut d] = state;
        for step in 0..64 {
            let (mixed, word) = match step / 16 {
                0 => ((b & c) | (!b & d), step),
                1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
                2 => (b ^ c ^ d, (3 * step + 5) % 16),
                _ => (c ^ (b | !d), (7 * step) % 16),
            };
            let sum = a.wrapping_add(mixed).wrapping_add(SINES[step]).wrapping_add(words[word]);
            let turned = b.wrapping_add(sum.rotate_left(ROTATIONS[step / 16][step % 4]));
            (a, b, c, d) = (d, turned, b, c);
        }
        for (word, add) in state.iter_mut().zip([a, b, c, d]) {
            *word = word.wrapping_add(add);
        }
    }
    let mut digest = [0; 16];
    for (out, word) in digest.chunks_exact_mut(4).zip(state) {
        out.copy_from_slice(&word.to_le_bytes());
    }
    digest
}

/// Up to four bytes as a little-endian number.
fn little_endian(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

/// `hash_bytes` of the server's `hashfn.c`: Jenkins' lookup3.
fn hash_bytes(bytes: &[u8]) -> i32 {
    // The server uses a 32-bit length, and so does the seed.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let seed = 0x9e37_79b9u32.wrapping_add(length).wrapping_add(3_923_095);
    let (mut a, mut b, mut c) = (seed, seed, seed);
    let mut rest = bytes;
    while rest.len() >= 12 {
        a = a.wrapping_add(little_endian(&rest[..4]));
        b = b.wrapping_add(little_endian(&rest[4..8]));
        c = c.wrapping_add(little_endian(&rest[8..12]));
        for (x, y, z, turn) in
            [(0, 2, 1, 4), (1, 0, 2, 6), (2, 1, 0, 8), (0, 2, 1, 16), (1, 0, 2, 19), (2, 1, 0, 4)]
        {
            let mut word = [a, b, c];
            word[x] = word[x].wrapping_sub(word[y]) ^ word[y].rotate_left(turn);
            word[y] = word[y].wrapping_add(word[z]);
            [a, b, c] = word;
        }
        rest = &rest[12..];
    }
    // The lowest byte of `c` is reserved for the length.
    a = a.wrapping_add(little_endian(&rest[..rest.len().min(4)]));
    b = b.wrapping_add(little_endian(&rest[rest.len().min(4)..rest.len().min(8)]));
    c = c.wrapping_add(little_endian(&rest[rest.len().min(8)..]) << 8);
    for (x, y, turn) in [(2, 1, 14), (0, 2, 11), (1, 0, 25), (2, 1, 16), (0, 2, 4), (1, 0, 14), (2, 1, 24)] {
        let mut word = [a, b, c];
        word[x] = (word[x] ^ word[y]).wrapping_sub(word[y].rotate_left(turn));
        [a, b, c] = word;
    }
    c.cast_signed()
}
