//! CORUM: a complex a line, its subunits in one field. Every two subunits are linked.

use std::collections::BTreeSet;

use crate::network::formats::FormatError;
use crate::network::formats::contents::{Builder, NetworkContents};

const SUBUNITS: [&str; 3] = ["subunits(gene name)", "subunits_gene_name", "subunits (gene name)"];
/// Pairs kept at most: more are no complexes.
const MOST_PAIRS: usize = 20_000_000;
/// Subunits of the largest complexes (the ribosome has 81).
const MOST_SUBUNITS: usize = 2_000;

fn column(header: &[String]) -> Option<usize> {
    header.iter().position(|name| SUBUNITS.iter().any(|known| name.trim().eq_ignore_ascii_case(known)))
}

pub(super) fn is_header(header: &[String]) -> bool {
    column(header).is_some()
}

pub(super) fn read<'a>(
    header: &[String],
    lines: impl Iterator<Item = (usize, &'a str)>,
    split: impl Fn(&str) -> Vec<String>,
    name: &str,
) -> Result<NetworkContents, FormatError> {
    let column = column(header).unwrap_or_default();
    let mut builder = Builder::new(name);
    builder.contents().undirected = true;
    let mut pairs: BTreeSet<(usize, usize)> = BTreeSet::new();
    for (number, line) in lines {
        let fields = split(line);
        let place = || format!("line {number}");
        let Some(subunits) = fields.get(column) else {
            let found = crate::words::counted(fields.len(), "field");
            return Err(FormatError::unexpected(place(), found, format!("at least {} fields", column + 1)));
        };
        let mut nodes = BTreeSet::new();
        for symbol in subunits.split(';').map(str::trim).filter(|symbol| !symbol.is_empty() && *symbol != "None") {
            nodes.insert(builder.node(symbol));
        }
        if nodes.len() > MOST_SUBUNITS {
            let found = format!("a complex of {} subunits", nodes.len());
            return Err(FormatError::unexpected(place(), found, format!("at most {MOST_SUBUNITS}")));
        }
        for &first in &nodes {
            pairs.extend(nodes.range(first + 1..).map(|&second| (first, second)));
        }
        if pairs.len() > MOST_PAIRS {
            return Err(FormatError::TooLarge { most: "20 million pairs of subunits" });
        }
    }
    for (first, second) in pairs {
        builder.edge(first, second);
    }
    Ok(builder.finish())
}
