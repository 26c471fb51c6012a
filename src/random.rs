//! Random numbers: one seed, many named streams.
//!
//! Every step that draws takes its own stream, named after what it draws for, so that adding a draw in one step never
//! changes another, and the same seed gives the same result on any machine.

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

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
