//! A whole preparation: what is kept, split, matched and noted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use grn_explorer::data::{
    CellRole, CsrMatrix, Dataset, DatasetParts, Gene, ImportOptions, ImportReport, MatrixKind, Perturbation,
    PerturbationKind, h5ad,
};
use grn_explorer::jobs::{Progress, ProgressUpdate, Silent};
use grn_explorer::preprocess::{PrepareConfig, PrepareError, PreparedScreen, Split, prepare};
use rand::RngExt as _;

use crate::reference::data_file;

const GENES: [&str; 8] = ["ACTB", "IRF1", "JAK2", "MT-CO1", "PSMB9", "RPS3", "STAT1", "UBE2L6"];

/// Genes without a part in the story, so that a knock-out hardly moves library sizes.
const BACKGROUND: usize = 100;

/// 60 control cells and 40 of each perturbation. JAK2 and STAT1 lower themselves and STAT1 lowers PSMB9; ABSENT is not
/// measured; the pair is both; RARE has 3 cells; 5 cells are unassigned. Every tenth cell is torn: few counts, most of
/// them mitochondrial.
fn screen(kind: MatrixKind) -> Arc<Dataset> {
    Arc::new(Dataset::new(parts(kind)).unwrap())
}

fn parts(kind: MatrixKind) -> DatasetParts {
    let perturbations: Vec<Perturbation> = [&["STAT1"][..], &["JAK2"], &["ABSENT"], &["JAK2", "STAT1"], &["RARE"]]
        .into_iter()
        .map(|targets| Perturbation::of(targets.iter().copied()))
        .collect();
    let mut roles = vec![CellRole::Control; 60];
    for (index, count) in [40, 40, 40, 40, 3].into_iter().enumerate() {
        roles.extend(std::iter::repeat_n(CellRole::Perturbed(index as u32), count));
    }
    roles.extend([CellRole::Unassigned; 5]);
    let genes: Vec<String> =
        GENES.into_iter().map(str::to_owned).chain((0..BACKGROUND).map(|number| format!("gene{number}"))).collect();
    let mut random = grn_explorer::random::stream(5, "screen");
    let mut dense = Vec::new();
    for (cell, role) in roles.iter().enumerate() {
        let has = |target: &str| {
            role.perturbation().is_some_and(|index| perturbations[index].targets().iter().any(|name| name == target))
        };
        let torn = cell % 10 == 9;
        let size: f64 = 0.7 + 0.6 * random.random::<f64>();
        for gene in &genes {
            let gene = gene.as_str();
            let mut mean = 30.0;
            if has(gene) {
                mean = 2.0;
            }
            if has("STAT1") && gene == "PSMB9" {
                mean = 1.4;
            }
            if torn {
                mean = if gene == "MT-CO1" { 200.0 } else { mean / 15.0 };
            }
            let count: f64 = size * mean * (0.7 + 0.6 * random.random::<f64>());
            dense.push(count.round() as f32);
        }
    }
    DatasetParts {
        name: "small".into(),
        source: None,
        matrix: CsrMatrix::from_dense(roles.len(), genes.len(), &dense),
        matrix_kind: kind,
        genes: genes.into_iter().map(Gene::named).collect(),
        cells: (0..roles.len()).map(|cell| format!("cell{cell}")).collect(),
        perturbations,
        roles,
        kind: PerturbationKind::KnockOut,
        batch: None,
        cell_type: None,
        import: ImportReport::default(),
        warnings: Vec::new(),
    }
}

fn prepared(config: &PrepareConfig) -> PreparedScreen {
    prepare(&screen(MatrixKind::Counts), config, 11, &Silent).unwrap()
}

fn noted(screen: &PreparedScreen, words: &str) -> bool {
    screen.notes.iter().any(|note| note.contains(words))
}

fn role(screen: &PreparedScreen, at: usize) -> CellRole {
    screen.dataset.roles()[screen.cells[at] as usize]
}

