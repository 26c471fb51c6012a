//! The tables of a report.

use std::collections::HashMap;

use super::outcome;
use crate::evaluation::bootstrap::Interval;
use crate::evaluation::ceiling;
use crate::evaluation::effects::EffectMetrics;
use crate::evaluation::report::{FitRow, GoldStandard, Report};
use crate::words::{counted, grouped};

/// What a table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Predicted shifts.
    Shifts,
    /// The network.
    Network,
    /// The model's cells.
    Cells,
}

/// The title of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// What is shown.
    pub title: &'static str,
    /// Which of the [`definitions`](crate::evaluation::report::definitions) says what is below it; empty where it says so itself.
    pub metric: &'static str,
}

const fn of(title: &'static str, metric: &'static str) -> Head {
    Head { title, metric }
}

const fn plain(title: &'static str) -> Head {
    Head { title, metric: "" }
}

/// A table for people.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportTable {
    /// What it is about.
    pub section: Section,
    /// Above it.
    pub title: &'static str,
    /// Titles of the columns; the first has names.
    pub header: Vec<Head>,
    /// The cells, as many in a row as in the header.
    pub rows: Vec<Vec<String>>,
    /// Below it; empty for nothing.
    pub note: String,
    /// Whether it is long, and shown only where asked for.
    pub long: bool,
}

/// All tables for which `report` has the numbers, but that of methods and metrics.
pub fn tables(report: &Report) -> Vec<ReportTable> {
    let all = [
        verdicts(report),
        classes(report),
        per_perturbation(report),
        calibration(report),
        report.gold_standard.as_ref().map(recovery),
        discoveries(report),
        responding(report),
        likelihood(report),
        quality_pass(report),
        mean_distances(report),
        distances(report),
    ];
    all.into_iter().flatten().filter(|table| !table.rows.is_empty()).collect()
}

/// A number with so many decimals and a true minus, or a dash.
pub(super) fn number(value: Option<f64>, decimals: usize) -> String {
    value
        .filter(|value| value.is_finite())
        .map_or_else(|| "–".into(), |value| format!("{value:.decimals$}").replace('-', "−"))
}

fn table(section: Section, title: &'static str, header: &[Head], rows: Vec<Vec<String>>) -> ReportTable {
    ReportTable { section, title, header: header.to_vec(), rows, note: String::new(), long: false }
}

fn interval(interval: Option<Interval>) -> String {
    let text = |interval: Interval| [interval.low, interval.high].map(|end| number(Some(end), 3)).join(" … ");
    interval.map(text).unwrap_or_default()
}

fn verdicts(report: &Report) -> Option<ReportTable> {
    let rows = report.fits.verdicts.iter().map(|verdict| {
        vec![
            report.label(&verdict.metric).to_owned(),
            number(Some(verdict.model), 3),
            verdict.best_baseline.clone(),
            number(Some(verdict.baseline), 3),
            interval(verdict.difference),
            verdict.words().to_owned(),
        ]
    });
    let header =
        [plain(""), plain("Model"), plain("Best baseline"), plain("Its value"), plain("Difference (95 %)"), plain("")];
    Some(table(Section::Shifts, "Against the best baseline in each metric", &header, rows.collect()))
}

