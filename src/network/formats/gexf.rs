//! GEXF 1.3 (Gephi): attributes are declared and referred to, `viz` elements hold position, colour and size.

use std::collections::HashMap;
use std::io::Write;

use roxmltree::Node;

use super::FormatError;
use super::contents::{Builder, Column, NetworkContents, Value, ValueKind};
use super::error::shown;
use super::xml::{escaped, need, place, tree};

const FORMAT: &str = "GEXF";
const NAMESPACE: &str = "http://gexf.net/1.3";
/// Attribute that stands for an edge's weight in Gephi.
const WEIGHT: &str = "probability";

pub(super) fn read(text: &str, name: &str) -> Result<NetworkContents, FormatError> {
    let tree = tree(text, FORMAT)?;
    let root = tree.root_element();
    let graph = root.children().find(|node| is(*node, "graph"));
    let (true, Some(graph)) = (is(root, "gexf"), graph) else {
        let reason = format!("it begins with <{}>, expected <gexf> with a <graph>", root.tag_name().name());
        return Err(FormatError::Syntax { format: FORMAT, reason });
    };
    let title = root.children().find(|node| is(*node, "meta"));
    let title =
        title.and_then(|meta| meta.children().find(|node| is(*node, "description"))).and_then(|node| node.text());
    let mut builder = Builder::new(title.filter(|title| !title.trim().is_empty()).unwrap_or(name));
    builder.contents().undirected = graph.attribute("defaultedgetype").unwrap_or("undirected") == "undirected";

    let mut node_keys: HashMap<&str, (&str, ValueKind)> = HashMap::new();
    let mut edge_keys = node_keys.clone();
    for declared in graph.children().filter(|node| is(*node, "attributes")) {
        let keys = if declared.attribute("class") == Some("edge") { &mut edge_keys } else { &mut node_keys };
        for attribute in declared.children().filter(|node| is(*node, "attribute")) {
            let kind = kind_of(attribute.attribute("type").unwrap_or("string"));
            keys.insert(need(attribute, "id")?, (attribute.attribute("title").unwrap_or_default(), kind));
        }
    }

    for element in graph.descendants().filter(|node| is(*node, "node")) {
        let id = need(element, "id")?;
        if builder.find(id).is_some() {
            return Err(FormatError::unexpected(place(element), format!("node {} again", shown(id)), "each node once"));
        }
        let node = builder.node(id);
        if let Some(label) = element.attribute("label").filter(|label| *label != id) {
            builder.set_node(node, "label", Value::Text(label.to_owned()));
        }
        for (name, value) in attributes(element, &node_keys)? {
            builder.set_node(node, name, value);
        }
        let look = &mut builder.contents().nodes[node];
        for seen in element.children().filter(Node::is_element) {
            match seen.tag_name().name() {
                "position" => look.position = Some([number(seen, "x")? as f32, number(seen, "y")? as f32]),
                "size" => look.size = Some(number(seen, "value")? as f32),
                "color" => look.fill = colour(seen),
                _ => {}
            }
        }
    }
    for element in graph.descendants().filter(|node| is(*node, "edge")) {
        let end = |name| {
            let id = need(element, name)?;
            let missing = || format!("an edge at {}, which is no node", shown(id));
            builder.find(id).ok_or_else(|| FormatError::unexpected(place(element), missing(), "a node of the file"))
        };
        let (from, to) = (end("source")?, end("target")?);
        let edge = builder.edge(from, to);
        let values = attributes(element, &edge_keys)?;
        let weighed = values.iter().any(|(name, _)| *name == WEIGHT);
        for (name, value) in values {
            builder.set_edge(edge, name, value);
        }
        // The weight that our own files have beside the probability is the same number.
        if element.attribute("weight").is_some() && !weighed {
            builder.set_edge(edge, "weight", Value::Number(number(element, "weight")?));
        }
        let look = &mut builder.contents().edges[edge];
        for seen in element.children().filter(Node::is_element) {
            match seen.tag_name().name() {
                "thickness" => look.width = Some(number(seen, "value")? as f32),
                "color" => look.colour = colour(seen),
                _ => {}
            }
        }
    }
    let mut contents = builder.finish();
    // Gephi's plane has y upwards.
    for node in &mut contents.nodes {
        node.position = node.position.map(|[x, y]| [x, -y]);
    }
    contents.name_nodes();
    Ok(contents)
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

fn kind_of(name: &str) -> ValueKind {
    match name {
        "boolean" => ValueKind::Flag,
        "integer" | "long" | "short" | "byte" | "biginteger" => ValueKind::Integer,
        "float" | "double" | "bigdecimal" => ValueKind::Number,
        _ => ValueKind::Text,
    }
}

fn number(element: Node<'_, '_>, name: &'static str) -> Result<f64, FormatError> {
    let text = need(element, name)?;
    let found = || FormatError::unexpected(place(element), format!("{} as {name}", shown(text)), "a number");
    text.trim().parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(found)
}

fn colour(element: Node<'_, '_>) -> Option<[u8; 3]> {
    let part = |name| element.attribute(name)?.trim().parse::<u8>().ok();
    Some([part("r")?, part("g")?, part("b")?])
}

fn attributes<'a>(
    element: Node<'a, '_>,
    keys: &HashMap<&'a str, (&'a str, ValueKind)>,
) -> Result<Vec<(&'a str, Value)>, FormatError> {
    let Some(list) = element.children().find(|node| is(*node, "attvalues")) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for element in list.children().filter(|node| is(*node, "attvalue")) {
        let Some(&(name, kind)) = element.attribute("for").or(element.attribute("id")).and_then(|id| keys.get(id))
        else {
            continue;
        };
        let text = need(element, "value")?;
        let wrong =
            |expected| Err(FormatError::unexpected(place(element), format!("{} as {name}", shown(text)), expected));
        let value = match kind {
            ValueKind::Text => Some(Value::Text(text.to_owned())),
            ValueKind::Flag => match text.trim() {
                "true" | "1" => Some(Value::Flag(true)),
                "false" | "0" => Some(Value::Flag(false)),
                _ => return wrong("true or false"),
            },
            ValueKind::Integer => match text.trim().parse() {
                Ok(number) => Some(Value::Integer(number)),
                Err(_) => return wrong("a whole number"),
            },
            ValueKind::Number => match text.trim().parse::<f64>() {
                Ok(number) => number.is_finite().then_some(Value::Number(number)),
                Err(_) => return wrong("a number"),
            },
        };
        found.extend(value.map(|value| (name, value)));
    }
    Ok(found)
}

