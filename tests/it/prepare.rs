//! A whole preparation: what is kept, split, matched and noted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use grn_explorer::data::{
    CellRole, CsrMatrix, Dataset, DatasetParts, Gene, ImportOptions, ImportReport, MatrixKind, Perturbation,
    PerturbationKind, h5ad,
};
use grn_explorer::jobs::{Progress, ProgressUpdate, Silent};
use grn_explorer::preprocess::control_matching::Matching;
use grn_explorer::preprocess::doublets::{Settings, find_doublets};
use grn_explorer::preprocess::{
    Filter, PrepareConfig, PrepareError, PreparedScreen, Split, SplitBy, prepare, preview_filters,
};
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
        guide: None,
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

#[test]
fn every_filter_that_is_on_says_what_it_took_out() {
    let config = PrepareConfig {
        measured_targets_only: true,
        minimum_cells_before: 20,
        minimum_changed_genes: 2,
        minimum_knock_down: 0.5,
        require_knock_down: true,
        ..PrepareConfig::default()
    };
    let screen = prepared(&config);
    let filters: Vec<Filter> = screen.filtered.iter().map(|filtered| filtered.filter).collect();
    assert_eq!(
        filters,
        [
            Filter::Unassigned,
            Filter::UnmeasuredTarget,
            Filter::FewCells(20),
            Filter::FewChangedGenes(2),
            Filter::WeakKnockDown(0.5),
            Filter::UnchangedCell,
            Filter::FewCellsLeft(10),
        ]
    );
    let cells: Vec<usize> = screen.filtered.iter().map(|filtered| filtered.cells).collect();
    // Five unassigned; ABSENT (40) and RARE (3) are not measured; JAK2 changes nothing but itself.
    assert_eq!(cells, [5, 43, 0, 40, 0, 0, 0]);
    assert_eq!(screen.filtered[3].perturbations, ["JAK2"]);
    assert!(
        noted(&screen, "1 perturbation (40 cells) left out: fewer than 2 changed genes: JAK2"),
        "{:?}",
        screen.notes
    );
    assert!(noted(&screen, "No perturbation left out: target down by less than 50 %"));
    assert!(noted(&screen, "0 cells left out: target above the 10th percentile of control cells"));
    assert_eq!(screen.cells.len(), 60 + 2 * 40);
    assert_eq!(preview_filters(&screen.dataset, &config, &Silent).unwrap(), screen.filtered);
}

#[test]
fn a_perturbation_without_knock_down_is_left_out() {
    // Swap the labels of JAK2 and of controls: nothing happened in the JAK2 cells.
    let mut parts = parts(MatrixKind::Counts);
    for cell in 0..40 {
        parts.roles.swap(cell, 100 + cell);
    }
    let dataset = Arc::new(Dataset::new(parts).unwrap());
    let config = PrepareConfig { minimum_knock_down: 0.3, ..PrepareConfig::default() };
    let screen = prepare(&dataset, &config, 1, &Silent).unwrap();
    let filtered = screen.filtered.iter().find(|filtered| filtered.filter == Filter::WeakKnockDown(0.3)).unwrap();
    assert!(filtered.perturbations.contains(&"JAK2".to_owned()), "{filtered:?}");
    let benchmark = PrepareConfig::default().with_causal_bench_filters();
    let error = prepare(&dataset, &benchmark, 1, &Silent).unwrap_err();
    assert_eq!(error.to_string(), "no perturbation has at least 101 cells");
}

#[test]
fn splits_keep_what_they_say_whole_from_the_training() {
    let of = |split, held_out_share| prepared(&PrepareConfig { split, held_out_share, ..PrepareConfig::default() });
    let whole = |screen: &PreparedScreen, index: u32| {
        (0..screen.cells.len())
            .filter(|&at| role(screen, at) == CellRole::Perturbed(index))
            .all(|at| screen.splits[at] == Split::Test)
    };
    let screen = of(SplitBy::Combinations, 0.2);
    assert_eq!(screen.held_out.len(), 1);
    assert_eq!((screen.held_out[0].name.as_str(), screen.held_out[0].class().as_str()), ("JAK2+STAT1", "2 of 2 seen"));
    assert!(whole(&screen, 3) && !whole(&screen, 0));
    assert!(noted(&screen, "held out whole: JAK2+STAT1 (1 combination with 2 of 2 genes seen alone)"));

    let screen = of(SplitBy::Perturbations, 0.25);
    assert_eq!(screen.held_out.len(), 1);
    let names: Vec<String> = screen.dataset.perturbations().iter().map(Perturbation::name).collect();
    for (index, name) in names.iter().enumerate().take(4) {
        assert_eq!(whole(&screen, index as u32), screen.held_out[0].name == *name);
    }
    // Controls are divided as ever, and the other perturbations keep the cells they had.
    let before = prepared(&PrepareConfig::default());
    assert!((0..60).all(|at| screen.splits[at] == before.splits[at]));

    let genes = (0..30)
        .map(|seed| {
            let config = PrepareConfig { split: SplitBy::Genes, held_out_share: 0.3, ..PrepareConfig::default() };
            prepare(&self::screen(MatrixKind::Counts), &config, seed, &Silent).unwrap()
        })
        .find(|screen| screen.held_out.iter().any(|held| held.name == "STAT1"))
        .expect("a seed that draws STAT1");
    assert!(whole(&genes, 0) && whole(&genes, 3) && !whole(&genes, 1));
    let pair = genes.held_out.iter().find(|held| held.name == "JAK2+STAT1").unwrap();
    assert_eq!(pair.class(), "1 of 2 seen");

    let none = PrepareConfig { split: SplitBy::Perturbations, held_out_share: 0.99, ..PrepareConfig::default() };
    let error = prepare(&self::screen(MatrixKind::Counts), &none, 1, &Silent).unwrap_err();
    assert!(error.to_string().starts_with("all 4 perturbations would be held out"), "{error}");
    let mut parts = parts(MatrixKind::Counts);
    parts.roles.iter_mut().filter(|role| **role == CellRole::Perturbed(3)).for_each(|role| *role = CellRole::Control);
    let singles = Arc::new(Dataset::new(parts).unwrap());
    let config = PrepareConfig { split: SplitBy::Combinations, ..PrepareConfig::default() };
    assert!(matches!(prepare(&singles, &config, 1, &Silent), Err(PrepareError::NoCombinations)));
}

