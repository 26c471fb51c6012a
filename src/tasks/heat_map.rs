//! The shifts of the genes that respond most under the perturbations that do most, clustered.

use crate::data::EffectTable;
use crate::evaluation::clustering::cluster;
use crate::figures::response::{HeatMapFigure, HeatMapOptions, HeatMapPanel, HeatMapShifts, MOST_IN_HEAT_MAP};
use crate::jobs::{Cancelled, Progress};
use crate::words::counted;

/// With fewer cells a measured shift is mostly noise.
const LEAST_CELLS: u32 = 10;

/// Rows × genes of shifts, not finite where the gene was perturbed itself: that is what was done, not what followed.
struct Rows {
    names: Vec<String>,
    values: Vec<Vec<f32>>,
}

fn rows(table: &EffectTable, names: &[String], genes: &[String]) -> Rows {
    let column: std::collections::HashMap<&str, usize> =
        table.genes.iter().enumerate().map(|(at, gene)| (gene.as_str(), at)).collect();
    let columns: Vec<Option<usize>> = genes.iter().map(|gene| column.get(gene.as_str()).copied()).collect();
    let row = |name: &String| {
        let targets: Vec<&str> = name.split('+').collect();
        let found = table.find(name).map(|row| table.row(row));
        let of = |(gene, column): (&String, &Option<usize>)| match (found, column) {
            (Some(row), Some(column)) if !targets.contains(&gene.as_str()) => row[*column],
            _ => f32::NAN,
        };
        genes.iter().zip(&columns).map(of).collect()
    };
    Rows { names: names.to_vec(), values: names.iter().map(row).collect() }
}

fn mean_square(values: impl Iterator<Item = f32>, around: f64) -> f64 {
    let (sum, count) = values
        .filter(|value| value.is_finite())
        .fold((0.0, 0usize), |(sum, count), value| (sum + (f64::from(value) - around).powi(2), count + 1));
    sum / count.max(1) as f64
}

fn variance(values: impl Iterator<Item = f32> + Clone) -> f64 {
    let finite = values.clone().filter(|value| value.is_finite());
    let mean = finite.clone().map(f64::from).sum::<f64>() / finite.count().max(1) as f64;
    mean_square(values, mean)
}

/// The positions of the `most` largest of `sizes`, ties in their order.
fn largest(sizes: &[f64], most: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|&a, &b| sizes[b].total_cmp(&sizes[a]).then(a.cmp(&b)));
    order.truncate(most.clamp(1, MOST_IN_HEAT_MAP));
    order
}

