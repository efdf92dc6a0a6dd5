//! What the plugin calls smart metadata: how a metadata text is read, completed and written again. Every version of the
//! pull request shares it.
//!
//! Confidence is in percent here, because a trial decides nothing by floating point.

use retrial_sim::document_store::{Document, Fields, Metadata};
use serde_json::Value as Json;

/// The fields that the trace has as columns of their own.
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

/// What the model is asked for.
pub(super) const ENRICHED: [&str; 4] = ["l0_abstract", "l1_overview", "l2_content", "memory_category"];

/// `parseSmartMetadata`: what the text says, and a value for everything that it does not say. A text that is no JSON
/// object says nothing.
pub(super) fn parse(document: &Document) -> Fields {
    let mut fields = document.metadata.fields().cloned().unwrap_or_default();
    let text = || Json::from(&*document.text);
    let l0 = fields.entry("l0_abstract").or_insert_with(text).clone();
    let overview = || Json::from(format!("- {}", l0.as_str().unwrap_or_default()));
    fields.entry("l1_overview").or_insert_with(overview);
    fields.entry("l2_content").or_insert_with(text);
    // What `reverseMapCategory` makes of a fact.
    fields.entry("memory_category").or_insert_with(|| Json::from("cases"));
    fields.entry("tier").or_insert_with(|| Json::from("working"));
    fields.entry("access_count").or_insert_with(|| Json::from(0));
    fields.entry("confidence").or_insert_with(|| Json::from(70));
    fields.entry("injected_count").or_insert_with(|| Json::from(0));
    fields
}

/// `buildSmartMetadata`: the same under a patch.
pub(super) fn build(document: &Document, patch: &Fields) -> Fields {
    merge(parse(document), patch)
}

/// The fields, and over them the patch.
pub(super) fn merge(mut fields: Fields, patch: &Fields) -> Fields {
    fields.extend(patch.iter().map(|(name, value)| (name.clone(), value.clone())));
    fields
}

/// `isLegacyMemory`: whether the entry lacks a category of the new kind.
pub(super) fn is_legacy(document: &Document) -> bool {
    document.metadata.fields().and_then(|fields| fields.get("memory_category")).is_none_or(Json::is_null)
}

/// Whether the tool has left its marker.
pub(super) fn is_upgraded(document: &Document) -> bool {
    document.metadata.fields().is_some_and(|fields| fields.contains_key("upgraded_at"))
}

/// A number of the metadata; 0 where there is none.
pub(super) fn count(metadata: &Metadata, field: &str) -> i64 {
    metadata.fields().and_then(|fields| fields.get(field)).and_then(Json::as_i64).unwrap_or_default()
}

/// Fields by name and value.
pub(super) fn fields<const N: usize>(pairs: [(&str, Json); N]) -> Fields {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
