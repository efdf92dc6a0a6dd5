//! Stack space for statements. Parsing, planning, running and dropping a statement recurse with its nesting, so a
//! deeply nested statement gets its own stack, sized by its depth. The depth is limited (`DEEPEST`); a deeper text is
//! refused before anything recurses into it.

/// The maximum nesting depth of a text, in levels of its syntax tree: about three thousand operators in a row.
pub(crate) const DEEPEST: u32 = 10_000;

/// The maximum depth if every token nested what follows it. Not every token does, so this is larger than `DEEPEST`.
pub(crate) const TOKENS_MAX: u32 = 16_000;

/// The depth up to which any thread's own stack is large enough.
pub const SHALLOW: u32 = 150;

/// The maximum stack bytes of one level, measured without optimization and doubled.
const LEVEL: usize = 16 << 10;

/// The stack bytes needed in addition to the levels.
const BASE: usize = 1 << 20;

/// Finds where the thread's stack ends. A thread asks the system once, and that call fails inside a simulation, so this
/// must be called before one starts.
pub fn measure() {
    stacker::remaining_stack();
}

/// Runs `work`, which recurses to that depth, with enough stack.
pub fn with_depth<T>(depth: u32, work: impl FnOnce() -> T) -> T {
    if depth <= SHALLOW { work() } else { stacker::grow(BASE + depth as usize * LEVEL, work) }
}

/// Runs one step of a recursion whose depth no text limits, such as one over sessions.
pub fn grown<T>(step: impl FnOnce() -> T) -> T {
    const LEFT: usize = 128 << 10;
    stacker::maybe_grow(LEFT, BASE, step)
}
