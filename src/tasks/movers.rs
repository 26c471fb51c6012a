//! What moves a gene: every perturbation of the screen, by its measured and by its predicted shift of that gene.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::bail;

use super::tables::{INTERVAL_COLUMNS, interval_fields};
use crate::data::EffectTable;
use crate::figures::response::{PairedBar, PairedBarsFigure};
use crate::models::TrainedModel;

/// Perturbations in the figure.
const DRAWN: usize = 20;

/// A perturbation, and how it shifts the gene (log2 against control).
#[derive(Clone, Debug, PartialEq)]
pub struct Mover {
    /// Its name.
    pub perturbation: String,
    /// What the model predicts, if it does.
    pub predicted: Option<f32>,
    /// What was measured, if it was.
    pub measured: Option<MeasuredShift>,
    /// It perturbs the gene itself: the shift is what was done, not what followed.
    pub own: bool,
}

/// A measured shift of one gene.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeasuredShift {
    /// log2 against control.
    pub shift: f32,
    /// On cells held out from training, not on training cells.
    pub held_out: bool,
    /// Number of cells.
    pub cells: u32,
    /// Adjusted p < 0.05 among the training cells; none where it was not tested.
    pub significant: Option<bool>,
}

impl MeasuredShift {
    /// `held-out cells` or `training cells`.
    pub fn over(&self) -> &'static str {
        if self.held_out { "held-out cells" } else { "training cells" }
    }
}

impl Mover {
    /// The measured shift, or the predicted one where there is none.
    fn shift(&self) -> Option<f32> {
        self.measured.map(|measured| measured.shift).or(self.predicted)
    }
}

/// The perturbations of `model` by what they do to `gene`; the gene's own first, then the largest measured shifts (on
/// held-out cells where there are any), or predicted ones where nothing was measured. Empty if the gene was not measured.
pub fn movers(model: &TrainedModel, gene: &str) -> Vec<Mover> {
    let perturbations = model.card().perturbations.iter();
    let own = perturbations.filter(|known| known.targets.iter().any(|target| target == gene)).map(|known| known.name());
    let (training, significant) = (model.observed_in_training(), model.significant_in_training());
    among(gene, model.predicted(), model.observed_held_out(), training, significant, &own.collect())
}

/// One gene's column of a table of shifts: for each perturbation its row, and the shift where there is one.
fn column<'a>(table: &'a EffectTable, gene: &str) -> BTreeMap<&'a str, (usize, f32)> {
    let Some(column) = table.genes.iter().position(|known| known == gene) else { return BTreeMap::new() };
    let rows = table.perturbations.iter().enumerate();
    let shifts = rows.map(|(row, name)| (name.as_str(), (row, table.row(row)[column])));
    shifts.filter(|(_, (_, shift))| shift.is_finite()).collect()
}

fn among(
    gene: &str,
    predicted: &EffectTable,
    held_out: &EffectTable,
    training: &EffectTable,
    significant: &[bool],
    own: &BTreeSet<String>,
) -> Vec<Mover> {
    let at = training.genes.iter().position(|known| known == gene).unwrap_or(0);
    let is_significant = |row: usize| significant.get(row * training.genes.len() + at).copied();
    let columns = [predicted, held_out, training].map(|table| column(table, gene));
    let names: BTreeSet<&str> = columns.iter().flat_map(|column| column.keys().copied()).collect();
    let mover = |name: &str| {
        let [predicted, in_held_out, in_training] = columns.each_ref().map(|column| column.get(name).copied());
        let significant = in_training.and_then(|(row, _)| is_significant(row));
        let of = |held_out: bool, table: &EffectTable, found: Option<(usize, f32)>| {
            let (row, shift) = found?;
            let cells = table.cells.get(row).copied().unwrap_or(0);
            Some(MeasuredShift { shift, held_out, cells, significant })
        };
        Mover {
            perturbation: name.to_owned(),
            predicted: predicted.map(|(_, shift)| shift),
            measured: of(true, held_out, in_held_out).or_else(|| of(false, training, in_training)),
            own: own.contains(name),
        }
    };
    let mut list: Vec<Mover> = names.into_iter().map(mover).collect();
    // Of equals the first by name, in whose order they are.
    let size = |mover: &Mover| mover.shift().map_or(f32::NEG_INFINITY, f32::abs);
    list.sort_by(|a, b| b.own.cmp(&a.own).then(size(b).total_cmp(&size(a))));
    list
}

/// Half the widths of the intervals of the predicted shifts of `gene` under `movers`, of an ensemble; none of others.
fn half_widths<'a>(model: &TrainedModel, gene: &str, movers: impl Iterator<Item = &'a Mover>) -> Vec<Option<f32>> {
    let predicted = model.predicted();
    let column = predicted.genes.iter().position(|known| known == gene);
    let of = |mover: &Mover| {
        let row = predicted.find(&mover.perturbation).filter(|_| mover.predicted.is_some())?;
        model.spread_of(row)?.half_widths().get(column?).copied()
    };
    movers.map(of).collect()
}

