//! From counts to model input: each step a function from data to data, its settings recorded.

mod prepare;

pub use prepare::{PrepareConfig, PrepareError, PreparedScreen, Split, prepare};
