//! Two networks in one layout: side by side, or one over the other.

use super::build::{OPACITY, RADIUS, WIDTH};
use super::draw::fit_discs;
use super::legend::{EdgeKey, NetworkLegend};
use super::style::EdgeTint;
use super::{Area, Camera, NetworkEdge, NetworkFigure, NetworkHits, NetworkNode, NodeHit};
use crate::figures::font::text_width;
use crate::figures::scene::{Anchor, Layer, Primitive, Scene, Stroke, Weight};
use crate::figures::theme::FigureTheme;
use crate::figures::{Figure, FigureScene, Hit, HitShape};
use crate::network::compare::{Comparison, Side, Union};
use crate::network::{GeneId, Sign};

/// Narrower figures, width over height, have one network above the other.
const UPRIGHT: f32 = 0.85;

/// How two networks are shown.
#[derive(Clone, Debug, PartialEq)]
pub struct CompareStyle {
    /// What the two are called.
    pub names: [String; 2],
    /// One over the other instead of side by side.
    pub overlaid: bool,
    /// Font size in points.
    pub text_size: f32,
    /// Genes that the user selected, of the union.
    pub selected: Vec<GeneId>,
    /// The gene under the pointer.
    pub hovered: Option<GeneId>,
}

/// Two networks in one layout.
#[derive(Clone, Debug, PartialEq)]
pub struct CompareFigure {
    /// Side by side the first and the second network; overlaid the one of both. Nodes lie at the same points in all.
    pub panes: Vec<NetworkFigure>,
    /// What is written above each.
    pub titles: Vec<String>,
    /// What is explained below.
    pub legend: NetworkLegend,
    /// Font size in points.
    pub text_size: f32,
    /// All nodes of both, for the camera.
    extent: Vec<[f32; 2]>,
    /// What a camera saw in a pane of the screen; none to show everything.
    pub view: Option<(Camera, Area)>,
}

/// A drawn pane.
#[derive(Clone, Debug, PartialEq)]
pub struct Pane {
    /// Its top left corner in the scene.
    pub at: [f32; 2],
    /// Where its network is drawn, from its corner.
    pub area: Area,
    /// What can be pointed at, from its corner.
    pub hits: NetworkHits,
}

/// Both networks as drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct CompareScene {
    /// What to draw.
    pub scene: Scene,
    /// In the order of [`CompareFigure::panes`].
    pub panes: Vec<Pane>,
}

impl CompareFigure {
    /// The figure of `comparison`. `positions` has a point per gene of the union; genes without one are left out.
    pub fn of(comparison: &Comparison, union: &Union, positions: &[[f32; 2]], style: &CompareStyle) -> Self {
        let sides: &[Option<usize>] = if style.overlaid { &[None] } else { &[Some(0), Some(1)] };
        let panes: Vec<NetworkFigure> =
            sides.iter().map(|side| pane(comparison, union, positions, style, *side)).collect();
        let counts = [Side::Right, Side::Left].map(|without| comparison.edges.len() - comparison.count(without));
        let edges = |count: usize| crate::words::counted(count, "edge");
        let titles = if style.overlaid {
            vec![format!("{} and {}", style.names[0], style.names[1])]
        } else {
            (0..2).map(|side| format!("{}, {}", style.names[side], edges(counts[side]))).collect()
        };
        let has = |of: &dyn Fn(&NetworkEdge) -> bool| panes.iter().flat_map(|pane| &pane.edges).any(of);
        let tints = [
            (EdgeTint::Both, "In both".to_owned()),
            (EdgeTint::Left, format!("Only in {}", style.names[0])),
            (EdgeTint::Right, format!("Only in {}", style.names[1])),
        ];
        let mut kinds: Vec<EdgeKey> = tints
            .into_iter()
            .filter(|(tint, _)| has(&|edge| edge.tint == *tint))
            .map(|(tint, text)| EdgeKey { text, tint, ..EdgeKey::default() })
            .collect();
        if has(&|edge| edge.marked) {
            let (text, tint) = ("Opposite signs".to_owned(), EdgeTint::Both);
            kinds.push(EdgeKey { text, tint, marked: true, ..EdgeKey::default() });
        }
        let legend = NetworkLegend {
            signs: [Sign::Activates, Sign::Represses]
                .into_iter()
                .filter(|sign| has(&|edge| edge.sign == *sign))
                .collect(),
            kinds,
            ..NetworkLegend::default()
        };
        let extent = positions.iter().filter(|at| at.iter().all(|part| part.is_finite())).copied().collect();
        Self { panes, titles, legend, text_size: style.text_size, extent, view: None }
    }

