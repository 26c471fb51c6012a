use super::*;
use crate::jobs::Silent;
use crate::network::{Edge, GeneId, Grn, NetworkGene, Sign, SignEvidence, fixtures};

/// A network with everything: signs, a loop, both directions, names that need escaping.
pub(super) fn contents() -> NetworkContents {
    let gene = |symbol: &str, measured, perturbed_cells, knock_down| NetworkGene {
        symbol: symbol.to_owned(),
        measured,
        perturbed_cells,
        knock_down,
    };
    let genes = vec![
        gene("JAK2", true, 120, Some(-1.25)),
        gene("STAT1", true, 0, None),
        gene("HLA-A", true, 0, None),
        gene("A \"quoted\" <gene> & 'more'", false, 7, Some(1e-7)),
        gene("ALONE", true, 0, None),
    ];
    let edge = |regulator, target, probability, sign, evidence, shift| Edge {
        sign,
        evidence,
        shift,
        false_discovery_rate: shift.map(|shift: f32| shift.abs() / 5.0),
        ..fixtures::edge(regulator, target, probability)
    };
    let edges = vec![
        edge(0, 1, 0.912_345_7, Sign::Activates, SignEvidence::Measured, Some(-1.25)),
        edge(1, 0, 0.75, Sign::Represses, SignEvidence::Predicted, Some(1e-7)),
        edge(1, 1, 0.5, Sign::Unknown, SignEvidence::None, None),
        edge(3, 2, 0.5, Sign::Represses, SignEvidence::Reference, None),
    ];
    let grn = Grn::new(genes, edges).unwrap();
    let mut contents = NetworkContents::of("My network", &grn, grn.edges());
    let statistics = crate::network::statistics::GeneStatistics::of(&grn, grn.edges(), 0, &Silent).unwrap();
    contents.add_statistics(&grn, &statistics);
    contents.add_gene_numbers(&grn, "predicted_shift", |gene| (gene.0 != 1).then_some(f64::from(gene.0) / 8.0));
    for (at, node) in contents.nodes.iter_mut().enumerate() {
        node.position = Some([10.5 * at as f32, -3.25 * at as f32]);
        node.fill = Some([at as u8, 0x80, 0xFF]);
        node.size = Some(9.0 + at as f32 * 4.5);
    }
    for (at, edge) in contents.edges.iter_mut().enumerate() {
        edge.colour = Some([0x0B, 0x7A, at as u8]);
        edge.width = Some(0.5 + at as f32);
    }
    contents
}

pub(super) fn written(format: NetworkFormat, contents: &NetworkContents) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("net.{}", format.extension()));
    write(&path, format, contents).unwrap();
    std::fs::read_to_string(path).unwrap()
}

fn read_text(format: NetworkFormat, text: &str) -> Result<NetworkContents, FormatError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("net.{}", format.extension()));
    std::fs::write(&path, text).unwrap();
    read(&path, &Silent).map(|(contents, _)| contents)
}

#[test]
fn the_ending_tells_the_format() {
    let of = |name: &str| NetworkFormat::of(Path::new(name));
    assert_eq!(of("a/b.GraphML").unwrap(), NetworkFormat::GraphMl);
    assert_eq!(of("a/b.tsv.gz").unwrap(), NetworkFormat::Table);
    assert_eq!(of("x.gv").unwrap(), NetworkFormat::Dot);
    assert_eq!(
        of("a/b.xls").unwrap_err().to_string(),
        ".xls is no format of networks; expected one of .tsv, .sif, .graphml, .gexf, .cx2, .dot, .json"
    );
    assert!(of("a/net").unwrap_err().to_string().starts_with("a name without ending"));
}

#[test]
fn rich_formats_give_everything_back() {
    let contents = contents();
    for format in [NetworkFormat::Gexf, NetworkFormat::Cx2, NetworkFormat::Dot] {
        let mut read = read_text(format, &written(format, &contents)).unwrap();
        if format == NetworkFormat::Dot {
            // Inches and back.
            for (read, node) in read.nodes.iter_mut().zip(&contents.nodes) {
                assert!((read.size.unwrap() - node.size.unwrap()).abs() < 1e-4);
                read.size = node.size;
            }
        }
        assert_eq!(read, contents, "{format:?}");
    }
}

