//! Tables of edges, whatever their columns are called: our own, those of published reference networks, or two plain columns.

mod adjacency;
mod columns;
mod complexes;

use std::io::Write;

use super::FormatError;
use super::contents::{Builder, NetworkContents, Value, sign_of_word};
use super::error::shown;
use crate::network::Sign;
use columns::{Columns, Sense};

pub use adjacency::MatrixRows;

/// What a table was recognised as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableLayout {
    /// `regulator`, `target`, `probability`, …: what this program writes.
    Edges,
    /// `source`, `target`, `weight`, as decoupler gives CollecTRI.
    CollecTri,
    /// `Gene1`, `Gene2`, `Mode_of_Regulation`, with or without the line of names.
    Trrust,
    /// `tf`, `confidence`, `target`, `mor`.
    Dorothea,
    /// `protein1`, `protein2`, `combined_score`, undirected.
    String,
    /// Complexes with their subunits; every two of a complex are linked, undirected.
    Corum,
    /// `source_genesymbol`, `target_genesymbol`, `is_stimulation`, `is_inhibition`.
    OmniPath,
    /// Other names of the same meaning.
    Named,
    /// Two or more columns without names.
    Plain,
    /// A square matrix, a gene's row against a gene's column.
    Matrix,
}

impl TableLayout {
    /// In words: `CollecTRI table`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Edges => "table of edges",
            Self::CollecTri => "CollecTRI table",
            Self::Trrust => "TRRUST table",
            Self::Dorothea => "DoRothEA table",
            Self::String => "STRING table",
            Self::Corum => "CORUM table",
            Self::OmniPath => "OmniPath table",
            Self::Named => "table with named columns",
            Self::Plain => "table without column names",
            Self::Matrix => "adjacency matrix",
        }
    }
}

/// Splits lines into fields.
#[derive(Clone, Copy)]
enum Separator {
    Letter(char),
    Blanks,
}

impl Separator {
    fn of(line: &str) -> Self {
        let fields = |letter: char| split_quoted(line, letter).len();
        let best =
            ['\t', ',', ';'].into_iter().filter(|letter| fields(*letter) > 1).max_by_key(|letter| fields(*letter));
        if line.contains('\t') { Self::Letter('\t') } else { best.map_or(Self::Blanks, Self::Letter) }
    }

    fn split(self, line: &str) -> Vec<String> {
        match self {
            Self::Letter(letter) => split_quoted(line, letter),
            Self::Blanks => line.split_whitespace().map(str::to_owned).collect(),
        }
    }
}

/// The fields of a line, without blanks around them and without their quotes; a doubled quote within is one. A quote that
/// is never closed is a letter like others.
fn split_quoted(line: &str, separator: char) -> Vec<String> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let start = rest.trim_start_matches(' ');
        if let Some(quoted) = start.strip_prefix('"')
            && let Some((field, after)) = closed(quoted, separator)
        {
            fields.push(field.trim().to_owned());
            match after {
                Some(after) => rest = after,
                None => return fields,
            }
            continue;
        }
        match rest.split_once(separator) {
            Some((field, after)) => {
                fields.push(field.trim().to_owned());
                rest = after;
            }
            None => {
                fields.push(rest.trim().to_owned());
                return fields;
            }
        }
    }
}

/// The field up to its closing quote, and what follows the separator behind it.
fn closed(text: &str, separator: char) -> Option<(String, Option<&str>)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        field.push_str(before);
        if let Some(more) = after.strip_prefix('"') {
            field.push('"');
            rest = more;
            continue;
        }
        return match after.split_once(separator) {
            Some((between, after)) if between.trim().is_empty() => Some((field, Some(after))),
            None if after.trim().is_empty() => Some((field, None)),
            _ => None,
        };
    }
}

