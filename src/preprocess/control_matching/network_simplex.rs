//! Exact optimal transport between uniform masses, by the network simplex method (Dantzig 1951; Ahuja, Magnanti & Orlin
//! 1993, ch. 11): POT's `ot.emd`.
//!
//! Masses are counted in whole units, so that flows are exact: of n rows each holds m / g units and of m columns each
//! takes n / g, g their greatest common divisor. A spanning tree over rows, columns and a root carries the flow; an arc of
//! negative reduced cost enters, pushes flow around the cycle it closes, and the arc that runs empty leaves. Which of
//! several empty arcs leaves follows Cunningham's rule, so that no tree comes twice.

use super::costs::Costs;
use crate::jobs::{Cancelled, Progress};

/// Pivots between two looks at the cancel flag.
const PIVOTS_PER_CHECK: usize = 256;
/// Reduced costs above −this share of the largest cost count as 0.
const PRECISION: f64 = 1e-13;
/// No node, no arc.
const NONE: usize = usize::MAX;

/// A flow from rows to columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// Row, column and units carried, by row and column; only where units are carried.
    pub entries: Vec<(usize, usize, u64)>,
    /// Units in all.
    pub units: u64,
    /// Prices of rows and columns: cost + row − column ≥ 0 everywhere, = 0 where units are carried.
    pub row_prices: Vec<f64>,
    /// See `row_prices`.
    pub column_prices: Vec<f64>,
}