#[test]
fn formats_without_style_give_the_rest_back() {
    let mut contents = contents();
    for node in &mut contents.nodes {
        (node.fill, node.size) = (None, None);
    }
    for edge in &mut contents.edges {
        (edge.colour, edge.width) = (None, None);
    }
    for format in [NetworkFormat::GraphMl, NetworkFormat::Json] {
        let mut read = read_text(format, &written(format, &contents)).unwrap();
        read.name.clone_from(&contents.name);
        for column in read.node_columns.iter_mut().chain(&mut read.edge_columns) {
            let original = contents.node_columns.iter().chain(&contents.edge_columns);
            let original = original.into_iter().find(|original| original.name == column.name).unwrap();
            assert_eq!(column, original, "{format:?}");
        }
        (read.node_columns, read.edge_columns) = (contents.node_columns.clone(), contents.edge_columns.clone());
        assert_eq!(read, contents, "{format:?}");
    }
}

#[test]
fn every_format_gives_the_same_network_back() {
    let contents = contents();
    let (grn, _) = contents.to_grn().unwrap();
    for format in NetworkFormat::ALL {
        let (read, _) = read_text(format, &written(format, &contents)).unwrap().to_grn().unwrap();
        for edge in grn.edges() {
            let find = |gene: GeneId| read.find(grn.symbol(gene)).unwrap();
            let found = read.edge(find(edge.regulator), find(edge.target)).unwrap();
            assert_eq!(found.sign, edge.sign, "{format:?}");
            if format != NetworkFormat::Sif {
                assert_eq!((found.probability, found.rank), (edge.probability, edge.rank), "{format:?}");
                assert_eq!((found.evidence, found.shift), (edge.evidence, edge.shift), "{format:?}");
                assert_eq!(found.false_discovery_rate, edge.false_discovery_rate, "{format:?}");
            }
        }
        assert_eq!(read.edges().len(), grn.edges().len());
        if !matches!(format, NetworkFormat::Sif | NetworkFormat::Table) {
            let mut genes = read.genes().to_vec();
            genes.sort_by_key(|gene| grn.find(&gene.symbol).unwrap());
            assert_eq!(genes, grn.genes(), "{format:?}");
        }
    }
}

#[test]
fn empty_networks_are_written_and_read() {
    for format in NetworkFormat::ALL {
        let empty = NetworkContents::of("Nothing", &Grn::default(), &[]);
        let read = read_text(format, &written(format, &empty)).unwrap();
        assert!(read.nodes.is_empty() && read.edges.is_empty(), "{format:?}");
    }
}

