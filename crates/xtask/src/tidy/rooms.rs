//! Invariant: inside a crate the modules depend on each other in the direction that its table of rooms states. Every
//! module is in a room, so that a new one has to say what it may use.

use std::collections::{BTreeMap, BTreeSet};

use self::table::{PLANS, Plan, Room};
use super::Violation;
use super::modules::{Crate, Module, Reference};
use crate::tree::File;

mod table;

pub(super) fn check(files: &[File]) -> Vec<Violation> {
    PLANS.iter().flat_map(|plan| walls(files, plan)).collect()
}

fn walls(files: &[File], plan: &Plan) -> Vec<Violation> {
    let whole = Crate::read(files, plan.root);
    let homes: BTreeMap<&str, &Room> =
        plan.rooms.iter().flat_map(|room| room.modules.iter().map(move |module| (*module, room))).collect();
    let mut found = homeless(&whole, &homes, plan);
    found.extend(whole.unreadable().iter().map(|file| Violation::new(&file.path, 1, UNREADABLE)));
    for (file, references) in whole.references() {
        found.extend(through_walls(file, &references, &homes, plan));
    }
    found
}

/// The paths in a file that lead where its room may not look. A name that was imported counts where it was imported,
/// unless it leads on from there.
fn through_walls(
    file: &File,
    references: &BTreeSet<Reference>,
    homes: &BTreeMap<&str, &Room>,
    plan: &Plan,
) -> Vec<Violation> {
    let is_imported: BTreeSet<&Module> =
        references.iter().filter(|reference| reference.is_rooted()).map(|reference| &reference.to).collect();
    let mut found = Vec::new();
    let mut reported = BTreeSet::new();
    for reference in references {
        let (Some(from), Some(to)) = (reference.from.first(), reference.to.first()) else { continue };
        let (Some(own), Some(other)) = (homes.get(from.as_str()), homes.get(to.as_str())) else { continue };
        let is_allowed = own.name == other.name || own.may_use.contains(&other.name);
        if is_allowed || !reference.is_rooted() && is_imported.contains(&reference.to) {
            continue;
        }
        if !reported.insert((reference.line, &reference.path, to)) {
            // It leads to several modules there, where one passes the name on to the other.
            continue;
        }
        let message = format!(
            "`{}` leads to `{}`, in the room {}, but `{}{from}` {}",
            reference.path,
            reference.to.join("::"),
            other.name,
            plan.root,
            allowed(own),
        );
        found.push(Violation::new(&file.path, reference.line, message));
    }
    found
}

/// The modules without a room, and the rooms without a module. A check of modules that were moved away would always
/// pass.
fn homeless(whole: &Crate<'_>, homes: &BTreeMap<&str, &Room>, plan: &Plan) -> Vec<Violation> {
    let present = whole.top_level();
    let gone = homes.iter().filter(|(module, _)| !present.contains_key(**module)).map(|(module, room)| {
        let message = format!("the room {} names this module, which is gone; {TELL}", room.name);
        Violation::new(&format!("{}{module}", plan.root), 1, message)
    });
    let new = present.iter().filter(|(module, _)| !homes.contains_key(**module)).map(|(module, file)| {
        Violation::new(&file.path, 1, format!("the module `{module}` is in no room; {TELL}"))
    });
    gone.chain(new).collect()
}

const UNREADABLE: &str =
    "this file is no Rust, or has a module with a `#[path]`, so its modules are not known; mend it";

const TELL: &str = "tell tidy's rooms/table.rs where it belongs";

