//! What the user edits: undoable, and saved in a session.
//!
//! Genes go by symbol, never by position, so that a document outlives the data set and the model it was made with.
//! It holds no data: [`Sources`] says where they are.

mod comparing;
mod figure_page;
mod layout;
mod notes;
mod style;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::data::ImportOptions;
use crate::models::{AskedCells, Intervention, TrainConfig};
pub use crate::network::filter::NetworkFilter;
pub use crate::network::paths::PathQuery;
use crate::training::DeviceChoice;
pub use comparing::{ComparedWith, Comparing, OtherEdges};
pub use figure_page::{COLUMN_WIDTHS, FigurePage, PagePanel};
pub use layout::Layout;
pub use notes::{NoteSubject, Notes};
pub use style::{EdgeAttribute, GeneAttribute, Style};

/// A file and the content it had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReference {
    /// Where it was.
    pub path: PathBuf,
    /// Content hash: [`crate::data::Dataset::hash`] of a data set, BLAKE3 (hex) of a model file.
    pub hash: String,
}

/// Where data set and model are. Not undoable: opening a file starts anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// The data set, if one was opened.
    pub dataset: Option<FileReference>,
    /// How its reading was overruled.
    pub import: ImportOptions,
    /// The model's file, once it was opened or saved.
    pub model: Option<FileReference>,
    /// A network file that was opened instead of data or a model; its hash is the BLAKE3 (hex) of its bytes.
    pub network: Option<FileReference>,
    /// A reference network to compare with; its hash is the BLAKE3 (hex) of its bytes, as that of the next two.
    pub reference: Option<FileReference>,
    /// Another model or network file to lay beside the open network.
    pub compared: Option<FileReference>,
    /// The model that was open before the last training run, if it is in a file.
    pub before: Option<FileReference>,
    /// A table of genes to colour and size by.
    pub gene_table: Option<FileReference>,
    /// Gene sets to test the selection for.
    pub gene_sets: Option<FileReference>,
    /// Other names of genes.
    pub gene_names: Option<FileReference>,
}

/// Everything the user edits.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Where data set and model are; undo leaves it alone.
    pub sources: Sources,
    /// Settings of the next training run.
    pub training: TrainConfig,
    /// Where to train.
    pub device: DeviceChoice,
    /// Which genes and edges are shown.
    pub filter: NetworkFilter,
    /// How the network is laid out.
    pub layout: Layout,
    /// Paths that are looked for and pointed out.
    pub paths: Option<PathQuery>,
    /// Node positions that the user chose or the layout settled on, by symbol; shared, so that undo steps are cheap.
    pub positions: Arc<BTreeMap<String, [f32; 2]>>,
    /// Nodes that the layout must not move.
    pub pinned: BTreeSet<String>,
    /// Selected genes, in the order of selection.
    pub selection: Vec<String>,
    /// Genes to perturb with their dose (1 as in the screen).
    pub knock_out: BTreeMap<String, f32>,
    /// Which cells that is asked about, where some escape.
    pub asked_cells: AskedCells,
    /// What colours, sizes and widths say.
    pub style: Style,
    /// Another network beside the open one.
    pub comparing: Option<Comparing>,
    /// The figure for the paper.
    pub page: FigurePage,
    /// What the user wrote down.
    pub notes: Notes,
}

/// Edges shown at first: as many as can be told apart.
pub const FIRST_EDGES: usize = 60;

impl Default for Document {
    fn default() -> Self {
        Self {
            sources: Sources::default(),
            training: TrainConfig::default(),
            device: DeviceChoice::default(),
            filter: NetworkFilter::top(FIRST_EDGES),
            layout: Layout::default(),
            paths: None,
            positions: Arc::default(),
            pinned: BTreeSet::new(),
            selection: Vec::new(),
            knock_out: BTreeMap::new(),
            asked_cells: AskedCells::default(),
            style: Style::default(),
            comparing: None,
            page: FigurePage::default(),
            notes: Notes::default(),
        }
    }
}

impl Document {
    /// What is asked of the model; none if no gene is perturbed.
    pub fn intervention(&self) -> Option<Intervention> {
        let doses = (!self.knock_out.is_empty()).then(|| self.knock_out.clone())?;
        Some(Intervention::with_doses(doses).among(self.asked_cells))
    }

    /// Whether `gene` is selected.
    pub fn is_selected(&self, gene: &str) -> bool {
        self.selection.iter().any(|selected| selected == gene)
    }

    /// The gene last selected: the one the inspector shows.
    pub fn focus(&self) -> Option<&str> {
        self.selection.last().map(String::as_str)
    }

    /// Select `gene` alone, or add it to (remove it from) the selection if `extend`.
    pub fn select(&mut self, gene: &str, extend: bool) {
        if !extend {
            self.selection = vec![gene.to_owned()];
        } else if self.is_selected(gene) {
            self.selection.retain(|selected| selected != gene);
        } else {
            self.selection.push(gene.to_owned());
        }
    }

    /// Take the places that a layout gave to genes of `other` since; those that the user gave (they are pinned) stay.
    pub fn settle_as(&mut self, other: &Self) {
        let mut positions = other.positions.clone();
        for gene in self.pinned.iter().chain(&other.pinned) {
            let own = self.positions.get(gene);
            if own != positions.get(gene) {
                let positions = Arc::make_mut(&mut positions);
                match own {
                    Some(own) => positions.insert(gene.clone(), *own),
                    None => positions.remove(gene),
                };
            }
        }
        self.positions = positions;
    }

    /// The same edits with the sources of `other`.
    pub fn with_sources_of(mut self, other: &Self) -> Self {
        self.sources = other.sources.clone();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extending_toggles_and_selecting_replaces() {
        let mut document = Document::default();
        document.select("A", false);
        document.select("B", true);
        assert_eq!(document.focus(), Some("B"));
        document.select("A", true);
        assert_eq!(document.selection, ["B"]);
        document.select("C", false);
        assert_eq!(document.selection, ["C"]);
    }

    #[test]
    fn what_the_layout_moved_is_no_difference_what_the_user_moved_is() {
        let place = |places: &[(&str, f32)], pinned: &[&str]| Document {
            positions: Arc::new(places.iter().map(|(gene, x)| ((*gene).to_owned(), [*x, 0.0])).collect()),
            pinned: pinned.iter().map(|gene| (*gene).to_owned()).collect(),
            ..Document::default()
        };
        let mut saved = place(&[("A", 1.0), ("B", 2.0)], &["B"]);
        saved.settle_as(&place(&[("A", 1.5), ("B", 2.0), ("C", 3.0)], &["B"]));
        assert_eq!(saved, place(&[("A", 1.5), ("B", 2.0), ("C", 3.0)], &["B"]));
        let moved = place(&[("A", 4.0), ("B", 5.0)], &["A", "B"]);
        let mut saved = place(&[("A", 1.0), ("B", 2.0)], &["B"]);
        saved.settle_as(&moved);
        assert_eq!(saved, place(&[("A", 1.0), ("B", 2.0)], &["B"]));
    }
}
