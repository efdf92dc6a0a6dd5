//! Smart metadata, as the plugin calls it: how a metadata text is read, completed and written again. All versions of
//! the pull request share it.
//!
//! Confidence is in percent here, because a trial uses no floating point.

use crate::memory_upgrade::document_store::{Document, Fields, Metadata};
use serde_json::Value as Json;

/// The fields that the trace has as separate columns.
pub(super) const SHOWN: &[&str] = &[
    "injected_count",
    "last_injected_at",
    "access_count",
    "tier",
    "l0_abstract",
    "l1_overview",
    "l2_content",
    "memory_category",
    "upgraded_from",
    "upgraded_at",
];

/// The fields that the model is asked for.
pub(super) const ENRICHED: [&str; 4] = ["l0_abstract", "l1_overview", "l2_content", "memory_category"];

/// `buildSmartMetadata`: the fields of the text, completed with a default for each missing one (`parseSmartMetadata`),
/// then overridden by the patch. A text that is not a JSON object has no fields.
pub(super) fn build(document: &Document, patch: Fields) -> Fields {
    let said = document.metadata.fields();
    let mut fields = said.cloned().unwrap_or_default();
    let overview = || match said.and_then(|said| said.get("l0_abstract")) {
        Some(l0) => format!("- {}", l0.as_str().unwrap_or_default()),
        None => format!("- {}", document.text),
    };
    // A field in the patch needs no default, and most defaults would be built for nearly every row.
    let mut complete = |name: &str, value: &dyn Fn() -> Json| {
        if !patch.contains_key(name) && !fields.contains_key(name) {
            fields.insert(name.to_owned(), value());
        }
    };
    complete("l0_abstract", &|| Json::from(&*document.text));
    complete("l1_overview", &|| Json::from(overview()));
    complete("l2_content", &|| Json::from(&*document.text));
    // The category to which `reverseMapCategory` maps a fact.
    complete("memory_category", &|| Json::from("cases"));
    complete("tier", &|| Json::from("working"));
    complete("access_count", &|| Json::from(0));
    complete("confidence", &|| Json::from(70));
    complete("injected_count", &|| Json::from(0));
    merge(fields, patch)
}

/// The fields, overridden by the patch.
pub(super) fn merge(mut fields: Fields, patch: Fields) -> Fields {
    fields.extend(patch);
    fields
}

/// `isLegacyMemory`: whether the entry lacks a category of the new kind.
pub(super) fn is_legacy(document: &Document) -> bool {
    document.metadata.fields().and_then(|fields| fields.get("memory_category")).is_none_or(Json::is_null)
}

/// Whether the row carries the tool's marker.
pub(super) fn is_upgraded(document: &Document) -> bool {
    document.metadata.fields().is_some_and(|fields| fields.contains_key("upgraded_at"))
}

/// A number in the metadata; 0 if it is missing.
pub(super) fn count(metadata: &Metadata, field: &str) -> i64 {
    metadata.fields().and_then(|fields| fields.get(field)).and_then(Json::as_i64).unwrap_or_default()
}

/// Fields by name and value.
pub(super) fn fields<const N: usize>(pairs: [(&str, Json); N]) -> Fields {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
