//! Elementary functions for the inner loops: without branches or calls, so that the compiler computes eight or sixteen
//! numbers at a time.
//!
//! The polynomials are those of Cephes' `expf` and `logf` (Moshier 1989); the relative error stays within a few ten-millionths.
//! A NaN stays a NaN: a loss that stops being a number must be seen.

/// How many sums a loop keeps side by side: as many numbers as the widest vectors hold.
pub const LANES: usize = 16;

/// Numbers that are summed in single precision before their sum joins one in double.
pub const RUN: usize = 32 * LANES;

/// Run `loops` compiled for the widest vectors that this processor has. The closure, and what it calls, must be
/// `#[inline(always)]`.
#[inline(always)]
pub fn wide<T>(loops: impl FnOnce() -> T) -> T {
    pulp::Arch::new().dispatch(loops)
}

/// eˣ; below x = −87.3 the smallest normal number, above 88 the value there.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Adding this rounds to a whole number, which then stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let x = if x < -87.3 { -87.3 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    let rounded = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let power = rounded - ROUND;
    let rest = power.mul_add(-0.693_359_4, x);
    let rest = power.mul_add(2.121_944_4e-4, rest);
    let mut sum = 1.987_569_2e-4f32;
    for coefficient in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        sum = sum.mul_add(rest, coefficient);
    }
    let value = (sum * rest).mul_add(rest, rest) + 1.0;
    let exponent = rounded.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127);
    value * f32::from_bits(exponent << 23)
}

/// ln x of a positive normal number.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    const ROOT_HALF: u32 = 0x3f35_04f3;
    let shifted = x.to_bits().wrapping_sub(ROOT_HALF);
    let power = ((shifted as i32) >> 23) as f32;
    let rest = f32::from_bits((shifted & 0x007f_ffff) + ROOT_HALF) - 1.0;
    let mut sum = 7.037_683_6e-2f32;
    let coefficients = [
        -1.151_461e-1,
        1.167_699_9e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ];
    for coefficient in coefficients {
        sum = sum.mul_add(rest, coefficient);
    }
    let square = rest * rest;
    let sum = (sum * rest).mul_add(square, power * -2.121_944_4e-4);
    let sum = square.mul_add(-0.5, sum) + rest;
    let value = power.mul_add(0.693_359_4, sum);
    if x < f32::INFINITY { value } else { x }
}

/// ln(1 + x) of x ≥ 0, to full precision for small x too.
#[inline(always)]
pub fn ln_1p(x: f32) -> f32 {
    let sum = 1.0 + x;
    // What was lost by adding 1 (Kahan).
    let lost = x - (sum - 1.0);
    ln(sum) + lost / sum
}

/// ln(1 + x) of x ≥ 0, given 1/(1 + x).
#[inline(always)]
pub fn ln_1p_of(x: f32, inverse: f32) -> f32 {
    let sum = 1.0 + x;
    ln(sum) + (x - (sum - 1.0)) * inverse
}

/// 1/(1 + e⁻ˣ).
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// ln(1 + eˣ) without overflow.
#[inline(always)]
pub fn softplus(x: f32) -> f32 {
    let above = if x < 0.0 { 0.0 } else { x };
    above + ln_1p(exp(-x.abs()))
}

/// A sum of many numbers: short runs side by side in single precision, their sums in double.
#[derive(Default)]
pub struct Total {
    lanes: [f32; LANES],
    run: usize,
    sum: f64,
}

impl Total {
    /// Add `of(lane)` of every lane below `count`, at most [`LANES`].
    #[inline(always)]
    pub fn add(&mut self, count: usize, mut of: impl FnMut(usize) -> f32) {
        if count == LANES {
            for lane in 0..LANES {
                self.lanes[lane] += of(lane);
            }
        } else {
            (0..count).for_each(|lane| self.lanes[lane] += of(lane));
        }
        self.run += LANES;
        if self.run >= RUN {
            self.sum += total(&self.lanes);
            self.lanes = [0.0; LANES];
            self.run = 0;
        }
    }

    /// What was added.
    #[inline(always)]
    pub fn total(&self) -> f64 {
        self.sum + total(&self.lanes)
    }
}

/// The largest of `values`, −∞ for none; NaNs do not count.
#[inline(always)]
pub fn largest(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let mut chunks = values.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = if value > *lane { value } else { *lane };
        }
    }
    lanes.iter().chain(chunks.remainder()).copied().fold(f32::NEG_INFINITY, f32::max)
}

