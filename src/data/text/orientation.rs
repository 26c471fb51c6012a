//! Which axis of a table are the cells.

use std::collections::HashSet;

use super::raw_table::{RawTable, is_fact};
use crate::data::Orientation;
use crate::data::labels::{is_ensembl, looks_like_symbol};
use crate::words::listed;

/// Names looked at on each axis.
const SAMPLE: usize = 2_000;

/// What the table itself tells, and why; none if nothing does.
pub(super) fn by_names(table: &RawTable) -> Option<(Orientation, String)> {
    if let Some((name, _)) = table.facts.iter().find(|(name, values)| is_fact(name) && repeats(values)) {
        return Some((Orientation::CellsInRows, format!("column {name} tells something of cells")));
    }
    if let Some((name, _)) = table.facts.iter().find(|(_, values)| repeats(values)) {
        return Some((Orientation::CellsInRows, format!("column {name} has words that repeat, as labels of cells do")));
    }
    let none = Vec::new();
    let rows = table.rows.as_ref().unwrap_or(&none);
    let columns = table.columns.as_ref().unwrap_or(&none);
    let (row_cells, column_cells) = (share(rows, is_barcode), share(columns, is_barcode));
    if (row_cells - column_cells).abs() > 0.5 {
        let (orientation, names) = if row_cells > column_cells {
            (Orientation::CellsInRows, rows)
        } else {
            (Orientation::GenesInRows, columns)
        };
        return Some((orientation, format!("{} are names of cells", listed(names, 2))));
    }
    let (row_genes, column_genes) = (share(rows, is_gene), share(columns, is_gene));
    if (row_genes - column_genes).abs() > 0.3 {
        let (orientation, names) = if row_genes > column_genes {
            (Orientation::GenesInRows, rows)
        } else {
            (Orientation::CellsInRows, columns)
        };
        return Some((orientation, format!("{} are names of genes", listed(names, 2))));
    }
    let is_number = |name: &str| name.parse::<u64>().is_ok();
    let (row_numbers, column_numbers) =
        (share(rows, is_number) == 1.0 || table.rows.is_none(), share(columns, is_number) == 1.0);
    if row_numbers != column_numbers {
        let orientation = if row_numbers { Orientation::CellsInRows } else { Orientation::GenesInRows };
        let axis = if row_numbers { "rows" } else { "columns" };
        return Some((orientation, format!("the {axis} have numbers, not names, which genes would have")));
    }
    if !table.facts.is_empty() {
        let names: Vec<&str> = table.facts.iter().map(|(name, _)| name.as_str()).collect();
        return Some((Orientation::GenesInRows, format!("{} describes the rows and never repeats", listed(&names, 2))));
    }
    None
}

/// Whether at most half of the values are distinct.
fn repeats(values: &[String]) -> bool {
    let distinct: HashSet<&String> = values.iter().collect();
    values.len() > 2 && 2 * distinct.len() <= values.len()
}

pub(super) fn share(names: &[String], test: impl Fn(&str) -> bool) -> f64 {
    let step = names.len().div_ceil(SAMPLE).max(1);
    let (mut looked, mut passed) = (0usize, 0usize);
    for name in names.iter().step_by(step) {
        looked += 1;
        passed += usize::from(test(name));
    }
    if looked == 0 { 0.0 } else { passed as f64 / looked as f64 }
}

/// `AAACCTGAGAAACCAT-1`, `cell_12`.
pub(super) fn is_barcode(name: &str) -> bool {
    let bases = name.split(|letter: char| !letter.is_ascii_alphabetic());
    let sequence =
        |part: &str| part.len() >= 8 && part.bytes().all(|base| matches!(base, b'A' | b'C' | b'G' | b'T' | b'N'));
    let lower = name.to_lowercase();
    let numbered = ["cell", "barcode"].iter().any(|word| {
        lower.strip_prefix(word).is_some_and(|rest| {
            let rest = rest.trim_start_matches(['_', '-', '.', ' ']);
            rest.starts_with(|letter: char| letter.is_ascii_digit())
        })
    });
    numbered || bases.into_iter().any(sequence)
}

fn is_gene(name: &str) -> bool {
    let id = name.split_once('.').map_or(name, |(id, _)| id);
    !is_barcode(name) && (is_ensembl(id) || looks_like_symbol(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_and_genes_are_known_by_their_names() {
        for name in ["AAACCTGAGAAACCAT-1", "s1_ACGTACGTACGT", "Cell12", "cell-3", "CELL_1"] {
            assert!(is_barcode(name) && !is_gene(name), "{name}");
        }
        for name in ["STAT1", "HLA-A", "ENSG00000115415.9", "Nfkb1", "MT-CO1"] {
            assert!(is_gene(name) && !is_barcode(name), "{name}");
        }
        assert!(!is_gene("control"));
    }
}