#[test]
fn a_screen_is_prepared_with_every_part_in_place() {
    let screen = prepared(&PrepareConfig::default());
    let cells = 60 + 4 * 40;
    assert_eq!(screen.cells, (0..cells as u32).collect::<Vec<_>>());
    assert_eq!(screen.treatments, ["ABSENT", "JAK2", "STAT1", "PSMB9"]);
    assert_eq!(screen.treatment_columns, [None, Some(2), Some(6), Some(4)]);
    assert_eq!(screen.perturbed_treatments, 3);
    assert!(screen.dosages[0].is_empty());
    assert_eq!(screen.dosages[60], [2]);
    assert_eq!(screen.dosages[60 + 3 * 40], [1, 2]);
    for (at, &cell) in screen.cells.iter().enumerate() {
        let sum = screen.dataset.matrix().row_sum(cell as usize);
        assert_eq!(f64::from(screen.library_sizes[at]), sum);
        assert_eq!(screen.quality_failed[at], cell % 10 == 9, "cell {cell}");
    }
    assert!(noted(&screen, "5 cells left out: no guide could be assigned"));
    assert!(noted(&screen, "1 perturbation (3 cells) left out: fewer than 10 cells: RARE"));
    assert!(noted(&screen, "22 of 220 cells (10.0 %) fail quality control at 3 MAD"));
    assert!(noted(&screen, "1 gene perturbed but not measured"));
    assert!(noted(&screen, "1 gene added as nodes"), "{:?}", screen.notes);
}

#[test]
fn every_condition_has_its_share_of_each_split() {
    let screen = prepared(&PrepareConfig::default());
    for (which, controls, perturbed) in [(Split::Training, 38, 26), (Split::Validation, 10, 6), (Split::Test, 12, 8)] {
        let count = |wanted: CellRole| {
            (0..screen.cells.len()).filter(|&at| screen.splits[at] == which && role(&screen, at) == wanted).count()
        };
        assert_eq!(count(CellRole::Control), controls);
        for index in 0..4 {
            assert_eq!(count(CellRole::Perturbed(index)), perturbed);
        }
    }
}

#[test]
fn shifts_are_distances_to_a_control_of_the_same_split() {
    let screen = prepared(&PrepareConfig::default());
    let width = screen.treatments.len();
    // ln(1 + x·median/Σx), written out.
    let mut sizes: Vec<f32> = screen.library_sizes.clone();
    sizes.sort_by(f32::total_cmp);
    let target = f64::from(sizes[sizes.len() / 2 - 1] + sizes[sizes.len() / 2]) / 2.0;
    let value = |at: usize, column: u32| {
        let counts = f64::from(screen.dataset.matrix().get(screen.cells[at] as usize, column as usize));
        (counts * target / f64::from(screen.library_sizes[at])).ln_1p()
    };
    for at in 0..screen.cells.len() {
        let shifts = &screen.shifts[at * width..(at + 1) * width];
        assert_eq!(shifts[0], 0.0, "ABSENT was not measured");
        let matched = (0..screen.cells.len()).find(|&other| {
            role(&screen, other) == CellRole::Control
                && screen.splits[other] == screen.splits[at]
                && [1, 2, 3].iter().all(|&treatment| {
                    let column = screen.treatment_columns[treatment].unwrap();
                    ((value(at, column) - value(other, column)).abs() - f64::from(shifts[treatment])).abs() < 1e-5
                })
        });
        assert!(matched.is_some(), "cell {at} has shifts {shifts:?} against no control of its split");
        if role(&screen, at) == CellRole::Perturbed(0) && !screen.quality_failed[at] {
            assert!(shifts[2] > 1.0 && shifts[3] > 1.0, "STAT1 and PSMB9 fall: {shifts:?}");
        }
    }
}

#[test]
fn partners_are_failing_cells_of_the_same_condition_and_split() {
    let screen = prepared(&PrepareConfig::default());
    assert!(screen.partners.iter().all(|partner| partner.len() == screen.dataset.gene_count()));
    for at in 0..screen.cells.len() {
        let failing: Vec<usize> = (0..screen.cells.len())
            .filter(|&other| {
                screen.quality_failed[other]
                    && screen.splits[other] == screen.splits[at]
                    && role(&screen, other) == role(&screen, at)
            })
            .collect();
        let Some(partner) = screen.partner_of_cell[at] else {
            assert!(failing.is_empty());
            continue;
        };
        let mut mitochondrial: Vec<f32> =
            failing.iter().map(|&other| screen.dataset.matrix().get(screen.cells[other] as usize, 3)).collect();
        mitochondrial.sort_by(f32::total_cmp);
        let middle = mitochondrial.len() / 2;
        let median = match mitochondrial.len() % 2 {
            1 => mitochondrial[middle],
            _ => (mitochondrial[middle - 1] + mitochondrial[middle]) / 2.0,
        };
        assert_eq!(screen.partners[partner as usize][3], median);
    }
    assert!(screen.partner_of_cell.iter().any(Option::is_some));
}

