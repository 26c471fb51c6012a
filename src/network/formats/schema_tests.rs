//! GEXF and CX2 as their schemas want them: every element, attribute and type of what is written, held against tables of
//! the rules. Networks with everything, with nothing, and with odd names.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::{Document, Node};
use serde_json::{Map, Value as Json};

use super::tests::{contents, written};
use super::{NetworkContents, NetworkFormat};
use crate::network::fixtures::{edge, genes};
use crate::network::{Grn, Sign};

/// A network without positions, style and shifts, whose genes have names that XML and JSON must escape; no edge has a
/// sign, and one has probability 0.
fn odd() -> NetworkContents {
    let genes = genes(["β-catenin", "a\tb\n<&>\"'", "7", "n0 \u{1}"]);
    let grn = Grn::new(genes, vec![edge(0, 1, 0.5), edge(2, 3, 0.0), edge(3, 0, 1.0)]).unwrap();
    let mut contents = NetworkContents::of("Odd & \"quoted\"", &grn, grn.edges());
    contents.undirected = true;
    contents
}

/// Without attributes.
fn bare() -> NetworkContents {
    NetworkContents { node_columns: Vec::new(), edge_columns: Vec::new(), ..odd() }
}

fn all() -> [NetworkContents; 4] {
    [contents(), odd(), bare(), NetworkContents::of("Nothing", &Grn::default(), &[])]
}

/// What a value must be.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    Float,
    /// 0 to 255.
    Byte,
    /// From 0.
    Count,
    /// At least 0.
    Length,
    OneOf(&'static [&'static str]),
}

impl Kind {
    fn fits(self, text: &str) -> bool {
        match self {
            Self::Text => true,
            // xs:double knows no plus sign before letters, and no words but INF and NaN, which no network needs.
            Self::Float => text.parse::<f64>().is_ok_and(f64::is_finite),
            Self::Byte => text.parse::<u8>().is_ok(),
            Self::Count => text.parse::<u64>().is_ok(),
            Self::Length => text.parse::<f64>().is_ok_and(|number| number.is_finite() && number >= 0.0),
            Self::OneOf(words) => words.contains(&text),
        }
    }
}

/// A rule of GEXF 1.3: the element, its attributes (name, what, required), and its children (name, least and most).
struct Rule {
    element: &'static str,
    attributes: &'static [(&'static str, Kind, bool)],
    children: &'static [(&'static str, usize, usize)],
}

const MANY: usize = usize::MAX;
const TYPES: &[&str] = &["integer", "long", "double", "float", "boolean", "string", "short", "byte", "date", "anyURI"];
const EDGE_TYPES: &[&str] = &["directed", "undirected", "mutual"];

