//! Files that lie beside the network: a reference network, a table of genes, gene sets.

use std::sync::Arc;

use crate::document::{FileReference, Sources};
use crate::network::gene_sets::GeneSets;
use crate::network::gene_table::GeneTable;
use crate::network::reference::ReferenceNetwork;

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attachment {
    /// Known regulation.
    Reference,
    /// Columns to colour and size genes by.
    GeneTable,
    /// Sets to test the selection for.
    GeneSets,
}

impl Attachment {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Reference, Self::GeneTable, Self::GeneSets];

    /// `reference network`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Reference => "reference network",
            Self::GeneTable => "table of genes",
            Self::GeneSets => "gene sets",
        }
    }

    /// Kind of files, their endings, and the title of the dialog.
    pub(super) fn dialog(self) -> (&'static str, Vec<&'static str>, &'static str) {
        match self {
            Self::Reference => {
                let endings = vec![
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
                ("Networks", endings, "Reference network")
            }
            Self::GeneTable => ("Tables", vec!["tsv", "csv", "txt", "tab", "gz"], "Table of genes"),
            Self::GeneSets => ("Gene sets", vec!["gmt", "txt", "gz", "zip"], "Gene sets"),
        }
    }

    /// What files of this kind are, for people whose file was another.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Reference => {
                "Choose a table of edges (CollecTRI, TRRUST, DoRothEA, STRING, CORUM, …) or a network file (SIF, GraphML, \
                 GEXF, CX2, DOT, JSON), or another model"
            }
            Self::GeneTable => "Choose a table (TSV or CSV) with names of columns and one gene per row",
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
}

impl Attached {
    /// Put one away.
    pub(super) fn forget(&mut self, kind: Attachment) {
        match kind {
            Attachment::Reference => self.reference = None,
            Attachment::GeneTable => self.gene_table = None,
            Attachment::GeneSets => self.gene_sets = None,
        }
    }
}