/// The filled lines of `text` as fields with their numbers (from 1); comments are passed over.
pub(in crate::network) fn rows(text: &str) -> impl Iterator<Item = (usize, Vec<String>)> + '_ {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let mut separator = None;
    lines.map(move |(at, line)| (at + 1, separator.get_or_insert_with(|| Separator::of(line)).split(line)))
}

/// Whether the first lines of a text are those of a table of edges: its columns are named so and hold names, or, without
/// names of columns, the first two hold names and the third says how.
pub(super) fn looks_like_edges(lines: &[&str]) -> bool {
    let mut filled = lines.iter().filter(|line| !line.trim().is_empty());
    let is_name = |text: Option<&String>| text.is_some_and(|text| !text.is_empty() && text.parse::<f64>().is_err());
    while let Some(line) = filled.next() {
        let bare = line.trim_start_matches('#').trim_start();
        let separator = Separator::of(bare);
        let fields = separator.split(bare);
        if let Some(columns) = Columns::named(&fields) {
            let mut rows = filled.filter(|line| !line.starts_with('#')).take(20).map(|line| separator.split(line));
            let mut any = false;
            let all = rows.all(|row| {
                any = true;
                is_name(row.get(columns.source)) && is_name(row.get(columns.target))
            });
            return any && all;
        }
        if complexes::is_header(&fields) {
            return true;
        }
        if !line.starts_with('#') {
            // Blanks part words too; with them, only SIF is told from prose.
            let parted = !matches!(separator, Separator::Blanks);
            let mut rows = std::iter::once(line)
                .chain(filled.filter(|line| !line.starts_with('#')))
                .take(20)
                .map(|line| separator.split(line));
            return parted
                && (3..=4).contains(&fields.len())
                && rows.all(|row| {
                    let says = row.get(2).is_some_and(|third| {
                        !third.is_empty() && (third.parse::<f64>().is_ok() || sign_of_word(third).is_some())
                    });
                    row.len() == fields.len() && is_name(row.first()) && is_name(row.get(1)) && says
                });
        }
    }
    false
}

/// Read `text` as a table of edges, or as a matrix with `matrix` in its rows.
pub(super) fn read(text: &str, name: &str, matrix: MatrixRows) -> Result<(NetworkContents, TableLayout), FormatError> {
    if let Some(contents) = adjacency::read(text, name, matrix)? {
        return Ok((contents, TableLayout::Matrix));
    }
    let is_filled = |line: &&str| !line.trim().is_empty();
    // Names may stand behind a hash; other lines with a hash are comments.
    let mut lines = text.lines().enumerate().filter(|(_, line)| is_filled(line)).peekable();
    let mut header = None;
    while let Some((number, line)) = lines.peek().copied() {
        let bare = line.trim_start_matches('#').trim_start();
        let separator = Separator::of(bare);
        let fields = separator.split(bare);
        if let Some(columns) = Columns::named(&fields) {
            header = Some((separator, columns));
            lines.next();
            break;
        }
        if complexes::is_header(&fields) {
            lines.next();
            let rest = lines.map(|(number, line)| (number + 1, line));
            return complexes::read(&fields, rest, |line| separator.split(line), name)
                .map(|read| (read, TableLayout::Corum));
        }
        if !line.starts_with('#') {
            // Prose has blanks too, and more than three words a line.
            let prose = matches!(separator, Separator::Blanks) && fields.len() > 3;
            let columns = if prose { None } else { Columns::plain(&fields) };
            header = Some((separator, columns.ok_or_else(|| {
                let expected = "a table of edges: at least two columns, the regulator first, or named columns such as \
                                regulator and target";
                FormatError::unexpected(format!("line {}", number + 1), shown(line), expected)
            })?));
            break;
        }
        lines.next();
    }
    let Some((separator, mut columns)) = header else {
        return Err(FormatError::unexpected("line 1", "nothing", "a table of edges"));
    };
    // Split again for each look: tables may have many millions of lines.
    let lines = lines.filter(|(_, line)| !line.starts_with('#'));
    columns.settle(|| lines.clone().map(|(_, line)| separator.split(line)));
    let mut builder = Builder::new(name);
    builder.contents().undirected = columns.undirected;
    for (number, line) in lines {
        edge(&mut builder, &columns, &separator.split(line), number + 1)?;
    }
    Ok((builder.finish_inferred(), columns.layout))
}

