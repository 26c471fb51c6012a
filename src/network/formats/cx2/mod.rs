//! CX2, the Cytoscape exchange format: a list of aspects; positions and style travel with the network.

mod look;

use std::collections::HashMap;
use std::io::Write;

use serde_json::{Map, Value as Json, json};

use super::FormatError;
use super::contents::{Builder, Column, NetworkContents, Value, ValueKind};
use super::json::{brief, name_of, of_json, parse, to_json};
use super::sif::relation;
use look::Look;

const FORMAT: &str = "CX2";
/// Colours of activation, repression and edges without a sign where edges have none of their own.
const SIGN_COLOURS: [[u8; 3]; 3] = [[0x0B, 0x7A, 0x70], [0xC8, 0x59, 0x0A], [0x8A, 0x91, 0x9B]];

pub(super) fn read(text: &str, name: &str) -> Result<NetworkContents, FormatError> {
    let json = parse(text, FORMAT)?;
    let syntax = |reason: &str| FormatError::Syntax { format: FORMAT, reason: reason.to_owned() };
    let aspects = json.as_array().ok_or_else(|| syntax("it is no list of aspects"))?;
    let version = aspects.first().and_then(|first| first.get("CXVersion")).and_then(name_of);
    match version.as_deref() {
        Some(version) if version.starts_with('2') => {}
        Some(version) => return Err(syntax(&format!("it is CX version {version}; expected 2.0"))),
        None => return Err(syntax("its first element has no \"CXVersion\"")),
    }
    // An aspect may come in several fragments, and in any order.
    let aspect = |name: &'static str| aspects.iter().filter_map(move |aspect| aspect.get(name)?.as_array()).flatten();
    let declared = |scope: &'static str| -> Declared {
        let of_one = aspect("attributeDeclarations").filter_map(|declared| declared.get(scope)?.as_object());
        Declared::of(of_one.flatten())
    };
    let (for_nodes, for_edges) = (declared("nodes"), declared("edges"));
    let style = aspect("visualProperties").next();
    let (of_nodes, of_edges) = (Look::of(style, "node"), Look::of(style, "edge"));
    let number = |json: Json| json.as_f64().filter(|number| number.is_finite()).map(|number| number as f32);
    let title = aspect("networkAttributes").find_map(|attributes| attributes.get("name")?.as_str());
    let mut builder = Builder::new(title.filter(|title| !title.is_empty()).unwrap_or(name));
    let mut ids: HashMap<String, usize> = HashMap::new();
    for (at, json) in aspect("nodes").enumerate() {
        let place = || format!("node {}", at + 1);
        let id = json.get("id").and_then(name_of);
        let id = id.ok_or_else(|| FormatError::unexpected(place(), brief(Some(json)), "an object with an \"id\""))?;
        let values = for_nodes.values(json);
        let known = ["name", "n", "shared name"].iter().find_map(|name| values.iter().find(|value| value.0 == *name));
        let symbol = known.map(|(_, value)| value.to_text()).filter(|name| !name.is_empty());
        let symbol = symbol.filter(|symbol| builder.find(symbol).is_none()).unwrap_or_else(|| id.clone());
        if ids.contains_key(&id) || builder.find(&symbol).is_some() {
            return Err(FormatError::unexpected(place(), format!("id {id} again"), "each id once"));
        }
        let node = builder.node(&symbol);
        ids.insert(id, node);
        let look = &mut builder.contents().nodes[node];
        look.fill = of_nodes.mapped("NODE_BACKGROUND_COLOR", &values).as_ref().and_then(of_hex);
        look.size = of_nodes.mapped("NODE_WIDTH", &values).and_then(number);
        for (name, value) in values.into_iter().filter(|(name, _)| name != "name") {
            builder.set_node(node, &name, value);
        }
        let axis = |axis: &str| json.get(axis).and_then(Json::as_f64).filter(|at| at.is_finite());
        builder.contents().nodes[node].position = axis("x").zip(axis("y")).map(|(x, y)| [x as f32, y as f32]);
    }
    let mut edges: HashMap<String, usize> = HashMap::new();
    for (at, json) in aspect("edges").enumerate() {
        let place = || format!("edge {}", at + 1);
        let end = |key: &str| {
            let id = json.get(key).and_then(name_of);
            id.and_then(|id| ids.get(&id).copied()).ok_or_else(|| {
                FormatError::unexpected(place(), brief(json.get(key)), format!("the id of a node as {key:?}"))
            })
        };
        let (from, to) = (end("s")?, end("t")?);
        let edge = builder.edge(from, to);
        edges.extend(json.get("id").and_then(name_of).map(|id| (id, edge)));
        let values = for_edges.values(json);
        let look = &mut builder.contents().edges[edge];
        look.colour = of_edges.mapped("EDGE_LINE_COLOR", &values).as_ref().and_then(of_hex);
        look.width = of_edges.mapped("EDGE_WIDTH", &values).and_then(number);
        let signed = values.iter().any(|(name, _)| name == "sign");
        for (name, value) in values.into_iter().filter(|(name, _)| !(signed && name == "interaction")) {
            builder.set_edge(edge, &name, value);
        }
    }
    let bypasses = |aspect_name: &'static str, known: &HashMap<String, usize>| -> Vec<(usize, Json)> {
        let own = |bypass: &Json| Some((*known.get(&name_of(bypass.get("id")?)?)?, bypass.get("v")?.clone()));
        aspect(aspect_name).filter_map(own).collect()
    };
    for (node, look) in bypasses("nodeBypasses", &ids) {
        let node = &mut builder.contents().nodes[node];
        node.fill = look.get("NODE_BACKGROUND_COLOR").and_then(of_hex).or(node.fill);
        node.size = look.get("NODE_WIDTH").and_then(Json::as_f64).map(|size| size as f32).or(node.size);
    }
    for (edge, look) in bypasses("edgeBypasses", &edges) {
        let edge = &mut builder.contents().edges[edge];
        edge.colour = look.get("EDGE_LINE_COLOR").and_then(of_hex).or(edge.colour);
        edge.width = look.get("EDGE_WIDTH").and_then(Json::as_f64).map(|width| width as f32).or(edge.width);
    }
    let mut contents = builder.finish();
    usual_looks(&mut contents, of_nodes, of_edges);
    contents.name_nodes();
    Ok(contents)
}

