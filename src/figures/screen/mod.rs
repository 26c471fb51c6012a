//! A screen before any model: quality of its cells, and what each perturbation changes.

mod cells;
mod histogram;
mod volcano;

pub use cells::{CellPoint, CellsFigure};
pub use histogram::{Bin, Histogram, HistogramFigure, LimitLine};
pub use volcano::{Against, Direction, VolcanoFigure, VolcanoPoint};
