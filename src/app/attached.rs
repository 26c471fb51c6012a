//! Files that lie beside the network: a reference network, a table of genes, gene sets, other names of genes, another
//! network to compare with.

use std::sync::Arc;

use crate::document::{FileReference, Sources};
use crate::network::gene_names::GeneNames;
use crate::network::gene_sets::GeneSets;
use crate::network::gene_table::GeneTable;
use crate::network::reference::ReferenceNetwork;
use crate::tasks::compare::of_reference;
use crate::tasks::networks::OpenedNetwork;

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attachment {
    /// Known regulation.
    Reference,
    /// Columns to colour and size genes by.
    GeneTable,
    /// Sets to test the selection for.
    GeneSets,
    /// Other names of genes.
    GeneNames,
    /// Another network to compare with.
    Compared,
    /// The model that a training run replaced.
    Before,
}

impl Attachment {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Reference, Self::GeneTable, Self::GeneSets, Self::GeneNames, Self::Compared, Self::Before];

    /// `reference network`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Reference => "reference network",
            Self::GeneTable => "table of genes",
            Self::GeneSets => "gene sets",
            Self::GeneNames => "other gene names",
            Self::Compared => "other network",
            Self::Before => "network before",
        }
    }

    /// Kind of files, their endings, and the title of the dialog.
    pub(super) fn dialog(self) -> (&'static str, Vec<&'static str>, &'static str) {
        const NETWORKS: [&str; 14] = [
            "tsv",
            "csv",
            "txt",
            "tab",
            "sif",
            "graphml",
            "gexf",
            "cx2",
            "dot",
            "gv",
            "json",
            "gz",
            "zip",
            "safetensors",
        ];
        match self {
            Self::Reference => ("Networks", NETWORKS.to_vec(), "Reference network"),
            Self::Compared | Self::Before => ("Models and networks", NETWORKS.to_vec(), "Compare with"),
            Self::GeneTable => ("Tables", vec!["tsv", "csv", "txt", "tab", "gz"], "Table of genes"),
            Self::GeneSets => ("Gene sets", vec!["gmt", "txt", "gz", "zip"], "Gene sets"),
            Self::GeneNames => ("Tables", vec!["txt", "tsv", "csv", "gene_info", "gz", "zip"], "Other gene names"),
        }
    }

    /// What files of this kind are, for people whose file was another.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Reference => {
                "Choose a table of edges (CollecTRI, TRRUST, DoRothEA, STRING, CORUM, …) or a network file (SIF, GraphML, \
                 GEXF, CX2, DOT, JSON), or another model"
            }
            Self::Compared | Self::Before => {
                "Choose another trained model, or a network file (a table of edges, SIF, GraphML, GEXF, CX2, DOT, JSON)"
            }
            Self::GeneTable => "Choose a table (TSV or CSV) with names of columns and one gene per row",
            Self::GeneNames => {
                "Choose a table of symbols with earlier symbols and synonyms: the complete set of the HGNC, gene_info of \
                 NCBI, or one with columns of such names"
            }
            Self::GeneSets => {
                "Choose a GMT file: one set per line, its name, a description and its genes, separated by tabs"
            }
        }
    }

    /// Where the document refers to it.
    pub(super) fn source(self, sources: &mut Sources) -> &mut Option<FileReference> {
        match self {
            Self::Reference => &mut sources.reference,
            Self::GeneTable => &mut sources.gene_table,
            Self::GeneSets => &mut sources.gene_sets,
            Self::GeneNames => &mut sources.gene_names,
            Self::Compared => &mut sources.compared,
            Self::Before => &mut sources.before,
        }
    }
}

/// What was read of them.
#[derive(Clone, Debug, Default)]
pub struct Attached {
    /// Known regulation.
    pub reference: Option<Arc<ReferenceNetwork>>,
    /// Columns to colour and size genes by.
    pub gene_table: Option<Arc<GeneTable>>,
    /// Sets to test the selection for.
    pub gene_sets: Option<Arc<GeneSets>>,
    /// Other names of genes.
    pub gene_names: Option<Arc<GeneNames>>,
    /// Another network to compare with.
    pub compared: Option<Arc<OpenedNetwork>>,
    /// The network that a training run replaced; also where it is in no file.
    pub before: Option<Arc<OpenedNetwork>>,
}

impl Attached {
    /// Put one away.
    pub(super) fn forget(&mut self, kind: Attachment) {
        match kind {
            Attachment::Reference => self.reference = None,
            Attachment::GeneTable => self.gene_table = None,
            Attachment::GeneSets => self.gene_sets = None,
            Attachment::GeneNames => self.gene_names = None,
            Attachment::Compared => self.compared = None,
            Attachment::Before => self.before = None,
        }
    }
}

/// A network to compare with, as it is at hand.
#[derive(Clone, Debug)]
pub enum Other {
    /// As it was read.
    Network(Arc<OpenedNetwork>),
    /// A reference, which is a network only once it is asked for.
    Reference(Arc<ReferenceNetwork>),
}

impl Other {
    /// The network itself; of a large reference this takes a moment.
    pub fn network(&self) -> Arc<OpenedNetwork> {
        match self {
            Self::Network(network) => network.clone(),
            Self::Reference(reference) => Arc::new(of_reference(reference)),
        }
    }
}

impl PartialEq for Other {
    /// Whether it is the very same.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Network(a), Self::Network(b)) => Arc::ptr_eq(a, b),
            (Self::Reference(a), Self::Reference(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}
