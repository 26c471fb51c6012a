//! Interactions as tables and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Interactions, PairInteraction};
use crate::evaluation::interactions::Scores;
use crate::models::INTERVAL_LEVEL;

/// Titles of the columns with scores, each behind a prefix.
const SCORES: [&str; 8] = [
    "c_a",
    "c_b",
    "magnitude",
    "fit",
    "similarity_of_singles",
    "similarity_to_pair",
    "equality_of_contribution",
    "dominance",
];

fn scores(scores: &Scores) -> [Option<f64>; 8] {
    [
        scores.coefficients.map(|both| both[0]),
        scores.coefficients.map(|both| both[1]),
        scores.magnitude,
        scores.fit,
        scores.similarity_of_singles,
        scores.similarity_to_pair,
        scores.equality,
        scores.dominance,
    ]
}

fn field(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or_else(String::new, |value| format!("{value:.6}"))
}

/// One row per pair: what was measured and tested, and what is predicted; empty where there is none.
pub fn pair_table(found: &Interactions) -> String {
    let mut text = "pair\tgene_a\tgene_b\tcells_control\tcells_a\tcells_b\tcells_pair\tgenes_tested\tgenes_deviating\t\
                    genes_responding\tp\tadjusted_p\tclass\trelative_strength\tdeviation_log2"
        .to_owned();
    SCORES.iter().for_each(|name| text.push_str(&format!("\t{name}")));
    text.push_str("\tpredicted_novelty\tpredicted_class\tpredicted_relative_strength\tpredicted_deviation_log2");
    SCORES.iter().for_each(|name| text.push_str(&format!("\tpredicted_{name}")));
    text.push('\n');
    for pair in &found.pairs {
        let [a, b] = &pair.targets;
        // Writing into a text cannot fail.
        let _ = write!(text, "{}\t{a}\t{b}", pair.name());
        match &pair.measured {
            Some(one) => {
                let found = &one.deviations;
                found.cells.iter().for_each(|cells| text.push_str(&format!("\t{cells}")));
                let (tested, responding) = (found.tested.len(), found.responding.len());
                let _ = write!(
                    text,
                    "\t{tested}\t{}\t{responding}\t{:e}\t{:e}\t{}\t{}\t{}",
                    found.deviating(),
                    one.p,
                    one.adjusted_p,
                    one.class.label(),
                    field(found.relative),
                    field(Some(found.size))
                );
                scores(&one.scores).into_iter().for_each(|value| text.push_str(&format!("\t{}", field(value))));
            }
            None => text.push_str(&"\t".repeat(12 + SCORES.len())),
        }
        match &pair.predicted {
            Some(one) => {
                let (class, relative) = (one.class.label(), field(one.relative));
                let _ = write!(text, "\t{}\t{class}\t{relative}\t{}", one.novelty.label(), field(Some(one.size)));
                scores(&one.scores).into_iter().for_each(|value| text.push_str(&format!("\t{}", field(value))));
            }
            None => text.push_str(&"\t".repeat(4 + SCORES.len())),
        }
        text.push('\n');
    }
    text
}

/// One gene of one pair.
struct GeneRow {
    gene: usize,
    shifts: Option<[f32; 3]>,
    /// Deviation, error, p, adjusted p.
    tested: Option<(f32, f32, f64, f64)>,
    predicted: Option<[f32; 3]>,
    half_width: Option<f32>,
}

impl GeneRow {
    fn predicted_deviation(&self) -> Option<f32> {
        self.predicted.map(|[a, b, both]| both - a - b)
    }
}

/// The genes of a pair but the perturbed ones; the most significant first, else the largest predicted deviation.
fn rows(found: &Interactions, pair: &PairInteraction) -> Vec<GeneRow> {
    let others = (0..found.genes.len()).filter(|&gene| !pair.targets.contains(&found.genes[gene]));
    let at = |shifts: &[Vec<f32>; 3], gene: usize| shifts.each_ref().map(|list| list[gene]);
    let mut rows: Vec<GeneRow> = others
        .map(|gene| {
            let measured = pair.measured.as_ref().map(|one| &one.deviations);
            let place = measured.and_then(|found| found.tested.binary_search(&(gene as u32)).ok());
            let predicted = pair.predicted.as_ref();
            GeneRow {
                gene,
                shifts: measured.map(|found| at(&found.shifts, gene)),
                tested: measured.zip(place).map(|(found, place)| {
                    (found.deviation[place], found.error[place], found.p_values[place], found.adjusted[place])
                }),
                predicted: predicted.map(|one| at(&one.shifts, gene)).filter(|shifts| shifts[2].is_finite()),
                half_width: predicted.and_then(|one| one.half_widths.as_ref()).map(|widths| widths[gene]),
            }
        })
        .collect();
    let p = |row: &GeneRow| row.tested.map_or(2.0, |tested| tested.2);
    let size = |row: &GeneRow| row.predicted_deviation().map_or(-1.0, f32::abs);
    rows.sort_by(|a, b| p(a).total_cmp(&p(b)).then(size(b).total_cmp(&size(a))).then(a.gene.cmp(&b.gene)));
    rows
}

