//! Finding genes by name: completions, other names, names with a slip of the finger, and pasted lists.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use crate::data::Dataset;
use crate::network::{GeneId, Grn};
use crate::words::listed;

/// A gene that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The symbol of the node.
    pub symbol: String,
    /// The other name by which it was found, if it was.
    pub alias: Option<String>,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Nodes, best first.
    pub genes: Vec<Hit>,
    /// What to say where there is none, or where the gene is measured but no node.
    pub remark: Option<String>,
}

/// What was found of a list of genes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundList {
    /// Symbols of nodes, in the order of the list.
    pub genes: Vec<String>,
    /// Words that name a measured gene which is no node.
    pub only_measured: Vec<String>,
    /// Words that name nothing.
    pub missing: Vec<String>,
}

impl FoundList {
    /// What is to be said about the words that are no node; none if there are none.
    pub fn remark(&self) -> Option<String> {
        let mut parts = Vec::new();
        if !self.only_measured.is_empty() {
            parts.push(format!("Measured, but no node: {}", listed(&self.only_measured, 12)));
        }
        if !self.missing.is_empty() {
            parts.push(format!("Not found: {}", listed(&self.missing, 12)));
        }
        (!parts.is_empty()).then(|| parts.join("\n"))
    }
}

/// What a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Node(GeneId),
    /// A measured gene that is no node, by position in [`SearchIndex::measured`].
    Measured(u32),
}

/// One name of a gene.
#[derive(Debug)]
struct Name {
    lower: String,
    /// Which letters and digits occur in it.
    letters: u64,
    place: Place,
    alias: bool,
}

/// All names of the genes of a network, and of the measured genes beside it.
#[derive(Debug)]
pub struct SearchIndex {
    network: Arc<Grn>,
    dataset: Option<Arc<Dataset>>,
    /// Symbols of measured genes that are no nodes.
    measured: Vec<String>,
    names: Vec<Name>,
    /// By name in small letters; symbols before other names.
    exact: HashMap<String, Place>,
}

impl SearchIndex {
    /// Index the nodes of `network`, the Ensembl identifiers that `dataset` has for them, and the measured genes beside
    /// them: those of `dataset` and `measured`.
    pub fn new(network: &Arc<Grn>, dataset: Option<&Arc<Dataset>>, measured: &[String]) -> Self {
        let mut index = Self {
            network: network.clone(),
            dataset: dataset.cloned(),
            measured: Vec::new(),
            names: Vec::new(),
            exact: HashMap::new(),
        };
        for (at, gene) in network.genes().iter().enumerate() {
            index.add(&gene.symbol, Place::Node(GeneId(at as u32)), false);
        }
        let genes = dataset.map(|dataset| dataset.genes());
        let symbols = measured.iter().chain(genes.iter().flat_map(|genes| genes.iter().map(|gene| &gene.symbol)));
        for symbol in symbols {
            let lower = symbol.to_lowercase();
            if network.find(symbol).is_none() && !index.exact.contains_key(&lower) {
                index.measured.push(symbol.clone());
                index.add(symbol, Place::Measured(index.measured.len() as u32 - 1), false);
            }
        }
        for gene in genes.iter().flat_map(|genes| genes.iter()) {
            if let Some(id) = &gene.ensembl
                && let Some(&place) = index.exact.get(&gene.symbol.to_lowercase())
            {
                index.add(id, place, true);
            }
        }
        index
    }

    /// Whether it was made of these.
    pub fn is_current(&self, network: &Arc<Grn>, dataset: Option<&Arc<Dataset>>) -> bool {
        let same = match (&self.dataset, dataset) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        same && Arc::ptr_eq(&self.network, network)
    }

    fn add(&mut self, name: &str, place: Place, alias: bool) {
        let lower = name.to_lowercase();
        self.exact.entry(lower.clone()).or_insert(place);
        self.names.push(Name { letters: letters(&lower), lower, place, alias });
    }

    fn symbol(&self, place: Place) -> &str {
        match place {
            Place::Node(gene) => self.network.symbol(gene),
            Place::Measured(at) => &self.measured[at as usize],
        }
    }

