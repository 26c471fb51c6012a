//! A table of the names of genes: symbols, symbols that they had before, synonyms and identifiers.
//!
//! Two layouts are recognised by their columns, and any table with columns of the same names: the complete set of the HUGO
//! Gene Nomenclature Committee (also as a custom download), and NCBI's `gene_info`.

use std::collections::HashMap;
use std::path::Path;

use thiserror::Error;

use super::formats::{FormatError, rows, shown, text_of};

/// What a name is to a gene. A symbol counts before an identifier, that before an earlier symbol, that before a synonym.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameKind {
    /// What it is called.
    Symbol,
    /// Of Ensembl.
    Identifier,
    /// What it was called before.
    Previous,
    /// What it is called too.
    Synonym,
}

/// Names of genes, each of one gene or of several.
#[derive(Clone, Debug, Default)]
pub struct GeneNames {
    file: String,
    layout: &'static str,
    /// Of each gene its names, the symbol first.
    genes: Vec<Vec<(NameKind, String)>>,
    /// By name in capitals.
    by_name: HashMap<String, Meaning>,
}

/// What a name means: the gene to which it is most, and whether it is as much to another.
#[derive(Clone, Copy, Debug)]
struct Meaning {
    kind: NameKind,
    gene: u32,
    several: bool,
}

/// Why a table of names cannot be read. The caller adds the file's name.
#[derive(Debug, Error)]
pub enum GeneNamesError {
    /// It cannot be read at all.
    #[error(transparent)]
    Text(#[from] FormatError),
    /// No column of symbols, or none of other names.
    #[error(
        "found columns {found}, expected one called symbol (or Approved symbol) and one of other names: prev_symbol, \
         alias_symbol, Synonyms, Previous symbols, Alias symbols or ensembl_gene_id"
    )]
    Columns {
        /// What is there.
        found: String,
    },
    /// No row names a gene.
    #[error("the table names no gene")]
    Empty,
}

const SYMBOL: [&str; 5] = ["symbol", "approved symbol", "gene symbol", "marker symbol", "gene"];
const PREVIOUS: [&str; 4] = ["prev symbol", "previous symbols", "previous symbol", "previous names"];
const SYNONYMS: [&str; 7] =
    ["alias symbol", "alias symbols", "synonyms", "aliases", "alias", "synonym", "marker synonyms (pipe-separated)"];
const IDENTIFIERS: [&str; 4] = ["ensembl gene id", "ensembl id(supplied by ensembl)", "ensembl id", "ensembl"];
const CROSS_REFERENCES: &str = "dbxrefs";

/// Positions of the columns.
struct Columns {
    symbol: usize,
    previous: Option<usize>,
    synonyms: Option<usize>,
    identifier: Option<usize>,
    cross_references: Option<usize>,
    layout: &'static str,
}

impl Columns {
    fn of(header: &[String]) -> Option<Self> {
        let plain: Vec<String> = header.iter().map(|name| name.to_lowercase().replace('_', " ")).collect();
        let find = |names: &[&str]| names.iter().find_map(|name| plain.iter().position(|column| column == name));
        let has = |name: &str| plain.iter().any(|column| column == name);
        let columns = Self {
            symbol: find(&SYMBOL)?,
            previous: find(&PREVIOUS),
            synonyms: find(&SYNONYMS),
            identifier: find(&IDENTIFIERS),
            cross_references: find(&[CROSS_REFERENCES]),
            layout: if has("hgnc id") {
                "HGNC"
            } else if has("geneid") && has(CROSS_REFERENCES) {
                "NCBI gene_info"
            } else {
                "table of names"
            },
        };
        let others = [columns.previous, columns.synonyms, columns.identifier, columns.cross_references];
        others.into_iter().any(|column| column.is_some()).then_some(columns)
    }

