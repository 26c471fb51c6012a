//! How fast perturbed cells are compared with control cells: `cargo bench --bench evaluation`, or `… -- k562` for a screen of 600
//! perturbations × 150 cells, 10,000 control cells and 8,000 genes, a quarter of the counts not zero, once; `… -- trees` for boosted trees.
//!
//! Counts are drawn at random: time does not depend on what they mean.

#![allow(clippy::print_stdout)] // What is measured once is printed.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, criterion_group};
use grn_explorer::data::{
    CellRole, CsrMatrix, Dataset, DatasetParts, Gene, ImportReport, MatrixKind, Perturbation, PerturbationKind,
};
use grn_explorer::evaluation::pairwise::pair_tests;
use grn_explorer::evaluation::{CellSpace, Sample, mann_whitney, wasserstein};
use grn_explorer::jobs::Silent;
use grn_explorer::models::baselines::networks::{Panel, trees};
use grn_explorer::preprocess::normalise::Expression;
use grn_explorer::random;
use rand::RngExt as _;
use rayon::prelude::*;

const CELLS_PER_PERTURBATION: usize = 150;

/// Control cells first, then those of each perturbation.
struct Screen {
    counts: CsrMatrix,
    control: Vec<u32>,
    groups: Vec<Vec<u32>>,
}