/// The heat map of `observed` and `predicted` shifts (log2) of the perturbations that both have; those with fewer than ten cells are
/// left out where most have more, unless predicted shifts alone are shown. Rows and columns are chosen and
/// ordered by what is shown, of both by the observed shifts. Colours end at the 98th percentile of |shift|. Takes well under a second for
/// hundreds of perturbations and thousands of genes.
///
/// # Errors
/// If cancelled.
pub fn heat_map(
    observed: &EffectTable,
    predicted: &EffectTable,
    options: HeatMapOptions,
    progress: &dyn Progress,
) -> Result<HeatMapFigure, Cancelled> {
    progress.stage("Choosing genes", None);
    let both = observed.perturbations.iter().zip(&observed.cells).filter(|(name, _)| predicted.find(name).is_some());
    let sure: Vec<String> =
        both.clone().filter(|(_, cells)| **cells >= LEAST_CELLS).map(|(name, _)| name.clone()).collect();
    let all: Vec<String> = both.map(|(name, _)| name.clone()).collect();
    let only_sure = options.shifts != HeatMapShifts::Predicted
        && sure.len() < all.len()
        && sure.len() * 2 >= all.len()
        && sure.len() > 1;
    let names = if only_sure { sure } else { all };
    let leads = if options.shifts == HeatMapShifts::Predicted { predicted } else { observed };
    let all = rows(leads, &names, &leads.genes);
    progress.check()?;
    let sizes: Vec<f64> = all.values.iter().map(|row| mean_square(row.iter().copied(), 0.0)).collect();
    let chosen = largest(&sizes, options.perturbations);
    let variances: Vec<f64> =
        (0..leads.genes.len()).map(|gene| variance(chosen.iter().map(|&row| all.values[row][gene]))).collect();
    let genes = largest(&variances, options.genes.min(leads.genes.len().max(1)));
    progress.check()?;
    progress.stage("Clustering", None);
    let profiles: Vec<Vec<f32>> =
        chosen.iter().map(|&row| genes.iter().map(|&gene| all.values[row][gene]).collect()).collect();
    let row_tree = cluster(&profiles);
    progress.check()?;
    let columns: Vec<Vec<f32>> = (0..genes.len()).map(|gene| profiles.iter().map(|row| row[gene]).collect()).collect();
    let column_tree = cluster(&columns);
    progress.check()?;
    let names: Vec<String> = row_tree.order.iter().map(|&at| all.names[chosen[at]].clone()).collect();
    let genes: Vec<String> = column_tree.order.iter().map(|&at| leads.genes[genes[at]].clone()).collect();
    let panel = |title: &str, table: &EffectTable| HeatMapPanel {
        title: title.to_owned(),
        values: rows(table, &names, &genes).values.concat(),
    };
    let panels = match options.shifts {
        HeatMapShifts::Observed => vec![panel("Observed", observed)],
        HeatMapShifts::Predicted => vec![panel("Predicted", predicted)],
        HeatMapShifts::Both => vec![panel("Observed", observed), panel("Predicted", predicted)],
    };
    let limit = limit(panels.iter().flat_map(|panel| panel.values.iter().copied()));
    Ok(HeatMapFigure {
        scale_label: match options.shifts {
            HeatMapShifts::Observed => "Observed shift (log2)".to_owned(),
            HeatMapShifts::Predicted => "Predicted shift (log2)".to_owned(),
            HeatMapShifts::Both => "Shift (log2)".to_owned(),
        },
        rows_label: match only_sure {
            true => format!("Perturbations with {LEAST_CELLS} cells or more"),
            false => "Perturbations".to_owned(),
        },
        row_notes: names.iter().map(|name| cells(observed, name)).collect(),
        rows: names,
        columns: genes,
        panels,
        row_tree: Some(row_tree),
        column_tree: Some(column_tree),
        limit,
        no_value: "Perturbed itself".to_owned(),
        ..HeatMapFigure::default()
    })
}

/// `40 cells`, behind the measured shifts.
fn cells(observed: &EffectTable, name: &str) -> String {
    let found = observed.find(name).and_then(|row| observed.cells.get(row));
    found.map(|cells| counted(*cells as usize, "cell")).unwrap_or_default()
}

/// The 98th percentile of |value|, rounded up to two digits: a few extreme genes do not pale all others.
fn limit(values: impl Iterator<Item = f32>) -> f32 {
    let mut sizes: Vec<f32> = values.filter(|value| value.is_finite()).map(f32::abs).collect();
    sizes.sort_unstable_by(f32::total_cmp);
    let at = sizes.get((sizes.len().saturating_sub(1) as f32 * 0.98) as usize).copied().unwrap_or(0.0);
    if at <= 0.0 {
        return 1.0;
    }
    let unit = 10f32.powf(at.log10().floor() - 1.0);
    (at / unit).ceil() * unit
}

