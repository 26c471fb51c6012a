//! From mask logits to a network with signs.

use rayon::prelude::*;

use crate::data::EffectTable;
use crate::models::{ModelCard, Observed};
use crate::network::sign::{ShiftEvidence, sign_of};
use crate::network::{Edge, GeneId, Grn, MemberRanks, NetworkGene};

/// The network of the mask logits A (T × T) of one model, or of each member of an ensemble, with signs; used for finished
/// models and for snapshots during training. The probability of an edge of an ensemble is the mean of its members'.
///
/// Edges into genes that were not measured are left out: no shift of theirs enters the loss, so their logits only echo the
/// prior, and being spared the fit they would come first.
pub fn signed_network(
    card: &ModelCard,
    members: &[Vec<Vec<f32>>],
    observed: &Observed,
    predicted: &EffectTable,
    most: usize,
) -> Grn {
    let treatments = &card.treatments;
    let genes = treatments.iter().map(|treatment| NetworkGene {
        symbol: treatment.symbol.clone(),
        measured: treatment.column.is_some(),
        perturbed_cells: treatment.perturbed_cells,
        knock_down: treatment.knock_down,
    });
    let count = treatments.len();
    let mut pairs: Vec<(f32, u32, u32)> = Vec::with_capacity(count * count);
    for regulator in 0..count {
        for (target, treatment) in treatments.iter().enumerate() {
            let logit = match members {
                [only] => only[regulator][target],
                several => logit_of_mean(several.iter().map(|logits| logits[regulator][target])),
            };
            if regulator != target && treatment.column.is_some() && logit.is_finite() {
                pairs.push((logit, regulator as u32, target as u32));
            }
        }
    }
    best_first(&mut pairs);
    let ranks = (members.len() > 1).then(|| member_ranks(members, &pairs, most));
    pairs.truncate(most);
    let rows = |table: &EffectTable| -> Vec<Option<usize>> {
        treatments.iter().map(|treatment| table.find(&treatment.symbol)).collect()
    };
    let (training_rows, predicted_rows) = (rows(&observed.training), rows(predicted));
    let edge = |(logit, regulator, target): (f32, u32, u32)| {
        let column = treatments[target as usize].column.map(|column| column as usize);
        let measured = column.zip(training_rows[regulator as usize]).map(|(column, row)| ShiftEvidence {
            shift: observed.training.row(row)[column],
            significant: observed.significant.get(row * card.genes.len() + column).copied().unwrap_or(false),
        });
        let predicted = column.zip(predicted_rows[regulator as usize]).map(|(column, row)| predicted.row(row)[column]);
        let (sign, evidence, shift) = sign_of(card.perturbation_kind, measured, predicted);
        let place = regulator as usize * count + target as usize;
        let rate = observed.false_discovery_rates.as_ref().and_then(|rates| rates.get(place)).copied();
        let (regulator, target) = (GeneId(regulator), GeneId(target));
        let false_discovery_rate = rate.filter(|rate| !rate.is_nan());
        let probability = 1.0 / (1.0 + (-logit).exp());
        Edge { sign, evidence, shift, false_discovery_rate, ..Edge::new(regulator, target, probability) }
    };
    let edges = pairs.into_iter().map(edge).collect();
    let network = Grn::new(genes.collect(), edges).unwrap_or_else(|error| {
        debug_assert!(false, "treatments and logits form a network: {error}");
        Grn::default()
    });
    match ranks {
        Some(ranks) => network.with_member_ranks(ranks),
        None => network,
    }
}

/// Ties (a row that was never trained stays at 0) keep the order of the names.
fn best_first(pairs: &mut [(f32, u32, u32)]) {
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
}

/// The logit of the mean of the probabilities that have these logits; not finite if one of them is not.
fn logit_of_mean(logits: impl ExactSizeIterator<Item = f32>) -> f32 {
    let count = logits.len() as f64;
    let mean = logits.map(|logit| 1.0 / (1.0 + (-f64::from(logit)).exp())).sum::<f64>() / count;
    (mean / (1.0 - mean)).ln() as f32
}

