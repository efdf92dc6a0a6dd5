//! Array subscripts and slices, and arrays of a query's rows. Subscripting a value that is not an array is an error.

use std::rc::Rc;

use crate::ast;
use crate::error::{Failure, Result};
use crate::function::{self, CastContext};
use crate::plan::{Expr, SubKind};
use crate::value::{Type, Value};

use super::coerce::{bare, reworded};
use super::{Binder, Typed};

impl Binder<'_> {
    /// `array[index]`.
    pub(super) fn subscript(&mut self, array: &ast::Expr, index: &ast::Expr) -> Result<Typed> {
        let (array, element) = self.subscripted(array)?;
        let args = vec![array, self.bound_of_array(index)?];
        Ok(Typed { expr: Expr::Apply { apply: function::element, strict: true, args }, ty: element })
    }

    /// `array[lower:upper]`.
    pub(super) fn slice(
        &mut self,
        array: &ast::Expr,
        lower: Option<&ast::Expr>,
        upper: Option<&ast::Expr>,
    ) -> Result<Typed> {
        let (array, element) = self.subscripted(array)?;
        // An array starts at 1 and ends below the largest index.
        let mut bound = |written: Option<&ast::Expr>, otherwise: i64| match written {
            Some(written) => self.bound_of_array(written),
            None => Ok(Expr::Const(Value::Int(otherwise))),
        };
        let args = vec![array, bound(lower, 1)?, bound(upper, i64::from(i32::MAX))?];
        let ty = Type::Array(Box::new(element));
        Ok(Typed { expr: Expr::Apply { apply: function::slice, strict: true, args }, ty })
    }

    fn subscripted(&mut self, array: &ast::Expr) -> Result<(Expr, Type)> {
        let typed = self.expr(array)?;
        match typed.ty {
            Type::Array(element) => Ok((typed.expr, *element)),
            Type::Jsonb => Err(Failure::not_modelled("subscripts of jsonb")),
            other => {
                let name = other.name();
                let message =
                    format!("cannot subscript type {name} because it does not support subscripting");
                Err(Failure::sql("42804", message))
            }
        }
    }

    fn bound_of_array(&mut self, index: &ast::Expr) -> Result<Expr> {
        let typed = self.expr(index)?;
        let message = "array subscript must have type integer".to_owned();
        self.coerce(typed, &Type::Int4, CastContext::Assignment).map_err(|failure| reworded(failure, message))
    }

    /// ARRAY(query).
    pub(super) fn array_query(&mut self, query: &ast::With) -> Result<Typed> {
        let query = self.nested(query)?;
        let [column] = query.columns.as_slice() else {
            return Err(Failure::sql("42601", "subquery must return only one column"));
        };
        let ty = match &column.ty {
            Type::Array(_) => return Err(Failure::not_modelled("an array of more than one dimension")),
            Type::Void => {
                let message = "could not find array type for data type void";
                return Err(Failure::sql("42704", message));
            }
            element => Type::Array(Box::new(bare(element))),
        };
        Ok(Typed { expr: Expr::Sub { kind: SubKind::Array, query: Rc::new(query) }, ty })
    }
}
