//! Interactions as figures: the map of all pairs, and one pair gene by gene.

use std::collections::BTreeMap;

use super::{Interactions, PairInteraction};
use crate::evaluation::interactions::InteractionClass;
use crate::evaluation::interactions::additivity::LEVEL;
use crate::evaluation::pearson;
use crate::figures::interactions::{InteractionMap, MapPair};
use crate::figures::response::{ScatterFigure, ScatterPoint};
use crate::words::counted;

/// Genes in a map at most: of more, those of the clearest pairs.
const MOST_GENES: usize = 60;

/// The map of all pairs: below the diagonal what was measured, above it what is predicted. The pair called `chosen` is pointed out.
/// Squares are listed with the position of their pair in [`Interactions::pairs`].
pub fn map(found: &Interactions, chosen: Option<&str>, text_size: f32) -> (InteractionMap, Vec<usize>) {
    let genes = ordered(found);
    let place: BTreeMap<&str, usize> = genes.iter().enumerate().map(|(at, gene)| (gene.as_str(), at)).collect();
    let (mut pairs, mut positions) = (Vec::new(), Vec::new());
    let mut seen: Vec<InteractionClass> = Vec::new();
    for (position, pair) in found.pairs.iter().enumerate() {
        let [Some(&a), Some(&b)] = pair.targets.each_ref().map(|gene| place.get(gene.as_str())) else { continue };
        let text = describe(pair);
        let is_chosen = chosen.is_some_and(|name| name == pair.name());
        let measured =
            pair.measured.as_ref().map(|one| (true, one.deviations.relative, one.class, one.adjusted_p < LEVEL));
        let predicted = pair
            .predicted
            .as_ref()
            .map(|one| (false, one.relative, one.class, one.class != InteractionClass::Additive));
        for (below, value, class, clear) in measured.into_iter().chain(predicted) {
            let (row, column) = if below { (a.max(b), a.min(b)) } else { (a.min(b), a.max(b)) };
            if clear && !seen.contains(&class) {
                seen.push(class);
            }
            pairs.push(MapPair {
                row,
                column,
                value: value.map(|value| value as f32),
                letter: class.letter().to_owned(),
                clear,
                chosen: is_chosen,
                text: text.clone(),
            });
            positions.push(position);
        }
    }
    let is = |of: fn(&PairInteraction) -> bool| found.pairs.iter().any(of);
    let (measured, predicted) = (is(|pair| pair.measured.is_some()), is(|pair| pair.predicted.is_some()));
    let letters = InteractionClass::ALL.into_iter().filter(|class| seen.contains(class) && !class.letter().is_empty());
    let map = InteractionMap {
        title: "Genetic interactions".to_owned(),
        genes,
        pairs,
        halves: [
            if measured { format!("measured ({})", found.cells) } else { String::new() },
            if predicted { "predicted by the model".to_owned() } else { String::new() },
        ],
        letters: letters.map(|class| (class.letter().to_owned(), class.label().to_owned())).collect(),
        text_size,
        ..InteractionMap::default()
    };
    (map, positions)
}

/// The genes of the map, those with alike responses side by side: from the two that are most alike on, always the one most like the
/// last.
fn ordered(found: &Interactions) -> Vec<String> {
    let mut responses: BTreeMap<&String, &[f32]> = BTreeMap::new();
    for pair in &found.pairs {
        let measured = pair.measured.as_ref().map(|one| &one.deviations.shifts);
        let Some(shifts) = measured.or(pair.predicted.as_ref().map(|one| &one.shifts)) else { continue };
        if responses.len() + 2 > MOST_GENES {
            break;
        }
        for (gene, shifts) in pair.targets.iter().zip(shifts) {
            responses.entry(gene).or_insert(shifts);
        }
    }
    let mut left: Vec<(&String, &[f32])> = responses.into_iter().collect();
    let finite = |a: &[f32], b: &[f32]| -> (Vec<f32>, Vec<f32>) {
        a.iter().zip(b).filter(|(a, b)| a.is_finite() && b.is_finite()).map(|(a, b)| (*a, *b)).unzip()
    };
    let alike = |a: &[f32], b: &[f32]| {
        let (a, b) = finite(a, b);
        pearson(&a, &b).unwrap_or(0.0)
    };
    let mut best = (f64::NEG_INFINITY, 0);
    for (at, (_, shifts)) in left.iter().enumerate() {
        for (_, other) in &left[at + 1..] {
            let r = alike(shifts, other);
            if r > best.0 {
                best = (r, at);
            }
        }
    }
    let mut order = Vec::with_capacity(left.len());
    if left.is_empty() {
        return order;
    }
    let mut last = left.remove(best.1);
    while !left.is_empty() {
        let scores = left.iter().map(|(_, shifts)| alike(last.1, shifts));
        let next = scores.enumerate().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).map_or(0, |(at, _)| at);
        order.push(last.0.clone());
        last = left.remove(next);
    }
    order.push(last.0.clone());
    order
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}").replace('-', "−"))
}