    /// Where the panes lie in a figure of `size` points: all of the same size.
    pub fn places(&self, size: [f32; 2]) -> Vec<Area> {
        let strip = self.legend.height(size, self.text_size);
        let room = [size[0], (size[1] - strip).max(1.0)];
        let (gap, title, count) = (self.text_size * 1.4, self.text_size * 2.0, self.panes.len());
        if count < 2 {
            return vec![[[0.0, title], [room[0], room[1].max(title + 1.0)]]];
        }
        if room[0] < UPRIGHT * room[1] {
            let height = ((room[1] - gap) / 2.0).max(title + 1.0);
            return (0..2)
                .map(|at| at as f32 * (height + gap))
                .map(|top| [[0.0, top + title], [room[0], top + height]])
                .collect();
        }
        let width = ((room[0] - gap) / 2.0).max(1.0);
        let bottom = room[1].max(title + 1.0);
        (0..2).map(|at| at as f32 * (width + gap)).map(|left| [[left, title], [left + width, bottom]]).collect()
    }

    /// Size in points of each pane in a figure of `size` points.
    pub fn pane_size(&self, size: [f32; 2]) -> [f32; 2] {
        let [low, high] = self.places(size)[0];
        [high[0] - low[0], high[1] - low[1]]
    }

    /// The camera that shows all of both in a figure of `size` points.
    pub fn fit(&self, size: [f32; 2]) -> Camera {
        let area = [[0.0, 0.0], self.pane_size(size)];
        let sticks_out = |camera: &Camera, margin: f32| {
            self.panes.iter().map(|figure| figure.sticks_out(camera, area, margin)).fold(0.0, f32::max)
        };
        fit_discs(&self.extent, area, self.text_size, sticks_out)
    }

    /// Draws both in `size` points through one camera.
    pub fn draw(&self, size: [f32; 2], camera: &Camera, theme: &FigureTheme) -> CompareScene {
        let mut scene = Scene { size, background: Some(theme.background), layers: Vec::new() };
        let places = self.places(size);
        let mut panes = Vec::new();
        let mut primitives = Vec::new();
        let letters = self.text_size;
        for (number, ([low, high], figure)) in places.iter().zip(&self.panes).enumerate() {
            let drawn = figure.scene([high[0] - low[0], high[1] - low[1]], camera, theme);
            let prefix = match (self.panes.len(), number) {
                (1, _) => "both: ",
                (_, 0) => "left: ",
                _ => "right: ",
            };
            scene.place(drawn.scene, *low, prefix);
            panes.push(Pane { at: *low, area: drawn.area, hits: drawn.hits });
            let title = shortened(&self.titles[number], letters, high[0] - low[0] - letters * 1.6);
            primitives.push(Primitive::Text {
                position: [low[0] + letters * 0.8, low[1] - letters],
                anchor: Anchor::Start,
                text: title,
                size: letters,
                colour: theme.text,
                weight: Weight::Bold,
                rotation: 0.0,
                halo: None,
            });
        }
        if let [first, second] = &places[..] {
            let middle = |axis: usize, before: f32, after: f32| (axis, f32::midpoint(before, after));
            let title = letters * 2.0;
            let line = if second[0][0] > first[1][0] {
                let (_, x) = middle(0, first[1][0], second[0][0]);
                vec![[x, letters * 0.5], [x, first[1][1]]]
            } else {
                let (_, y) = middle(1, first[1][1], second[0][1] - title);
                vec![[letters * 0.8, y], [size[0] - letters * 0.8, y]]
            };
            primitives.push(Primitive::Polyline {
                points: line,
                stroke: Stroke { width: 0.5, colour: theme.grid },
                dash: None,
            });
        }
        scene.layers.push(Layer { name: "titles".into(), primitives, clip: None });
        scene.layers.push(self.legend.layer(size, self.text_size, 1.0, theme));
        CompareScene { scene, panes }
    }
}

/// `text`, cut where it is wider than `room`.
fn shortened(text: &str, size: f32, room: f32) -> String {
    if text_width(text, size, Weight::Bold) <= room {
        return text.to_owned();
    }
    let mut letters: Vec<char> = text.chars().collect();
    while letters.len() > 1
        && text_width(&format!("{}…", letters.iter().collect::<String>()), size, Weight::Bold) > room
    {
        letters.pop();
    }
    format!("{}…", letters.into_iter().collect::<String>())
}

