//! DOT, the language of Graphviz.

mod parse;
mod tokens;
mod write;

pub(super) use parse::read;
pub(super) use write::write;
