//! From a [`Grn`] to its figure.

use std::collections::{BTreeSet, HashMap};

use super::edges::MOST;
use super::legend::{EdgeKey, GroupKey, NetworkLegend, ScaleKey, ScaleKind, SizeKey, WidthKey};
use super::style::{
    EdgeColour, EdgeTint, EdgeWidth, GROUP_COLOURS, NetworkStyle, NodeColour, NodeSize, ReferenceLines, Tint,
};
use super::{NetworkEdge, NetworkFigure, NetworkNode};
use crate::evaluation::networks::EdgeVerdict;
use crate::network::{Agreement, Edge, GeneId, Grn, Sign, SignEvidence};
use crate::words::grouped;

/// Radius of the smallest gene, and what the largest has more.
pub(super) const RADIUS: [f32; 2] = [4.2, 7.3];
/// Width of the worst edge, and what the best has more.
pub(super) const WIDTH: [f32; 2] = [0.6, 1.7];
/// Least width of an edge that is pointed out.
const EMPHASISED: f32 = 1.9;
/// Opacity of the worst edge, and what the best has more.
pub(super) const OPACITY: [f32; 2] = [0.45, 0.5];
/// Edges that a smaller share of an ensemble's members keep are dashed.
const AGREED: f32 = 0.5;

impl NetworkFigure {
    /// The figure of the `visible` edges of `grn`. `positions` has one point per gene of the network; genes without
    /// position (the slice is short, or the point not finite) are left out.
    pub fn of<'a>(
        grn: &Grn,
        visible: impl IntoIterator<Item = &'a Edge>,
        positions: &[[f32; 2]],
        style: &NetworkStyle,
    ) -> Self {
        let genes = grn.genes();
        let placed = |gene: usize| positions.get(gene).is_some_and(|at| at.iter().all(|part| part.is_finite()));
        let mut visible: Vec<&Edge> = visible.into_iter().collect();
        visible.retain(|edge| placed(edge.regulator.0 as usize) && placed(edge.target.0 as usize));
        visible.sort_by_key(|edge| std::cmp::Reverse(edge.rank));

        let mut targets = vec![0_u32; genes.len()];
        let mut shown = vec![style.isolated; genes.len()];
        for edge in &visible {
            targets[edge.regulator.0 as usize] += 1;
            shown[edge.regulator.0 as usize] = true;
            shown[edge.target.0 as usize] = true;
        }
        for gene in style.selected.iter().chain(&style.knocked_out).chain(&style.hovered) {
            if let Some(shown) = shown.get_mut(gene.0 as usize) {
                *shown = true;
            }
        }
        let sizes = Sizes::of(&style.size, &targets, &shown);
        let tints = Tints::of(&style.colour, &shown);

        let mut selected = vec![false; genes.len()];
        for gene in &style.selected {
            if let Some(selected) = selected.get_mut(gene.0 as usize) {
                *selected = true;
            }
        }

        let mut at_node = vec![usize::MAX; genes.len()];
        let mut nodes = Vec::new();
        for (at, gene) in genes.iter().enumerate().filter(|(at, _)| shown[*at] && placed(*at)) {
            let id = GeneId(at as u32);
            at_node[at] = nodes.len();
            nodes.push(NetworkNode {
                gene: id,
                label: gene.symbol.clone(),
                position: positions[at],
                radius: sizes.radius(at),
                tint: tints.tint(at),
                fill: match &style.colour {
                    NodeColour::Given(colours) => colours.get(at).copied().flatten(),
                    _ => None,
                },
                priority: targets[at] as f32 + if gene.perturbed_cells > 0 { 0.5 } else { 0.0 },
                selected: selected[at],
                hovered: style.hovered == Some(id),
                perturbed: style.mark_perturbed && gene.perturbed_cells > 0,
                knocked_out: style.knocked_out.contains(&id),
                measured: gene.measured,
                faint: false,
            });
        }

        let missing: Vec<(GeneId, GeneId, Sign)> = style
            .reference
            .iter()
            .flat_map(|reference| &reference.missing)
            .filter(|(from, to, _)| {
                [from, to].iter().all(|gene| at_node.get(gene.0 as usize).is_some_and(|node| *node != usize::MAX))
            })
            .copied()
            .collect();
        // In the order of the edges below: those of the reference, then the network's.
        let drawn = visible.iter().map(|edge| (edge.regulator.0, edge.target.0));
        let pairs: Vec<(u32, u32)> = missing.iter().map(|(from, to, _)| (from.0, to.0)).chain(drawn).collect();
        let curved = answered(&pairs, genes.len());
        let lines = Lines::of(style, grn, &visible);
        let touches = |from: GeneId, to: GeneId| {
            let of_interest = |gene: GeneId| selected[gene.0 as usize] || style.hovered == Some(gene);
            style.emphasised.is_empty() && style.emphasis.is_none() && (of_interest(from) || of_interest(to))
        };
        let only_known = missing.iter().zip(&curved).map(|(&(from, to, sign), &curved)| NetworkEdge {
            from: at_node[from.0 as usize],
            to: at_node[to.0 as usize],
            sign,
            width: WIDTH[0] + WIDTH[1] * 0.2,
            opacity: 0.75,
            tint: EdgeTint::Missing,
            marked: false,
            dashed: true,
            highlighted: touches(from, to),
            curved,
        });
        let in_network = visible.iter().enumerate().zip(&curved[missing.len()..]).map(|((at, edge), &curved)| {
            let known = lines.is_known(edge);
            let agreement = lines.agreement(edge);
            let emphasised = style.emphasised.binary_search(&edge.rank).is_ok();
            NetworkEdge {
                from: at_node[edge.regulator.0 as usize],
                to: at_node[edge.target.0 as usize],
                sign: edge.sign,
                width: lines.width(at, edge).max(if emphasised { EMPHASISED } else { 0.0 }),
                // Of an ensemble, what its members agree on stands out.
                opacity: OPACITY[0] + OPACITY[1] * agreement.unwrap_or_else(|| lines.quality(at)),
                tint: match &style.edge_colour {
                    EdgeColour::Given(colours) => {
                        let given = colours.get(edge.rank as usize - 1).copied().flatten();
                        given.map_or(EdgeTint::Sign, EdgeTint::Given)
                    }
                    EdgeColour::Sign => EdgeTint::Sign,
                    EdgeColour::Plain => EdgeTint::Plain,
                    EdgeColour::Probability => EdgeTint::Sequential(lines.probability(edge)),
                    EdgeColour::Evidence => EdgeTint::Evidence(edge.evidence),
                    EdgeColour::Agreement => agreement.map_or(EdgeTint::Sign, EdgeTint::Sequential),
                    EdgeColour::FalseDiscovery => {
                        edge.false_discovery_rate.map_or(EdgeTint::Plain, |rate| EdgeTint::Sequential(certainty(rate)))
                    }
                    EdgeColour::Tested(verdicts) => {
                        EdgeTint::Tested(verdicts.get(edge.rank as usize - 1).copied().unwrap_or_default())
                    }
                    EdgeColour::Known => EdgeTint::Known(known),
                },
                marked: known && lines.mark,
                dashed: agreement.is_some_and(|share| share < AGREED) || is_untested(&style.edge_colour, edge),
                highlighted: touches(edge.regulator, edge.target) || emphasised,
                curved,
            }
        });
        let mut edges: Vec<NetworkEdge> = only_known.chain(in_network).collect();
        let widths = lines.width_key(&visible, &edges[edges.len() - visible.len()..]);
        let thinned = (edges.len() > MOST).then_some([MOST, edges.len()]);
        if thinned.is_some() {
            foremost_last(&mut edges, nodes.len());
        }

        let legend = style.legend.then(|| NetworkLegend {
            signs: [Sign::Activates, Sign::Represses, Sign::Unknown]
                .into_iter()
                .filter(|sign| edges.iter().any(|edge| edge.sign == *sign && edge.tint != EdgeTint::Missing))
                .collect(),
            signs_coloured: style.edge_colour == EdgeColour::Sign,
            edge_scale: lines.colour_key(&style.edge_colour),
            kinds: lines.keys(style, &edges),
            emphasis: style.emphasis.clone(),
            widths,
            thinned,
            sizes: sizes.key(),
            not_reached: matches!(style.colour, NodeColour::Arrived { .. })
                && nodes.iter().any(|node| node.tint.is_none() && !node.knocked_out),
            note: match &style.colour {
                NodeColour::Arrived { note, .. } => Some(note.clone()),
                _ => None,
            },
            no_value: tints.scale.is_some() && nodes.iter().any(|node| node.tint.is_none() && node.measured),
            scale: tints.scale_key(),
            groups: tints.group_key(&nodes),
            perturbed: nodes.iter().any(|node| node.perturbed),
            knocked_out: nodes.iter().any(|node| node.knocked_out),
            unmeasured: nodes.iter().any(|node| !node.measured),
        });
        let by_gene = style.emphasised.is_empty() && style.emphasis.is_none();
        let mut figure = Self { nodes, edges, legend, text_size: style.text_size, spacing: None, by_gene };
        figure.take_sizes(&visible, style);
        figure
    }

    /// Take sizes and widths that a file gave: they are in the units of the positions, ours are for neighbours 40 points
    /// apart.
    fn take_sizes(&mut self, visible: &[&Edge], style: &NetworkStyle) {
        let scale = 40.0 / self.spacing();
        if let NodeSize::Given(sizes) = &style.size {
            for node in &mut self.nodes {
                if let Some(Some(size)) = sizes.get(node.gene.0 as usize) {
                    node.radius = (0.5 * size * scale).clamp(GIVEN_RADIUS[0], GIVEN_RADIUS[1]);
                }
            }
        }
        if let EdgeWidth::Given(widths) = &style.edge_width {
            let width_of = |edge: &&Edge| {
                let width = widths.get(edge.rank as usize - 1).copied().flatten()?;
                Some(((edge.regulator, edge.target), width))
            };
            let given: HashMap<(GeneId, GeneId), f32> = visible.iter().filter_map(width_of).collect();
            for edge in self.edges.iter_mut().filter(|edge| edge.tint != EdgeTint::Missing) {
                let ends = (self.nodes[edge.from].gene, self.nodes[edge.to].gene);
                if let Some(width) = given.get(&ends) {
                    edge.width = (width * scale).clamp(GIVEN_WIDTH[0], GIVEN_WIDTH[1]);
                }
            }
        }
    }

    /// Moves the genes to where `positions` (one point per gene of the network) has them; those that have none there stay.
    /// The figure is the same as [`NetworkFigure::of`] makes of these positions, provided that they place the same genes; sizes
    /// that a file gave stay those of the places before.
    pub fn place(&mut self, positions: &[[f32; 2]]) {
        for node in &mut self.nodes {
            let known = positions.get(node.gene.0 as usize).filter(|at| at.iter().all(|part| part.is_finite()));
            node.position = known.copied().unwrap_or(node.position);
        }
    }

    /// Points at one gene of the figure, or at none any more: the same as [`NetworkFigure::of`] makes of the style with
    /// this gene hovered, provided that the gene is shown.
    pub fn point_at(&mut self, gene: Option<GeneId>) {
        let before = self.nodes.iter().position(|node| node.hovered);
        let now = self.nodes.iter().position(|node| Some(node.gene) == gene);
        if before == now {
            return;
        }
        for (node, hovered) in [(before, false), (now, true)] {
            if let Some(node) = node.and_then(|node| self.nodes.get_mut(node)) {
                node.hovered = hovered;
            }
        }
        if self.by_gene {
            let touched = |end: usize| Some(end) == before || Some(end) == now;
            let stands_out = |end: usize| self.nodes[end].selected || self.nodes[end].hovered;
            for edge in self.edges.iter_mut().filter(|edge| touched(edge.from) || touched(edge.to)) {
                edge.highlighted = stands_out(edge.from) || stands_out(edge.to);
            }
        }
    }
}

