//! The importance-weighted bound of the log-likelihood, from log weights that arrive in any number of portions.
//!
//! For a cell x and K draws of the latent variables h from the posterior q, w_k = p(x, h_k) / q(h_k | x). Then
//! log (1/K · Σ w_k) is a lower bound of log p(x) on average, at least as tight as the ELBO, the mean of log w_k, and tighter the
//! larger K is (Burda, Grosse and Salakhutdinov 2016).

/// The weights of some cells so far; memory does not grow with their number.
#[derive(Clone, Debug)]
pub struct ImportanceWeights {
    count: usize,
    cells: Vec<Sums>,
}

/// Sums over the weights of a cell, scaled by the largest so that nothing overflows.
#[derive(Clone, Copy, Debug)]
struct Sums {
    largest: f64,
    /// Σ w / largest.
    weights: f64,
    /// Σ (w / largest)².
    squares: f64,
    /// Σ log w.
    logs: f64,
}

impl ImportanceWeights {
    /// Of so many cells, before the first draw.
    pub fn new(cells: usize) -> Self {
        let none = Sums { largest: f64::NEG_INFINITY, weights: 0.0, squares: 0.0, logs: 0.0 };
        Self { count: 0, cells: vec![none; cells] }
    }

    /// One more draw: its log weight in every cell. Cells beyond those given keep what they have.
    pub fn add(&mut self, log_weights: &[f64]) {
        self.count += 1;
        for (sums, &log) in self.cells.iter_mut().zip(log_weights) {
            sums.logs += log;
            if log > sums.largest {
                let scale = (sums.largest - log).exp();
                sums.weights = sums.weights * scale + 1.0;
                sums.squares = sums.squares * scale * scale + 1.0;
                sums.largest = log;
            } else if log > f64::NEG_INFINITY {
                let share = (log - sums.largest).exp();
                sums.weights += share;
                sums.squares += share * share;
            } else if log.is_nan() {
                sums.weights = f64::NAN;
            }
        }
    }

    /// log (1/K · Σ w) of each cell.
    pub fn bounds(&self) -> Vec<f64> {
        let bound = |sums: &Sums| sums.largest + (sums.weights / self.count as f64).ln();
        self.cells.iter().map(bound).collect()
    }

    /// Mean of log w of each cell: the ELBO with the same draws.
    pub fn elbos(&self) -> Vec<f64> {
        self.cells.iter().map(|sums| sums.logs / self.count as f64).collect()
    }

    /// (Σ w)² / Σ w² of each cell: as how many equal draws its weights count, from 1 to K.
    pub fn effective(&self) -> Vec<f64> {
        self.cells.iter().map(|sums| sums.weights * sums.weights / sums.squares).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(logs: &[f64]) -> ImportanceWeights {
        let mut weights = ImportanceWeights::new(1);
        logs.iter().for_each(|&log| weights.add(&[log]));
        weights
    }

    proptest! {
        #[test]
        fn the_bound_is_the_plain_formula(logs in prop::collection::vec(-30.0f64..30.0, 1..40), shift in -2e4f64..2e4) {
            let plain = (logs.iter().map(|log| log.exp()).sum::<f64>() / logs.len() as f64).ln();
            // Far from 1 the plain formula is infinite or nothing; the difference is the shift.
            let shifted: Vec<f64> = logs.iter().map(|log| log + shift).collect();
            prop_assert!((of(&shifted).bounds()[0] - shift - plain).abs() < 1e-9);
            let effective = of(&shifted).effective()[0];
            prop_assert!(effective > 1.0 - 1e-9 && effective < logs.len() as f64 + 1e-9);
        }

        #[test]
        fn it_is_no_less_than_the_elbo_and_no_less_than_the_mean_of_parts(
            logs in prop::collection::vec(-300.0f64..300.0, 1..10),
            parts in 1usize..6,
        ) {
            let all: Vec<f64> = (0..parts).flat_map(|part| logs.iter().map(move |log| log * (part as f64 - 1.7))).collect();
            let whole = of(&all);
            prop_assert!(whole.bounds()[0] >= whole.elbos()[0] - 1e-9);
            // Fewer draws, on average over which: Jensen's inequality.
            let of_parts: f64 = all.chunks(logs.len()).map(|part| of(part).bounds()[0]).sum::<f64>() / parts as f64;
            prop_assert!(whole.bounds()[0] >= of_parts - 1e-9);
        }
    }

    #[test]
    fn what_is_no_number_stays_none_and_nothing_is_nothing() {
        assert!(of(&[1.0, f64::NAN]).bounds()[0].is_nan());
        assert_eq!(of(&[f64::NEG_INFINITY, 0.0]).bounds()[0], -(2f64.ln()));
        assert_eq!(of(&[f64::NEG_INFINITY]).bounds()[0], f64::NEG_INFINITY);
    }
}