pub(super) fn write(contents: &NetworkContents, out: &mut dyn Write) -> Result<(), FormatError> {
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<gexf xmlns="{NAMESPACE}" xmlns:viz="{NAMESPACE}/viz" version="1.3">"#)?;
    let version = env!("CARGO_PKG_VERSION");
    writeln!(
        out,
        "  <meta>\n    <creator>GRN Explorer {version}</creator>\n    <description>{}</description>\n  </meta>",
        escaped(&contents.name)
    )?;
    let direction = if contents.undirected { "undirected" } else { "directed" };
    writeln!(out, r#"  <graph defaultedgetype="{direction}" mode="static">"#)?;
    for (class, columns) in [("node", &contents.node_columns), ("edge", &contents.edge_columns)] {
        // The schema wants at least one.
        if columns.is_empty() {
            continue;
        }
        writeln!(out, r#"    <attributes class="{class}">"#)?;
        for (at, column) in columns.iter().enumerate() {
            let kind = match column.kind() {
                ValueKind::Text => "string",
                ValueKind::Number => "double",
                ValueKind::Integer => "long",
                ValueKind::Flag => "boolean",
            };
            writeln!(out, r#"      <attribute id="{at}" title="{}" type="{kind}"/>"#, escaped(&column.name))?;
        }
        writeln!(out, "    </attributes>")?;
    }
    writeln!(out, r#"    <nodes count="{}">"#, contents.nodes.len())?;
    for (row, node) in contents.nodes.iter().enumerate() {
        let symbol = escaped(&node.symbol);
        writeln!(out, r#"      <node id="{symbol}" label="{symbol}">"#)?;
        values(out, &contents.node_columns, row)?;
        if let Some([red, green, blue]) = node.fill {
            writeln!(out, r#"        <viz:color r="{red}" g="{green}" b="{blue}"/>"#)?;
        }
        if let Some([x, y]) = node.position {
            writeln!(out, r#"        <viz:position x="{x}" y="{}" z="0"/>"#, 0.0 - y)?;
        }
        if let Some(size) = node.size {
            writeln!(out, r#"        <viz:size value="{size}"/>"#)?;
        }
        writeln!(out, "      </node>")?;
    }
    writeln!(out, "    </nodes>")?;
    writeln!(out, r#"    <edges count="{}">"#, contents.edges.len())?;
    let weights = contents.edge_column(WEIGHT);
    for (row, edge) in contents.edges.iter().enumerate() {
        let symbol = |node: usize| escaped(&contents.nodes[node].symbol);
        let weight = weights.and_then(|column| column.values[row].as_ref()).and_then(Value::as_number);
        // Gephi refuses weights of 0.
        let weight =
            weight.filter(|weight| *weight > 0.0).map(|weight| format!(r#" weight="{weight}""#)).unwrap_or_default();
        let (source, target) = (symbol(edge.from), symbol(edge.to));
        writeln!(out, r#"      <edge id="{row}" source="{source}" target="{target}"{weight}>"#)?;
        values(out, &contents.edge_columns, row)?;
        if let Some([red, green, blue]) = edge.colour {
            writeln!(out, r#"        <viz:color r="{red}" g="{green}" b="{blue}"/>"#)?;
        }
        if let Some(width) = edge.width {
            writeln!(out, r#"        <viz:thickness value="{width}"/>"#)?;
        }
        writeln!(out, "      </edge>")?;
    }
    writeln!(out, "    </edges>\n  </graph>\n</gexf>")?;
    Ok(())
}

fn values(out: &mut dyn Write, columns: &[Column], row: usize) -> Result<(), FormatError> {
    if columns.iter().all(|column| column.values[row].is_none()) {
        return Ok(());
    }
    writeln!(out, "        <attvalues>")?;
    for (at, column) in columns.iter().enumerate() {
        if let Some(value) = &column.values[row] {
            writeln!(out, r#"          <attvalue for="{at}" value="{}"/>"#, escaped(&value.to_text()))?;
        }
    }
    writeln!(out, "        </attvalues>")?;
    Ok(())
}
