//! JSON of nodes and links, as networkx writes it (`node_link_data`) and D3 reads it.

use std::io::Write;

use serde_json::{Map, Value as Json, json};

use super::FormatError;
use super::contents::{Builder, Column, NetworkContents, Value};
use super::json::{brief, name_of, of_json, parse, to_json};

const FORMAT: &str = "node-link JSON";

pub(super) fn read(text: &str, name: &str) -> Result<NetworkContents, FormatError> {
    let json = parse(text, FORMAT)?;
    let list = |key: &str| json.get(key).and_then(Json::as_array);
    let syntax = |reason: &str| FormatError::Syntax { format: FORMAT, reason: reason.to_owned() };
    let nodes = list("nodes").ok_or_else(|| syntax("there is no list \"nodes\""))?;
    // networkx before 3.4 called them links.
    let edges = list("edges").or(list("links")).ok_or_else(|| syntax("there is no list \"edges\" or \"links\""))?;
    let title = json.get("graph").and_then(|graph| graph.get("name")).and_then(Json::as_str);
    let mut builder = Builder::new(title.filter(|title| !title.is_empty()).unwrap_or(name));
    builder.contents().undirected = json.get("directed").and_then(Json::as_bool) == Some(false);
    for (at, json) in nodes.iter().enumerate() {
        let id = ["id", "name", "key"].iter().find_map(|key| json.get(key)).and_then(name_of);
        let id = id.ok_or_else(|| {
            FormatError::unexpected(format!("node {}", at + 1), brief(Some(json)), "an object with an \"id\"")
        })?;
        if builder.find(&id).is_some() {
            return Err(FormatError::unexpected(format!("node {}", at + 1), format!("{id:?} again"), "each id once"));
        }
        let node = builder.node(&id);
        for (key, value) in json.as_object().into_iter().flatten().filter(|(key, _)| *key != "id") {
            of_json(value).into_iter().for_each(|value| builder.set_node(node, key, value));
        }
    }
    for (at, json) in edges.iter().enumerate() {
        let place = || format!("edge {}", at + 1);
        let end = |key: &str| {
            let id = json.get(key).and_then(name_of).ok_or_else(|| {
                FormatError::unexpected(place(), brief(json.get(key)), format!("the id of a node as {key:?}"))
            })?;
            let missing = || FormatError::unexpected(place(), format!("{key} {id:?}"), "the id of a node of the file");
            builder.find(&id).ok_or_else(missing)
        };
        let (from, to) = (end("source")?, end("target")?);
        let edge = builder.edge(from, to);
        let attributes = json.as_object().into_iter().flatten();
        for (key, value) in attributes.filter(|(key, _)| !matches!(key.as_str(), "source" | "target" | "key")) {
            of_json(value).into_iter().for_each(|value| builder.set_edge(edge, key, value));
        }
    }
    let mut contents = builder.finish();
    contents.place_nodes();
    contents.name_nodes();
    Ok(contents)
}

pub(super) fn write(contents: &NetworkContents, out: &mut dyn Write) -> Result<(), FormatError> {
    let name = Json::from(contents.name.as_str());
    let directed = !contents.undirected;
    writeln!(out, r#"{{"directed": {directed}, "multigraph": false, "graph": {{"name": {name}}}, "nodes": ["#)?;
    for (row, node) in contents.nodes.iter().enumerate() {
        let mut object = Map::from_iter([("id".to_owned(), Json::from(node.symbol.as_str()))]);
        fill(&mut object, &contents.node_columns, row);
        if let Some([x, y]) = node.position.map(|position| position.map(Value::of_f32)) {
            object.extend([("x", x), ("y", y)].into_iter().filter_map(|(axis, at)| Some((axis.into(), to_json(&at?)))));
        }
        let end = if row + 1 < contents.nodes.len() { "," } else { "" };
        writeln!(out, "  {}{end}", Json::Object(object))?;
    }
    writeln!(out, r#"], "edges": ["#)?;
    for (row, edge) in contents.edges.iter().enumerate() {
        let symbol = |node: usize| json!(contents.nodes[node].symbol);
        let mut object =
            Map::from_iter([("source".to_owned(), symbol(edge.from)), ("target".to_owned(), symbol(edge.to))]);
        fill(&mut object, &contents.edge_columns, row);
        let end = if row + 1 < contents.edges.len() { "," } else { "" };
        writeln!(out, "  {}{end}", Json::Object(object))?;
    }
    writeln!(out, "]}}")?;
    Ok(())
}

fn fill(object: &mut Map<String, Json>, columns: &[Column], row: usize) {
    for column in columns {
        if let Some(value) = &column.values[row] {
            object.entry(column.name.clone()).or_insert_with(|| to_json(value));
        }
    }
}
