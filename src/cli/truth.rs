//! Known edges and what rankings are worth against them: shared by `evaluate` and `benchmark`.

use std::path::PathBuf;

use clap::Args;

use super::text::{number, table};
use crate::evaluation::report::{NetworkPoint, NetworkTests};
use crate::network::formats::MatrixRows;
use crate::tasks::evaluate::EvaluateOptions;

/// Numbers of edges whose tests are printed; the report has all.
const PRINTED: [usize; 2] = [20, 100];

/// Known edges
#[derive(Clone, Debug, Args)]
pub(super) struct TruthArgs {
    /// Known edges to hold the network against: a table or network file of any kind (regulator and target first; a third column of 1 and 0
    /// tells which are there), or an adjacency matrix
    #[arg(long, value_name = "EDGES")]
    pub(super) truth: Option<PathBuf>,
    /// What the rows of an adjacency matrix of known edges are
    #[arg(long, value_name = "AXIS", value_parser = ["targets", "regulators"], default_value = "targets")]
    truth_rows: String,
}

impl TruthArgs {
    /// What the rows of an adjacency matrix are.
    pub(super) fn rows(&self) -> MatrixRows {
        if self.truth_rows == "regulators" { MatrixRows::Regulators } else { MatrixRows::Targets }
    }
}

/// Boosted trees
#[derive(Clone, Debug, Args)]
pub(super) struct TreeArgs {
    /// Leave out boosted trees, the slowest baseline
    #[arg(long)]
    no_trees: bool,
    /// Cells that boosted trees are grown on at most
    #[arg(long, value_name = "N", default_value_t = EvaluateOptions::TREE_CELLS, conflicts_with = "no_trees")]
    tree_cells: usize,
}

impl TreeArgs {
    /// How many cells trees are grown on; 0 for none.
    pub(super) fn cells(&self) -> usize {
        if self.no_trees { 0 } else { self.tree_cells }
    }
}

/// Tests of the best edges; nothing if there are none.
pub(super) fn tested(tests: &NetworkTests) -> String {
    let row = |point: &NetworkPoint| {
        vec![
            point.method.clone(),
            point.edges.to_string(),
            point.test.true_positives.to_string(),
            point.test.false_positives.to_string(),
            number(point.test.mean_wasserstein, 3),
            number(point.false_omission_rate, 3),
        ]
    };
    let rows: Vec<Vec<String>> = tests.points.iter().filter(|point| PRINTED.contains(&point.edges)).map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let header = ["", "edges", "p < 0.05", "p ≥ 0.05", "mean Wasserstein", "false omission"];
    let title = format!("\nBest edges tested in the same cells ({} testable pairs)\n", tests.testable_pairs);
    title + &table(&header, &rows)
}
