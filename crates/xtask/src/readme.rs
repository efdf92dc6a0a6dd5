//! The two commands of the README, read from its text. They are not repeated anywhere else, so that CI fails if the
//! README's commands do not work.

use anyhow::{Result, bail};
use xshell::{Cmd, Shell, cmd};

use crate::tidy::fences::{Place, places};

/// The commands, word for word.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Commands {
    /// Runs every test.
    pub(crate) test: String,
    /// Shows the project at work.
    pub(crate) main: String,
}

/// The commands of the README at the root.
pub(crate) fn commands(shell: &Shell) -> Result<Commands> {
    parse(&shell.read_file("README.md")?)
}

/// A line of the README as a process. It is run by a shell, as a reader would do.
pub(crate) fn process<'a>(shell: &'a Shell, line: &str) -> Cmd<'a> {
    cmd!(shell, "sh -c {line}").quiet()
}

fn parse(text: &str) -> Result<Commands> {
    Ok(Commands { test: only(text, "cargo test")?, main: only(text, "cargo run")? })
}

/// The one line in a fence of shell that begins with `command`.
fn only(text: &str, command: &str) -> Result<String> {
    let begins = |line: &str| {
        line.strip_prefix(command)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
    };
    let found: Vec<(usize, &str)> = places(text)
        .filter(|(_, _, place)| *place == Place::Fence("sh"))
        .map(|(number, line, _)| (number, line))
        .filter(|(_, line)| begins(line))
        .collect();
    match found.as_slice() {
        [(number, line)] if line.trim_end().ends_with('\\') => {
            bail!("README.md:{number}: the `{command}` line goes on below; make it a whole line")
        }
        [(_, line)] => Ok((*line).to_owned()),
        [] => bail!("README.md:1: no line of a ```sh fence begins with `{command}`; add one"),
        [_, (number, _), ..] => {
            bail!("README.md:{number}: a second line of a ```sh fence begins with `{command}`; keep one")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        parse(text).expect_err("the text should be refused").to_string()
    }

    #[test]
    fn the_two_commands_are_taken_word_for_word() {
        let text = "# R\n```sh\ncargo test --workspace\n```\nAnd:\n```sh\ncargo run -- run x\n```\n";
        let commands = parse(text).expect("both are there");
        assert_eq!(commands.test, "cargo test --workspace");
        assert_eq!(commands.main, "cargo run -- run x");
    }

    #[test]
    fn a_command_outside_a_shell_fence_does_not_count() {
        let text = "cargo test\n```text\ncargo test\n```\n```sh\n$ cargo test\ncargo tests\ncargo run\n```\n";
        assert_eq!(refusal(text), "README.md:1: no line of a ```sh fence begins with `cargo test`; add one");
    }

    #[test]
    fn a_second_command_of_a_kind_is_refused() {
        let text = "```sh\ncargo test\ncargo run a\n```\n```sh\ncargo run b\n```\n";
        assert!(refusal(text).starts_with("README.md:6: a second line"), "{}", refusal(text));
    }

    #[test]
    fn a_command_that_goes_on_in_the_next_line_is_refused() {
        assert!(refusal("```sh\ncargo test \\\n  --workspace\n```\n").contains("make it a whole line"));
    }
}
