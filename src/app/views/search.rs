//! Finding genes by name: completions, other names, names with a slip of the finger, and pasted lists.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use crate::data::Dataset;
use crate::network::gene_names::{GeneNames, NameKind};
use crate::network::{GeneId, Grn};
use crate::words::listed;

/// Most genes that are no nodes among what is found.
const MOST_MEASURED: usize = 3;

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
    /// Measured genes that are no nodes and begin with the text, or are called so.
    pub measured: Vec<String>,
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
    /// Words that name several genes.
    pub several: Vec<String>,
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
        if !self.several.is_empty() {
            parts.push(format!("Names of several genes: {}", listed(&self.several, 12)));
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
    kind: NameKind,
    /// As it is written, where it is not the symbol.
    alias: Option<Box<str>>,
}

/// What a whole name leads to.
#[derive(Clone, Copy, Debug)]
struct Exact {
    place: Place,
    kind: NameKind,
    /// It leads to other places as well.
    several: bool,
}

/// All names of the genes of a network, and of the measured genes beside it.
#[derive(Debug)]
pub struct SearchIndex {
    network: Arc<Grn>,
    dataset: Option<Arc<Dataset>>,
    other_names: Option<Arc<GeneNames>>,
    /// Symbols of measured genes that are no nodes.
    measured: Vec<String>,
    names: Vec<Name>,
    /// By name in small letters.
    exact: HashMap<String, Exact>,
}

impl SearchIndex {
    /// Index the nodes of `network`, the Ensembl identifiers that `dataset` has for them, and the measured genes beside
    /// them: those of `dataset` and `measured`; all of them also by their names in `other_names`.
    pub fn new(
        network: &Arc<Grn>,
        dataset: Option<&Arc<Dataset>>,
        measured: &[String],
        other_names: Option<&Arc<GeneNames>>,
    ) -> Self {
        let mut index = Self {
            network: network.clone(),
            dataset: dataset.cloned(),
            other_names: other_names.cloned(),
            measured: Vec::new(),
            names: Vec::new(),
            exact: HashMap::new(),
        };
        for (at, gene) in network.genes().iter().enumerate() {
            index.add(&gene.symbol, Place::Node(GeneId(at as u32)), NameKind::Symbol);
        }
        let genes = dataset.map(|dataset| dataset.genes());
        let symbols = measured.iter().chain(genes.iter().flat_map(|genes| genes.iter().map(|gene| &gene.symbol)));
        for symbol in symbols {
            let lower = symbol.to_lowercase();
            if network.find(symbol).is_none() && !index.exact.contains_key(&lower) {
                index.measured.push(symbol.clone());
                index.add(symbol, Place::Measured(index.measured.len() as u32 - 1), NameKind::Symbol);
            }
        }
        for gene in genes.iter().flat_map(|genes| genes.iter()) {
            if let Some(id) = &gene.ensembl
                && let Some(&Exact { place, .. }) = index.exact.get(&gene.symbol.to_lowercase())
            {
                index.add(id, place, NameKind::Identifier);
            }
        }
        if let Some(names) = other_names {
            index.add_names(names);
        }
        index
    }

    /// Add the other names of all genes that are indexed.
    fn add_names(&mut self, names: &GeneNames) {
        let symbols = 0..self.names.len();
        for at in symbols.filter(|at| self.names[*at].kind == NameKind::Symbol).collect::<Vec<_>>() {
            let place = self.names[at].place;
            let symbol = self.symbol(place).to_owned();
            let gene = names.gene(&symbol);
            for (kind, name) in names.names(&symbol) {
                let meant = names.gene(name);
                if meant.is_some() && meant != gene {
                    // It is rather a name of another gene.
                    continue;
                }
                // The symbol that the gene has elsewhere is another name here.
                let kind = if *kind == NameKind::Symbol { NameKind::Previous } else { *kind };
                let lower = name.to_lowercase();
                if self.exact.get(&lower).is_none_or(|known| known.place != place) {
                    self.add(name, place, kind);
                }
                // Also of genes that are not here.
                if meant.is_none()
                    && let Some(exact) = self.exact.get_mut(&lower).filter(|exact| exact.kind != NameKind::Symbol)
                {
                    exact.several = true;
                }
            }
        }
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

    /// Whether it has these other names.
    pub fn has_names(&self, names: Option<&Arc<GeneNames>>) -> bool {
        self.other_names.as_ref().map(Arc::as_ptr) == names.map(Arc::as_ptr)
    }

    /// Whether other names were given.
    pub fn knows_names(&self) -> bool {
        self.other_names.is_some()
    }

    fn add(&mut self, name: &str, place: Place, kind: NameKind) {
        let lower = name.to_lowercase();
        let new = Exact { place, kind, several: false };
        let exact = self.exact.entry(lower.clone()).or_insert(new);
        if kind < exact.kind {
            *exact = new;
        } else if kind == exact.kind && kind != NameKind::Symbol && place != exact.place {
            exact.several = true;
        }
        let alias = (kind != NameKind::Symbol).then(|| name.into());
        self.names.push(Name { letters: letters(&lower), lower, place, kind, alias });
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
            let least = match name.kind {
                NameKind::Symbol => 0,
                NameKind::Identifier => 6,
                NameKind::Previous | NameKind::Synonym if class == 2 => 2,
                NameKind::Previous | NameKind::Synonym => 4,
            };
            (class == 0 || wanted.len() >= least).then_some(class + u8::from(name.kind != NameKind::Symbol))
        };
        let is_node = |name: &Name| matches!(name.place, Place::Node(_));
        let begins = |name: &Name| (!is_node(name)).then(|| direct(name)).flatten().filter(|class| *class < 4);
        let measured = self.best(MOST_MEASURED, begins).into_iter().map(|hit| hit.symbol).collect();
        let genes = self.best(most, |name| is_node(name).then(|| direct(name)).flatten());
        if !genes.is_empty() {
            return Found { genes, measured, remark: None };
        }
        let genes = self.best(most, |name| is_node(name).then(|| slip(&wanted, name)).flatten());
        let remark = match self.exact.get(unversioned(&wanted)).map(|exact| exact.place) {
            Some(place @ Place::Measured(_)) => format!(
                "{} is measured but no node of this network: it was not perturbed and is no strong responder",
                self.symbol(place)
            ),
            Some(place @ Place::Node(_)) => {
                let genes = vec![Hit { symbol: self.symbol(place).to_owned(), alias: Some(text.trim().to_owned()) }];
                return Found { genes, measured, remark: None };
            }
            None if genes.is_empty() => format!("No gene is called like “{}”", text.trim()),
            None => format!("No gene contains “{}”; similar names", text.trim()),
        };
        Found { genes, measured, remark: Some(remark) }
    }