/// The cheapest way to move equal masses on the rows of `costs` to equal masses on its columns. Neither may be empty.
pub fn transport(costs: &Costs, progress: &dyn Progress) -> Result<Flow, Cancelled> {
    let mut tree = Tree::new(costs);
    let mut search = Search::new(costs);
    let mut pivots = 0usize;
    while let Some(arc) = search.next(costs, &tree.price) {
        if pivots.is_multiple_of(PIVOTS_PER_CHECK) {
            progress.check()?;
        }
        pivots += 1;
        tree.pivot(arc, costs);
    }
    Ok(tree.flow(costs))
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// Looks for an arc to enter: block by block, the best of the first block that has any.
struct Search {
    /// Row and column to go on from.
    at: (usize, usize),
    block: usize,
    threshold: f64,
}

impl Search {
    fn new(costs: &Costs) -> Self {
        let arcs = costs.rows() * costs.columns();
        let block = ((arcs as f64).sqrt() as usize).max(16);
        Self { at: (0, 0), block, threshold: -PRECISION * costs.largest() }
    }

    fn next(&mut self, costs: &Costs, price: &[f64]) -> Option<(usize, usize)> {
        let (rows, columns) = (costs.rows(), costs.columns());
        let column_price = &price[rows..rows + columns];
        let mut left = rows * columns;
        while left > 0 {
            let (mut best, mut found) = (self.threshold, None);
            let mut in_block = self.block.min(left);
            left -= in_block;
            while in_block > 0 {
                let (row, from) = self.at;
                let to = columns.min(from + in_block);
                let (here, there) = (&costs.row(row)[from..to], &column_price[from..to]);
                let limit = best - price[row];
                // Most blocks hold nothing: first ask whether, then where.
                if here.iter().zip(there).fold(false, |any, (cost, price)| any | (cost - price < limit)) {
                    for (offset, (cost, column_price)) in here.iter().zip(there).enumerate() {
                        let reduced = cost + price[row] - column_price;
                        if reduced < best {
                            (best, found) = (reduced, Some((row, from + offset)));
                        }
                    }
                }
                in_block -= to - from;
                self.at = if to < columns { (row, to) } else { ((row + 1) % rows, 0) };
            }
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

/// The spanning tree: rows, then columns, then the root.
struct Tree {
    parent: Vec<usize>,
    /// Whether the arc to the parent points to the parent.
    up: Vec<bool>,
    /// Whether the arc to the parent is one of the root's, which the first tree is made of.
    artificial: Vec<bool>,
    /// Units on the arc to the parent.
    units: Vec<u64>,
    depth: Vec<u32>,
    price: Vec<f64>,
    first_child: Vec<usize>,
    next: Vec<usize>,
    previous: Vec<usize>,
    rows: usize,
    /// Cost of an artificial arc: two of them cost more than any arc.
    penalty: f64,
    stack: Vec<usize>,
}

impl Tree {
    fn new(costs: &Costs) -> Self {
        let (rows, columns) = (costs.rows(), costs.columns());
        let divisor = greatest_common_divisor(rows as u64, columns as u64).max(1);
        let root = rows + columns;
        let penalty = costs.largest() + 1.0;
        let mut tree = Self {
            parent: vec![root; root + 1],
            up: (0..=root).map(|node| node < rows).collect(),
            artificial: vec![true; root + 1],
            units: (0..=root).map(|node| if node < rows { columns as u64 } else { rows as u64 } / divisor).collect(),
            depth: vec![1; root + 1],
            price: (0..=root).map(|node| if node < rows { -penalty } else { penalty }).collect(),
            first_child: vec![NONE; root + 1],
            next: vec![NONE; root + 1],
            previous: vec![NONE; root + 1],
            rows,
            penalty,
            stack: Vec::new(),
        };
        (tree.parent[root], tree.depth[root], tree.price[root]) = (NONE, 0, 0.0);
        (0..root).for_each(|node| tree.attach(node, root));
        tree
    }

    fn attach(&mut self, node: usize, parent: usize) {
        let first = self.first_child[parent];
        self.parent[node] = parent;
        self.previous[node] = NONE;
        self.next[node] = first;
        if first != NONE {
            self.previous[first] = node;
        }
        self.first_child[parent] = node;
    }

    fn detach(&mut self, node: usize) {
        let (previous, next) = (self.previous[node], self.next[node]);
        if previous == NONE {
            self.first_child[self.parent[node]] = next;
        } else {
            self.next[previous] = next;
        }
        if next != NONE {
            self.previous[next] = previous;
        }
    }

    /// The lowest common ancestor.
    fn join(&self, mut a: usize, mut b: usize) -> usize {
        while a != b {
            if self.depth[a] >= self.depth[b] {
                a = self.parent[a];
            } else {
                b = self.parent[b];
            }
        }
        a
    }

    /// Let the arc from `row` to `column` enter.
    fn pivot(&mut self, (row, column): (usize, usize), costs: &Costs) {
        let (source, target) = (row, self.rows + column);
        let join = self.join(source, target);
        // Units go source → target, up to the join and down again to the source: arcs against that direction run empty. Of
        // several the last one on that way, seen from the join, leaves.
        let (mut least, mut leaving, mut source_side) = (u64::MAX, NONE, true);
        let mut node = source;
        while node != join {
            if self.up[node] && self.units[node] < least {
                (least, leaving) = (self.units[node], node);
            }
            node = self.parent[node];
        }
        node = target;
        while node != join {
            if !self.up[node] && self.units[node] <= least {
                (least, leaving, source_side) = (self.units[node], node, false);
            }
            node = self.parent[node];
        }
        debug_assert_ne!(leaving, NONE, "costs are bounded");
        if leaving == NONE {
            return;
        }
        if least > 0 {
            node = source;
            while node != join {
                if self.up[node] {
                    self.units[node] -= least
                } else {
                    self.units[node] += least
                }
                node = self.parent[node];
            }
            node = target;
            while node != join {
                if self.up[node] {
                    self.units[node] += least
                } else {
                    self.units[node] -= least
                }
                node = self.parent[node];
            }
        }
        // The part cut off hangs on the entering arc from now on: its path to the leaving arc is turned around.
        let (top, mut parent) = if source_side { (source, target) } else { (target, source) };
        let (mut node, mut up, mut units, mut artificial) = (top, source_side, least, false);
        loop {
            let old = (self.parent[node], self.up[node], self.units[node], self.artificial[node]);
            self.detach(node);
            self.attach(node, parent);
            (self.up[node], self.units[node], self.artificial[node]) = (up, units, artificial);
            if node == leaving {
                break;
            }
            (parent, node) = (node, old.0);
            (up, units, artificial) = (!old.1, old.2, old.3);
        }
        self.stack.push(top);
        while let Some(node) = self.stack.pop() {
            let parent = self.parent[node];
            self.depth[node] = self.depth[parent] + 1;
            let cost = self.cost(node, costs);
            self.price[node] = self.price[parent] + if self.up[node] { -cost } else { cost };
            let mut child = self.first_child[node];
            while child != NONE {
                self.stack.push(child);
                child = self.next[child];
            }
        }
    }

    /// Cost of the arc between `node` and its parent.
    fn cost(&self, node: usize, costs: &Costs) -> f64 {
        if self.artificial[node] {
            return self.penalty;
        }
        let (row, column) = self.ends(node);
        costs.get(row, column)
    }

    /// Row and column that the arc between `node` and its parent connects.
    fn ends(&self, node: usize) -> (usize, usize) {
        let parent = self.parent[node];
        if node < self.rows { (node, parent - self.rows) } else { (parent, node - self.rows) }
    }

    fn flow(&self, costs: &Costs) -> Flow {
        let root = self.parent.len() - 1;
        let carrying = (0..root).filter(|&node| !self.artificial[node] && self.units[node] > 0);
        let mut entries: Vec<(usize, usize, u64)> = carrying
            .map(|node| {
                let (row, column) = self.ends(node);
                (row, column, self.units[node])
            })
            .collect();
        entries.sort_unstable();
        let (row_prices, column_prices) =
            (self.price[..costs.rows()].to_vec(), self.price[costs.rows()..root].to_vec());
        Flow { units: entries.iter().map(|entry| entry.2).sum(), entries, row_prices, column_prices }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::jobs::Silent;

    /// Total cost with each side's mass 1.
    fn total(flow: &Flow, costs: &Costs) -> f64 {
        flow.entries.iter().map(|&(row, column, units)| costs.get(row, column) * units as f64).sum::<f64>()
            / flow.units as f64
    }

    /// Margins are uniform, and no price could make it cheaper: the flow is optimal.
    fn check(flow: &Flow, costs: &Costs) {
        let (mut out, mut into) = (vec![0; costs.rows()], vec![0; costs.columns()]);
        for &(row, column, units) in &flow.entries {
            out[row] += units;
            into[column] += units;
        }
        assert!(out.iter().all(|&units| units * costs.rows() as u64 == flow.units), "{flow:?}");
        assert!(into.iter().all(|&units| units * costs.columns() as u64 == flow.units), "{flow:?}");
        let reduced =
            |row: usize, column: usize| costs.get(row, column) + flow.row_prices[row] - flow.column_prices[column];
        for row in 0..costs.rows() {
            for column in 0..costs.columns() {
                assert!(reduced(row, column) > -1e-9, "{row} {column}");
            }
        }
        assert!(flow.entries.iter().all(|&(row, column, _)| reduced(row, column).abs() < 1e-9));
    }

    #[test]
    fn equal_sides_are_assigned_and_unequal_ones_share() {
        let costs = Costs::new(3, 3, vec![4.0, 1.0, 3.0, 2.0, 0.0, 5.0, 3.0, 2.0, 2.0]);
        let flow = transport(&costs, &Silent).unwrap();
        check(&flow, &costs);
        assert_eq!(flow.entries, [(0, 1, 1), (1, 0, 1), (2, 2, 1)]);
        let costs = Costs::new(2, 3, vec![0.0, 1.0, 9.0, 9.0, 1.0, 0.0]);
        let flow = transport(&costs, &Silent).unwrap();
        check(&flow, &costs);
        assert_eq!(flow.entries, [(0, 0, 2), (0, 1, 1), (1, 1, 1), (1, 2, 2)]);
    }

    proptest! {
        #[test]
        fn flows_are_feasible_and_optimal(
            (rows, columns, values) in (1usize..14, 1usize..14).prop_flat_map(|(rows, columns)| {
                // Few different costs: many ties, which make the simplex method stall if anything does.
                (Just(rows), Just(columns), prop::collection::vec(0u8..6, rows * columns))
            })
        ) {
            let costs = Costs::new(rows, columns, values.into_iter().map(f64::from).collect());
            let flow = transport(&costs, &Silent).unwrap();
            check(&flow, &costs);
            if rows == columns {
                let assigned = super::super::assignment::assign(&costs, &Silent).unwrap();
                let sum: f64 = assigned.iter().enumerate().map(|(row, &column)| costs.get(row, column)).sum();
                prop_assert!((total(&flow, &costs) * rows as f64 - sum).abs() < 1e-9);
            }
        }
    }
}
