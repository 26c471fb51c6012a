//! A random order of pairs: what a ranking is worth that knows nothing.

use rand::seq::SliceRandom as _;

use super::EdgeScores;

/// `regulators` × `targets` in a random order, the same for the same seed; the score falls from 1 to 0.
pub fn random_order(regulators: &[String], targets: &[String], seed: u64) -> EdgeScores {
    let mut scores = EdgeScores { regulators: regulators.to_vec(), targets: targets.to_vec(), ..EdgeScores::default() };
    let mut places: Vec<usize> = Vec::new();
    for (row, regulator) in regulators.iter().enumerate() {
        let others = targets.iter().enumerate().filter(|(_, target)| *target != regulator);
        places.extend(others.map(|(column, _)| row * targets.len() + column));
    }
    places.shuffle(&mut crate::random::stream(seed, "random order of edges"));
    scores.scores = vec![f32::NAN; regulators.len() * targets.len()];
    let count = places.len() as f64;
    places.iter().enumerate().for_each(|(at, &place)| scores.scores[place] = (1.0 - at as f64 / count) as f32);
    scores
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_has_its_place_and_a_seed_its_order() {
        let genes: Vec<String> = (0..6).map(|gene| format!("G{gene}")).collect();
        let scores = random_order(&genes[..3], &genes, 1);
        assert_eq!(scores.ranked().len(), 15);
        let order = |seed| -> Vec<(String, String)> {
            let scores = random_order(&genes[..3], &genes, seed);
            scores.ranked().iter().map(|edge| (edge.0.to_owned(), edge.1.to_owned())).collect()
        };
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
    }
}
