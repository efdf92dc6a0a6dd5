//! Assignments to variables, fields and records (manual, 43.5.1 and 43.5.3).

use std::rc::Rc;

use retrial_pgmodel_sql::bind;
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::plan::OutputColumn;
use retrial_pgmodel_sql::value::{Tuple, Type, Value};

use super::execute::{Activation, Given};
use super::frame::{Held, Row, no_field, unassigned};
use super::program::{Target, Targets, VariableType};
use crate::execution::{Env, Execution};

/// Converts a value to another type by an assignment cast.
pub(super) fn converted(run: &Execution, value: Value, from: &Type, to: &Type) -> Result<Value> {
    if from == to || value == Value::Null {
        return Ok(value);
    }
    let expr = bind::converted(value, from, to)?;
    run.now(&expr, &Env::level(None, None, &[]))
}

/// A row in the server's text form (manual, 8.16.6).
pub(crate) fn row_text(row: &Row) -> String {
    let mut text = String::from("(");
    for (index, (value, column)) in row.values.iter().zip(row.columns.iter()).enumerate() {
        if index > 0 {
            text.push(',');
        }
        if *value == Value::Null {
            continue;
        }
        let shown = value.output(&column.ty);
        let plain = |letter: char| {
            !matches!(letter, '"' | '\\' | '(' | ')' | ',')
                && !letter.is_ascii_whitespace()
                && letter != '\u{b}'
        };
        if !shown.is_empty() && shown.chars().all(plain) {
            text.push_str(&shown);
            continue;
        }
        text.push('"');
        for letter in shown.chars() {
            if matches!(letter, '"' | '\\') {
                text.push(letter);
            }
            text.push(letter);
        }
        text.push('"');
    }
    text.push(')');
    text
}

