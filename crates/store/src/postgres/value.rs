//! Values as PostgreSQL's parameters.

use std::error::Error;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::sql::Value;

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Integer(number) => return number.to_sql_checked(ty, out),
            Self::Boolean(flag) => return flag.to_sql_checked(ty, out),
            Self::Text(text) => return text.to_sql_checked(ty, out),
            Self::Bytes(bytes) => return bytes.to_sql_checked(ty, out),
            Self::Id(id) if *ty == Type::UUID => out.extend_from_slice(id),
            Self::Id(_) => return Err(format!("an id where the statement has {ty}").into()),
        }
        Ok(IsNull::No)
    }

    /// Each kind of value checks for itself.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Value(…)")
    }
}
