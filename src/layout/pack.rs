//! Unconnected parts side by side: each is rasterised, and put where it fits nearest to the middle of an area of the wanted
//! shape (polyomino packing, Freivalds, Dogrusoz and Kikusts 2002).

use std::collections::HashSet;

/// A part to be placed.
pub(super) struct Shape {
    /// Discs (centre, radius), the margin counted in.
    pub discs: Vec<([f32; 2], f32)>,
    /// Lines between centres.
    pub lines: Vec<[[f32; 2]; 2]>,
    /// It stays where it is, and the others go around it.
    pub fixed: bool,
}

/// How far to move each shape. Fixed ones come first, then the others in the order given: hand in large ones first.
pub(super) fn pack(shapes: &[Shape], aspect: f32) -> Vec<[f32; 2]> {
    let cell = cell_size(shapes);
    let rasters: Vec<Raster> = shapes.iter().map(|shape| Raster::new(shape, cell)).collect();
    let mut taken: HashSet<(i32, i32)> = HashSet::new();
    for (raster, _) in rasters.iter().zip(shapes).filter(|(_, shape)| shape.fixed) {
        taken.extend(&raster.cells);
    }
    let total: usize = rasters.iter().map(|raster| raster.cells.len()).sum();
    let wide = rasters.iter().map(|raster| raster.width.max(raster.height)).max().unwrap_or(1);
    // Where there is nothing fixed, the middle is 0; else the middle of what is fixed.
    let middle = centre(&taken);
    let spots = Spots::new(aspect, ((total as f32).sqrt() as i32 + wide) * 2 + 2);
    // Single nodes are all alike: what did not fit one does not fit the next.
    let mut first_for_single = 0;
    let mut moves = vec![[0.0; 2]; shapes.len()];
    for (at, (shape, raster)) in shapes.iter().zip(&rasters).enumerate() {
        if shape.fixed || raster.cells.is_empty() {
            continue;
        }
        let single = shape.discs.len() == 1;
        let (home_x, home_y) = (raster.left + raster.width / 2, raster.top + raster.height / 2);
        let mut best: Option<(f32, usize, (i32, i32))> = None;
        for (index, &(spot_cost, x, y)) in spots.0.iter().enumerate().skip(if single { first_for_single } else { 0 }) {
            if best.as_ref().is_some_and(|&(cost, ..)| spot_cost >= cost) {
                break;
            }
            let across = (x.abs() as f32 + 0.5 * raster.width as f32) / aspect;
            let cost = across.max(y.abs() as f32 + 0.5 * raster.height as f32);
            if best.as_ref().is_some_and(|&(lowest, ..)| cost >= lowest) {
                continue;
            }
            let (dx, dy) = (x + middle.0 - home_x, y + middle.1 - home_y);
            if raster.cells.iter().all(|&(column, row)| !taken.contains(&(column + dx, row + dy))) {
                best = Some((cost, index, (dx, dy)));
                if single {
                    break;
                }
            }
        }
        let Some((_, index, (dx, dy))) = best else { continue };
        if single {
            first_for_single = index;
        }
        taken.extend(raster.cells.iter().map(|&(column, row)| (column + dx, row + dy)));
        moves[at] = [dx as f32 * cell, dy as f32 * cell];
    }
    moves
}

/// Of so many parts the gaps between them are seen, and they are placed in finer steps.
const FEW: usize = 200;

/// Fine enough for the smallest disc, coarse enough for the whole to stay within some ten thousand cells.
fn cell_size(shapes: &[Shape]) -> f32 {
    let discs = shapes.iter().flat_map(|shape| &shape.discs);
    let smallest = discs.map(|&(_, radius)| radius).fold(f32::INFINITY, f32::min);
    let area: f32 = shapes
        .iter()
        .map(|shape| {
            let (min, max) = bounds(&shape.discs);
            ((max[0] - min[0]) * (max[1] - min[1])).max(0.0)
        })
        .sum();
    let wanted = if smallest.is_finite() { smallest } else { 1.0 };
    let wanted = if shapes.len() <= FEW { 0.5 * wanted } else { wanted };
    wanted.max((area / 20_000.0).sqrt()).max(1e-3)
}

