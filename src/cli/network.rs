//! `network`: the edges of a model or a network file, what is known of them, and files for other programs.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::console::Console;
use super::edges::EdgeArgs;
use super::failure::UsageError;
use super::import::{self, ImportArgs};
use super::output;
use super::text::table;
use crate::data::{ImportOptions, nearest};
use crate::figures::network::{NetworkFigure, NetworkStyle};
use crate::jobs::Progress as _;
use crate::layout::LayoutConfig;
use crate::network::compare::{Comparison, Side};
use crate::network::filter::{NetworkFilter, NetworkView};
use crate::network::formats::{self, NetworkFormat, write_edges};
use crate::network::gene_names::GeneNames;
use crate::network::gene_sets::{Enrichment, GeneSets, enrichment, write_enrichment};
use crate::network::reference::{Overlap, ReferenceNetwork, ReferenceOverlay};
use crate::network::statistics::GeneStatistics;
use crate::network::{Agreement, Edge, Grn, Sign};
use crate::tasks::edge_tests::EdgeTests;
use crate::tasks::networks::{self, Extras, OpenedNetwork};
use crate::tasks::tables;
use crate::words::{counted, grouped};

/// Edges, genes or sets listed on the terminal.
const LISTED: usize = 20;
/// Genes that a set must have in the network to be tested.
const LEAST_OF_SET: usize = 3;

/// Look at the network of a model or of a network file, write it for other programs, compare it with what is known.
#[derive(Debug, Args)]
pub struct Network {
    /// Trained model, or a network file: table of edges, SIF, GraphML, GEXF, CX2, DOT or JSON
    network: PathBuf,
    /// File to write; its ending decides: .tsv, .sif, .graphml, .gexf (Gephi), .cx2 (Cytoscape), .dot, .json (networkx);
    /// without it the best edges are printed
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Table to write: degrees, PageRank, betweenness and community of every gene that is left
    #[arg(long, value_name = "TSV")]
    statistics: Option<PathBuf>,
    /// Seed of the communities and of the layout that goes into files with positions
    #[arg(long, value_name = "N", default_value_t = LayoutConfig::default().seed)]
    seed: u64,
    /// Which edges.
    #[command(flatten)]
    edges: EdgeArgs,
    /// What is known.
    #[command(flatten)]
    known: KnownArgs,
}

/// What is known of genes and edges
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Compare with what is known")]
struct KnownArgs {
    /// Reference network: CollecTRI, TRRUST, DoRothEA, STRING, CORUM, OmniPath, or any network file
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// Table of earlier symbols and synonyms by which the reference may call genes: the complete set of the HGNC, gene_info
    /// of NCBI, or columns of such names
    #[arg(long, value_name = "FILE", requires = "reference")]
    gene_names: Option<PathBuf>,
    /// Another model or network file to compare with, through the same filters
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Table to write: the edges of both networks of --compare, and who has them
    #[arg(long, value_name = "TSV", requires = "compare")]
    differences: Option<PathBuf>,
    /// Data set that the model was trained on: each edge is tested on its held-out cells, in columns held_out_… of the file
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Gene sets (GMT) to test the genes of --genes for
    #[arg(long, value_name = "GMT", requires = "genes")]
    gene_sets: Option<PathBuf>,
    /// Genes to test, against all genes of the network
    #[arg(long, value_name = "GENE[,GENE2]", value_delimiter = ',', requires = "gene_sets")]
    genes: Vec<String>,
    /// Table to write: all gene sets with overlap, p value and false discovery rate
    #[arg(long, value_name = "TSV", requires = "gene_sets")]
    enrichment: Option<PathBuf>,
}

