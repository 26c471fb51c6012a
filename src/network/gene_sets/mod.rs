//! Gene sets (pathways, processes, marks) from GMT files, and which of them a selection of genes is rich in.

mod enrichment;

use std::collections::BTreeSet;
use std::path::Path;

use thiserror::Error;

pub use enrichment::{Enriched, Enrichment, enrichment, write_enrichment};

use super::formats::{FormatError, shown, text_of};

/// Named genes that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneSet {
    /// `HALLMARK_INTERFERON_GAMMA_RESPONSE`.
    pub name: String,
    /// Free text, often an address.
    pub description: String,
    /// Symbols, sorted, each once.
    pub genes: Vec<String>,
}

/// The sets of one file, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GeneSets {
    /// Name of the file without its ending.
    pub name: String,
    /// At least one.
    pub sets: Vec<GeneSet>,
}

/// Why a file of gene sets cannot be read. The caller adds its name.
#[derive(Debug, Error)]
pub enum GeneSetError {
    /// It cannot be read at all.
    #[error(transparent)]
    Text(#[from] FormatError),
    /// A line that is no set.
    #[error("line {line}: found {found}, expected a name, a description and genes, separated by tabs (a GMT file)")]
    Line {
        /// From 1.
        line: usize,
        /// What is there.
        found: String,
    },
    /// A name twice.
    #[error("line {line}: the set {name} occurred before; expected each set once")]
    Repeated {
        /// From 1.
        line: usize,
        /// The set.
        name: String,
    },
    /// Nothing in it.
    #[error(
        "the file has no gene set; expected lines of a name, a description and genes, separated by tabs (a GMT file)"
    )]
    Empty,
}

impl GeneSets {
    /// Read the GMT file `path` (gzip or zip too): a set a line, its name, a description and its genes, separated by tabs.
    ///
    /// # Errors
    /// Names the line.
    pub fn read(path: &Path) -> Result<Self, GeneSetError> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = [".gz", ".zip", ".gmt", ".txt"].iter().fold(name.as_str(), |name, end| name.trim_end_matches(end));
        Self::parse(&text_of(path)?, name)
    }

    fn parse(text: &str, name: &str) -> Result<Self, GeneSetError> {
        let mut sets = Vec::new();
        let mut names = BTreeSet::new();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        {
            let mut fields = line.split('\t').map(str::trim);
            let (name, description) = (fields.next().unwrap_or_default(), fields.next());
            let (false, Some(description)) = (name.is_empty(), description) else {
                return Err(GeneSetError::Line { line: at + 1, found: shown(line) });
            };
            if !names.insert(name) {
                return Err(GeneSetError::Repeated { line: at + 1, name: name.to_owned() });
            }
            // Some files give each gene a weight behind a comma: STAT1,1.0.
            let genes = fields.map(|gene| gene.split_once(',').map_or(gene, |(gene, _)| gene));
            let genes: BTreeSet<&str> = genes.filter(|gene| !gene.is_empty()).collect();
            sets.push(GeneSet {
                name: name.to_owned(),
                description: description.to_owned(),
                genes: genes.into_iter().map(str::to_owned).collect(),
            });
        }
        if sets.is_empty() { Err(GeneSetError::Empty) } else { Ok(Self { name: name.to_owned(), sets }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_read_and_mistakes_named() {
        let text = "# comment\nA\thttp://x\tSTAT1\tJAK2\tSTAT1\t\n\nB\t\tMYC,1.0\n";
        let sets = GeneSets::parse(text, "x").unwrap().sets;
        assert_eq!((sets[0].name.as_str(), &sets[0].genes[..]), ("A", &["JAK2".to_owned(), "STAT1".to_owned()][..]));
        assert_eq!((sets[1].description.as_str(), &sets[1].genes[..]), ("", &["MYC".to_owned()][..]));
        let error = |text: &str| GeneSets::parse(text, "x").unwrap_err().to_string();
        assert!(error("A\tx\tB\nno tabs here\n").starts_with("line 2: found \"no tabs here\""));
        assert!(error("A\tx\tB\nA\ty\tC\n").starts_with("line 2: the set A occurred before"));
        assert!(error("\n\n").contains("no gene set"));
    }
}