#[test]
fn gexf_keeps_to_the_schema() {
    let text = written(NetworkFormat::Gexf, &contents());
    let tree = roxmltree::Document::parse(&text).unwrap();
    let root = tree.root_element();
    let (core, viz) = ("http://gexf.net/1.3", "http://gexf.net/1.3/viz");
    assert!(root.has_tag_name((core, "gexf")));
    assert_eq!(root.attribute("version"), Some("1.3"));
    let children = |node: roxmltree::Node<'_, '_>| -> Vec<String> {
        let elements = node.children().filter(roxmltree::Node::is_element);
        elements.map(|element| element.tag_name().name().to_owned()).collect()
    };
    assert_eq!(children(root), ["meta", "graph"], "at most one meta, then one graph");
    let graph = root.children().find(|node| node.has_tag_name((core, "graph"))).unwrap();
    assert_eq!((graph.attribute("mode"), graph.attribute("defaultedgetype")), (Some("static"), Some("directed")));
    assert_eq!(children(graph), ["attributes", "attributes", "nodes", "edges"]);
    let types = ["integer", "long", "double", "float", "boolean", "string", "short", "byte", "anyURI"];
    let mut declared = std::collections::BTreeMap::new();
    for list in graph.children().filter(|node| node.has_tag_name((core, "attributes"))) {
        let class = list.attribute("class").unwrap();
        assert!(["node", "edge"].contains(&class));
        for attribute in list.children().filter(roxmltree::Node::is_element) {
            assert!(attribute.attribute("title").is_some() && types.contains(&attribute.attribute("type").unwrap()));
            let id = (class, attribute.attribute("id").unwrap());
            assert!(declared.insert(id, attribute.attribute("type").unwrap()).is_none(), "ids are unique");
        }
    }
    let mut ids = std::collections::BTreeSet::new();
    for node in graph.descendants().filter(|node| node.has_tag_name((core, "node"))) {
        assert!(ids.insert(node.attribute("id").unwrap()) && node.attribute("label").is_some());
        assert_eq!(children(node), ["attvalues", "color", "position", "size"]);
        for seen in node.children().filter(|child| child.tag_name().namespace() == Some(viz)) {
            let number = |name: &str| seen.attribute(name).unwrap().parse::<f32>().unwrap();
            match seen.tag_name().name() {
                "color" => assert!(["r", "g", "b"].into_iter().all(|part| (0.0..=255.0).contains(&number(part)))),
                "position" => assert!(["x", "y", "z"].into_iter().all(|axis| number(axis).is_finite())),
                "size" => assert!(number("value") >= 0.0),
                other => panic!("{other}"),
            }
        }
    }
    let edges: Vec<_> = graph.descendants().filter(|node| node.has_tag_name((core, "edge"))).collect();
    for edge in &edges {
        assert!(ids.contains(edge.attribute("source").unwrap()) && ids.contains(edge.attribute("target").unwrap()));
        assert!(edge.attribute("weight").unwrap().parse::<f64>().unwrap() > 0.0, "Gephi refuses weights of 0");
    }
    let mut numbers: Vec<&str> = edges.iter().map(|edge| edge.attribute("id").unwrap()).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), 4);
    for value in graph.descendants().filter(|node| node.has_tag_name((core, "attvalue"))) {
        let class = value.parent().and_then(|list| list.parent()).unwrap().tag_name().name();
        let (kind, text) = (declared[&(class, value.attribute("for").unwrap())], value.attribute("value").unwrap());
        match kind {
            "boolean" => assert!(text == "true" || text == "false"),
            "long" => assert!(text.parse::<i64>().is_ok(), "{text}"),
            "double" => assert!(text.parse::<f64>().is_ok(), "{text}"),
            _ => {}
        }
    }
}

