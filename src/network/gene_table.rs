//! A user's own table of genes: a column of symbols, and columns to colour and size genes by.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use thiserror::Error;

use super::Grn;
use super::formats::{Column, FormatError, NetworkContents, Value, ValueKind, rows, shown, text_of};

/// Numbers and words about genes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GeneTable {
    name: String,
    by_symbol: HashMap<String, usize>,
    columns: Vec<Column>,
    repeated: usize,
}

/// Why a table of genes cannot be read. The caller adds the file's name.
#[derive(Debug, Error)]
pub enum GeneTableError {
    /// It cannot be read at all.
    #[error(transparent)]
    Text(#[from] FormatError),
    /// It has no names of columns, or only one column.
    #[error(
        "line {line}: found {found}, expected the names of at least two columns, the first (or one called gene or symbol) with genes"
    )]
    Header {
        /// From 1.
        line: usize,
        /// What is there.
        found: String,
    },
    /// A row without gene.
    #[error("line {line}: there is no gene in column {column}")]
    NoGene {
        /// From 1.
        line: usize,
        /// Name of the column.
        column: String,
    },
    /// No rows.
    #[error("the table has no rows")]
    Empty,
}

/// Names of the column with genes; without one of them it is the first.
const GENES: [&str; 8] = ["gene", "symbol", "gene_symbol", "gene_name", "genes", "hgnc_symbol", "name", "id"];

/// What a column holds, by gene of a network.
#[derive(Clone, Debug, PartialEq)]
pub enum GeneColumn {
    /// A number per gene, not finite for none.
    Numbers(Vec<f32>),
    /// A group per gene, and the names of the groups, the most common first.
    Groups(Vec<Option<u32>>, Vec<String>),
}

impl GeneTable {
    /// Read the table `path`: tab, comma or semicolon between columns, compressed or not.
    ///
    /// # Errors
    /// Names the line.
    pub fn read(path: &Path) -> Result<Self, GeneTableError> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self::parse(&text_of(path)?, &name)
    }

    fn parse(text: &str, name: &str) -> Result<Self, GeneTableError> {
        let mut rows = rows(text);
        let (line, header) = rows.next().ok_or(GeneTableError::Empty)?;
        if header.len() < 2 {
            return Err(GeneTableError::Header { line, found: shown(&header.join(" ")) });
        }
        let known = |name: &&str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
        let genes = GENES.iter().find_map(known).unwrap_or(0);
        let mut table = Self { name: name.to_owned(), ..Self::default() };
        let mut columns: Vec<Column> = header
            .iter()
            .enumerate()
            .map(|(at, name)| {
                let name = if name.is_empty() { format!("column {}", at + 1) } else { name.clone() };
                Column { name, values: Vec::new() }
            })
            .collect();
        for (line, fields) in rows {
            let gene = fields.get(genes).filter(|gene| !gene.is_empty());
            let gene = gene.ok_or_else(|| GeneTableError::NoGene { line, column: columns[genes].name.clone() })?;
            let row = table.by_symbol.len();
            if table.by_symbol.contains_key(gene) {
                table.repeated += 1;
                continue;
            }
            table.by_symbol.insert(gene.clone(), row);
            for (at, column) in columns.iter_mut().enumerate() {
                column.values.push(fields.get(at).map(|field| Value::Text(field.clone())));
            }
        }
        if table.by_symbol.is_empty() {
            return Err(GeneTableError::Empty);
        }
        columns.remove(genes);
        columns.iter_mut().for_each(Column::infer);
        table.columns = columns;
        Ok(table)
    }

    /// The attributes of genes that a network file carries; none if it carries none.
    pub fn of_nodes(contents: &NetworkContents) -> Option<Self> {
        let filled = |column: &&Column| column.values.iter().any(Option::is_some);
        let columns: Vec<Column> = contents.node_columns.iter().filter(filled).cloned().collect();
        let by_symbol = contents.nodes.iter().enumerate().map(|(at, node)| (node.symbol.clone(), at)).collect();
        let table = Self { name: contents.name.clone(), by_symbol, columns, repeated: 0 };
        (!table.columns.is_empty()).then_some(table)
    }

    /// Name of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of genes.
    pub fn gene_count(&self) -> usize {
        self.by_symbol.len()
    }

    /// Rows about a gene that an earlier row was about; the first counts.
    pub fn repeated(&self) -> usize {
        self.repeated
    }

    /// Names of the columns beside the genes.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// How many genes of `grn` are in the table.
    pub fn found_in(&self, grn: &Grn) -> usize {
        grn.genes().iter().filter(|gene| self.by_symbol.contains_key(&gene.symbol)).count()
    }

    /// The column `name`, by the position of genes in `grn`. Numbers stay numbers; words, and yes and no, become groups.
    pub fn column(&self, name: &str, grn: &Grn) -> Option<GeneColumn> {
        let column = self.columns.iter().find(|column| column.name == name)?;
        let value = |symbol: &str| self.by_symbol.get(symbol).and_then(|row| column.values[*row].as_ref());
        let of_gene = grn.genes().iter().map(|gene| value(&gene.symbol));
        if matches!(column.kind(), ValueKind::Number | ValueKind::Integer) {
            let number =
                |value: Option<&Value>| value.and_then(Value::as_number).map_or(f32::NAN, |number| number as f32);
            return Some(GeneColumn::Numbers(of_gene.map(number).collect()));
        }
        let words: Vec<Option<String>> = of_gene.map(|value| value.map(Value::to_text)).collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        words.iter().flatten().for_each(|word| *counts.entry(word).or_default() += 1);
        let mut names: Vec<&str> = counts.keys().copied().collect();
        names.sort_by_key(|name| (std::cmp::Reverse(counts[name]), *name));
        let number: HashMap<&str, u32> = names.iter().enumerate().map(|(at, name)| (*name, at as u32)).collect();
        let groups = words.iter().map(|word| word.as_deref().map(|word| number[word])).collect();
        Some(GeneColumn::Groups(groups, names.iter().map(|name| (*name).to_owned()).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::fixtures;

    #[test]
    fn numbers_and_groups_are_told_apart() {
        let text = "symbol,score,class\nA,0.5,kinase\nB,-1,tf\nC,,tf\nA,9,x\n";
        let table = GeneTable::parse(text, "mine.csv").unwrap();
        assert_eq!((table.gene_count(), table.repeated()), (3, 1));
        assert_eq!(table.columns().collect::<Vec<_>>(), ["score", "class"]);
        let grn = Grn::new(fixtures::genes(["C", "B", "X", "A"]), Vec::new()).unwrap();
        assert_eq!(table.found_in(&grn), 3);
        let Some(GeneColumn::Numbers(scores)) = table.column("score", &grn) else { panic!("numbers") };
        assert!(scores[0].is_nan() && scores[1] == -1.0 && scores[2].is_nan() && scores[3] == 0.5);
        let groups = GeneColumn::Groups(vec![Some(0), Some(0), None, Some(1)], vec!["tf".into(), "kinase".into()]);
        assert_eq!(table.column("class", &grn), Some(groups));
        assert_eq!(table.column("none", &grn), None);
    }

    #[test]
    fn what_is_no_table_is_named() {
        let error = |text: &str| GeneTable::parse(text, "x").unwrap_err().to_string();
        assert!(error("genes\nA\nB\n").starts_with("line 1: found \"genes\""));
        assert_eq!(error("value\tgene\n1\tA\n2\t\n"), "line 3: there is no gene in column gene");
        assert_eq!(error(""), "the table has no rows");
        assert_eq!(error("gene\tx\n"), "the table has no rows");
    }
}
