//! Calls into code that the scenario's author wrote: generators, the initial state, boots, invariants. A panic there
//! becomes an [`Error`] of the scenario that names the place, so that the run can still report the scenario, strategy,
//! environment and seed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::ambient::{self, Hashers};
use crate::error::Error;
use crate::panics;

/// Makes a call; `what` names the callee as a sentence begins with it: "the invariant `x`".
pub(crate) fn call<T>(what: impl Fn() -> String, call: impl FnOnce() -> T) -> Result<T, Error> {
    panics::quietly(|| catch_unwind(AssertUnwindSafe(call)))
        .map_err(|payload| Error::scenario(format!("{} panicked: {}", what(), panics::message(&*payload))))
}

/// Makes a call whose result decides something. With `checks_hashers`, creating a default hasher in it is an error.
pub(crate) fn decision<T>(
    what: impl Fn() -> String,
    checks_hashers: bool,
    decide: impl FnOnce() -> T,
) -> Result<T, Error> {
    let before = Hashers::now();
    let answer = call(&what, decide)?;
    if checks_hashers && before.made_between(Hashers::now()) > 0 {
        return Err(ambient::refused(&what()));
    }
    Ok(answer)
}
