//! The open network beside another one: which edges of each, and what they have in common; the same in the window and
//! without one.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use super::arrange::Arranging;
use super::networks::{self, OpenedNetwork};
use crate::document::{ComparedWith, Comparing, Document, FileReference, OtherEdges};
use crate::figures::network::{CompareFigure, CompareStyle};
use crate::jobs::{Cancelled, Progress};
use crate::network::compare::{Chance, Comparison, Side, Union};
use crate::network::filter::NetworkFilter;
use crate::network::reference::ReferenceNetwork;
use crate::network::{Edge, GeneId, Grn, NetworkGene};
use crate::words::counted;

/// Longest name of a network in a figure.
const LONGEST: usize = 30;

/// Two networks, compared.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Every edge of either.
    pub comparison: Comparison,
    /// Both as one network.
    pub union: Union,
    /// The overlap against chance.
    pub chance: Chance,
    /// How many edges both have, only the first, only the second.
    pub counts: [usize; 3],
    /// Common edges whose signs agree.
    pub same_sign: usize,
    /// Common edges with opposite signs.
    pub opposite_sign: usize,
    /// Genes that only the first whole network has, and only the second, sorted.
    pub only: [Vec<String>; 2],
    /// Genes that both whole networks have.
    pub genes_in_both: usize,
    /// How the edges of the second were chosen, in a clause.
    pub chosen: String,
    /// What else should be known, in words.
    pub notes: Vec<String>,
}

impl Compared {
    /// Share of the edges of either that both have (Jaccard index); none without edges.
    pub fn shared(&self) -> Option<f64> {
        let all: usize = self.counts.iter().sum();
        (all > 0).then(|| self.counts[0] as f64 / all as f64)
    }
}

/// Compare the edges of `left` that pass `filter` with edges of `right`, chosen as `edges` says.
///
/// # Errors
/// When cancelled.
pub fn compare(
    left: &Grn,
    filter: &NetworkFilter,
    right: &OpenedNetwork,
    edges: OtherEdges,
    progress: &dyn Progress,
) -> Result<Compared, Cancelled> {
    progress.stage("Comparing", None);
    let renamed = named_like(&right.grn, left);
    let grn = renamed.as_ref().unwrap_or(&right.grn);
    let shown = filter.apply(left);
    progress.check()?;
    let is_alike = right.is_ranked || edges != OtherEdges::SameNumber;
    let mut notes = Vec::new();
    if renamed.is_some() {
        notes.push("names of genes are compared without regard to case".to_owned());
    }
    let (chosen, words): (Vec<&Edge>, String) = match edges {
        OtherEdges::SameFilter => (collect(grn, filter), "through the same filters".to_owned()),
        OtherEdges::SameNumber if is_alike => {
            let free = NetworkFilter { top: None, minimum_probability: None, ..filter.clone() };
            let mut best = collect(grn, &free);
            best.truncate(shown.edge_count());
            (best, "as many of its best edges".to_owned())
        }
        OtherEdges::SameNumber | OtherEdges::BetweenShown => {
            if !is_alike {
                notes.push("the other network ranks no edges: all between the genes shown are taken".to_owned());
            }
            let genes: HashSet<&str> = shown.genes().iter().map(|gene| left.symbol(*gene)).collect();
            let has = |gene: GeneId| genes.contains(grn.symbol(gene));
            let between = grn.edges().iter().filter(|edge| has(edge.regulator) && has(edge.target));
            (between.collect(), "all between the genes shown".to_owned())
        }
    };
    progress.check()?;
    let mut comparison = Comparison::of((left, shown.edges()), (grn, chosen));
    if !right.is_ranked {
        comparison.forget_ranks_of_right();
    }
    progress.check()?;
    let union = Union::of(&comparison, left, grn);
    progress.check()?;
    let only = |of: &Grn, other: &Grn| -> Vec<String> {
        let mut genes: Vec<String> = of
            .genes()
            .iter()
            .filter(|gene| other.find(&gene.symbol).is_none())
            .map(|gene| gene.symbol.clone())
            .collect();
        genes.sort();
        genes
    };
    let only = [only(left, grn), only(grn, left)];
    Ok(Compared {
        chance: comparison.chance(left, grn),
        counts: [Side::Both, Side::Left, Side::Right].map(|side| comparison.count(side)),
        same_sign: comparison.agreements(),
        opposite_sign: comparison.contradictions(),
        genes_in_both: left.genes().len() - only[0].len(),
        only,
        union,
        comparison,
        chosen: words,
        notes,
    })
}

