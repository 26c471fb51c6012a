//! A batch as it is carried to the GPU: one array of words, and where in it each part lies.

use std::ops::Range;
use std::sync::Arc;

use super::super::batch::{Batch, Present};
use super::super::config::GpoVaeConfig;
use super::super::reading::Reading;

/// Lists one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    /// Where each begins, and the end.
    pub starts: Range<usize>,
    pub entries: Range<usize>,
}

/// Where the cells lie.
#[derive(Clone, Debug)]
pub(super) enum PackedCells {
    /// By their counts that are not 0: genes by cell, counts, and numbers of the partners.
    Sparse { columns: Lists, values: Range<usize>, partners: Range<usize>, reading: Arc<Reading> },
    /// In full: counts, and what the encoder reads of cells and partners.
    Dense { counts: Range<usize>, read: Range<usize> },
}

/// A batch of B cells (B' with a partner) with R rows of effects: those of T' treatments of the cells, then those of the partners. E = B + 2B'
/// rows enter the encoder of the basal state for each particle: cells, cells with a partner, partners.
#[derive(Debug)]
pub struct Packed {
    pub(super) words: Vec<u32>,
    /// B, B', R, T' and distinct conditions.
    pub(super) cells: usize,
    pub(super) partners: usize,
    pub(super) effects: usize,
    pub(super) first_effects: usize,
    pub(super) conditions: usize,
    pub(super) content: PackedCells,
    /// Treatments of the R rows.
    pub(super) rows: Range<usize>,
    /// Where each treatment stands among the rows, of the cells, then of the partners: 2T.
    pub(super) places: Range<usize>,
    /// Rows of effects of each of the E rows.
    pub(super) of_entering: Lists,
    /// The E rows of each row of effects, rising.
    pub(super) of_effects: Lists,
    /// Which own part each of the E rows has.
    pub(super) own_of: Range<usize>,
    /// The artifact's share in each of the E rows.
    pub(super) flags: Range<usize>,
    /// 1 for the E rows under the second draws.
    pub(super) seconds: Range<usize>,
    /// Which partner each cell has; beyond all where none.
    pub(super) partner_of: Range<usize>,
    pub(super) library: Range<usize>,
    /// −1/(B·P) · reconstruction weight.
    pub(super) by_likelihood: Range<usize>,
    /// −1/(B·P), by basal state.
    pub(super) by_basal: Range<usize>,
    /// By the ratios of the R rows: −weight/P, 0 under the second draws.
    pub(super) by_effects: Range<usize>,
    /// By the ratios of the artifacts: 2P.
    pub(super) by_artifacts: Range<usize>,
    /// Σ over cells of 1 / number of training cells, of the T' treatments.
    pub(super) effect_weights: Range<usize>,
    /// Treatments of each condition, conditions of each treatment, cells of each condition.
    pub(super) of_conditions: Lists,
    pub(super) of_treatments: Lists,
    pub(super) condition_cells: Lists,
    /// ΔX − fc, B × T.
    pub(super) targets: Range<usize>,
    pub(super) measured: Range<usize>,
    pub(super) measured_treatments: usize,
}

/// What is put one after the other.
struct Words(Vec<u32>);

impl Words {
    fn whole(&mut self, values: impl IntoIterator<Item = u32>) -> Range<usize> {
        let start = self.0.len();
        self.0.extend(values);
        start..self.0.len()
    }

    fn numbers(&mut self, values: &[f32]) -> Range<usize> {
        self.whole(values.iter().map(|value| value.to_bits()))
    }

    fn lists(&mut self, lists: &[Vec<u32>]) -> Lists {
        let starts = lists.iter().scan(0, |end, list| {
            *end += list.len() as u32;
            Some(*end)
        });
        let starts = self.whole(std::iter::once(0).chain(starts));
        Lists { starts, entries: self.whole(lists.iter().flatten().copied()) }
    }
}

/// For every one of `count`, the lists that hold it.
fn turned(lists: &[Vec<u32>], count: usize) -> Vec<Vec<u32>> {
    let mut holders = vec![Vec::new(); count];
    for (at, list) in lists.iter().enumerate() {
        list.iter().for_each(|&entry| holders[entry as usize].push(at as u32));
    }
    holders
}