#[test]
fn cx2_keeps_to_the_specification() {
    let contents = contents();
    let json: serde_json::Value = serde_json::from_str(&written(NetworkFormat::Cx2, &contents)).unwrap();
    let list = json.as_array().unwrap();
    assert_eq!(list[0], serde_json::json!({"CXVersion": "2.0", "hasFragments": false}));
    assert!(list[1].get("metaData").is_some(), "meta data come first");
    assert_eq!(list.last().unwrap(), &serde_json::json!({"status": [{"success": true}]}));
    let aspect = |name: &str| -> Vec<serde_json::Value> {
        let found: Vec<_> = list.iter().filter_map(|aspect| aspect.get(name)).collect();
        assert_eq!(found.len(), 1, "{name} once");
        found[0].as_array().unwrap().clone()
    };
    for meta in aspect("metaData") {
        let count = meta["elementCount"].as_u64().unwrap();
        assert_eq!(aspect(meta["name"].as_str().unwrap()).len() as u64, count, "{meta}");
    }
    let declared = &aspect("attributeDeclarations")[0];
    let fits = |scope: &str, element: &serde_json::Value| {
        for (name, value) in element["v"].as_object().unwrap() {
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
    let mut ids = std::collections::BTreeSet::new();
    for node in aspect("nodes") {
        assert!(ids.insert(node["id"].as_u64().unwrap()), "ids are unique whole numbers");
        assert!(node["x"].is_number() && node["y"].is_number() && node["v"]["name"].is_string());
        fits("nodes", &node);
    }
    let mut edges = std::collections::BTreeSet::new();
    for edge in aspect("edges") {
        assert!(edges.insert(edge["id"].as_u64().unwrap()));
        assert!(ids.contains(&edge["s"].as_u64().unwrap()) && ids.contains(&edge["t"].as_u64().unwrap()));
        fits("edges", &edge);
    }
    let style = &aspect("visualProperties")[0];
    assert!(["network", "node", "edge"].iter().all(|scope| style["default"][scope].is_object()));
    for (scope, mapping) in [("nodes", &style["nodeMapping"]), ("edges", &style["edgeMapping"])] {
        for (property, mapping) in mapping.as_object().unwrap() {
            assert!(["PASSTHROUGH", "DISCRETE", "CONTINUOUS"].contains(&mapping["type"].as_str().unwrap()));
            let attribute = mapping["definition"]["attribute"].as_str().unwrap();
            assert!(declared[scope].get(attribute).is_some(), "{property} follows {attribute}");
        }
    }
    let arrows = style["edgeMapping"]["EDGE_TARGET_ARROW_SHAPE"]["definition"]["map"].clone();
    assert_eq!(arrows, serde_json::json!([{"v": "+", "vp": "triangle"}, {"v": "-", "vp": "tee"}]));
    for bypass in aspect("nodeBypasses") {
        assert!(ids.contains(&bypass["id"].as_u64().unwrap()));
        assert!(bypass["v"]["NODE_BACKGROUND_COLOR"].as_str().unwrap().len() == 7);
        assert_eq!(bypass["v"]["NODE_WIDTH"], bypass["v"]["NODE_HEIGHT"]);
    }
    for bypass in aspect("edgeBypasses") {
        assert!(edges.contains(&bypass["id"].as_u64().unwrap()) && bypass["v"]["EDGE_WIDTH"].is_number());
    }
}

#[test]
fn what_is_no_network_is_told_with_its_line() {
    use NetworkFormat::{Cx2, Dot, Gexf, GraphMl, Json, Sif, Table};
    let cases = [
        (Sif, "A\tactivates\tB\nA\tactivates\n", "line 2: found \"A activates\""),
        (GraphMl, "<graphml><graph>\n<node/>\n</graph></graphml>", "line 2: found <node> without id"),
        (
            GraphMl,
            "<graphml><graph><node id='a'/>\n<edge source='a' target='b'/></graph></graphml>",
            "line 2: found an edge at \"b\"",
        ),
        (GraphMl, "<graphml><graph><node id='a'/>\n<node id='a'/></graph></graphml>", "line 2: found node \"a\" again"),
        (
            GraphMl,
            "<graphml><key id='d' for='node' attr.name='w' attr.type='double'/><graph><node id='a'>\n<data key='d'>x</data></node></graph></graphml>",
            "line 2: found \"x\" as w, expected a number",
        ),
        (GraphMl, "<graphml><graph>\n<node id='a'>\n</graph></graphml>", "this is no GraphML file"),
        (GraphMl, "<svg/>", "this is no GraphML file: it begins with <svg>"),
        (Gexf, "<gexf><graph><nodes>\n<node label='a'/></nodes></graph></gexf>", "line 2: found <node> without id"),
        (Gexf, "<gexf/>", "this is no GEXF file"),
        (Cx2, "[{\"CXVersion\": \"2.0\"},\n {\"nodes\": [{\"x\": 1}]}]", "node 1: found"),
        (Cx2, "[{\"CXVersion\": \"1.0\"}]", "it is CX version 1.0"),
        (
            Cx2,
            "[{\"CXVersion\": \"2.0\"}, {\"nodes\": [{\"id\": 1}]}, {\"edges\": [{\"s\": 1, \"t\": 2}]}]",
            "edge 1: found \"2\"",
        ),
        (Cx2, "{}", "it is no list of aspects"),
        (Dot, "digraph {\n a -> ;\n}", "line 2: found ';', expected a node"),
        (Dot, "digraph {\n a -> b [x=\n", "line 2: found the end of the file, expected a value"),
        (Dot, "digraph {\n a -- b;\n}", "line 2: found ';', expected \"->\" in a digraph"),
        (Dot, "digraph {\n \"a", "line 2: found a text without closing quote"),
        (Dot, "network", "expected \"digraph\" or \"graph\""),
        (Json, "{\"nodes\": [{}], \"edges\": []}", "node 1: found \"{}\", expected an object with an \"id\""),
        (Json, "{\"nodes\": [{\"id\": 1}], \"links\": [{\"source\": 1, \"target\": 7}]}", "edge 1: found target \"7\""),
        (Json, "{\"nodes\": [\n", "this is no node-link JSON file: EOF while parsing a list at line"),
        (Json, "[]", "there is no list \"nodes\""),
        (Table, "", "line 1: found nothing"),
        (Table, "only\n", "line 1: found \"only\""),
        (Table, "these are words of prose\n", "line 1: found \"these are words of prose\""),
        (Table, "regulator\ttarget\tprobability\nA\tB\tx\n", "line 2: found \"x\" as probability, expected a number"),
        (Table, "tf,target,mor\nA,,1\n", "line 2: found nothing as target"),
        (Table, "source\ttarget\tsign\nA\tB\tblue\n", "line 2: found \"blue\" as sign"),
    ];
    for (format, text, expected) in cases {
        let error = read_text(format, text).unwrap_err().to_string();
        assert!(error.contains(expected), "{format:?} {text:?}: {error}");
    }
}

#[test]
fn hostile_files_are_refused_in_time() {
    let deep = format!("<graphml><graph>{}</graph></graphml>", "<graph>".repeat(100_000));
    assert!(read_text(NetworkFormat::GraphMl, &deep).unwrap_err().to_string().contains("nested more than"));
    let deep = format!("digraph {{ {} }}", "{".repeat(100_000));
    assert!(read_text(NetworkFormat::Dot, &deep).unwrap_err().to_string().contains("subgraphs"));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(read_text(NetworkFormat::Json, &deep).unwrap_err().to_string().contains("recursion limit"));
    let laughs = "<!DOCTYPE graphml [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">]><graphml>&d;</graphml>";
    assert!(read_text(NetworkFormat::GraphMl, laughs).is_err());
    let many = format!(
        "graph {{ {{ {} }} -- {{ {} }} }}",
        (0..4_000).map(|at| format!("a{at} ")).collect::<String>(),
        (0..4_000).map(|at| format!("b{at} ")).collect::<String>()
    );
    assert!(read_text(NetworkFormat::Dot, &many).unwrap_err().to_string().contains("10 million edges"));
}

#[test]
fn any_damage_is_an_error_or_a_network_never_a_panic() {
    use rand::RngExt as _;
    let mut random = crate::random::stream(3, "damage");
    for format in NetworkFormat::ALL {
        let whole = written(format, &contents()).into_bytes();
        for _ in 0..200 {
            let mut damaged = whole.clone();
            for _ in 0..random.random_range(1..4) {
                let at = random.random_range(0..damaged.len().max(2) - 1);
                match random.random_range(0..3) {
                    0 => damaged[at] = random.random_range(0..=255),
                    1 if damaged.len() > 2 => drop(damaged.remove(at)),
                    _ => damaged.truncate(at.max(2)),
                }
            }
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(format!("net.{}", format.extension()));
            std::fs::write(&path, &damaged).unwrap();
            if let Ok((contents, _)) = read(&path, &Silent) {
                let _ = contents.to_grn();
            }
        }
    }
}

#[test]
fn compressed_files_are_read() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.sif.gz");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(b"A activates B C\nD\n").unwrap();
    std::fs::write(&path, gzip.finish().unwrap()).unwrap();
    let (contents, _) = read(&path, &Silent).unwrap();
    assert_eq!((contents.name.as_str(), contents.nodes.len(), contents.edges.len()), ("net", 4, 2));
    assert_eq!(contents.signs(), [Sign::Activates; 2]);
}

