//! `wscheck watch`: connections that are kept and watched.

pub mod hook;