    /// The names in a row, the symbol first.
    fn names(&self, row: &[String]) -> Vec<(NameKind, String)> {
        let field = |column: Option<usize>| column.and_then(|at| row.get(at)).map_or("", String::as_str);
        // Bars in files of databases, commas in downloads made for people.
        let parts = |text: &str| -> Vec<String> {
            let letter = if text.contains('|') { '|' } else { ',' };
            let parts = text.split(letter).map(|part| part.trim().trim_matches('"').trim());
            parts.filter(|part| !part.is_empty() && *part != "-").map(str::to_owned).collect()
        };
        let cross = parts(field(self.cross_references));
        let ensembl = cross.iter().filter_map(|reference| reference.strip_prefix("Ensembl:")).map(str::to_owned);
        let kinds = [
            (NameKind::Symbol, vec![field(Some(self.symbol)).to_owned()]),
            (NameKind::Identifier, parts(field(self.identifier)).into_iter().chain(ensembl).collect()),
            (NameKind::Previous, parts(field(self.previous))),
            (NameKind::Synonym, parts(field(self.synonyms))),
        ];
        kinds.into_iter().flat_map(|(kind, names)| names.into_iter().map(move |name| (kind, name))).collect()
    }
}

impl GeneNames {
    /// Read the table `path`: tab, comma or semicolon between columns, compressed or not.
    ///
    /// # Errors
    /// If it cannot be read, or is no table of names.
    pub fn read(path: &Path) -> Result<Self, GeneNamesError> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self::parse(&text_of(path)?, &name)
    }

    /// Read `text`, the content of the file `name`.
    ///
    /// # Errors
    /// If it is no table of names.
    pub fn parse(text: &str, name: &str) -> Result<Self, GeneNamesError> {
        let text = text.trim_start_matches('\u{feff}');
        // NCBI writes the names of its columns as a comment.
        let comment = text.lines().take_while(|line| line.starts_with('#')).last();
        let comment = comment.and_then(|line| rows(line.trim_start_matches('#')).next());
        let commented = comment.as_ref().and_then(|(_, fields)| Columns::of(fields));
        let mut rows = rows(text);
        let columns = match commented {
            Some(columns) => columns,
            None => {
                let (_, header) = rows.next().ok_or(GeneNamesError::Empty)?;
                let found = || shown(&header.join(", "));
                Columns::of(&header).ok_or_else(|| GeneNamesError::Columns { found: found() })?
            }
        };
        let mut names = Self { file: name.to_owned(), layout: columns.layout, ..Self::default() };
        // Of several species a symbol may be in several rows: they are taken together.
        let mut row_of: HashMap<String, usize> = HashMap::new();
        for (_, row) in rows {
            let found = columns.names(&row);
            let symbol = found.first().map_or("", |(_, name)| name.as_str());
            if symbol.is_empty() || symbol == "-" || symbol == "NEWENTRY" {
                continue;
            }
            let gene = *row_of.entry(symbol.to_owned()).or_insert_with(|| {
                names.genes.push(Vec::new());
                names.genes.len() - 1
            });
            for (kind, name) in found {
                let known = &mut names.genes[gene];
                if !known.iter().any(|(_, other)| *other == name) {
                    known.push((kind, name));
                }
            }
        }
        if names.genes.is_empty() {
            return Err(GeneNamesError::Empty);
        }
        names.index();
        Ok(names)
    }

    fn index(&mut self) {
        for (gene, known) in self.genes.iter().enumerate() {
            for (kind, name) in known {
                let new = Meaning { kind: *kind, gene: gene as u32, several: false };
                let meaning = self.by_name.entry(name.to_uppercase()).or_insert(new);
                if new.kind < meaning.kind {
                    *meaning = new;
                } else if new.kind == meaning.kind && new.gene != meaning.gene {
                    meaning.several = true;
                }
            }
        }
    }

    /// Name of the file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// What it was recognised as: `HGNC`, `NCBI gene_info` or `table of names`.
    pub fn layout(&self) -> &'static str {
        self.layout
    }

    /// Number of genes.
    pub fn gene_count(&self) -> usize {
        self.genes.len()
    }

    /// Number of names beside the symbols.
    pub fn other_count(&self) -> usize {
        self.genes.iter().map(|names| names.len() - 1).sum()
    }

    /// The gene that `name` means, in capitals or not: the one with this symbol, else the one that alone has this
    /// identifier, had this symbol before, or has this synonym. The number is the same for all its names.
    pub fn gene(&self, name: &str) -> Option<u32> {
        let meaning = self.by_name.get(&name.to_uppercase())?;
        (!meaning.several).then_some(meaning.gene)
    }

    /// All names of the gene that `name` means, the symbol first; none if it means none, or several.
    pub fn names(&self, name: &str) -> &[(NameKind, String)] {
        self.gene(name).map_or(&[], |gene| &self.genes[gene as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines in the layout of the complete set of the HGNC.
    const HGNC: &str = "hgnc_id\tsymbol\tname\tlocus_group\talias_symbol\talias_name\tprev_symbol\tentrez_id\tensembl_gene_id\n\
        HGNC:1\tCFAP251\tcilia and flagella associated protein 251\tprotein-coding gene\t\"MGC33630|CaM-IP4\"\t\tWDR66\t144406\tENSG00000158023\n\
        HGNC:2\tCDKN1A\tcyclin dependent kinase inhibitor 1A\tprotein-coding gene\t\"P21|CIP1|WAF1|CAP20\"\t\tCDKN1\t1026\tENSG00000124762\n\
        HGNC:3\tTCEAL1\ttranscription elongation factor A like 1\tprotein-coding gene\t\"p21|SIIR\"\t\t\t9338\tENSG00000172465\n\
        HGNC:4\tSIIR\tmade up\tprotein-coding gene\t\t\t\t\t\n";

    fn names_of<'a>(names: &'a GeneNames, name: &str) -> Vec<&'a str> {
        names.names(name).iter().map(|(_, name)| name.as_str()).collect()
    }

    #[test]
    fn names_of_the_hgnc_mean_one_gene_or_none() {
        let names = GeneNames::parse(HGNC, "hgnc_complete_set.txt").unwrap();
        assert_eq!((names.layout(), names.gene_count(), names.other_count()), ("HGNC", 4, 13));
        assert_eq!(names_of(&names, "wdr66"), ["CFAP251", "ENSG00000158023", "WDR66", "MGC33630", "CaM-IP4"]);
        assert_eq!(names.names("cip1")[0], (NameKind::Symbol, "CDKN1A".to_owned()));
        assert_eq!(names.gene("P21"), None, "two genes have this synonym");
        assert_eq!(names_of(&names, "SIIR"), ["SIIR"], "a symbol counts before the synonym of another gene");
        assert_eq!(names.gene("ensg00000172465"), names.gene("TCEAL1"));
        assert!(names.names("unknown").is_empty());
    }

    #[test]
    fn names_of_ncbi_and_of_tables_made_for_people_are_read() {
        let ncbi = "#tax_id\tGeneID\tSymbol\tLocusTag\tSynonyms\tdbXrefs\tchromosome\n\
            9606\t1\tA1BG\t-\tA1B|ABG|GAB\tMIM:138670|HGNC:HGNC:5|Ensembl:ENSG00000121410\t19\n\
            9606\t2\tA2M\t-\t-\t-\t12\n10090\t3\tA1BG\t-\tC44\t-\t15\n9606\t4\tNEWENTRY\t-\t-\t-\t-\n";
        let names = GeneNames::parse(ncbi, "gene_info").unwrap();
        assert_eq!((names.layout(), names.gene_count()), ("NCBI gene_info", 2));
        assert_eq!(names_of(&names, "GAB"), ["A1BG", "ENSG00000121410", "A1B", "ABG", "GAB", "C44"]);
        let custom = "HGNC ID\tApproved symbol\tPrevious symbols\tAlias symbols\nHGNC:1\tX1\tOLD1, OLD2\tSY-1\n";
        assert_eq!(names_of(&GeneNames::parse(custom, "x").unwrap(), "OLD2"), ["X1", "OLD1", "OLD2", "SY-1"]);
        let own = "\u{feff}gene,aliases\nSTAT1,\"ISGF-3|STAT91\"\n";
        let names = GeneNames::parse(own, "x").unwrap();
        assert_eq!((names.layout(), names_of(&names, "isgf-3").len()), ("table of names", 3));
    }

    #[test]
    fn what_is_no_table_of_names_is_refused() {
        let columns = GeneNames::parse("gene\tscore\nSTAT1\t2\n", "x").unwrap_err().to_string();
        assert!(columns.contains("found columns \"gene, score\"") && columns.contains("alias_symbol"), "{columns}");
        assert!(matches!(GeneNames::parse("", "x"), Err(GeneNamesError::Empty)));
        assert!(matches!(GeneNames::parse("symbol\tprev_symbol\n\tOLD\n", "x"), Err(GeneNamesError::Empty)));
    }
}
