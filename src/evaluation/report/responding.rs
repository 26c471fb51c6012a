//! Do the same genes respond significantly in predicted cells as in observed ones?

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::BOOTSTRAP_SEED;
use crate::data::EffectTable;
use crate::evaluation::bootstrap::{Interval, interval_of_mean};
use crate::evaluation::effects::Evidence;

/// How well one source of cells finds the genes that respond.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RespondingGenes {
    /// Whose cells: a method's, or the replicate's.
    pub method: String,
    /// Which cells, in words.
    pub definition: String,
    /// Perturbations under which a gene responds significantly in either.
    pub perturbations: usize,
    /// Mean over them of |A ∩ B| / |A ∪ B| of the genes that respond significantly in predicted and in observed cells.
    pub jaccard_significant: f64,
    /// Between which values 95 % of that mean lie where other perturbations of the same kind had been chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Mean number of genes that respond in the predicted cells.
    pub predicted: f64,
    /// Mean number of genes that respond in the observed cells.
    pub observed: f64,
}

impl RespondingGenes {
    /// Of `observed` with its tests, against `predicted`: of a perturbation whether each of the `genes` responds in predicted cells, none
    /// where there are none. The perturbed genes are left out. None if nothing responds anywhere.
    pub fn of(
        method: &str,
        definition: &str,
        observed: &EffectTable,
        evidence: &Evidence,
        genes: &[String],
        predicted: impl Fn(&str) -> Option<Vec<bool>>,
    ) -> Option<Self> {
        let column: HashMap<&str, usize> = genes.iter().enumerate().map(|(at, gene)| (gene.as_str(), at)).collect();
        let mut found = Self { method: method.to_owned(), definition: definition.to_owned(), ..Self::default() };
        let mut indices = Vec::new();
        for (row, name) in observed.perturbations.iter().enumerate() {
            let Some(own) = predicted(name) else { continue };
            let (mut both, mut either, mut ours, mut theirs) = (0u32, 0u32, 0u32, 0u32);
            for (gene, symbol) in observed.genes.iter().enumerate() {
                let Some(&at) = column.get(symbol.as_str()).filter(|_| name.split('+').all(|target| target != symbol))
                else {
                    continue;
                };
                let (here, there) = (own[at], evidence.significant[row * observed.genes.len() + gene]);
                both += u32::from(here && there);
                either += u32::from(here || there);
                ours += u32::from(here);
                theirs += u32::from(there);
            }
            if either > 0 {
                indices.push(f64::from(both) / f64::from(either));
                found.predicted += f64::from(ours);
                found.observed += f64::from(theirs);
            }
        }
        let count = indices.len() as f64;
        found.perturbations = indices.len();
        found.jaccard_significant = indices.iter().sum::<f64>() / count;
        found.interval = interval_of_mean(&indices, BOOTSTRAP_SEED);
        for sum in [&mut found.predicted, &mut found.observed] {
            *sum /= count;
        }
        (found.perturbations > 0).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_compared_by_gene_without_the_perturbed_ones() {
        let observed = EffectTable {
            perturbations: vec!["A".into(), "B".into(), "C".into()],
            genes: ["A", "X", "Y", "Z"].map(str::to_owned).to_vec(),
            cells: vec![9; 3],
            shifts: vec![0.0; 12],
        };
        let significant = [true, true, true, false, false, false, false, false, false, true, false, false];
        let evidence = Evidence { significant: significant.to_vec(), ..Evidence::default() };
        // Another order of genes, and none that is called Z.
        let genes = ["Y", "X", "A"].map(str::to_owned);
        let predicted = |name: &str| match name {
            "A" => Some(vec![true, false, false]),
            "B" => Some(vec![false; 3]),
            _ => None,
        };
        let found = RespondingGenes::of("Model", "", &observed, &evidence, &genes, predicted).unwrap();
        assert_eq!((found.perturbations, found.jaccard_significant), (1, 0.5), "B has nothing to compare, C no cells");
        assert_eq!((found.predicted, found.observed, found.interval), (1.0, 2.0, None));
        assert_eq!(RespondingGenes::of("Model", "", &observed, &evidence, &genes, |_| None), None);
    }
}