    /// Genes by falling likeness: class of their name, its length, its letters. Each once.
    fn best(&self, most: usize, class: impl Fn(&Name) -> Option<u8>) -> Vec<Hit> {
        let mut hits: Vec<(u8, &Name)> = self.names.iter().filter_map(|name| Some((class(name)?, name))).collect();
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
                found.push(Hit { symbol: symbol.to_owned(), alias: name.alias.as_deref().map(str::to_owned) });
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
            let known = || self.exact.get(&lower).or_else(|| self.exact.get(unversioned(&lower)));
            let (place, several) = match (exact, known()) {
                (Some(place), _) => (Some(place), false),
                (None, known) => (known.map(|known| known.place), known.is_some_and(|known| known.several)),
            };
            let list = match place {
                Some(_) if several => &mut found.several,
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
    let in_order = name.kind == NameKind::Symbol && wanted.chars().all(|letter| rest.any(|other| other == letter));
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
        let mut index = SearchIndex::new(&network(), None, &["GAPDH".to_owned(), "STAT1".to_owned()], None);
        index.add("ENSG00000115415", Place::Node(GeneId(1)), NameKind::Identifier);
        index.add("ENSG00000111640", Place::Measured(0), NameKind::Identifier);
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
    fn a_table_of_names_leads_from_earlier_symbols_and_synonyms_to_the_gene() {
        let text = "symbol\tprev_symbol\talias_symbol\nIRF1\tMAR\tICSBP9|DUP\nSTAT1\t\tISGF-3|STAT91|DUP\n\
                    GAPDH\t\tGAPD\nCFAP251\tJAK2\tMGC33630\nMAR\t\t\n";
        let names = Arc::new(GeneNames::parse(text, "names").unwrap());
        let measured = ["GAPDH".to_owned()];
        let index = SearchIndex::new(&network(), None, &measured, Some(&names));
        let hit = |symbol: &str, alias: &str| Hit { symbol: symbol.into(), alias: Some(alias.into()) };
        assert_eq!(index.find("isgf-3", 8).genes, [hit("STAT1", "ISGF-3")]);
        assert_eq!(index.find("is", 8).genes, [hit("STAT1", "ISGF-3")]);
        assert_eq!(symbols(&index.find("stat", 8)), ["STAT1", "STAT1B", "PIAS1-STAT1"], "each gene once, by symbol");
        assert_eq!(index.find("CFAP251", 8).genes, [hit("JAK2", "CFAP251")], "the network has an earlier symbol");
        assert_eq!(symbols(&index.find("dup", 8)), ["STAT1", "IRF1"], "both are offered");
        assert!(index.find("GAPD", 8).remark.unwrap().starts_with("GAPDH is measured"));
        let found = index.list("mgc33630 icsbp9 dup MAR gapd").unwrap();
        assert_eq!(found.genes, ["JAK2", "IRF1"], "MAR is the symbol of another gene that is not here");
        assert_eq!(found.remark().unwrap(), "Measured, but no node: gapd\nNames of several genes: dup\nNot found: MAR");
        assert!(index.has_names(Some(&names)) && !index.has_names(None));
    }

    #[test]
    fn what_is_not_found_is_explained() {
        let similar = index().find("STTA1", 8);
        assert_eq!(symbols(&similar)[0], "STAT1");
        assert!(similar.remark.unwrap().contains("similar names"));
        assert_eq!(symbols(&index().find("psta", 8)), ["PIAS1-STAT1"], "its letters in this order");
        let measured = index().find("gapdh", 8);
        assert!(measured.remark.unwrap().starts_with("GAPDH is measured but no node"));
        assert_eq!((measured.measured, measured.genes), (vec!["GAPDH".to_owned()], Vec::new()));
        assert_eq!(index().find("gap", 8).measured, ["GAPDH"], "by its beginning");
        assert!(index().find("stat1", 8).measured.is_empty());
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
