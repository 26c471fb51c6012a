//! Standardised shifts of the network's genes under any labelling of the cells.

use std::collections::BTreeMap;
use std::f64::consts::LN_2;

use rayon::prelude::*;

use crate::preprocess::PreparedScreen;

/// Added to standard errors (log2): a gene that no cell shows is not certain.
const LEAST_ERROR: f64 = 0.02;

/// The expression of the network's genes in some cells, worked out once for all labellings.
pub(super) struct Measured {
    /// Position of each treatment among the genes kept here; none where it was not measured.
    kept: Vec<Option<u32>>,
    genes: usize,
    /// Where the values of each cell begin, and where the last one's end.
    starts: Vec<usize>,
    /// Of the values that are not 0: the gene, and ln(1 + 10,000 · count / total counts of the cell).
    columns: Vec<u32>,
    values: Vec<f64>,
}

/// Mean of each gene (log2), and the variance of that mean.
type Moments = (Vec<f64>, Vec<f64>);

/// Of each gene the sum over cells of its expression (log2), and of its square.
pub(super) struct Sums {
    count: f64,
    of: Vec<[f64; 2]>,
}

/// Which cells show a treatment's shifts, by their positions.
pub(super) struct Groups {
    pub control: Vec<u32>,
    /// Of each treatment.
    pub treated: Vec<Vec<u32>>,
}

impl Measured {
    /// In the cells at these positions (among the kept ones) of `screen`, a cell as often as it is there.
    pub fn of(screen: &PreparedScreen, cells: &[u32]) -> Self {
        let mut place_of = BTreeMap::new();
        for column in screen.treatment_columns.iter().flatten() {
            let next = place_of.len() as u32;
            place_of.entry(*column).or_insert(next);
        }
        let counts = screen.dataset.matrix();
        let mut place = vec![None; counts.columns()];
        place_of.iter().for_each(|(&column, &at)| place[column as usize] = Some(at));
        let rows = || cells.iter().map(|cell| screen.cells[*cell as usize] as usize);
        let here = |column: &&u32| place[**column as usize].is_some();
        let stored = rows().map(|row| counts.row(row).columns().iter().filter(here).count()).sum();
        let (mut columns, mut values) = (Vec::with_capacity(stored), Vec::with_capacity(stored));
        let mut starts = vec![0];
        for row in rows() {
            let total = counts.row_sum(row);
            if total > 0.0 {
                for (column, count) in counts.row(row).iter() {
                    if let Some(at) = place[column as usize] {
                        columns.push(at);
                        values.push((1e4 * f64::from(count) / total).ln_1p());
                    }
                }
            }
            starts.push(columns.len());
        }
        let kept = screen.treatment_columns.iter().map(|column| column.and_then(|column| place[column as usize]));
        Self { kept: kept.collect(), genes: place_of.len(), starts, columns, values }
    }

    /// |shift| of every gene of the network against control, in standard errors, under each treatment; 0 for a gene that was not
    /// measured, none for a treatment that no two cells show.
    pub fn shifts(&self, groups: &Groups) -> Vec<Option<Vec<f64>>> {
        let base = self.moments(&groups.control);
        let of_group = |cells: &Vec<u32>| groups.shows(cells).then(|| self.standardised(&self.moments(cells), &base));
        groups.treated.par_iter().map(of_group).collect()
    }

    /// The same with the cells `drawn` in place of those of each treatment, from these and the control cells together; the others of both
    /// are its control.
    pub fn redrawn(&self, groups: &Groups, control: &Sums, drawn: &[Vec<u32>]) -> Vec<Option<Vec<f64>>> {
        let of_group = |(cells, drawn): (&Vec<u32>, &Vec<u32>)| {
            groups.shows(cells).then(|| {
                let drawn = self.sums(drawn);
                let rest = control.with(&self.sums(cells), 1.0).with(&drawn, -1.0);
                self.standardised(&drawn.moments(), &rest.moments())
            })
        };
        groups.treated.par_iter().zip(drawn).map(of_group).collect()
    }

    fn standardised(&self, (mean, variance): &Moments, (base, base_variance): &Moments) -> Vec<f64> {
        let shift = |gene: usize| {
            let error = (variance[gene] + base_variance[gene]).sqrt() + LEAST_ERROR;
            ((mean[gene] - base[gene]) / error).abs()
        };
        self.kept.iter().map(|gene| gene.map_or(0.0, |gene| shift(gene as usize))).collect()
    }

    fn of_cell(&self, cell: u32) -> impl Iterator<Item = (usize, f64)> {
        let range = self.starts[cell as usize]..self.starts[cell as usize + 1];
        self.columns[range.clone()].iter().zip(&self.values[range]).map(|(gene, value)| (*gene as usize, *value))
    }