#[test]
fn standardisation_comes_from_training_cells() {
    let screen = prepared(&PrepareConfig::default());
    let training = (0..screen.cells.len()).filter(|&at| screen.splits[at] == Split::Training);
    for gene in 0..screen.dataset.gene_count() {
        let logs: Vec<f64> = training
            .clone()
            .map(|at| f64::from(screen.dataset.matrix().get(screen.cells[at] as usize, gene)).ln_1p())
            .collect();
        let mean = logs.iter().sum::<f64>() / logs.len() as f64;
        let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (logs.len() - 1) as f64;
        assert!((f64::from(screen.log_mean[gene]) - mean).abs() < 1e-6);
        assert!((f64::from(screen.log_std[gene]) - variance.sqrt()).abs() < 1e-6);
    }
}

#[test]
fn held_out_perturbations_are_for_testing_only() {
    let held_out_perturbations = vec!["STAT1+JAK2".to_owned()];
    let screen = prepared(&PrepareConfig { held_out_perturbations, ..PrepareConfig::default() });
    let mut seen = 0;
    for at in 0..screen.cells.len() {
        if role(&screen, at) == CellRole::Perturbed(3) {
            assert_eq!(screen.splits[at], Split::Test);
            seen += 1;
        }
    }
    assert_eq!(seen, 40);
    assert!(noted(&screen, "held out whole: JAK2+STAT1"));
    // The others keep the cells they had.
    let before = prepared(&PrepareConfig::default());
    let others = |screen: &PreparedScreen| -> Vec<Split> {
        (0..screen.cells.len()).filter(|&at| at < 60 + 3 * 40).map(|at| screen.splits[at]).collect()
    };
    assert_eq!(others(&screen), others(&before));
}

#[test]
fn rules_leave_out_what_they_say() {
    let screen = prepared(&PrepareConfig { measured_targets_only: true, ..PrepareConfig::default() });
    assert_eq!(screen.perturbed_treatments, 2);
    assert!(noted(&screen, "2 perturbations (43 cells) left out: target not measured: ABSENT, RARE"));

    let screen = prepared(&PrepareConfig { require_knock_down: true, extra_treatments: false, ..Default::default() });
    assert_eq!(screen.treatments, ["ABSENT", "JAK2", "STAT1"]);
    // The knock-outs work in every cell, so none is above the control's tenth percentile.
    assert_eq!(screen.cells.len(), 60 + 4 * 40);

    let config = PrepareConfig { minimum_cells: 41, ..PrepareConfig::default() };
    let error = prepare(&self::screen(MatrixKind::Counts), &config, 1, &Silent).unwrap_err();
    assert_eq!(error.to_string(), "no perturbation has at least 41 cells");
}

#[test]
fn cells_in_which_the_perturbation_failed_can_be_left_out() {
    // Relabel controls as JAK2 cells: nothing happened in them.
    let mut parts = parts(MatrixKind::Counts);
    parts.roles[..20].fill(CellRole::Perturbed(1));
    let config = PrepareConfig { require_knock_down: true, ..PrepareConfig::default() };
    let screen = prepare(&Arc::new(Dataset::new(parts).unwrap()), &config, 1, &Silent).unwrap();
    // Two of the twenty are torn and have few counts of any gene; a tenth of the controls passes by definition.
    let dropped = 60 + 4 * 40 - screen.cells.len();
    assert!((12..=18).contains(&dropped), "{dropped}");
    let words = format!("{dropped} cells left out: target above the 10th percentile of control cells");
    assert!(noted(&screen, &words), "{:?}", screen.notes);
}

#[test]
fn without_measured_targets_cells_are_compared_with_random_controls() {
    let config = PrepareConfig { minimum_cells: 3, ..PrepareConfig::default() };
    let mut parts = parts(MatrixKind::Counts);
    for role in &mut parts.roles {
        if matches!(role, CellRole::Perturbed(0 | 1 | 3)) {
            *role = CellRole::Unassigned;
        }
    }
    let screen = prepare(&Arc::new(Dataset::new(parts).unwrap()), &config, 1, &Silent).unwrap();
    assert_eq!(screen.treatments, ["ABSENT", "RARE"]);
    assert!(noted(&screen, "No perturbed gene was measured"));
    assert!(screen.shifts.iter().all(|shift| *shift == 0.0));
}

