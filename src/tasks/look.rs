//! From a document's style to what a figure of the network shows: the same in the window and without one.

use std::path::Path;

use anyhow::Context as _;

use super::edge_tests::EdgeTests;
use super::networks::{self, FileLook};
use crate::document::{Document, EdgeAttribute, GeneAttribute, Style};
use crate::figures::network::{EdgeColour, EdgeWidth, NetworkStyle, NodeColour, NodeSize, ReferenceLines};
use crate::jobs::Progress;
use crate::models::{PredictedEffect, TrainedModel};
use crate::network::gene_names::GeneNames;
use crate::network::gene_table::{GeneColumn, GeneTable};
use crate::network::reference::ReferenceOverlay;
use crate::network::statistics::GeneStatistics;
use crate::network::{Edge, Grn};

/// Seed of statistics of the network shown: communities, and the genes sampled for betweenness.
pub const STATISTICS_SEED: u64 = 0;

/// What is known of the genes and edges of a network beyond the network itself.
#[derive(Default)]
pub struct Known<'a> {
    /// The answer to the knock-out asked for, and the genes that its shifts are of.
    pub effect: Option<(&'a PredictedEffect, &'a [String])>,
    /// A measured shift of each gene of the network (not finite for none), and what it is.
    pub measured: Option<(Vec<f32>, String)>,
    /// Statistics of the edges shown.
    pub statistics: Option<&'a GeneStatistics>,
    /// A reference network by name, and what it knows.
    pub reference: Option<(&'a str, &'a ReferenceOverlay)>,
    /// What held-out cells say of the edges.
    pub tests: Option<&'a EdgeTests>,
    /// A table of genes.
    pub table: Option<&'a GeneTable>,
    /// How the network file says that it looks.
    pub file: Option<&'a FileLook>,
    /// Its attributes of genes.
    pub file_table: Option<&'a GeneTable>,
}

/// What colours, sizes and lines show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// Colours of genes.
    pub colour: NodeColour,
    /// Sizes of genes.
    pub size: NodeSize,
    /// Colours of edges.
    pub edge_colour: EdgeColour,
    /// Widths of edges.
    pub edge_width: EdgeWidth,
    /// What a reference network says.
    pub reference: Option<ReferenceLines>,
}

/// Numbers or groups of genes, and what they are.
enum Values {
    /// Around zero.
    Shifts(Vec<f32>, String),
    Amounts(Vec<f32>, String),
    Groups(Vec<Option<u32>>, Vec<String>, String),
}

/// Whether `style` shows something that takes the statistics of the edges shown.
pub fn needs_statistics(style: &Style) -> bool {
    [&style.gene_colour, &style.gene_size].into_iter().any(|attribute| {
        matches!(attribute, GeneAttribute::PageRank | GeneAttribute::Betweenness | GeneAttribute::Community)
    })
}

/// Whether `style` shows a column of a table of genes.
pub fn wants_table(style: &Style) -> bool {
    [&style.gene_colour, &style.gene_size].iter().any(|attribute| matches!(attribute, GeneAttribute::Column(_)))
}

/// A number per gene of a table of shifts, by gene of `network`; not finite for none.
pub fn by_gene(network: &Grn, genes: &[String], shifts: &[f32]) -> Vec<f32> {
    let mut values = vec![f32::NAN; network.genes().len()];
    for (gene, shift) in genes.iter().zip(shifts) {
        if let Some(gene) = network.find(gene) {
            values[gene.0 as usize] = *shift;
        }
    }
    values
}

/// The measured shift of each gene under `perturbation`, on held-out cells where there are any, and what it is.
pub fn measured(network: &Grn, model: &TrainedModel, perturbation: &str) -> Option<(Vec<f32>, String)> {
    let tables = [(model.observed_held_out(), "held-out cells"), (model.observed_in_training(), "training cells")];
    let (table, row, cells) =
        tables.into_iter().find_map(|(table, cells)| Some((table, table.find(perturbation)?, cells)))?;
    let label = format!("Measured shift, {perturbation}, {cells} (log2)");
    Some((by_gene(network, &table.genes, table.row(row)), label))
}

