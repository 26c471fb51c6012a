//! Over-representation: which sets hold more of a selection than chance would put there.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use super::GeneSets;
use crate::network::hypergeometric::{adjusted, at_least};

/// One set against a selection.
#[derive(Clone, Debug, PartialEq)]
pub struct Enriched {
    /// Position of the set in [`GeneSets::sets`].
    pub set: usize,
    /// Its name.
    pub name: String,
    /// Its genes among the background.
    pub size: usize,
    /// Its genes among the selection, sorted.
    pub hits: Vec<String>,
    /// Genes that a random selection of the same size would share with it, on average.
    pub expected: f64,
    /// The chance of at least so many shared genes (hypergeometric).
    pub p_value: f64,
    /// The false discovery rate at this p value (Benjamini–Hochberg, over all sets tested).
    pub q_value: f64,
}

/// All sets against one selection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Enrichment {
    /// Genes that could have been selected.
    pub background: usize,
    /// Selected genes among them.
    pub selected: usize,
    /// Sets too small or without genes in the background, which were not tested.
    pub left_out: usize,
    /// The others, by rising p value.
    pub sets: Vec<Enriched>,
}

impl Enriched {
    /// How many times the expected number of genes it shares.
    pub fn fold(&self) -> f64 {
        self.hits.len() as f64 / self.expected.max(f64::MIN_POSITIVE)
    }
}

/// Test every set with at least `least` genes in the `background` (and not all of it) for genes of the `selection`. Genes
/// outside the background count nowhere; names match exactly, or whatever their case if so no set has a gene in the
/// background.
pub fn enrichment<'a>(
    sets: &GeneSets,
    selection: impl IntoIterator<Item = &'a str>,
    background: impl IntoIterator<Item = &'a str>,
    least: usize,
) -> Enrichment {
    let background: HashSet<&str> = background.into_iter().collect();
    let selection: HashSet<&str> = selection.into_iter().filter(|gene| background.contains(gene)).collect();
    let known = |gene: &String| background.contains(gene.as_str());
    let exact = sets.sets.iter().any(|set| set.genes.iter().any(known));
    let caseless: HashMap<String, &str> =
        if exact { HashMap::new() } else { background.iter().map(|gene| (gene.to_uppercase(), *gene)).collect() };
    let find = |gene: &'_ String| -> Option<&str> {
        if exact { background.get(gene.as_str()).copied() } else { caseless.get(&gene.to_uppercase()).copied() }
    };
    let (population, drawn) = (background.len(), selection.len());
    let mut tested: Vec<Enriched> = Vec::new();
    for (at, set) in sets.sets.iter().enumerate() {
        let members: HashSet<&str> = set.genes.iter().filter_map(find).collect();
        if members.len() < least.max(1) || members.len() >= population {
            continue;
        }
        let mut hits: Vec<String> =
            members.iter().filter(|gene| selection.contains(*gene)).map(|gene| (*gene).to_owned()).collect();
        hits.sort_unstable();
        let p_value = at_least(hits.len() as u64, population as u64, members.len() as u64, drawn as u64);
        tested.push(Enriched {
            set: at,
            name: set.name.clone(),
            size: members.len(),
            expected: members.len() as f64 * drawn as f64 / population.max(1) as f64,
            hits,
            p_value,
            q_value: 1.0,
        });
    }
    let p_values: Vec<f64> = tested.iter().map(|set| set.p_value).collect();
    tested.iter_mut().zip(adjusted(&p_values)).for_each(|(set, q_value)| set.q_value = q_value);
    tested.sort_by(|a, b| a.p_value.total_cmp(&b.p_value).then_with(|| a.name.cmp(&b.name)));
    Enrichment { background: population, selected: drawn, left_out: sets.sets.len() - tested.len(), sets: tested }
}

/// The table as tab-separated text: set, genes in the selection and the set, expected, fold, p, q, and the shared genes.
pub fn write_enrichment(enrichment: &Enrichment) -> String {
    let mut text = String::from("set\tselected\tsize\texpected\tfold\tp_value\tq_value\tgenes\n");
    for set in &enrichment.sets {
        let (hits, fold) = (set.hits.len(), set.fold());
        let Enriched { name, size, expected, p_value, q_value, .. } = set;
        let genes = set.hits.join(";");
        let _ = writeln!(text, "{name}\t{hits}\t{size}\t{expected}\t{fold}\t{p_value:e}\t{q_value:e}\t{genes}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::gene_sets::GeneSet;

    fn sets() -> GeneSets {
        let set = |name: &str, genes: std::ops::Range<usize>| GeneSet {
            name: name.to_owned(),
            description: String::new(),
            genes: genes.map(|gene| format!("G{gene}")).collect(),
        };
        let sets = vec![
            set("ten", 0..10),
            set("twenty", 0..20),
            set("elsewhere", 500..600),
            set("late", 90..100),
            set("pair", 0..2),
        ];
        GeneSets { name: "test".to_owned(), sets }
    }

    #[test]
    fn chances_and_rates_are_those_of_scipy() {
        let genes: Vec<String> = (0..100).map(|gene| format!("G{gene}")).collect();
        let background = || genes.iter().map(String::as_str);
        let selection = genes[..6].iter().chain(&genes[40..44]).map(String::as_str).chain(["G550"]);
        let found = enrichment(&sets(), selection, background(), 3);
        assert_eq!((found.background, found.selected, found.left_out), (100, 10, 2));
        let names: Vec<&str> = found.sets.iter().map(|set| set.name.as_str()).collect();
        assert_eq!(names, ["ten", "twenty", "late"]);
        // hypergeom.sf(5, 100, 10, 10), hypergeom.sf(5, 100, 20, 10), 1; false_discovery_control of the three.
        let expected = [
            (6, 1.0, 3.1823152982112584e-05, 9.546945894633775e-05),
            (6, 2.0, 0.003933076466791354, 0.005899614700187031),
            (0, 1.0, 1.0, 1.0),
        ];
        for (set, (hits, mean, p, q)) in found.sets.iter().zip(expected) {
            assert_eq!((set.hits.len(), set.expected), (hits, mean));
            assert!((set.p_value / p - 1.0).abs() < 1e-9 && (set.q_value / q - 1.0).abs() < 1e-9, "{set:?}");
        }
        assert_eq!(found.sets[0].hits, ["G0", "G1", "G2", "G3", "G4", "G5"]);
        assert!((found.sets[1].fold() - 3.0).abs() < 1e-12);
        let table = write_enrichment(&found);
        assert_eq!(table.lines().count(), 4);
        assert!(table.lines().nth(1).unwrap().ends_with("G0;G1;G2;G3;G4;G5"));
    }

    #[test]
    fn case_matters_unless_nothing_fits() {
        let lower: Vec<String> = (0..100).map(|gene| format!("g{gene}")).collect();
        let found = enrichment(&sets(), lower[..4].iter().map(String::as_str), lower.iter().map(String::as_str), 3);
        assert_eq!(found.sets[0].hits, ["g0", "g1", "g2", "g3"]);
    }

    #[test]
    fn nothing_selected_is_nothing_found() {
        let genes = ["G1", "G2", "G3", "G4", "G5"];
        let found = enrichment(&sets(), [], genes, 1);
        assert!(found.sets.iter().all(|set| set.p_value == 1.0 && set.hits.is_empty()));
        assert!(enrichment(&sets(), [], [], 1).sets.is_empty());
    }
}
