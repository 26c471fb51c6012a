//! How well a layout shows its graph, in two numbers that do not depend on its scale.

use rayon::prelude::*;

use super::components::Neighbours;
use super::{LayoutEdge, links};

/// The mean share of a node's k neighbours in the graph that are among its k nearest nodes in the plane; 1 is perfect.
/// Nodes without a neighbour do not count; none without edges. Directions and repeated edges do not matter. O(n²).
///
/// Each node has its own k (its degree), as in Kruiger et al. 2017 (doi:10.1111/cgf.13187) at a distance of one edge.
pub fn neighbourhood_preservation(positions: &[[f32; 2]], edges: &[LayoutEdge]) -> Option<f64> {
    let neighbours = Neighbours::new(positions.len(), &links(positions.len(), edges));
    let shares: Vec<f64> = (0..positions.len())
        .into_par_iter()
        .filter_map(|node| {
            let mut near = neighbours.of(node).to_vec();
            near.sort_unstable();
            near.dedup();
            let count = near.len();
            if count == 0 {
                return None;
            }
            let here = positions[node];
            let mut others: Vec<(f32, usize)> = (0..positions.len())
                .filter(|&other| other != node)
                .map(|other| ((positions[other][0] - here[0]).hypot(positions[other][1] - here[1]), other))
                .collect();
            others.select_nth_unstable_by(count - 1, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let found = others[..count].iter().filter(|(_, other)| near.binary_search(other).is_ok()).count();
            Some(found as f64 / count as f64)
        })
        .collect();
    (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
}

/// Normalised stress: the mean of (s·x/d − 1)² over pairs of connected nodes, x their distance in the plane, d the number
/// of edges between them, s the scale that makes it least; 0 is perfect. Sampled: from `sources` nodes, evenly spread
/// over the node numbers, to all others. None without connected pairs.
///
/// This is stress with the usual weights d⁻² (Gansner, Koren and North 2004), per pair.
pub fn stress(positions: &[[f32; 2]], edges: &[LayoutEdge], sources: usize) -> Option<f64> {
    let count = positions.len();
    let neighbours = Neighbours::new(count, &links(count, edges));
    let sources = sources.clamp(1, count.max(1));
    // Σ x/d, Σ (x/d)² and the number of pairs; with s = Σ(x/d) / Σ(x/d)² the mean is 1 − (Σ x/d)² / (n Σ (x/d)²).
    let sums: Vec<[f64; 3]> = (0..sources)
        .into_par_iter()
        .map(|at| {
            let source = at * count / sources;
            let mut sums = [0.0; 3];
            for (node, distance) in neighbours.distances(source).into_iter().enumerate() {
                if distance != u32::MAX && distance > 0 {
                    let (a, b) = (positions[source], positions[node]);
                    let ratio = f64::from((a[0] - b[0]).hypot(a[1] - b[1])) / f64::from(distance);
                    sums = [sums[0] + ratio, sums[1] + ratio * ratio, sums[2] + 1.0];
                }
            }
            sums
        })
        .collect();
    let [first, second, pairs] =
        sums.iter().fold([0.0; 3], |all, one| [all[0] + one[0], all[1] + one[1], all[2] + one[2]]);
    (pairs > 0.0 && second > 0.0).then(|| 1.0 - first * first / (pairs * second))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(count: u32) -> Vec<LayoutEdge> {
        (1..count).map(|to| LayoutEdge { from: to - 1, to, weight: 1.0 }).collect()
    }

    #[test]
    fn a_path_drawn_as_a_line_is_perfect() {
        let line: Vec<[f32; 2]> = (0..30).map(|at| [at as f32 * 7.0, 3.0]).collect();
        assert_eq!(neighbourhood_preservation(&line, &path(30)), Some(1.0));
        assert!(stress(&line, &path(30), 30).is_some_and(|stress| stress.abs() < 1e-6));
    }

    #[test]
    fn a_path_in_disorder_is_not() {
        // 7 and 30 have no common divisor: neighbours lie 7 places apart, or 23.
        let line: Vec<[f32; 2]> = (0..30).map(|at| [(at * 7 % 30) as f32, 0.0]).collect();
        assert_eq!(neighbourhood_preservation(&line, &path(30)), Some(0.0));
        assert!(stress(&line, &path(30), 30).is_some_and(|stress| stress > 0.3));
    }

    #[test]
    fn the_stress_of_a_right_angle_is_what_a_pencil_says() {
        // Three nodes of a path at a right angle: x/d is 1, 1 and √2/2.
        let corner = [[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]];
        let (half, mean) = (std::f64::consts::FRAC_1_SQRT_2, 2.0 + std::f64::consts::FRAC_1_SQRT_2);
        let expected = 1.0 - mean * mean / (3.0 * (2.0 + half * half));
        assert!(stress(&corner, &path(3), 3).is_some_and(|stress| (stress - expected).abs() < 1e-6));
        assert_eq!(neighbourhood_preservation(&corner, &[]), None);
        assert_eq!(stress(&corner, &[], 3), None);
    }
}
