//! A compiled PL/pgSQL body: its variables and statements.

use retrial_pgmodel_sql::value::Type;
use retrial_plpgsql_syntax::Level;

use super::inner::Sql;

/// A compiled body.
#[derive(Debug)]
pub(crate) struct Program {
    /// Its variables; statements refer to them by index.
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

/// The type of a variable, as far as it is known at compile time.
#[derive(Clone, Debug)]
pub(super) enum VariableType {
    Value(Type),
    /// A row of any type.
    Record,
    /// A row of that table.
    RowOf(String),
    /// The type of that column.
    ColumnOf(String, String),
    /// The type of that argument in the call.
    Argument(usize),
    /// The type of the assigned value.
    Any,
}

/// The slot of FOUND.
pub(super) const FOUND: usize = 0;

/// The slots of the variables of a trigger function.
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
    /// TG_ARGV: the slot of the first argument, followed by the others.
    First,
}

/// The maximum number of trigger arguments.
pub(crate) const ARGUMENTS: usize = 8;

/// `[DECLARE ..] BEGIN .. [EXCEPTION ..] END`.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) label: Option<String>,
    /// The variables to initialize, with their initial values.
    pub(super) declared: Vec<(usize, Option<Sql>)>,
    pub(super) body: Vec<Op>,
    pub(super) handlers: Option<Vec<Handler>>,
    /// The slots of SQLSTATE and SQLERRM for the handlers.
    pub(super) caught: Option<(usize, usize)>,
}

/// WHEN of an EXCEPTION section.
#[derive(Debug)]
pub(super) struct Handler {
    /// The SQLSTATEs that it catches; a class ends in three zeros, and `None` is OTHERS.
    pub(super) states: Vec<Option<String>>,
    pub(super) body: Vec<Op>,
}

/// The target of a value.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Variable(usize),
    Field(usize, String),
}

/// The targets of a row.
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

/// An item of GET DIAGNOSTICS.
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
    /// A utility statement, which returns no rows.
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
    /// RAISE without parameters: raises the handled error again.
    pub(super) again: bool,
    /// The SQLSTATE and name of the condition, if given.
    pub(super) condition: Option<(String, String)>,
    pub(super) pieces: Option<Vec<String>>,
    pub(super) values: Vec<Sql>,
    /// MESSAGE, ERRCODE and DETAIL of USING.
    pub(super) options: Vec<(String, Sql)>,
}