/// The largest of `values`, and Σ exp(value − largest).
pub fn sum_of_exponentials(values: &[f32]) -> (f32, f64) {
    wide(
        #[inline(always)]
        || {
            let largest = largest(values);
            // Short runs in f32, their sums in f64.
            let run = |run: &[f32]| {
                let mut lanes = [0.0f32; LANES];
                let mut chunks = run.chunks_exact(LANES);
                for chunk in &mut chunks {
                    lanes.iter_mut().zip(chunk).for_each(|(lane, &value)| *lane += exp(value - largest));
                }
                let rest = chunks.remainder().iter().map(|&value| f64::from(exp(value - largest)));
                total(&lanes) + rest.sum::<f64>()
            };
            (largest, values.chunks(RUN).map(run).sum())
        },
    )
}

/// The sum of lanes, in order.
#[inline(always)]
pub fn total(lanes: &[f32; LANES]) -> f64 {
    lanes.iter().map(|&lane| f64::from(lane)).sum()
}

/// Σ x² of a few thousand numbers.
pub fn sum_of_squares(values: &[f32]) -> f64 {
    wide(
        #[inline(always)]
        || {
            let mut lanes = [0.0f32; LANES];
            let mut chunks = values.chunks_exact(LANES);
            for chunk in &mut chunks {
                lanes.iter_mut().zip(chunk).for_each(|(lane, &value)| *lane = value.mul_add(value, *lane));
            }
            total(&lanes) + chunks.remainder().iter().map(|&value| f64::from(value * value)).sum::<f64>()
        },
    )
}

/// `sums` += the rows of `values`, each as long as `sums`.
pub fn add_rows(sums: &mut [f32], values: &[f32]) {
    wide(
        #[inline(always)]
        || {
            for row in values.chunks_exact(sums.len().max(1)) {
                sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relative(found: f32, expected: f64) -> f64 {
        (f64::from(found) - expected).abs() / expected.abs().max(1e-30)
    }

    #[test]
    fn functions_are_as_precise_as_single_precision_allows() {
        for step in -8_700..8_800 {
            let x = step as f32 * 0.01;
            assert!(relative(exp(x), f64::from(x).exp()) < 3e-7, "exp {x}");
        }
        for step in -1200..1200 {
            let x = (f64::from(step) * 0.07).exp() as f32;
            let expected = f64::from(x).ln();
            assert!((f64::from(ln(x)) - expected).abs() < 2e-7 * expected.abs().max(0.3), "ln {x}");
            assert!(relative(ln_1p(x), f64::from(x).ln_1p()) < 4e-7, "ln(1 + {x})");
        }
        assert_eq!((exp(0.0), ln(1.0), ln_1p(0.0)), (1.0, 0.0, 0.0));
        assert!(exp(-1000.0) < 1.3e-38 && exp(f32::NEG_INFINITY) < 1.3e-38 && exp(1000.0) > 1e38);
    }

    #[test]
    fn what_is_no_number_stays_none() {
        assert!(exp(f32::NAN).is_nan() && ln(f32::NAN).is_nan() && ln_1p(f32::NAN).is_nan());
        assert_eq!(ln(f32::INFINITY), f32::INFINITY);
    }

    #[test]
    fn wide_loops_compute_the_same() {
        let values: Vec<f32> = (0..1003).map(|at| (at as f32 * 0.37).sin() * 40.0).collect();
        let plain: Vec<f32> = values.iter().map(|&x| exp(x)).collect();
        let mut wide_values = vec![0.0; values.len()];
        wide(
            #[inline(always)]
            || wide_values.iter_mut().zip(&values).for_each(|(out, &x)| *out = exp(x)),
        );
        for (plain, wide) in plain.iter().zip(&wide_values) {
            assert!((plain - wide).abs() <= 3e-7 * plain.abs());
        }
        assert_eq!(largest(&values), values.iter().copied().fold(f32::MIN, f32::max));
        assert_eq!(largest(&[]), f32::NEG_INFINITY);
        let (most, sum) = sum_of_exponentials(&values);
        let exact: f64 = values.iter().map(|&x| f64::from(x - most).exp()).sum();
        assert!((sum - exact).abs() < 1e-6 * exact);
    }
}