#[test]
fn doublets_fail_quality_control_where_asked() {
    let before = prepared(&PrepareConfig::default());
    let screen = prepared(&PrepareConfig { doublets: true, ..PrepareConfig::default() });
    assert!(noted(&screen, "of 220 cells"), "{:?}", screen.notes);
    let note = screen.notes.iter().find(|note| note.contains("doublets")).expect("a note");
    let called: usize = note.split(' ').next().unwrap().parse().unwrap();
    let newly = screen.quality_failed.iter().zip(&before.quality_failed).filter(|(now, then)| **now && !**then).count();
    assert!(newly <= called);
    assert!(screen.quality_failed.iter().zip(&before.quality_failed).all(|(now, then)| *now || !*then));
}

#[test]
fn every_way_of_matching_compares_with_controls_of_the_split() {
    let mut shifts = Vec::new();
    for matching in Matching::ALL {
        let screen = prepared(&PrepareConfig { matching, extra_treatments: false, ..PrepareConfig::default() });
        assert!(screen.shifts.iter().all(|shift| shift.is_finite()));
        let width = screen.treatments.len();
        let mean = |index: u32, treatment: usize| {
            let cells: Vec<usize> = (0..screen.cells.len())
                .filter(|&at| role(&screen, at) == CellRole::Perturbed(index) && !screen.quality_failed[at])
                .collect();
            cells.iter().map(|&at| screen.shifts[at * width + treatment]).sum::<f32>() / cells.len() as f32
        };
        assert!(mean(0, 2) > 1.0 && mean(1, 1) > 1.0, "{matching:?}: knocked-down genes are far from controls");
        shifts.push(screen.shifts);
    }
    assert!(shifts[0] != shifts[1] && shifts[1] != shifts[2]);
}

#[test]
fn settings_of_earlier_versions_open_and_are_written_as_they_were() {
    let earlier = serde_json::json!({
        "quality_mads": 3.0, "minimum_cells": 10, "require_knock_down": false, "extra_treatments": true,
        "measured_targets_only": false, "test_share": 0.2, "validation_share": 0.2, "held_out_perturbations": []
    });
    let config: PrepareConfig = serde_json::from_value(earlier.clone()).unwrap();
    assert_eq!(config, PrepareConfig::default());
    assert_eq!(serde_json::to_value(&config).unwrap(), earlier);
    let chosen = PrepareConfig {
        split: SplitBy::Genes,
        held_out_share: 0.1,
        doublets: true,
        matching: Matching::Wasserstein,
        ..PrepareConfig::default().with_causal_bench_filters()
    };
    let text = serde_json::to_string(&chosen).unwrap();
    assert!(text.contains("\"split\":\"genes\"") && text.contains("\"matching\":\"wasserstein\""), "{text}");
    assert_eq!(serde_json::from_str::<PrepareConfig>(&text).unwrap(), chosen);
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

#[test]
fn doublets_of_a_real_screen_are_scored_as_by_the_published_program() {
    let Some(path) = data_file("papalexi2021/papalexi2021_rep1.h5ad") else { return };
    let dataset = h5ad::read(&path, &ImportOptions::default(), &Silent).unwrap();
    let cells: Vec<u32> = (0..dataset.cell_count() as u32).collect();
    let sizes = dataset.matrix().row_sums();
    let found = find_doublets(dataset.matrix(), &cells, &sizes, &Settings::default(), 0, &Silent).unwrap();
    // The Python package (0.2.3, seeds 0 and 1): 42 genes; 5 %, 50 % and 95 % of the scores below 0.056, 0.135, 0.271; a
    // threshold of 0.60 and no doublet, as the simulated ones cannot be told from cells.
    assert_eq!(found.genes, 42);
    let mut scores = found.scores.clone();
    scores.sort_by(f64::total_cmp);
    for (share, expected) in [(0.05, 0.056), (0.5, 0.135), (0.95, 0.271)] {
        let score = scores[(share * scores.len() as f64) as usize];
        assert!((score - expected).abs() < 0.04, "{share}: {score} instead of {expected}");
    }
    assert!(found.count() < 20, "{} of {} cells", found.count(), cells.len());
}
