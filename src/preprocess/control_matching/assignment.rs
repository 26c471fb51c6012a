//! The cheapest one-to-one assignment (the problem that the Hungarian method solved first), by shortest augmenting paths
//! with dual prices (Jonker & Volgenant 1987; Crouse 2016, as SciPy's `linear_sum_assignment`).

use super::costs::Costs;
use crate::jobs::{Cancelled, Progress};

/// The column assigned to each row, no column twice, so that the sum of `costs` is the smallest possible. There must be at
/// least as many columns as rows. O(rows²·columns) at worst.
pub fn assign(costs: &Costs, progress: &dyn Progress) -> Result<Vec<usize>, Cancelled> {
    let (rows, columns) = (costs.rows(), costs.columns());
    assert!(rows <= columns, "every row needs a column of its own");
    let (mut row_price, mut column_price) = (vec![0.0; rows], vec![0.0; columns]);
    let mut column_of: Vec<Option<usize>> = vec![None; rows];
    let mut row_of: Vec<Option<usize>> = vec![None; columns];
    let mut distance = vec![0.0; columns];
    // The row from which each column is reached.
    let mut from = vec![0; columns];
    let mut open: Vec<usize> = Vec::with_capacity(columns);
    for start in 0..rows {
        progress.check()?;
        distance.fill(f64::INFINITY);
        open.clear();
        open.extend(0..columns);
        let mut closed: Vec<usize> = Vec::new();
        let (mut row, mut shortest) = (start, 0.0);
        // Grow the tree of shortest paths until it reaches a free column.
        let end = loop {
            let here = costs.row(row);
            let offset = shortest - row_price[row];
            let (mut best, mut best_at) = (f64::INFINITY, 0);
            for (at, &column) in open.iter().enumerate() {
                let length = offset + here[column] - column_price[column];
                if length < distance[column] {
                    distance[column] = length;
                    from[column] = row;
                }
                // Of equals a free column ends the search.
                let reached = distance[column];
                if reached < best || (reached == best && row_of[column].is_none()) {
                    (best, best_at) = (reached, at);
                }
            }
            shortest = best;
            let column = open.swap_remove(best_at);
            closed.push(column);
            match row_of[column] {
                Some(next) => row = next,
                None => break column,
            }
        };
        row_price[start] += shortest;
        for &column in &closed {
            if let Some(row) = row_of[column] {
                row_price[row] += shortest - distance[column];
            }
            column_price[column] -= shortest - distance[column];
        }
        // Turn the path around.
        let mut column = end;
        loop {
            let row = from[column];
            row_of[column] = Some(row);
            let before = column_of[row].replace(column);
            match before {
                Some(before) => column = before,
                None => break,
            }
        }
    }
    Ok(column_of.into_iter().map(|column| column.unwrap_or_default()).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::jobs::Silent;

    /// The smallest sum over all ways to give each row a column of its own.
    fn cheapest(costs: &Costs, row: usize, taken: &mut Vec<bool>) -> f64 {
        if row == costs.rows() {
            return 0.0;
        }
        let mut best = f64::INFINITY;
        for column in 0..costs.columns() {
            if !taken[column] {
                taken[column] = true;
                best = best.min(costs.get(row, column) + cheapest(costs, row + 1, taken));
                taken[column] = false;
            }
        }
        best
    }

    #[test]
    fn a_small_case_is_solved() {
        // SciPy's example: columns 1, 0, 2 at a cost of 5.
        let costs = Costs::new(3, 3, vec![4.0, 1.0, 3.0, 2.0, 0.0, 5.0, 3.0, 2.0, 2.0]);
        assert_eq!(assign(&costs, &Silent).unwrap(), [1, 0, 2]);
        assert!(assign(&Costs::new(0, 4, Vec::new()), &Silent).unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn no_assignment_is_cheaper(
            (rows, columns, values) in (1usize..6, 0usize..3).prop_flat_map(|(rows, more)| {
                let columns = rows + more;
                (Just(rows), Just(columns), prop::collection::vec(0u8..20, rows * columns))
            })
        ) {
            let costs = Costs::new(rows, columns, values.into_iter().map(f64::from).collect());
            let assigned = assign(&costs, &Silent).unwrap();
            let mut once = assigned.clone();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), rows);
            let sum: f64 = assigned.iter().enumerate().map(|(row, &column)| costs.get(row, column)).sum();
            prop_assert_eq!(sum, cheapest(&costs, 0, &mut vec![false; columns]));
        }
    }
}
