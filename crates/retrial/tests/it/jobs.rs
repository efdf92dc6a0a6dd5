//! A worker that fails loses its own work unit and none of the others'.

use std::sync::Mutex;

use anyhow::bail;
use retrial::jobs;
use retrial::results::problem::Problem;

#[test]
fn a_panic_costs_its_own_piece_of_work_only() {
    for threads in [1, 3] {
        let done = Mutex::new(Vec::new());
        let failures = jobs::share(&[0_usize; 10], threads, |index, _, _| {
            assert_ne!(index, 4, "this one fails");
            done.lock().expect("no worker panics while it holds the lock").push(index);
            Ok(())
        });
        let failures = failures.expect("the others are done");
        assert_eq!(failures.keys().copied().collect::<Vec<_>>(), [4]);
        let Problem::Panicked(message) = &failures[&4] else { panic!("{:?}", failures[&4]) };
        assert!(message.contains("this one fails"), "{message}");
        let mut done = done.into_inner().expect("no worker panics while it holds the lock");
        done.sort_unstable();
        assert_eq!(done, [0, 1, 2, 3, 5, 6, 7, 8, 9]);
    }
}

#[test]
fn what_cannot_start_at_all_is_an_error() {
    let failed = jobs::share(&[0; 10], 3, |_, _, _| bail!("no engine"));
    assert_eq!(failed.expect_err("nothing was done").to_string(), "no engine");
}
