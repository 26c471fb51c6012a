//! Hierarchical clustering of profiles: average linkage (Sokal and Michener 1958) on correlation distance, as heat maps of
//! expression have used it since Eisen et al. 1998.

use kodama::{Method, linkage};

/// Two clusters become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Merge {
    /// Numbers of the two: below the number of profiles a profile, above it the merge of that number less the profiles.
    pub of: [usize; 2],
    /// How far they are apart.
    pub distance: f32,
}

/// A hierarchy of profiles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hierarchy {
    /// From the nearest to the farthest; one less than profiles.
    pub merges: Vec<Merge>,
    /// The profiles as the leaves stand side by side.
    pub order: Vec<usize>,
}

/// 1 − Pearson's r over the entries that are finite in both; 1 where r is not defined.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    let pairs = || a.iter().zip(b).filter(|(a, b)| a.is_finite() && b.is_finite());
    let count = pairs().count() as f64;
    if count < 2.0 {
        return 1.0;
    }
    let sums = pairs().fold([0.0f64; 2], |[x, y], (a, b)| [x + f64::from(*a), y + f64::from(*b)]);
    let means = sums.map(|sum| sum / count);
    let [mut product, mut left, mut right] = [0.0f64; 3];
    for (a, b) in pairs() {
        let (a, b) = (f64::from(*a) - means[0], f64::from(*b) - means[1]);
        product += a * b;
        left += a * a;
        right += b * b;
    }
    let r = product / (left * right).sqrt();
    if r.is_finite() { (1.0 - r.clamp(-1.0, 1.0)) as f32 } else { 1.0 }
}

/// Cluster `profiles`. Of two clusters that become one, that stands first whose profiles are lower on average, so that a heat map runs
/// from fall to rise. O(n² · length) time. Same input, same output.
pub fn cluster(profiles: &[Vec<f32>]) -> Hierarchy {
    let count = profiles.len();
    if count < 2 {
        return Hierarchy { merges: Vec::new(), order: (0..count).collect() };
    }
    let mut distances: Vec<f32> = Vec::with_capacity(count * (count - 1) / 2);
    for row in 0..count - 1 {
        distances.extend((row + 1..count).map(|other| distance(&profiles[row], &profiles[other])));
    }
    let steps = linkage(&mut distances, count, Method::Average);
    let mut level: Vec<(f64, f64)> = profiles
        .iter()
        .map(|profile| {
            let finite = profile.iter().filter(|value| value.is_finite());
            let sum = finite.clone().map(|value| f64::from(*value)).sum::<f64>();
            (sum / finite.count().max(1) as f64, 1.0)
        })
        .collect();
    let mut members: Vec<Vec<usize>> = (0..count).map(|leaf| vec![leaf]).collect();
    let mut merges = Vec::with_capacity(count - 1);
    for step in steps.steps() {
        let (a, b) = (step.cluster1, step.cluster2);
        let [first, second] = if level[b].0 < level[a].0 { [b, a] } else { [a, b] };
        let size = level[a].1 + level[b].1;
        level.push(((level[a].0 * level[a].1 + level[b].0 * level[b].1) / size, size));
        let mut together = std::mem::take(&mut members[first]);
        together.append(&mut members[second]);
        members.push(together);
        merges.push(Merge { of: [first, second], distance: step.dissimilarity });
    }
    Hierarchy { merges, order: members.pop().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_of_one_shape_stand_together_whatever_their_size() {
        let profiles = [
            vec![1.0, 2.0, 3.0, 4.0],
            vec![-1.0, -2.0, -3.0, -4.5],
            vec![10.0, 20.0, 30.0, 41.0],
            vec![-2.0, -4.1, -6.0, -8.0],
        ];
        let found = cluster(&profiles);
        assert_eq!(found.order, [3, 1, 0, 2], "from fall to rise");
        assert_eq!(found.merges.len(), 3);
        assert!(found.merges[0].distance < 0.01 && found.merges[1].distance < 0.01);
        assert!(found.merges[2].distance > 1.9);
    }

    #[test]
    fn linkage_is_the_average_of_all_pairs() {
        // scipy.cluster.hierarchy.linkage(pdist([[1, 2, 4], [1, 3, 2], [5, 1, 0]], "correlation"), "average")[:, 2]
        // is 0.67267316, 1.81097717.
        let found = cluster(&[vec![1.0, 2.0, 4.0], vec![1.0, 3.0, 2.0], vec![5.0, 1.0, 0.0]]);
        let distances: Vec<f32> = found.merges.iter().map(|merge| merge.distance).collect();
        let expected = [0.672_673_16, 1.810_977_2];
        assert!(distances.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{distances:?}");
    }

    #[test]
    fn nothing_to_compare_is_no_reason_to_fail() {
        assert_eq!(cluster(&[]).order, [0usize; 0]);
        assert_eq!(cluster(&[vec![f32::NAN]]).order, [0]);
        let flat = cluster(&[vec![0.0; 3], vec![f32::NAN; 3], vec![1.0, 2.0, 3.0]]);
        assert!(flat.merges.iter().all(|merge| merge.distance == 1.0));
        let mut order = flat.order.clone();
        order.sort_unstable();
        assert_eq!(order, [0, 1, 2]);
    }
}