/// The rank of the first `most` of `pairs` in each member's own network.
fn member_ranks(members: &[Vec<Vec<f32>>], pairs: &[(f32, u32, u32)], most: usize) -> MemberRanks {
    let kept = most.min(pairs.len());
    let of_member = |logits: &Vec<Vec<f32>>| {
        let of = |&(_, regulator, target): &(f32, u32, u32)| logits[regulator as usize][target as usize];
        let mut order: Vec<u32> = (0..pairs.len() as u32).collect();
        order.sort_by(|&a, &b| {
            let (a, b) = (&pairs[a as usize], &pairs[b as usize]);
            of(b).total_cmp(&of(a)).then((a.1, a.2).cmp(&(b.1, b.2)))
        });
        let mut ranks = vec![0u32; pairs.len()];
        order.iter().enumerate().for_each(|(at, pair)| ranks[*pair as usize] = at as u32 + 1);
        ranks.truncate(kept);
        ranks
    };
    MemberRanks::new(members.par_iter().map(of_member).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Treatment;
    use crate::network::Agreement;

    fn card(genes: &[&str]) -> ModelCard {
        let treatment = |(at, gene): (usize, &&str)| Treatment {
            symbol: (*gene).to_owned(),
            column: Some(at as u32),
            ..Treatment::default()
        };
        ModelCard {
            genes: genes.iter().map(|gene| (*gene).to_owned()).collect(),
            treatments: genes.iter().enumerate().map(treatment).collect(),
            ..ModelCard::default()
        }
    }

    fn network(members: &[Vec<Vec<f32>>], most: usize) -> Grn {
        signed_network(&card(&["A", "B", "C"]), members, &Observed::default(), &EffectTable::default(), most)
    }

    #[test]
    fn an_edge_has_the_mean_of_its_members_and_their_ranks() {
        // Each member alone: A → B is the best of the first, B → C of the others.
        let first = vec![vec![9.0, 2.0, -1.0], vec![0.0, 9.0, 1.0], vec![-2.0, -3.0, 9.0]];
        let second = vec![vec![9.0, 0.5, -1.0], vec![0.0, 9.0, 3.0], vec![-2.0, -3.0, 9.0]];
        let third = vec![vec![9.0, -2.0, -1.0], vec![0.0, 9.0, 3.0], vec![-2.5, -3.0, 9.0]];
        let found = network(&[first.clone(), second, third], 10);
        let edge = |from: &str, to: &str| *found.edge(found.find(from).unwrap(), found.find(to).unwrap()).unwrap();
        let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
        let expected = (sigmoid(2.0) + sigmoid(0.5) + sigmoid(-2.0)) / 3.0;
        assert!((edge("A", "B").probability - expected).abs() < 1e-6);
        assert_eq!((found.edges().len(), edge("B", "C").rank), (6, 1));
        let keeping = |shown: usize, edge: &Edge| {
            let agreement = Agreement::of(&found, &found.edges()[..shown]).unwrap();
            (agreement.members(), agreement.keeping(edge))
        };
        assert_eq!([1, 2].map(|shown| keeping(shown, &edge("A", "B"))), [(3, 1), (3, 2)]);
        assert_eq!([1, 6].map(|shown| keeping(shown, &edge("B", "C"))), [(3, 2), (3, 3)]);

        let alone = network(std::slice::from_ref(&first), 10);
        assert!(Agreement::of(&alone, alone.edges()).is_none());
        assert_eq!(alone.edges()[0].probability, sigmoid(2.0));
    }

    #[test]
    fn members_rank_all_edges_though_few_are_kept() {
        let first = vec![vec![0.0, 3.0, 2.0], vec![1.0, 0.0, 0.5], vec![0.0, -1.0, 0.0]];
        let second = vec![vec![0.0, 3.0, -9.0], vec![1.0, 0.0, 0.5], vec![0.0, -1.0, 0.0]];
        let found = network(&[first, second], 2);
        assert_eq!(found.edges().len(), 2);
        let agreement = Agreement::of(&found, found.edges()).unwrap();
        assert_eq!([0, 1].map(|at| agreement.keeping(&found.edges()[at])), [2, 1]);
    }
}
