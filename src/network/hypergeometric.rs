//! How surprising an overlap is.

use statrs::function::gamma::ln_gamma;

/// The chance that at least `common` of `drawn` things, drawn at random without replacement from `population`, are among
/// the `marked` ones: the upper tail of the hypergeometric distribution. 1 where nothing can be said.
///
/// Terms are added from the largest down, so that small chances keep their digits (relative error about 1e-10).
pub(in crate::network) fn at_least(common: u64, population: u64, marked: u64, drawn: u64) -> f64 {
    let (marked, drawn) = (marked.min(population), drawn.min(population));
    let least = (marked + drawn).saturating_sub(population);
    let most = marked.min(drawn);
    if common <= least {
        return 1.0;
    }
    if common > most {
        return 0.0;
    }
    let choose = |of: u64, some: u64| ln_factorial(of) - ln_factorial(some) - ln_factorial(of - some);
    let chance = |hits: u64| {
        (choose(marked, hits) + choose(population - marked, drawn - hits) - choose(population, drawn)).exp()
    };
    // Chances fall on both sides of the most likely number: sum the tail that does not hold it.
    let likely = ((marked as f64 + 1.0) * (drawn as f64 + 1.0) / (population as f64 + 2.0)).floor() as u64;
    // The chance of one hit more, as a share of the chance of so many. All numbers of hits here are possible ones.
    let ratio = |hits: u64| {
        (marked - hits) as f64 * (drawn - hits) as f64
            / ((hits + 1) as f64 * (population + hits + 1 - marked - drawn) as f64)
    };
    if common > likely {
        let (mut sum, mut term, mut hits) = (0.0, chance(common), common);
        while hits <= most {
            sum += term;
            if hits == most || term < sum * 1e-17 {
                break;
            }
            term *= ratio(hits);
            hits += 1;
        }
        sum.min(1.0)
    } else {
        let (mut sum, mut term, mut hits) = (0.0, chance(common - 1), common - 1);
        loop {
            sum += term;
            if hits == least || term < sum * 1e-17 {
                break;
            }
            hits -= 1;
            term /= ratio(hits);
        }
        (1.0 - sum).clamp(0.0, 1.0)
    }
}

fn ln_factorial(number: u64) -> f64 {
    ln_gamma(number as f64 + 1.0)
}

/// False discovery rates of Benjamini and Hochberg (1995) for `p_values`, in their order.
pub(in crate::network) fn adjusted(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*b].total_cmp(&p_values[*a]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut lowest = 1.0_f64;
    for (passed, &at) in order.iter().enumerate() {
        let rank = p_values.len() - passed;
        lowest = lowest.min(p_values[at] * p_values.len() as f64 / rank as f64);
        adjusted[at] = lowest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_scipy() {
        // scipy.stats.hypergeom.sf(common - 1, population, marked, drawn)
        let cases = SCIPY;
        for ((common, population, marked, drawn), expected) in cases {
            let found = at_least(common, population, marked, drawn);
            let close = (found - expected).abs() <= 1e-8 * expected;
            assert!(close, "{common} of {drawn}, {marked} of {population}: {found}, not {expected}");
        }
    }

    const SCIPY: [((u64, u64, u64, u64), f64); 11] = [
        ((5, 100, 20, 10), 0.025464546427043128),
        ((1, 50, 5, 5), 0.4233613056693538),
        ((12, 20000, 200, 150), 3.711754105128058e-08),
        ((40, 20000, 200, 150), 2.934471733004507e-46),
        ((300, 1000000, 40000, 5000), 8.250498848768642e-12),
        ((3, 10, 8, 5), 1.0),
        ((180, 1000, 300, 500), 2.2438362724400833e-05),
        ((90, 1000, 300, 500), 1.0),
        ((700, 2000000, 30000, 43000), 0.015258587268008338),
        ((2, 7, 3, 4), 0.6285714285714286),
        ((150, 20000, 200, 150), 0.0),
    ];

    #[test]
    fn impossible_and_certain_numbers_are_told() {
        assert_eq!(at_least(0, 100, 10, 10), 1.0);
        assert_eq!(at_least(11, 100, 10, 20), 0.0);
        assert_eq!(at_least(3, 10, 8, 5), 1.0, "there are only two others");
        assert_eq!(at_least(0, 0, 0, 0), 1.0);
    }

    #[test]
    fn rates_are_those_of_benjamini_and_hochberg() {
        // scipy.stats.false_discovery_control
        let found = adjusted(&[0.01, 0.04, 0.03, 0.005, 0.5]);
        let expected = [0.025, 0.05, 0.05, 0.025, 0.5];
        assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12), "{found:?}");
        assert!(adjusted(&[]).is_empty());
    }
}