    /// Over these cells.
    pub fn sums(&self, cells: &[u32]) -> Sums {
        let mut sums = Sums { count: cells.len() as f64, of: vec![[0.0; 2]; self.genes] };
        for (gene, value) in cells.iter().flat_map(|&cell| self.of_cell(cell)) {
            let value = value / LN_2;
            sums.of[gene][0] += value;
            sums.of[gene][1] += value * value;
        }
        sums
    }

    /// As [`crate::data::log2_moments`], to the bit, of the genes kept here.
    fn moments(&self, cells: &[u32]) -> Moments {
        let count = cells.len() as f64;
        let mut mean = vec![0.0; self.genes];
        for (gene, value) in cells.iter().flat_map(|&cell| self.of_cell(cell)) {
            mean[gene] += value;
        }
        let scale = 1.0 / (cells.len().max(1) as f64 * LN_2);
        mean.iter_mut().for_each(|value| *value *= scale);
        let mut squares: Vec<f64> = mean.iter().map(|mean| count * mean * mean).collect();
        for (gene, value) in cells.iter().flat_map(|&cell| self.of_cell(cell)) {
            let (value, mean) = (value / LN_2, mean[gene]);
            squares[gene] += (value - mean).powi(2) - mean * mean;
        }
        let variances = squares.iter().map(|square| square.max(0.0) / (count - 1.0) / count).collect();
        (mean, variances)
    }
}

impl Sums {
    /// Each plus `times` the other.
    fn with(&self, other: &Self, times: f64) -> Self {
        let both = self.of.iter().zip(&other.of);
        let of = both.map(|(own, other)| [own[0] + times * other[0], own[1] + times * other[1]]).collect();
        Self { count: self.count + times * other.count, of }
    }

    fn moments(&self) -> Moments {
        let count = self.count;
        let mean = self.of.iter().map(|[sum, _]| sum / count).collect();
        let variance = |[sum, squares]: &[f64; 2]| (squares - sum * sum / count).max(0.0) / (count - 1.0) / count;
        (mean, self.of.iter().map(variance).collect())
    }
}

impl Groups {
    /// Whether a treatment with these cells shows its shifts.
    pub fn shows(&self, cells: &[u32]) -> bool {
        cells.len() > 1 && self.control.len() > 1
    }

    /// Of these cells (positions among the kept ones) of `screen` with their own treatments.
    pub fn of_cells(screen: &PreparedScreen, cells: &[u32]) -> Self {
        Self::of(cells.iter().map(|cell| screen.dosages[*cell as usize].as_slice()), screen.treatments.len())
    }

    /// Of cells with these treatments each: those with a treatment alone, or, where there are fewer than two, all with it.
    pub fn of<'l>(labels: impl IntoIterator<Item = &'l [u32]>, treatments: usize) -> Self {
        let mut control = Vec::new();
        let (mut alone, mut with) = (vec![Vec::new(); treatments], vec![Vec::new(); treatments]);
        for (cell, label) in (0..).zip(labels) {
            match label {
                [] => control.push(cell),
                [only] => alone[*only as usize].push(cell),
                _ => {}
            }
            label.iter().for_each(|treatment| with[*treatment as usize].push(cell));
        }
        let treated = alone.into_iter().zip(with);
        let treated = treated.map(|(alone, with)| if alone.len() > 1 { alone } else { with }).collect();
        Self { control, treated }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::log2_moments;
    use crate::data::simulate::{SimulateConfig, simulate};
    use crate::jobs::Silent;
    use crate::preprocess::{PrepareConfig, prepare};

    #[test]
    fn moments_are_those_of_all_genes() {
        let dataset = Arc::new(simulate(&SimulateConfig::small(), &Silent).unwrap().dataset);
        let config = PrepareConfig { minimum_cells: 5, ..PrepareConfig::default() };
        let screen = prepare(&dataset, &config, 1, &Silent).unwrap();
        // Some several times, as when they are drawn again.
        let cells: Vec<u32> = (0..screen.cells.len() as u32).map(|cell| cell / 3 * 3).collect();
        let (measured, groups) = (Measured::of(&screen, &cells), Groups::of_cells(&screen, &cells));
        let rows: Vec<u32> = groups.control.iter().map(|at| screen.cells[cells[*at as usize] as usize]).collect();
        let (mean, variance) = log2_moments(screen.dataset.matrix(), &rows);
        let found = measured.moments(&groups.control);
        for (kept, column) in measured.kept.iter().zip(&screen.treatment_columns) {
            let (Some(kept), Some(column)) = (kept, column) else { continue };
            let (kept, column) = (*kept as usize, *column as usize);
            assert_eq!((found.0[kept], found.1[kept]), (mean[column], variance[column]), "to the bit");
        }
        let sums = measured.sums(&groups.control).moments();
        let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9);
        assert!(near(&sums.0, &found.0) && near(&sums.1, &found.1));
    }
}
