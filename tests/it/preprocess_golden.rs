//! Every case of the reference values in `preprocess/`: a real subset with scanpy's and POT's results.

use grn_explorer::data::{CellRole, Dataset, ImportOptions, h5ad};
use grn_explorer::jobs::Silent;
use grn_explorer::preprocess::control_matching::{match_controls, sinkhorn};
use grn_explorer::preprocess::differential::{DifferentialTable, Test, differential};
use grn_explorer::preprocess::normalise::{Expression, log_normalise, median_library_size};
use grn_explorer::preprocess::quality::{CellMetrics, QualityReport, Rule};
use grn_explorer::preprocess::variable_genes::{
    Choice, Dispersions, Limits, by_dispersion, by_dispersion_per_batch, by_standardised_variance,
};

use crate::reference::{Case, cases};

/// A case with its screen.
struct Screen {
    case: Case,
    dataset: Dataset,
    /// All rows.
    cells: Vec<u32>,
    controls: Vec<u32>,
}

fn screens() -> Vec<Screen> {
    let open = |case: Case| {
        let path = case.folder.join(format!("{}.h5ad", case.name));
        let dataset = h5ad::read(&path, &ImportOptions::default(), &Silent).expect("the screen opens");
        let (cells, controls) = ((0..dataset.cell_count() as u32).collect(), dataset.control_cells());
        assert!(!controls.is_empty(), "{}: control cells are recognised", case.name);
        Screen { case, dataset, cells, controls }
    };
    cases("preprocess").into_iter().map(open).collect()
}

impl Screen {
    fn strings(&self, key: &str) -> Vec<String> {
        let list = self.case.json[key].as_array().unwrap_or_else(|| panic!("{} lacks {key}", self.case.name));
        list.iter().map(|text| text.as_str().expect("text").to_owned()).collect()
    }

    /// The rows of each of the case's groups.
    fn groups(&self) -> Vec<Vec<u32>> {
        let by_perturbation = self.dataset.cells_by_perturbation();
        let rows = |name: &String| {
            let index = self.dataset.perturbations().iter().position(|perturbation| perturbation.name() == *name);
            by_perturbation[index.unwrap_or_else(|| panic!("{}: no perturbation {name}", self.case.name))].clone()
        };
        self.strings("groups").iter().map(rows).collect()
    }

    /// The reference's log-normalised expression. Ranks depend on its last bits: whether two cells tie is decided by
    /// the rounding of the logarithm.
    fn reference_expression(&self) -> grn_explorer::data::CsrMatrix {
        let values = self.case.f32s("lognorm");
        grn_explorer::data::CsrMatrix::from_dense(self.dataset.cell_count(), self.dataset.gene_count(), &values)
    }
}

/// Fail if any value is further from its reference than `relative` of it (or `absolute`, for those near 0).
fn assert_close(what: &str, found: &[f64], expected: &[f64], relative: f64, absolute: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: number of values");
    let mut worst = (0.0, 0);
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        // What the reference could not compute (0 / 0) is 0 here.
        let expected = if expected.is_nan() { 0.0 } else { *expected };
        let excess = match *found == expected {
            true => 0.0,
            false => (found - expected).abs() / (relative * expected.abs() + absolute),
        };
        if excess > worst.0 || excess.is_nan() {
            worst = (excess, at);
        }
    }
    println!("{what}: at worst {:.2e} of the tolerance", worst.0);
    let at = worst.1;
    assert!(worst.0 <= 1.0, "{what}: value {at} is {} instead of {}", found[at], expected[at]);
}

/// p values: relative, down to 1e-250; what is smaller in the reference must be small here.
fn assert_p_values(what: &str, found: &[f64], expected: &[f64]) {
    assert_close(what, found, expected, 1e-3, 1e-250);
}

