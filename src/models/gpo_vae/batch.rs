//! What a training step reads.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::memory::StepSize;
use super::reading::{DenseCells, SparseCells};
use crate::models::nn::counts::Counts;

/// A batch in plain arrays: B cells, G genes, T treatments.
#[derive(Clone, Debug, Default)]
pub struct BatchData {
    /// The cells by their counts that are not 0, in place of `counts`, `standardised` and `partners`.
    pub sparse: Option<SparseCells>,
    /// Raw counts, B × G.
    pub counts: Vec<f32>,
    /// x̃, what the encoder of the basal state reads, B × G, see [`super::InputScale::of`].
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
    /// Their partners as the encoder reads them, one row of G each.
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

/// The treatments that occur among some cells, and which of them each cell received.
#[derive(Clone, Debug, Default)]
pub struct Present {
    /// Rising. Never empty: among control cells alone it is the first of all.
    pub treatments: Vec<u32>,
    /// By cell: where its places begin; one more for the end.
    offsets: Vec<u32>,
    /// Positions in `treatments`.
    places: Vec<u32>,
}

impl Present {
    fn of<'a>(dosages: impl Iterator<Item = &'a Vec<u32>> + Clone) -> Self {
        let mut treatments: Vec<u32> = dosages.clone().flatten().copied().collect();
        treatments.sort_unstable();
        treatments.dedup();
        let (mut offsets, mut places) = (vec![0], Vec::new());
        for dosage in dosages {
            places.extend(
                dosage.iter().filter_map(|treatment| treatments.binary_search(treatment).ok()).map(|at| at as u32),
            );
            offsets.push(places.len() as u32);
        }
        if treatments.is_empty() {
            treatments.push(0);
        }
        Self { treatments, offsets, places }
    }

    /// Where the treatments of `cell` stand in `treatments`.
    pub fn of_cell(&self, cell: usize) -> &[u32] {
        &self.places[self.offsets[cell] as usize..self.offsets[cell + 1] as usize]
    }
}

/// The cells of a batch that have a counterfactual partner.
pub(super) struct Partners {
    /// Positions in the batch.
    pub rows: Vec<u32>,
    /// 1 where the cell passes quality control.
    pub flags: Vec<f32>,
    /// The treatments of these cells.
    pub present: Present,
}

/// The cells of a batch in full, on the processor.
pub(super) struct Dense {
    pub counts: Counts,
    /// x̃, B × G.
    pub standardised: Vec<f32>,
    /// The partners, standardised, B' × G.
    pub partners: Vec<f32>,
}

impl Dense {
    fn new(cells: DenseCells, library: &[f32]) -> Self {
        let genes = cells.counts.len() / library.len().max(1);
        let counts = Counts::new(cells.counts, library.to_vec(), genes);
        Self { counts, standardised: cells.read, partners: cells.partners }
    }
}

/// A batch with all that its loss needs.
pub struct Batch {
    /// Its cells by their counts that are not 0; none where they were given in full, or are no longer needed.
    sparse: Option<SparseCells>,
    /// Its cells in full, once they are needed.
    dense: OnceLock<Dense>,
    library: Vec<f32>,
    pub(super) present: Present,
    /// Distinct sets of treatments.
    pub(super) conditions: Vec<Vec<u32>>,
    /// By cell.
    pub(super) condition_of_cell: Vec<u32>,
    /// 1 where the cell fails quality control.
    pub(super) failed: Vec<f32>,
    /// α or 1 − α, by cell.
    pub(super) reconstruction_weights: Vec<f32>,
    /// Σ_b D_bt / n_t / B, T.
    pub(super) treatment_weights: Vec<f32>,
    /// Σ_b qc_b / n_qc / B.
    pub(super) artifact_weight: f64,
    /// ΔX − fc, B × T.
    pub(super) shift_targets: Vec<f32>,
    /// 1 where the treatment is measured, T.
    pub(super) treatment_measured: Vec<f32>,
    pub(super) measured_treatments: usize,
    pub(super) partners: Option<Partners>,
}

impl Batch {
    /// What `data` gives under `context`.
    pub fn new(data: BatchData, context: &BatchContext) -> Self {
        let cells = data.library.len();
        let treatments = context.treatment_measured.len();
        let mut number_of = BTreeMap::new();
        for dosage in &data.dosages {
            let next = number_of.len() as u32;
            number_of.entry(dosage).or_insert(next);
        }
        let mut conditions = vec![Vec::new(); number_of.len()];
        for (dosage, &condition) in &number_of {
            conditions[condition as usize].clone_from(dosage);
        }
        let condition_of_cell: Vec<u32> = data.dosages.iter().map(|dosage| number_of[dosage]).collect();

        let failed: Vec<f32> = data.quality_failed.iter().map(|&failed| f32::from(u8::from(failed))).collect();
        let failing = f64::from(failed.iter().sum::<f32>());
        let alpha = context.alpha.unwrap_or(failing / cells.max(1) as f64) as f32;
        let reconstruction_weights =
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
        let partners = (!data.partner_rows.is_empty()).then(|| Partners {
            flags: data.partner_rows.iter().map(|&row| 1.0 - failed[row as usize]).collect(),
            present: Present::of(data.partner_rows.iter().map(|&row| &data.dosages[row as usize])),
            rows: data.partner_rows,
        });
        let dense = OnceLock::new();
        if data.sparse.is_none() {
            let given = DenseCells { counts: data.counts, read: data.standardised, partners: data.partners };
            dense.get_or_init(|| Dense::new(given, &data.library));
        }
        Self {
            sparse: data.sparse,
            dense,
            library: data.library,
            present: Present::of(data.dosages.iter()),
            conditions,
            condition_of_cell,
            failed,
            reconstruction_weights,
            treatment_weights,
            artifact_weight,
            shift_targets: data.shifts.iter().map(|shift| shift - context.fold_change).collect(),
            measured_treatments: context.treatment_measured.iter().filter(|&&is| is).count(),
            treatment_measured: context.treatment_measured.iter().map(|&is| f32::from(u8::from(is))).collect(),
            partners,
        }
    }

    /// Its cells in full: made when they are first asked for.
    pub(super) fn dense(&self) -> &Dense {
        self.dense.get_or_init(|| {
            let sparse = self.sparse.as_ref().expect("cells are given one way or the other");
            Dense::new(sparse.dense(), &self.library)
        })
    }

    /// Make its cells in full now, for a step on the processor.
    pub fn make_dense(&mut self) {
        self.dense();
        self.sparse = None;
    }

    /// Its cells by their counts that are not 0, where they lie so.
    pub(super) fn sparse(&self) -> Option<&SparseCells> {
        self.sparse.as_ref()
    }

    /// Library sizes, B.
    pub(super) fn library(&self) -> &[f32] {
        &self.library
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.failed.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.failed.is_empty()
    }

    /// The treatments whose effects the measured cells need.
    pub fn treatments(&self) -> &[u32] {
        &self.present.treatments
    }

    /// What a step on it works on.
    pub fn size(&self) -> StepSize {
        StepSize {
            cells: self.len(),
            treatments: self.treatments().len(),
            partners: self.partners.as_ref().map_or(0, |partners| partners.rows.len()),
            partner_treatments: self.partner_treatments().len(),
            conditions: self.conditions.len(),
        }
    }

    /// The treatments whose effects the counterfactual partners need.
    pub fn partner_treatments(&self) -> &[u32] {
        self.partners.as_ref().map_or(&[], |partners| &partners.present.treatments)
    }
}