/// What a room may use, in words.
fn allowed(room: &Room) -> String {
    match room.may_use {
        [] => format!("may use the room {} only", room.name),
        others => format!("may use the rooms {} and {} only", others.join(", "), room.name),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, places};
    use super::{File, PLANS, Plan, Room, check, walls};

    const PLAN: Plan = Plan {
        root: "c/src/",
        rooms: &[
            Room { name: "low", modules: &["low"], may_use: &[] },
            Room { name: "middle", modules: &["left", "right"], may_use: &["low"] },
            Room { name: "high", modules: &["high"], may_use: &["low", "middle"] },
        ],
    };

    /// A crate in which `left` and its child have those texts.
    fn with(left: &str, child: &str) -> Vec<File> {
        vec![
            file(
                "c/src/lib.rs",
                "pub mod low; mod left; mod right; mod high;\npub use high::Top as Renamed;\n",
            ),
            file("c/src/main.rs", "use c::high;\n"),
            file("c/src/low.rs", "pub fn f() {}\n"),
            file("c/src/left.rs", left),
            file("c/src/left/child.rs", child),
            file(
                "c/src/right.rs",
                "pub use crate::high::Top;\npub use crate::high::inner::{*, deep};\npub use crate::low::*;\n\
                 pub mod high {}\npub mod deep {}\npub type Alias = Top;\n",
            ),
            file(
                "c/src/high/mod.rs",
                "pub mod inner;\npub use inner::Deep as Again;\npub struct Top;\n\
                 #[macro_export]\nmacro_rules! top { () => {} }\n",
            ),
            file("c/src/high/inner.rs", "pub struct Deep;\npub fn deep() {}\n"),
        ]
    }

    /// What `right` passes on from `high`.
    const RIGHT: [&str; 3] = ["c/src/right.rs:1", "c/src/right.rs:2", "c/src/right.rs:2"];

    /// The places in `left` and its child, behind the violations of `right`.
    fn found(left: &str, child: &str) -> Vec<String> {
        let found = places(&walls(&with(left, child), &PLAN));
        let (own, others): (Vec<String>, Vec<String>) =
            found.into_iter().partition(|place| place.starts_with("c/src/left"));
        assert_eq!(others, RIGHT);
        own
    }

    #[test]
    fn a_path_through_a_wall_is_a_violation_however_it_is_written() {
        let ways = [
            "use crate::high::Top;",
            "use crate::high;",
            "use crate::{low, high::Top};",
            "use crate::{low::{self, f}, high::{inner::{self as i}}};",
            "use crate::high as h;",
            "use crate::high::*;",
            "use crate as c; fn f(_: c::high::Top) {}",
            "use super::high::Top;",
            "use super::{low, high};",
            "use self::super::high;",
            "pub(crate) use crate::high::inner::Deep as D;",
            "fn f() { use crate::high::Top; }",
            "fn f() { crate::high::inner::go::<u8>() }",
            "fn f(t: &[crate::high::Top]) {}",
            "fn f() -> Vec<Box<dyn super::high::Trait>> { g() }",
            "impl crate::high::Trait for S {}",
            "fn f(x: u8) { match x { crate::high::C => (), _ => () } }",
            "fn f() { assert_eq!(1, crate :: high :: C) }",
            "fn f() { m! { use crate::{low, high}; } }",
            "macro_rules! m { () => { $crate::high::Top } }",
            "fn f() { crate::top!() }",
            "fn f() { top!() }",
            "#[derive(crate::high::Derive)] struct S;",
            "#[derive(D)] struct S { #[serde(with = \"crate::high\")] x: u8 }",
            "extern crate self as me; use me::high;",
            "mod inner { use super::super::high; }",
            "mod inner { mod deeper { use super::super::super::high; } }",
            "use crate::high::Again;",
            "mod inner { fn f() { super::super::high::g() } }",
            "use crate::Renamed;",
            "#[cfg(not(test))] use crate::high;",
            "#[cfg(any(test, unix))] mod inner { use crate::high; }",
        ];
        for way in ways {
            assert_eq!(found(way, ""), ["c/src/left.rs:1"], "{way}");
        }
    }

    #[test]
    fn a_name_that_another_room_passes_on_is_followed() {
        for way in [
            "use crate::right::Top;",
            "use crate::right as r; fn f(_: r::Top) {}",
            "use crate::right; fn f() { right::Top::new() }",
            "fn f() { use crate::right as r; r::Top::new() }",
            "fn f() { m!(crate::right::Top) }",
            "use crate::right::*;",
            "use crate::right::{f, Alias};",
            "use crate::right::Deep;",
            "use crate::right::deep;",
            "use crate::{right}; mod inner { use super::right::Top; }",
        ] {
            assert!(found(way, "").iter().any(|place| place == "c/src/left.rs:1"), "{way}");
        }
        assert_eq!(found("mod child;\nuse crate::right::Top;", "use super::Top;").len(), 2);
        let text = "mod a { pub use super::b::*; } mod b { pub use crate::right::*; }\nuse self::a::Deep;\n";
        assert!(found(text, "").contains(&"c/src/left.rs:2".to_owned()));
    }

    #[test]
    fn an_imported_name_counts_once() {
        let text =
            "use crate::high;\nfn f() { high::g() }\nfn h() { m!(high::C) }\nfn i() { high::inner::j() }\n";
        assert_eq!(found(text, ""), ["c/src/left.rs:1", "c/src/left.rs:4"]);
    }

    #[test]
    fn the_line_is_that_of_the_name() {
        assert_eq!(
            found("use crate::{\n    low,\n    high::{\n        Top,\n    },\n};\n", ""),
            ["c/src/left.rs:4"]
        );
        assert_eq!(
            found("", "fn f() {\n    m!(\n        super::super::high::C\n    )\n}\n"),
            ["c/src/left/child.rs:3"]
        );
    }

    #[test]
    fn a_use_in_the_allowed_direction_is_clean() {
        for way in [
            "use crate::{low, right, left::child};",
            "use crate::right::f;",
            "use crate::right::high;",
            "use super::right::{self, nothing};",
            "use self::child::C; mod child;",
            "use std::{high, fmt}; use high::Top; use ::high::Deep;",
            "fn high() {} fn f() { high(); x.high::<u8>(); self::high(); }",
            "mod high { pub struct Top; } use self::high::Top; fn f() { high::Top::new() }",
            "fn f() { other::crate_high::g(); ::high::g() }",
            "// use crate::high;\n/// See [`crate::high`].\nfn f() { g(\"crate::high\") }",
            "use crate::right as serde; fn f(_: ::serde::Top) {}",
            "use crate::right as serde; use ::serde::Top;",
            "#[cfg(test)] use crate::high as it; #[cfg(not(test))] use crate::low as it; fn f() { it::g() }",
            "#[cfg(test)] mod tests { use crate::high; }",
            "#[cfg(all(test, unix))] use crate::high;",
            "#[cfg(test)] mod child;",
            "struct S; impl S { #[cfg(test)] fn f() { crate::high::g() } }",
            "use crate::a::b as a; use a as b; fn f() { a::c(); b::d() }",
        ] {
            let child = if way.contains("cfg(test)] mod child") { "use crate::high;" } else { "" };
            assert_eq!(found(way, child), [""; 0], "{way}");
        }
    }

    #[test]
    fn a_message_states_the_direction() {
        let text = |left: &str| {
            let found = walls(&with(left, ""), &PLAN);
            let own = found.into_iter().find(|violation| violation.path == "c/src/left.rs");
            own.expect("it is a violation").message
        };
        let allowed = "but `c/src/left` may use the rooms low and middle only";
        assert_eq!(
            text("use super::{high::inner};"),
            format!("`super::high::inner` leads to `high::inner`, in the room high, {allowed}")
        );
        assert_eq!(
            text("use crate::right::Top;"),
            format!("`crate::right::Top` leads to `high`, in the room high, {allowed}")
        );
    }

    #[test]
    fn a_module_in_no_room_is_a_violation() {
        let mut files = with("", "");
        files.push(file("c/src/new/inner.rs", ""));
        files[0].text.push_str("mod inline {}\n#[cfg(test)] mod tests {}\n");
        assert_eq!(
            places(&walls(&files, &PLAN)),
            [&["c/src/lib.rs:1", "c/src/new/inner.rs:1"], &RIGHT[..]].concat()
        );
    }

    #[test]
    fn modules_that_are_gone_are_a_violation() {
        let mut files = with("", "");
        files.retain(|file| !file.path.starts_with("c/src/left"));
        assert_eq!(places(&walls(&files, &PLAN)), [&["c/src/left:1"], &RIGHT[..]].concat());
        let modules = PLANS.iter().flat_map(|plan| plan.rooms).map(|room| room.modules.len());
        assert_eq!(check(&[]).len(), modules.sum::<usize>());
    }

    #[test]
    fn a_file_whose_modules_are_not_known_is_a_violation() {
        assert_eq!(found("fn f( {", ""), ["c/src/left.rs:1"]);
        assert_eq!(found("#[path = \"../elsewhere.rs\"] mod child;", ""), ["c/src/left.rs:1"]);
    }

    #[test]
    fn the_tables_are_whole() {
        for plan in &PLANS {
            let names: Vec<&str> = plan.rooms.iter().map(|room| room.name).collect();
            let mut modules: Vec<&str> = plan.rooms.iter().flat_map(|room| room.modules).copied().collect();
            modules.sort();
            assert!(
                modules.windows(2).all(|pair| pair[0] != pair[1]),
                "a module of {} is in two rooms",
                plan.root
            );
            for (at, room) in plan.rooms.iter().enumerate() {
                for other in room.may_use {
                    let place = names.iter().position(|name| name == other).expect("it names a room");
                    assert!(place < at, "{} may not use {other}", room.name);
                }
            }
        }
    }
}