fn as_f64(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

#[test]
fn golden_quality_metrics_thresholds_and_flags() {
    for screen in screens() {
        let Screen { case, dataset, cells, .. } = &screen;
        let metrics = CellMetrics::measure(dataset.matrix(), dataset.genes(), cells, &Silent).unwrap();
        let columns = [
            (Rule::FewCounts, "total_counts"),
            (Rule::FewGenes, "n_genes_by_counts"),
            (Rule::Mitochondrial, "pct_counts_mt"),
            (Rule::Ribosomal, "pct_counts_ribo"),
            (Rule::Haemoglobin, "pct_counts_hb"),
        ];
        for (rule, column) in columns {
            let what = format!("{}: {column}", case.name);
            assert_close(&what, &as_f64(&metrics.values(rule)), &case.f64s(&format!("qc.{column}")), 1e-4, 1e-9);
        }
        let settings = case.json.as_object().expect("an object");
        let mut judged = 0;
        for (key, thresholds) in settings {
            let Some(mads) = key.strip_prefix("qc_thresholds_k") else { continue };
            let mads: f64 = mads.parse().expect("a number of MADs");
            let report = QualityReport::judge(&metrics, mads);
            for (rule, column) in columns {
                let limit =
                    report.thresholds.iter().find(|threshold| threshold.rule == rule).expect("every rule").limit;
                let expected = thresholds[column].as_f64().expect("a number");
                assert_close(
                    &format!("{}: limit of {column}", case.name),
                    &[f64::from(limit)],
                    &[expected],
                    1e-4,
                    1e-6,
                );
            }
            let failed: Vec<f64> = report.failed.iter().map(|failed| f64::from(u8::from(failed.any()))).collect();
            assert_eq!(failed, case.f64s("qc.fail_without_doublets"), "{}: failing cells at {mads} MAD", case.name);
            judged += 1;
        }
        assert!(judged > 0, "{} has no thresholds", case.name);
    }
}

#[test]
fn golden_log_normalised_expression() {
    for screen in screens() {
        let Screen { case, dataset, cells, .. } = &screen;
        let target = median_library_size(&dataset.matrix().row_sums()).expect("counts");
        let expected = case.json["normalize_target_sum"].as_f64().expect("a number");
        assert_close(&format!("{}: target sum", case.name), &[target], &[expected], 1e-6, 1e-9);
        let expression = log_normalise(dataset.matrix(), cells, target, &Silent).unwrap();
        let mut dense = vec![0.0; dataset.gene_count()];
        let mut found = Vec::new();
        for cell in 0..dataset.cell_count() {
            expression.copy_row(cell, &mut dense);
            found.extend(as_f64(&dense));
        }
        assert_close(&format!("{}: expression", case.name), &found, &case.f64s("lognorm"), 1e-4, 1e-9);
    }
}

fn assert_table(screen: &Screen, prefix: &str, table: &DifferentialTable) {
    let case = &screen.case;
    let what = |column: &str| format!("{}: {prefix}.{column}", case.name);
    assert_close(&what("scores"), &table.scores, &case.f64s(&format!("{prefix}.scores")), 1e-4, 1e-6);
    for column in case.names_under("") {
        let expected = || case.f64s(column);
        match column.strip_prefix(&format!("{prefix}.")) {
            Some("pvals") => assert_p_values(&what("pvals"), &table.p_values, &expected()),
            Some("pvals_adj") => assert_p_values(&what("pvals_adj"), &table.adjusted_p_values, &expected()),
            Some("logfoldchanges") => {
                assert_close(&what("logfoldchanges"), &as_f64(&table.log_fold_changes), &expected(), 1e-4, 1e-5);
            }
            _ => {}
        }
    }
}

#[test]
fn golden_differential_expression() {
    for screen in screens() {
        let (expression, groups) = (screen.reference_expression(), screen.groups());
        for (prefix, test) in [
            ("wilcoxon", Test::Wilcoxon { tie_correction: false }),
            ("wilcoxon_tie", Test::Wilcoxon { tie_correction: true }),
            ("t_test", Test::WelchT),
        ] {
            let table =
                differential(&Expression::as_is(&expression), &groups, &screen.controls, test, &Silent).unwrap();
            assert_table(&screen, prefix, &table);
        }
    }
}

#[test]
fn golden_differential_expression_from_the_counts() {
    // The whole way: our own normalisation, whose logarithm rounds a few last bits otherwise, which moves single cells
    // by a rank.
    for screen in screens() {
        let target = median_library_size(&screen.dataset.matrix().row_sums()).expect("counts");
        let expression = log_normalise(screen.dataset.matrix(), &screen.cells, target, &Silent).unwrap();
        let test = Test::Wilcoxon { tie_correction: true };
        let table =
            differential(&Expression::as_is(&expression), &screen.groups(), &screen.controls, test, &Silent).unwrap();
        let what = format!("{}: scores", screen.case.name);
        assert_close(&what, &table.scores, &screen.case.f64s("wilcoxon_tie.scores"), 1e-4, 1e-2);
    }
}

#[test]
fn golden_matched_control_cells() {
    for screen in screens() {
        let Screen { case, dataset, cells, controls } = &screen;
        let target = median_library_size(&dataset.matrix().row_sums()).expect("counts");
        let expression = log_normalise(dataset.matrix(), cells, target, &Silent).unwrap();
        let genes = screen.strings("matching_genes");
        let columns: Vec<u32> =
            genes.iter().map(|gene| dataset.genes().column(gene).expect("a measured gene") as u32).collect();
        let (expected, gaps) = (case.f64s("matching.control_cell"), case.f64s("matching.relative_gap"));
        let mut groups = screen.groups();
        groups.push(controls.clone());
        let mut compared = 0;
        for group in &groups {
            let settings = sinkhorn::Settings::default();
            let matches =
                match_controls(&Expression::as_is(&expression), &columns, group, controls, &settings, &Silent).unwrap();
            for (&cell, found) in group.iter().zip(matches) {
                let at = cell as usize;
                assert!(dataset.roles()[found.control as usize] == CellRole::Control);
                assert!((found.relative_gap - gaps[at]).abs() < 1e-6, "{}: gap of cell {cell}", case.name);
                if gaps[at] > 1e-6 {
                    assert_eq!(f64::from(found.control), expected[at], "{}: control of cell {cell}", case.name);
                    compared += 1;
                }
            }
        }
        println!("{}: {compared} matched controls are the same", case.name);
    }
}

impl Screen {
    /// Whether each gene is highly variable in the reference.
    fn selected(&self, prefix: &str) -> Vec<bool> {
        self.case.f64s(&format!("{prefix}.highly_variable")).iter().map(|flag| *flag != 0.0).collect()
    }

    /// The reference's choice: within scanpy's default limits, or as many of the best as it has selected.
    fn choices(&self, prefix: &str) -> [Choice; 2] {
        let count = self.selected(prefix).iter().filter(|selected| **selected).count();
        [Choice::Within(Limits::default()), Choice::Top(count)]
    }

    /// The ways in which a reference can have divided the cells, as rows: its file names the column no more.
    fn divisions(&self) -> Vec<Vec<Vec<u32>>> {
        let mut by_condition = self.dataset.cells_by_perturbation();
        by_condition.push(self.controls.clone());
        by_condition.retain(|cells| !cells.is_empty());
        let mut divisions = vec![by_condition];
        for categories in [self.dataset.batch(), self.dataset.cell_type()].into_iter().flatten() {
            let mut division = vec![Vec::new(); categories.levels.len()];
            for (cell, code) in self.cells.iter().zip(&categories.codes) {
                division[code.expect("a batch") as usize].push(*cell);
            }
            division.retain(|cells: &Vec<u32>| !cells.is_empty());
            divisions.push(division);
        }
        divisions
    }
}

#[test]
fn golden_highly_variable_genes() {
    for screen in screens() {
        let (case, reference) = (&screen.case, screen.reference_expression());
        let expression = Expression::as_is(&reference);
        let [limits, top] =
            screen.choices("hvg").map(|choice| by_dispersion(&expression, &screen.cells, choice, &Silent).unwrap());
        let found = if limits.selected == screen.selected("hvg") { limits } else { top };
        for (column, values) in
            [("means", &found.means), ("dispersions", &found.dispersions), ("dispersions_norm", &found.normalised)]
        {
            let name = format!("hvg.{column}");
            // The reference holds normalised dispersions in single precision; near 0 they are differences.
            assert_close(&format!("{}: {name}", case.name), &defined(values), &case.f64s(&name), 1e-4, 1e-6);
        }
        assert_eq!(found.selected, screen.selected("hvg"), "{}: highly variable genes", case.name);
    }
}

#[test]
fn golden_highly_variable_genes_over_batches() {
    for screen in screens() {
        let (case, reference) = (&screen.case, screen.reference_expression());
        let expression = Expression::as_is(&reference);
        let votes: Vec<u32> = case.f64s("hvg_batch.nbatches").iter().map(|votes| *votes as u32).collect();
        let fits = |found: &Dispersions| found.batches == votes && found.selected == screen.selected("hvg_batch");
        let found = screen.divisions().into_iter().find_map(|batches| {
            let of = |choice| by_dispersion_per_batch(&expression, &batches, choice, &Silent).unwrap();
            screen.choices("hvg_batch").map(of).into_iter().find(&fits)
        });
        let found = found.unwrap_or_else(|| panic!("{}: no division of the cells gives these genes", case.name));
        let what = format!("{}: hvg_batch.dispersions_norm", case.name);
        assert_close(&what, &defined(&found.normalised), &case.f64s("hvg_batch.dispersions_norm"), 1e-4, 1e-6);
    }
}

#[test]
fn golden_highly_variable_genes_of_counts() {
    for screen in screens() {
        let Screen { case, dataset, cells, .. } = &screen;
        let selected = screen.selected("hvg_v3");
        let top = selected.iter().filter(|selected| **selected).count();
        let batches = std::slice::from_ref(cells);
        let found = by_standardised_variance(dataset.matrix(), batches, top, 0.3, &Silent).unwrap();
        let what = format!("{}: hvg_v3.variances_norm", case.name);
        assert_close(&what, &found.normalised, &case.f64s("hvg_v3.variances_norm"), 1e-4, 1e-9);
        // Among genes that tie with the last one taken (alike to the last count) the reference's sort, which is not
        // stable, decides.
        let chosen = found.normalised.iter().zip(&found.selected).filter(|(_, selected)| **selected);
        let last = chosen.map(|(value, _)| *value).fold(f64::INFINITY, f64::min);
        let tied = |gene: &usize| (found.normalised[*gene] / last - 1.0).abs() < 1e-9;
        let differ = (0..selected.len()).filter(|&gene| found.selected[gene] != selected[gene]);
        assert!(differ.clone().all(|gene| tied(&gene)), "{}: highly variable genes of the counts", case.name);
        println!("{}: {} genes differ, all tied with the last", case.name, differ.count());
    }
}

/// 0 for what is undefined, as [`assert_close`] reads the reference.
fn defined(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| if value.is_nan() { 0.0 } else { *value }).collect()
}