    /// Look for `text` among the nodes, at most `most` of them: the very name comes first, then completions, then names
    /// that contain the text; where there are none of these, names that have its letters in this order or differ by a slip
    /// or two. A gene is found by its symbol before its other names.
    pub fn find(&self, text: &str, most: usize) -> Found {
        let wanted = text.trim().to_lowercase();
        if wanted.is_empty() {
            return Found::default();
        }
        let direct = |name: &Name| {
            let class = match name.lower.find(&wanted) {
                Some(0) if name.lower.len() == wanted.len() => 0,
                Some(0) => 2,
                Some(_) => 4,
                None => return None,
            };
            // Identifiers share their beginnings: a short piece of one says nothing.
            (!name.alias || class == 0 || wanted.len() >= 6).then_some(class + u8::from(name.alias))
        };
        let genes = self.best(most, direct);
        if !genes.is_empty() {
            return Found { genes, remark: None };
        }
        let genes = self.best(most, |name| slip(&wanted, name));
        let remark = match self.exact.get(unversioned(&wanted)) {
            Some(&place @ Place::Measured(_)) => format!(
                "{} is measured but no node of this network: it was not perturbed and is no strong responder",
                self.symbol(place)
            ),
            Some(&place @ Place::Node(_)) => {
                let genes = vec![Hit { symbol: self.symbol(place).to_owned(), alias: Some(text.trim().to_owned()) }];
                return Found { genes, remark: None };
            }
            None if genes.is_empty() => format!("No gene is called like “{}”", text.trim()),
            None => format!("No gene contains “{}”; similar names", text.trim()),
        };
        Found { genes, remark: Some(remark) }
    }

    /// Nodes by falling likeness: class of their name, its length, its letters. Each once.
    fn best(&self, most: usize, class: impl Fn(&Name) -> Option<u8>) -> Vec<Hit> {
        let nodes = self.names.iter().filter(|name| matches!(name.place, Place::Node(_)));
        let mut hits: Vec<(u8, &Name)> = nodes.filter_map(|name| Some((class(name)?, name))).collect();
        let order = |a: &(u8, &Name), b: &(u8, &Name)| -> Ordering {
            a.0.cmp(&b.0).then(a.1.lower.len().cmp(&b.1.lower.len())).then_with(|| a.1.lower.cmp(&b.1.lower))
        };
        hits.sort_by(order);
        let mut found: Vec<Hit> = Vec::new();
        for (_, name) in hits {
            let symbol = self.symbol(name.place);
            if found.len() == most {
                break;
            }
            if !found.iter().any(|hit| hit.symbol == symbol) {
                let alias = name.alias.then(|| name.lower.to_uppercase());
                found.push(Hit { symbol: symbol.to_owned(), alias });
            }
        }
        found
    }

    /// The genes of a pasted list, whatever separates them; none if `text` is a single word.
    pub fn list(&self, text: &str) -> Option<FoundList> {
        let words: Vec<&str> = words(text).collect();
        (words.len() > 1).then(|| self.all(words))
    }

    /// The genes called by `words`, each once: by symbol, else without regard to capitals, else by another name.
    pub fn all<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> FoundList {
        let mut found = FoundList::default();
        let mut nodes = std::collections::HashSet::new();
        let mut others = std::collections::HashSet::new();
        for word in words {
            let exact = self.network.find(word).map(Place::Node);
            let lower = word.to_lowercase();
            let place =
                exact.or_else(|| self.exact.get(&lower).or_else(|| self.exact.get(unversioned(&lower))).copied());
            let list = match place {
                Some(Place::Node(gene)) => {
                    if nodes.insert(gene) {
                        found.genes.push(self.network.symbol(gene).to_owned());
                    }
                    continue;
                }
                Some(Place::Measured(_)) => &mut found.only_measured,
                None => &mut found.missing,
            };
            if others.insert(lower) {
                list.push(word.to_owned());
            }
        }
        found
    }
}

/// The words of a list: what lies between white space, commas, semicolons, bars, quotes and brackets.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let between = |letter: char| letter.is_whitespace() || letter.is_control() || ",;|\"'()[]{}<>".contains(letter);
    text.split(between).filter(|word| !word.is_empty())
}

/// Whether `text` contains `part`, which is in small letters, without regard to capitals.
pub fn contains(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    part.is_empty() || text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}

/// `ensg00000115415.20` without its version.
fn unversioned(lower: &str) -> &str {
    match lower.split_once('.') {
        Some((id, version)) if lower.starts_with("ens") && version.bytes().all(|digit| digit.is_ascii_digit()) => id,
        _ => lower,
    }
}

/// One bit for each letter and digit that occurs.
fn letters(lower: &str) -> u64 {
    lower.bytes().fold(0, |all, byte| match byte {
        b'a'..=b'z' => all | 1 << (byte - b'a'),
        b'0'..=b'9' => all | 1 << (26 + byte - b'0'),
        _ => all | 1 << 36,
    })
}