impl Look {
    /// The look of the edges `shown` of `grn` in `style`. What is not known is not shown.
    pub fn of(style: &Style, grn: &Grn, shown: &[&Edge], known: &Known<'_>) -> Self {
        let file = known.file.cloned().unwrap_or_default();
        let colour = match values(&style.gene_colour, grn, shown, known) {
            _ if style.gene_colour == GeneAttribute::File => {
                file.gene_colours.map_or(NodeColour::Plain, NodeColour::Given)
            }
            Some(Values::Shifts(values, label)) => NodeColour::Shift { values, limit: None, label },
            Some(Values::Amounts(values, label)) => NodeColour::Amount { values, label },
            Some(Values::Groups(of_gene, names, label)) => NodeColour::Groups { of_gene, names, label },
            None => NodeColour::Plain,
        };
        let size = match &style.gene_size {
            GeneAttribute::OutDegree => NodeSize::Targets,
            GeneAttribute::File => file.gene_sizes.map_or(NodeSize::Targets, NodeSize::Given),
            attribute => match values(attribute, grn, shown, known) {
                Some(Values::Shifts(values, label)) => NodeSize::Amount { values, label: format!("Size of: {label}") },
                Some(Values::Amounts(values, label)) => NodeSize::Amount { values, label },
                Some(Values::Groups(..)) | None => NodeSize::Same,
            },
        };
        let has_reference = known.reference.is_some();
        Self {
            colour,
            size,
            edge_colour: match style.edge_colour {
                EdgeAttribute::Nothing => EdgeColour::Plain,
                EdgeAttribute::Probability => EdgeColour::Probability,
                EdgeAttribute::Evidence => EdgeColour::Evidence,
                EdgeAttribute::Agreement if grn.member_ranks().is_some() => EdgeColour::Agreement,
                EdgeAttribute::FalseDiscovery if grn.has_false_discovery_rates() => EdgeColour::FalseDiscovery,
                EdgeAttribute::HeldOut if known.tests.is_some() => {
                    EdgeColour::Tested(known.tests.map(EdgeTests::verdicts).cloned().unwrap_or_default())
                }
                EdgeAttribute::Reference if has_reference => EdgeColour::Known,
                EdgeAttribute::File => file.edge_colours.map_or(EdgeColour::Sign, EdgeColour::Given),
                EdgeAttribute::Sign
                | EdgeAttribute::Rank
                | EdgeAttribute::Reference
                | EdgeAttribute::Agreement
                | EdgeAttribute::FalseDiscovery
                | EdgeAttribute::HeldOut => EdgeColour::Sign,
            },
            edge_width: match style.edge_width {
                EdgeAttribute::Nothing => EdgeWidth::Same,
                EdgeAttribute::Probability => EdgeWidth::Probability,
                EdgeAttribute::Agreement if grn.member_ranks().is_some() => EdgeWidth::Agreement,
                EdgeAttribute::Reference if has_reference => EdgeWidth::Known,
                EdgeAttribute::File => file.edge_widths.map_or(EdgeWidth::Rank, EdgeWidth::Given),
                EdgeAttribute::Rank
                | EdgeAttribute::Sign
                | EdgeAttribute::Evidence
                | EdgeAttribute::Agreement
                | EdgeAttribute::FalseDiscovery
                | EdgeAttribute::HeldOut
                | EdgeAttribute::Reference => EdgeWidth::Rank,
            },
            reference: known.reference.map(|(name, overlay)| ReferenceLines {
                label: name.to_owned(),
                known: grn.edges().iter().map(|edge| overlay.sign_of(edge).is_some()).collect(),
                mark: style.mark_known,
                missing: if style.show_missing {
                    let missing = overlay.missing(shown.iter().copied());
                    missing.into_iter().map(|edge| (edge.regulator, edge.target, edge.sign)).collect()
                } else {
                    Vec::new()
                },
            }),
        }
    }