/// Where some have a look of their own, the others have the usual one; where none has, the file says nothing.
fn usual_looks(contents: &mut NetworkContents, of_nodes: Look<'_>, of_edges: Look<'_>) {
    let colour = |look: Look<'_>, property: &str| look.usual(property).and_then(of_hex);
    let number =
        |look: Look<'_>, property: &str| look.usual(property).and_then(Json::as_f64).map(|number| number as f32);
    let (nodes, edges) = (&mut contents.nodes, &mut contents.edges);
    if nodes.iter().any(|node| node.fill.is_some()) {
        let usual = colour(of_nodes, "NODE_BACKGROUND_COLOR");
        nodes.iter_mut().for_each(|node| node.fill = node.fill.or(usual));
    }
    if nodes.iter().any(|node| node.size.is_some()) {
        let usual = number(of_nodes, "NODE_WIDTH");
        nodes.iter_mut().for_each(|node| node.size = node.size.or(usual));
    }
    if edges.iter().any(|edge| edge.colour.is_some()) {
        let usual = colour(of_edges, "EDGE_LINE_COLOR");
        edges.iter_mut().for_each(|edge| edge.colour = edge.colour.or(usual));
    }
    if edges.iter().any(|edge| edge.width.is_some()) {
        let usual = number(of_edges, "EDGE_WIDTH");
        edges.iter_mut().for_each(|edge| edge.width = edge.width.or(usual));
    }
}

/// Declared attributes: short names stand for long ones, and what has a default need not be written.
#[derive(Default)]
struct Declared {
    aliases: HashMap<String, String>,
    defaults: Vec<(String, Value)>,
}

