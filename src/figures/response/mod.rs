//! Predicted and measured responses as figures.

mod boxes;
mod gene_cells;
mod heat_map;
mod loss;
mod paired_bars;
mod ranking;
pub(in crate::figures) mod scatter;

pub use boxes::{BoxMark, BoxSeries, BoxStatistics, BoxedGene, BoxesFigure, CellGroupKind};
pub use gene_cells::{GeneCells, GeneCellsFigure};
pub use heat_map::{HeatMapFigure, HeatMapOptions, HeatMapPanel, HeatMapShifts, MOST_IN_HEAT_MAP};
pub use loss::{LossFigure, LossSeries};
pub use paired_bars::{PairedBar, PairedBarsFigure};
pub use ranking::{RankedGene, RankingFigure};
pub use scatter::{ScatterFigure, ScatterPoint};
