//! What a file of any format carries: nodes and edges, columns of attributes, and how it is drawn.

use std::collections::HashMap;

use crate::network::Sign;

/// One value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Words.
    Text(String),
    /// A finite number.
    Number(f64),
    /// A whole number.
    Integer(i64),
    /// Yes or no.
    Flag(bool),
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Words.
    Text,
    /// Numbers.
    Number,
    /// Whole numbers.
    Integer,
    /// Yes or no.
    Flag,
}

/// An attribute of all nodes or all edges.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name: `out_degree`.
    pub name: String,
    /// One per node or edge; none where there is no value. All present values are of one kind.
    pub values: Vec<Option<Value>>,
}

/// A gene.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileNode {
    /// Its symbol, unique.
    pub symbol: String,
    /// Where it is drawn; x to the right, y down.
    pub position: Option<[f32; 2]>,
    /// Red, green and blue of its inside.
    pub fill: Option<[u8; 3]>,
    /// Its diameter, in the units of the positions.
    pub size: Option<f32>,
}

/// An edge.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FileEdge {
    /// Position of the regulator among the nodes.
    pub from: usize,
    /// Position of the target.
    pub to: usize,
    /// Red, green and blue.
    pub colour: Option<[u8; 3]>,
    /// Width of the line, in the units of the positions.
    pub width: Option<f32>,
}

/// A network as files carry it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkContents {
    /// What it is called.
    pub name: String,
    /// Whether an edge leads only from the first gene to the second.
    pub undirected: bool,
    /// The genes.
    pub nodes: Vec<FileNode>,
    /// Attributes of genes.
    pub node_columns: Vec<Column>,
    /// The edges.
    pub edges: Vec<FileEdge>,
    /// Attributes of edges.
    pub edge_columns: Vec<Column>,
}

impl Value {
    /// As text without loss: `0.5`, `true`.
    pub fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
        }
    }

    /// As a number, if it is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Integer(number) => Some(*number as f64),
            Self::Flag(_) | Self::Text(_) => None,
        }
    }

    /// The number `value` with the digits that tell it from its neighbours, as it would be written; none if not finite.
    pub fn of_f32(value: f32) -> Option<Self> {
        value.to_string().parse().ok().filter(|number: &f64| number.is_finite()).map(Self::Number)
    }

    fn kind(&self) -> ValueKind {
        match self {
            Self::Text(_) => ValueKind::Text,
            Self::Number(_) => ValueKind::Number,
            Self::Integer(_) => ValueKind::Integer,
            Self::Flag(_) => ValueKind::Flag,
        }
    }
}

impl Column {
    /// A column of whole numbers.
    pub fn integers(name: &str, values: impl IntoIterator<Item = Option<i64>>) -> Self {
        Self { name: name.to_owned(), values: values.into_iter().map(|value| value.map(Value::Integer)).collect() }
    }

    /// A column of numbers; none where they are not finite.
    pub fn numbers(name: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let value = |value: f64| value.is_finite().then_some(Value::Number(value));
        Self { name: name.to_owned(), values: values.into_iter().map(value).collect() }
    }

    /// A column of single-precision numbers, with only the digits they have.
    pub fn singles(name: &str, values: impl IntoIterator<Item = Option<f32>>) -> Self {
        let value = |value: Option<f32>| value.and_then(Value::of_f32);
        Self { name: name.to_owned(), values: values.into_iter().map(value).collect() }
    }

    /// A column of yes and no.
    pub fn flags(name: &str, values: impl IntoIterator<Item = bool>) -> Self {
        Self { name: name.to_owned(), values: values.into_iter().map(|value| Some(Value::Flag(value))).collect() }
    }

    /// A column of words.
    pub fn texts<'a>(name: &str, values: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let value = |value: Option<&str>| value.map(|text| Value::Text(text.to_owned()));
        Self { name: name.to_owned(), values: values.into_iter().map(value).collect() }
    }

    /// What its values are; text if there are none.
    pub fn kind(&self) -> ValueKind {
        self.values.iter().flatten().next().map_or(ValueKind::Text, Value::kind)
    }

    /// Make all values of one kind: whole numbers become numbers beside numbers, anything else becomes text.
    pub(super) fn unify(&mut self) {
        let mut kinds = self.values.iter().flatten().map(Value::kind);
        let Some(mut kind) = kinds.next() else { return };
        for other in kinds {
            kind = match (kind, other) {
                (a, b) if a == b => a,
                (ValueKind::Number | ValueKind::Integer, ValueKind::Number | ValueKind::Integer) => ValueKind::Number,
                _ => ValueKind::Text,
            };
        }
        for value in self.values.iter_mut().flatten() {
            match kind {
                ValueKind::Number => {
                    if let Value::Integer(number) = value {
                        *value = Value::Number(*number as f64);
                    }
                }
                ValueKind::Text => *value = Value::Text(value.to_text()),
                ValueKind::Integer | ValueKind::Flag => {}
            }
        }
    }

    /// Turn a column of words into whole numbers, numbers, or yes and no, if all of it reads so. Empty words are none.
    pub(in crate::network) fn infer(&mut self) {
        let texts = || {
            self.values.iter().flatten().filter_map(|value| match value {
                Value::Text(text) => Some(text.trim()),
                _ => None,
            })
        };
        let filled = || texts().filter(|text| !is_missing(text));
        if filled().next().is_none() || texts().count() < self.values.iter().flatten().count() {
            return;
        }
        let parse: fn(&str) -> Option<Value> = if filled().all(|text| text.parse::<i64>().is_ok()) {
            |text| text.parse().ok().map(Value::Integer)
        } else if filled().all(|text| text.parse::<f64>().is_ok()) {
            |text| text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Number)
        } else if filled().all(|text| matches!(text, "true" | "false" | "True" | "False" | "TRUE" | "FALSE")) {
            |text| Some(Value::Flag(text.eq_ignore_ascii_case("true")))
        } else {
            |text| (!text.is_empty()).then(|| Value::Text(text.to_owned()))
        };
        let parsed = self.values.iter().map(|value| match value {
            Some(Value::Text(text)) if !text.trim().is_empty() => parse(text.trim()),
            _ => None,
        });
        self.values = parsed.collect();
    }
}