/// The part of the schema that a static network uses. `viz:` is the namespace of what is seen.
const GEXF: &[Rule] = &[
    Rule {
        element: "gexf",
        attributes: &[("version", Kind::OneOf(&["1.3"]), true)],
        children: &[("meta", 0, 1), ("graph", 1, 1)],
    },
    Rule {
        element: "meta",
        attributes: &[("lastmodifieddate", Kind::Text, false)],
        children: &[("creator", 0, 1), ("description", 0, 1), ("keywords", 0, 1)],
    },
    Rule { element: "creator", attributes: &[], children: &[] },
    Rule { element: "description", attributes: &[], children: &[] },
    Rule {
        element: "graph",
        attributes: &[
            ("defaultedgetype", Kind::OneOf(EDGE_TYPES), false),
            ("idtype", Kind::OneOf(&["integer", "string"]), false),
            ("mode", Kind::OneOf(&["static", "dynamic"]), false),
        ],
        children: &[("attributes", 0, 2), ("nodes", 1, 1), ("edges", 1, 1)],
    },
    Rule {
        element: "attributes",
        attributes: &[("class", Kind::OneOf(&["node", "edge"]), true), ("mode", Kind::OneOf(&["static"]), false)],
        children: &[("attribute", 1, MANY)],
    },
    Rule {
        element: "attribute",
        attributes: &[("id", Kind::Text, true), ("title", Kind::Text, true), ("type", Kind::OneOf(TYPES), true)],
        children: &[("default", 0, 1), ("options", 0, 1)],
    },
    Rule { element: "nodes", attributes: &[("count", Kind::Count, false)], children: &[("node", 0, MANY)] },
    Rule { element: "edges", attributes: &[("count", Kind::Count, false)], children: &[("edge", 0, MANY)] },
    Rule {
        element: "node",
        attributes: &[("id", Kind::Text, true), ("label", Kind::Text, false)],
        children: &[("attvalues", 0, 1), ("viz:color", 0, 1), ("viz:position", 0, 1), ("viz:size", 0, 1)],
    },
    Rule {
        element: "edge",
        attributes: &[
            ("id", Kind::Text, false),
            ("source", Kind::Text, true),
            ("target", Kind::Text, true),
            ("type", Kind::OneOf(EDGE_TYPES), false),
            ("weight", Kind::Float, false),
        ],
        children: &[("attvalues", 0, 1), ("viz:color", 0, 1), ("viz:thickness", 0, 1)],
    },
    Rule { element: "attvalues", attributes: &[], children: &[("attvalue", 1, MANY)] },
    Rule { element: "attvalue", attributes: &[("for", Kind::Text, true), ("value", Kind::Text, true)], children: &[] },
    Rule {
        element: "viz:color",
        attributes: &[("r", Kind::Byte, true), ("g", Kind::Byte, true), ("b", Kind::Byte, true)],
        children: &[],
    },
    Rule {
        element: "viz:position",
        attributes: &[("x", Kind::Float, true), ("y", Kind::Float, true), ("z", Kind::Float, false)],
        children: &[],
    },
    Rule { element: "viz:size", attributes: &[("value", Kind::Length, true)], children: &[] },
    Rule { element: "viz:thickness", attributes: &[("value", Kind::Length, true)], children: &[] },
];

fn name_of(node: Node<'_, '_>) -> String {
    let name = node.tag_name().name();
    match node.tag_name().namespace() {
        Some("http://gexf.net/1.3") => name.to_owned(),
        Some("http://gexf.net/1.3/viz") => format!("viz:{name}"),
        other => panic!("<{name}> of the namespace {other:?}"),
    }
}

fn holds(node: Node<'_, '_>) {
    let name = name_of(node);
    let rule = GEXF.iter().find(|rule| rule.element == name).unwrap_or_else(|| panic!("no <{name}> in the schema"));
    for attribute in node.attributes() {
        let known = rule.attributes.iter().find(|known| known.0 == attribute.name());
        let (_, kind, _) = known.unwrap_or_else(|| panic!("<{name}> has no attribute {}", attribute.name()));
        assert!(
            kind.fits(attribute.value()),
            "{} of <{name}> is {:?}, not {kind:?}",
            attribute.name(),
            attribute.value()
        );
    }
    for (attribute, _, required) in rule.attributes {
        assert!(!required || node.attribute(*attribute).is_some(), "<{name}> without {attribute}");
    }
    let children: Vec<String> = node.children().filter(Node::is_element).map(name_of).collect();
    for child in &children {
        assert!(rule.children.iter().any(|known| known.0 == child), "<{child}> in <{name}>");
    }
    let mut order = 0;
    for (child, least, most) in rule.children {
        let count = children.iter().filter(|found| found == child).count();
        assert!((*least..=*most).contains(&count), "<{child}> {count} times in <{name}>");
        // One after the other, as in the schema, so that readers that go by sequences agree too.
        let first = children.iter().position(|found| found == child);
        assert!(first.is_none_or(|first| first >= order), "<{child}> too early in <{name}>");
        order = children.iter().rposition(|found| found == child).unwrap_or(order);
    }
    node.children().filter(Node::is_element).for_each(holds);
}

