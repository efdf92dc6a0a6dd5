//! CREATE and DROP FUNCTION, and DO. Unsupported clauses that would change a function's behaviour are refused.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::cursor::{Cursor, listed, separated, title};
use super::{literal, name, refuse, relation, types};
use crate::ast::{
    CreateFunction, Declared, Expr, Language, Parameter, Returns, Signature, Statement, Volatility,
};
use crate::error::{Failure, Result};
use crate::value::Type;

/// CREATE FUNCTION.
pub(super) fn create(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::CREATE_KW)?;
    let replace = cursor.take(SyntaxKind::OR_REPLACE).is_some();
    cursor.expect(SyntaxKind::FUNCTION_KW)?;
    let name = name::relation(&cursor.need(SyntaxKind::FUNCTION_NAME)?)?;
    let params = listed_params(&cursor.need(SyntaxKind::PARAM_LIST)?)?;
    let Some(returned) = cursor.take(SyntaxKind::RET_TYPE) else {
        return Err(Failure::not_modelled("CREATE FUNCTION without RETURNS"));
    };
    let mut function = CreateFunction {
        name,
        replace,
        params,
        returns: returns(&returned)?,
        language: Language::Sql,
        volatility: Volatility::Volatile,
        strict: false,
        body: String::new(),
    };
    let (mut language, mut body) = (None, None);
    if let Some(list) = cursor.take(SyntaxKind::FUNC_OPTION_LIST) {
        let mut options = Cursor::new(&list);
        while let Some(option) = options.node_if_any() {
            match option.kind() {
                SyntaxKind::LANGUAGE_FUNC_OPTION => language = Some(named_language(&option)?),
                SyntaxKind::AS_FUNC_OPTION => body = Some(text(&option)?),
                _ => of_call(&option, &mut function)?,
            }
        }
        options.finish()?;
    }
    if cursor.kind() == Some(SyntaxKind::RETURN_STMT) {
        return Err(Failure::not_modelled("a function of standard SQL (RETURN without AS)"));
    }
    cursor.end_of_statement()?;
    function.language = language.ok_or_else(|| Failure::sql("42P13", "no language specified"))?;
    function.body = body.ok_or_else(|| Failure::sql("42P13", "no function body specified"))?;
    Ok(Statement::CreateFunction(Box::new(function)))
}

/// The options of how a function may be called. Those that only affect the planner are ignored.
fn of_call(option: &SyntaxNode, function: &mut CreateFunction) -> Result<()> {
    match option.kind() {
        SyntaxKind::VOLATILE => function.volatility = Volatility::Volatile,
        SyntaxKind::STABLE => function.volatility = Volatility::Stable,
        SyntaxKind::IMMUTABLE => function.volatility = Volatility::Immutable,
        SyntaxKind::STRICT_FUNC_OPTION | SyntaxKind::RETURNS_NULL_ON_NULL_INPUT_FUNC_OPTION => {
            function.strict = true;
        }
        SyntaxKind::PARALLEL_FUNC_OPTION => {}
        kind => match option.text().to_string().to_ascii_lowercase().split_whitespace().next() {
            Some("called") => function.strict = false,
            _ => {
                let title = title(kind);
                let what = title.strip_suffix(" FUNC OPTION").unwrap_or(&title);
                return Err(Failure::not_modelled(format!("{what} of a function")));
            }
        },
    }
    Ok(())
}

fn listed_params(node: &SyntaxNode) -> Result<Vec<Parameter>> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::L_PAREN)?;
    let params = match cursor.kind() {
        Some(SyntaxKind::R_PAREN) => Vec::new(),
        _ => separated(&mut cursor, param)?,
    };
    cursor.expect(SyntaxKind::R_PAREN)?;
    cursor.finish()?;
    Ok(params)
}

