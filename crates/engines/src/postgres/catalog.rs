//! The tables of a schema as the server describes them. It must be read again after whatever may have changed
//! them.

use std::collections::BTreeMap;
use std::rc::Rc;

use retrial_sim::engine::Table;
use retrial_sim::error::Error;

use super::scratch_database::ScratchDatabase;
use super::wire_format;

/// A table: its definition, and what the engine needs to know beyond that.
#[derive(PartialEq, Eq)]
pub(super) struct Relation {
    pub(super) table: Rc<Table>,
    /// The OID of each column's type; a domain's is the one below it.
    pub(super) types: Vec<u32>,
    /// Which columns the server computes.
    pub(super) generated: Vec<bool>,
    /// Where the primary key's columns are, in its order.
    pub(super) key: Vec<usize>,
}

impl Relation {
    /// Its name as SQL has it.
    pub(super) fn path(&self) -> String {
        format!("public.{}", wire_format::identifier(&self.table.name))
    }

    /// Its columns as SQL has them, without those that the server computes.
    pub(super) fn given(&self) -> String {
        let names = self.table.columns.iter().zip(&self.generated);
        let names =
            names.filter(|(_, generated)| !**generated).map(|(name, _)| wire_format::identifier(name));
        names.collect::<Vec<_>>().join(", ")
    }
}

/// All tables, by name.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Catalog {
    relations: BTreeMap<String, Relation>,
    /// Whether there are functions, which may do anything where they are called.
    pub(super) functions: bool,
}

/// A partition is its parent's affair.
const COLUMNS: &str = "
SELECT c.relname, a.attname, coalesce(nullif(t.typbasetype, 0), a.atttypid)::int8, a.attgenerated <> '',
       coalesce(array_position(i.indkey::int2[], a.attnum), -1)
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname, a.attnum";

impl Catalog {
    /// Reads it.
    pub(super) fn read(scratch: &ScratchDatabase) -> Result<Catalog, Error> {
        let mut catalog = Catalog::default();
        let mut keys: BTreeMap<String, Vec<(i64, usize)>> = BTreeMap::new();
        for row in scratch.read(COLUMNS.to_owned())? {
            let [Some(name), Some(column), Some(oid), Some(generated), Some(place)] = &row[..] else {
                return Err(Error::refused("the server's catalogue cannot be read"));
            };
            let relation = catalog.relations.entry(name.clone()).or_insert_with(|| Relation {
                table: Rc::new(Table { name: name.clone(), columns: Vec::new() }),
                types: Vec::new(),
                generated: Vec::new(),
                key: Vec::new(),
            });
            let number = |text: &str| text.parse::<i64>().unwrap_or(-1);
            if number(place) >= 0 {
                keys.entry(name.clone()).or_default().push((number(place), relation.types.len()));
            }
            Rc::make_mut(&mut relation.table).columns.push(column.clone());
            relation.types.push(number(oid) as u32);
            relation.generated.push(generated == "t");
        }
        for (name, mut key) in keys {
            key.sort_unstable();
            if let Some(relation) = catalog.relations.get_mut(&name) {
                relation.key = key.into_iter().map(|(_, column)| column).collect();
            }
        }
        let functions = "SELECT 1 FROM pg_proc WHERE pronamespace = 'public'::regnamespace LIMIT 1";
        catalog.functions = !scratch.read(functions.to_owned())?.is_empty();
        Ok(catalog)
    }

    /// The table of that name.
    ///
    /// # Errors
    /// Where there is none.
    pub(super) fn relation(&self, name: &str) -> Result<&Relation, Error> {
        self.relations
            .get(name)
            .ok_or_else(|| Error::scenario(format!("there is no table `{name}`, which `tables` names")))
    }

    pub(super) fn relations(&self) -> impl Iterator<Item = &Relation> {
        self.relations.values()
    }
}