fn classes(report: &Report) -> Option<ReportTable> {
    let row = |class: &str, method: &str, effects: &EffectMetrics| {
        vec![
            class.to_owned(),
            method.to_owned(),
            effects.perturbations.to_string(),
            number(effects.pearson, 3),
            number(effects.r_squared, 3),
            number(effects.mean_pearson, 3),
            number(effects.further.pearson_beyond_mean, 3),
            number(effects.further.discrimination, 3),
            number(effects.jaccard_20, 3),
            number(effects.mean_absolute_error, 4),
        ]
    };
    let rows = report.classes.iter().flat_map(|class| {
        let methods = class.fits.methods.iter().map(|fit| row(&class.class, &fit.method, &fit.effects));
        let replicate = class.fits.ceiling.iter().map(|found| row(&class.class, ceiling::NAME, &found.effects));
        methods.chain(replicate).collect::<Vec<_>>()
    });
    let header = [
        plain(""),
        plain("Method"),
        of("Covers", "perturbations"),
        of("r", "pearson"),
        of("R²", "r_squared"),
        of("Pearson-Δ", "mean_pearson"),
        of("Beyond mean", "pearson_beyond_mean"),
        of("Discrimination", "discrimination"),
        of("Jaccard 20", "jaccard_20"),
        of("MAE", "mean_absolute_error"),
    ];
    let told = report.classes.iter().map(|class| format!("{}: {}", class.class, outcome(report, &class.fits)));
    let note = told.collect::<Vec<_>>().join(". ");
    Some(ReportTable { note, ..table(Section::Shifts, "By what was seen in training", &header, rows.collect()) })
}

fn per_perturbation(report: &Report) -> Option<ReportTable> {
    let model = report.fits.model()?.method.as_str();
    let (own, others): (Vec<&FitRow>, Vec<&FitRow>) =
        report.per_perturbation.iter().partition(|row| row.method == model);
    let mut best_of: HashMap<&str, (&FitRow, f64)> = HashMap::new();
    for row in others {
        let Some(pearson) = row.fit.pearson else { continue };
        let best = best_of.entry(&row.fit.perturbation).or_insert((row, pearson));
        if pearson >= best.1 {
            *best = (row, pearson);
        }
    }
    let rows = own.into_iter().map(|own| {
        let best = best_of.get(own.fit.perturbation.as_str()).map(|(row, _)| *row);
        vec![
            own.fit.perturbation.clone(),
            own.training_cells.to_string(),
            own.fit.cells.to_string(),
            number(own.fit.pearson, 3),
            best.map_or_else(String::new, |row| row.method.clone()),
            number(best.and_then(|row| row.fit.pearson), 3),
            number(own.fit.r_squared, 3),
            number(own.fit.pearson_top_20, 3),
            number(Some(own.fit.jaccard_20), 3),
            number(own.fit.further.discrimination, 3),
            number(own.fit.further.de_overlap, 3),
            number(Some(own.fit.mean_absolute_error), 4),
        ]
    });
    let header = [
        plain(""),
        plain("Training cells"),
        plain("Evaluated cells"),
        of("Pearson-Δ", "mean_pearson"),
        plain("Best baseline"),
        of("Its Pearson-Δ", "mean_pearson"),
        of("R²", "r_squared"),
        of("r top 20", "pearson_top_20"),
        of("Jaccard 20", "jaccard_20"),
        of("Discrimination", "discrimination"),
        of("DE overlap", "de_overlap"),
        of("MAE", "mean_absolute_error"),
    ];
    let table = table(Section::Shifts, "Perturbations one by one", &header, rows.collect());
    Some(ReportTable { long: true, ..table })
}

/// How an ensemble's intervals hold what they promise.
fn calibration(report: &Report) -> Option<ReportTable> {
    let found = report.calibration.as_ref()?;
    let share = |value: f64| format!("{:.0} %", value * 100.0);
    let rows = found.points.iter().map(|point| {
        let shares = [point.level, point.coverage, point.coverage_with_noise, point.coverage_top_20];
        [shares.map(share).to_vec(), vec![number(Some(point.half_width), 3)]].concat()
    });
    let header = [
        plain("Interval"),
        of("Holds", "coverage"),
        of("With noise", "coverage_with_noise"),
        of("Top 20", "coverage_top_20"),
        of("± log2", "half_width"),
    ];
    let note = format!(
        "{} members, judged on {} ({}, standardised error {})",
        found.members,
        found.judged_on,
        counted(found.shifts, "shift"),
        number(Some(found.standardised_error), 2)
    );
    Some(ReportTable { note, ..table(Section::Shifts, "Intervals of the ensemble", &header, rows.collect()) })
}