/// One row per pair and gene: shifts of the singles and of the pair, their sum, the deviation from it with its standard error and p
/// values (empty for genes in too few cells to be tested), and the predicted deviation.
pub fn gene_table(found: &Interactions) -> String {
    let mut text = "pair\tgene\tshift_a\tshift_b\tshift_pair\texpected\tdeviation\tstandard_error\tp\tadjusted_p\t\
                    predicted_shift_pair\tpredicted_expected\tpredicted_deviation\tpredicted_low_90\tpredicted_high_90\n"
        .to_owned();
    for pair in &found.pairs {
        let name = pair.name();
        for row in rows(found, pair) {
            let _ = write!(text, "{name}\t{}", found.genes[row.gene]);
            let _ = match row.shifts {
                Some([a, b, both]) => write!(text, "\t{a}\t{b}\t{both}\t{}", a + b),
                None => write!(text, "\t\t\t\t"),
            };
            let _ = match row.tested {
                Some((deviation, error, p, adjusted)) => write!(text, "\t{deviation}\t{error}\t{p:e}\t{adjusted:e}"),
                None => write!(text, "\t\t\t\t"),
            };
            let _ = match row.predicted {
                Some([a, b, both]) => write!(text, "\t{both}\t{}\t{}", a + b, both - a - b),
                None => write!(text, "\t\t\t"),
            };
            let _ = match row.predicted_deviation().zip(row.half_width) {
                Some((deviation, half)) => write!(text, "\t{}\t{}", deviation - half, deviation + half),
                None => write!(text, "\t\t"),
            };
            text.push('\n');
        }
    }
    text
}

fn scores_json(of: &Scores) -> Value {
    let mut object = serde_json::Map::new();
    object.insert("genes".to_owned(), json!(of.genes));
    for (name, value) in SCORES.iter().zip(scores(of)) {
        object.insert((*name).to_owned(), json!(value));
    }
    Value::Object(object)
}

/// Everything; of each pair the `genes` most significant (or most deviating) genes.
pub fn json(found: &Interactions, genes: usize) -> Value {
    let pair = |pair: &PairInteraction| {
        let measured = pair.measured.as_ref().map(|one| {
            let found = &one.deviations;
            let [control, a, b, both] = found.cells;
            json!({
                "cells": {"control": control, "a": a, "b": b, "pair": both},
                "genes_tested": found.tested.len(),
                "genes_deviating": found.deviating(),
                "p": one.p,
                "adjusted_p": one.adjusted_p,
                "class": one.class.label(),
                "relative_strength": found.relative,
                "deviation_log2": found.size,
                "scores": scores_json(&one.scores),
            })
        });
        let predicted = pair.predicted.as_ref().map(|one| {
            json!({
                "novelty": one.novelty.label(),
                "class": one.class.label(),
                "relative_strength": one.relative,
                "deviation_log2": one.size,
                "scores": scores_json(&one.scores),
            })
        });
        let gene = |row: GeneRow| {
            let mut of = json!({"gene": found.genes[row.gene]});
            if let Some([a, b, both]) = row.shifts {
                of["shifts"] = json!({"a": a, "b": b, "pair": both});
            }
            if let Some((deviation, error, p, adjusted)) = row.tested {
                of["deviation"] = json!({"log2": deviation, "standard_error": error, "p": p, "adjusted_p": adjusted});
            }
            if let Some(deviation) = row.predicted_deviation() {
                let interval = row.half_width.map(|half| [deviation - half, deviation + half]);
                of["predicted_deviation"] = json!({"log2": deviation, "interval": interval});
            }
            of
        };
        json!({
            "pair": pair.name(),
            "measured": measured,
            "predicted": predicted,
            "genes": rows(found, pair).into_iter().take(genes).map(gene).collect::<Vec<_>>(),
        })
    };
    json!({
        "cells": found.cells,
        "interval_level": INTERVAL_LEVEL,
        "pairs": found.pairs.iter().map(pair).collect::<Vec<_>>(),
        "left_out": found.left_out.iter().map(|(name, reason)| json!({"pair": name, "reason": reason})).collect::<Vec<_>>(),
        "notes": found.notes,
    })
}
