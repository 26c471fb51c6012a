//! Cells of a prepared screen as batches.

use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::direct::DirectShifts;
use super::run::stream;
use crate::models::TrainConfig;
use crate::models::gpo_vae::{
    Alignment, BatchContext, BatchData, GpoVaeConfig, InputScale, OwnEffect, Reading, SparseCells,
};
use crate::preprocess::escape::Responding;
use crate::preprocess::{PreparedScreen, Split};
use crate::random::Rng;

/// Makes batches, as sparse as the screen.
pub(super) struct Batches<'a> {
    screen: &'a PreparedScreen,
    /// What the encoder reads of the counts.
    reading: Arc<Reading>,
    /// Positions (among the kept cells) of the training cells; some several times where they are drawn with replacement.
    training: Vec<u32>,
    /// Treatments of each kept cell that it is taken to respond to.
    dosages: Vec<Vec<u32>>,
    /// ln of the probability before its counts were seen that a cell responds, or that it escaped, as it is taken to, over that
    /// after.
    log_ratios: Vec<f64>,
    targets: Targets,
}

/// What the network is aligned with.
enum Targets {
    /// Nothing: the screen is only judged on.
    None,
    /// The shifts of the cells.
    Cells,
    Direct(DirectShifts),
}

impl<'a> Batches<'a> {
    /// Whether a cell responds to its perturbation is drawn once, by its probability.
    pub fn new(screen: &'a PreparedScreen, config: &TrainConfig, responding: &Responding) -> Self {
        let (means, deviations) = match config.model.input {
            InputScale::LogStandardise => (&screen.log_mean, &screen.log_std),
            InputScale::Standardise | InputScale::None => (&screen.mean, &screen.std),
        };
        let reading = Reading::new(config.model.input, means, deviations, &screen.partners);
        let training = positions(screen, Split::Training);
        let training = match config.member {
            Some(_) => drawn_again(screen, &training, &mut stream(config, "cells")),
            None => training,
        };
        let targets = match config.model.alignment {
            _ if screen.shifts.is_empty() => Targets::None,
            Alignment::Cells => Targets::Cells,
            Alignment::DirectShifts => Targets::Direct(DirectShifts::of(screen, &training)),
        };
        let (dosages, log_ratios) = assigned(screen, responding, &mut stream(config, "escaped cells"));
        Self { training, dosages, log_ratios, targets, screen, reading: Arc::new(reading) }
    }

    /// Positions (among the kept cells) of the cells used as `split`; a training cell that was drawn twice is there twice.
    pub fn cells(&self, split: Split) -> Vec<u32> {
        match split {
            Split::Training => self.training.clone(),
            other => positions(self.screen, other),
        }
    }

    /// The counterfactual partner of the cell at this position, one of the same perturbation: none where it escaped that.
    fn partner(&self, cell: usize) -> Option<u32> {
        let escaped = self.dosages[cell].len() < self.screen.dosages[cell].len();
        self.screen.partner_of_cell[cell].filter(|_| !escaped)
    }

    /// What the network is aligned with, where it is not the shifts of the cells.
    pub fn direct(&self) -> Option<&DirectShifts> {
        if let Targets::Direct(direct) = &self.targets { Some(direct) } else { None }
    }

    /// What all batches share, counted over the training cells.
    pub fn context(&self, config: &GpoVaeConfig) -> BatchContext {
        let screen = self.screen;
        let mut cells_per_treatment = vec![0.0; screen.treatments.len()];
        let mut failing_cells = 0.0;
        for &cell in &self.cells(Split::Training) {
            let cell = cell as usize;
            self.dosages[cell].iter().for_each(|&treatment| cells_per_treatment[treatment as usize] += 1.0);
            failing_cells += f32::from(u8::from(screen.quality_failed[cell]));
        }
        BatchContext {
            cells_per_treatment,
            failing_cells,
            treatment_measured: screen.treatment_columns.iter().map(Option::is_some).collect(),
            // Direct shifts are logits: 0 is even already.
            fold_change: if self.direct().is_some() { 0.0 } else { config.fold_change as f32 },
            alpha: config.alpha,
        }
    }