fn param(node: &SyntaxNode) -> Result<Parameter> {
    let mut cursor = Cursor::new(node);
    cursor.take(SyntaxKind::PARAM_IN);
    if let Some(kind @ (SyntaxKind::PARAM_OUT | SyntaxKind::PARAM_IN_OUT | SyntaxKind::PARAM_VARIADIC)) =
        cursor.kind()
    {
        let title = title(kind);
        let what = title.strip_prefix("PARAM ").unwrap_or(&title);
        return Err(Failure::not_modelled(format!("{what} parameters of a function")));
    }
    let name = cursor.take(SyntaxKind::PARAM_NAME).map(|name| name::ident(&name)).transpose()?;
    let ty = declared(&cursor.node()?)?;
    if cursor.kind() == Some(SyntaxKind::PARAM_DEFAULT) {
        return Err(Failure::not_modelled("a parameter of a function with a default"));
    }
    cursor.finish()?;
    Ok(Parameter { name, ty })
}

/// A type, including pseudo-types.
fn declared(node: &SyntaxNode) -> Result<Declared> {
    match &*node.text().to_string().to_ascii_lowercase() {
        "anyelement" => Ok(Declared::Any("anyelement")),
        "anynonarray" => Ok(Declared::Any("anynonarray")),
        _ => types::ty(node).map(Declared::Type),
    }
}

fn returns(node: &SyntaxNode) -> Result<Returns> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::RETURNS_KW)?;
    if cursor.kind() == Some(SyntaxKind::TABLE_KW) {
        return Err(Failure::not_modelled("RETURNS TABLE"));
    }
    let ty = cursor.node()?;
    cursor.finish()?;
    let written = ty.text().to_string().to_ascii_lowercase();
    match &*written {
        "trigger" => Ok(Returns::Trigger),
        "void" => Ok(Returns::Value(Declared::Type(Type::Void))),
        _ if written.starts_with("setof") => Err(Failure::not_modelled("RETURNS SETOF")),
        _ => declared(&ty).map(Returns::Value),
    }
}

fn named_language(node: &SyntaxNode) -> Result<Language> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::LANGUAGE_KW)?;
    let named = cursor.node()?;
    cursor.finish()?;
    language(&named)
}

/// A language, as a name or in quotes.
fn language(node: &SyntaxNode) -> Result<Language> {
    match node.text().to_string().trim_matches(['\'', '"']).to_ascii_lowercase().as_str() {
        "sql" => Ok(Language::Sql),
        "plpgsql" => Ok(Language::Plpgsql),
        other => Err(Failure::not_modelled(format!("LANGUAGE {other}"))),
    }
}

/// AS and the text of the body.
fn text(node: &SyntaxNode) -> Result<String> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::AS_KW)?;
    let mut inside = Cursor::new(&cursor.need(SyntaxKind::AS_DEFINITION)?);
    cursor.finish()?;
    let body = body(&inside.node()?)?;
    inside.finish()?;
    Ok(body)
}

fn body(node: &SyntaxNode) -> Result<String> {
    match literal::literal(node)? {
        Expr::String(body) => Ok(body),
        _ => Err(refuse(node.kind())),
    }
}

/// DROP FUNCTION.
pub(super) fn drop(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.skip(&[SyntaxKind::DROP_KW, SyntaxKind::FUNCTION_KW]);
    let if_exists = cursor.take(SyntaxKind::IF_EXISTS).is_some();
    let functions = listed(&cursor.need(SyntaxKind::FUNCTION_SIG_LIST)?, |node| {
        let mut cursor = Cursor::new(node);
        let name = name::relation(&cursor.need(SyntaxKind::FUNCTION_NAME_REF)?)?;
        let params = cursor.take(SyntaxKind::PARAM_LIST).map(|list| listed_params(&list)).transpose()?;
        cursor.finish()?;
        let args = params.map(|params| params.into_iter().map(|param| param.ty).collect());
        Ok(Signature { name, args })
    })?;
    relation::restrict(&mut cursor, "DROP FUNCTION")?;
    cursor.end_of_statement()?;
    Ok(Statement::DropFunction { functions, if_exists })
}

/// DO.
pub(super) fn anonymous(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::DO_KW)?;
    let mut text = None;
    while let Some(part) = cursor.node_if_any() {
        match part.kind() {
            SyntaxKind::DO_LANGUAGE => {
                if named_language(&part)? != Language::Plpgsql {
                    let message = "language \"sql\" does not support inline code execution";
                    return Err(Failure::sql("0A000", message));
                }
            }
            _ => text = Some(body(&part)?),
        }
    }
    cursor.end_of_statement()?;
    text.map(Statement::Do).ok_or_else(|| Failure::sql("42601", "no inline code specified"))
}