#[test]
fn gexf_keeps_every_rule_of_the_schema() {
    for contents in all() {
        let text = written(NetworkFormat::Gexf, &contents);
        let tree = Document::parse(&text).unwrap();
        let root = tree.root_element();
        holds(root);
        // Keys and references: ids are unique among their kind, and what is referred to is there.
        let named = |name: &'static str| {
            root.descendants().filter(move |node| node.has_tag_name(("http://gexf.net/1.3", name)))
        };
        for kind in ["node", "edge"] {
            let ids: Vec<&str> = named(kind).map(|node| node.attribute("id").unwrap()).collect();
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{kind}");
        }
        let nodes: BTreeSet<&str> = named("node").map(|node| node.attribute("id").unwrap()).collect();
        for edge in named("edge") {
            assert!(["source", "target"].iter().all(|end| nodes.contains(edge.attribute(*end).unwrap())));
        }
        let count = |list: &'static str, of: &'static str| {
            let said: usize = named(list).next().unwrap().attribute("count").unwrap().parse().unwrap();
            assert_eq!(said, named(of).count(), "{list}");
        };
        count("nodes", "node");
        count("edges", "edge");
        let mut types: BTreeMap<(&str, &str), &str> = BTreeMap::new();
        for list in named("attributes") {
            let class = list.attribute("class").unwrap();
            for attribute in list.children().filter(Node::is_element) {
                let key = (class, attribute.attribute("id").unwrap());
                assert!(types.insert(key, attribute.attribute("type").unwrap()).is_none(), "{key:?} twice");
            }
        }
        for value in named("attvalue") {
            let class = value.parent().and_then(|list| list.parent()).unwrap().tag_name().name();
            let text = value.attribute("value").unwrap();
            match types[&(class, value.attribute("for").unwrap())] {
                "boolean" => assert!(["true", "false"].contains(&text)),
                "long" => assert!(text.parse::<i64>().is_ok()),
                "double" => assert!(Kind::Float.fits(text)),
                other => assert_eq!(other, "string"),
            }
        }
        for edge in named("edge") {
            let weight = edge.attribute("weight").map(|weight| weight.parse::<f64>().unwrap());
            assert!(weight.is_none_or(|weight| weight > 0.0), "Gephi refuses weights of 0");
        }
    }
}

/// The aspects in the order of the specification: what others refer to comes first.
const ASPECTS: [&str; 9] = [
    "metaData",
    "attributeDeclarations",
    "networkAttributes",
    "nodes",
    "edges",
    "visualProperties",
    "nodeBypasses",
    "edgeBypasses",
    "visualEditorProperties",
];

/// Visual properties, and what their values must be.
const PROPERTIES: &[(&str, Kind)] = &[
    ("NETWORK_BACKGROUND_COLOR", COLOUR),
    (
        "NODE_SHAPE",
        Kind::OneOf(&["ellipse", "rectangle", "round-rectangle", "triangle", "diamond", "hexagon", "octagon", "vee"]),
    ),
    ("NODE_WIDTH", Kind::Length),
    ("NODE_HEIGHT", Kind::Length),
    ("NODE_BACKGROUND_COLOR", COLOUR),
    ("NODE_BORDER_COLOR", COLOUR),
    ("NODE_BORDER_WIDTH", Kind::Length),
    ("NODE_LABEL", Kind::Text),
    ("NODE_LABEL_COLOR", COLOUR),
    ("NODE_LABEL_FONT_SIZE", Kind::Length),
    ("EDGE_WIDTH", Kind::Length),
    ("EDGE_LINE_COLOR", COLOUR),
    ("EDGE_LINE_STYLE", Kind::OneOf(&["solid", "dashed", "dotted"])),
    ("EDGE_TARGET_ARROW_COLOR", COLOUR),
    (
        "EDGE_TARGET_ARROW_SHAPE",
        Kind::OneOf(&["none", "triangle", "tee", "circle", "diamond", "square", "arrow", "cross_delta"]),
    ),
];
/// Told apart by its letters.
const COLOUR: Kind = Kind::OneOf(&["#"]);

