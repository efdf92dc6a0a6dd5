//! The same seed gives the same trial: in one process, in two processes, and on a thread that was used before.
//! Violations of that are caught.

use std::process::Command;

use proptest::strategy::{Just, Strategy};
use retrial_sim::anomaly::Anomaly;
use retrial_sim::choice::Pace;
use retrial_sim::explore::{self, Plan};
use retrial_sim::invariant::{Evidence, Finding, Invariant};
use retrial_sim::scenario::{Entry, Scenario};
use retrial_sim::scheduler::{Pct, Policy, Random, Scheduler};
use retrial_sim::seed::Seed;
use retrial_sim::trial::TrialHost;

use crate::toy;

fn schedulers() -> Vec<Box<dyn Scheduler>> {
    vec![Box::new(Random::new(Pace::Free)), Box::new(Random::new(Pace::Timed)), Box::new(Pct::new(3))]
}

/// All traces of seeds 0 to 9 in this process.
fn traces() -> String {
    let mut text = String::new();
    for mut scheduler in schedulers() {
        for seed in 0..10 {
            let run = retrial_soundness::run_trial(&mut *scheduler, seed, &toy::CALM, toy::three_walkers)
                .expect("nothing is refused");
            text.push_str(&format!("{}{}\n", run.trace, run.digest));
        }
    }
    text
}

#[test]
fn the_same_seed_makes_the_same_trace_on_a_used_thread() {
    assert_eq!(traces(), traces());
}

#[test]
fn another_seed_makes_another_trace() {
    for mut scheduler in schedulers() {
        let mut digest = |seed| {
            retrial_soundness::run_trial(&mut *scheduler, seed, &toy::CALM, toy::three_walkers)
                .expect("nothing is refused")
                .digest
        };
        let first = digest(1);
        assert!((2..8).any(|seed| digest(seed) != first), "six more seeds make one and the same trial");
    }
}

#[test]
fn the_same_seed_makes_the_same_trace_in_two_processes() {
    let child = || {
        let program = std::env::current_exe().expect("a test has a program");
        let child = Command::new(program)
            .args(["determinism::print_traces_for_another_process", "--exact", "--ignored", "--nocapture"])
            .output()
            .expect("the test program runs");
        assert!(child.status.success(), "the child failed");
        let text = String::from_utf8(child.stdout).expect("traces are text");
        let traces: Vec<_> = text.lines().filter(|line| line.contains("us ")).map(str::to_owned).collect();
        assert!(traces.len() > 500, "the child printed {} lines of traces", traces.len());
        traces
    };
    assert_eq!(child(), child());
}

#[test]
#[ignore = "run by the_same_seed_makes_the_same_trace_in_two_processes"]
#[expect(clippy::print_stdout, reason = "the other process reads it")]
fn print_traces_for_another_process() {
    println!("{}", traces());
}

/// A scenario whose single actor asks the operating system for randomness without the kernel's knowledge, or does not.
static LEAKY: Scenario<(), bool> = Scenario {
    engines: &["none"],
    cost: retrial_soundness::COST,
    trials: 4,
    limits: |()| retrial_soundness::LIMITS,
    ..Scenario::new(
        "leaky",
        &[toy::CALM],
        &[Entry { name: "leaky", source: "", it: &true }, Entry { name: "sound", source: "", it: &false }],
        |_| Strategy::boxed(Just(())),
        |world, leaks, _, _| {
            world.actor("leaky", move |actor| async move {
                let number = if *leaks { os_randomness() } else { 7 };
                actor.note("number", i64::from(number), 0);
                actor.step("done").await;
            });
        },
    )
};

/// An invariant that every trial violates.
struct Never;

impl Invariant<()> for Never {
    fn check(&self, _: &Evidence<'_, ()>) -> Finding {
        Finding::broken(Anomaly::RuleBroken, "it never holds")
    }
}

/// Two random bytes by a raw system call, which the interception of library functions does not see.
fn os_randomness() -> u16 {
    let mut bytes = [0_u8; 2];
    // SAFETY: the buffer is two bytes long, which is the length that the call gets.
    let got = unsafe { libc::syscall(libc::SYS_getrandom, bytes.as_mut_ptr(), bytes.len(), 0) };
    assert_eq!(got, 2, "the system call gives two bytes");
    u16::from_ne_bytes(bytes)
}

#[test]
fn an_actor_that_reads_the_systems_randomness_is_caught_by_the_audit() {
    let plan = Plan {
        seed: Seed(1),
        schedules: 4,
        policies: Policy::PORTFOLIO.to_vec(),
        audit_every: 1,
        engine: "none",
    };
    let mut host = TrialHost::without_engine();
    let report = explore::batch(&LEAKY, &mut host, 0, &toy::CALM, &plan, 0);
    let how = report.disagreement.expect("the audit disagrees");
    for part in ["event 2, `0         0us leaky        number", "likely causes", "thread-local"] {
        assert!(how.contains(part), "it names the first event that differs, and where to look: {how}");
    }
    // A counterexample that differs each time is reported, too.
    let breaking = Scenario { invariants: &[Entry { name: "none", source: "", it: &Never }], ..LEAKY };
    let report = explore::batch(
        &breaking,
        &mut host,
        0,
        &toy::CALM,
        &Plan { audit_every: u64::MAX, ..plan.clone() },
        1,
    );
    let how = report.disagreement.expect("the counterexample differs");
    assert!(
        how.contains("counterexample") && how.contains("number") && how.contains("likely causes"),
        "{how}"
    );
    // The same world without the leak passes the same audit, so the audit caught the leak.
    let report = explore::batch(&LEAKY, &mut host, 1, &toy::CALM, &plan, 0);
    assert_eq!((report.disagreement, report.audited), (None, 4));
}