/// Puts the edges that are drawn first where there is room for few at the end: the best edge of every gene, then the second
/// best of each, and so on; so that no gene loses all of its edges. `edges` come least important first, and are so among
/// equals.
fn foremost_last(edges: &mut Vec<NetworkEdge>, nodes: usize) {
    let mut counted = vec![[0_u32; 2]; nodes];
    let mut place = |edge: &NetworkEdge| {
        let own = &mut counted[edge.from][0];
        *own += 1;
        let as_regulator = *own;
        let own = &mut counted[edge.to][1];
        *own += 1;
        (*own).min(as_regulator)
    };
    let places: Vec<u32> = edges.iter().rev().map(&mut place).collect();
    // Counted rather than sorted: where the edges of each place begin, the later places first.
    let mut starts = vec![0_usize; places.iter().max().map_or(0, |most| *most as usize) + 2];
    places.iter().for_each(|place| starts[*place as usize] += 1);
    let mut before = 0;
    for start in starts.iter_mut().rev() {
        before += std::mem::replace(start, before);
    }
    let mut order = vec![0_u32; edges.len()];
    for (edge, place) in places.iter().rev().enumerate() {
        let start = &mut starts[*place as usize];
        order[*start] = edge as u32;
        *start += 1;
    }
    *edges = order.into_iter().map(|edge| edges[edge as usize]).collect();
}

