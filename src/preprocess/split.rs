//! Which cells train, which stop the training, which judge it.
//!
//! Cells are split within each condition, so that every perturbation (and the control) is judged on cells of its own.
//! Each condition draws from its own random stream, named after it: leaving one perturbation out does not move the
//! cells of another. The published protocol shuffles all cells at once; shares agree up to rounding.

use rand::seq::SliceRandom as _;

use crate::random;

/// What a cell is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// For the gradient.
    Training,
    /// For early stopping.
    Validation,
    /// Never in training.
    Test,
}

impl Split {
    /// All three, in the order of use.
    pub const ALL: [Self; 3] = [Self::Training, Self::Validation, Self::Test];

    /// In words: `training`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// How the cells of a screen are divided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    /// Share of all cells, 0 to 1.
    pub test: f64,
    /// Share of the cells that are not for testing, 0 to 1.
    pub validation: f64,
}

impl Shares {
    /// Split the `cells` cells of the condition `name`, in their order. Numbers are rounded; with two cells or more a
    /// share above zero gets at least one test cell, and at least one cell is left for training unless a share is 1.
    pub fn divide(self, cells: usize, name: &str, seed: u64) -> Vec<Split> {
        let test = portion(cells, self.test);
        let validation = portion(cells - test, self.validation);
        let mut splits = vec![Split::Test; test];
        splits.resize(test + validation, Split::Validation);
        splits.resize(cells, Split::Training);
        splits.shuffle(&mut random::stream(seed, &format!("split of {name}")));
        splits
    }
}

/// The share of `cells`, rounded, but neither none nor all of them where that can be helped.
fn portion(cells: usize, share: f64) -> usize {
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    let wanted = (cells as f64 * share).round() as usize;
    if share == 0.0 || share == 1.0 || cells < 2 {
        return if share == 1.0 { cells } else { 0 };
    }
    wanted.clamp(1, cells - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn count(splits: &[Split], which: Split) -> usize {
        splits.iter().filter(|split| **split == which).count()
    }

    #[test]
    fn a_hundred_cells_are_split_64_16_20() {
        let splits = Shares { test: 0.2, validation: 0.2 }.divide(100, "STAT1", 7);
        assert_eq!(Split::ALL.map(|which| count(&splits, which)), [64, 16, 20]);
    }

    #[test]
    fn small_conditions_keep_a_cell_for_training() {
        let shares = Shares { test: 0.2, validation: 0.2 };
        assert_eq!(Split::ALL.map(|which| count(&shares.divide(1, "A", 1), which)), [1, 0, 0]);
        assert_eq!(Split::ALL.map(|which| count(&shares.divide(2, "A", 1), which)), [1, 0, 1]);
        assert_eq!(Split::ALL.map(|which| count(&shares.divide(3, "A", 1), which)), [1, 1, 1]);
        assert!(shares.divide(0, "A", 1).is_empty());
    }

    proptest! {
        #[test]
        fn splits_have_their_shares_and_follow_seed_and_name(
            cells in 2usize..400, test in 0.0..0.9f64, validation in 0.0..0.9f64, seed: u64,
        ) {
            let shares = Shares { test, validation };
            let splits = shares.divide(cells, "STAT1", seed);
            prop_assert_eq!(splits.len(), cells);
            prop_assert!((count(&splits, Split::Test) as f64 - cells as f64 * test).abs() <= 1.0);
            prop_assert!(count(&splits, Split::Training) >= 1);
            prop_assert_eq!(&splits, &shares.divide(cells, "STAT1", seed));
            if cells > 100 && count(&splits, Split::Test) > 10 {
                prop_assert_ne!(&splits, &shares.divide(cells, "STAT1", seed.wrapping_add(1)));
                prop_assert_ne!(&splits, &shares.divide(cells, "JAK2", seed));
            }
        }
    }
}
