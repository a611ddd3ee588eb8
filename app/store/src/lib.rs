//! The store: one trait, SQLite behind it