impl Network {
    pub(super) fn run(self, console: &Console) -> anyhow::Result<()> {
        let filter = self.edges.filter()?.unwrap_or_default();
        let format = self.output.as_deref().map(NetworkFormat::of).transpose();
        let format = format.map_err(|error| UsageError(error.to_string()))?;
        let outputs = [&self.output, &self.statistics, &self.known.enrichment, &self.known.differences];
        for path in outputs.into_iter().flatten() {
            output::check(path)?;
            let KnownArgs { reference, gene_names, gene_sets, compare, data, .. } = &self.known;
            let inputs = [reference, gene_names, gene_sets, compare, data];
            let inputs = inputs.into_iter().flatten().chain([&self.network]);
            output::distinct(path, &inputs.map(PathBuf::as_path).collect::<Vec<_>>())?;
        }
        let cannot_open = || format!("cannot open {}", self.network.display());
        let opened = networks::open(&self.network, console).with_context(cannot_open)?;
        let grn = &opened.grn;
        self.edges.check(grn)?;
        let view = filter.apply(grn);
        for note in &opened.notes {
            console.tell(&format!("{}: {note}", self.network.display()));
        }
        let reference = self.known.reference.as_deref().map(|path| {
            networks::reference(path, console)
                .with_context(|| format!("{} cannot be read as a reference network", path.display()))
        });
        let reference = reference.transpose()?;
        let names = self.known.gene_names.as_deref().map(|path| {
            GeneNames::read(path).with_context(|| format!("{} cannot be read as names of genes", path.display()))
        });
        let names = names.transpose()?;
        let reference = reference.map(|reference| {
            let overlay = ReferenceOverlay::of(&reference, grn, names.as_ref());
            let overlap = overlay.overlap(view.edges());
            (reference, Arc::new(overlay), overlap)
        });
        let compared = self.known.compared(&opened, &view, &filter, console)?;
        let enriched = self.known.enriched(grn)?;
        let tests = self.known.tested(&opened, &view, console)?.map(Arc::new);
        let statistics = if self.statistics.is_some() || format.is_some_and(has_attributes) {
            Some(Arc::new(GeneStatistics::of(grn, view.edges(), self.seed, console)?))
        } else {
            None
        };
        if let (Some(path), Some(format)) = (&self.output, format) {
            let overlay = reference.as_ref().map(|(_, overlay, _)| overlay.clone());
            self.write(path, format, &opened, &view, statistics.clone(), overlay, tests.clone(), console)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        if let (Some(path), Some(statistics)) = (&self.statistics, &statistics) {
            tables::write_text(path, &statistics_table(&view, statistics))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        if let (Some(path), Some(compared)) = (&self.known.differences, &compared) {
            tables::write_text(path, &compared.table()).with_context(|| format!("cannot write {}", path.display()))?;
        }
        if let (Some(path), Some(enriched)) = (&self.known.enrichment, &enriched) {
            tables::write_text(path, &write_enrichment(enriched))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        let agreement = view.agreement();
        let listed = if self.output.is_some() { LISTED } else { usize::MAX };
        let mut result = json!({
            "network": self.network,
            "output": self.output,
            "genes": view.genes().len(),
            "edges": view.edge_count(),
            "lowest_probability": view.lowest_probability(),
            "filter": filter.describe(),
            "notes": opened.notes,
            "best": view.edges().take(listed).map(|edge| edge_json(grn, edge, agreement)).collect::<Vec<_>>(),
        });
        if let Some(agreement) = agreement {
            result["members"] = agreement.members().into();
            result["edges_kept_by_each_member"] = agreement.kept().into();
        }
        if let Some((reference, overlay, overlap)) = &reference {
            result["reference"] = reference_json(reference, overlay, overlap);
        }
        if let Some(statistics) = &statistics {
            result["communities"] = statistics.communities.into();
            result["modularity"] = statistics.modularity.into();
        }
        if let Some(compared) = &compared {
            result["compared"] = json!({
                "with": self.known.compare,
                "both": compared.count(Side::Both),
                "left": compared.count(Side::Left),
                "right": compared.count(Side::Right),
                "opposite_sign": compared.contradictions(),
                "shared": compared.shared(),
            });
        }
        if let Some(tests) = &tests {
            result["held_out_tests"] = tests.describe().into();
        }
        if let Some(enriched) = &enriched {
            result["gene_sets"] = enrichment_json(enriched);
        }
        console.result(&result, || {
            let mut text = edges_text(grn, &view);
            let more = view.edge_count().saturating_sub(LISTED);
            if more > 0 && self.output.is_none() {
                text.push_str(&format!("… and {} more (-o FILE writes them)\n", grouped(more)));
            }
            if let Some((reference, overlay, overlap)) = &reference {
                text.push_str(&format!("\n{}", reference_text(reference, overlay, overlap)));
            }
            if let Some(tests) = &tests {
                text.push_str(&format!("\n{}\n", tests.describe()));
            }
            if let Some(compared) = &compared {
                text.push_str(&format!(
                    "\n{} in both networks, {} only in the first, {} only in the second; {} with opposite signs\n",
                    counted(compared.count(Side::Both), "edge"),
                    grouped(compared.count(Side::Left)),
                    grouped(compared.count(Side::Right)),
                    grouped(compared.contradictions()),
                ));
            }
            if let Some(enriched) = &enriched {
                text.push_str(&format!("\n{}", enrichment_text(enriched)));
            }
            let wrote: Vec<String> =
                outputs.into_iter().flatten().map(|path| format!("Wrote {}\n", path.display())).collect();
            if !wrote.is_empty() {
                text.push_str(&format!("\n{}", wrote.concat()));
            }
            text
        })
    }

    #[allow(clippy::too_many_arguments)]
    fn write(
        &self,
        path: &std::path::Path,
        format: NetworkFormat,
        opened: &OpenedNetwork,
        view: &NetworkView<'_>,
        statistics: Option<Arc<GeneStatistics>>,
        overlay: Option<Arc<ReferenceOverlay>>,
        tests: Option<Arc<EdgeTests>>,
        console: &Console,
    ) -> anyhow::Result<()> {
        if format == NetworkFormat::Table && overlay.is_none() {
            let extra = tests.as_ref().map(|tests| tests.columns()).unwrap_or_default();
            return Ok(write_edges(path, view, &extra)?);
        }
        let grn = &opened.grn;
        let edges: Vec<&Edge> = view.edges().collect();
        let figure = if has_attributes(format) {
            let positions = networks::lay_out(grn, &edges, self.seed, console)?;
            let style = NetworkStyle { legend: false, members_keep: view.members_keep(), ..NetworkStyle::default() };
            Some(NetworkFigure::of(grn, edges.iter().copied(), &positions, &style))
        } else {
            None
        };
        let extras = Extras {
            name: opened.name.clone(),
            figure,
            statistics,
            reference: overlay,
            tests,
            members_keep: view.members_keep(),
            ..Extras::default()
        };
        console.stage("Writing", None);
        formats::write(path, format, &networks::contents(grn, &edges, &extras))?;
        Ok(())
    }
}

fn has_attributes(format: NetworkFormat) -> bool {
    !matches!(format, NetworkFormat::Table | NetworkFormat::Sif)
}

impl KnownArgs {
    fn compared(
        &self,
        opened: &OpenedNetwork,
        view: &NetworkView<'_>,
        filter: &NetworkFilter,
        console: &Console,
    ) -> anyhow::Result<Option<Comparison>> {
        let Some(path) = &self.compare else { return Ok(None) };
        let other = networks::open(path, console).with_context(|| format!("cannot open {}", path.display()))?;
        if filter.minimum_agreement.is_some() && other.grn.member_ranks().is_none() {
            console.tell(&format!("{}: no ensemble, not filtered by agreement", path.display()));
        }
        let right = filter.apply(&other.grn);
        Ok(Some(Comparison::of((&opened.grn, view.edges()), (&other.grn, right.edges()))))
    }

    /// The edges of `view` on the held-out cells of --data.
    fn tested(
        &self,
        opened: &OpenedNetwork,
        view: &NetworkView<'_>,
        console: &Console,
    ) -> anyhow::Result<Option<EdgeTests>> {
        let Some(path) = &self.data else { return Ok(None) };
        let model = opened.need_model()?;
        let decisions = ImportArgs::default().decide(path, ImportOptions::default())?;
        let dataset = import::dataset_for(model, path, &decisions, console)?;
        let positions: Vec<u32> = view.edges().map(|edge| edge.rank - 1).collect();
        let tests = EdgeTests::run(&dataset, model, &opened.grn, &positions, console)
            .with_context(|| format!("the edges cannot be tested on {}", path.display()))?;
        Ok(Some(tests))
    }

    fn enriched(&self, grn: &Grn) -> anyhow::Result<Option<Enrichment>> {
        let Some(path) = &self.gene_sets else { return Ok(None) };
        let sets = GeneSets::read(path).with_context(|| format!("cannot read the gene sets in {}", path.display()))?;
        let symbols = || grn.genes().iter().map(|gene| gene.symbol.as_str());
        if let Some(gene) = self.genes.iter().find(|gene| grn.find(gene).is_none()) {
            let near = nearest(gene, symbols(), 3);
            let hint = if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) };
            return Err(UsageError(format!("the network has no gene {gene}{hint}")).into());
        }
        Ok(Some(enrichment(&sets, self.genes.iter().map(String::as_str), symbols(), LEAST_OF_SET)))
    }
}

fn edge_json(grn: &Grn, edge: &Edge, agreement: Option<Agreement<'_>>) -> Value {
    let mut value = json!({
        "regulator": grn.symbol(edge.regulator),
        "target": grn.symbol(edge.target),
        "rank": edge.rank,
        "probability": edge.probability,
        "sign": edge.sign,
        "evidence": edge.evidence,
        "shift": edge.shift,
    });
    if grn.has_false_discovery_rates() {
        value["false_discovery_rate"] = edge.false_discovery_rate.into();
    }
    if let Some(agreement) = agreement {
        value["members_keeping"] = agreement.keeping(edge).into();
    }
    value
}

fn edges_text(grn: &Grn, view: &NetworkView<'_>) -> String {
    let agreement = view.agreement();
    let kept = agreement.map(|agreement| format!("in best {}", agreement.kept()));
    let rated = grn.has_false_discovery_rates();
    let row = |edge: &Edge| {
        let keeping = agreement.map(|agreement| format!("{} of {}", agreement.keeping(edge), agreement.members()));
        let fields = [
            format!("{} {} {}", grn.symbol(edge.regulator), arrow(edge.sign), grn.symbol(edge.target)),
            edge.rank.to_string(),
            format!("{:.4}", edge.probability),
            edge.shift.map_or("–".to_owned(), |shift| format!("{shift:.2}")),
        ];
        let rate = edge.false_discovery_rate.map_or("–".to_owned(), |rate| format!("{rate:.3}"));
        fields.into_iter().chain(rated.then_some(rate)).chain(keeping).collect()
    };
    let columns = ["edge", "rank", "probability", "shift (log2)"].into_iter().chain(rated.then_some("FDR"));
    let columns = columns.chain(kept.as_deref());
    let rows: Vec<Vec<String>> = view.edges().take(LISTED).map(row).collect();
    format!(
        "{} between {}\n\n{}",
        counted(view.edge_count(), "edge"),
        counted(view.genes().len(), "gene"),
        table(&columns.collect::<Vec<_>>(), &rows)
    )
}

fn statistics_table(view: &NetworkView<'_>, statistics: &GeneStatistics) -> String {
    use std::fmt::Write as _;
    let mut text = "gene\tout_degree\tin_degree\tpage_rank\tbetweenness\tcommunity\n".to_owned();
    for gene in view.genes() {
        let (symbol, at) = (view.grn().symbol(*gene), gene.0 as usize);
        let community = statistics.community[at].map(|community| (community + 1).to_string()).unwrap_or_default();
        let (out, into) = (statistics.out_degree[at], statistics.in_degree[at]);
        let (rank, between) = (statistics.page_rank[at], statistics.betweenness[at]);
        let _ = writeln!(text, "{symbol}\t{out}\t{into}\t{rank}\t{between}\t{community}");
    }
    text
}

fn reference_json(reference: &ReferenceNetwork, overlay: &ReferenceOverlay, overlap: &Overlap) -> Value {
    json!({
        "name": reference.name(),
        "layout": reference.layout(),
        "genes": reference.gene_count(),
        "edges": reference.edge_count(),
        "undirected": reference.is_undirected(),
        "ignoring_case": overlay.ignoring_case,
        "genes_by_other_names": overlay.renamed,
        "genes_in_both": overlap.genes,
        "possible_pairs": overlap.pairs,
        "known_pairs": overlap.known,
        "edges_among_pairs": overlap.shown,
        "common": overlap.common,
        "expected": overlap.expected,
        "p_value": overlap.p_value,
        "same_sign": overlap.same_sign,
        "opposite_sign": overlap.opposite_sign,
    })
}

fn reference_text(reference: &ReferenceNetwork, overlay: &ReferenceOverlay, overlap: &Overlap) -> String {
    let mut how = if overlay.ignoring_case { ", names compared without regard to case" } else { "" }.to_owned();
    if overlay.renamed > 0 {
        how.push_str(&format!(", {} by other names", grouped(overlay.renamed)));
    }
    format!(
        "{} ({}): {} between {}, {} of them in the network{how}\n{} of {} edges are known, {:.1} by chance (p = {}); \
         same sign {}, opposite sign {}\n",
        reference.name(),
        reference.layout(),
        counted(reference.edge_count(), "edge"),
        counted(reference.gene_count(), "gene"),
        grouped(overlap.genes),
        grouped(overlap.common as usize),
        grouped(overlap.shown as usize),
        overlap.expected,
        p_text(overlap.p_value),
        grouped(overlap.same_sign as usize),
        grouped(overlap.opposite_sign as usize),
    )
}

fn enrichment_json(enriched: &Enrichment) -> Value {
    let set = |set: &crate::network::gene_sets::Enriched| {
        json!({
            "name": set.name,
            "genes": set.hits,
            "size": set.size,
            "expected": set.expected,
            "p_value": set.p_value,
            "q_value": set.q_value,
        })
    };
    json!({
        "background": enriched.background,
        "selected": enriched.selected,
        "left_out": enriched.left_out,
        "sets": enriched.sets.iter().map(set).collect::<Vec<_>>(),
    })
}

fn enrichment_text(enriched: &Enrichment) -> String {
    let row = |set: &crate::network::gene_sets::Enriched| {
        vec![
            set.name.clone(),
            format!("{}/{}", set.hits.len(), set.size),
            format!("{:.2}", set.expected),
            p_text(set.p_value),
            p_text(set.q_value),
        ]
    };
    let rows: Vec<Vec<String>> =
        enriched.sets.iter().filter(|set| !set.hits.is_empty()).take(LISTED).map(row).collect();
    format!(
        "{} of {} in {} gene sets\n\n{}",
        counted(enriched.selected, "gene"),
        grouped(enriched.background),
        grouped(enriched.sets.len()),
        table(&["gene set", "genes", "expected", "p", "q"], &rows)
    )
}

/// `0.03`, `2e-9`.
fn p_text(p_value: f64) -> String {
    if p_value >= 0.001 { format!("{p_value:.3}") } else { format!("{p_value:.1e}") }
}

fn arrow(sign: Sign) -> &'static str {
    match sign {
        Sign::Activates => "→",
        Sign::Represses => "⊣",
        Sign::Unknown => "–",
    }
}
