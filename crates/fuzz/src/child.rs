//! The child: reads one input after the other until something ends it. Whoever watches finds the input that it was at
//! in the scratch file, and hears its number before it is read.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use retrial_sim::seed::Seed;

use crate::mutation;
use crate::target::Target;

/// Reads the inputs from that number on, for ever.
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
