//! GraphML (Brandes and others 2002): keys declare attributes with types, data elements give their values.

use std::collections::HashMap;
use std::io::Write;

use roxmltree::Node;

use super::FormatError;
use super::contents::{Builder, Column, NetworkContents, Value, ValueKind};
use super::error::shown;
use super::xml::{escaped, need, place, tree};

const FORMAT: &str = "GraphML";
const NAMESPACE: &str = "http://graphml.graphdrawing.org/xmlns";

/// A declared attribute.
struct Key<'a> {
    name: &'a str,
    kind: ValueKind,
    for_nodes: bool,
    for_edges: bool,
    default: Option<Value>,
}

pub(super) fn read(text: &str, name: &str) -> Result<NetworkContents, FormatError> {
    let tree = tree(text, FORMAT)?;
    let root = tree.root_element();
    if root.tag_name().name() != "graphml" {
        let reason = format!("it begins with <{}>, not <graphml>", root.tag_name().name());
        return Err(FormatError::Syntax { format: FORMAT, reason });
    }
    let mut keys: Vec<Key<'_>> = Vec::new();
    let mut by_id: HashMap<&str, usize> = HashMap::new();
    for key in root.children().filter(|node| node.has_tag_name_local("key")) {
        // Drawing programs keep figures in keys without a name; they are no attributes.
        let (id, Some(name)) = (need(key, "id")?, key.attribute("attr.name")) else { continue };
        let kind = kind_of(key.attribute("attr.type").unwrap_or("string"));
        let scope = key.attribute("for").unwrap_or("all");
        let default = key.children().find(|node| node.has_tag_name_local("default"));
        let default = default.map(|node| value(node, kind, name)).transpose()?.flatten();
        by_id.insert(id, keys.len());
        let (for_nodes, for_edges) = (matches!(scope, "node" | "all"), matches!(scope, "edge" | "all"));
        keys.push(Key { name, kind, for_nodes, for_edges, default });
    }
    let Some(graph) = root.children().find(|node| node.has_tag_name_local("graph")) else {
        return Err(FormatError::Syntax { format: FORMAT, reason: "it has no <graph>".to_owned() });
    };
    let mut builder = Builder::new(graph.attribute("id").filter(|id| !id.is_empty() && *id != "G").unwrap_or(name));
    builder.contents().undirected = graph.attribute("edgedefault") == Some("undirected");
    let data = |element: Node<'_, '_>, set: &mut dyn FnMut(&str, Value)| -> Result<(), FormatError> {
        for data in element.children().filter(|node| node.has_tag_name_local("data")) {
            let key = need(data, "key")?;
            let Some(key) = by_id.get(key).map(|at| &keys[*at]) else { continue };
            if let Some(value) = value(data, key.kind, key.name)? {
                set(key.name, value);
            }
        }
        Ok(())
    };
    for element in graph.descendants().filter(|node| node.has_tag_name_local("node")) {
        let id = need(element, "id")?;
        if builder.find(id).is_some() {
            return Err(FormatError::unexpected(place(element), format!("node {} again", shown(id)), "each node once"));
        }
        let node = builder.node(id);
        for key in keys.iter().filter(|key| key.for_nodes) {
            key.default.iter().for_each(|value| builder.set_node(node, key.name, value.clone()));
        }
        data(element, &mut |name, value| builder.set_node(node, name, value))?;
    }
    for element in graph.descendants().filter(|node| node.has_tag_name_local("edge")) {
        let end = |name| {
            let id = need(element, name)?;
            let missing = || format!("an edge at {}, which is no node", shown(id));
            builder.find(id).ok_or_else(|| FormatError::unexpected(place(element), missing(), "a node of the file"))
        };
        let (from, to) = (end("source")?, end("target")?);
        let edge = builder.edge(from, to);
        for key in keys.iter().filter(|key| key.for_edges) {
            key.default.iter().for_each(|value| builder.set_edge(edge, key.name, value.clone()));
        }
        data(element, &mut |name, value| builder.set_edge(edge, name, value))?;
    }
    let mut contents = builder.finish();
    contents.place_nodes();
    contents.name_nodes();
    Ok(contents)
}

