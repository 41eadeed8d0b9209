//! Cedar behind a scope index: schema, load, validate, decide, explain.
