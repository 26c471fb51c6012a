//! From tokens to a network. Defaults (`node [...]`) set no attributes: they say how things look.

use super::tokens::{Token, tokens};
use crate::network::formats::FormatError;
use crate::network::formats::contents::{Builder, NetworkContents, Value};

/// More subgraphs within subgraphs than anyone draws.
const DEEPEST: usize = 200;
/// Edges that one statement between groups may stand for.
const MOST_OF_ONE: usize = 10_000_000;
/// Attributes about drawing that mean nothing elsewhere.
const DRAWING: [&str; 13] = [
    "shape",
    "style",
    "fontsize",
    "fontname",
    "fontcolor",
    "fixedsize",
    "height",
    "lp",
    "label",
    "arrowsize",
    "color",
    "tooltip",
    "bb",
];

pub(in crate::network::formats) fn read(text: &str, name: &str) -> Result<NetworkContents, FormatError> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, builder: Builder::new(name) };
    parser.graph()?;
    let Parser { builder, .. } = parser;
    let mut contents = builder.finish_inferred();
    if contents.nodes.iter().all(|node| node.position.is_none()) {
        contents.place_nodes();
    }
    contents.name_nodes();
    Ok(contents)
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
    builder: Builder,
}

type Attributes = Vec<(String, String)>;

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn is_sign(&self, sign: char) -> bool {
        self.peek() == Some(&Token::Sign(sign))
    }

    fn takes_sign(&mut self, sign: char) -> bool {
        let found = self.is_sign(sign);
        self.at += usize::from(found);
        found
    }

    /// Whether the next token is the unquoted `word`, which is then taken.
    fn takes_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word { text, quoted: false }) if text.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn wrong(&self, expected: &str) -> FormatError {
        let last = self.tokens.last().map_or(1, |(_, line)| *line);
        let line = self.tokens.get(self.at).map_or(last, |(_, line)| *line);
        let found = self.peek().map_or_else(|| "the end of the file".to_owned(), Token::describe);
        FormatError::unexpected(format!("line {line}"), found, expected)
    }

    fn expect(&mut self, sign: char) -> Result<(), FormatError> {
        if self.takes_sign(sign) { Ok(()) } else { Err(self.wrong(&format!("{sign:?}"))) }
    }

    fn word(&mut self) -> Option<String> {
        let Some(Token::Word { text, .. }) = self.peek() else { return None };
        let text = text.clone();
        self.at += 1;
        Some(text)
    }

    fn graph(&mut self) -> Result<(), FormatError> {
        self.takes_word("strict");
        if self.takes_word("graph") {
            self.builder.contents().undirected = true;
        } else if !self.takes_word("digraph") {
            return Err(self.wrong("\"digraph\" or \"graph\""));
        }
        if let Some(name) = self.word().filter(|name| !name.is_empty()) {
            self.builder.contents().name = name;
        }
        self.expect('{')?;
        self.statements(0)?;
        if self.peek().is_some() {
            return Err(self.wrong("the end of the file; only the first graph of a file is read"));
        }
        Ok(())
    }

    /// Statements up to `}`; the nodes they name.
    fn statements(&mut self, depth: usize) -> Result<Vec<usize>, FormatError> {
        if depth > DEEPEST {
            return Err(self.wrong(&format!("at most {DEEPEST} subgraphs within each other")));
        }
        let mut nodes = Vec::new();
        loop {
            if self.takes_sign('}') {
                nodes.sort_unstable();
                nodes.dedup();
                return Ok(nodes);
            }
            if self.takes_sign(';') || self.takes_sign(',') {
                continue;
            }
            if self.peek().is_none() {
                return Err(self.wrong("\"}\""));
            }
            if ["graph", "node", "edge"].iter().any(|word| self.takes_word(word)) {
                self.attributes()?;
                continue;
            }
            nodes.extend(self.node_or_edges(depth)?);
        }
    }

    fn node_or_edges(&mut self, depth: usize) -> Result<Vec<usize>, FormatError> {
        if let (Some(Token::Word { .. }), Some((Token::Sign('='), _))) = (self.peek(), self.tokens.get(self.at + 1)) {
            self.at += 2;
            if self.word().is_none() {
                return Err(self.wrong("a value"));
            }
            return Ok(Vec::new());
        }
        let mut groups = vec![self.group(depth)?];
        let mut directions = Vec::new();
        while let Some(Token::Arrow { directed }) = self.peek() {
            directions.push(*directed);
            self.at += 1;
            groups.push(self.group(depth)?);
        }
        let attributes = self.attributes()?;
        if directions.is_empty() {
            for node in groups[0].clone() {
                self.set_node(node, &attributes);
            }
        }
        for (pair, directed) in groups.windows(2).zip(directions) {
            if directed == self.builder.contents().undirected {
                let expected = if directed { "\"--\" in a graph" } else { "\"->\" in a digraph" };
                return Err(self.wrong(expected));
            }
            if pair[0].len().saturating_mul(pair[1].len()) > MOST_OF_ONE {
                return Err(FormatError::TooLarge { most: "10 million edges in one statement" });
            }
            for &from in &pair[0] {
                for &to in &pair[1] {
                    let edge = self.builder.edge(from, to);
                    self.set_edge(edge, &attributes);
                }
            }
        }
        Ok(groups.concat())
    }

    /// A node, or the nodes of a subgraph.
    fn group(&mut self, depth: usize) -> Result<Vec<usize>, FormatError> {
        if self.takes_word("subgraph") {
            let _name = self.word();
            if !self.takes_sign('{') {
                return Err(self.wrong("\"{\""));
            }
            return self.statements(depth + 1);
        }
        if self.takes_sign('{') {
            return self.statements(depth + 1);
        }
        let Some(name) = self.word() else { return Err(self.wrong("a node")) };
        // A port, and a side: where an edge touches its node.
        while self.takes_sign(':') {
            if self.word().is_none() {
                return Err(self.wrong("the name of a port"));
            }
        }
        Ok(vec![self.builder.node(&name)])
    }

    fn attributes(&mut self) -> Result<Attributes, FormatError> {
        let mut attributes = Vec::new();
        while self.takes_sign('[') {
            while !self.takes_sign(']') {
                if self.takes_sign(';') || self.takes_sign(',') {
                    continue;
                }
                let Some(name) = self.word() else { return Err(self.wrong("an attribute or \"]\"")) };
                let value = if self.takes_sign('=') {
                    self.word().ok_or_else(|| self.wrong("a value"))?
                } else {
                    "true".to_owned()
                };
                attributes.push((name, value));
            }
        }
        Ok(attributes)
    }

    fn set_node(&mut self, node: usize, attributes: &Attributes) {
        for (name, value) in attributes {
            let look = &mut self.builder.contents().nodes[node];
            match name.as_str() {
                "pos" => look.position = position(value),
                "fillcolor" => look.fill = colour(value),
                "width" => look.size = value.parse().ok().map(|inches: f32| inches * 72.0),
                name if DRAWING.contains(&name) => {}
                name => self.builder.set_node(node, name, Value::Text(value.clone())),
            }
        }
    }

    fn set_edge(&mut self, edge: usize, attributes: &Attributes) {
        let signed = attributes.iter().any(|(name, _)| name == "sign");
        for (name, value) in attributes {
            let look = &mut self.builder.contents().edges[edge];
            match name.as_str() {
                "penwidth" => look.width = value.parse().ok(),
                "color" => look.colour = colour(value),
                "arrowhead" if signed || value != "tee" => {}
                "arrowhead" => self.builder.set_edge(edge, "sign", Value::Text("-".to_owned())),
                "pos" => {}
                name if DRAWING.contains(&name) => {}
                name => self.builder.set_edge(edge, name, Value::Text(value.clone())),
            }
        }
    }
}

/// `12.5,-3!` in points, y upwards.
fn position(text: &str) -> Option<[f32; 2]> {
    let mut parts = text.trim_end_matches('!').split(',').map(|part| part.trim().parse::<f32>().ok());
    let (x, y) = (parts.next()??, parts.next()??);
    (x.is_finite() && y.is_finite()).then_some([x, 0.0 - y])
}

fn colour(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let number = u32::from_str_radix(digits, 16).ok()?;
    Some([(number >> 16) as u8, (number >> 8) as u8, number as u8])
}
