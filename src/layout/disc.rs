//! A crowd of nodes spread evenly over a disc: who lay inside stays inside, and who lay beside whom stays there as far as
//! there is room.
//!
//! Forces leave a large community dense where its hubs are and thin at the rim. Here its places are made round (by their
//! main axes), then given areas of equal density: ring by ring outwards in the order of their distance from the middle, and
//! around each ring in the order of their angle. At last neighbours push each other apart.

use std::f32::consts::{PI, TAU};

use super::overlap::Overlaps;

/// Width of the rings, in wanted distances.
const RING: f32 = 3.0;
/// How far apart nodes are pushed at last, as a share of the side of the square that each may claim: as much as discs in
/// disorder have room for.
const APART: f32 = 0.94;
/// How often they are pushed, and which share of what is missing each time.
const SWEEPS: u32 = 80;
const SHARE: f32 = 0.6;

/// Nodes spread over a disc.
pub(super) struct Disc {
    /// Relative to its middle.
    pub places: Vec<[f32; 2]>,
    /// Of the disc, discs of the nodes included.
    pub radius: f32,
}

/// The nodes at `places` spread over a disc, `distance` apart, larger ones (`radii`) farther. O(n log n).
pub(super) fn spread(places: &[[f32; 2]], radii: &[f32], distance: f32) -> Disc {
    let count = places.len();
    if count == 0 {
        return Disc { places: Vec::new(), radius: 0.0 };
    }
    let mean = (radii.iter().sum::<f32>() / count as f32).max(1e-3);
    let claim: Vec<f32> = radii.iter().map(|radius| distance * (0.5 + 0.5 * radius / mean).max(1.0)).collect();
    let round = rounded(places);
    let polar: Vec<[f32; 2]> = round.iter().map(|[x, y]| [x.hypot(*y), y.atan2(*x)]).collect();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| polar[a][0].total_cmp(&polar[b][0]).then(a.cmp(&b)));

    let mut spread = vec![[0.0; 2]; count];
    let (mut area, mut first) = (0.0, 0);
    let mut reach = vec![0.0; count];
    for at in 0..count {
        let own = claim[order[at]].powi(2);
        reach[order[at]] = ((area + 0.5 * own) / PI).sqrt();
        area += own;
        // A ring is full, or nobody is left.
        let outer = (area / PI).sqrt();
        let inner = order.get(first).map_or(0.0, |&node| reach[node]);
        if outer - inner >= RING * distance || at + 1 == count {
            around(&order[first..=at], &polar, &reach, &claim, &mut spread);
            first = at + 1;
        }
    }
    let radius = (area / PI).sqrt();
    let wanted: Vec<f32> = claim.iter().map(|claim| 0.5 * APART * claim).collect();
    let fixed = vec![false; count];
    let mut overlaps = Overlaps::default();
    for _ in 0..SWEEPS {
        if overlaps.sweep(&mut spread, &wanted, &fixed, 0.0, SHARE) < 0.02 * distance {
            break;
        }
        // What is pushed out comes back to the rim.
        for (at, wanted) in spread.iter_mut().zip(&wanted) {
            let (away, most) = (at[0].hypot(at[1]), (radius - wanted).max(0.0));
            if away > most {
                *at = at.map(|part| part * most / away);
            }
        }
    }
    let radius = spread.iter().zip(radii).map(|(at, radius)| at[0].hypot(at[1]) + radius).fold(0.0, f32::max);
    Disc { places: spread, radius }
}

/// Spread the nodes of a ring evenly around it, in the order of their angles, turned so that they move as little as can be.
fn around(ring: &[usize], polar: &[[f32; 2]], reach: &[f32], claim: &[f32], spread: &mut [[f32; 2]]) {
    let mut order = ring.to_vec();
    order.sort_by(|&a, &b| polar[a][1].total_cmp(&polar[b][1]).then(a.cmp(&b)));
    let whole: f32 = order.iter().map(|&node| claim[node].powi(2)).sum();
    let mut area = 0.0;
    let mut angles = Vec::with_capacity(order.len());
    for &node in &order {
        let own = claim[node].powi(2);
        angles.push(TAU * (area + 0.5 * own) / whole);
        area += own;
    }
    let (mut sine, mut cosine) = (0.0, 0.0);
    for (&node, angle) in order.iter().zip(&angles) {
        let turn = polar[node][1] - angle;
        (sine, cosine) = (sine + turn.sin(), cosine + turn.cos());
    }
    let turn = sine.atan2(cosine);
    for (&node, angle) in order.iter().zip(&angles) {
        let angle = angle + turn;
        spread[node] = [reach[node] * angle.cos(), reach[node] * angle.sin()];
    }
}

