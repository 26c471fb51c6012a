//! Predicted and measured responses as figures.

mod loss;
mod names;
mod paired_bars;
mod ranking;
mod scatter;

pub use loss::{LossFigure, LossSeries};
pub use paired_bars::{PairedBar, PairedBarsFigure};
pub use ranking::{RankedGene, RankingFigure};
pub use scatter::{ScatterFigure, ScatterPoint};
