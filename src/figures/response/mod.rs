//! Predicted and measured responses as figures.

mod loss;
mod paired_bars;
mod ranking;
pub(in crate::figures) mod scatter;

pub use loss::{LossFigure, LossSeries};
pub use paired_bars::{PairedBar, PairedBarsFigure};
pub use ranking::{RankedGene, RankingFigure};
pub use scatter::{ScatterFigure, ScatterPoint};