/// The places around their middle, as far spread in every direction: along their main axes, by their standard deviations.
fn rounded(places: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let count = places.len() as f64;
    let middle = [0, 1].map(|axis| places.iter().map(|at| f64::from(at[axis])).sum::<f64>() / count);
    let centred: Vec<[f64; 2]> =
        places.iter().map(|at| [0, 1].map(|axis| f64::from(at[axis]) - middle[axis])).collect();
    let moment = |a: usize, b: usize| centred.iter().map(|at| at[a] * at[b]).sum::<f64>() / count;
    let (xx, yy, xy) = (moment(0, 0), moment(1, 1), moment(0, 1));
    let angle = 0.5 * (2.0 * xy).atan2(xx - yy);
    let (sine, cosine) = angle.sin_cos();
    let half = (0.25 * (xx - yy).powi(2) + xy * xy).sqrt();
    let deviations = [0.5 * (xx + yy) + half, 0.5 * (xx + yy) - half].map(|variance| variance.max(0.0).sqrt());
    let [long, short] = deviations.map(|deviation| 1.0 / deviation.max(1e-3 * deviations[0]).max(1e-9));
    let turned = |[x, y]: [f64; 2]| {
        let (along, across) = ((x * cosine + y * sine) * long, (y * cosine - x * sine) * short);
        [(along * cosine - across * sine) as f32, (along * sine + across * cosine) as f32]
    };
    centred.into_iter().map(turned).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// However the places lie (in a heap, on a line, many on one spot), the nodes come to lie apart in a disc that they fill.
        #[test]
        fn nodes_lie_apart_in_a_full_disc(
            (count, hubs, squeeze, seed) in (1_usize..700, 0_usize..20, 0.0_f32..1.0, 0_u64..1000),
        ) {
            use rand::RngExt;
            let mut random = crate::random::stream(seed, "disc");
            // Crowded towards the middle and flat; some coincide.
            let places: Vec<[f32; 2]> = (0..count)
                .map(|at| {
                    let (reach, turn) = (random.random::<f32>().powi(4), random.random::<f32>() * TAU);
                    let place = [1000.0 * reach * turn.cos(), 1000.0 * reach * turn.sin() * squeeze];
                    if at % 5 == 0 { [3.0, 4.0] } else { place }
                })
                .collect();
            let radii: Vec<f32> = (0..count).map(|at| if at < hubs { 16.0 } else { 8.0 }).collect();
            let disc = spread(&places, &radii, 58.0);
            for (a, (place, radius)) in disc.places.iter().zip(&radii).enumerate() {
                prop_assert!(place[0].hypot(place[1]) + radius <= disc.radius * 1.001);
                for (b, other) in disc.places.iter().enumerate().skip(a + 1) {
                    let apart = (place[0] - other[0]).hypot(place[1] - other[1]);
                    let wanted = 0.6 * 58.0;
                    prop_assert!(apart > wanted, "{a} and {b}: {apart} of {wanted}");
                }
            }
            // Not thinner than it need be.
            let needed: f32 = radii.iter().map(|radius| (58.0 * (0.5 + radius / 16.0)).powi(2)).sum();
            prop_assert!(disc.radius <= (needed / PI).sqrt() + 58.0, "{} for {needed}", disc.radius);
        }
    }

    #[test]
    fn who_lies_inside_stays_inside_and_the_same_way() {
        // A spiral: its order outwards and around is known.
        let places: Vec<[f32; 2]> = (0..400)
            .map(|at| {
                let (reach, turn) = ((at as f32).powi(2), at as f32 * 2.4);
                [5.0 + reach * turn.cos(), -3.0 + reach * turn.sin()]
            })
            .collect();
        let disc = spread(&places, &[8.0; 400], 58.0);
        let reach = |at: usize| disc.places[at][0].hypot(disc.places[at][1]);
        let mean = |from: usize| (from..from + 100).map(reach).sum::<f32>() / 100.0;
        assert!(mean(0) < mean(100) && mean(100) < mean(200) && mean(200) < mean(300));
        let turned = |at: usize| {
            let [x, y] = disc.places[at];
            let (a, b) = (y.atan2(x), (places[at][1] + 3.0).atan2(places[at][0] - 5.0));
            ((a - b + 3.0 * PI).rem_euclid(TAU) - PI).abs()
        };
        let far = (200..400).filter(|&at| turned(at) > 0.5).count();
        assert!(far < 20, "{far} of 200 turned by more than half a radian");
        assert!(spread(&[], &[], 58.0).places.is_empty());
    }
}
