//! How many of each point's nearest neighbours are simulated doublets.
//!
//! Squared distances come from products of blocks of points (|a|² + |b|² − 2a·b), of which only those below the point's
//! current k-th distance are kept. Up to some ten thousand points every pair is looked at. Beyond, points are grouped around
//! centres (k-means on a sample), and a group is compared with the nearest groups until enough points were seen:
//! neighbourhoods are hundreds of points, and the few missed at the edge do not change a share.

use gemm::{Parallelism, gemm};
use rand::RngExt as _;
use rayon::prelude::*;

use crate::jobs::{Cancelled, Progress};
use crate::random;

/// How thoroughly neighbours are looked for.
#[derive(Clone, Copy, Debug)]
struct Effort {
    /// Points up to which all pairs are compared.
    exact: usize,
    /// Points that a group is compared with otherwise, at least.
    candidates: usize,
    /// Points in a group, about.
    group: usize,
}

/// Seconds for a hundred thousand cells.
const EFFORT: Effort = Effort { exact: 45_000, candidates: 30_000, group: 1024 };
/// Rounds of k-means.
const ROUNDS: usize = 6;
/// Points compared at once: queries and candidates.
const QUERIES: usize = 128;
const BLOCK: usize = 2048;
/// Distances looked at together.
const LANES: usize = 16;

