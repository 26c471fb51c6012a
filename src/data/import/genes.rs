//! The genes of `var`: symbols, identifiers, duplicates.

use std::collections::HashSet;

use super::Frame;
use crate::data::labels::is_ensembl;
use crate::data::{Choice, Gene, Warning};
use crate::words::{counted, listed};

/// Columns of `var` that hold symbols where the row names do not.
const SYMBOL_COLUMNS: &[&str] = &[
    "gene_name",
    "gene_symbol",
    "gene_symbols",
    "feature_name",
    "symbol",
    "gene_short_name",
    "gene_names",
    "name",
    "gene",
];
/// Columns of `var` that hold Ensembl identifiers.
const ENSEMBL_COLUMNS: &[&str] =
    &["ensembl_id", "gene_id", "gene_ids", "ensembl", "ensembl_gene_id", "feature_id", "id"];
/// The name that the user gives to the row names.
const INDEX: &str = "index";

/// The genes and how they were named.
pub(super) struct ReadGenes {
    pub(super) genes: Vec<Gene>,
    pub(super) choice: Choice,
    pub(super) warnings: Vec<Warning>,
}

/// Name the genes of `var`.
pub(super) fn read_genes<F: Frame>(var: &F, wanted: Option<&str>) -> Result<ReadGenes, F::Error> {
    let path = var.name();
    let row_names = var.row_names()?;
    let rows_are_ids = mostly(&row_names, |name| is_ensembl(without_version(name)));
    let rows_are_numbers = mostly(&row_names, |name| name.parse::<f64>().is_ok());
    let mut alternatives: Vec<String> = SYMBOL_COLUMNS
        .iter()
        .filter_map(|name| var.find(name))
        .filter(|name| var.has_words(name))
        .map(str::to_owned)
        .collect();
    alternatives.dedup();

    let (column, reason) = match wanted {
        Some(INDEX) => (None, "named by you".to_owned()),
        Some(name) => (Some(var.find(name).ok_or_else(|| var.unknown(name))?.to_owned()), "named by you".to_owned()),
        None if rows_are_ids || rows_are_numbers => {
            let kind = if rows_are_ids { "Ensembl identifiers" } else { "numbers" };
            match alternatives.first() {
                Some(column) => (Some(column.clone()), format!("the row names of {path} are {kind}")),
                None => (None, format!("the row names of {path} are {kind}, and no column has symbols")),
            }
        }
        None => (None, format!("the row names of {path} are symbols")),
    };
    let symbols: Vec<Option<String>> = match &column {
        None => row_names.iter().cloned().map(Some).collect(),
        Some(column) => {
            let words = var.words(column)?;
            words.codes.iter().map(|code| code.map(|code| words.levels[code as usize].clone())).collect()
        }
    };
    let mut warnings = Vec::new();
    if column.is_none() && (rows_are_ids || rows_are_numbers) {
        let kind = if rows_are_ids { "Ensembl identifiers" } else { "numbers" };
        warnings.push(Warning { message: format!("the genes have no symbols, only {kind}") });
    }
    let identifiers = identifiers(var, &row_names, rows_are_ids)?;
    let mut genes = Vec::with_capacity(row_names.len());
    for ((symbol, row_name), ensembl) in symbols.into_iter().zip(&row_names).zip(identifiers) {
        let symbol = symbol.map(|symbol| symbol.trim().to_owned()).filter(|symbol| !symbol.is_empty());
        let symbol = symbol.unwrap_or_else(|| row_name.trim().to_owned());
        let plain = without_version(&symbol);
        let symbol = if is_ensembl(plain) { plain.to_owned() } else { symbol };
        genes.push(Gene { symbol, ensembl });
    }
    let renamed = make_unique(&mut genes);
    if !renamed.is_empty() {
        let message = format!(
            "{} of repeated symbols got a number, none was merged: {}",
            counted(renamed.len(), "gene"),
            listed(&renamed, 5)
        );
        warnings.push(Warning { message });
    }
    let chosen = column.clone().unwrap_or_else(|| "row names".to_owned());
    alternatives.retain(|name| Some(name) != column.as_ref());
    if column.is_some() {
        alternatives.push(INDEX.to_owned());
    }
    let choice = Choice { what: "gene names".to_owned(), chosen, reason, alternatives };
    Ok(ReadGenes { genes, choice, warnings })
}

/// Ensembl identifiers without version, from the row names or a column; none where the file has none.
fn identifiers<F: Frame>(var: &F, row_names: &[String], rows_are_ids: bool) -> Result<Vec<Option<String>>, F::Error> {
    let plain = |name: &str| Some(without_version(name)).filter(|id| is_ensembl(id)).map(str::to_owned);
    if rows_are_ids {
        return Ok(row_names.iter().map(|name| plain(name)).collect());
    }
    for name in ENSEMBL_COLUMNS.iter().filter_map(|name| var.find(name)) {
        if !var.has_words(name) {
            continue;
        }
        let words = var.words(name)?;
        if mostly(&words.levels, |level| is_ensembl(without_version(level))) {
            return Ok(words.codes.iter().map(|code| plain(&words.levels[(*code)? as usize])).collect());
        }
    }
    Ok(vec![None; row_names.len()])
}

fn mostly(names: &[String], test: impl Fn(&str) -> bool) -> bool {
    !names.is_empty() && 2 * names.iter().filter(|name| test(name)).count() > names.len()
}

/// `ENSG00000115415` of `ENSG00000115415.9`.
fn without_version(name: &str) -> &str {
    let name = name.trim();
    name.split_once('.').map_or(name, |(id, version)| {
        if is_ensembl(id) && version.bytes().all(|byte| byte.is_ascii_digit()) { id } else { name }
    })
}

/// Give the second and later genes of one symbol `-1`, `-2`, …, as anndata does. Returns the new names.
fn make_unique(genes: &mut [Gene]) -> Vec<String> {
    let all: HashSet<String> = genes.iter().map(|gene| gene.symbol.clone()).collect();
    if all.len() == genes.len() {
        return Vec::new();
    }
    let mut taken = all;
    let mut seen = HashSet::new();
    let mut numbers = std::collections::HashMap::<String, usize>::new();
    let mut renamed = Vec::new();
    for gene in genes {
        if seen.insert(gene.symbol.clone()) {
            continue;
        }
        let number = numbers.entry(gene.symbol.clone()).or_insert(0);
        let unique = loop {
            *number += 1;
            let candidate = format!("{}-{number}", gene.symbol);
            if taken.insert(candidate.clone()) {
                break candidate;
            }
        };
        renamed.push(unique.clone());
        gene.symbol = unique;
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_symbols_are_numbered_without_taking_another_name() {
        let mut genes = ["A", "A", "A-1", "B", "A"].map(Gene::named);
        assert_eq!(make_unique(&mut genes), ["A-2", "A-3"]);
        let symbols: Vec<&str> = genes.iter().map(|gene| gene.symbol.as_str()).collect();
        assert_eq!(symbols, ["A", "A-2", "A-1", "B", "A-3"]);
    }

    #[test]
    fn only_identifiers_lose_their_version() {
        assert_eq!(without_version("ENSG00000115415.9"), "ENSG00000115415");
        assert_eq!(without_version("AC017002.4"), "AC017002.4");
    }
}
