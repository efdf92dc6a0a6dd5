//! A body of PL/pgSQL once its names are known: its variables, and what it does with them.

use retrial_plpgsql_syntax::Level;

use super::inner::Sql;
use crate::value::Type;

/// A body.
#[derive(Debug)]
pub(crate) struct Program {
    /// Its variables, by their places.
    pub(super) variables: Vec<Variable>,
    pub(super) body: Block,
}

/// A variable.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) ty: VariableType,
    pub(super) not_null: bool,
    pub(super) constant: bool,
}

/// The type of a variable, as far as it is known before the body is run.
#[derive(Clone, Debug)]
pub(super) enum VariableType {
    Value(Type),
    /// A row of whatever is put into it.
    Record,
    /// A row of that table.
    RowOf(String),
    /// The type of that column.
    ColumnOf(String, String),
    /// The type that this argument has in the call.
    Argument(usize),
    /// The type of what is put into it.
    Any,
}

/// FOUND has the first place.
pub(super) const FOUND: usize = 0;

/// What a trigger function knows of its call beside NEW and OLD, in the order of their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TriggerVariable {
    New = 1,
    Old,
    Name,
    When,
    Level,
    Operation,
    Table,
    Relation,
    Schema,
    Count,
    /// TG_ARGV: the first of so many arguments.
    First,
}

/// How many arguments of a trigger its function can name.
pub(crate) const ARGUMENTS: usize = 8;

/// `[DECLARE ..] BEGIN .. [EXCEPTION ..] END`.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) label: Option<String>,
    /// The variables that begin anew, and with what.
    pub(super) declared: Vec<(usize, Option<Sql>)>,
    pub(super) body: Vec<Op>,
    pub(super) handlers: Option<Vec<Handler>>,
    /// Where SQLSTATE and SQLERRM are for the handlers.
    pub(super) caught: Option<(usize, usize)>,
}

/// WHEN of an EXCEPTION section.
#[derive(Debug)]
pub(super) struct Handler {
    /// The SQLSTATEs that it catches, or a class of them with three zeros; none for OTHERS.
    pub(super) states: Vec<Option<String>>,
    pub(super) body: Vec<Op>,
}

/// Where a value goes.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Variable(usize),
    Field(usize, String),
}

/// Where a row goes.
#[derive(Debug)]
pub(super) enum Targets {
    Record(usize),
    Each(Vec<Target>),
}

/// INTO.
#[derive(Debug)]
pub(super) struct Receive {
    pub(super) strict: bool,
    pub(super) targets: Targets,
}

/// What GET DIAGNOSTICS knows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    RowCount,
    State,
    Message,
    Detail,
}

/// A statement.
#[derive(Debug)]
pub(super) enum Op {
    Assign {
        target: Target,
        value: Sql,
    },
    If {
        arms: Vec<(Sql, Vec<Op>)>,
        otherwise: Vec<Op>,
    },
    Case {
        operand: Option<(usize, Sql)>,
        arms: Vec<(Sql, Vec<Op>)>,
        otherwise: Option<Vec<Op>>,
    },
    Loop {
        label: Option<String>,
        condition: Option<Sql>,
        body: Vec<Op>,
    },
    Count {
        label: Option<String>,
        count: Count,
        body: Vec<Op>,
    },
    Rows {
        label: Option<String>,
        targets: Targets,
        dynamic: bool,
        query: Sql,
        body: Vec<Op>,
    },
    Leave {
        exit: bool,
        label: Option<String>,
        when: Option<Sql>,
    },
    Return(Option<Sql>),
    Perform(Sql),
    Execute {
        command: Sql,
        into: Option<Receive>,
        using: Vec<Sql>,
    },
    Query {
        query: Sql,
        into: Option<Receive>,
    },
    /// A statement that is about no rows.
    Utility(Sql),
    Diagnostics(Vec<(Target, Item)>),
    Raise(Raise),
    Block(Block),
    Null,
}

/// FOR over integers.
#[derive(Debug)]
pub(super) struct Count {
    pub(super) variable: usize,
    pub(super) reverse: bool,
    pub(super) lower: Sql,
    pub(super) upper: Sql,
    pub(super) by: Option<Sql>,
}

/// RAISE.
#[derive(Debug)]
pub(super) struct Raise {
    pub(super) level: Level,
    /// RAISE alone: the error that is being handled, once more.
    pub(super) again: bool,
    /// The SQLSTATE of the condition that it names, and the name.
    pub(super) condition: Option<(String, String)>,
    pub(super) pieces: Option<Vec<String>>,
    pub(super) values: Vec<Sql>,
    /// MESSAGE, ERRCODE and DETAIL of USING.
    pub(super) options: Vec<(String, Sql)>,
}