/// How methods recover known edges.
pub fn recovery(gold: &GoldStandard) -> ReportTable {
    let rows = gold.methods.iter().map(|score| {
        vec![
            score.method.clone(),
            number(score.auprc, 3),
            number(score.auprc_ratio, 2),
            number(score.auroc, 3),
            number(score.early_precision_ratio, 2),
            number(score.sign_accuracy, 2),
            format!("{:.0} %", 100.0 * score.ranked_share),
        ]
    });
    let header = [
        plain(""),
        of("AUPRC", "auprc"),
        of("× density", "auprc_ratio"),
        of("AUROC", "auroc"),
        of("Early precision ×", "early_precision_ratio"),
        of("Right signs", "sign_accuracy"),
        of("Ranked", "ranked_share"),
    ];
    let note = format!(
        "{} known edges among {} pairs (density {}): {}. Known edges outside: {}",
        grouped(gold.true_edges),
        grouped(gold.candidates),
        number(gold.density, 4),
        gold.universe,
        grouped(gold.true_edges_outside)
    );
    ReportTable { note, ..table(Section::Network, "Against known edges", &header, rows.collect()) }
}

fn discoveries(report: &Report) -> Option<ReportTable> {
    let found = report.discoveries.as_ref()?;
    let rows = found.levels.iter().map(|level| {
        vec![
            format!("{} %", level.rate * 100.0),
            grouped(level.edges),
            number(level.unreachable, 3),
            number(level.indirect_or_false, 3),
        ]
    });
    let header = [
        of("False discovery rate", "rate"),
        plain("Edges"),
        of("No path", "unreachable"),
        of("No known edge", "indirect_or_false"),
    ];
    // Without known edges nothing is known of the last two.
    let shown = if found.levels.iter().any(|level| level.unreachable.is_some()) { header.len() } else { 2 };
    let rows = rows.map(|row| row[..shown].to_vec());
    let note = format!("{} edges tested, {}", grouped(found.tested), counted(found.shuffles, "shuffle"));
    Some(ReportTable {
        note,
        ..table(Section::Network, "Edges against shuffled labels", &header[..shown], rows.collect())
    })
}

fn responding(report: &Report) -> Option<ReportTable> {
    let rows = report.responding.iter().map(|found| {
        vec![
            found.method.clone(),
            found.perturbations.to_string(),
            number(Some(found.jaccard_significant), 3),
            interval(found.interval),
            number(Some(found.predicted), 1),
            number(Some(found.observed), 1),
            found.definition.clone(),
        ]
    });
    let header = [
        plain(""),
        plain("Perturbations"),
        of("Jaccard with observed", "jaccard_significant"),
        plain("95 %"),
        plain("Genes"),
        plain("Observed genes"),
        plain("Cells"),
    ];
    Some(table(Section::Cells, "Genes that respond significantly", &header, rows.collect()))
}

fn likelihood(report: &Report) -> Option<ReportTable> {
    let found = report.likelihood.as_ref()?;
    let row = vec![
        number(Some(found.iw_elbo), 2),
        number(Some(found.standard_error), 2),
        number(Some(found.elbo), 2),
        format!("{} of {}", grouped(found.cells), grouped(found.of_cells)),
        found.particles.to_string(),
        number(Some(found.effective_particles), 1),
    ];
    let header = [
        of("IW-ELBO of a cell", "iw_elbo"),
        plain("±"),
        of("ELBO", "elbo"),
        plain("Cells"),
        plain("Draws"),
        of("Equal draws", "effective_particles"),
    ];
    Some(table(Section::Cells, "How well cells are explained", &header, vec![row]))
}

