//! How fast a screen is read and prepared: `cargo bench --bench preprocess`.
//!
//! The screen is simulated (2,000 cells × 1,000 genes, 20 perturbations) and written once; every step is then measured on
//! its own.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use grn_explorer::data::simulate::{SimulateConfig, simulate};
use grn_explorer::data::{Dataset, ImportOptions, h5ad};
use grn_explorer::jobs::Silent;
use grn_explorer::preprocess::differential::{Test, differential};
use grn_explorer::preprocess::doublets::{self, find_doublets};
use grn_explorer::preprocess::normalise::{Expression, median_library_size};
use grn_explorer::preprocess::quality::{CellMetrics, QualityReport};
use grn_explorer::preprocess::variable_genes::{Choice, by_dispersion, by_standardised_variance};

/// Highly variable genes looked for.
const TOP: usize = 200;

fn screen() -> Dataset {
    let config = SimulateConfig { genes: 1000, perturbations: 20, cells: 2000, seed: 1, ..SimulateConfig::small() };
    simulate(&config, &Silent).expect("the settings are valid").dataset
}

fn steps(criterion: &mut Criterion) {
    let dataset = screen();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("screen.h5ad");
    h5ad::write(&path, &dataset).expect("a file");
    let mut group = criterion.benchmark_group("preprocess");
    group.sample_size(10);
    group.bench_function("read", |bench| {
        bench.iter(|| h5ad::read(&path, &ImportOptions::default(), &Silent).expect("a screen").cell_count());
    });

    let cells: Vec<u32> = (0..dataset.cell_count() as u32).collect();
    group.bench_function("quality", |bench| {
        bench.iter(|| {
            let metrics = CellMetrics::of(&dataset, &cells, &Silent).expect("not cancelled");
            black_box(QualityReport::judge(&metrics, 3.0).failing)
        });
    });

    let sizes: Vec<f64> = (0..dataset.cell_count()).map(|cell| dataset.library_size(cell)).collect();
    let target = median_library_size(&sizes).expect("counts");
    let expression = Expression::of_counts(dataset.matrix(), &sizes, target);
    group.bench_function("variable genes, seurat", |bench| {
        bench.iter(|| by_dispersion(&expression, &cells, Choice::Top(TOP), &Silent).expect("not cancelled"));
    });
    let batches = [cells.clone()];
    group.bench_function("variable genes, seurat_v3", |bench| {
        bench.iter(|| by_standardised_variance(dataset.matrix(), &batches, TOP, 0.3, &Silent).expect("a curve"));
    });

    let (groups, control) = (dataset.cells_by_perturbation(), dataset.control_cells());
    for (name, test) in [("wilcoxon", Test::Wilcoxon { tie_correction: true }), ("welch t", Test::WelchT)] {
        group.bench_function(name, |bench| {
            bench.iter(|| differential(&expression, &groups, &control, test, &Silent).expect("not cancelled"));
        });
    }
    group.bench_function("doublets", |bench| {
        let settings = doublets::Settings::default();
        bench.iter(|| find_doublets(dataset.matrix(), &cells, &sizes, &settings, 1, &Silent).expect("enough cells"));
    });
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);
