//! SIF, the simple interaction format: `regulator relation target …`, one line each; a lone name is a gene without edges.

use std::io::Write;

use super::FormatError;
use super::contents::{Builder, NetworkContents, Value, sign_of_word};
use super::error::shown;
use crate::network::Sign;

/// Relations that Cytoscape's own files have beside those that say a sign.
const RELATIONS: [&str; 8] = ["pp", "pd", "pr", "rc", "cr", "gl", "pm", "mp"];

/// Whether the first lines of a text are those of a SIF file: a gene, a known relation, and other genes.
pub(super) fn looks_like_edges(lines: &[&str]) -> bool {
    let tabs = lines.iter().any(|line| line.contains('\t'));
    let filled = lines.iter().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).take(50);
    let mut related = false;
    for line in filled {
        let fields: Vec<&str> =
            if tabs { line.split('\t').map(str::trim).collect() } else { line.split_whitespace().collect() };
        let fields: Vec<&str> = fields.into_iter().filter(|field| !field.is_empty()).collect();
        let known = |word: &str| {
            let said = word.parse::<f64>().is_err() && sign_of_word(word).is_some();
            said || RELATIONS.iter().any(|relation| relation.eq_ignore_ascii_case(word))
        };
        match fields[..] {
            [_] => {}
            [_, relation, _, ..] if known(relation) => related = true,
            _ => return false,
        }
    }
    related
}

pub(super) fn read(text: &str, name: &str) -> Result<NetworkContents, FormatError> {
    // As Cytoscape reads it: one tab anywhere, and only tabs separate.
    let tabs = text.contains('\t');
    let mut builder = Builder::new(name);
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let fields: Vec<&str> = if tabs {
            line.split('\t').map(str::trim).filter(|field| !field.is_empty()).collect()
        } else {
            line.split_whitespace().collect()
        };
        match fields[..] {
            [] => {}
            [gene] => {
                builder.node(gene);
            }
            [_, _] => {
                let place = format!("line {}", number + 1);
                let expected = "a gene, its relation and at least one other gene, or a gene alone";
                return Err(FormatError::unexpected(place, shown(line), expected));
            }
            [regulator, relation, ref targets @ ..] => {
                let from = builder.node(regulator);
                for target in targets {
                    let to = builder.node(target);
                    let edge = builder.edge(from, to);
                    builder.set_edge(edge, "interaction", Value::Text(relation.to_owned()));
                }
            }
        }
    }
    Ok(builder.finish())
}

pub(super) fn write(contents: &NetworkContents, out: &mut dyn Write) -> Result<(), FormatError> {
    for node in &contents.nodes {
        if node.symbol.is_empty() || node.symbol.contains(['\t', '\n', '\r']) || node.symbol.starts_with('#') {
            return Err(FormatError::Name { name: node.symbol.clone(), format: "SIF" });
        }
    }
    let mut alone = vec![true; contents.nodes.len()];
    for (edge, sign) in contents.edges.iter().zip(contents.signs()) {
        let symbol = |node: usize| &contents.nodes[node].symbol;
        writeln!(out, "{}\t{}\t{}", symbol(edge.from), relation(sign), symbol(edge.to))?;
        (alone[edge.from], alone[edge.to]) = (false, false);
    }
    // A tab at the end keeps a name with blanks in one piece where no edge has tabs.
    for (node, _) in contents.nodes.iter().zip(alone).filter(|(_, alone)| *alone) {
        writeln!(out, "{}{}", node.symbol, if contents.edges.is_empty() { "\t" } else { "" })?;
    }
    Ok(())
}

/// The relation's word.
pub(super) fn relation(sign: Sign) -> &'static str {
    match sign {
        Sign::Activates => "activates",
        Sign::Represses => "represses",
        Sign::Unknown => "regulates",
    }
}
