//! The syntax tree of a body. SQL inside it stays tokens.

use crate::token::Token;

/// An expression, or an SQL statement without its INTO: tokens of the text.
#[derive(Clone, Debug)]
pub struct Piece<'t> {
    /// Its tokens, at least one.
    pub tokens: Vec<Token<'t>>,
    /// Its offset in the text.
    pub at: usize,
}

/// `[DECLARE ..] BEGIN .. [EXCEPTION ..] END`.
#[derive(Clone, Debug)]
pub struct Block<'t> {
    /// Its label.
    pub label: Option<String>,
    /// What it declares, in order.
    pub declarations: Vec<Declaration<'t>>,
    /// Its statements.
    pub statements: Vec<Statement<'t>>,
    /// Its EXCEPTION section, if it has one.
    pub handlers: Option<Vec<Handler<'t>>>,
}

/// A variable that a block declares.
#[derive(Clone, Debug)]
pub struct Declaration<'t> {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: TypeName<'t>,
    /// CONSTANT.
    pub constant: bool,
    /// NOT NULL.
    pub not_null: bool,
    /// Its initial value.
    pub value: Option<Piece<'t>>,
    /// Its offset in the text.
    pub at: usize,
}

/// The type of a variable, as written.
#[derive(Clone, Debug)]
pub enum TypeName<'t> {
    /// `record`.
    Record,
    /// `name%ROWTYPE`.
    RowOf(String),
    /// `name%TYPE` or `table.column%TYPE`.
    TypeOf(Vec<String>),
    /// Any other.
    Named(Piece<'t>),
}

/// A WHEN of an EXCEPTION section.
#[derive(Clone, Debug)]
pub struct Handler<'t> {
    /// The conditions, any of which it catches.
    pub conditions: Vec<Condition>,
    /// The statements that handle them.
    pub statements: Vec<Statement<'t>>,
}

/// What a handler catches, or RAISE raises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// OTHERS, or the name of a condition.
    Name(String),
    /// SQLSTATE and its code.
    State(String),
}

/// A statement and its place.
#[derive(Clone, Debug)]
pub struct Statement<'t> {
    /// Its offset in the text.
    pub at: usize,
    /// What it does.
    pub step: Step<'t>,
}

/// A WHEN or IF with the statements after it.
#[derive(Clone, Debug)]
pub struct Arm<'t> {
    /// The condition, or the values of a CASE with an operand.
    pub when: Vec<Piece<'t>>,
    /// The statements to run then.
    pub statements: Vec<Statement<'t>>,
}

/// What a statement does.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the doc of a variant tells its fields")]
pub enum Step<'t> {
    /// `target := value`; the target may be `record.field`.
    Assign { target: Vec<String>, value: Piece<'t> },
    /// IF with its arms.
    If { arms: Vec<Arm<'t>>, otherwise: Vec<Statement<'t>> },
    /// CASE.
    Case { operand: Option<Piece<'t>>, arms: Vec<Arm<'t>>, otherwise: Option<Vec<Statement<'t>>> },
    /// LOOP, or WHILE where there is a condition.
    Loop { label: Option<String>, condition: Option<Piece<'t>>, body: Vec<Statement<'t>> },
    /// FOR over integers.
    Count {
        label: Option<String>,
        variable: String,
        reverse: bool,
        lower: Piece<'t>,
        upper: Piece<'t>,
        by: Option<Piece<'t>>,
        body: Vec<Statement<'t>>,
    },
    /// FOR over the rows of a query; `dynamic` if that is EXECUTE of a text.
    Rows {
        label: Option<String>,
        targets: Vec<Vec<String>>,
        dynamic: bool,
        query: Piece<'t>,
        body: Vec<Statement<'t>>,
    },
    /// EXIT, or CONTINUE.
    Leave { exit: bool, label: Option<String>, when: Option<Piece<'t>> },
    /// RETURN, with its value.
    Return(Option<Piece<'t>>),
    /// PERFORM: what follows the word.
    Perform(Piece<'t>),
    /// EXECUTE of a text.
    Execute { command: Piece<'t>, into: Option<IntoTargets>, using: Vec<Piece<'t>> },
    /// Any SQL statement.
    Sql { statement: Piece<'t>, into: Option<IntoTargets> },
    /// GET DIAGNOSTICS, STACKED or not.
    Diagnostics { stacked: bool, items: Vec<Diagnostic> },
    /// RAISE.
    Raise(Raise<'t>),
    /// A block in a block.
    Block(Block<'t>),
    /// NULL.
    Null,
    /// COMMIT.
    Commit,
    /// ROLLBACK.
    Rollback,
}

/// INTO.
#[derive(Clone, Debug)]
pub struct IntoTargets {
    /// STRICT.
    pub strict: bool,
    /// The targets.
    pub targets: Vec<Vec<String>>,
    /// The offset of the word.
    pub at: usize,
}

/// `target = item`.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// The target.
    pub target: Vec<String>,
    /// The item.
    pub item: String,
}

/// The levels of RAISE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are what the manual calls them")]
pub enum Level {
    Debug,
    Log,
    Info,
    Notice,
    Warning,
    Exception,
}

/// RAISE.
#[derive(Clone, Debug)]
pub struct Raise<'t> {
    /// Its level.
    pub level: Level,
    /// The condition that it names in place of a text.
    pub condition: Option<Condition>,
    /// The pieces of its text around the values.
    pub pieces: Option<Vec<String>>,
    /// The values.
    pub values: Vec<Piece<'t>>,
    /// USING: the options, in upper case, and their values.
    pub options: Vec<(String, Piece<'t>)>,
}
