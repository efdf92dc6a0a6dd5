//! The strategies, in the order of the pull request's pushes. To add one: a file here and its name in the list.

use super::Migration;

retrial_sim::registry! {
    /// The strategies.
    pub static STRATEGIES: dyn Migration = Strategy in [
        one_transaction,
        do_block,
        procedure_key_exists,
        procedure_under_dbmate,
        procedure_not_null,
        procedure_both_keys,
        keyset_procedure,
        columns_only,
        revert,
        organization_restored,
        columns_only_brief_lock,
        document_alone,
    ];
}