impl Packed {
    /// Of a batch of a model with these settings.
    pub fn new(batch: &Batch, config: &GpoVaeConfig) -> Self {
        let (cells, particles) = (batch.len(), config.particles);
        let treatments = batch.treatment_measured.len();
        let partners = batch.partners.as_ref().filter(|_| config.beta != 0.0);
        let [first, second] = [batch.treatments(), partners.map_or(&[][..], |partners| &partners.present.treatments)];
        let rows = [first, second].concat();
        let mut places = vec![u32::MAX; 2 * treatments];
        for (at, &treatment) in rows.iter().enumerate() {
            places[if at < first.len() { 0 } else { treatments } + treatment as usize] = at as u32;
        }

        let of_cell = |present: &Present, cell: usize, from: usize| -> Vec<u32> {
            present.of_cell(cell).iter().map(|place| place + from as u32).collect()
        };
        let mut entering: Vec<Vec<u32>> = (0..cells).map(|cell| of_cell(&batch.present, cell, 0)).collect();
        let mut own_of: Vec<u32> = (0..cells as u32).collect();
        let (mut flags, mut seconds) = (batch.failed.clone(), vec![0; cells]);
        let mut partner_of = vec![u32::MAX; cells];
        let count = partners.map_or(0, |partners| partners.rows.len());
        if let Some(partners) = partners {
            for (at, &cell) in partners.rows.iter().enumerate() {
                entering.push(of_cell(&batch.present, cell as usize, 0));
                partner_of[cell as usize] = at as u32;
            }
            entering.extend((0..count).map(|at| of_cell(&partners.present, at, first.len())));
            own_of.extend(partners.rows.iter().copied().chain(cells as u32..(cells + count) as u32));
            flags.extend(partners.flags.iter().chain(&partners.flags));
            seconds.extend((0..2 * count).map(|at| u32::from(at >= count)));
        }

        let weight = -1.0 / (cells * particles) as f64;
        let by_likelihood: Vec<f32> =
            batch.reconstruction_weights.iter().map(|own| (weight * f64::from(*own)) as f32).collect();
        let effect_weights: Vec<f32> = first.iter().map(|&at| batch.treatment_weights[at as usize]).collect();
        let mut by_effects: Vec<f32> = effect_weights.iter().map(|weight| -weight / particles as f32).collect();
        by_effects.resize(rows.len(), 0.0);
        let mut by_artifacts = vec![(-batch.artifact_weight / particles as f64) as f32; particles];
        by_artifacts.resize(2 * particles, 0.0);
        let mut condition_cells = vec![Vec::new(); batch.conditions.len()];
        for (cell, &condition) in batch.condition_of_cell.iter().enumerate() {
            condition_cells[condition as usize].push(cell as u32);
        }

        let stored = batch.sparse().map_or(0, |sparse| sparse.values.len());
        let mut words = Words(Vec::with_capacity(2 * stored + cells * (treatments + 64) + 8 * treatments + 1024));
        let content = match batch.sparse() {
            Some(sparse) => PackedCells::Sparse {
                columns: Lists {
                    starts: words.whole(sparse.starts.iter().copied()),
                    entries: words.whole(sparse.columns.iter().copied()),
                },
                values: words.numbers(&sparse.values),
                partners: words.whole(sparse.partners.iter().copied().take(count)),
                reading: Arc::clone(&sparse.reading),
            },
            None => {
                let dense = batch.dense();
                let counts = words.numbers(dense.counts.values());
                let start = words.numbers(&dense.standardised).start;
                // Without their term in the loss the partners are not read.
                let end = if count > 0 { words.numbers(&dense.partners).end } else { words.0.len() };
                PackedCells::Dense { counts, read: start..end }
            }
        };
        Self {
            cells,
            partners: count,
            effects: rows.len(),
            first_effects: first.len(),
            conditions: batch.conditions.len(),
            content,
            of_effects: words.lists(&turned(&entering, rows.len())),
            rows: words.whole(rows),
            places: words.whole(places),
            of_entering: words.lists(&entering),
            own_of: words.whole(own_of),
            flags: words.numbers(&flags),
            seconds: words.whole(seconds),
            partner_of: words.whole(partner_of),
            library: words.numbers(batch.library()),
            by_likelihood: words.numbers(&by_likelihood),
            by_basal: words.numbers(&[weight as f32]),
            by_effects: words.numbers(&by_effects),
            by_artifacts: words.numbers(&by_artifacts),
            effect_weights: words.numbers(&effect_weights),
            of_treatments: words.lists(&turned(&batch.conditions, treatments)),
            of_conditions: words.lists(&batch.conditions),
            condition_cells: words.lists(&condition_cells),
            targets: words.numbers(&batch.shift_targets),
            measured: words.numbers(&batch.treatment_measured),
            measured_treatments: batch.measured_treatments,
            words: words.0,
        }
    }

    /// B.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// Rows that enter the encoder of the basal state for each particle.
    pub(super) fn entering(&self) -> usize {
        self.cells + 2 * self.partners
    }
}