fn screen(control: usize, perturbations: usize, genes: usize) -> Screen {
    let cells = control + perturbations * CELLS_PER_PERTURBATION;
    let row = |cell: usize| -> Vec<(u32, f32)> {
        let mut random = random::stream(cell as u64, "cell");
        let mut row = Vec::with_capacity(genes / 3);
        for gene in 0..genes as u32 {
            if random.random_bool(0.25) {
                row.push((gene, random.random_range(1..6) as f32));
            }
        }
        row
    };
    let (mut starts, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    for first in (0..cells).step_by(4096) {
        let rows: Vec<Vec<(u32, f32)>> = (first..cells.min(first + 4096)).into_par_iter().map(row).collect();
        for row in rows {
            indices.extend(row.iter().map(|entry| entry.0));
            values.extend(row.iter().map(|entry| entry.1 as u16));
            starts.push(indices.len());
        }
    }
    let counts = CsrMatrix::new(cells, genes, starts, indices, values).expect("a matrix");
    let group = |number: usize| {
        let first = (control + number * CELLS_PER_PERTURBATION) as u32;
        (first..first + CELLS_PER_PERTURBATION as u32).collect()
    };
    Screen { counts, control: (0..control as u32).collect(), groups: (0..perturbations).map(group).collect() }
}

/// One pair after the other, the control's values of a gene sorted once.
fn one_by_one(screen: &Screen, by_gene: &CsrMatrix, sizes: &[f64]) -> f64 {
    let value = |(cell, count): (u32, f32)| (1e4 * f64::from(count) / sizes[cell as usize]).ln_1p();
    let sample = |gene: usize, cells: &[u32]| {
        let (first, last) = (cells[0], cells[cells.len() - 1]);
        let stored = by_gene.row(gene);
        let range = stored.columns().partition_point(|&cell| cell < first)
            ..stored.columns().partition_point(|&cell| cell <= last);
        let values: Vec<f64> = stored.part(range).iter().map(value).collect();
        let zeros = cells.len() - values.len();
        Sample::with_zeros(values, zeros)
    };
    let mut sum = 0.0;
    for gene in 0..by_gene.rows() {
        let control = sample(gene, &screen.control);
        for group in &screen.groups {
            let own = sample(gene, group);
            sum += mann_whitney(&control, &own).expect("cells") + wasserstein(&control, &own).expect("cells");
        }
    }
    sum
}

fn pairs(criterion: &mut Criterion) {
    let screen = screen(10_000, 200, 256);
    let sizes = screen.counts.row_sums();
    let by_gene = screen.counts.transposed();
    let mut group = criterion.benchmark_group("200 perturbations x 256 genes, 10,000 controls");
    group.sample_size(10);
    group.bench_function("one pair after the other", |bench| {
        bench.iter(|| black_box(one_by_one(&screen, &by_gene, &sizes)));
    });
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let at_once = || {
        let expression = Expression::of_counts(&screen.counts, &sizes, 1e4);
        pair_tests(&expression, &screen.groups, &screen.control, &Silent).expect("never cancelled")
    };
    group.bench_function("all at once, one thread", |bench| bench.iter(|| pool.install(|| black_box(at_once()))));
    group.bench_function("all at once", |bench| bench.iter(|| black_box(at_once())));
    group.finish();
}

criterion_group!(benches, pairs);

/// The whole of a large screen, once.
fn k562() {
    let (control, perturbations, genes) = (10_000, 600, 8_000);
    let begun = Instant::now();
    let screen = screen(control, perturbations, genes);
    println!("drawn in {:.1} s: {} stored values", begun.elapsed().as_secs_f64(), screen.counts.stored());
    let begun = Instant::now();
    let sizes = screen.counts.row_sums();
    let expression = Expression::of_counts(&screen.counts, &sizes, 1e4);
    let tests = pair_tests(&expression, &screen.groups, &screen.control, &Silent).expect("never cancelled");
    let pairs = tests.p_values.len();
    println!("Mann-Whitney and Wasserstein of {pairs} pairs in {:.1} s", begun.elapsed().as_secs_f64());
    drop(tests);

    let name = |number: usize| format!("P{number}");
    let mut roles = vec![CellRole::Control; control];
    (0..perturbations as u32).for_each(|at| roles.extend([CellRole::Perturbed(at); CELLS_PER_PERTURBATION]));
    let mut conditions: BTreeMap<String, Vec<u32>> =
        screen.groups.iter().enumerate().map(|(at, cells)| (name(at), cells.clone())).collect();
    conditions.insert("control".to_owned(), screen.control);
    let dataset = Dataset::new(DatasetParts {
        name: "k562".to_owned(),
        source: None,
        cells: (0..roles.len()).map(|cell| cell.to_string()).collect(),
        matrix: screen.counts,
        matrix_kind: MatrixKind::Counts,
        genes: (0..genes).map(|gene| Gene::named(format!("G{gene}"))).collect(),
        perturbations: (0..perturbations).map(|at| Perturbation::of([name(at)])).collect(),
        roles,
        kind: PerturbationKind::KnockOut,
        batch: None,
        cell_type: None,
        guide: None,
        import: ImportReport::default(),
        warnings: Vec::new(),
    })
    .expect("a screen");
    let begun = Instant::now();
    let space = CellSpace::measure(&dataset, &conditions, "control", 1, &Silent).expect("never cancelled");
    let rows = space.expect("control cells").finish().rows.len();
    println!("E-distance (999 shuffles) and MMD of {rows} perturbations in {:.1} s", begun.elapsed().as_secs_f64());
}

/// Boosted trees of 600 genes on 5,000 cells, each gene one of ten hidden states with noise: well explained, so that trees are many.
fn grown() {
    let (genes, cells) = (600, 5_000);
    let mut random = random::stream(1, "states");
    let states: Vec<Vec<f32>> = (0..10).map(|_| (0..cells).map(|_| random.random::<f32>()).collect()).collect();
    let value = |gene: usize, cell: usize, noise: f32| states[gene % 10][cell] + noise;
    let values: Vec<f32> = (0..genes)
        .flat_map(|gene| (0..cells).map(move |cell| (gene, cell)))
        .map(|(gene, cell)| value(gene, cell, random.random::<f32>()))
        .collect();
    let names: Vec<String> = (0..genes).map(|gene| format!("G{gene}")).collect();
    let panel = Panel { genes: names, cells, values };
    for targets in [20, 60] {
        let begun = Instant::now();
        let scores = trees(&panel, &panel.genes, &panel.genes[..targets], 1, &Silent).expect("never cancelled");
        let total: f32 = scores.scores.iter().filter(|score| !score.is_nan()).sum();
        println!(
            "{:.0} trees per target, {targets} targets × {genes} genes × {cells} cells in {:.1} s",
            total / targets as f32,
            begun.elapsed().as_secs_f64()
        );
    }
}

fn main() {
    if std::env::args().any(|argument| argument == "trees") {
        return grown();
    }
    if std::env::args().any(|argument| argument == "k562") {
        return k562();
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