fn bounds(discs: &[([f32; 2], f32)]) -> ([f32; 2], [f32; 2]) {
    let (mut min, mut max) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
    for &(centre, radius) in discs {
        for axis in 0..2 {
            min[axis] = min[axis].min(centre[axis] - radius);
            max[axis] = max[axis].max(centre[axis] + radius);
        }
    }
    (min, max)
}

fn centre(cells: &HashSet<(i32, i32)>) -> (i32, i32) {
    let span = |of: fn(&(i32, i32)) -> i32| {
        let (min, max) = (cells.iter().map(of).min(), cells.iter().map(of).max());
        (min.unwrap_or(0) + max.unwrap_or(0)) / 2
    };
    (span(|cell| cell.0), span(|cell| cell.1))
}

/// Offsets from the middle, the nearest first, nearness measured in the area's own shape.
struct Spots(Vec<(f32, i32, i32)>);

impl Spots {
    fn new(aspect: f32, reach: i32) -> Self {
        // Cells as wide as the area demands, so that the list covers `reach` cells both ways.
        let reach = reach.clamp(4, 600);
        let (across, down) = ((reach as f32 * aspect.max(1.0)) as i32, (reach as f32 / aspect.min(1.0)) as i32);
        let mut spots = Vec::with_capacity((2 * across + 1) as usize * (2 * down + 1) as usize);
        for y in -down..=down {
            for x in -across..=across {
                spots.push(((x.abs() as f32 / aspect).max(y.abs() as f32), x, y));
            }
        }
        let far = |&(_, x, y): &(f32, i32, i32)| i64::from(x) * i64::from(x) + i64::from(y) * i64::from(y);
        spots.sort_by(|a, b| a.0.total_cmp(&b.0).then(far(a).cmp(&far(b))).then((a.2, a.1).cmp(&(b.2, b.1))));
        Self(spots)
    }
}

/// The cells that a shape covers.
struct Raster {
    cells: Vec<(i32, i32)>,
    left: i32,
    top: i32,
    width: i32,
    height: i32,
}

impl Raster {
    fn new(shape: &Shape, cell: f32) -> Self {
        let place = |value: f32| (value / cell).floor() as i32;
        let mut cells = std::collections::BTreeSet::new();
        for &(centre, radius) in &shape.discs {
            for row in place(centre[1] - radius)..=place(centre[1] + radius) {
                for column in place(centre[0] - radius)..=place(centre[0] + radius) {
                    // The point of the cell nearest to the centre lies in the disc.
                    let nearest = |at: i32, centre: f32| centre.clamp(at as f32 * cell, (at + 1) as f32 * cell);
                    let (x, y) = (nearest(column, centre[0]) - centre[0], nearest(row, centre[1]) - centre[1]);
                    if x * x + y * y <= radius * radius {
                        cells.insert((column, row));
                    }
                }
            }
        }
        for [from, to] in &shape.lines {
            let steps = ((to[0] - from[0]).hypot(to[1] - from[1]) / (0.5 * cell)).ceil().clamp(1.0, 1e5) as i32;
            for step in 0..=steps {
                let share = step as f32 / steps as f32;
                let along = |axis: usize| place(from[axis] + (to[axis] - from[axis]) * share);
                cells.insert((along(0), along(1)));
            }
        }
        let span = |of: fn(&(i32, i32)) -> i32| {
            let (min, max) = (cells.iter().map(of).min().unwrap_or(0), cells.iter().map(of).max().unwrap_or(0));
            (min, max - min + 1)
        };
        let ((left, width), (top, height)) = (span(|cell| cell.0), span(|cell| cell.1));
        Self { cells: cells.into_iter().collect(), left, top, width, height }
    }
}
