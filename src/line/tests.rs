//! Call to bytes, dialect by dialect.
