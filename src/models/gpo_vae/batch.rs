//! What a training step reads, as tensors on the device.

use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor};

use crate::models::nn::branches::Assignment;
use crate::models::nn::counts::Counts;

/// A batch in plain arrays: B cells, G genes, T treatments.
#[derive(Clone, Debug, Default)]
pub struct BatchData {
    /// Raw counts, B × G.
    pub counts: Vec<f32>,
    /// (log(1 + x) − mean) / std, B × G, replaced where not finite (see [`standardise`]).
    pub standardised: Vec<f32>,
    /// Library sizes, B.
    pub library: Vec<f32>,
    /// Treatments of each cell.
    pub dosages: Vec<Vec<u32>>,
    /// Whether each cell fails quality control.
    pub quality_failed: Vec<bool>,
    /// |log-expression shift|, B × T.
    pub shifts: Vec<f32>,
    /// Cells (positions in the batch, rising) that have a counterfactual partner.
    pub partner_rows: Vec<u32>,
    /// Their partners, standardised, one row of G each.
    pub partners: Vec<f32>,
}

/// What stays the same over all batches.
#[derive(Clone, Debug)]
pub struct BatchContext {
    /// Training cells of each treatment, T; 0 where there are none.
    pub cells_per_treatment: Vec<f32>,
    /// Training cells that fail quality control.
    pub failing_cells: f32,
    /// Which treatments are measured, T.
    pub treatment_measured: Vec<bool>,
    /// fc.
    pub fold_change: f32,
    /// α; none for the share of failing cells in the batch.
    pub alpha: Option<f64>,
}

/// The cells of a batch that have a counterfactual partner.
pub(super) struct Partners {
    /// Positions in the batch `[B']`.
    pub rows: Tensor,
    /// Their conditions, flagged 1 where they pass quality control.
    pub cells: Assignment,
    /// The partners, standardised, `[B', G]`.
    pub standardised: Tensor,
}

/// A batch on its device.
pub struct Batch {
    pub(super) counts: Counts,
    /// x̃ `[B, G]`.
    pub(super) standardised: Tensor,
    /// Distinct rows of D, `[C, T]`.
    pub(super) conditions: Tensor,
    /// `[B]`.
    pub(super) condition_of_cell: Tensor,
    /// Conditions, flagged 1 where the cell fails quality control.
    pub(super) cells: Assignment,
    /// α or 1 − α, `[1, B]`.
    pub(super) reconstruction_weights: Tensor,
    /// Σ_b D_bt / n_t / B, `[1, T]`.
    pub(super) treatment_weights: Tensor,
    /// Σ_b qc_b / n_qc / B.
    pub(super) artifact_weight: f64,
    /// ΔX − fc, `[B, T]`.
    pub(super) shift_targets: Tensor,
    /// 1 where the treatment is measured, `[1, T]`.
    pub(super) treatment_measured: Tensor,
    pub(super) measured_treatments: usize,
    pub(super) partners: Option<Partners>,
}

impl Batch {
    /// Move a batch to `device`.
    pub fn new(data: BatchData, context: &BatchContext, device: &Device) -> Result<Self> {
        let cells = data.library.len();
        let treatments = context.treatment_measured.len();
        let genes = data.counts.len() / cells.max(1);

        let mut number_of = BTreeMap::new();
        for dosage in &data.dosages {
            let next = number_of.len() as u32;
            number_of.entry(dosage).or_insert(next);
        }
        let mut conditions = vec![0.0f32; number_of.len() * treatments];
        for (dosage, &condition) in &number_of {
            dosage.iter().for_each(|&treatment| {
                conditions[condition as usize * treatments + treatment as usize] = 1.0;
            });
        }
        let condition_of_cell: Vec<u32> = data.dosages.iter().map(|dosage| number_of[dosage]).collect();

        let failed: Vec<f32> = data.quality_failed.iter().map(|&failed| f32::from(u8::from(failed))).collect();
        let failing = f64::from(failed.iter().sum::<f32>());
        let alpha = context.alpha.unwrap_or(failing / cells.max(1) as f64) as f32;
        let weights: Vec<f32> =
            data.quality_failed.iter().map(|&failed| if failed { 1.0 - alpha } else { alpha }).collect();
        let mut treatment_weights = vec![0.0f32; treatments];
        for &treatment in data.dosages.iter().flatten() {
            let cells_with = context.cells_per_treatment[treatment as usize];
            if cells_with > 0.0 {
                treatment_weights[treatment as usize] += 1.0 / cells_with / cells as f32;
            }
        }
        let artifact_weight = match context.failing_cells {
            0.0 => 0.0,
            all => failing / f64::from(all) / cells as f64,
        };
        let measured: Vec<f32> = context.treatment_measured.iter().map(|&is| f32::from(u8::from(is))).collect();

        let partners = if data.partner_rows.is_empty() {
            None
        } else {
            let rows = &data.partner_rows;
            let condition = rows.iter().map(|&row| condition_of_cell[row as usize]).collect();
            let flag = rows.iter().map(|&row| 1.0 - failed[row as usize]).collect();
            Some(Partners {
                rows: Tensor::from_slice(rows, rows.len(), device)?,
                cells: Assignment::new(condition, flag),
                standardised: Tensor::from_vec(data.partners, (rows.len(), genes), device)?,
            })
        };
        let targets: Vec<f32> = data.shifts.iter().map(|shift| shift - context.fold_change).collect();
        Ok(Self {
            counts: Counts::new(data.counts, data.library, genes),
            standardised: Tensor::from_vec(data.standardised, (cells, genes), device)?,
            conditions: Tensor::from_vec(conditions, (number_of.len(), treatments), device)?,
            condition_of_cell: Tensor::from_slice(&condition_of_cell, cells, device)?,
            cells: Assignment::new(condition_of_cell, failed),
            reconstruction_weights: Tensor::from_vec(weights, (1, cells), device)?,
            treatment_weights: Tensor::from_vec(treatment_weights, (1, treatments), device)?,
            artifact_weight,
            shift_targets: Tensor::from_vec(targets, (cells, treatments), device)?,
            measured_treatments: context.treatment_measured.iter().filter(|&&is| is).count(),
            treatment_measured: Tensor::from_vec(measured, (1, treatments), device)?,
            partners,
        })
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}

/// (log(1 + x) − mean) / std; NaN and −∞ become 1e-6, +∞ becomes 1e6 (a gene without variation in training).
pub fn standardise(count: f32, mean: f32, std: f32) -> f32 {
    let value = (count.ln_1p() - mean) / std;
    match value {
        value if value.is_nan() || value == f32::NEG_INFINITY => 1e-6,
        f32::INFINITY => 1e6,
        value => value,
    }
}