/// Whether the reverse of each pair is among them, too; a pair of one node has none. Nodes are numbered below `nodes`. Linear.
fn answered(pairs: &[(u32, u32)], nodes: usize) -> Vec<bool> {
    // The pairs by their first node, and by their second one.
    let grouped = |end: fn(&(u32, u32)) -> u32| {
        let mut starts = vec![0_u32; nodes + 1];
        pairs.iter().for_each(|pair| starts[end(pair) as usize + 1] += 1);
        (0..nodes).for_each(|node| starts[node + 1] += starts[node]);
        let mut next = starts.clone();
        let mut members = vec![0_u32; pairs.len()];
        for (at, pair) in pairs.iter().enumerate() {
            let next = &mut next[end(pair) as usize];
            members[*next as usize] = at as u32;
            *next += 1;
        }
        (starts, members)
    };
    let ((out, from), (into, to)) = (grouped(|pair| pair.0), grouped(|pair| pair.1));
    let mut answered = vec![false; pairs.len()];
    // By node: the last one that it was met at the start of a pair to.
    let mut leads_to = vec![u32::MAX; nodes];
    for node in 0..nodes {
        let span = |starts: &[u32]| starts[node] as usize..starts[node + 1] as usize;
        to[span(&into)].iter().for_each(|at| leads_to[pairs[*at as usize].0 as usize] = node as u32);
        for &at in &from[span(&out)] {
            let other = pairs[at as usize].1;
            answered[at as usize] = other != node as u32 && leads_to[other as usize] == node as u32;
        }
    }
    answered
}