/// For each of `points` (points × `width`), how many of its `count` nearest other points come at or after `observed`.
pub(super) fn simulated_neighbours(
    points: &[f32],
    width: usize,
    observed: usize,
    count: usize,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Vec<u32>, Cancelled> {
    count_near(points, width, observed, count, EFFORT, seed, progress)
}

fn count_near(
    points: &[f32],
    width: usize,
    observed: usize,
    count: usize,
    effort: Effort,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Vec<u32>, Cancelled> {
    let cloud = Cloud::new(points, width);
    let total = cloud.len();
    let groups = if total <= effort.exact {
        Groups::one(total)
    } else {
        Groups::around_centres(&cloud, effort, seed, progress)?
    };
    // Points in the order of their groups lie side by side.
    let cloud = cloud.ordered(&groups.members);
    let tasks: Vec<(usize, usize, usize)> = (0..groups.starts.len() - 1)
        .flat_map(|group| {
            let (from, to) = (groups.starts[group], groups.starts[group + 1]);
            (from..to).step_by(QUERIES).map(move |first| (group, first, to.min(first + QUERIES)))
        })
        .collect();
    let counted: Vec<Vec<u32>> = tasks
        .par_iter()
        .map(|&(group, first, last)| {
            let mut near = Nearest::new(&cloud, first..last, count);
            for &other in &groups.nearest[group] {
                let (from, to) = (groups.starts[other as usize], groups.starts[other as usize + 1]);
                for block in (from..to).step_by(BLOCK) {
                    progress.check()?;
                    near.look_at(block..to.min(block + BLOCK));
                }
            }
            Ok(near.count(|at| groups.members[at] as usize >= observed))
        })
        .collect::<Result<_, Cancelled>>()?;
    let mut result = vec![0; total];
    for (&at, counted) in groups.members.iter().zip(counted.iter().flatten()) {
        result[at as usize] = *counted;
    }
    Ok(result)
}

/// Points with their squared lengths.
struct Cloud {
    width: usize,
    points: Vec<f32>,
    squares: Vec<f32>,
}

impl Cloud {
    fn new(points: &[f32], width: usize) -> Self {
        let squares = points.chunks_exact(width).map(|point| point.iter().map(|value| value * value).sum()).collect();
        Self { width, points: points.to_vec(), squares }
    }

    fn len(&self) -> usize {
        self.squares.len()
    }

    fn point(&self, at: usize) -> &[f32] {
        &self.points[at * self.width..(at + 1) * self.width]
    }

    fn ordered(&self, order: &[u32]) -> Self {
        let points: Vec<f32> = order.iter().flat_map(|&at| self.point(at as usize)).copied().collect();
        Self::new(&points, self.width)
    }

    /// −2·(points of `rows`)·(points of `columns` of `other`)ᵀ into `out` (rows × columns).
    fn products(&self, rows: std::ops::Range<usize>, other: &Self, columns: std::ops::Range<usize>, out: &mut [f32]) {
        let (m, n, k) = (rows.len(), columns.len(), self.width);
        let a = &self.points[rows.start * k..rows.end * k];
        let b = &other.points[columns.start * k..columns.end * k];
        let out = &mut out[..m * n];
        // SAFETY: the pointers and strides describe the slices above, which do not overlap: `a` and `out` are row-major
        // m × k and m × n, `b` is n × k read as its transpose.
        #[allow(unsafe_code)]
        unsafe {
            gemm(
                m,
                n,
                k,
                out.as_mut_ptr(),
                1,
                n as isize,
                false,
                a.as_ptr(),
                1,
                k as isize,
                b.as_ptr(),
                k as isize,
                1,
                0.0,
                -2.0,
                false,
                false,
                false,
                Parallelism::None,
            );
        }
    }
}

/// Points sorted into groups of neighbours.
struct Groups {
    /// Points, group by group.
    members: Vec<u32>,
    /// Where each group starts in `members`, and the end.
    starts: Vec<usize>,
    /// For each group, the groups to compare it with, nearest first.
    nearest: Vec<Vec<u32>>,
}

impl Groups {
    fn one(total: usize) -> Self {
        Self { members: (0..total as u32).collect(), starts: vec![0, total], nearest: vec![vec![0]] }
    }

    fn around_centres(cloud: &Cloud, effort: Effort, seed: u64, progress: &dyn Progress) -> Result<Self, Cancelled> {
        let total = cloud.len();
        let count = total.div_ceil(effort.group);
        let mut random = random::stream(seed, "groups of neighbours");
        let mut draw =
            |amount: usize| -> Vec<u32> { (0..amount).map(|_| random.random_range(0..total as u32)).collect() };
        let sample = cloud.ordered(&draw(count * 32));
        let mut centres = cloud.ordered(&draw(count));
        for _ in 0..ROUNDS {
            let nearest = nearest_centre(&sample, &centres, progress)?;
            let mut sums = vec![0.0f64; count * cloud.width];
            let mut members = vec![0u32; count];
            for (at, &centre) in nearest.iter().enumerate() {
                members[centre as usize] += 1;
                let sum = &mut sums[centre as usize * cloud.width..][..cloud.width];
                sum.iter_mut().zip(sample.point(at)).for_each(|(sum, &value)| *sum += f64::from(value));
            }
            let mut points = centres.points;
            for (centre, &members) in members.iter().enumerate().filter(|(_, members)| **members > 0) {
                for (value, sum) in
                    points[centre * cloud.width..].iter_mut().zip(&sums[centre * cloud.width..]).take(cloud.width)
                {
                    *value = (sum / f64::from(members)) as f32;
                }
            }
            centres = Cloud::new(&points, cloud.width);
        }
        let nearest = nearest_centre(cloud, &centres, progress)?;
        let mut starts = vec![0; count + 1];
        nearest.iter().for_each(|&centre| starts[centre as usize + 1] += 1);
        for group in 0..count {
            starts[group + 1] += starts[group];
        }
        let mut next = starts.clone();
        let mut members = vec![0; total];
        for (at, &centre) in nearest.iter().enumerate() {
            members[next[centre as usize]] = at as u32;
            next[centre as usize] += 1;
        }
        let order = |group: usize| {
            let here = centres.point(group);
            let distance = |other: &u32| -> f32 {
                here.iter().zip(centres.point(*other as usize)).map(|(a, b)| (a - b) * (a - b)).sum()
            };
            let mut others: Vec<u32> = (0..count as u32).collect();
            others.sort_by(|a, b| distance(a).total_cmp(&distance(b)).then(a.cmp(b)));
            let mut seen = 0;
            others
                .into_iter()
                .take_while(|&other| {
                    let wanted = seen < effort.candidates;
                    seen += starts[other as usize + 1] - starts[other as usize];
                    wanted
                })
                .collect()
        };
        let nearest = (0..count).into_par_iter().map(order).collect();
        Ok(Self { members, starts, nearest })
    }
}

/// The nearest of `centres` to each point; the first of equals.
fn nearest_centre(cloud: &Cloud, centres: &Cloud, progress: &dyn Progress) -> Result<Vec<u32>, Cancelled> {
    let blocks: Vec<usize> = (0..cloud.len()).step_by(QUERIES).collect();
    let nearest: Vec<Vec<u32>> = blocks
        .par_iter()
        .map(|&first| {
            progress.check()?;
            let rows = first..cloud.len().min(first + QUERIES);
            let mut products = vec![0.0; rows.len() * centres.len()];
            cloud.products(rows, centres, 0..centres.len(), &mut products);
            let nearest = products.chunks_exact(centres.len()).map(|row| {
                let mut best = (f32::INFINITY, 0);
                for (at, (product, square)) in row.iter().zip(&centres.squares).enumerate() {
                    if product + square < best.0 {
                        best = (product + square, at as u32);
                    }
                }
                best.1
            });
            Ok(nearest.collect())
        })
        .collect::<Result<_, Cancelled>>()?;
    Ok(nearest.concat())
}

/// The nearest points seen so far of a block of queries.
struct Nearest<'a> {
    cloud: &'a Cloud,
    queries: std::ops::Range<usize>,
    count: usize,
    /// Per query, keys of candidates: the distance in the upper half, the point in the lower.
    kept: Vec<Vec<u64>>,
    /// Per query, the distance (without the query's own square) that a candidate must stay below.
    bound: Vec<f32>,
    products: Vec<f32>,
}

impl<'a> Nearest<'a> {
    fn new(cloud: &'a Cloud, queries: std::ops::Range<usize>, count: usize) -> Self {
        let rows = queries.len();
        Self {
            cloud,
            queries,
            count,
            kept: vec![Vec::with_capacity(2 * count + BLOCK); rows],
            bound: vec![f32::INFINITY; rows],
            products: vec![0.0; rows * BLOCK],
        }
    }

    fn look_at(&mut self, candidates: std::ops::Range<usize>) {
        let width = candidates.len();
        self.cloud.products(self.queries.clone(), self.cloud, candidates.clone(), &mut self.products);
        let squares = &self.cloud.squares[candidates.clone()];
        for (row, query) in self.queries.clone().enumerate() {
            let distances = &mut self.products[row * width..(row + 1) * width];
            distances.iter_mut().zip(squares).for_each(|(distance, square)| *distance += square);
            if candidates.contains(&query) {
                distances[query - candidates.start] = f32::INFINITY;
            }
            let (kept, bound) = (&mut self.kept[row], &mut self.bound[row]);
            let (mut first, limit) = (candidates.start, *bound);
            for lanes in distances.chunks(LANES) {
                // Most are too far: no branch for each of them.
                if lanes.iter().fold(false, |near, distance| near | (*distance < limit)) {
                    for (offset, &distance) in lanes.iter().enumerate() {
                        if distance < limit {
                            kept.push(key(distance, first + offset));
                        }
                    }
                }
                first += LANES;
            }
            if kept.len() >= 2 * self.count {
                kept.select_nth_unstable(self.count - 1);
                kept.truncate(self.count);
                *bound = distance_of(kept[self.count - 1]);
            }
        }
    }

    /// Per query, how many of its nearest points are `wanted`.
    fn count(mut self, wanted: impl Fn(usize) -> bool) -> Vec<u32> {
        let counted = self.kept.iter_mut().map(|kept| {
            if kept.len() > self.count {
                kept.select_nth_unstable(self.count - 1);
                kept.truncate(self.count);
            }
            kept.iter().filter(|&&key| wanted((key & u64::from(u32::MAX)) as usize)).count() as u32
        });
        counted.collect()
    }
}

/// Keys ascend with distance, which may be negative, then with the point.
fn key(distance: f32, point: usize) -> u64 {
    let bits = distance.to_bits();
    let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
    u64::from(ordered) << 32 | point as u64
}

fn distance_of(key: u64) -> f32 {
    let ordered = (key >> 32) as u32;
    f32::from_bits(if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::Silent;

    fn points(count: usize, width: usize) -> Vec<f32> {
        let mut random = random::stream(6, "points");
        // Clumps, so that groups mean something.
        (0..count * width)
            .map(|at| {
                let clump = (at / width) % 7;
                (if at % width == clump % width { 4.0 } else { 0.0 }) + random.random::<f32>() + random.random::<f32>()
            })
            .collect()
    }

    /// By sorting all distances.
    fn plainly(points: &[f32], width: usize, observed: usize, count: usize, at: usize) -> u32 {
        let here = &points[at * width..(at + 1) * width];
        let mut all: Vec<(f32, usize)> = points
            .chunks_exact(width)
            .enumerate()
            .filter(|(other, _)| *other != at)
            .map(|(other, there)| (here.iter().zip(there).map(|(a, b)| (a - b) * (a - b)).sum(), other))
            .collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all.iter().take(count).filter(|(_, other)| *other >= observed).count() as u32
    }

    #[test]
    fn keys_keep_the_order_of_distances() {
        let distances = [-3.5f32, -0.0, 0.0, 1e-20, 2.0, f32::INFINITY];
        assert!(distances.windows(2).all(|pair| key(pair[0], 9) <= key(pair[1], 9)));
        assert!(distances.iter().all(|&distance| distance_of(key(distance, 3)) == distance));
    }

    #[test]
    fn every_neighbour_is_counted() {
        let (total, observed, width) = (3000, 1000, 5);
        let points = points(total, width);
        let found = simulated_neighbours(&points, width, observed, 60, 1, &Silent).unwrap();
        for at in (0..total).step_by(37) {
            let expected = plainly(&points, width, observed, 60, at);
            // Points at the rim may swap by rounding.
            assert!(found[at].abs_diff(expected) <= 1, "point {at}: {} instead of {expected}", found[at]);
        }
    }

    #[test]
    fn groups_of_neighbours_miss_little() {
        let (total, observed, width, count) = (6000, 2000, 6, 100);
        let points = points(total, width);
        let effort = Effort { exact: 1000, candidates: 2500, group: 100 };
        let found = count_near(&points, width, observed, count, effort, 1, &Silent).unwrap();
        let (mut off, mut looked) = (0, 0);
        for at in (0..total).step_by(97) {
            off += found[at].abs_diff(plainly(&points, width, observed, count, at));
            looked += 1;
        }
        assert!(off <= looked, "{off} neighbours differ at {looked} points");
    }
}
