//! The predicted shifts of one knock-out as a list, with the measured ones where the screen has them.

use crate::app::views::response::Truth;
use crate::app::widgets::Sort;
use crate::data::EffectTable;
use crate::models::{PredictedEffect, Spread};
use crate::tasks::tables::{CALL_COLUMN, INTERVAL_COLUMNS, interval_fields};

/// One gene of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// Its symbol.
    pub gene: String,
    /// Predicted shift, log2 against control.
    pub predicted: f32,
    /// Half the width of the interval around it, of an ensemble.
    pub half_width: Option<f32>,
    /// False discovery rate at which an ensemble calls it, see [`PredictedEffect::adjusted_p`].
    pub adjusted_p: Option<f64>,
    /// Measured shift, where the screen has this very perturbation.
    pub measured: Option<f32>,
    /// Expression in control cells as the model predicts it: mean log2(10,000·x/Σx + 1).
    pub control: f32,
    /// The gene was knocked out itself.
    pub target: bool,
}

/// Columns of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectColumn {
    /// Symbol.
    Gene,
    /// |predicted shift|.
    Size,
    /// Measured shift.
    Measured,
    /// Expression in control cells.
    Control,
}

/// Measured shifts of the same perturbation.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Which cells.
    pub truth: Truth,
    /// How many.
    pub cells: u32,
    /// By position in the list of genes; not a number where there is none.
    pub shifts: Vec<f32>,
    /// The share of cells that respond, where the shifts are theirs.
    pub share: Option<f32>,
}

impl Measured {
    /// The measured shifts of `name` for `genes`: over held-out cells where there are any, else over training cells.
    pub fn find(name: &str, genes: &[String], held_out: &EffectTable, training: &EffectTable) -> Option<Self> {
        for (truth, table) in [(Truth::HeldOut, held_out), (Truth::Training, training)] {
            let Some(row) = table.find(name) else { continue };
            let shifts = if table.genes == genes {
                table.row(row).to_vec()
            } else {
                let at: std::collections::HashMap<&str, f32> =
                    table.genes.iter().map(String::as_str).zip(table.row(row).iter().copied()).collect();
                genes.iter().map(|gene| at.get(gene.as_str()).copied().unwrap_or(f32::NAN)).collect()
            };
            return Some(Self { truth, cells: table.cells.get(row).copied().unwrap_or(0), shifts, share: None });
        }
        None
    }

    /// Those of the cells that respond, `share` of all: the mean over all cells is that times theirs, as those that escaped are like
    /// control cells.
    pub fn of_responding(mut self, share: f32) -> Self {
        self.shifts.iter_mut().for_each(|shift| *shift /= share);
        Self { share: Some(share), ..self }
    }
}

/// All genes with their shifts.
pub fn effects(
    genes: &[String],
    effect: &PredictedEffect,
    measured: Option<&Measured>,
    targets: &[&str],
) -> Vec<Effect> {
    let widths = effect.spread.as_ref().map(Spread::half_widths);
    let adjusted = effect.adjusted_p(genes);
    let effect = |(at, gene): (usize, &String)| Effect {
        gene: gene.clone(),
        predicted: effect.shifts.get(at).copied().unwrap_or(f32::NAN),
        half_width: widths.as_ref().and_then(|widths| widths.get(at)).copied(),
        adjusted_p: adjusted.as_ref().map(|adjusted| adjusted[at]),
        measured: measured.and_then(|measured| measured.shifts.get(at)).copied().filter(|shift| shift.is_finite()),
        control: effect.control.get(at).copied().unwrap_or(f32::NAN),
        target: targets.contains(&gene.as_str()),
    };
    genes.iter().enumerate().map(effect).collect()
}

/// Positions of the effects whose gene contains `filter`, in the order of `sort`.
pub fn order(effects: &[Effect], sort: Sort<EffectColumn>, filter: &str) -> Vec<u32> {
    let wanted = filter.trim().to_lowercase();
    let passes = |effect: &Effect| wanted.is_empty() || effect.gene.to_lowercase().contains(&wanted);
    let mut order: Vec<u32> = (0..effects.len() as u32).filter(|&at| passes(&effects[at as usize])).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (&effects[a as usize], &effects[b as usize]);
        let by_name = a.gene.cmp(&b.gene);
        let by_value = match sort.key {
            EffectColumn::Gene => return sort.apply(by_name),
            EffectColumn::Size => sort.numbers(Some(a.predicted.abs()), Some(b.predicted.abs())),
            EffectColumn::Control => sort.numbers(Some(a.control), Some(b.control)),
            EffectColumn::Measured => sort.numbers(a.measured.map(f32::abs), b.measured.map(f32::abs)),
        };
        by_value.then(by_name)
    });
    order
}

