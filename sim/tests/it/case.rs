//! Cases as text: a written case is read back the same, and an invalid text is refused with a one-line error.

use proptest::prelude::*;
use retrial_sim::choice::{Pace, Recorded, RecordedChoice, RecordedTape};
use retrial_sim::digest::Digest;
use retrial_sim::explore::case::Case;
use retrial_sim::fault::Fault;
use retrial_sim::point::is_writable_name;
use retrial_sim::seed::Seed;

const CASE: &str = "retrial case 1\n\
                    trial     stock/naive on retry by model\n\
                    verdict   never_oversold violated as lost-update of stock.units\n\
                    digest    846340d9851def11\n\
                    schedule  free 1003105054235550109\n\
                    workload  {\"buyers\":2}\n\
                    buyer-1/read#1 next buyer-2\n\
                    buyer-2/commit#1~2 fault reply-lost\n";

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9_.:äß名-]{1,12}"
}

fn choice() -> impl Strategy<Value = RecordedChoice> {
    let point = (name(), name(), 1..u32::MAX, 0..3u32).prop_map(|(actor, label, nth, again)| match again {
        0 => format!("{actor}/{label}#{nth}"),
        _ => format!("{actor}/{label}#{nth}~{again}"),
    });
    let what = prop_oneof![
        name().prop_map(Recorded::Next),
        proptest::sample::select(Fault::ALL.to_vec()).prop_map(Recorded::Fault),
        any::<u32>().prop_map(Recorded::Delay),
        any::<usize>().prop_map(Recorded::Pick),
    ];
    (prop_oneof![Just("start".to_owned()), point], what).prop_map(|(at, what)| RecordedChoice { at, what })
}

fn case() -> impl Strategy<Value = Case> {
    let names = proptest::collection::vec(name(), 5);
    let shows = proptest::option::of("[a-z]{1,8}( of [a-z.]{1,8})?");
    let tape = (0..3usize, any::<u64>(), proptest::collection::vec(choice(), 0..5));
    (names, shows, any::<u64>(), "[{][ -~é]{0,20}[}]", tape).prop_map(
        |(names, shows, digest, workload, tape)| {
            let [scenario, strategy, environment, engine, invariant] =
                names.try_into().expect("there are five");
            let (pace, ambient, choices) = tape;
            let tape = RecordedTape { pace: Pace::ALL[pace], ambient: Seed(ambient), choices };
            Case {
                scenario,
                strategy,
                environment,
                engine,
                invariant,
                shows,
                digest: Digest(digest),
                workload,
                tape,
            }
        },
    )
}

/// A character with a meaning in a case, or any other.
fn odd() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(vec![
            " ",
            "/",
            "#",
            "~",
            "\n",
            "\r",
            "\t",
            "+",
            "0",
            "on",
            "\u{85}",
            "\u{feff}",
            "99999999999"
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(case in case()) {
        let text = case.to_string();
        prop_assert_eq!(text.parse::<Case>().map_err(|error| error.to_string()), Ok(case));
    }

    #[test]
    fn what_is_read_is_written_the_same(
        case in case(), at in any::<prop::sample::Index>(), len in 0..4usize, odd in odd(),
    ) {
        let chars: Vec<char> = case.to_string().chars().collect();
        let at = at.index(chars.len());
        let behind = chars.iter().skip(at + len);
        let text: String = chars[..at].iter().copied().chain(odd.chars()).chain(behind.copied()).collect();
        match text.parse::<Case>() {
            Ok(read) => {
                let again = read.to_string().parse::<Case>().map_err(|error| error.to_string());
                prop_assert_eq!(again, Ok(read));
            }
            Err(error) => prop_assert_eq!(error.to_string().lines().count(), 1, "{}", error),
        }
    }

    #[test]
    fn a_name_is_writable_where_it_is_read_back(odd in odd(), tail in "[a-z]{0,3}") {
        let name = format!("{odd}{tail}");
        let what = Recorded::Next(name.clone());
        let choice = RecordedChoice { at: format!("{name}/read#1"), what };
        let read = CASE.replace("buyer-1/read#1 next buyer-2", &choice.to_string()).parse::<Case>();
        let reads_back = read.is_ok_and(|case| case.tape.choices.first() == Some(&choice));
        prop_assert_eq!(reads_back, is_writable_name(&name), "{:?}", name);
    }
}

#[test]
fn what_is_no_case_is_told_with_its_line() {
    for (from, to, expected) in [
        ("stock/naive", "st#ock/naive", "line 2: `st#ock` is not a name"),
        ("stock/naive", "stock/na/ive", "line 2: `na/ive` is not a name"),
        ("stock/naive", "/naive", "line 2: `` is not a name"),
        ("stock/naive", "stock/na ive", "its `trial` line, line 2, says"),
        ("never_oversold ", "never\u{1b}oversold ", "its `verdict` line, line 3, says"),
        ("846340d9851def11", "1846340d9851def11", "its `digest` line, line 4, says"),
        ("846340d9851def11", "+46340d9851def11", "its `digest` line, line 4, says"),
        ("1003105054235550109", "18446744073709551616", "its `schedule` line, line 5, says"),
        ("1003105054235550109", "-1", "its `schedule` line, line 5, says"),
        ("workload  {", "notes     a b\nworkload  {", "where `workload` should be, it has `notes     a b`"),
        ("read#1", "read#4294967296", "line 7: `buyer-1/read#4294967296` is not a point"),
        ("read#1", "read#0", "line 7: `buyer-1/read#0` is not a point"),
        ("read#1", "read", "line 7: `buyer-1/read` is not a point"),
        ("next buyer-2", "pick 18446744073709551616", "line 7: `18446744073709551616` is not a pick"),
        ("next buyer-2", "delay 4294967296", "line 7: `4294967296` is not a delay"),
        ("next buyer-2", "note buyer-2", "line 7: `note` is not a kind of choice"),
        ("next buyer-2", "next buyer 2", "line 7: `buyer-1/read#1 next buyer 2` is not a choice"),
        ("#1 next buyer-2", "\u{1b}[2J#1 next buyer-2", "is not a point"),
    ] {
        let text = CASE.replacen(from, to, 1);
        assert_ne!(text, CASE, "{from} is in the case");
        let said = text.parse::<Case>().expect_err("it is broken").to_string();
        assert!(said.starts_with("a broken case: ") && said.contains(expected), "{to:?}: {said}");
    }
}