#[test]
fn the_same_seed_gives_the_same_preparation_and_another_seed_another() {
    let same = |a: &PreparedScreen, b: &PreparedScreen| {
        (a.splits == b.splits, a.shifts == b.shifts, a.partners == b.partners, a.log_mean == b.log_mean)
    };
    let first = prepared(&PrepareConfig::default());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let alone = pool.install(|| prepared(&PrepareConfig::default()));
    assert_eq!(same(&first, &alone), (true, true, true, true));
    let other = prepare(&screen(MatrixKind::Counts), &PrepareConfig::default(), 12, &Silent).unwrap();
    assert_eq!(same(&first, &other), (false, false, false, false));
}

#[test]
fn what_cannot_be_prepared_says_why() {
    let error = prepare(&screen(MatrixKind::LogNormalised), &PrepareConfig::default(), 1, &Silent).unwrap_err();
    assert!(error.to_string().starts_with("the matrix holds log-normalised values, but the model needs raw counts"));
    let config = PrepareConfig { held_out_perturbations: vec!["STAT2".into()], ..PrepareConfig::default() };
    let error = prepare(&screen(MatrixKind::Counts), &config, 1, &Silent).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("STAT2 is no perturbation of this screen, so it cannot be held out; did you mean STAT1"));
}

/// Cancels at the call number given.
struct CancelAt {
    call: usize,
    calls: AtomicUsize,
}

impl Progress for CancelAt {
    fn report(&self, update: ProgressUpdate) {
        assert!(update.fraction.is_none_or(|fraction| (0.0..=1.0).contains(&fraction)), "{update:?}");
    }

    fn is_cancelled(&self) -> bool {
        self.calls.fetch_add(1, Ordering::Relaxed) >= self.call
    }

    fn should_stop(&self) -> bool {
        false
    }
}

#[test]
fn it_can_be_cancelled_at_any_point() {
    let dataset = screen(MatrixKind::Counts);
    let whole = CancelAt { call: usize::MAX, calls: AtomicUsize::new(0) };
    prepare(&dataset, &PrepareConfig::default(), 1, &whole).unwrap();
    let calls = whole.calls.load(Ordering::Relaxed);
    for call in (0..calls).step_by(calls / 20) {
        let cancel = CancelAt { call, calls: AtomicUsize::new(0) };
        let error = prepare(&dataset, &PrepareConfig::default(), 1, &cancel).unwrap_err();
        assert!(matches!(error, PrepareError::Cancelled(_)), "call {call}: {error}");
    }
}

/// Prints when each stage began.
struct Stages(Instant, std::sync::Mutex<String>);

impl Progress for Stages {
    fn report(&self, update: ProgressUpdate) {
        let mut last = self.1.lock().unwrap();
        if *last != update.stage {
            println!("{:8.3} s  {}", self.0.elapsed().as_secs_f64(), update.stage);
            *last = update.stage;
        }
    }

    fn is_cancelled(&self) -> bool {
        false
    }

    fn should_stop(&self) -> bool {
        false
    }
}

#[test]
fn a_real_screen_is_prepared_in_seconds() {
    let Some(path) = data_file("papalexi2021/papalexi2021_rep1.h5ad") else { return };
    let dataset = Arc::new(h5ad::read(&path, &ImportOptions::default(), &Silent).unwrap());
    let started = Stages(Instant::now(), std::sync::Mutex::default());
    let config = PrepareConfig { measured_targets_only: true, ..PrepareConfig::default() };
    let screen = prepare(&dataset, &config, 0, &started).unwrap();
    for note in &screen.notes {
        println!("{note}");
    }
    println!("treatments {:?}", screen.treatments);
    assert_eq!(screen.perturbed_treatments, 9);
    assert_eq!(screen.cells.len(), 4066);
    // 0.9 % of the cells have too few genes. One mitochondrial gene is among the 299, and its share fails many more.
    assert!(noted(&screen, "detected genes below 29 fails 35"));
    assert!(screen.shifts.iter().all(|shift| shift.is_finite()));
}