fn quality_pass(report: &Report) -> Option<ReportTable> {
    let pass = report.quality_pass.as_ref()?;
    let rows = pass.rows.iter().map(|row| {
        let shares = [row.generated, row.measured, row.generated_control, row.measured_control];
        [vec![format!("{} MAD", row.mads)], shares.map(|share| number(Some(share), 3)).to_vec()].concat()
    });
    let header = [
        plain(""),
        of("Generated", "quality_pass"),
        of("Measured", "quality_pass"),
        of("Generated control", "quality_pass"),
        of("Measured control", "quality_pass"),
    ];
    let note = format!(
        "Share of cells, {} generated under each of {} and as control, by {}",
        grouped(pass.generated_per_condition),
        counted(pass.perturbations, "perturbation"),
        pass.rules.join(", ")
    );
    let table = table(Section::Cells, "Cells drawn from the model that pass quality control", &header, rows.collect());
    Some(ReportTable { note, ..table })
}

fn mean_distances(report: &Report) -> Option<ReportTable> {
    let found = report.distances.as_ref()?;
    let rows = found.means.iter().map(|mean| {
        vec![
            mean.from.clone(),
            mean.perturbations.to_string(),
            number(Some(mean.e_distance), 3),
            interval(mean.interval),
        ]
    });
    let header = [plain("From"), plain("Perturbations"), of("Mean E-distance", "e_distance"), plain("95 %")];
    let note = format!(
        "Of each perturbation's evaluated cells, in {} principal components. Without bias: of cells of one distribution it is 0 on average",
        found.components
    );
    let table = table(Section::Cells, "How far evaluated cells are from others", &header, rows.collect());
    Some(ReportTable { note, ..table })
}

fn distances(report: &Report) -> Option<ReportTable> {
    let found = report.distances.as_ref()?;
    let rows = found.rows.iter().map(|row| {
        vec![
            row.perturbation.clone(),
            row.cells.to_string(),
            number(Some(row.e_distance), 3),
            number(row.mmd, 4),
            number(Some(row.permutation_p_value), 4),
            number(Some(row.adjusted_p_value), 4),
            number(row.training.map(|training| training.e_distance), 3),
            number(row.generated.map(|generated| generated.e_distance), 3),
            number(row.generated.and_then(|generated| generated.mmd), 4),
        ]
    });
    let header = [
        plain(""),
        plain("Cells"),
        of("E-distance", "e_distance"),
        of("MMD", "mmd"),
        of("p (shuffled)", "permutation_p_value"),
        of("Adjusted p", "adjusted_p_value"),
        of("E-distance from training", "e_distance"),
        of("E-distance from generated", "e_distance"),
        of("MMD from generated", "mmd"),
    ];
    let note =
        format!("From {} in {} principal components", counted(found.control_cells, "control cell"), found.components);
    let table = table(Section::Cells, "Distances of each perturbation's cells", &header, rows.collect());
    Some(ReportTable { note, long: true, ..table })
}

#[cfg(test)]
mod tests {
    use super::super::tests::judged;
    use super::*;
    use crate::evaluation::report::{Discoveries, QualityPass, QualityPassRow};

    #[test]
    fn rows_are_as_wide_as_their_header_and_what_is_missing_is_left_out() {
        let mut one = judged("a", 0.5, 0.25);
        assert!(tables(&one.report).is_empty(), "nothing but methods");
        one.report.discoveries = Some(Discoveries::of(&[(0.01, None), (0.3, None)], 50));
        let row = QualityPassRow { mads: 3.0, generated: 0.9, ..QualityPassRow::default() };
        one.report.quality_pass = Some(QualityPass { rows: vec![row], ..QualityPass::default() });
        let found = tables(&one.report);
        assert_eq!(found.iter().map(|table| table.section).collect::<Vec<_>>(), [Section::Network, Section::Cells]);
        assert!(found.iter().all(|table| table.rows.iter().all(|row| row.len() == table.header.len())));
        assert_eq!(found[1].rows[0][..2], ["3 MAD", "0.900"]);
    }
}