/// The list as tab-separated values, in the order given.
pub fn table(effects: &[Effect], order: &[u32], measured: Option<&Measured>) -> String {
    let mut text = "gene\tpredicted_shift_log2".to_owned();
    if let Some(measured) = measured {
        let truth = if measured.truth == Truth::HeldOut { "held_out" } else { "training" };
        let among = if measured.share.is_some() { "_responding" } else { "" };
        text.push_str(&format!("\tmeasured_shift_log2_{truth}{among}"));
    }
    text.push_str("\tcontrol_expression_log2\tknocked_out");
    if effects.iter().any(|effect| effect.half_width.is_some()) {
        text.push_str(INTERVAL_COLUMNS);
        text.push_str(CALL_COLUMN);
    }
    text.push('\n');
    for &at in order {
        let effect = &effects[at as usize];
        let mut fields = vec![effect.gene.clone(), effect.predicted.to_string()];
        if measured.is_some() {
            fields.push(effect.measured.map(|shift| shift.to_string()).unwrap_or_default());
        }
        fields.extend([effect.control.to_string(), if effect.target { "yes" } else { "no" }.to_owned()]);
        text.push_str(&fields.join("\t"));
        text.push_str(&interval_fields(effect.predicted, effect.half_width));
        text.push_str(&effect.adjusted_p.map(|p| format!("\t{p:e}")).unwrap_or_default());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Novelty;

    fn genes() -> Vec<String> {
        ["A", "B", "AB", "C"].map(str::to_owned).to_vec()
    }

    fn answer() -> PredictedEffect {
        PredictedEffect {
            name: "A".to_owned(),
            novelty: Novelty::NeverPerturbed,
            lenders: None,
            extrapolated: false,
            responding: None,
            shifts: vec![-3.0, 0.5, f32::NAN, 2.0],
            spread: None,
            control: vec![1.0, 2.0, 3.0, 4.0],
        }
    }

    fn example() -> Vec<Effect> {
        let shifts = vec![-0.5, f32::NAN, 0.1, 2.0];
        let measured = Measured { truth: Truth::HeldOut, cells: 9, shifts, share: None };
        effects(&genes(), &answer(), Some(&measured), &["A"])
    }

    fn names(order: &[u32]) -> Vec<&'static str> {
        order.iter().map(|&at| ["A", "B", "AB", "C"][at as usize]).collect()
    }

    #[test]
    fn the_largest_shifts_come_first_and_missing_ones_last() {
        let effects = example();
        assert_eq!(names(&order(&effects, Sort::falling(EffectColumn::Size), "")), ["A", "C", "B", "AB"]);
        assert_eq!(names(&order(&effects, Sort::rising(EffectColumn::Size), "")), ["B", "C", "A", "AB"]);
        assert_eq!(names(&order(&effects, Sort::falling(EffectColumn::Measured), "")), ["C", "A", "AB", "B"]);
        assert_eq!(names(&order(&effects, Sort::rising(EffectColumn::Gene), "a")), ["A", "AB"]);
        assert!(effects[0].target && !effects[1].target);
    }

    #[test]
    fn measured_shifts_prefer_held_out_cells_and_are_matched_by_gene() {
        let table = |genes: &[&str], shifts: &[f32], cells| EffectTable {
            perturbations: vec!["A".into()],
            genes: genes.iter().map(|gene| (*gene).to_owned()).collect(),
            cells: vec![cells],
            shifts: shifts.to_vec(),
        };
        let held_out = table(&["C", "A"], &[7.0, 8.0], 5);
        let training = table(&["A", "B", "AB", "C"], &[1.0; 4], 50);
        let found = Measured::find("A", &genes(), &held_out, &training).unwrap();
        assert_eq!((found.truth, found.cells), (Truth::HeldOut, 5));
        assert_eq!(found.shifts[0], 8.0);
        assert!(found.shifts[1].is_nan());
        let found = Measured::find("A", &genes(), &EffectTable::default(), &training).unwrap();
        assert_eq!((found.truth, found.cells), (Truth::Training, 50));
        assert_eq!(Measured::find("B", &genes(), &held_out, &training), None);
    }

    #[test]
    fn the_table_says_which_cells_were_measured() {
        let effects = example();
        let measured = Measured { truth: Truth::HeldOut, cells: 9, shifts: vec![0.0; 4], share: None };
        let text = table(&effects, &[0, 1], Some(&measured));
        assert_eq!(
            text,
            "gene\tpredicted_shift_log2\tmeasured_shift_log2_held_out\tcontrol_expression_log2\tknocked_out\n\
             A\t-3\t-0.5\t1\tyes\nB\t0.5\t\t2\tno\n"
        );
        let text = table(&effects, &[], Some(&measured.of_responding(0.5)));
        assert_eq!(text.split('\t').nth(2), Some("measured_shift_log2_held_out_responding"));
    }

    #[test]
    fn cells_that_respond_shift_by_more_than_all_together() {
        let measured = Measured { truth: Truth::Training, cells: 9, shifts: vec![-0.5, f32::NAN], share: None };
        let found = measured.of_responding(0.25);
        assert_eq!((found.shifts[0], found.share, found.cells), (-2.0, Some(0.25), 9));
        assert!(found.shifts[1].is_nan());
    }
}