fn is_missing(text: &str) -> bool {
    text.is_empty() || ["na", "nan", "none", "null"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

impl NetworkContents {
    /// The edge attribute `name`.
    pub fn edge_column(&self, name: &str) -> Option<&Column> {
        self.edge_columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The gene attribute `name`.
    pub fn node_column(&self, name: &str) -> Option<&Column> {
        self.node_columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The sign of each edge; unknown where nothing says it.
    pub fn signs(&self) -> Vec<Sign> {
        const NAMES: [&str; 8] =
            ["sign", "interaction", "mode_of_regulation", "mor", "effect", "regulation", "mode", "shared interaction"];
        let column = NAMES.iter().find_map(|name| self.edge_column(name));
        let sign = |value: &Option<Value>| match value {
            Some(Value::Text(word)) => sign_of_word(word).unwrap_or(Sign::Unknown),
            Some(value) => value.as_number().map_or(Sign::Unknown, sign_of_number),
            None => Sign::Unknown,
        };
        let stated = |column: &&Column| {
            let word = |value: &Option<Value>| matches!(value, Some(Value::Text(word)) if sign_of_word(word).is_some());
            column.values.iter().all(word)
        };
        // BEELINE calls it so; elsewhere a type may be anything.
        let column = column.or_else(|| self.edge_column("type").filter(stated));
        let signs: Vec<Sign> = match column {
            Some(column) => column.values.iter().map(sign).collect(),
            None => vec![Sign::Unknown; self.edges.len()],
        };
        if signs.iter().any(|sign| *sign != Sign::Unknown) {
            return signs;
        }
        // A weight that may be negative is signed.
        let weight = |value: &Option<Value>| value.as_ref().map_or(Some(0.0), Value::as_number);
        let weights = self.edge_column("weight").and_then(|column| column.values.iter().map(weight).collect());
        match weights.filter(|weights: &Vec<f64>| weights.iter().any(|weight| *weight < 0.0)) {
            Some(weights) => weights.into_iter().map(sign_of_number).collect(),
            None => signs,
        }
    }
}

/// What a word of a file says about a sign; none if it is no such word.
pub(in crate::network) fn sign_of_word(word: &str) -> Option<Sign> {
    const ACTIVATES: [&str; 17] = [
        "+",
        "activates",
        "activation",
        "activate",
        "activator",
        "positive",
        "stimulates",
        "stimulation",
        "induces",
        "induction",
        "up-regulates",
        "upregulates",
        "increases",
        "->",
        "-->",
        "+1",
        "up",
    ];
    const REPRESSES: [&str; 17] = [
        "-",
        "−",
        "represses",
        "repression",
        "repress",
        "repressor",
        "negative",
        "inhibits",
        "inhibition",
        "inhibitor",
        "down-regulates",
        "downregulates",
        "decreases",
        "-|",
        "--|",
        "⊣",
        "down",
    ];
    const UNKNOWN: [&str; 8] = ["?", "", "unknown", "regulates", "none", "na", "n/a", "--"];
    let word = word.trim();
    let is = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    if is(&ACTIVATES) {
        Some(Sign::Activates)
    } else if is(&REPRESSES) {
        Some(Sign::Represses)
    } else if is(&UNKNOWN) {
        Some(Sign::Unknown)
    } else {
        word.parse::<f64>().ok().map(sign_of_number)
    }
}

/// Above zero activates, below represses.
pub(in crate::network) fn sign_of_number(number: f64) -> Sign {
    if number > 0.0 {
        Sign::Activates
    } else if number < 0.0 {
        Sign::Represses
    } else {
        Sign::Unknown
    }
}

/// Collects nodes, edges and attributes in any order.
#[derive(Default)]
pub(super) struct Builder {
    contents: NetworkContents,
    by_symbol: HashMap<String, usize>,
    node_columns: Attributes,
    edge_columns: Attributes,
}

/// Columns that grow: names in the order of first use, and values with their rows.
#[derive(Default)]
struct Attributes {
    by_name: HashMap<String, usize>,
    columns: Vec<(String, Vec<(usize, Value)>)>,
}

impl Attributes {
    fn set(&mut self, row: usize, name: &str, value: Value) {
        let at = match self.by_name.get(name) {
            Some(at) => *at,
            None => {
                self.columns.push((name.to_owned(), Vec::new()));
                self.by_name.insert(name.to_owned(), self.columns.len() - 1);
                self.columns.len() - 1
            }
        };
        self.columns[at].1.push((row, value));
    }

    fn finish(self, rows: usize) -> Vec<Column> {
        let column = |(name, values): (String, Vec<(usize, Value)>)| {
            let mut column = Column { name, values: vec![None; rows] };
            for (row, value) in values {
                column.values[row] = Some(value);
            }
            column.unify();
            column
        };
        self.columns.into_iter().map(column).collect()
    }
}

impl Builder {
    pub(super) fn new(name: &str) -> Self {
        Self { contents: NetworkContents { name: name.to_owned(), ..Default::default() }, ..Self::default() }
    }

    pub(super) fn contents(&mut self) -> &mut NetworkContents {
        &mut self.contents
    }

    /// The node called `symbol`, made if it is new.
    pub(super) fn node(&mut self, symbol: &str) -> usize {
        if let Some(&at) = self.by_symbol.get(symbol) {
            return at;
        }
        self.contents.nodes.push(FileNode { symbol: symbol.to_owned(), ..FileNode::default() });
        self.by_symbol.insert(symbol.to_owned(), self.contents.nodes.len() - 1);
        self.contents.nodes.len() - 1
    }

    pub(super) fn find(&self, symbol: &str) -> Option<usize> {
        self.by_symbol.get(symbol).copied()
    }

    /// A new edge.
    pub(super) fn edge(&mut self, from: usize, to: usize) -> usize {
        self.contents.edges.push(FileEdge { from, to, ..FileEdge::default() });
        self.contents.edges.len() - 1
    }

    pub(super) fn set_node(&mut self, node: usize, name: &str, value: Value) {
        self.node_columns.set(node, name, value);
    }

    pub(super) fn set_edge(&mut self, edge: usize, name: &str, value: Value) {
        self.edge_columns.set(edge, name, value);
    }

    /// All of it.
    pub(super) fn finish(self) -> NetworkContents {
        let mut contents = self.contents;
        contents.node_columns = self.node_columns.finish(contents.nodes.len());
        contents.edge_columns = self.edge_columns.finish(contents.edges.len());
        contents
    }

    /// The same, with words that are numbers read as such, for formats that know only words.
    pub(super) fn finish_inferred(self) -> NetworkContents {
        let mut contents = self.finish();
        contents.node_columns.iter_mut().chain(&mut contents.edge_columns).for_each(Column::infer);
        contents
    }
}

impl NetworkContents {
    /// Name nodes by the attribute that looks most like a name (`symbol`, `name`, `label`) where their own names are
    /// numbers: Cytoscape and others number the nodes of the files they write.
    pub(super) fn name_nodes(&mut self) {
        let numbered = self.nodes.iter().all(|node| node.symbol.trim_start_matches('n').parse::<u64>().is_ok());
        if !numbered || self.nodes.is_empty() {
            return;
        }
        for name in ["symbol", "name", "label", "shared name"] {
            let Some(at) = self.node_columns.iter().position(|column| column.name.eq_ignore_ascii_case(name)) else {
                continue;
            };
            let names: Vec<String> = self.node_columns[at]
                .values
                .iter()
                .flatten()
                .map(Value::to_text)
                .filter(|name| !name.is_empty())
                .collect();
            let distinct: std::collections::HashSet<&String> = names.iter().collect();
            if names.len() == self.nodes.len() && distinct.len() == names.len() {
                self.nodes.iter_mut().zip(names).for_each(|(node, name)| node.symbol = name);
                self.node_columns.remove(at);
                return;
            }
        }
    }

    /// Take positions from the numeric attributes `x` and `y`, if there are both.
    pub(super) fn place_nodes(&mut self) {
        let find = |axis: &str| {
            let column = self.node_columns.iter().position(|column| column.name.eq_ignore_ascii_case(axis))?;
            let numeric = self.node_columns[column].values.iter().flatten().all(|value| value.as_number().is_some());
            numeric.then_some(column)
        };
        let (Some(x), Some(y)) = (find("x"), find("y")) else { return };
        for (at, node) in self.nodes.iter_mut().enumerate() {
            let coordinate = |column: usize| self.node_columns[column].values[at].as_ref().and_then(Value::as_number);
            if let (Some(x), Some(y)) = (coordinate(x), coordinate(y)) {
                node.position = Some([x as f32, y as f32]);
            }
        }
        for column in [x.max(y), x.min(y)] {
            self.node_columns.remove(column);
        }
    }
}