/// How well a name fits a text that it does not contain: 0 to 2 slips of the finger (letters changed, left out, added or
/// swapped), or the same letters in this order with others between them.
fn slip(wanted: &str, name: &Name) -> Option<u8> {
    let slips = match wanted.len() {
        0..=2 => return None,
        3..=4 => 1,
        _ => 2,
    };
    // A slip changes two kinds of letters at most: most names need no closer look.
    let near = (letters(wanted) ^ name.letters).count_ones() <= 2 * slips
        && wanted.len().abs_diff(name.lower.len()) <= slips as usize;
    if near {
        let distance = strsim::osa_distance(wanted, &name.lower) as u32;
        if distance <= slips {
            return Some(distance as u8);
        }
    }
    let mut rest = name.lower.chars();
    let in_order = !name.alias && wanted.chars().all(|letter| rest.any(|other| other == letter));
    in_order.then_some(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::fixtures::genes;

    fn network() -> Arc<Grn> {
        Arc::new(Grn::new(genes(["JAK2", "STAT1", "PIAS1-STAT1", "STAT1B", "IRF1"]), Vec::new()).unwrap())
    }

    fn index() -> SearchIndex {
        let mut index = SearchIndex::new(&network(), None, &["GAPDH".to_owned(), "STAT1".to_owned()]);
        index.add("ENSG00000115415", Place::Node(GeneId(1)), true);
        index.add("ENSG00000111640", Place::Measured(0), true);
        index
    }

    fn symbols(found: &Found) -> Vec<&str> {
        found.genes.iter().map(|hit| hit.symbol.as_str()).collect()
    }

    #[test]
    fn the_exact_name_comes_first_then_completions() {
        let found = index().find(" stat1 ", 8);
        assert_eq!(symbols(&found), ["STAT1", "STAT1B", "PIAS1-STAT1"]);
        assert_eq!(found.remark, None);
        assert_eq!(index().find("", 8), Found::default());
        assert_eq!(symbols(&index().find("1", 2)), ["IRF1", "STAT1"], "shorter names first, no more than asked");
    }

    #[test]
    fn other_names_lead_to_the_gene() {
        let found = index().find("ensg00000115415", 8);
        assert_eq!(found.genes, [Hit { symbol: "STAT1".into(), alias: Some("ENSG00000115415".into()) }]);
        assert_eq!(symbols(&index().find("ENSG00000115415.20", 8)), ["STAT1"]);
        assert_eq!(symbols(&index().find("0000115", 8)), ["STAT1"]);
        assert!(index().find("ensg", 8).genes.is_empty(), "what all identifiers have finds none of them");
    }

    #[test]
    fn what_is_not_found_is_explained() {
        let similar = index().find("STTA1", 8);
        assert_eq!(symbols(&similar)[0], "STAT1");
        assert!(similar.remark.unwrap().contains("similar names"));
        assert_eq!(symbols(&index().find("psta", 8)), ["PIAS1-STAT1"], "its letters in this order");
        let measured = index().find("gapdh", 8);
        assert!(measured.remark.unwrap().starts_with("GAPDH is measured but no node"));
        assert!(index().find("ENSG00000111640", 8).remark.unwrap().starts_with("GAPDH is measured"));
        assert!(index().find("qqqq", 8).remark.unwrap().starts_with("No gene is called"));
    }

    #[test]
    fn a_pasted_list_is_taken_apart_whatever_separates_it() {
        let index = index();
        assert_eq!(index.list("STAT1"), None);
        let found = index.list("\"jak2\",'STAT1';\tIRF1|stat1\r\nGAPDH [FOO] ENSG00000115415.3 foo").unwrap();
        assert_eq!(found.genes, ["JAK2", "STAT1", "IRF1"]);
        assert_eq!(
            (found.only_measured.as_slice(), found.missing.as_slice()),
            (&["GAPDH".into()][..], &["FOO".into()][..])
        );
        assert_eq!(found.remark().unwrap(), "Measured, but no node: GAPDH\nNot found: FOO");
        assert_eq!(index.list("JAK2 IRF1").unwrap().remark(), None);
    }

    #[test]
    fn parts_are_found_without_regard_to_capitals() {
        assert!(contains("HLA-DRA", "dra") && contains("x", "") && !contains("AB", "abc"));
    }
}
