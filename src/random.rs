//! Random numbers: one seed, many named streams.
//!
//! Every step that draws takes its own stream, named after what it draws for, so that adding a draw in one step never
//! changes another, and the same seed gives the same result on any machine.

use rand::{Rng as _, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

/// The generator used everywhere in the program.
pub type Rng = Xoshiro256PlusPlus;

/// The stream `name` of the run seeded with `seed`.
///
/// Streams of different names are independent for all practical purposes: the state is a BLAKE3 hash of both.
///
/// ```
/// use rand::Rng as _;
/// let mut a = grn_explorer::random::stream(7, "split");
/// let mut b = grn_explorer::random::stream(7, "split");
/// assert_eq!(a.next_u64(), b.next_u64());
/// ```
pub fn stream(seed: u64, name: &str) -> Rng {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(name.as_bytes());
    Xoshiro256PlusPlus::from_seed(*hasher.finalize().as_bytes())
}
/// `count` numbers by `draw`, on all cores: the same whatever their number. Advances `random` by one step.
pub fn many(random: &mut Rng, count: usize, draw: impl Fn(&mut Rng) -> f32 + Sync) -> Vec<f32> {
    // Enough that a stream of its own costs nothing beside it.
    const PIECE: usize = 1 << 13;
    let base = random.next_u64();
    let mut values = vec![0.0; count];
    values.par_chunks_mut(PIECE).enumerate().for_each(|(piece, values)| {
        let mut random = stream(base, &piece.to_string());
        values.iter_mut().for_each(|value| *value = draw(&mut random));
    });
    values
}

#[cfg(test)]
mod tests {
    use rand::RngExt as _;

    use super::*;

    #[test]
    fn many_draws_do_not_depend_on_the_number_of_threads() {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| many(&mut stream(1, "many"), 20_000, |random| random.random()))
        };
        let one = on(1);
        assert_eq!(one, on(3));
        let mut sorted = one.clone();
        sorted.sort_by(f32::total_cmp);
        sorted.dedup();
        assert!(sorted.len() > 19_900, "pieces have streams of their own");
        let mut random = stream(1, "many");
        assert_ne!(many(&mut random, 3, |random| random.random()), many(&mut random, 3, |random| random.random()));
    }
}
