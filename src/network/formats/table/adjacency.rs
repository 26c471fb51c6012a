//! Square matrices of genes against genes: a value that is not 0 is an edge.

use super::Separator;
use super::columns::Columns;
use crate::network::formats::FormatError;
use crate::network::formats::contents::{Builder, NetworkContents, Value};

/// Genes of the largest matrix.
const MOST_GENES: usize = 20_000;
/// Fewer rows without names could be a table of numbered edges.
const FEWEST_NAMELESS: usize = 4;

/// What the rows of an adjacency matrix are; the columns are the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatrixRows {
    /// The value in row i and column j is the edge j → i, as of the matrix of a linear model.
    #[default]
    Targets,
    /// It is the edge i → j, as of a graph.
    Regulators,
}

impl MatrixRows {
    /// For people: `rows are targets, columns regulators`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Targets => "rows are targets, columns regulators",
            Self::Regulators => "rows are regulators, columns targets",
        }
    }
}

/// The network of a square matrix of numbers, whose names are those of its columns, of its rows, of both or of neither; genes without
/// names are called by their numbers from 1. None if `text` is no such matrix.
pub(super) fn read(text: &str, name: &str, rows: MatrixRows) -> Result<Option<NetworkContents>, FormatError> {
    let lines = || text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let Some(first) = lines().next() else { return Ok(None) };
    let separator = Separator::of(first);
    let header = separator.split(first);
    let count = lines().count();
    let is_number = |field: &String| field.parse::<f64>().is_ok_and(f64::is_finite);
    let has_header = !header.iter().all(is_number);
    if has_header && Columns::named(&header).is_some() {
        return Ok(None);
    }
    let size = count - usize::from(has_header);
    let Some(width) = lines().nth(usize::from(has_header)).map(|line| separator.split(line).len()) else {
        return Ok(None);
    };
    let named_rows = has_header && width == size + 1;
    let fits = match (has_header, named_rows) {
        (true, true) => header.len() == size + 1 || header.len() == size,
        (true, false) => width == size && header.len() == size,
        (false, _) => width == size && size >= FEWEST_NAMELESS,
    };
    if !fits || size < 2 {
        return Ok(None);
    }
    let of_columns = &header[header.len().saturating_sub(size)..];
    let mut values: Vec<Vec<f64>> = Vec::new();
    for (at, line) in lines().skip(usize::from(has_header)).enumerate() {
        let fields = separator.split(line);
        let numbers = &fields[usize::from(named_rows)..];
        // Another order of the rows would be another network.
        let own = !named_rows || of_columns[at] == fields[0];
        let row: Option<Vec<f64>> = numbers.iter().map(|field| field.parse().ok()).collect();
        match row.filter(|row| own && row.len() == size && row.iter().all(|value| value.is_finite())) {
            Some(row) => values.push(row),
            None => return Ok(None),
        }
        if size > MOST_GENES {
            return Err(FormatError::TooLarge { most: "a matrix of 20,000 genes" });
        }
    }
    let mut builder = Builder::new(name);
    let nodes: Vec<usize> = (0..size)
        .map(|at| match has_header {
            true => builder.node(&of_columns[at]),
            false => builder.node(&(at + 1).to_string()),
        })
        .collect();
    let flags = values.iter().flatten().all(|value| *value == 0.0 || *value == 1.0);
    for regulator in 0..size {
        for target in 0..size {
            let value = match rows {
                MatrixRows::Targets => values[target][regulator],
                MatrixRows::Regulators => values[regulator][target],
            };
            if value == 0.0 {
                continue;
            }
            let edge = builder.edge(nodes[regulator], nodes[target]);
            if !flags {
                builder.set_edge(edge, "weight", Value::Number(value));
            }
        }
    }
    Ok(Some(builder.finish()))
}