/// One network; that of both for no side.
fn pane(
    comparison: &Comparison,
    union: &Union,
    positions: &[[f32; 2]],
    style: &CompareStyle,
    side: Option<usize>,
) -> NetworkFigure {
    let genes = union.grn.genes();
    let placed = |gene: usize| positions.get(gene).is_some_and(|at| at.iter().all(|part| part.is_finite()));
    let here = |row: usize| side.is_none_or(|side| union.quality[row][side].is_some());
    let mut targets = vec![0_u32; genes.len()];
    let mut connected = vec![false; genes.len()];
    for (edge, &row) in union.grn.edges().iter().zip(&union.rows) {
        // As large on both sides, so that sizes do not differ where the networks do not.
        targets[edge.regulator.0 as usize] += 1;
        if here(row) {
            connected[edge.regulator.0 as usize] = true;
            connected[edge.target.0 as usize] = true;
        }
    }
    let most = targets.iter().copied().max().unwrap_or(0).max(1) as f32;
    let mut selected = vec![false; genes.len()];
    style.selected.iter().for_each(|gene| selected[gene.0 as usize] = true);
    let mut at_node = vec![usize::MAX; genes.len()];
    let mut nodes = Vec::new();
    for (at, gene) in genes.iter().enumerate() {
        // A gene that this network does not know at all is not in it.
        if !placed(at) || side.is_some_and(|side| !union.known[at][side]) {
            continue;
        }
        let id = GeneId(at as u32);
        at_node[at] = nodes.len();
        nodes.push(NetworkNode {
            gene: id,
            label: gene.symbol.clone(),
            position: positions[at],
            radius: RADIUS[0] + RADIUS[1] * (targets[at] as f32 / most).sqrt(),
            tint: None,
            fill: None,
            priority: if connected[at] { targets[at] as f32 + 1.0 } else { 0.0 },
            selected: selected[at],
            hovered: style.hovered == Some(id),
            perturbed: false,
            knocked_out: false,
            measured: true,
            faint: !connected[at],
        });
    }
    let mut interesting = vec![false; genes.len()];
    for gene in style.selected.iter().chain(&style.hovered) {
        interesting[gene.0 as usize] = true;
    }
    let of_interest = |gene: GeneId| interesting[gene.0 as usize];
    let mut edges: Vec<(f32, NetworkEdge)> = Vec::new();
    for ((edge, &row), &curved) in union.grn.edges().iter().zip(&union.rows).zip(&union.has_reverse) {
        let ends = [edge.regulator, edge.target].map(|gene| at_node[gene.0 as usize]);
        if !here(row) || ends.contains(&usize::MAX) {
            continue;
        }
        let compared = &comparison.edges[row];
        let seen = match side {
            Some(0) => compared.left,
            Some(_) => compared.right,
            None => compared.left.or(compared.right),
        };
        let quality = match side {
            Some(side) => union.quality[row][side].unwrap_or(0.0),
            None => edge.probability,
        };
        edges.push((
            quality,
            NetworkEdge {
                from: ends[0],
                to: ends[1],
                sign: seen.map_or(Sign::Unknown, |seen| seen.sign),
                width: WIDTH[0] + WIDTH[1] * quality * quality,
                opacity: OPACITY[0] + OPACITY[1] * quality,
                tint: match compared.side() {
                    Side::Both => EdgeTint::Both,
                    Side::Left => EdgeTint::Left,
                    Side::Right => EdgeTint::Right,
                },
                marked: compared.contradicts(),
                dashed: false,
                highlighted: of_interest(edge.regulator) || of_interest(edge.target),
                curved,
            },
        ));
    }
    // The best above the others.
    edges.sort_by(|a, b| a.0.total_cmp(&b.0));
    let edges = edges.into_iter().map(|(_, edge)| edge).collect();
    let spacing = spacing(positions);
    NetworkFigure { nodes, edges, legend: None, text_size: style.text_size, spacing, by_gene: true }
}

/// Of all genes of both networks, so that nodes are as large on both sides.
fn spacing(positions: &[[f32; 2]]) -> Option<f32> {
    let node = |(at, position): (usize, &[f32; 2])| NetworkNode::plain(GeneId(at as u32), *position);
    let nodes = positions.iter().enumerate().filter(|(_, at)| at.iter().all(|part| part.is_finite())).map(node);
    let all = NetworkFigure { nodes: nodes.collect(), ..NetworkFigure::default() };
    Some(all.spacing())
}

impl Figure for CompareFigure {
    fn scene(&self, size: [f32; 2], theme: &FigureTheme) -> FigureScene {
        let camera = match &self.view {
            Some((camera, from)) => camera.between(*from, [[0.0, 0.0], self.pane_size(size)]),
            None => self.fit(size),
        };
        let drawn = self.draw(size, &camera, theme);
        let mut hits = Vec::new();
        for (pane, figure) in drawn.panes.iter().zip(&self.panes) {
            let hit = |node: &NodeHit| Hit {
                shape: HitShape::Disc {
                    centre: [node.centre[0] + pane.at[0], node.centre[1] + pane.at[1]],
                    radius: node.radius,
                },
                index: figure.nodes[node.node].gene.0 as usize,
                text: figure.nodes[node.node].label.clone(),
            };
            hits.extend(pane.hits.nodes.iter().map(hit));
        }
        FigureScene { scene: drawn.scene, hits, skipped: 0 }
    }
}