fn collect<'a>(grn: &'a Grn, filter: &NetworkFilter) -> Vec<&'a Edge> {
    filter.apply(grn).edges().collect()
}

/// `other` with the names of `left` where names without regard to case agree much more often: mouse genes beside human
/// ones. None where names agree as they are.
fn named_like(other: &Grn, left: &Grn) -> Option<Arc<Grn>> {
    let exact = other.genes().iter().filter(|gene| left.find(&gene.symbol).is_some()).count();
    let upper: HashMap<String, &str> =
        left.genes().iter().rev().map(|gene| (gene.symbol.to_uppercase(), gene.symbol.as_str())).collect();
    let caseless = |gene: &NetworkGene| upper.get(&gene.symbol.to_uppercase()).copied();
    if other.genes().iter().filter(|gene| caseless(gene).is_some()).count() <= 2 * exact {
        return None;
    }
    let mut taken: HashSet<String> = HashSet::new();
    let mut genes = Vec::with_capacity(other.genes().len());
    for gene in other.genes() {
        let name = caseless(gene).map_or_else(|| gene.symbol.clone(), str::to_owned);
        // Of two that differ in case only, the second keeps its own name.
        let symbol = if taken.contains(&name) { gene.symbol.clone() } else { name };
        if !taken.insert(symbol.clone()) {
            return None;
        }
        genes.push(NetworkGene { symbol, ..gene.clone() });
    }
    Grn::new(genes, other.edges().to_vec()).ok().map(Arc::new)
}

/// The network of a reference: its edges have no ranks; those of an undirected one are there both ways.
pub fn of_reference(reference: &ReferenceNetwork) -> OpenedNetwork {
    OpenedNetwork {
        grn: Arc::new(reference.to_grn()),
        name: reference.name().to_owned(),
        model: None,
        notes: if reference.is_undirected() {
            vec!["its pairs have no direction: each counts both ways".to_owned()]
        } else {
            Vec::new()
        },
        is_ranked: false,
        positions: Arc::default(),
        look: Default::default(),
        table: None,
    }
}

/// The file of the network that `document` compares with.
pub fn source(document: &Document) -> Option<&FileReference> {
    let sources = &document.sources;
    match document.comparing.as_ref()?.with {
        ComparedWith::File => sources.compared.as_ref(),
        ComparedWith::Reference => sources.reference.as_ref(),
        ComparedWith::Before => sources.before.as_ref(),
    }
}

/// Read the network that `document` compares with.
///
/// # Errors
/// If it compares with none, or its file is gone or damaged.
pub fn other(document: &Document, progress: &dyn Progress) -> anyhow::Result<OpenedNetwork> {
    let comparing = document.comparing.as_ref().context("no other network was chosen to compare with")?;
    let file = source(document).context(match comparing.with {
        ComparedWith::Before => "the network before is in no file",
        ComparedWith::File | ComparedWith::Reference => "the other network was put away",
    })?;
    let cannot = || format!("{} cannot be read", file.path.display());
    if comparing.with == ComparedWith::Reference {
        return Ok(of_reference(&networks::reference(&file.path, progress).with_context(cannot)?));
    }
    networks::open(&file.path, progress).with_context(cannot)
}

/// What the two networks are called in a figure: their files.
pub fn names(document: &Document) -> [String; 2] {
    let stem = |file: &FileReference| short(&file.path);
    let sources = &document.sources;
    let left = sources.model.as_ref().or(sources.network.as_ref()).map_or_else(|| "this network".to_owned(), stem);
    let with = document.comparing.as_ref().map(|comparing| comparing.with);
    let right = match (with, source(document)) {
        (Some(ComparedWith::Before), None) => "the network before".to_owned(),
        (_, Some(file)) => stem(file),
        (_, None) => "the other network".to_owned(),
    };
    let right = if right == left { format!("{right} (other)") } else { right };
    [left, right]
}

fn short(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or(&name);
    if stem.chars().count() <= LONGEST {
        return stem.to_owned();
    }
    format!("{}…", stem.chars().take(LONGEST - 1).collect::<String>())
}

/// The genes of the union that have symbols `genes`.
pub fn ids<'a>(union: &Union, genes: impl IntoIterator<Item = &'a String>) -> Vec<GeneId> {
    genes.into_iter().filter_map(|gene| union.grn.find(gene)).collect()
}

