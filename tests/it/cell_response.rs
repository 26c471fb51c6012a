//! Cells of a perturbation and tests of edges on the bundled sample, held against what the model file says of the same cells.

use std::path::Path;

use grn_explorer::data::ImportOptions;
use grn_explorer::jobs::Silent;
use grn_explorer::network::filter::first_view;
use grn_explorer::tasks::cell_response::{MOST_CELLS, Truth, cell_response};
use grn_explorer::tasks::edge_tests::EdgeTests;
use grn_explorer::tasks::open;

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64
}

#[test]
fn cells_have_the_shifts_that_were_measured_and_predicted() {
    let dataset = open::dataset(Path::new("sample_data/sample.h5ad"), &ImportOptions::default(), &Silent).unwrap();
    let (model, _) = open::model(Path::new("sample_data/sample_model.safetensors"), &Silent).unwrap();
    let held_out = model.observed_held_out();
    let name = &held_out.perturbations[0];
    let found = cell_response(&dataset, &model, name, &Silent).unwrap();
    assert_eq!((found.truth, found.perturbed.all), (Truth::HeldOut, held_out.cells[0] as usize));
    assert!(found.perturbed.all <= MOST_CELLS && found.control.all > found.perturbed.all);
    let predicted = model.predicted().row(model.predicted().find(name).unwrap());
    let drawn = found.drawn.as_ref().unwrap();
    let mut apart = Vec::new();
    for (at, gene) in held_out.genes.iter().enumerate() {
        let own = found.find(gene).unwrap();
        let shift = mean(&found.perturbed.changes(own));
        assert!((shift - f64::from(held_out.row(0)[at])).abs() < 1e-4, "{gene}: {shift}");
        if found.control.cells() == found.control.all {
            assert!(mean(&found.control.changes(own)).abs() < 1e-4, "{gene}");
        }
        apart.push((mean(&drawn.changes(own)) - f64::from(predicted[at])).abs());
    }
    // 500 cells have a standard error of a tenth or so in log2 units.
    assert!(apart.iter().sum::<f64>() / (apart.len() as f64) < 0.12, "{apart:?}");
    let again = cell_response(&dataset, &model, name, &Silent).unwrap();
    assert_eq!(again.drawn.unwrap().values(3), drawn.values(3));
    assert!(cell_response(&dataset, &model, "NOBODY", &Silent).unwrap_err().to_string().contains("NOBODY"));
}

#[test]
fn edges_are_tested_as_their_cells_say() {
    let dataset = open::dataset(Path::new("sample_data/sample.h5ad"), &ImportOptions::default(), &Silent).unwrap();
    let (model, _) = open::model(Path::new("sample_data/sample_model.safetensors"), &Silent).unwrap();
    let network = model.network();
    let shown: Vec<u32> = first_view(network).apply(network).edges().map(|edge| edge.rank - 1).collect();
    let tests = EdgeTests::run(&dataset, &model, network, &shown, &Silent).unwrap();
    assert!(tests.tested() > 0);
    let held_out = model.observed_held_out();
    for edge in shown.iter().map(|&at| &network.edges()[at as usize]) {
        let (regulator, target) = (network.symbol(edge.regulator), network.symbol(edge.target));
        let Some(test) = tests.get(edge) else { continue };
        let row = held_out.find(regulator).unwrap();
        let column = held_out.genes.iter().position(|gene| gene == target).unwrap();
        assert_eq!(test.cells[1], held_out.cells[row] as usize);
        let expected = held_out.row(row)[column];
        assert!((test.shift - expected).abs() < 1e-4, "{regulator} → {target}: {} is not {expected}", test.shift);
        assert!(test.adjusted >= test.p_value && test.adjusted <= 1.0);
    }
    // On one thread as on several.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let alone = pool.install(|| EdgeTests::run(&dataset, &model, network, &shown, &Silent).unwrap());
    assert_eq!(alone.describe(), tests.describe());
}
