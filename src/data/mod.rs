//! What was measured: cells × genes counts, genes, and which gene each cell had perturbed.

mod dataset;
mod effects;
mod family;
mod gene;
pub mod h5ad;
mod import;
mod import_options;
pub mod labels;
mod matrix;
mod median;
mod perturbation;
pub mod preview;
mod reduce;
pub mod simulate;
mod summary;
pub mod text;
mod values;

pub use dataset::{Categories, Choice, Dataset, DatasetError, DatasetParts, ImportReport, MatrixKind, Warning};
pub use effects::{EffectTable, log2_moments, mean_expression, mean_log2_expression};
pub use family::GeneFamily;
pub use gene::{Gene, Genes, nearest};
pub use import::{DEFAULT_GUIDE_THRESHOLD, ImportError};
pub use import_options::{ImportOptions, Orientation};
pub use matrix::{CsrMatrix, MatrixError, Row};
pub(crate) use median::median;
pub use perturbation::{CellRole, Perturbation, PerturbationKind};
pub use reduce::{AllGenes, GeneMoments, KeptGenes, RankGenes, Room, WholeCells};
pub use summary::{KnockDown, PerturbationSummary, StrongestEffects, Summary, knock_downs, own_column};
pub use values::{RowValues, Values};