impl Declared {
    fn of<'a>(declarations: impl Iterator<Item = (&'a String, &'a Json)>) -> Self {
        let mut declared = Self::default();
        for (name, how) in declarations {
            if let Some(alias) = how.get("a").and_then(Json::as_str) {
                declared.aliases.insert(alias.to_owned(), name.clone());
            }
            declared.defaults.extend(how.get("v").and_then(of_json).map(|value| (name.clone(), value)));
        }
        declared
    }

    fn values(&self, element: &Json) -> Vec<(String, Value)> {
        let own = element.get("v").and_then(Json::as_object).into_iter().flatten();
        let mut values: Vec<(String, Value)> = own
            .filter_map(|(name, value)| Some((self.aliases.get(name).unwrap_or(name).clone(), of_json(value)?)))
            .collect();
        for (name, value) in &self.defaults {
            if values.iter().all(|known| known.0 != *name) {
                values.push((name.clone(), value.clone()));
            }
        }
        values
    }
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

fn of_hex(json: &Json) -> Option<[u8; 3]> {
    let digits = json.as_str()?.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let number = u32::from_str_radix(digits, 16).ok()?;
    Some([(number >> 16) as u8, (number >> 8) as u8, number as u8])
}

pub(super) fn write(contents: &NetworkContents, out: &mut dyn Write) -> Result<(), FormatError> {
    let signed = contents.edge_column("sign").is_some();
    let signs = contents.signs();
    let node_columns: Vec<&Column> = contents.node_columns.iter().filter(|column| column.name != "name").collect();
    let edge_columns: Vec<&Column> =
        contents.edge_columns.iter().filter(|column| column.name != "interaction").collect();
    let node_bypasses: Vec<Json> = contents
        .nodes
        .iter()
        .enumerate()
        .filter_map(|(id, node)| {
            let mut look = Map::new();
            if let Some(fill) = node.fill {
                look.insert("NODE_BACKGROUND_COLOR".into(), hex(fill).into());
            }
            if let Some(size) = node.size.and_then(Value::of_f32) {
                look.insert("NODE_WIDTH".into(), to_json(&size));
                look.insert("NODE_HEIGHT".into(), to_json(&size));
            }
            (!look.is_empty()).then(|| json!({"id": id, "v": look}))
        })
        .collect();
    let edge_bypasses: Vec<Json> = contents
        .edges
        .iter()
        .enumerate()
        .filter_map(|(id, edge)| {
            let mut look = Map::new();
            if let Some(colour) = edge.colour {
                look.insert("EDGE_LINE_COLOR".into(), hex(colour).into());
                look.insert("EDGE_TARGET_ARROW_COLOR".into(), hex(colour).into());
            }
            if let Some(width) = edge.width.and_then(Value::of_f32) {
                look.insert("EDGE_WIDTH".into(), to_json(&width));
            }
            (!look.is_empty()).then(|| json!({"id": id, "v": look}))
        })
        .collect();

    let text = json!({"d": "string"});
    let types = |columns: &[&Column], first: &str| {
        let mut types = Map::from_iter([(first.to_owned(), text.clone())]);
        types.extend(columns.iter().map(|column| (column.name.clone(), json!({"d": type_of(column)}))));
        types
    };
    let count = |name: &str, count: usize| json!({"name": name, "elementCount": count});
    writeln!(out, r#"[{{"CXVersion": "2.0", "hasFragments": false}},"#)?;
    let mut aspect = |name: &str, elements: &mut dyn Iterator<Item = Json>| -> Result<(), FormatError> {
        write!(out, "{{{}: [", Json::from(name))?;
        for (at, element) in elements.enumerate() {
            write!(out, "{}\n  {element}", if at > 0 { "," } else { "" })?;
        }
        write!(out, "\n]}}{}", if name == "status" { "\n]\n" } else { ",\n" })?;
        Ok(())
    };
    let meta = [
        count("attributeDeclarations", 1),
        count("networkAttributes", 1),
        count("nodes", contents.nodes.len()),
        count("edges", contents.edges.len()),
        count("visualProperties", 1),
        count("nodeBypasses", node_bypasses.len()),
        count("edgeBypasses", edge_bypasses.len()),
        count("visualEditorProperties", 1),
    ];
    aspect("metaData", &mut meta.into_iter())?;
    let declarations = json!({
        "networkAttributes": {"name": text, "description": text},
        "nodes": types(&node_columns, "name"),
        "edges": types(&edge_columns, "interaction"),
    });
    aspect("attributeDeclarations", &mut std::iter::once(declarations))?;
    let description = format!("Written by GRN Explorer {}", env!("CARGO_PKG_VERSION"));
    aspect("networkAttributes", &mut std::iter::once(json!({"name": contents.name, "description": description})))?;
    aspect(
        "nodes",
        &mut contents.nodes.iter().enumerate().map(|(id, node)| {
            let mut values = Map::from_iter([("name".to_owned(), Json::from(node.symbol.as_str()))]);
            fill(&mut values, &node_columns, id);
            match node.position.map(|position| position.map(Value::of_f32)) {
                Some([Some(x), Some(y)]) => json!({"id": id, "x": to_json(&x), "y": to_json(&y), "v": values}),
                _ => json!({"id": id, "v": values}),
            }
        }),
    )?;
    aspect(
        "edges",
        &mut contents.edges.iter().enumerate().map(|(id, edge)| {
            let mut values = Map::from_iter([("interaction".to_owned(), Json::from(relation(signs[id])))]);
            fill(&mut values, &edge_columns, id);
            json!({"id": id, "s": edge.from, "t": edge.to, "v": values})
        }),
    )?;
    aspect("visualProperties", &mut std::iter::once(style(signed)))?;
    aspect("nodeBypasses", &mut node_bypasses.into_iter())?;
    aspect("edgeBypasses", &mut edge_bypasses.into_iter())?;
    let editor = json!({"properties": {"nodeSizeLocked": false, "arrowColorMatchesEdge": false}});
    aspect("visualEditorProperties", &mut std::iter::once(editor))?;
    aspect("status", &mut std::iter::once(json!({"success": true})))
}

/// How everything looks that has no look of its own; the sign decides arrow and colour.
fn style(signed: bool) -> Json {
    let [activates, represses, unknown] = SIGN_COLOURS.map(hex);
    let by_sign = |plus: &str, minus: &str| {
        let map = json!([{"v": "+", "vp": plus}, {"v": "-", "vp": minus}]);
        json!({"type": "DISCRETE", "definition": {"attribute": "sign", "type": "string", "map": map}})
    };
    let edge_mapping = if signed {
        json!({
            "EDGE_TARGET_ARROW_SHAPE": by_sign("triangle", "tee"),
            "EDGE_LINE_COLOR": by_sign(&activates, &represses),
            "EDGE_TARGET_ARROW_COLOR": by_sign(&activates, &represses),
        })
    } else {
        json!({})
    };
    json!({
        "default": {
            "network": {"NETWORK_BACKGROUND_COLOR": "#FFFFFF"},
            "node": {
                "NODE_SHAPE": "ellipse",
                "NODE_WIDTH": 16,
                "NODE_HEIGHT": 16,
                "NODE_BACKGROUND_COLOR": "#D5DCE6",
                "NODE_BORDER_COLOR": "#4E5B6C",
                "NODE_BORDER_WIDTH": 0.7,
                "NODE_LABEL_COLOR": "#000000",
                "NODE_LABEL_FONT_SIZE": 8,
            },
            "edge": {
                "EDGE_WIDTH": 1,
                "EDGE_LINE_COLOR": unknown,
                "EDGE_LINE_STYLE": "solid",
                "EDGE_TARGET_ARROW_COLOR": unknown,
                "EDGE_TARGET_ARROW_SHAPE": "none",
            },
        },
        "nodeMapping": {
            "NODE_LABEL": {"type": "PASSTHROUGH", "definition": {"attribute": "name", "type": "string"}},
        },
        "edgeMapping": edge_mapping,
    })
}

fn type_of(column: &Column) -> &'static str {
    let small = |value: &Value| matches!(value, Value::Integer(number) if i32::try_from(*number).is_ok());
    match column.kind() {
        ValueKind::Text => "string",
        ValueKind::Number => "double",
        ValueKind::Integer if column.values.iter().flatten().all(small) => "integer",
        ValueKind::Integer => "long",
        ValueKind::Flag => "boolean",
    }
}

fn fill(object: &mut Map<String, Json>, columns: &[&Column], row: usize) {
    for column in columns {
        if let Some(value) = &column.values[row] {
            object.insert(column.name.clone(), to_json(value));
        }
    }
}