impl HeatMapFigure {
    /// The values as tab-separated text, rows and columns as drawn.
    pub fn table(&self) -> String {
        let mut text = "perturbation\tshifts".to_owned();
        self.columns.iter().for_each(|column| text.push_str(&format!("\t{column}")));
        text.push('\n');
        for panel in &self.panels {
            for (name, values) in self.rows.iter().zip(panel.values.chunks(self.columns.len().max(1))) {
                text.push_str(&format!("{name}\t{}", panel.title.to_lowercase()));
                for value in values {
                    text.push('\t');
                    if value.is_finite() {
                        text.push_str(&value.to_string());
                    }
                }
                text.push('\n');
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::Silent;

    fn table(rows: &[(&str, [f32; 4])]) -> EffectTable {
        EffectTable {
            perturbations: rows.iter().map(|row| row.0.to_owned()).collect(),
            genes: ["A", "X", "Y", "Z"].map(str::to_owned).to_vec(),
            cells: vec![40; rows.len()],
            shifts: rows.iter().flat_map(|row| row.1).collect(),
        }
    }

    fn example(options: HeatMapOptions) -> HeatMapFigure {
        let observed = table(&[
            ("A", [-9.0, 1.0, 2.0, 0.1]),
            ("B", [0.2, -1.0, -2.0, 0.0]),
            ("C", [0.0, 0.1, 0.0, 0.1]),
            ("D", [0.1, 0.9, 2.2, 0.0]),
            ("E", [5.0, 5.0, 5.0, 5.0]),
        ]);
        let mut predicted = table(&[("D", [0.0, 4.0, 3.0, 2.0]), ("A", [0.0; 4]), ("B", [0.0; 4]), ("C", [0.0; 4])]);
        // Its genes in another order.
        predicted.genes.reverse();
        heat_map(&observed, &predicted, options, &Silent).unwrap()
    }

    #[test]
    fn what_responds_most_is_chosen_and_what_responds_alike_stands_together() {
        let options = HeatMapOptions { genes: 2, perturbations: 3, ..HeatMapOptions::default() };
        let figure = example(options);
        // C does little, and E was not predicted; A's own fall is no response.
        assert_eq!(figure.rows[0], "B");
        assert!(figure.rows[1..].iter().all(|name| name == "A" || name == "D"));
        assert_eq!(
            {
                let mut genes = figure.columns.clone();
                genes.sort();
                genes
            },
            ["X", "Y"]
        );
        let at = |row: &str, gene: &str, panel: usize| {
            let row = figure.rows.iter().position(|name| name == row).unwrap();
            let column = figure.columns.iter().position(|name| name == gene).unwrap();
            figure.panels[panel].values[row * 2 + column]
        };
        assert_eq!((at("D", "Y", 0), at("D", "Y", 1), at("D", "X", 1)), (2.2, 4.0, 3.0));
        assert!((figure.limit - 3.0).abs() < 1e-5, "{}", figure.limit);
        assert_eq!(figure.table().lines().count(), 1 + 6);
    }

    #[test]
    fn what_has_few_cells_is_left_out_where_most_have_more() {
        let mut observed =
            table(&[("A", [0.0, 9.0, -9.0, 0.1]), ("B", [0.2, 1.0, 2.0, 0.0]), ("C", [0.0, 0.1, 0.0, 0.1])]);
        observed.cells[0] = 9;
        let all = |observed: &EffectTable| heat_map(observed, observed, HeatMapOptions::default(), &Silent).unwrap();
        let figure = all(&observed);
        assert!(!figure.rows.contains(&"A".to_owned()) && figure.rows_label.ends_with("10 cells or more"));
        assert_eq!(figure.row_notes, ["40 cells", "40 cells"]);
        observed.cells = vec![9, 9, 40];
        assert_eq!(all(&observed).rows.len(), 3);
    }

    #[test]
    fn the_perturbed_gene_has_no_value() {
        let options = HeatMapOptions { shifts: HeatMapShifts::Observed, genes: 9, perturbations: 500 };
        let figure = example(options);
        assert_eq!((figure.rows.len(), figure.columns.len(), figure.panels.len()), (4, 4, 1));
        assert_eq!(figure.panels[0].values.iter().filter(|value| !value.is_finite()).count(), 1);
        let empty = heat_map(&EffectTable::default(), &EffectTable::default(), options, &Silent).unwrap();
        assert!(empty.rows.is_empty() && empty.limit == 1.0);
    }
}
