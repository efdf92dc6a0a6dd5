//! ADD PRIMARY KEY or UNIQUE USING INDEX: turns an existing index, usually one built concurrently, into a constraint's
//! index (transformIndexConstraint in src/backend/parser/parse_utilcmd.c).

use std::rc::Rc;

use retrial_pgmodel_sql::catalog::{IndexDef, TableDef};
use retrial_pgmodel_sql::error::{Failure, Result};

use super::constraint::multiple_primary_keys;
use super::{Define, name};

impl Define<'_> {
    pub(super) fn adopt_index(
        &self,
        mut table: TableDef,
        constraint: Option<&str>,
        index: &str,
        primary: bool,
    ) -> Result<TableDef> {
        let Some(place) = table.indexes.iter().position(|known| known.name == index) else {
            let elsewhere = self.is_taken(index);
            let message = if elsewhere {
                format!("index \"{index}\" does not belong to table \"{}\"", table.name)
            } else {
                format!("index \"{index}\" does not exist")
            };
            return Err(Failure::sql(if elsewhere { "55000" } else { "42704" }, message));
        };
        let adopted = IndexDef::clone(&table.indexes[place]);
        demand_fit(&adopted)?;
        let name = constraint.unwrap_or(index).to_owned();
        if name != index {
            let text = format!(
                "ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index \"{index}\" to \"{name}\""
            );
            self.notice(text);
            self.demand_free(&name)?;
        }
        if primary && table.indexes.iter().any(|index| index.primary) {
            return Err(multiple_primary_keys(&table.name));
        }
        name::demand_new_constraint(&table, &name)?;
        if primary {
            let columns: Vec<usize> = adopted.plain_columns().collect();
            for column in &columns {
                table.columns[*column].not_null = true;
            }
            self.demand_no_null(&columns);
        }
        table.indexes[place] = Rc::new(IndexDef { name, primary, constraint: true, ..adopted });
        Ok(table)
    }
}

fn demand_fit(index: &IndexDef) -> Result<()> {
    let name = &index.name;
    let (code, message) = if index.constraint {
        ("55000", format!("index \"{name}\" is already associated with a constraint"))
    } else if !index.valid {
        ("55000", format!("index \"{name}\" is not valid"))
    } else if !index.unique {
        ("42809", format!("\"{name}\" is not a unique index"))
    } else if index.columns().is_none() {
        ("42809", format!("index \"{name}\" contains expressions"))
    } else if index.filter.is_some() {
        ("42809", format!("\"{name}\" is a partial index"))
    } else {
        return Ok(());
    };
    Err(Failure::sql(code, message))
}
