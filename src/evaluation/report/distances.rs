//! How far the cells of each perturbation are from control cells, from those that a model generates, and from training cells.

use serde::{Deserialize, Serialize};

use super::BOOTSTRAP_SEED;
use crate::evaluation::bootstrap::{Interval, interval_of_mean};

/// A group of cells against the observed ones of the same perturbation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupDistance {
    /// Cells of the group.
    pub cells: usize,
    /// Between them and the observed cells.
    pub e_distance: f64,
    /// The same.
    pub mmd: Option<f64>,
}

/// One perturbation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DistanceRow {
    /// Its name.
    pub perturbation: String,
    /// Observed cells.
    pub cells: usize,
    /// Between observed and control cells.
    pub e_distance: f64,
    /// The same, at most [`Distances::most_kernel_cells`] of each.
    pub mmd: Option<f64>,
    /// That the E-distance is chance.
    pub permutation_p_value: f64,
    /// Benjamini–Hochberg over the perturbations.
    pub adjusted_p_value: f64,
    /// Observed against generated cells; none where no cells were generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<GroupDistance>,
    /// Observed cells against training cells with the same perturbation, the baseline of the generated ones; none where there are no two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<GroupDistance>,
}

/// The mean E-distance of observed cells from something, over the perturbations for which it is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MeanDistance {
    /// From what.
    pub from: String,
    /// Perturbations.
    pub perturbations: usize,
    /// The mean.
    pub e_distance: f64,
    /// Between which values 95 % of it lie where other perturbations of the same kind had been chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Distances {
    /// Principal components that distances are in.
    pub components: usize,
    /// Genes that they are of.
    pub genes: usize,
    /// Control cells.
    pub control_cells: usize,
    /// Shuffles behind the p values.
    pub permutations: usize,
    /// Bandwidth of the kernel of the maximum mean discrepancy: the median distance between control cells.
    pub bandwidth: Option<f64>,
    /// Cells of a group whose kernel is computed at most; of more, a random part.
    pub most_kernel_cells: usize,
    /// One per perturbation with two or more cells.
    pub rows: Vec<DistanceRow>,
    /// Their means, over the perturbations for which all of it is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub means: Vec<MeanDistance>,
}

impl Distances {
    /// With the means of its rows.
    pub(in crate::evaluation) fn with_means(mut self) -> Self {
        self.means = self.mean_distances();
        self
    }

    fn mean_distances(&self) -> Vec<MeanDistance> {
        type Of = fn(&DistanceRow) -> Option<f64>;
        let all: [(&str, Of); 3] = [
            ("control cells", |row| Some(row.e_distance)),
            ("training cells of the same perturbation", |row| Some(row.training?.e_distance)),
            ("generated cells", |row| Some(row.generated?.e_distance)),
        ];
        let known: Vec<&(&str, Of)> =
            all.iter().filter(|(_, of)| self.rows.iter().any(|row| of(row).is_some())).collect();
        let rows: Vec<&DistanceRow> =
            self.rows.iter().filter(|row| known.iter().all(|(_, of)| of(row).is_some_and(f64::is_finite))).collect();
        let mean = |(from, of): &&(&str, Of)| {
            let values: Vec<f64> = rows.iter().filter_map(|row| of(row)).collect();
            MeanDistance {
                from: (*from).to_owned(),
                perturbations: values.len(),
                e_distance: values.iter().sum::<f64>() / values.len() as f64,
                interval: interval_of_mean(&values, BOOTSTRAP_SEED),
            }
        };
        if rows.is_empty() { Vec::new() } else { known.iter().map(mean).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_over_the_same_perturbations() {
        let group = |e_distance| Some(GroupDistance { cells: 5, e_distance, mmd: None });
        let row =
            |e_distance, generated, training| DistanceRow { e_distance, generated, training, ..Default::default() };
        let mut distances =
            Distances { rows: vec![row(3.0, group(1.0), None), row(9.0, None, None)], ..Default::default() };
        let found = distances.mean_distances();
        let told: Vec<(&str, usize, f64)> =
            found.iter().map(|one| (one.from.as_str(), one.perturbations, one.e_distance)).collect();
        assert_eq!(told, [("control cells", 1, 3.0), ("generated cells", 1, 1.0)]);
        assert_eq!(found[0].interval, None, "of too few perturbations");
        distances.rows.extend((0..5).map(|at| row(5.0, group(f64::from(at)), None)));
        let found = &distances.mean_distances()[1];
        assert!(
            found.interval.is_some_and(|interval| interval.low < found.e_distance && found.e_distance < interval.high)
        );
        assert!(Distances::default().mean_distances().is_empty());
    }
}