impl Activation<'_> {
    pub(super) fn converted(&self, value: Value, from: &Type, to: &Type) -> Result<Value> {
        if from == to || value == Value::Null {
            return Ok(value);
        }
        converted(&self.run(), value, from, to)
    }

    pub(super) fn assign(&self, target: &Target, given: Given) -> Result<()> {
        match target {
            Target::Variable(slot) => self.put(*slot, given),
            Target::Field(slot, name) => {
                let record = &self.program.variables[*slot].name;
                let row = self.frame.row(*slot).ok_or_else(|| unassigned(record))?;
                let field = row.columns.iter().position(|column| column.name == *name);
                let field = field.ok_or_else(|| no_field(record, name))?;
                let value = self.scalar(given, &row.columns[field].ty)?;
                let mut values = row.values.to_vec();
                values[field] = value;
                self.frame.set_row(*slot, Some(Row { values: values.into(), is_null: false, ..row }));
                Ok(())
            }
        }
    }

    /// Converts to a value of that type. A row is converted by its text form, and only to a text.
    fn scalar(&self, given: Given, to: &Type) -> Result<Value> {
        match given {
            Given::Value(value, from) => self.converted(value, &from, to),
            Given::Record(row) if row.as_ref().is_none_or(|row| row.is_null) => Ok(Value::Null),
            Given::Record(None) => Ok(Value::Null),
            Given::Record(Some(row)) if *to == Type::Text => Ok(Value::Text(row_text(&row).into())),
            Given::Record(Some(_)) => Err(Failure::not_modelled("a row in a variable that is no text")),
        }
    }

    fn put(&self, slot: usize, given: Given) -> Result<()> {
        let variable = &self.program.variables[slot];
        if self.frame.is_record(slot) {
            return match given {
                Given::Record(row) => self.put_row(slot, row),
                Given::Value(Value::Null, _) => {
                    // A record that is not of a table's row type loses its columns.
                    let typed = matches!(variable.ty, VariableType::RowOf(_));
                    let row = self.frame.row(slot).filter(|_| typed).map(|row| nulls(&row.columns));
                    self.frame.set_row(slot, row);
                    Ok(())
                }
                Given::Value(..) => {
                    Err(Failure::sql("42804", "cannot assign non-composite value to a record variable"))
                }
            };
        }
        let ty = self.frame.types.borrow()[slot].clone();
        let value = match variable.ty {
            VariableType::Any => {
                let Given::Value(value, from) = given else {
                    return Err(Failure::not_modelled("CASE over a row"));
                };
                let from = if from == Type::Unknown { Type::Text } else { from };
                self.frame.types.borrow_mut()[slot] = from;
                value
            }
            _ => self.scalar(given, &ty)?,
        };
        if variable.not_null && value == Value::Null {
            let message =
                format!("null value cannot be assigned to variable \"{}\" declared NOT NULL", variable.name);
            return Err(Failure::sql("22004", message));
        }
        self.frame.set(slot, value);
        Ok(())
    }

    /// Assigns a row to a record. A record of a table's row type keeps the columns of its table.
    fn put_row(&self, slot: usize, row: Option<Row>) -> Result<()> {
        let typed = matches!(self.program.variables[slot].ty, VariableType::RowOf(_));
        let row = match (row, self.frame.row(slot)) {
            (Some(row), Some(own)) if typed => {
                let columns: Rc<[OutputColumn]> = row.columns.clone();
                let fitted = self.fitted(&own.columns, &columns, Some(&row.values))?;
                Some(Row { is_null: row.is_null, ..fitted })
            }
            (row, _) => row,
        };
        self.frame.set_row(slot, row);
        Ok(())
    }

    /// Converts the values of a row to those of other columns, by position.
    fn fitted(&self, to: &Rc<[OutputColumn]>, from: &[OutputColumn], row: Option<&Tuple>) -> Result<Row> {
        let mut values = Vec::new();
        for (index, column) in to.iter().enumerate() {
            let value = row.and_then(|row| row.get(index)).cloned().unwrap_or(Value::Null);
            let ty = from.get(index).map_or(&column.ty, |from| &from.ty);
            values.push(self.converted(value, ty, &column.ty)?);
        }
        Ok(Row { columns: to.clone(), values: values.into(), is_null: false })
    }

    /// Assigns a row, or NULLs if there is none, to targets. Missing columns are NULL, and surplus ones are dropped.
    pub(super) fn receive(
        &self,
        targets: &Targets,
        columns: &Rc<[OutputColumn]>,
        row: Option<&Tuple>,
    ) -> Result<()> {
        match targets {
            Targets::Record(slot) => {
                let typed = matches!(self.program.variables[*slot].ty, VariableType::RowOf(_));
                let own = self.frame.row(*slot).filter(|_| typed);
                let row = match (own, row) {
                    (Some(own), row) => self.fitted(&own.columns, columns, row)?,
                    (None, Some(row)) => {
                        Row { columns: columns.clone(), values: row.clone(), is_null: false }
                    }
                    (None, None) => Row { is_null: false, ..nulls(columns) },
                };
                self.frame.set_row(*slot, Some(row));
                Ok(())
            }
            Targets::Each(targets) => {
                for (index, target) in targets.iter().enumerate() {
                    let value = row.and_then(|row| row.get(index)).cloned().unwrap_or(Value::Null);
                    let ty = columns.get(index).map_or(Type::Unknown, |column| column.ty.clone());
                    self.assign(target, Given::Value(value, ty))?;
                }
                Ok(())
            }
        }
    }

    /// Sets a declared variable to its initial value.
    pub(super) fn begin(&self, slot: usize) -> Result<()> {
        let held = match &self.program.variables[slot].ty {
            VariableType::Record => Held::Record(None),
            VariableType::RowOf(table) => {
                let found = self.server.schema.borrow().find(table, self.session);
                let found = found
                    .ok_or_else(|| Failure::sql("42P01", format!("relation \"{table}\" does not exist")))?;
                Held::Record(Some(nulls(&crate::trigger::columns(&found))))
            }
            _ => Held::Value(Value::Null),
        };
        self.frame.values.borrow_mut()[slot] = held;
        Ok(())
    }
}

/// A row of NULLs.
fn nulls(columns: &Rc<[OutputColumn]>) -> Row {
    Row { columns: columns.clone(), values: columns.iter().map(|_| Value::Null).collect(), is_null: true }
}
