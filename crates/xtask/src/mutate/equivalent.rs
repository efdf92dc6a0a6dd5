//! Explanations, kept in the repository, of why a mutant that no invariant catches is equivalent to the original. An
//! explanation that is no longer used is an error.

use anyhow::{Context, Result, bail, ensure};

use super::mutant::Mutant;

/// The file of the explanations.
const PATH: &str = "crates/xtask/src/mutate/equivalent.txt";

/// One explanation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Explanation {
    /// The line that it begins on.
    line: usize,
    strategy: String,
    operator: String,
    /// Part of the description of the mutation, or of a line that differs.
    fragment: String,
    pub(super) why: Vec<String>,
}

/// All explanations.
#[derive(Debug)]
pub(super) struct Explanations(Vec<Explanation>);

impl Explanations {
    /// Reads the explanations of the repository.
    pub(super) fn read() -> Result<Explanations> {
        parse(include_str!("equivalent.txt")).context(PATH)
    }

    /// The explanation of a mutant.
    pub(super) fn of(&self, mutant: &Mutant) -> Option<&Explanation> {
        let told = || mutant.difference.iter().chain([&mutant.what]);
        self.0.iter().find(|known| {
            known.strategy == mutant.target.name()
                && known.operator == mutant.operator
                && told().any(|line| line.contains(&known.fragment))
        })
    }

    /// Fails if an explanation was not used.
    pub(super) fn unused<'e>(&'e self, used: impl Iterator<Item = &'e Explanation>) -> Result<()> {
        let used: Vec<usize> = used.map(|used| used.line).collect();
        match self.0.iter().find(|known| !used.contains(&known.line)) {
            None => Ok(()),
            Some(Explanation { line, fragment, .. }) => {
                bail!("{PATH}:{line}: no survivor has `{fragment}` any more; drop the explanation")
            }
        }
    }
}

/// Parses the explanations. Each begins with an unindented line `SCENARIO/STRATEGY OPERATOR`; the first indented line
/// is the fragment, the others are the reason. Lines that begin with `#` are comments.
fn parse(text: &str) -> Result<Explanations> {
    let mut found: Vec<Explanation> = Vec::new();
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
    for (number, line) in lines {
        if !line.starts_with(' ') {
            let (strategy, operator) =
                line.split_once(' ').with_context(|| format!("line {number} has no operator"))?;
            found.push(Explanation {
                line: number,
                strategy: strategy.to_owned(),
                operator: operator.trim().to_owned(),
                fragment: String::new(),
                why: Vec::new(),
            });
            continue;
        }
        let last = found.last_mut().with_context(|| format!("line {number} explains nothing"))?;
        let line = line.trim().to_owned();
        if last.fragment.is_empty() { last.fragment = line } else { last.why.push(line) }
    }
    for Explanation { line, why, .. } in &found {
        ensure!(!why.is_empty(), "line {line} has no reason");
    }
    Ok(Explanations(found))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn an_explanation_has_a_place_a_fragment_and_a_reason() {
        let text =
            "# Comment.\ns/a drop_guard\n    x > 1\n    It is,\n    always.\n\ns/b swap\n    y\n    No.\n";
        let found = parse(text).expect("it is well formed").0;
        assert_eq!(found.len(), 2);
        assert_eq!(
            (&*found[0].strategy, &*found[0].operator, &*found[0].fragment),
            ("s/a", "drop_guard", "x > 1")
        );
        assert_eq!((found[0].line, &found[0].why), (2, &vec!["It is,".to_owned(), "always.".to_owned()]));
    }

    #[test]
    fn what_is_left_out_is_told_with_its_line() {
        let refusal = |text: &str| parse(text).expect_err("it is not whole").to_string();
        assert_eq!(refusal("s/a\n"), "line 1 has no operator");
        assert_eq!(refusal("\n  x\n"), "line 2 explains nothing");
        assert_eq!(refusal("s/a b\n  x\n"), "line 1 has no reason");
    }

    #[test]
    fn one_that_was_not_used_is_a_failure() {
        let known = parse("s/a b\n  x\n  y\n").expect("it is well formed");
        assert!(known.unused(known.0.iter()).is_ok());
        let error = known.unused(std::iter::empty()).expect_err("it was not used").to_string();
        assert!(
            error.ends_with("equivalent.txt:1: no survivor has `x` any more; drop the explanation"),
            "{error}"
        );
    }
}
