//! Genes by name.

use std::collections::HashMap;

/// One measured gene.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gene {
    /// The symbol users know, unique within a data set (`STAT1`).
    pub symbol: String,
    /// The Ensembl identifier without its version suffix, where the file has one (`ENSG00000115415`).
    pub ensembl: Option<String>,
}

impl Gene {
    /// A gene known by its symbol only.
    pub fn named(symbol: impl Into<String>) -> Self {
        Self { symbol: symbol.into(), ensembl: None }
    }
}

/// The measured genes in column order, findable by symbol or Ensembl identifier.
#[derive(Clone, Debug, Default)]
pub struct Genes {
    list: Vec<Gene>,
    by_name: HashMap<String, u32>,
}

impl Genes {
    /// Index `list`. Where a symbol or identifier occurs twice the first column keeps the name; `Dataset::new` refuses
    /// duplicated symbols, so readers make them unique first.
    pub fn new(list: Vec<Gene>) -> Self {
        let mut by_name = HashMap::with_capacity(list.len() * 2);
        for (column, gene) in list.iter().enumerate() {
            if let Some(id) = &gene.ensembl {
                by_name.entry(id.clone()).or_insert(column as u32);
            }
        }
        // Symbols last and overriding: an identifier never shadows a symbol.
        for (column, gene) in list.iter().enumerate().rev() {
            by_name.insert(gene.symbol.clone(), column as u32);
        }
        Self { list, by_name }
    }

    /// Number of genes.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The genes in column order.
    pub fn iter(&self) -> std::slice::Iter<'_, Gene> {
        self.list.iter()
    }

    /// The gene in `column`.
    pub fn get(&self, column: usize) -> &Gene {
        &self.list[column]
    }

    /// The symbol in `column`.
    pub fn symbol(&self, column: usize) -> &str {
        &self.list[column].symbol
    }

    /// All symbols in column order.
    pub fn symbols(&self) -> Vec<String> {
        self.list.iter().map(|gene| gene.symbol.clone()).collect()
    }

    /// The column of the gene with this symbol or Ensembl identifier.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).map(|&column| column as usize)
    }
}

/// The names most like `wanted`, best first: for messages such as "no gene STAT, did you mean STAT1, STAT2?".
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| {
            let lower = name.to_lowercase();
            let prefix = if !wanted.is_empty() && lower.starts_with(&wanted) { 1.0 } else { 0.0 };
            (strsim::jaro_winkler(&wanted, &lower) + prefix, name)
        })
        .filter(|(score, _)| *score > 0.75)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(most).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_wins_over_an_identifier_and_the_first_of_duplicates_is_found() {
        let genes = Genes::new(vec![
            Gene { symbol: "A".into(), ensembl: Some("B".into()) },
            Gene::named("B"),
            Gene::named("B"),
        ]);
        assert_eq!(genes.column("B"), Some(1));
        assert_eq!(genes.column("A"), Some(0));
        assert_eq!(genes.column("C"), None);
    }

    #[test]
    fn nearest_names_put_completions_first_and_drop_strangers() {
        let names = ["JAK2", "STAT2", "STAT1", "TATDN1", "GAPDH"];
        assert_eq!(nearest("stat", names, 2), ["STAT1", "STAT2"]);
        assert!(nearest("zzzz", names, 3).is_empty());
    }
}