    /// The look of a document's network without a window: statistics are computed, the reference network and the table of
    /// genes read from their files.
    ///
    /// # Errors
    /// If one of these files cannot be read, or the work was cancelled.
    pub fn of_document(
        document: &Document,
        grn: &Grn,
        shown: &[&Edge],
        known: Known<'_>,
        progress: &dyn Progress,
    ) -> anyhow::Result<Self> {
        let style = &document.style;
        let statistics = if needs_statistics(style) {
            Some(GeneStatistics::of(grn, shown.iter().copied(), STATISTICS_SEED, progress)?)
        } else {
            None
        };
        let unreadable = |path: &Path| format!("{} cannot be read", path.display());
        let reference = document.sources.reference.as_ref().map(|file| {
            let reference = networks::reference(&file.path, progress).with_context(|| unreadable(&file.path))?;
            let names = document.sources.gene_names.as_ref();
            let names = names.map(|file| GeneNames::read(&file.path).with_context(|| unreadable(&file.path)));
            let overlay = ReferenceOverlay::of(&reference, grn, names.transpose()?.as_ref());
            anyhow::Ok((reference, overlay))
        });
        let reference = reference.transpose()?;
        let table = document.sources.gene_table.as_ref().filter(|_| wants_table(style));
        let table = table.map(|file| GeneTable::read(&file.path).with_context(|| unreadable(&file.path)));
        let table = table.transpose()?;
        let known = Known {
            effect: known.effect,
            measured: known.measured,
            statistics: statistics.as_ref(),
            reference: reference.as_ref().map(|(reference, overlay)| (reference.name(), overlay)),
            tests: known.tests,
            table: table.as_ref(),
            file: known.file,
            file_table: known.file_table,
        };
        Ok(Self::of(style, grn, shown, &known))
    }

    /// Show it.
    pub fn dress(self, style: &mut NetworkStyle) {
        let Self { colour, size, edge_colour, edge_width, reference } = self;
        (style.colour, style.size, style.reference) = (colour, size, reference);
        (style.edge_colour, style.edge_width) = (edge_colour, edge_width);
    }
}

/// The tables of genes, the user's own first.
fn tables<'a>(known: &Known<'a>) -> impl Iterator<Item = &'a GeneTable> {
    [known.table, known.file_table].into_iter().flatten()
}

fn values(attribute: &GeneAttribute, grn: &Grn, shown: &[&Edge], known: &Known<'_>) -> Option<Values> {
    let degrees = |end: fn(&Edge) -> crate::network::GeneId| {
        let mut degrees = vec![0.0; grn.genes().len()];
        shown.iter().for_each(|edge| degrees[end(edge).0 as usize] += 1.0);
        degrees
    };
    let singles = |values: &[f64]| values.iter().map(|value| *value as f32).collect();
    match attribute {
        GeneAttribute::Nothing | GeneAttribute::File => None,
        GeneAttribute::Prediction => {
            let (effect, genes) = known.effect?;
            let label = format!("Predicted shift, {} (log2)", effect.label());
            Some(Values::Shifts(by_gene(grn, genes, &effect.shifts), label))
        }
        GeneAttribute::Measurement => {
            let (values, label) = known.measured.clone()?;
            Some(Values::Shifts(values, label))
        }
        GeneAttribute::OutDegree => Some(Values::Amounts(degrees(|edge| edge.regulator), "Targets".to_owned())),
        GeneAttribute::InDegree => Some(Values::Amounts(degrees(|edge| edge.target), "Regulators".to_owned())),
        GeneAttribute::PageRank => Some(Values::Amounts(singles(&known.statistics?.page_rank), "PageRank".to_owned())),
        GeneAttribute::Betweenness => {
            let statistics = known.statistics?;
            let sampled = if statistics.betweenness_sources.is_some() { " (estimated)" } else { "" };
            Some(Values::Amounts(singles(&statistics.betweenness), format!("Betweenness{sampled}")))
        }
        GeneAttribute::Community => {
            let statistics = known.statistics?;
            let names = (1..=statistics.communities).map(|number| number.to_string()).collect();
            Some(Values::Groups(statistics.community.clone(), names, "Community".to_owned()))
        }
        GeneAttribute::KnockDown => {
            let values = grn.genes().iter().map(|gene| gene.knock_down.unwrap_or(f32::NAN)).collect();
            Some(Values::Shifts(values, "Own shift when perturbed (log2)".to_owned()))
        }
        GeneAttribute::Column(name) => match tables(known).find_map(|table| table.column(name, grn))? {
            GeneColumn::Numbers(values) if values.iter().any(|value| *value < 0.0) => {
                Some(Values::Shifts(values, name.clone()))
            }
            GeneColumn::Numbers(values) => Some(Values::Amounts(values, name.clone())),
            GeneColumn::Groups(of_gene, names) => Some(Values::Groups(of_gene, names, name.clone())),
        },
    }
}
