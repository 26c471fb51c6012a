//! What to beat: simple predictions fit on training cells only, shown beside every model.
//!
//! [`effects`] predicts perturbations: all take the measured shifts of the training cells and answer in the same unit (log2 against
//! the measured control), so they need no data set. [`networks`] scores edges, from such shifts or from expression.

pub mod effects;
mod linear;
pub mod networks;

pub use effects::{Baseline, BaselineKind, TrainingShifts};
pub use networks::{EdgeScores, NetworkBaseline};