fn is_property(name: &str, value: &Json, scope: &str) {
    assert!(name.starts_with(&scope.to_uppercase()), "{name} in the scope {scope}");
    let (_, kind) = PROPERTIES.iter().find(|known| known.0 == name).unwrap_or_else(|| panic!("no property {name}"));
    match kind {
        Kind::OneOf(["#"]) => {
            let text = value.as_str().unwrap();
            let digits = text.strip_prefix('#').unwrap();
            assert!(digits.len() == 6 && digits.chars().all(|digit| digit.is_ascii_hexdigit()), "{name}: {text}");
        }
        Kind::Length => {
            assert!(value.as_f64().is_some_and(|number| number >= 0.0), "{name}: {value} is no JSON number")
        }
        kind => assert!(kind.fits(value.as_str().unwrap()), "{name}: {value}"),
    }
}

fn keys(object: &Map<String, Json>, allowed: &[&str]) {
    for key in object.keys() {
        assert!(allowed.contains(&key.as_str()), "{key} is none of {allowed:?}");
    }
}

#[test]
fn cx2_keeps_every_rule_of_the_specification() {
    for contents in all() {
        let json: Json = serde_json::from_str(&written(NetworkFormat::Cx2, &contents)).unwrap();
        let list = json.as_array().unwrap();
        // The descriptor, then one object per aspect in order, then the status.
        let first = list[0].as_object().unwrap();
        keys(first, &["CXVersion", "hasFragments"]);
        assert_eq!((first["CXVersion"].as_str(), first["hasFragments"].as_bool()), (Some("2.0"), Some(false)));
        let names: Vec<&str> = list[1..]
            .iter()
            .map(|aspect| {
                let aspect = aspect.as_object().unwrap();
                assert_eq!(aspect.len(), 1, "one aspect each");
                aspect.keys().next().unwrap().as_str()
            })
            .collect();
        assert_eq!(names, [&ASPECTS[..], &["status"]].concat());
        let status = list.last().unwrap()["status"].as_array().unwrap();
        assert!(status.len() == 1 && status[0]["success"] == Json::Bool(true));
        let aspect = |name: &str| {
            let found = list.iter().find_map(|aspect| aspect.get(name));
            found.unwrap().as_array().unwrap().clone()
        };
        // The metadata count every aspect but themselves.
        let meta: BTreeMap<String, u64> = aspect("metaData")
            .iter()
            .map(|meta| (meta["name"].as_str().unwrap().to_owned(), meta["elementCount"].as_u64().unwrap()))
            .collect();
        for name in &ASPECTS[1..] {
            assert_eq!(meta.get(*name), Some(&(aspect(name).len() as u64)), "{name}");
        }
        assert_eq!(meta.len(), ASPECTS.len() - 1);

        // Declarations: one element; types that CX2 has; network attributes declared too.
        assert_eq!(aspect("attributeDeclarations").len(), 1);
        let declared = aspect("attributeDeclarations")[0].as_object().unwrap().clone();
        keys(&declared, &["networkAttributes", "nodes", "edges"]);
        for (scope, attributes) in &declared {
            for (name, how) in attributes.as_object().unwrap() {
                assert!(!name.is_empty(), "{scope}");
                keys(how.as_object().unwrap(), &["d", "a", "v"]);
                let types = ["string", "double", "integer", "long", "boolean"];
                assert!(types.contains(&how["d"].as_str().unwrap()), "{scope} {name}: {how}");
            }
        }
        for name in aspect("networkAttributes")[0].as_object().unwrap().keys() {
            assert!(declared["networkAttributes"].get(name).is_some(), "{name}");
        }
        let typed = |scope: &str, values: &Json| {
            for (name, value) in values.as_object().unwrap() {
                let fits = match declared[scope][name]["d"].as_str() {
                    Some("string") => value.is_string(),
                    Some("double") => value.is_number(),
                    Some("integer") => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
                    Some("long") => value.is_i64(),
                    Some("boolean") => value.is_boolean(),
                    other => panic!("{scope} {name} is declared as {other:?}"),
                };
                assert!(fits, "{scope} {name}: {value}");
            }
        };
        let ids = |name: &str, allowed: &[&str], scope: &str| -> BTreeSet<i64> {
            let elements = aspect(name);
            let ids = elements.iter().map(|element| {
                keys(element.as_object().unwrap(), allowed);
                typed(scope, &element["v"]);
                element["id"].as_i64().unwrap()
            });
            let ids: Vec<i64> = ids.collect();
            let distinct: BTreeSet<i64> = ids.iter().copied().collect();
            assert!(distinct.len() == ids.len() && distinct.iter().all(|id| *id >= 0), "{name}");
            distinct
        };
        let nodes = ids("nodes", &["id", "x", "y", "z", "v"], "nodes");
        let edges = ids("edges", &["id", "s", "t", "v"], "edges");
        for node in aspect("nodes") {
            assert_eq!(node.get("x").is_some(), node.get("y").is_some());
            assert!(["x", "y"].iter().all(|axis| node.get(*axis).is_none_or(Json::is_number)));
        }
        for edge in aspect("edges") {
            assert!(["s", "t"].iter().all(|end| nodes.contains(&edge[*end].as_i64().unwrap())));
        }

        // Style: known properties with fitting values, mappings of declared attributes, bypasses of what is there.
        assert_eq!(aspect("visualProperties").len(), 1);
        let style = aspect("visualProperties")[0].as_object().unwrap().clone();
        keys(&style, &["default", "nodeMapping", "edgeMapping"]);
        for (scope, properties) in style["default"].as_object().unwrap() {
            assert!(["network", "node", "edge"].contains(&scope.as_str()));
            properties.as_object().unwrap().iter().for_each(|(name, value)| is_property(name, value, scope));
        }
        for (scope, of, mapping) in [("node", "nodes", "nodeMapping"), ("edge", "edges", "edgeMapping")] {
            for (property, mapping) in style[mapping].as_object().unwrap() {
                keys(mapping.as_object().unwrap(), &["type", "definition"]);
                let definition = mapping["definition"].as_object().unwrap();
                let attribute = definition["attribute"].as_str().unwrap();
                let kind = declared[of][attribute]["d"].as_str().unwrap();
                assert!(definition.get("type").is_none_or(|said| said == kind), "{property}");
                match mapping["type"].as_str().unwrap() {
                    "PASSTHROUGH" => keys(definition, &["attribute", "type"]),
                    "DISCRETE" => {
                        keys(definition, &["attribute", "type", "map"]);
                        for entry in definition["map"].as_array().unwrap() {
                            keys(entry.as_object().unwrap(), &["v", "vp"]);
                            is_property(property, &entry["vp"], scope);
                        }
                    }
                    other => panic!("{property} is mapped by {other}"),
                }
            }
            let known = if scope == "node" { &nodes } else { &edges };
            let bypasses = aspect(&format!("{scope}Bypasses"));
            let mut seen = BTreeSet::new();
            for bypass in bypasses {
                keys(bypass.as_object().unwrap(), &["id", "v"]);
                let id = bypass["id"].as_i64().unwrap();
                assert!(known.contains(&id) && seen.insert(id), "{scope} {id}");
                bypass["v"].as_object().unwrap().iter().for_each(|(name, value)| is_property(name, value, scope));
            }
        }
        // Signs are arrows and tees in Cytoscape, in the colours of the program.
        let arrows = style["edgeMapping"].get("EDGE_TARGET_ARROW_SHAPE");
        assert_eq!(arrows.is_some(), contents.edge_column("sign").is_some());
        if let Some(arrows) = arrows {
            let map = serde_json::json!([{"v": "+", "vp": "triangle"}, {"v": "-", "vp": "tee"}]);
            assert_eq!(arrows["definition"]["map"], map);
        }
        assert_eq!(style["nodeMapping"]["NODE_LABEL"]["definition"]["attribute"], "name");
    }
}

