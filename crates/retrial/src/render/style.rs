//! The few colours.

use std::fmt::Display;

use anstyle::{AnsiColor, Color, Style};

pub(super) fn good(text: impl Display) -> String {
    paint(AnsiColor::Green, text)
}

pub(super) fn bad(text: impl Display) -> String {
    paint(AnsiColor::Red, text)
}

pub(super) fn odd(text: impl Display) -> String {
    paint(AnsiColor::Yellow, text)
}

pub(super) fn heading(text: impl Display) -> String {
    let style = Style::new().bold();
    format!("{style}{text}{style:#}")
}

fn paint(color: AnsiColor, text: impl Display) -> String {
    let style = Style::new().fg_color(Some(Color::Ansi(color)));
    format!("{style}{text}{style:#}")
}
