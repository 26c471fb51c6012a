//! Networks as files: tables, SIF, GraphML, GEXF, CX2, DOT and JSON, read and written.
//!
//! [`NetworkContents`] is what all formats have in common: nodes and edges with columns of attributes, positions and colours.
//! Each format turns text into it and it into text; `network` leads between it and a [`Grn`](super::Grn).

mod contents;
mod cx2;
mod dot;
mod edges;
mod error;
mod gexf;
mod graphml;
mod input;
mod json;
mod network;
mod node_link;
mod sif;
mod sniff;
mod table;
mod truth;
mod xml;

use std::path::Path;

pub use contents::{Column, FileEdge, FileNode, NetworkContents, Value, ValueKind};
pub use edges::{EdgeFileError, ExtraColumn, read_edges, write_edges, write_table};
pub use error::FormatError;
pub use network::Reading;
pub use sniff::format_of;
pub use table::{MatrixRows, TableLayout};
pub use truth::true_network;

pub(in crate::network) use error::shown;
pub(in crate::network) use input::text_of;
pub(in crate::network) use table::rows;

use crate::files;
use crate::jobs::Progress;

/// A format of network files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NetworkFormat {
    /// A table of edges.
    Table,
    /// Simple interaction format: regulator, relation, target.
    Sif,
    /// GraphML: attributes, no style.
    GraphMl,
    /// GEXF 1.3, for Gephi: attributes, positions, colours, sizes.
    Gexf,
    /// CX2, for Cytoscape: attributes, positions, style.
    Cx2,
    /// DOT, for Graphviz.
    Dot,
    /// JSON of nodes and links, as networkx has it.
    Json,
}

impl NetworkFormat {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Table, Self::Sif, Self::GraphMl, Self::Gexf, Self::Cx2, Self::Dot, Self::Json];

    /// The ending of its files, without the dot.
    pub fn extension(self) -> &'static str {
        self.endings()[0]
    }

    /// All endings of its files, the one written first.
    pub fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Table => &["tsv", "csv", "txt", "tab"],
            Self::Sif => &["sif"],
            Self::GraphMl => &["graphml"],
            Self::Gexf => &["gexf"],
            Self::Cx2 => &["cx2"],
            Self::Dot => &["dot", "gv"],
            Self::Json => &["json"],
        }
    }

    /// What the user reads: `GEXF (Gephi)`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Table => "TSV (table of edges)",
            Self::Sif => "SIF (edges and signs)",
            Self::GraphMl => "GraphML (attributes)",
            Self::Gexf => "GEXF (Gephi)",
            Self::Cx2 => "CX2 (Cytoscape)",
            Self::Dot => "DOT (Graphviz)",
            Self::Json => "JSON (networkx, D3)",
        }
    }

    /// The format of `path` by its ending; `.gz` and `.zip` behind it do not count.
    ///
    /// # Errors
    /// Names the ending and those that are known.
    pub fn of(path: &Path) -> Result<Self, FormatError> {
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let name = name.trim_end_matches(".gz").trim_end_matches(".zip");
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        Self::ALL.into_iter().find(|format| format.endings().contains(&ending)).ok_or_else(|| {
            let known =
                Self::ALL.iter().map(|format| format!(".{}", format.extension())).collect::<Vec<_>>().join(", ");
            let ending = if ending.is_empty() { "a name without ending".to_owned() } else { format!(".{ending}") };
            FormatError::UnknownEnding { ending, known }
        })
    }
}

/// Read the network in `path`. XML, JSON and DOT are known by their content whatever they are called; of other text the
/// ending tells the format, and without one of a network the content. The layout of a table is told by its columns (none
/// for other formats). Compressed files (gzip, or the first file of a zip archive) are read as they are.
///
/// # Errors
/// Names the line (of JSON the node or edge), what was found and what was expected; the caller adds the file.
pub fn read(path: &Path, progress: &dyn Progress) -> Result<(NetworkContents, Option<TableLayout>), FormatError> {
    read_with(path, MatrixRows::default(), progress)
}

/// As [`read`], where it is known what the rows of an adjacency matrix are.
///
/// # Errors
/// As [`read`].
pub fn read_with(
    path: &Path,
    matrix: MatrixRows,
    progress: &dyn Progress,
) -> Result<(NetworkContents, Option<TableLayout>), FormatError> {
    progress.stage("Reading", None);
    let format = match (format_of(path)?, NetworkFormat::of(path)) {
        (Some(NetworkFormat::Table | NetworkFormat::Sif) | None, Ok(named)) => named,
        (Some(found), _) => found,
        (None, Err(unknown)) => return Err(unknown),
    };
    let text = text_of(path)?;
    progress.check()?;
    progress.stage("Reading edges", None);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.split('.').next().unwrap_or_default();
    let contents = match format {
        NetworkFormat::Table => {
            let (contents, layout) = table::read(&text, name, matrix)?;
            return Ok((contents, Some(layout)));
        }
        NetworkFormat::Sif => sif::read(&text, name)?,
        NetworkFormat::GraphMl => graphml::read(&text, name)?,
        NetworkFormat::Gexf => gexf::read(&text, name)?,
        NetworkFormat::Cx2 => cx2::read(&text, name)?,
        NetworkFormat::Dot => dot::read(&text, name)?,
        NetworkFormat::Json => node_link::read(&text, name)?,
    };
    progress.check()?;
    Ok((contents, None))
}

/// Write `contents` to `path` in `format`; whole or not at all.
///
/// # Errors
/// If the file cannot be written, or a gene's name has no place in the format.
pub fn write(path: &Path, format: NetworkFormat, contents: &NetworkContents) -> Result<(), FormatError> {
    files::write_whole(path, |file| match format {
        NetworkFormat::Table => table::write(contents, file),
        NetworkFormat::Sif => sif::write(contents, file),
        NetworkFormat::GraphMl => graphml::write(contents, file),
        NetworkFormat::Gexf => gexf::write(contents, file),
        NetworkFormat::Cx2 => cx2::write(contents, file),
        NetworkFormat::Dot => dot::write(contents, file),
        NetworkFormat::Json => node_link::write(contents, file),
    })
}

#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;
