//! Operators and functions that the server has and the model lacks. A name that is neither listed here nor modelled is
//! reported as nonexistent. A forgotten name would be such an error instead of a refusal, so whole prefixes are listed.

/// Whether the server has operators with that symbol that the model lacks.
pub(super) fn operator(symbol: &str, operands: usize) -> bool {
    match operands {
        1 => matches!(symbol, "|/" | "||/" | "!!" | "@-@" | "@@" | "#" | "?-" | "?|"),
        _ => OPERATORS.contains(&symbol),
    }
}

const OPERATORS: [&str; 20] = [
    "@@", "@?", "@@@", "~<~", "~<=~", "~>~", "~>=~", "-|-", "<->", "<<=", ">>=", "&<", "&>", "<<|", "|>>",
    "*=", "*<>", "~=", "##", "?#",
];

/// Whether the server has, or may have, functions of that name.
pub(super) fn function(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || FUNCTIONS.contains(&name)
}

const PREFIXES: [&str; 23] = [
    "pg_",
    "json_",
    "jsonb_",
    "regexp_",
    "ts_",
    "tsvector_",
    "txid_",
    "has_",
    "make_",
    "quote_",
    "xml",
    "xpath",
    "regr_",
    "percentile_",
    "range_",
    "row_",
    "inet_",
    "hash",
    "convert",
    "current_",
    "to_reg",
    "bit_",
    "lo_",
];

#[rustfmt::skip]
const FUNCTIONS: &[&str] = &[
    "abbrev", "acos", "acosd", "acosh", "age", "area", "array_agg", "array_dims", "array_fill",
    "array_positions", "array_to_json", "array_to_tsvector", "asin", "asind", "asinh", "atan", "atan2",
    "atand", "atanh", "avg", "bool", "bool_and", "bool_or", "bpchar", "broadcast", "bytea", "cbrt",
    "char", "col_description", "corr", "cos", "cosd", "cosh", "cot", "cotd", "count", "covar_pop",
    "covar_samp", "cume_dist", "currval", "date", "date_bin", "date_part", "decode", "degrees",
    "dense_rank", "encode", "every", "exp", "factorial", "family", "first_value", "float4", "float8",
    "format_type", "gcd", "gen_random_uuid", "generate_series", "generate_subscripts",
    "get_bit", "get_byte", "height", "host", "hostmask", "int2", "int4", "int8", "interval", "isempty",
    "isfinite", "jsonb", "justify_days", "justify_hours", "justify_interval", "lag", "last_value",
    "lastval", "lcm", "lead", "like", "like_escape", "ln", "localtime", "localtimestamp", "log",
    "log10", "lower_inc", "lower_inf", "masklen", "max", "merge_action", "min", "min_scale", "mode",
    "netmask", "network", "nextval", "normalize", "notlike", "now", "nth_value", "ntile",
    "num_nonnulls", "num_nulls", "numeric", "numnode", "obj_description", "oid", "overlaps", "overlay",
    "parse_ident", "percent_rank", "phraseto_tsquery", "pi", "plainto_tsquery", "pow", "power",
    "querytree", "radians", "random", "rank", "scale", "session_user", "set_bit", "set_byte",
    "set_config", "setseed", "setval", "setweight", "sha224", "sha256", "sha384", "sha512",
    "shobj_description", "similar_escape", "similar_to_escape", "sin", "sind", "sinh", "sqrt",
    "statement_timestamp", "stddev", "stddev_pop", "stddev_samp", "string_agg", "string_to_table",
    "strip", "sum", "tan", "tand", "tanh", "text", "time", "timeofday", "timestamp", "timestamptz",
    "timetz", "timezone", "to_ascii", "to_char", "to_date", "to_json", "to_number", "to_tsquery",
    "to_tsvector", "translate", "trim_array", "trim_scale", "unistr", "unnest", "upper_inc",
    "upper_inf", "user", "uuid_generate_v4", "var_pop", "var_samp", "varchar", "variance", "version",
    "websearch_to_tsquery", "width", "width_bucket",
];