#[test]
fn names_that_a_format_cannot_hold_are_refused() {
    let mut contents = contents();
    contents.nodes[0].symbol = "two\tparts".to_owned();
    let folder = tempfile::tempdir().unwrap();
    let error = write(&folder.path().join("a.sif"), NetworkFormat::Sif, &contents).unwrap_err().to_string();
    assert!(error.contains("cannot be written as SIF"), "{error}");
}

#[test]
fn weights_become_probabilities_and_repeated_edges_one() {
    let text = "source,target,score\nA,B,500\nB,C,1000\nA,B,250\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.csv");
    std::fs::write(&path, text).unwrap();
    let (grn, reading) = read(&path, &Silent).unwrap().0.to_grn().unwrap();
    assert_eq!(reading, Reading { repeated: 1, scaled: Some("score".to_owned()), unweighted: false });
    let edges: Vec<(&str, f32)> = grn.edges().iter().map(|edge| (grn.symbol(edge.target), edge.probability)).collect();
    assert_eq!(edges, [("C", 1.0), ("B", 0.5)]);
}

#[test]
fn what_other_programs_write_is_read() {
    // As Cytoscape writes GraphML: numbered nodes with their names in an attribute.
    let text = "<graphml xmlns='http://graphml.graphdrawing.org/xmlns'><key id='name' for='node' attr.name='name' attr.type='string'/>\
                <key id='interaction' for='edge' attr.name='interaction' attr.type='string'/><graph edgedefault='directed' id='Net'>\
                <node id='62'><data key='name'>MYC</data></node><node id='63'><data key='name'>TERT</data></node>\
                <edge source='62' target='63'><data key='interaction'>inhibits</data></edge></graph></graphml>";
    let contents = read_text(NetworkFormat::GraphMl, text).unwrap();
    assert_eq!((contents.nodes[0].symbol.as_str(), contents.name.as_str()), ("MYC", "Net"));
    assert_eq!(contents.signs(), [Sign::Represses]);
    // DOT by hand.
    let text = "/* c */ strict digraph net {\n rankdir=LR; node [shape=box]\n subgraph cluster_0 { A; B }\n A -> {B C} -> D:n [weight=2]\n\
                # comment\n \"E \\\"x\\\"\" -> A [arrowhead=tee] // end\n 3.14 -> -1 [label=<b<i>x</i>>]\n}";
    let contents = read_text(NetworkFormat::Dot, text).unwrap();
    let symbols: Vec<&str> = contents.nodes.iter().map(|node| node.symbol.as_str()).collect();
    assert_eq!(symbols, ["A", "B", "C", "D", "E \"x\"", "3.14", "-1"]);
    assert_eq!(contents.edges.len(), 6);
    assert_eq!(contents.signs()[4], Sign::Represses);
    // JSON as D3 and older networkx have it.
    let text = "{\"directed\": true, \"nodes\": [{\"id\": \"A\"}, {\"id\": \"B\", \"level\": 2}], \"links\": [{\"source\": \"A\", \"target\": \"B\", \"weight\": 0.5, \"key\": 0}]}";
    let contents = read_text(NetworkFormat::Json, text).unwrap();
    assert_eq!(contents.node_column("level").unwrap().values, [None, Some(Value::Integer(2))]);
    assert_eq!(contents.to_grn().unwrap().0.edges()[0].probability, 0.5);
    // CX2 with short names and defaults.
    let text = "[{\"CXVersion\": \"2.0\"}, {\"attributeDeclarations\": [{\"nodes\": {\"name\": {\"d\": \"string\", \"a\": \"n\"}, \
                \"kind\": {\"d\": \"string\", \"v\": \"gene\"}}}]}, {\"nodes\": [{\"id\": 5, \"v\": {\"n\": \"MYC\"}}]}]";
    let contents = read_text(NetworkFormat::Cx2, text).unwrap();
    assert_eq!(contents.nodes[0].symbol, "MYC");
    assert_eq!(contents.node_column("kind").unwrap().values, [Some(Value::Text("gene".to_owned()))]);
}