/// What a sign may rest on, as the legend says it.
const EVIDENCE: [(SignEvidence, &str); 4] = [
    (SignEvidence::Measured, "Sign measured"),
    (SignEvidence::Predicted, "Sign predicted"),
    (SignEvidence::Reference, "Sign from a file"),
    (SignEvidence::None, "No evidence of the sign"),
];

/// Sizes of files are kept within what can be told apart.
const GIVEN_RADIUS: [f32; 2] = [2.0, 24.0];
const GIVEN_WIDTH: [f32; 2] = [0.2, 8.0];

/// Sizes of nodes, and what they mean.
struct Sizes<'a> {
    of_gene: Box<dyn Fn(usize) -> f32 + 'a>,
    /// The largest value; 0 if all are the same size.
    most: f32,
    /// Whether values are counts.
    whole: bool,
    label: &'a str,
}

impl<'a> Sizes<'a> {
    fn of(size: &'a NodeSize, targets: &'a [u32], shown: &[bool]) -> Self {
        let (of_gene, label): (Box<dyn Fn(usize) -> f32 + 'a>, &str) = match size {
            NodeSize::Targets => (Box::new(|gene| targets[gene] as f32), "Targets"),
            NodeSize::Same | NodeSize::Given(_) => (Box::new(|_| 0.0), ""),
            NodeSize::Amount { values, label } => {
                let value = |gene: usize| values.get(gene).copied().filter(|value| value.is_finite()).unwrap_or(0.0);
                (Box::new(move |gene| value(gene).abs()), label)
            }
        };
        let values = || (0..shown.len()).filter(|gene| shown[*gene]).map(&of_gene);
        let most = values().fold(0.0, f32::max);
        let whole = values().all(|value| value.fract() == 0.0);
        Self { most, whole, label, of_gene }
    }

