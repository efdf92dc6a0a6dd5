//! The throwaway cluster: it must leave nothing behind.

#[test]
fn a_cluster_goes_with_its_owner() {
    let Some(_) = super::server() else { return };
}