/// The 20 perturbations that move `gene` most, measured beside predicted, without those that perturb the gene itself. Names
/// of `highlight` (genes) are bold.
///
/// # Errors
/// If the model knows no shift of the gene under another perturbation.
pub fn figure(
    model: &TrainedModel,
    gene: &str,
    highlight: &[String],
    text_size: f32,
) -> anyhow::Result<PairedBarsFigure> {
    let list = movers(model, gene);
    let drawn: Vec<&Mover> = list.iter().filter(|mover| !mover.own).take(DRAWN).collect();
    if drawn.is_empty() {
        bail!("nothing is known of the shift of {gene}: its expression was not measured under other perturbations");
    }
    let widths = half_widths(model, gene, drawn.iter().copied());
    let bar = |(mover, half_width): (&&Mover, Option<f32>)| PairedBar {
        label: mover.perturbation.clone(),
        observed: mover.measured.map_or(f32::NAN, |measured| measured.shift),
        predicted: mover.predicted.unwrap_or(f32::NAN),
        half_width,
        highlighted: mover.perturbation.split('+').any(|target| highlight.iter().any(|wanted| wanted == target)),
    };
    Ok(PairedBarsFigure {
        title: format!("What moves {gene}"),
        x_label: format!("Shift of {gene} (log2)"),
        bars: drawn.iter().zip(widths).map(bar).collect(),
        interval: model.spread_of(0).map(|spread| spread.label()).unwrap_or_default(),
        text_size,
    })
}

/// What [`figure`] shows, in a sentence.
pub fn describe(gene: &str) -> String {
    format!(
        "the perturbations that shift {gene} most, measured on held-out cells where there are any, beside predicted; those \
         of {gene} itself left out"
    )
}

/// All perturbations: `perturbation`, `measured_shift` (log2, empty where there is none), `measured_on`, `cells`,
/// `significant`, `predicted_shift`, of an ensemble the ends of its interval, and `perturbs_the_gene`.
pub fn table(model: &TrainedModel, gene: &str) -> String {
    let list = movers(model, gene);
    let widths = half_widths(model, gene, list.iter());
    let is_ensemble = model.spread_of(0).is_some();
    let mut text =
        "perturbation\tmeasured_shift\tmeasured_on\tcells\tsignificant\tperturbs_the_gene\tpredicted_shift".to_owned();
    text.push_str(if is_ensemble { INTERVAL_COLUMNS } else { "" });
    text.push('\n');
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    for (mover, half_width) in list.iter().zip(widths) {
        let measured = mover.measured.map_or_else(
            || "\t\t\t".to_owned(),
            |measured| {
                let significant = measured.significant.map(yes).unwrap_or_default();
                format!("{}\t{}\t{}\t{significant}", measured.shift, measured.over(), measured.cells)
            },
        );
        let predicted = mover.predicted.map(|shift| shift.to_string()).unwrap_or_default();
        let interval = match mover.predicted.zip(half_width) {
            Some((shift, half)) => interval_fields(shift, Some(half)),
            None if is_ensemble => "\t\t".to_owned(),
            None => String::new(),
        };
        // Writing into a text cannot fail.
        let _ = writeln!(text, "{}\t{measured}\t{}\t{predicted}{interval}", mover.perturbation, yes(mover.own));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_own_perturbation_comes_first_then_measured_and_predicted_shifts_by_size() {
        let table = |names: &[&str], shifts: &[f32], cells: u32| EffectTable {
            perturbations: names.iter().map(|name| (*name).to_owned()).collect(),
            genes: vec!["X".to_owned(), "Y".to_owned()],
            cells: vec![cells; names.len()],
            shifts: shifts.iter().flat_map(|&shift| [0.0, shift]).collect(),
        };
        let predicted = table(&["A", "B", "C", "Y"], &[0.1, -3.0, 0.4, -5.0], 0);
        let held_out = table(&["A", "Y"], &[-0.9, -1.0], 5);
        let training = table(&["A", "C"], &[0.7, f32::NAN], 50);
        let significant = [false, true, false, false];
        let list = among("Y", &predicted, &held_out, &training, &significant, &BTreeSet::from(["Y".to_owned()]));
        let names: Vec<&str> = list.iter().map(|mover| mover.perturbation.as_str()).collect();
        assert_eq!(names, ["Y", "B", "A", "C"]);
        let measured = list[2].measured.unwrap();
        assert_eq!((measured.shift, measured.over(), measured.significant), (-0.9, "held-out cells", Some(true)));
        assert_eq!(list[3].measured, None);
        assert!(among("Z", &predicted, &held_out, &training, &significant, &BTreeSet::new()).is_empty());
    }

    #[test]
    fn figure_and_table_tell_what_the_list_does() {
        let model = TrainedModel::open(std::path::Path::new("sample_data/sample_model.safetensors")).unwrap();
        let gene = model.card().treatments.iter().find(|known| known.perturbed_cells > 0).unwrap().symbol.clone();
        let list = movers(&model, &gene);
        let others: Vec<&Mover> = list.iter().filter(|mover| !mover.own).collect();
        assert!(list[0].own && others.len() > DRAWN);
        let drawn = figure(&model, &gene, &[others[1].perturbation.clone()], 7.0).unwrap();
        assert_eq!(drawn.title, format!("What moves {gene}"));
        let labels: Vec<&str> = drawn.bars.iter().map(|bar| bar.label.as_str()).collect();
        assert_eq!(labels, others[..DRAWN].iter().map(|mover| mover.perturbation.as_str()).collect::<Vec<_>>());
        assert_eq!(drawn.bars[0].observed, others[0].measured.unwrap().shift);
        assert!(drawn.bars[1].highlighted && !drawn.bars[0].highlighted);

        let text = table(&model, &gene);
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
        assert!(rows.len() == list.len() + 1 && rows.iter().all(|row| row.len() == 7));
        assert_eq!((rows[1][0], rows[1][5]), (list[0].perturbation.as_str(), "yes"));
        assert_eq!(rows[2][6].parse::<f32>().unwrap(), others[0].predicted.unwrap());
        let unknown = figure(&model, "no gene", &[], 7.0).unwrap_err();
        assert!(unknown.to_string().contains("nothing is known of the shift of no gene"));
    }
}