/// Names without regard to their namespace: files in the wild have none, an old one or a wrong one.
trait Named {
    fn has_tag_name_local(&self, name: &str) -> bool;
}

impl Named for Node<'_, '_> {
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

fn kind_of(name: &str) -> ValueKind {
    match name {
        "boolean" => ValueKind::Flag,
        "int" | "integer" | "long" => ValueKind::Integer,
        "float" | "double" => ValueKind::Number,
        _ => ValueKind::Text,
    }
}

/// The value in `element`; none if it is empty or no finite number.
fn value(element: Node<'_, '_>, kind: ValueKind, name: &str) -> Result<Option<Value>, FormatError> {
    let text = element.text().unwrap_or_default();
    let wrong = |expected| {
        let found = format!("{} as {name}", shown(text));
        Err(FormatError::unexpected(place(element), found, expected))
    };
    let trimmed = text.trim();
    Ok(match kind {
        ValueKind::Text => Some(Value::Text(text.to_owned())),
        _ if trimmed.is_empty() => None,
        ValueKind::Flag => match trimmed {
            "true" | "True" | "1" => Some(Value::Flag(true)),
            "false" | "False" | "0" => Some(Value::Flag(false)),
            _ => return wrong("true or false"),
        },
        ValueKind::Integer => match trimmed.parse() {
            Ok(number) => Some(Value::Integer(number)),
            Err(_) => return wrong("a whole number"),
        },
        ValueKind::Number => match trimmed.parse::<f64>() {
            Ok(number) => number.is_finite().then_some(Value::Number(number)),
            Err(_) if matches!(trimmed, "INF" | "-INF") => None,
            Err(_) => return wrong("a number"),
        },
    })
}

pub(super) fn write(contents: &NetworkContents, out: &mut dyn Write) -> Result<(), FormatError> {
    let placed = contents.nodes.iter().any(|node| node.position.is_some());
    let axis = |axis: usize, name: &str| {
        let values = contents.nodes.iter().map(|node| node.position.map(|position| position[axis]));
        Column::singles(name, values)
    };
    let position = if placed { vec![axis(0, "x"), axis(1, "y")] } else { Vec::new() };
    let node_columns: Vec<&Column> = contents.node_columns.iter().chain(&position).collect();
    let edge_columns: Vec<&Column> = contents.edge_columns.iter().collect();

    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(
        out,
        r#"<graphml xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="{NAMESPACE} {NAMESPACE}/1.0/graphml.xsd">"#
    )?;
    for (scope, letter, columns) in [("node", 'n', &node_columns), ("edge", 'e', &edge_columns)] {
        for (at, column) in columns.iter().enumerate() {
            let kind = match column.kind() {
                ValueKind::Text => "string",
                ValueKind::Number => "double",
                ValueKind::Integer => "long",
                ValueKind::Flag => "boolean",
            };
            let name = escaped(&column.name);
            writeln!(out, r#"  <key id="{letter}{at}" for="{scope}" attr.name="{name}" attr.type="{kind}"/>"#)?;
        }
    }
    let direction = if contents.undirected { "undirected" } else { "directed" };
    writeln!(out, r#"  <graph id="{}" edgedefault="{direction}">"#, escaped(&contents.name))?;
    let data = |out: &mut dyn Write, letter: char, columns: &[&Column], row: usize| -> Result<(), FormatError> {
        for (at, column) in columns.iter().enumerate() {
            if let Some(value) = &column.values[row] {
                writeln!(out, r#"      <data key="{letter}{at}">{}</data>"#, escaped(&value.to_text()))?;
            }
        }
        Ok(())
    };
    for (row, node) in contents.nodes.iter().enumerate() {
        writeln!(out, r#"    <node id="{}">"#, escaped(&node.symbol))?;
        data(out, 'n', &node_columns, row)?;
        writeln!(out, "    </node>")?;
    }
    for (row, edge) in contents.edges.iter().enumerate() {
        let symbol = |node: usize| escaped(&contents.nodes[node].symbol);
        writeln!(out, r#"    <edge source="{}" target="{}">"#, symbol(edge.from), symbol(edge.to))?;
        data(out, 'e', &edge_columns, row)?;
        writeln!(out, "    </edge>")?;
    }
    writeln!(out, "  </graph>\n</graphml>")?;
    Ok(())
}
