//! Screens of which only some genes are held.

use grn_explorer::data::h5ad::{self, MatrixLayout, WriteOptions};
use grn_explorer::data::simulate::{SimulateConfig, simulate};
use grn_explorer::data::{CellRole, Dataset, GeneMoments, ImportOptions, KeptGenes, RankGenes, Room};
use grn_explorer::jobs::Silent;
use grn_explorer::preprocess::normalise::{Expression, median_library_size};
use grn_explorer::preprocess::quality::CellMetrics;
use grn_explorer::preprocess::variable_genes::{Choice, by_dispersion, rank_by_dispersion};
use grn_explorer::preprocess::{PrepareConfig, prepare};

struct ByDispersion;

impl RankGenes for ByDispersion {
    fn rank(&self, genes: &GeneMoments) -> Vec<u32> {
        rank_by_dispersion(genes)
    }
}

fn screen() -> Dataset {
    let config = SimulateConfig { genes: 120, perturbations: 6, cells: 500, seed: 11, ..SimulateConfig::small() };
    simulate(&config, &Silent).unwrap().dataset
}

fn layouts(dataset: &Dataset, mut each: impl FnMut(&std::path::Path, MatrixLayout)) {
    let folder = tempfile::tempdir().unwrap();
    for layout in MatrixLayout::ALL {
        let path = folder.path().join(format!("{}.h5ad", layout.key()));
        h5ad::write_with(&path, dataset, &WriteOptions { layout, extra: Vec::new() }, &Silent).unwrap();
        each(&path, layout);
    }
}

fn read(path: &std::path::Path, bytes: u64, genes: Option<KeptGenes>) -> Dataset {
    let options = ImportOptions { genes, ..ImportOptions::default() };
    h5ad::read_into(Some(&Room { bytes, rank: &ByDispersion, genes: None }), path, &options, &Silent).unwrap()
}

#[test]
fn a_screen_that_fits_is_held_whole_and_all_can_be_asked_for() {
    let whole = screen();
    layouts(&whole, |path, layout| {
        let fits = read(path, u64::MAX, None);
        assert_eq!(fits.hash(), whole.hash(), "{layout:?}");
        assert!(fits.whole_cells().is_none());
        assert_eq!(read(path, 0, Some(KeptGenes::ALL)).hash(), whole.hash(), "{layout:?}");
        assert_eq!(read(path, 0, Some(KeptGenes::Count(120))).hash(), whole.hash(), "{layout:?}");
    });
}

#[test]
fn perturbed_and_variable_genes_are_held_and_the_rest_is_measured() {
    let whole = screen();
    let all: Vec<u32> = (0..500).collect();
    let metrics = CellMetrics::of(&whole, &all, &Silent).unwrap();
    let assigned: Vec<u32> =
        all.iter().copied().filter(|&row| whole.roles()[row as usize] != CellRole::Unassigned).collect();
    assert!(assigned.len() < 500, "the screen has cells without an assignment");
    let sizes = whole.matrix().row_sums();
    let target = median_library_size(&assigned.iter().map(|&row| sizes[row as usize]).collect::<Vec<_>>()).unwrap();
    let expression = Expression::of_counts(whole.matrix(), &sizes, target);
    let variable = by_dispersion(&expression, &assigned, Choice::Top(30), &Silent).unwrap();

    layouts(&whole, |path, layout| {
        let part = read(path, u64::MAX, Some(KeptGenes::Count(40)));
        assert_eq!((part.gene_count(), part.cell_count()), (40, 500), "{layout:?}");
        // Every perturbed gene that was measured.
        for target in whole.perturbations().iter().flat_map(|perturbation| perturbation.targets()) {
            assert_eq!(part.genes().column(target).is_some(), whole.genes().column(target).is_some(), "{target}");
        }
        // Thirty of the most variable genes, whatever is perturbed.
        for gene in (0..120).filter(|&gene| variable.selected[gene]) {
            assert!(part.genes().column(whole.genes().symbol(gene)).is_some(), "{layout:?} {gene}");
        }
        // The same counts, and nothing of cells without an assignment.
        for gene in 0..40 {
            let column = whole.genes().column(part.genes().symbol(gene)).unwrap();
            for &row in &assigned {
                assert_eq!(part.matrix().get(row as usize, gene), whole.matrix().get(row as usize, column));
            }
        }
        assert!(part.control_cells() == whole.control_cells() && part.unassigned_cells() == whole.unassigned_cells());
        assert!(part.unassigned_cells().iter().all(|&row| part.matrix().row(row as usize).is_empty()));
        // Quality and library sizes are those of all genes.
        assert_eq!(CellMetrics::of(&part, &all, &Silent).unwrap(), metrics, "{layout:?}");
        assert!((0..500).all(|row| part.library_size(row) == sizes[row]));
        let choice = part.import().choices.iter().find(|choice| choice.what == "genes held").unwrap();
        assert_eq!(choice.chosen, "40 of 120");
    });
}

#[test]
fn as_many_genes_are_held_as_there_is_room_for() {
    let whole = screen();
    layouts(&whole, |path, layout| {
        let bytes = whole.matrix().stored() as u64 * 6;
        let part = read(path, bytes * 95 / 100, None);
        // A round number below what fits.
        assert_eq!(part.gene_count(), 100, "{layout:?}");
        assert!(part.matrix().stored() as u64 * 6 <= bytes);
        // Nothing fits: the perturbed genes are held all the same.
        let least = read(path, 0, None);
        assert_eq!(least.gene_count(), 6, "{layout:?}");
    });
}

#[test]
fn a_part_can_be_prepared_and_is_told_in_the_notes() {
    let whole = screen();
    layouts(&whole, |path, _| {
        let part = std::sync::Arc::new(read(path, u64::MAX, Some(KeptGenes::Count(50))));
        let config = PrepareConfig { minimum_cells: 5, ..PrepareConfig::default() };
        let of_part = prepare(&part, &config, 3, &Silent).unwrap();
        let of_whole = prepare(&std::sync::Arc::new(screen()), &config, 3, &Silent).unwrap();
        assert_eq!(of_part.quality_failed, of_whole.quality_failed);
        assert_eq!(of_part.cells, of_whole.cells);
        assert_eq!(of_part.splits, of_whole.splits);
    });
}