#[test]
fn the_style_that_cytoscape_writes_is_read() {
    // Mappings from attributes, discrete and continuous, a bypass, and what is usual for the rest.
    let text = r##"[{"CXVersion": "2.0", "hasFragments": false},
        {"attributeDeclarations": [{"nodes": {"name": {"d": "string"}, "kind": {"d": "string"}, "score": {"d": "double"}},
                                    "edges": {"weight": {"d": "double"}, "interaction": {"d": "string"}}}]},
        {"nodes": [{"id": 1, "x": 0.0, "y": 5.0, "v": {"name": "A", "kind": "tf", "score": 0.0}},
                   {"id": 2, "x": 9.0, "y": 5.0, "v": {"name": "B", "kind": "other", "score": 5.0}},
                   {"id": 3, "x": 9.0, "y": 9.0, "v": {"name": "C", "kind": "tf", "score": 99.0}}]},
        {"edges": [{"id": 7, "s": 1, "t": 2, "v": {"weight": 0.5, "interaction": "activates"}},
                   {"id": 8, "s": 2, "t": 3, "v": {"weight": 2.0, "interaction": "inhibits"}}]},
        {"visualProperties": [{
            "default": {"node": {"NODE_BACKGROUND_COLOR": "#111111", "NODE_WIDTH": 75.0}, "edge": {"EDGE_WIDTH": 2.0}},
            "nodeMapping": {
                "NODE_BACKGROUND_COLOR": {"type": "DISCRETE", "definition": {"attribute": "kind",
                    "map": [{"v": "tf", "vp": "#FF8000"}]}},
                "NODE_WIDTH": {"type": "CONTINUOUS", "definition": {"attribute": "score", "map": [
                    {"max": 0.0, "maxVPValue": 20.0, "includeMax": false},
                    {"min": 0.0, "max": 10.0, "minVPValue": 20.0, "maxVPValue": 40.0, "includeMin": true, "includeMax": true},
                    {"min": 10.0, "minVPValue": 60.0, "includeMin": false}]}}},
            "edgeMapping": {
                "EDGE_LINE_COLOR": {"type": "DISCRETE", "definition": {"attribute": "interaction",
                    "map": [{"v": "inhibits", "vp": "#FF0000"}]}},
                "EDGE_WIDTH": {"type": "PASSTHROUGH", "definition": {"attribute": "weight"}}}}]},
        {"nodeBypasses": [{"id": 2, "v": {"NODE_BACKGROUND_COLOR": "#0000FF"}}]},
        {"status": [{"success": true}]}]"##;
    let contents = super::cx2::read(text, "x").unwrap();
    let fills: Vec<_> = contents.nodes.iter().map(|node| node.fill.unwrap()).collect();
    assert_eq!(fills, [[0xFF, 0x80, 0], [0, 0, 0xFF], [0xFF, 0x80, 0]]);
    let sizes: Vec<_> = contents.nodes.iter().map(|node| node.size.unwrap()).collect();
    assert_eq!(sizes, [20.0, 30.0, 60.0]);
    let widths: Vec<_> = contents.edges.iter().map(|edge| edge.width.unwrap()).collect();
    assert_eq!(widths, [0.5, 2.0]);
    // Signs have their own colours here.
    assert!(contents.edges.iter().all(|edge| edge.colour.is_none()));
    assert_eq!(contents.signs(), [Sign::Activates, Sign::Represses]);
}
