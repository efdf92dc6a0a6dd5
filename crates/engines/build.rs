//! Sets the cfgs `live_postgres`, where a PostgreSQL server can be used, and `postgres_binaries`, where one can be
//! started, so that tests that need one are shown as ignored elsewhere. With RETRIAL_REQUIRE_POSTGRES=1, as in
//! CI, a missing server fails the build instead.

#![expect(clippy::disallowed_methods, reason = "a build script is told by its environment")]

use std::env;
use std::path::Path;

/// The folder in which Debian installs the binaries of each major version.
const DEBIAN: &str = "/usr/lib/postgresql";

fn main() {
    println!("cargo::rustc-check-cfg=cfg(live_postgres, postgres_binaries)");
    println!("cargo::rerun-if-changed={DEBIAN}");
    for variable in ["PATH", "RETRIAL_POSTGRES_URL", "RETRIAL_WITHOUT_POSTGRES", "RETRIAL_REQUIRE_POSTGRES"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    let is_set = |variable: &str| env::var(variable).is_ok_and(|value| value == "1");
    let is_wanted = !is_set("RETRIAL_WITHOUT_POSTGRES");
    let has_binaries = is_wanted && has_binaries();
    if has_binaries {
        println!("cargo::rustc-cfg=postgres_binaries");
    }
    if has_binaries || (is_wanted && env::var_os("RETRIAL_POSTGRES_URL").is_some()) {
        println!("cargo::rustc-cfg=live_postgres");
    }
    assert!(
        has_binaries || !is_set("RETRIAL_REQUIRE_POSTGRES"),
        "RETRIAL_REQUIRE_POSTGRES=1, and PostgreSQL's binaries are missing: apt-get install postgresql"
    );
}

fn has_binaries() -> bool {
    let has_initdb = |folder: &Path| folder.join("initdb").is_file();
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = Path::new(DEBIAN).read_dir().into_iter().flatten().flatten();
    env::split_paths(&path).any(|folder| has_initdb(&folder))
        || versions.into_iter().any(|version| has_initdb(&version.path().join("bin")))
}