    /// What treatments do to the gene that they perturb, by the counts of the training cells that respond to it alone, and of half a
    /// middling control cell: of few cells as little is believed.
    pub fn own_effects(&self) -> Vec<OwnEffect> {
        let screen = self.screen;
        let mut by_treatment = vec![Vec::new(); screen.treatments.len()];
        let mut control = Vec::new();
        for &cell in &self.training {
            match self.dosages[cell as usize][..] {
                [] => control.push(cell),
                [treatment] => by_treatment[treatment as usize].push(cell),
                _ => {}
            }
        }
        let library =
            |cells: &[u32]| -> f64 { cells.iter().map(|&cell| f64::from(screen.library_sizes[cell as usize])).sum() };
        let count = |cells: &[u32], column: u32| -> f64 {
            let row = |cell: u32| screen.dataset.matrix().row(screen.cells[cell as usize] as usize);
            cells.iter().map(|&cell| f64::from(row(cell).get(column))).sum()
        };
        let of_control = library(&control);
        let middling = 0.5 * of_control / control.len().max(1) as f64;
        let of = |(treatment, cells): (usize, &Vec<u32>)| {
            let column = screen.treatment_columns[treatment].filter(|_| !cells.is_empty() && middling > 0.0)?;
            let share = count(&control, column) / of_control;
            let own = (count(cells, column) + middling * share) / (library(cells) + middling);
            (share > 0.0).then(|| OwnEffect { treatment, column: column as usize, log_fold: (own / share).ln() as f32 })
        };
        by_treatment.iter().enumerate().filter_map(of).collect()
    }

    /// What is added to the log weight of a draw of the cell at this position, as it was drawn whether it responds.
    pub fn log_ratio(&self, cell: u32) -> f64 {
        self.log_ratios[cell as usize]
    }

    /// The cells at these positions.
    pub fn batch(&self, cells: &[u32]) -> BatchData {
        let screen = self.screen;
        let treatments = screen.treatments.len();
        let (mut data, mut sparse) = (BatchData::default(), SparseCells::new(Arc::clone(&self.reading)));
        data.shifts.reserve(cells.len() * treatments);
        for (row, &cell) in cells.iter().enumerate() {
            let cell = cell as usize;
            let partner = self.partner(cell);
            sparse.push(screen.dataset.matrix().row(screen.cells[cell] as usize).iter(), partner);
            if partner.is_some() {
                data.partner_rows.push(row as u32);
            }
            data.library.push(screen.library_sizes[cell]);
            let dosages = &self.dosages[cell];
            data.dosages.push(dosages.clone());
            data.quality_failed.push(screen.quality_failed[cell]);
            match &self.targets {
                Targets::Direct(direct) => data.shifts.extend(direct.of_cell(dosages)),
                Targets::Cells => data.shifts.extend_from_slice(&screen.shifts[cell * treatments..][..treatments]),
                Targets::None => data.shifts.resize((row + 1) * treatments, 0.0),
            }
        }
        BatchData { sparse: Some(sparse), ..data }
    }
}

/// The treatments that every kept cell responds to, and the log ratios of [`Batches::log_ratio`].
fn assigned(screen: &PreparedScreen, responding: &Responding, random: &mut Rng) -> (Vec<Vec<u32>>, Vec<f64>) {
    let of = |(dosages, &probability): (&Vec<u32>, &f32)| {
        let share = match dosages[..] {
            [treatment] => responding.shares[treatment as usize],
            _ => None,
        };
        let Some(share) = share.map(f64::from) else { return (dosages.clone(), 0.0) };
        let probability = f64::from(probability);
        match probability >= 1.0 || random.random_bool(probability) {
            true => (dosages.clone(), (share / probability).ln()),
            false => (Vec::new(), ((1.0 - share) / (1.0 - probability)).ln()),
        }
    };
    screen.dosages.iter().zip(&responding.probabilities).map(of).unzip()
}