fn edge(builder: &mut Builder, columns: &Columns, fields: &[String], line: usize) -> Result<(), FormatError> {
    let field = |at: usize| fields.get(at).map_or("", String::as_str);
    let wrong = |name: &str, found: &str, expected: &str| {
        let found = format!("{} as {name}", shown(found));
        Err(FormatError::unexpected(format!("line {line}"), found, expected))
    };
    let (regulator, target) = (field(columns.source), field(columns.target));
    for (name, symbol) in [("regulator", regulator), ("target", target)] {
        if symbol.is_empty() {
            return wrong(name, symbol, "a gene symbol");
        }
    }
    // STRING puts the organism before the protein: 9606.ENSP00000000233.
    let symbol = |text: &str| match text.split_once('.') {
        Some((organism, rest)) if columns.layout == TableLayout::String && organism.parse::<u32>().is_ok() => {
            rest.to_owned()
        }
        _ => text.to_owned(),
    };
    let (from, to) = (builder.node(&symbol(regulator)), builder.node(&symbol(target)));
    let absent = |column: &columns::Other| column.sense == Sense::Present && field(column.at).starts_with('0');
    if columns.others.iter().any(absent) {
        return Ok(());
    }
    let edge = builder.edge(from, to);
    let mut stated = None;
    for column in &columns.others {
        let text = field(column.at);
        match column.sense {
            Sense::Sign => match sign_of_word(text) {
                Some(sign) => stated = Some(sign),
                None => {
                    return wrong(&column.name, text, "a sign: + or -, 1 or -1, activation or repression, or nothing");
                }
            },
            Sense::Stimulates | Sense::Inhibits => {
                let yes = matches!(text, "1" | "True" | "true" | "TRUE");
                let says = if column.sense == Sense::Stimulates { Sign::Activates } else { Sign::Represses };
                stated = match (yes, stated) {
                    (false, stated) => stated.or(Some(Sign::Unknown)),
                    (true, None | Some(Sign::Unknown)) => Some(says),
                    // Both: it depends.
                    (true, Some(_)) => Some(Sign::Unknown),
                };
            }
            Sense::Present => {}
            Sense::Number if text.is_empty() => {}
            Sense::Number => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => builder.set_edge(edge, &column.name, Value::Number(number)),
                _ => return wrong(&column.name, text, "a number or nothing"),
            },
            Sense::Text if text.is_empty() => {}
            Sense::Text => builder.set_edge(edge, &column.name, Value::Text(text.to_owned())),
        }
    }
    if let Some(sign) = stated {
        builder.set_edge(edge, "sign", Value::Text(sign.symbol().to_owned()));
    }
    Ok(())
}

/// Write the edges with their attributes, tab-separated.
pub(super) fn write(contents: &NetworkContents, out: &mut dyn Write) -> Result<(), FormatError> {
    let mut table = csv::WriterBuilder::new().delimiter(b'\t').from_writer(out);
    let failed = |error: csv::Error| FormatError::Io(error.into());
    let names = contents.edge_columns.iter().map(|column| column.name.as_str());
    table.write_record(["regulator", "target"].into_iter().chain(names)).map_err(failed)?;
    for (row, edge) in contents.edges.iter().enumerate() {
        let symbol = |node: usize| contents.nodes[node].symbol.clone();
        let value = |column: &super::Column| column.values[row].as_ref().map(Value::to_text).unwrap_or_default();
        let values = contents.edge_columns.iter().map(value);
        table.write_record([symbol(edge.from), symbol(edge.to)].into_iter().chain(values)).map_err(failed)?;
    }
    table.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests;