    fn radius(&self, gene: usize) -> f32 {
        if self.label.is_empty() { RADIUS[0] + RADIUS[1] * 0.35 } else { self.radius_of((self.of_gene)(gene)) }
    }

    fn radius_of(&self, value: f32) -> f32 {
        RADIUS[0] + RADIUS[1] * if self.most > 0.0 { (value / self.most).sqrt() } else { 0.0 }
    }

    fn key(&self) -> Option<SizeKey> {
        let steps: Vec<f32> = if self.whole {
            target_steps(self.most as u32).into_iter().map(|count| count as f32).collect()
        } else {
            vec![self.most / 4.0, self.most]
        };
        let steps: Vec<(String, f32)> = steps.into_iter().map(|value| (short(value), self.radius_of(value))).collect();
        (!self.label.is_empty() && self.most > 0.0).then(|| SizeKey { heading: self.label.to_owned(), steps })
    }
}

/// Colours of nodes, and what they mean.
struct Tints<'a> {
    colour: &'a NodeColour,
    /// Lowest and highest value, for colours on a scale.
    scale: Option<[f32; 2]>,
}

impl<'a> Tints<'a> {
    fn of(colour: &'a NodeColour, shown: &[bool]) -> Self {
        let finite = |values: &[f32]| -> Vec<f32> {
            let seen = values.iter().zip(shown).filter(|(value, shown)| value.is_finite() && **shown);
            seen.map(|(value, _)| *value).collect()
        };
        let scale = match colour {
            NodeColour::Plain | NodeColour::Groups { .. } | NodeColour::Given(_) | NodeColour::Arrived { .. } => None,
            NodeColour::Shift { values, limit, .. } => {
                let limit = limit.filter(|limit| limit.is_finite() && *limit > 0.0).unwrap_or_else(|| {
                    let mut sizes: Vec<f32> = finite(values).into_iter().map(f32::abs).collect();
                    sizes.sort_by(f32::total_cmp);
                    let high = sizes.get((sizes.len().saturating_sub(1)) * 98 / 100).copied().unwrap_or(0.0);
                    rounded_up(high)
                });
                Some([-limit, limit])
            }
            NodeColour::Amount { values, .. } => {
                let values = finite(values);
                let least = values.iter().copied().fold(f32::INFINITY, f32::min);
                let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                // Without any value there is still a scale: everything on it is "no value".
                Some(if values.is_empty() { [0.0, 1.0] } else { [least, most] })
            }
        };
        Self { colour, scale }
    }

    fn tint(&self, gene: usize) -> Option<Tint> {
        match (self.colour, self.scale) {
            (NodeColour::Shift { values, .. }, Some([_, limit])) => {
                let value = values.get(gene).copied().filter(|value| value.is_finite())?;
                Some(Tint::Diverging((value / limit).clamp(-1.0, 1.0)))
            }
            (NodeColour::Amount { values, .. }, Some([least, most])) => {
                let value = values.get(gene).copied().filter(|value| value.is_finite())?;
                let share = if most > least { (value - least) / (most - least) } else { 1.0 };
                Some(Tint::Sequential(share.clamp(0.0, 1.0)))
            }
            (NodeColour::Arrived { shares, least, .. }, _) => {
                let share = shares.get(gene).copied().filter(|share| *share > 0.0)?;
                // By decades between the least and all.
                let at = 1.0 - share.min(1.0).log10() / least.clamp(1e-6, 0.5).log10();
                Some(Tint::Sequential(at.max(0.0)))
            }
            (NodeColour::Groups { of_gene, .. }, _) => of_gene.get(gene).copied().flatten().map(Tint::Group),
            _ => None,
        }
    }

    fn scale_key(&self) -> Option<ScaleKey> {
        if let NodeColour::Arrived { label, least, .. } = self.colour {
            let ends = [format!("≤ {} %", short(100.0 * least)), "100 %".to_owned()];
            return Some(ScaleKey { label: label.clone(), kind: ScaleKind::Sequential, ends });
        }
        let [least, most] = self.scale?;
        let (label, kind, ends) = match self.colour {
            NodeColour::Shift { label, .. } => {
                (label, ScaleKind::Diverging, [format!("−{}", short(most)), format!("+{}", short(most))])
            }
            NodeColour::Amount { label, .. } => (label, ScaleKind::Sequential, [short(least), short(most)]),
            NodeColour::Plain | NodeColour::Groups { .. } | NodeColour::Given(_) | NodeColour::Arrived { .. } => {
                return None;
            }
        };
        Some(ScaleKey { label: label.clone(), kind, ends })
    }

