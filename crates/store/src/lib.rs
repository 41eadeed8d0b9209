//! The only crate with SQL: `Store`, migrations, one file per aggregate.
