//! Perturb-seq screens with a known network.
//!
//! A signed, sparse network with a scale-free out-degree is drawn; each cell has its own production rates and state, its
//! perturbation acts on the production of its targets, and the levels of all genes follow as the steady state of
//! dx/dt = production(x) − decay·x. What is seen of a cell are negative-binomial counts at its library size. Some cells
//! are dying, doublets, escaped or unassigned. Real screens are harder: there are no unmeasured regulators here, no
//! delays, and one cell type.
//!
//! Two genes perturbed together interact only by the network: factors of regulators multiply, so that logarithms of levels add where
//! the two act on a gene side by side, while of two of which one acts through the other the one downstream decides (epistasis).

mod cells;
mod config;
mod design;
mod guides;
mod kinetics;
#[cfg(test)]
mod tests;
mod truth;
mod wiring;

use rayon::prelude::*;

pub use cells::CellFacts;
pub use config::{Regulation, SimulateConfig, SimulateError};
pub use truth::{TrueEdge, TrueNetwork, TruthError};

use super::{
    Categories, Choice, CsrMatrix, Dataset, DatasetParts, Gene, ImportReport, MatrixKind, Perturbation, Values,
};
use crate::jobs::Progress;

/// Cells drawn between two looks at the progress.
const CHUNK: usize = 512;

/// A simulated screen and all that is true of it.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// What a reader of the file sees.
    pub dataset: Dataset,
    /// The edges that are really there, among all genes.
    pub truth: TrueNetwork,
    /// One per cell.
    pub cell_facts: Vec<CellFacts>,
    /// Efficiency of each single perturbation, in the order of the first of [`Dataset::perturbations`]: 0 where the
    /// guides do nothing.
    pub efficiencies: Vec<f64>,
}

/// Simulate a screen.
///
/// # Errors
/// When the settings make no sense together (see [`SimulateConfig::check`]), or the user cancels.
pub fn simulate(config: &SimulateConfig, progress: &dyn Progress) -> Result<Simulated, SimulateError> {
    config.check()?;
    progress.stage("Drawing the network", None);
    let wiring = wiring::Wiring::draw(config);
    let design = design::Design::draw(config, &wiring);
    progress.check()?;
    let source = cells::Source::new(config, &wiring, &design);

    let (mut starts, mut columns, mut values) = (vec![0], Vec::new(), Values::default());
    let mut cell_facts = Vec::with_capacity(config.cells);
    for start in (0..config.cells).step_by(CHUNK) {
        progress.stage("Simulating cells", Some(start as f32 / config.cells as f32));
        progress.check()?;
        // Each cell has a random stream of its own, so the number of threads changes nothing.
        let drawn: Vec<_> =
            (start..(start + CHUNK).min(config.cells)).into_par_iter().map(|cell| source.cell(cell)).collect();
        for (counts, facts) in drawn {
            for (column, count) in counts {
                columns.push(column);
                values.push(count);
            }
            starts.push(columns.len());
            cell_facts.push(facts);
        }
    }

    let matrix = CsrMatrix::new(config.cells, config.genes, starts, columns, values)
        .expect("columns of drawn counts rise and are in range");
    let symbol = |column: usize| wiring.symbols[column].clone();
    let perturbations =
        design.conditions.iter().map(|condition| Perturbation::of(condition.targets.iter().map(|&(at, _)| symbol(at))));
    let perturbations: Vec<Perturbation> = perturbations.collect();
    let guide = guides::draw(config, &perturbations, &design.roles, &cell_facts);
    let edges = wiring.links.iter().map(|link| TrueEdge {
        regulator: symbol(link.regulator),
        target: symbol(link.target),
        activates: link.activates,
        strength: link.strength,
    });
    let width = config.cells.to_string().len();
    let choice = Choice {
        what: "matrix".into(),
        chosen: "simulated counts".into(),
        reason: format!("drawn with seed {}", config.seed),
        alternatives: Vec::new(),
    };
    let parts = DatasetParts {
        name: "simulated".into(),
        source: None,
        matrix,
        matrix_kind: MatrixKind::Counts,
        genes: wiring.symbols.iter().map(Gene::named).collect(),
        cells: (1..=config.cells).map(|cell| format!("cell_{cell:0width$}")).collect(),
        perturbations,
        roles: design.roles.clone(),
        kind: config.kind,
        batch: Some(Categories {
            name: "batch".into(),
            levels: (1..=config.batches).map(|batch| format!("batch_{batch}")).collect(),
            codes: cell_facts.iter().map(|facts| Some(facts.batch)).collect(),
        }),
        cell_type: None,
        guide,
        import: ImportReport { choices: vec![choice], ..ImportReport::default() },
        warnings: Vec::new(),
    };
    let singles = design.conditions.iter().take(config.perturbations);
    Ok(Simulated {
        dataset: Dataset::new(parts).expect("drawn genes, labels and counts agree"),
        truth: TrueNetwork::new(edges.collect()).expect("each target is drawn once per regulator"),
        cell_facts,
        efficiencies: singles.map(|condition| condition.targets[0].1).collect(),
    })
}
