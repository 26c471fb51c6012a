//! A list of genes from a file: transcription factors, or the regulators of a reference network.

use std::collections::BTreeSet;

use thiserror::Error;

/// Named genes. They are matched without regard to upper and lower case, so that `Stat1` of a mouse list finds `STAT1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneList {
    name: String,
    /// As the file wrote them; the first way of writing where it has several.
    genes: Vec<String>,
    /// In capitals.
    keys: BTreeSet<String>,
}

/// Why a text is no list of genes.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum GeneListError {
    /// Nothing in it.
    #[error("there is no gene in it; expected one symbol per line, or a table of edges with a column of regulators")]
    Empty,
    /// Prose, or binary.
    #[error("line {line} is {found:?}, which is no gene symbol; expected one symbol per line, or a table of edges")]
    NoSymbol {
        /// Line, from 1.
        line: usize,
        /// The beginning of what is there.
        found: String,
    },
}

/// Names of a column of regulators in tables of edges, in small letters without quotes.
const REGULATORS: [&str; 8] =
    ["regulator", "source_genesymbol", "source", "tf", "gene1", "from", "regulatorgene", "transcription_factor"];
/// Names of other columns: what tells a header.
const HEADERS: [&str; 8] = ["symbol", "gene", "genes", "gene_symbol", "hgnc_symbol", "target", "gene2", "name"];
/// Longest symbol; longer words are no symbols.
const LONGEST: usize = 64;

impl GeneList {
    /// The list `name` of these genes; white space around them, empty ones and repeated ones are left out.
    pub fn new(name: impl Into<String>, genes: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut list = Self { name: name.into(), genes: Vec::new(), keys: BTreeSet::new() };
        for gene in genes {
            let gene = gene.as_ref().trim();
            if !gene.is_empty() && list.keys.insert(gene.to_uppercase()) {
                list.genes.push(gene.to_owned());
            }
        }
        list
    }

    /// Read `text`, the content of the file `name`: one symbol per line, or a table of edges (tabs or commas) of which the
    /// column of regulators is taken. Lines that begin with `#` are passed over.
    pub fn parse(name: impl Into<String>, text: &str) -> Result<Self, GeneListError> {
        let text = text.trim_start_matches('\u{feff}');
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).peekable();
        let Some(&(_, first)) = lines.peek() else { return Err(GeneListError::Empty) };
        let separator = [('\t', first.matches('\t').count()), (',', first.matches(',').count()), (';', 0)];
        let separator = separator.into_iter().find(|(_, count)| *count > 0).map(|(separator, _)| separator);
        let fields = |line: &str| -> Vec<String> {
            let parts: Vec<&str> = match separator {
                Some(separator) => line.split(separator).collect(),
                None => vec![line],
            };
            parts.into_iter().map(|part| part.trim().trim_matches('"').trim().to_owned()).collect()
        };
        let head: Vec<String> = fields(first).iter().map(|field| field.to_lowercase()).collect();
        let column = REGULATORS.iter().find_map(|name| head.iter().position(|field| field == name));
        let is_header = column.is_some() || head.iter().any(|field| HEADERS.contains(&field.as_str()));
        if is_header {
            lines.next();
        }
        let mut genes = Vec::new();
        for (line, content) in lines {
            let field = fields(content).into_iter().nth(column.unwrap_or(0)).unwrap_or_default();
            if field.is_empty() {
                continue;
            }
            let symbol = field.len() <= LONGEST && !field.chars().any(|letter| letter.is_control() || letter == ' ');
            if !symbol {
                let found: String = field.chars().take(24).collect();
                return Err(GeneListError::NoSymbol { line, found });
            }
            genes.push(field);
        }
        let list = Self::new(name, genes);
        if list.genes.is_empty() { Err(GeneListError::Empty) } else { Ok(list) }
    }

    /// Where it comes from: the file's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The genes in the order of the file.
    pub fn genes(&self) -> &[String] {
        &self.genes
    }

    /// Number of genes.
    pub fn len(&self) -> usize {
        self.genes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.genes.is_empty()
    }

    /// Whether `symbol` is in it, in capitals or not.
    pub fn contains(&self, symbol: &str) -> bool {
        self.keys.contains(symbol) || self.keys.contains(symbol.to_uppercase().as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_symbol_per_line_or_the_regulators_of_a_table() {
        let parse = |text: &str| GeneList::parse("x", text).unwrap().genes().to_vec();
        assert_eq!(parse("\u{feff}# human\nSTAT1\r\n\n stat1 \nIRF1\n"), ["STAT1", "IRF1"]);
        assert_eq!(parse("gene\nSTAT1\n"), ["STAT1"]);
        assert_eq!(
            parse("\"source\",\"target\",\"weight\"\n\"MYC\",\"TERT\",1\n\"SPI1\",\"BGLAP\",1\n"),
            ["MYC", "SPI1"]
        );
        assert_eq!(parse("confidence\ttf\ttarget\nA\tADNP\tATF7IP\n"), ["ADNP"]);
        assert_eq!(parse("AATF\tBAX\tRepression\t22909821\nAHR\tARNT\tUnknown\t1\n"), ["AATF", "AHR"]);
        let list = GeneList::parse("x", "Stat1\nHLA-A").unwrap();
        assert!(list.contains("STAT1") && list.contains("stat1") && list.contains("HLA-A") && !list.contains("HLA-B"));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        assert_eq!(GeneList::parse("x", " \n# nothing\n"), Err(GeneListError::Empty));
        assert_eq!(GeneList::parse("x", "gene\n"), Err(GeneListError::Empty));
        let prose = GeneList::parse("x", "STAT1\nthe quick brown fox jumps over\n");
        assert_eq!(prose, Err(GeneListError::NoSymbol { line: 2, found: "the quick brown fox jump".into() }));
    }
}
