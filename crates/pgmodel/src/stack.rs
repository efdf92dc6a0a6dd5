//! The stack that a statement is worked on with. Whoever reads, plans, runs or drops a statement follows its nesting
//! call by call, so a nested one gets a stack of its own, as large as its depth may need. The depth has a limit
//! ([`DEEPEST`]), past which a text is refused before anything follows it.

/// How deep a text may nest, in levels of its syntax tree: some three thousand operators in a row.
pub(crate) const DEEPEST: u32 = 10_000;

/// How deep a text may nest if each of its tokens nested what follows it: not every one does, so these may be more.
pub(crate) const TOKENS_MAX: u32 = 16_000;

/// What nests no deeper has room enough on any thread's own stack.
pub(crate) const SHALLOW: u32 = 150;

/// What one level takes at the most, measured without optimization and doubled.
const LEVEL: usize = 16 << 10;

/// What the work takes beside its levels.
const BASE: usize = 1 << 20;

/// Does something that follows a nesting of that depth.
pub(crate) fn with_depth<T>(depth: u32, work: impl FnOnce() -> T) -> T {
    if depth <= SHALLOW { work() } else { stacker::grow(BASE + depth as usize * LEVEL, work) }
}

/// Does one step of something that goes from one to the next of what no text bounds, such as sessions.
pub(crate) fn grown<T>(step: impl FnOnce() -> T) -> T {
    const LEFT: usize = 128 << 10;
    stacker::maybe_grow(LEFT, BASE, step)
}