fn p(value: f64) -> String {
    if value < 1e-3 { format!("{value:.0e}").replace('-', "−") } else { format!("{value:.3}") }
}

/// All numbers of a pair, in lines.
pub fn describe(pair: &PairInteraction) -> String {
    let mut lines = vec![pair.name()];
    if let Some(one) = &pair.measured {
        let found = &one.deviations;
        let [control, a, b, both] = found.cells;
        lines.push(format!("Measured: {}, adjusted p {} (p {})", one.class.label(), p(one.adjusted_p), p(one.p)));
        lines.push(format!(
            "{} of {} deviate, by {} log2 on average (root mean square, less noise)",
            found.deviating(),
            counted(found.tested.len(), "gene"),
            number(Some(found.size))
        ));
        lines.push(format!("beyond the sum {}; {}", number(found.relative), scores(&one.scores)));
        lines.push(format!("{both} cells, {a} and {b} of the singles, {control} controls"));
    }
    if let Some(one) = &pair.predicted {
        lines.push(format!("Predicted: {} ({})", one.class.label(), one.novelty.label()));
        lines.push(format!("deviation {} log2, beyond the sum {}", number(Some(one.size)), number(one.relative)));
        lines.push(scores(&one.scores));
    }
    lines.join("\n")
}

fn scores(of: &crate::evaluation::interactions::Scores) -> String {
    let [a, b] = [0, 1].map(|at| number(of.coefficients.map(|both| both[at])));
    format!(
        "c {a} and {b}, magnitude {}, fit {}, singles alike {}, pair alike {}, equality {} ({})",
        number(of.magnitude),
        number(of.fit),
        number(of.similarity_of_singles),
        number(of.similarity_to_pair),
        number(of.equality),
        counted(of.genes, "gene"),
    )
}

/// Shift of every gene under the pair against the sum of its singles, measured or `predicted`: the significant deviations (or those
/// whose interval excludes 0, the largest) are pointed out. None where there is none of that kind.
pub fn pair_scatter(
    found: &Interactions,
    pair: &PairInteraction,
    predicted: bool,
    text_size: f32,
) -> Option<ScatterFigure> {
    let others = || (0..found.genes.len()).filter(|&gene| !pair.targets.contains(&found.genes[gene]));
    let (shifts, clear): (&[Vec<f32>; 3], Vec<bool>) = if predicted {
        let one = pair.predicted.as_ref()?;
        let deviation = |gene: usize| one.shifts[2][gene] - one.shifts[0][gene] - one.shifts[1][gene];
        let sure = |gene: usize| one.half_widths.as_ref().is_some_and(|widths| deviation(gene).abs() > widths[gene]);
        let mut order: Vec<usize> = others().filter(|&gene| sure(gene)).collect();
        order.sort_by(|&a, &b| deviation(b).abs().total_cmp(&deviation(a).abs()));
        let mut clear = vec![false; found.genes.len()];
        order.into_iter().take(10).for_each(|gene| clear[gene] = true);
        (&one.shifts, clear)
    } else {
        let one = &pair.measured.as_ref()?.deviations;
        let mut clear = vec![false; found.genes.len()];
        let called = one.tested.iter().zip(&one.adjusted).filter(|(_, p)| **p < LEVEL);
        called.for_each(|(gene, _)| clear[*gene as usize] = true);
        (&one.shifts, clear)
    };
    let point = |gene: usize| ScatterPoint {
        x: shifts[0][gene] + shifts[1][gene],
        y: shifts[2][gene],
        half_width: pair.predicted.as_ref().filter(|_| predicted).and_then(|one| Some(one.half_widths.as_ref()?[gene])),
        label: found.genes[gene].clone(),
        highlighted: clear[gene],
    };
    let points: Vec<ScatterPoint> = others().map(point).collect();
    let what = if predicted { "Predicted" } else { "Measured" };
    let (class, relative) = if predicted {
        pair.predicted.as_ref().map(|one| (one.class, one.relative))?
    } else {
        pair.measured.as_ref().map(|one| (one.class, one.deviations.relative))?
    };
    let mut statistics = vec![class.label().to_owned(), format!("beyond the sum {}", number(relative))];
    if !predicted && let Some(one) = &pair.measured {
        statistics.push(format!(
            "{} of {} deviate",
            one.deviations.deviating(),
            counted(one.deviations.tested.len(), "gene")
        ));
        statistics.push(format!("adjusted p {}", p(one.adjusted_p)));
    }
    let [a, b] = &pair.targets;
    Some(ScatterFigure {
        title: format!("{what}, {}", pair.name()),
        x_label: format!("Sum of shifts of {a} and {b} (log2)"),
        y_label: "Shift of the pair (log2)".to_owned(),
        x_name: "sum".to_owned(),
        y_name: "pair".to_owned(),
        points,
        statistics,
        labels: 12,
        text_size,
    })
}
