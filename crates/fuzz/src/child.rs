//! The child process: reads one input after another until something ends it. It writes each input to the scratch file
//! and prints its number before reading it, so that the parent finds the input that failed.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use retrial_sim::seed::Seed;

use crate::mutation;
use crate::target::Target;

/// Reads the inputs from number `from` on, for ever.
pub(crate) fn read_on(target: &Target, seed: Seed, from: u64, scratch: &Path) -> Result<()> {
    let corpus: Vec<Vec<char>> = (target.corpus)()?.iter().map(|text| text.chars().collect()).collect();
    let mut out = std::io::stdout().lock();
    for number in from.. {
        let input = mutation::input(&corpus, seed, number);
        fs::write(scratch, &input)?;
        writeln!(out, "{number}")?;
        out.flush()?;
        (target.read)(&input);
    }
    Ok(())
}
