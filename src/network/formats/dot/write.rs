//! A network in DOT, drawn at its positions by `neato -n`.

use std::io::Write;

use crate::network::Sign;
use crate::network::formats::FormatError;
use crate::network::formats::contents::{Column, NetworkContents, Value};

pub(in crate::network::formats) fn write(contents: &NetworkContents, out: &mut dyn Write) -> Result<(), FormatError> {
    let (kind, arrow) = if contents.undirected { ("graph", "--") } else { ("digraph", "->") };
    writeln!(out, "{kind} {} {{", quoted(&contents.name))?;
    writeln!(out, r##"  node [shape=ellipse, style=filled, fillcolor="#D5DCE6", fontname="Helvetica", fontsize=8];"##)?;
    for (row, node) in contents.nodes.iter().enumerate() {
        let mut attributes = listed(&contents.node_columns, row);
        if let Some([x, y]) = node.position {
            attributes.push(format!("pos=\"{x},{}!\"", 0.0 - y));
        }
        if let Some(fill) = node.fill {
            attributes.push(format!("fillcolor={}", colour(fill)));
        }
        if let Some(size) = node.size {
            let inches = size / 72.0;
            attributes.push(format!("fixedsize=true, width={inches}, height={inches}"));
        }
        writeln!(out, "  {} [{}];", quoted(&node.symbol), attributes.join(", "))?;
    }
    let signs = contents.signs();
    for (row, edge) in contents.edges.iter().enumerate() {
        let mut attributes = listed(&contents.edge_columns, row);
        let head = match signs[row] {
            Sign::Activates => "normal",
            Sign::Represses => "tee",
            Sign::Unknown => "none",
        };
        attributes.push(format!("arrowhead={head}"));
        if let Some(own) = edge.colour {
            attributes.push(format!("color={}", colour(own)));
        }
        if let Some(width) = edge.width {
            attributes.push(format!("penwidth={width}"));
        }
        let symbol = |node: usize| quoted(&contents.nodes[node].symbol);
        writeln!(out, "  {} {arrow} {} [{}];", symbol(edge.from), symbol(edge.to), attributes.join(", "))?;
    }
    writeln!(out, "}}")?;
    Ok(())
}

fn listed(columns: &[Column], row: usize) -> Vec<String> {
    let attribute = |column: &Column| {
        let value = column.values[row].as_ref()?;
        let value = match value {
            Value::Text(text) => quoted(text),
            // A point, so that it is read as a number that may have a fraction.
            Value::Number(number) if number.fract() == 0.0 => format!("{number:.1}"),
            value => quoted_if_needed(&value.to_text()),
        };
        Some(format!("{}={value}", quoted_if_needed(&column.name)))
    };
    columns.iter().filter_map(attribute).collect()
}

fn quoted_if_needed(text: &str) -> String {
    let numeral = text.parse::<f64>().is_ok() && !text.contains(['e', 'E', '+']);
    let name = text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && !["node", "edge", "graph", "digraph", "subgraph", "strict"]
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word));
    if numeral || name { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn colour([red, green, blue]: [u8; 3]) -> String {
    format!("\"#{red:02x}{green:02x}{blue:02x}\"")
}