    fn group_key(&self, nodes: &[NetworkNode]) -> Option<GroupKey> {
        let NodeColour::Groups { names, label, .. } = self.colour else { return None };
        let seen: BTreeSet<u32> = nodes
            .iter()
            .filter_map(|node| match node.tint {
                Some(Tint::Group(group)) => Some(group),
                _ => None,
            })
            .collect();
        let own = |group: &&u32| (**group as usize) < GROUP_COLOURS;
        let name = |group: &u32| Some((*group, names.get(*group as usize)?.clone()));
        let others = seen.iter().filter(|group| !own(group)).count();
        Some(GroupKey { label: label.clone(), groups: seen.iter().filter(own).filter_map(name).collect(), others })
    }
}

/// The false discovery rate below which colours are alike.
const SUREST: f32 = 0.001;

/// Colours and widths of edges, and what they mean.
struct Lines<'a> {
    by: &'a EdgeWidth,
    count: usize,
    /// Lowest and highest probability shown.
    probabilities: [f32; 2],
    reference: Option<&'a ReferenceLines>,
    mark: bool,
    /// Of an ensemble.
    agreement: Option<Agreement<'a>>,
}

impl<'a> Lines<'a> {
    fn of(style: &'a NetworkStyle, grn: &'a Grn, visible: &[&Edge]) -> Self {
        let probabilities = || visible.iter().map(|edge| edge.probability);
        let reference = style.reference.as_ref();
        Self {
            by: &style.edge_width,
            count: visible.len(),
            probabilities: [
                probabilities().fold(f32::INFINITY, f32::min),
                probabilities().fold(f32::NEG_INFINITY, f32::max),
            ],
            mark: reference.is_some_and(|reference| reference.mark) && style.edge_colour != EdgeColour::Known,
            reference,
            agreement: match style.members_keep {
                Some(kept) => Agreement::among(grn, kept),
                None => {
                    // Paths that are pointed out lead over edges that would not be shown otherwise.
                    let also = |edge: &&Edge| style.emphasised.binary_search(&edge.rank).is_ok();
                    Agreement::of(grn, visible.iter().copied().filter(|edge| !also(edge)))
                }
            },
        }
    }

    /// 0 for the worst edge shown, 1 for the best; `at` counts from the worst.
    fn quality(&self, at: usize) -> f32 {
        if self.count > 1 { at as f32 / (self.count - 1) as f32 } else { 1.0 }
    }

    /// 0 for the least probable edge shown, 1 for the most.
    fn probability(&self, edge: &Edge) -> f32 {
        let [least, most] = self.probabilities;
        if most > least { (edge.probability - least) / (most - least) } else { 1.0 }
    }

    fn agreement(&self, edge: &Edge) -> Option<f32> {
        self.agreement.map(|agreement| agreement.share(edge))
    }

    fn is_known(&self, edge: &Edge) -> bool {
        let known = |reference: &ReferenceLines| reference.known.get(edge.rank as usize - 1).copied();
        self.reference.and_then(known).unwrap_or(false)
    }

    fn width(&self, at: usize, edge: &Edge) -> f32 {
        let share = match self.by {
            EdgeWidth::Rank => self.quality(at).powi(2),
            EdgeWidth::Same | EdgeWidth::Given(_) => 0.3,
            EdgeWidth::Probability => self.probability(edge),
            EdgeWidth::Agreement => self.agreement(edge).unwrap_or_else(|| self.quality(at).powi(2)),
            EdgeWidth::Known => f32::from(u8::from(self.is_known(edge))),
        };
        WIDTH[0] + WIDTH[1] * share
    }