fn positions(screen: &PreparedScreen, split: Split) -> Vec<u32> {
    let cells = screen.splits.iter().enumerate().filter(|(_, is)| **is == split);
    cells.map(|(cell, _)| cell as u32).collect()
}

/// As many of `cells` under every perturbation, and control, drawn with replacement; rising.
fn drawn_again(screen: &PreparedScreen, cells: &[u32], random: &mut Rng) -> Vec<u32> {
    let mut by_condition: BTreeMap<&[u32], Vec<u32>> = BTreeMap::new();
    for &cell in cells {
        by_condition.entry(&screen.dosages[cell as usize]).or_default().push(cell);
    }
    let mut drawn = Vec::with_capacity(cells.len());
    for cells in by_condition.values() {
        drawn.extend((0..cells.len()).filter_map(|_| cells.choose(random)).copied());
    }
    drawn.sort_unstable();
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::simulate::{SimulateConfig, simulate};
    use crate::jobs::Silent;
    use crate::preprocess::{PrepareConfig, prepare};

    #[test]
    fn cells_are_drawn_to_respond_by_their_probability_and_weighed_by_it() {
        let dataset = Arc::new(simulate(&SimulateConfig::small(), &Silent).unwrap().dataset);
        let config = PrepareConfig { minimum_cells: 5, ..PrepareConfig::default() };
        let screen = prepare(&dataset, &config, 1, &Silent).unwrap();
        let mut told = Responding::all(&screen);
        told.shares[0] = Some(0.75);
        let of_first: Vec<usize> = (0..screen.cells.len()).filter(|&cell| screen.dosages[cell] == [0]).collect();
        for (at, &cell) in of_first.iter().enumerate() {
            told.probabilities[cell] = [1.0, 0.6, 0.0][at % 3];
        }
        let (dosages, logs) = assigned(&screen, &told, &mut crate::random::stream(1, "escape"));
        for (at, &cell) in of_first.iter().enumerate() {
            let responds = dosages[cell] == [0];
            let expected = match (at % 3, responds) {
                // As sure as can be, before the counts were seen it was not.
                (0, true) => 0.75f64.ln(),
                (1, true) => (0.75f64 / 0.6).ln(),
                (1, false) => (0.25f64 / 0.4).ln(),
                (2, false) => 0.25f64.ln(),
                other => panic!("{other:?}"),
            };
            assert!((logs[cell] - expected).abs() < 1e-6);
        }
        let others = (0..screen.cells.len()).filter(|cell| !of_first.contains(cell));
        others.for_each(|cell| assert_eq!((&dosages[cell], logs[cell]), (&screen.dosages[cell], 0.0)));
    }

    #[test]
    fn own_effects_are_the_fold_changes_of_the_perturbed_genes() {
        let simulated = SimulateConfig { efficiency_spread: 0.0, efficiency_mean: 0.9, ..SimulateConfig::small() };
        let dataset = Arc::new(simulate(&simulated, &Silent).unwrap().dataset);
        let config = PrepareConfig { minimum_cells: 5, ..PrepareConfig::default() };
        let screen = prepare(&dataset, &config, 1, &Silent).unwrap();
        let batches = Batches::new(&screen, &TrainConfig::default(), &Responding::all(&screen));
        let own = batches.own_effects();
        assert_eq!(own.len(), screen.treatment_columns.iter().flatten().count().min(screen.perturbed_treatments));
        // Guides of one gene do nothing; of the others about a tenth is left, and more where cells escaped.
        let lowered = own.iter().filter(|own| (-4.0..-0.7).contains(&own.log_fold)).count();
        assert!(lowered + 2 >= own.len() && lowered > 3, "{own:?}");
        assert!(own.iter().all(|own| screen.treatment_columns[own.treatment] == Some(own.column as u32)));
    }
}