/// The figure of `compared` as `document` has it; genes without a place are laid out.
///
/// # Errors
/// When cancelled.
pub fn figure(
    document: &Document,
    comparing: &Comparing,
    compared: &Compared,
    text_size: f32,
    progress: &dyn Progress,
) -> Result<CompareFigure, Cancelled> {
    let grn = &compared.union.grn;
    let positions = Arranging::of_document(grn, grn.edges(), document).positions(progress)?;
    let style = CompareStyle {
        names: names(document),
        overlaid: comparing.overlaid,
        text_size,
        selected: ids(&compared.union, &document.selection),
        hovered: None,
    };
    Ok(CompareFigure::of(&compared.comparison, &compared.union, &positions, &style))
}

/// What `compared` found, in a sentence for a figure's metadata.
pub fn describe(document: &Document, compared: &Compared) -> String {
    let [left, right] = names(document);
    let [both, only_left, only_right] = compared.counts;
    let chance = &compared.chance;
    let jaccard = compared.shared().unwrap_or(0.0);
    format!(
        "{} in both {left} and {right}, {} only in {left}, {} only in {right} ({}; Jaccard index {jaccard:.2}; {} of {} possible \
         edges in both, {:.1} by chance, p = {:.1e}); {} with the same sign, {} with opposite signs",
        counted(both, "edge"),
        only_left,
        only_right,
        compared.chosen,
        chance.common,
        chance.left,
        chance.expected,
        chance.p_value,
        compared.same_sign,
        compared.opposite_sign,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::Silent;
    use crate::network::formats::NetworkContents;
    use crate::network::{Sign, SignEvidence, fixtures};

    fn network(symbols: &[&str], edges: &[(u32, u32, f32)]) -> Grn {
        let edge = |&(regulator, target, probability): &(u32, u32, f32)| Edge {
            sign: Sign::Activates,
            evidence: SignEvidence::Predicted,
            ..fixtures::edge(regulator, target, probability)
        };
        Grn::new(fixtures::genes(symbols), edges.iter().map(edge).collect()).unwrap()
    }

    fn opened(grn: &Grn) -> OpenedNetwork {
        OpenedNetwork::of_contents(&NetworkContents::of("other", grn, grn.edges())).unwrap()
    }

    fn counts(left: &Grn, filter: &NetworkFilter, right: &OpenedNetwork, edges: OtherEdges) -> [usize; 3] {
        compare(left, filter, right, edges, &Silent).unwrap().counts
    }

    #[test]
    fn edges_of_the_other_are_chosen_as_asked() {
        let left = network(&["A", "B", "C", "D"], &[(0, 1, 0.9), (0, 2, 0.8), (1, 2, 0.7), (2, 3, 0.6)]);
        // The same order on a scale a tenth as high, with C → D first.
        let right =
            network(&["A", "B", "C", "D"], &[(2, 3, 0.095), (0, 1, 0.09), (0, 2, 0.08), (1, 2, 0.07), (1, 3, 0.01)]);
        let right = opened(&right);
        let filter = NetworkFilter { minimum_probability: Some(0.5), ..NetworkFilter::top(3) };
        assert_eq!(counts(&left, &filter, &right, OtherEdges::SameFilter), [0, 3, 0], "no probability reaches a half");
        assert_eq!(counts(&left, &filter, &right, OtherEdges::SameNumber), [2, 1, 1], "three of each");
        assert_eq!(counts(&left, &filter, &right, OtherEdges::BetweenShown), [3, 0, 0], "D is not shown");
        // Other filters hold for both.
        let hidden = NetworkFilter { hidden: ["A".to_owned()].into(), ..NetworkFilter::default() };
        assert_eq!(counts(&left, &hidden, &right, OtherEdges::SameNumber), [2, 0, 0]);
        let found = compare(&left, &NetworkFilter::default(), &right, OtherEdges::SameNumber, &Silent).unwrap();
        assert_eq!((found.counts, found.same_sign, found.shared()), ([4, 0, 0], 4, Some(1.0)));
    }

    #[test]
    fn a_network_without_ranks_has_no_best_edges() {
        let left = network(&["A", "B", "C"], &[(0, 1, 0.9), (0, 2, 0.8)]);
        let right = opened(&network(&["A", "B", "C", "X"], &[(0, 3, 1.0), (1, 0, 1.0), (0, 1, 1.0)]));
        assert!(!right.is_ranked);
        let found = compare(&left, &NetworkFilter::top(1), &right, OtherEdges::SameNumber, &Silent).unwrap();
        assert_eq!(found.counts, [1, 0, 1], "both between A and B");
        assert!(found.notes[0].contains("ranks no edges"));
        assert!(found.comparison.edges.iter().all(|edge| edge.right.is_none_or(|seen| seen.rank.is_none())));
        // The file holds no edge of C, and so not C.
        assert_eq!((&found.only[0][..], &found.only[1][..]), (&["C".to_owned()][..], &["X".to_owned()][..]));
        assert_eq!(found.genes_in_both, 2);
    }

    #[test]
    fn genes_of_another_species_are_matched_without_case() {
        let left = network(&["STAT1", "IRF1", "JAK2"], &[(0, 1, 0.9), (2, 0, 0.8)]);
        let right = opened(&network(&["Stat1", "Irf1", "Jak2"], &[(0, 1, 0.5), (1, 2, 0.4)]));
        let found = compare(&left, &NetworkFilter::default(), &right, OtherEdges::SameNumber, &Silent).unwrap();
        assert_eq!((found.counts, found.genes_in_both), ([1, 1, 1], 3));
        assert!(found.notes[0].contains("without regard to case"));
        // Where names agree as they are, case tells genes apart.
        let mixed = opened(&network(&["STAT1", "irf1", "JAK2"], &[(0, 1, 0.5), (2, 0, 0.4)]));
        let found = compare(&left, &NetworkFilter::default(), &mixed, OtherEdges::SameNumber, &Silent).unwrap();
        assert_eq!((found.counts, found.genes_in_both), ([1, 1, 1], 2));
    }

    #[test]
    fn an_undirected_reference_counts_both_ways() {
        let contents = NetworkContents {
            undirected: true,
            ..NetworkContents::of(
                "pairs",
                &network(&["A", "B"], &[]),
                &network(&["A", "B"], &[(0, 1, 1.0)]).edges().to_vec(),
            )
        };
        let reference = of_reference(&ReferenceNetwork::of(&contents, "table"));
        assert_eq!(reference.grn.edges().len(), 2);
        assert!(!reference.is_ranked && reference.notes[0].contains("both ways"));
    }

    /// `cargo test --release -- --ignored large_comparisons`
    #[test]
    #[ignore = "a measurement"]
    #[allow(clippy::print_stdout)]
    fn large_comparisons_take_moments() {
        use rand::RngExt as _;
        let make = |seed: u64| {
            let mut random = crate::random::stream(seed, "comparison");
            let names: Vec<String> = (0..5000).map(|at| format!("G{at}")).collect();
            let mut pairs = std::collections::BTreeSet::new();
            while pairs.len() < 50_000 {
                pairs.insert((random.random_range(0..5000_u32), random.random_range(0..5000_u32)));
            }
            let edges: Vec<(u32, u32, f32)> =
                pairs.into_iter().map(|(a, b)| (a, b, random.random_range(0.0..1.0))).collect();
            network(&names.iter().map(String::as_str).collect::<Vec<_>>(), &edges)
        };
        let (left, right) = (make(1), opened(&make(2)));
        let start = std::time::Instant::now();
        let found = compare(&left, &NetworkFilter::default(), &right, OtherEdges::SameNumber, &Silent).unwrap();
        println!("5,000 genes, 2 × 50,000 edges compared in {:?}", start.elapsed());
        let positions: Vec<[f32; 2]> =
            (0..found.union.grn.genes().len()).map(|at| [(at % 70) as f32 * 40.0, (at / 70) as f32 * 40.0]).collect();
        let style = CompareStyle {
            names: ["a".to_owned(), "b".to_owned()],
            overlaid: false,
            text_size: 12.0,
            selected: Vec::new(),
            hovered: None,
        };
        let start = std::time::Instant::now();
        let figure = CompareFigure::of(&found.comparison, &found.union, &positions, &style);
        println!("figure made in {:?}", start.elapsed());
        let start = std::time::Instant::now();
        let theme = crate::figures::FigureTheme::light();
        let drawn = figure.draw([1200.0, 700.0], &figure.fit([1200.0, 700.0]), &theme);
        println!("drawn in {:?}, {} layers", start.elapsed(), drawn.scene.layers.len());
    }
}