    /// What the widths mean; `visible` and `edges` from the worst to the best.
    fn width_key(&self, visible: &[&Edge], edges: &[NetworkEdge]) -> Option<WidthKey> {
        let (worst, best) = (edges.first()?, edges.last()?);
        let ends = match (self.by, self.agreement) {
            (EdgeWidth::Agreement, Some(agreement)) => {
                let all = agreement.members();
                [(format!("Kept by {all} of {all}"), WIDTH[0] + WIDTH[1]), ("0".to_owned(), WIDTH[0])]
            }
            (EdgeWidth::Rank | EdgeWidth::Agreement, _) if self.count > 1 => {
                let rank = |edge: Option<&&Edge>| grouped(edge.map_or(0, |edge| edge.rank as usize));
                [(format!("Rank {}", rank(visible.last())), best.width), (rank(visible.first()), worst.width)]
            }
            (EdgeWidth::Probability, _) if self.probabilities[0] < self.probabilities[1] => {
                let [least, most] = self.probabilities.map(short);
                [(format!("Probability {most}"), WIDTH[0] + WIDTH[1]), (least, WIDTH[0])]
            }
            _ => return None,
        };
        Some(WidthKey { ends })
    }

    /// What colours say that lie on a scale.
    fn colour_key(&self, by: &EdgeColour) -> Option<ScaleKey> {
        let key = |label: &str, ends| Some(ScaleKey { label: label.to_owned(), kind: ScaleKind::Sequential, ends });
        match (by, self.agreement) {
            (EdgeColour::Probability, _) if self.count > 0 => key("Probability", self.probabilities.map(short)),
            (EdgeColour::Agreement, Some(agreement)) => {
                key("Kept by members", ["0".to_owned(), format!("{} of {0}", agreement.members())])
            }
            (EdgeColour::FalseDiscovery, _) if self.count > 0 => {
                key("False discovery rate", ["1".to_owned(), format!("≤ {SUREST}")])
            }
            _ => None,
        }
    }

    /// What colours, marks and dashes of lines say, other than signs and scales.
    fn keys(&self, style: &NetworkStyle, edges: &[NetworkEdge]) -> Vec<EdgeKey> {
        let any = |tint: EdgeTint| edges.iter().any(|edge| edge.tint == tint);
        let kinds = EVIDENCE.into_iter().map(|(evidence, text)| (EdgeTint::Evidence(evidence), text));
        let mut keys: Vec<EdgeKey> = kinds
            .filter(|(tint, _)| any(*tint))
            .map(|(tint, text)| EdgeKey { text: text.to_owned(), tint, ..EdgeKey::default() })
            .collect();
        if let Some(agreement) = self.agreement {
            let kept = grouped(agreement.kept());
            let by_members = |edge: &NetworkEdge| match edge.tint {
                EdgeTint::Missing | EdgeTint::Tested(EdgeVerdict::NotTested) => false,
                _ => edge.dashed,
            };
            if edges.iter().any(by_members) {
                let text = format!("Among the best {kept} of fewer than half of {} members", agreement.members());
                keys.push(EdgeKey { text, dashed: true, ..EdgeKey::default() });
            } else if self.count > 0 {
                let text = format!("All among the best {kept} of at least half of {} members", agreement.members());
                keys.push(EdgeKey { text, ..EdgeKey::default() });
            }
        }
        if matches!(style.edge_colour, EdgeColour::Tested(_)) {
            let verdicts = EdgeVerdict::ALL.into_iter().filter(|verdict| any(EdgeTint::Tested(*verdict)));
            keys.extend(verdicts.map(|verdict| EdgeKey {
                text: verdict.label().to_owned(),
                tint: EdgeTint::Tested(verdict),
                dashed: verdict == EdgeVerdict::NotTested,
                ..EdgeKey::default()
            }));
        }
        if style.edge_colour == EdgeColour::FalseDiscovery && any(EdgeTint::Plain) {
            keys.push(EdgeKey { text: "Not tested".to_owned(), tint: EdgeTint::Plain, ..EdgeKey::default() });
        }
        let Some(reference) = self.reference else { return keys };
        let label = &reference.label;
        if style.edge_colour == EdgeColour::Known {
            if any(EdgeTint::Known(true)) {
                keys.push(EdgeKey { text: format!("In {label}"), tint: EdgeTint::Known(true), ..EdgeKey::default() });
            }
            if any(EdgeTint::Known(false)) {
                keys.push(EdgeKey {
                    text: format!("Not in {label}"),
                    tint: EdgeTint::Known(false),
                    ..EdgeKey::default()
                });
            }
        } else if edges.iter().any(|edge| edge.marked) {
            keys.push(EdgeKey { text: format!("In {label}"), marked: true, ..EdgeKey::default() });
        }
        if any(EdgeTint::Missing) {
            let (text, tint) = (format!("Only in {label}"), EdgeTint::Missing);
            keys.push(EdgeKey { text, tint, dashed: true, ..EdgeKey::default() });
        }
        keys
    }
}

