//! What format a file has by its content, whatever it is called.

use std::path::Path;

use super::input::beginning_of;
use super::{FormatError, NetworkFormat, sif, table};

/// Bytes looked at, decompressed.
const BEGINNING: usize = 1 << 16;

/// The format of the network in `path`, told by how its content begins; none if it is no network. A table of numbers is
/// none, nor is one whose columns do not say that they hold regulators and targets.
///
/// # Errors
/// If it cannot be read.
pub fn format_of(path: &Path) -> Result<Option<NetworkFormat>, FormatError> {
    let (text, more) = beginning_of(path, BEGINNING)?;
    Ok(text.and_then(|text| sniff(&text, more)))
}

/// `more`: the text goes on, and its last line may be cut.
fn sniff(text: &str, more: bool) -> Option<NetworkFormat> {
    let start = text.trim_start();
    match start.chars().next()? {
        '<' => match root_of(start)? {
            "graphml" => Some(NetworkFormat::GraphMl),
            "gexf" => Some(NetworkFormat::Gexf),
            _ => None,
        },
        '[' => start.contains("\"CXVersion\"").then_some(NetworkFormat::Cx2),
        '{' => {
            let has = |key: &str| start.contains(&format!("\"{key}\""));
            (has("nodes") || has("links") || (has("directed") && has("edges"))).then_some(NetworkFormat::Json)
        }
        _ if is_dot(start) => Some(NetworkFormat::Dot),
        _ => {
            let mut lines: Vec<&str> = text.lines().collect();
            if more && lines.len() > 1 {
                lines.pop();
            }
            if table::looks_like_edges(&lines) {
                Some(NetworkFormat::Table)
            } else {
                sif::looks_like_edges(&lines).then_some(NetworkFormat::Sif)
            }
        }
    }
}

/// The name of the first element, without its prefix.
fn root_of(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let end = match () {
            () if rest.starts_with("<!--") => rest.find("-->")? + 3,
            () if rest.starts_with("<?") || rest.starts_with("<!") => rest.find('>')? + 1,
            () => break,
        };
        rest = &rest[end..];
    }
    let name = rest.strip_prefix('<')?;
    let name = &name[..name.find(|letter: char| letter.is_whitespace() || matches!(letter, '>' | '/'))?];
    Some(name.rsplit(':').next().unwrap_or(name))
}

/// `digraph {`, `strict graph "name" {`, behind comments.
fn is_dot(text: &str) -> bool {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let after = if rest.starts_with("/*") {
            rest.find("*/").map(|end| &rest[end + 2..])
        } else if rest.starts_with("//") || rest.starts_with('#') {
            rest.find('\n').map(|end| &rest[end + 1..])
        } else {
            break;
        };
        match after {
            Some(after) => rest = after,
            None => return false,
        }
    }
    let word = |text: &str| {
        let end = text.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(text.len());
        (text[..end].to_ascii_lowercase(), text[end..].trim_start().to_owned())
    };
    let (mut first, mut then) = word(rest);
    if first == "strict" {
        (first, then) = word(&then);
    }
    // A name may stand between the word and the brace, nothing else.
    let brace = then.find('{').filter(|at| !then[..*at].contains(['\t', ',', ';', '\n']) || then.starts_with('"'));
    matches!(first.as_str(), "graph" | "digraph") && brace.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_tells_the_format() {
        use NetworkFormat::{Cx2, Dot, Gexf, GraphMl, Json, Sif, Table};
        let cases = [
            ("<?xml version='1.0'?>\n<!-- <gexf> --><graphml xmlns='x'>", Some(GraphMl)),
            ("<!DOCTYPE g><g:gexf>", Some(Gexf)),
            ("<html><body>graphml</body></html>", None),
            ("[{\"CXVersion\": \"2.0\"}, {}]", Some(Cx2)),
            ("[1, 2]", None),
            ("{\"directed\": true, \"nodes\": []}", Some(Json)),
            ("{\"a\": 1}", None),
            ("/* x */ // y\n strict Digraph \"my, net\" {", Some(Dot)),
            ("graph{A -- B}", Some(Dot)),
            ("graph theory, an introduction\nfor {all}", None),
            ("regulator\ttarget\tsign\nA\tB\t+\n", Some(Table)),
            ("# made by me\nsource,target,weight\nA,B,1\n", Some(Table)),
            ("TF1 TF2\nA B\n", None),
            ("MYC\tTERT\tActivation\t1;2\nMYC\tMAX\tUnknown\t3\n", Some(Table)),
            ("A\tB\t0.5\nB\tC\t0.25\n", Some(Table)),
            ("A activates B\nB -| C\nD\n", Some(Sif)),
            ("A\tpp\tB\tC\n", Some(Sif)),
            // Counts of genes that are called so are no edges; nor are words.
            (",Gene1,Gene2\ncell1,0,3\n", None),
            ("\tG1\tG2\nc1\t0\t3\n", None),
            ("cell\tcluster\nAAAC\tT\n", None),
            ("just some words\nand others\n, so what", None),
            ("", None),
        ];
        for (text, format) in cases {
            assert_eq!(sniff(text, false), format, "{text:?}");
        }
    }
}
