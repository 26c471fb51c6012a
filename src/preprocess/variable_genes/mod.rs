//! Highly variable genes, by the definitions of scanpy's `highly_variable_genes`.
//!
//! - [`by_dispersion`] (`flavor="seurat"`, Satija et al. 2015): on log-normalised expression; the logarithm of
//!   variance / mean, standardised among genes of similar mean; optionally batch by batch.
//! - [`by_standardised_variance`] (`flavor="seurat_v3"`, Stuart et al. 2019): on counts; the variance after dividing by
//!   what a smooth curve expects of a gene with this mean ([`loess`]), ranked batch by batch.
//!
//! Both go over the stored values only and never form a dense matrix.

mod dispersion;
pub mod loess;
mod moments;
mod standardised;

pub(super) use moments::Sums;

pub use dispersion::{Choice, Dispersions, Limits, by_dispersion, by_dispersion_per_batch, rank_by_dispersion};
pub use standardised::{StandardisedVariances, VariableGenesError, by_standardised_variance};