/// Whether colours tell of held-out cells and these say nothing of `edge`: it is dashed.
fn is_untested(colour: &EdgeColour, edge: &Edge) -> bool {
    let EdgeColour::Tested(verdicts) = colour else { return false };
    verdicts.get(edge.rank as usize - 1).is_none_or(|verdict| *verdict == EdgeVerdict::NotTested)
}

/// 0 for a false discovery rate of 1, 1 for [`SUREST`] and below, even in its logarithm.
fn certainty(rate: f32) -> f32 {
    (rate.max(SUREST).ln() / SUREST.ln()).clamp(0.0, 1.0)
}

/// Numbers of targets for the legend: 1, about a third, and the most.
fn target_steps(most: u32) -> Vec<u32> {
    match most {
        0 => vec![],
        1 => vec![1],
        2..=4 => vec![1, most],
        _ => vec![1, (most / 3).max(2), most],
    }
}

/// A number as it stands in the legend: three digits that matter.
fn short(value: f32) -> String {
    let size = value.abs();
    if value >= 1000.0 {
        return grouped(value.round() as usize);
    }
    let decimals = if size >= 100.0 || size == 0.0 { 0 } else { (2 - size.log10().floor() as i32).max(0) as usize };
    if size > 0.0 && size < 1e-4 {
        return format!("{value:.1e}").replace('-', "−");
    }
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    text.replace('-', "−")
}

/// The next of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten.
fn rounded_up(value: f32) -> f32 {
    if !(value.is_finite() && value > 0.0) {
        return 1.0;
    }
    let power = 10.0_f32.powf(value.log10().floor());
    let steps = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|step| *step >= value * 0.999).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gene_keeps_its_best_edge_before_any_has_two() {
        let edge = |(from, to): (usize, usize)| NetworkEdge {
            from,
            to,
            sign: Sign::Unknown,
            width: 1.0,
            opacity: 1.0,
            tint: EdgeTint::Sign,
            marked: false,
            dashed: false,
            highlighted: false,
            curved: false,
        };
        // The best come last; gene 0 has the four best.
        let mut edges: Vec<NetworkEdge> = [(4, 5), (0, 3), (5, 4), (0, 3), (0, 2), (0, 1)].map(edge).to_vec();
        foremost_last(&mut edges, 6);
        let pairs: Vec<(usize, usize)> = edges.iter().rev().map(|edge| (edge.from, edge.to)).collect();
        assert_eq!(pairs, [(0, 1), (0, 2), (0, 3), (5, 4), (4, 5), (0, 3)]);
    }

    proptest::proptest! {
        #[test]
        fn a_pair_is_answered_if_its_reverse_is_there(pairs in proptest::collection::vec((0_u32..9, 0_u32..9), 0..40)) {
            let by_search: Vec<bool> =
                pairs.iter().map(|&(from, to)| from != to && pairs.contains(&(to, from))).collect();
            proptest::prop_assert_eq!(answered(&pairs, 9), by_search);
        }
    }

    #[test]
    fn limits_are_round() {
        assert_eq!([0.37, 1.0, 1.2, 0.0, f32::NAN].map(rounded_up), [0.4, 1.0, 1.5, 1.0, 1.0]);
    }

    #[test]
    fn numbers_are_short() {
        let found = [0.0, 1.0, 12.0, 345.6, 12_345.0, 0.5, 0.012_345, -0.25, 2.5e-7].map(short);
        assert_eq!(found, ["0", "1", "12", "346", "12,345", "0.5", "0.0123", "−0.25", "2.5e−7"]);
    }
}
