//! Two-sided p values with full relative precision far out in the tails.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI, PI};

use statrs::function::erf::erfc;

/// Beyond this z the tail is computed in log space by a continued fraction.
const FAR: f64 = 8.0;
/// Terms of the continued fraction: at z = 8 they give 16 digits.
const TERMS: u32 = 40;
/// Terms of the incomplete beta function's continued fraction at most; it needs about √freedom.
const MOST_TERMS: u32 = 100_000;

/// P(|Z| ≥ |z|) of a standard normal Z. Relative precision holds down to the smallest normal number, 2e-308.
pub fn normal_two_sided(z: f64) -> f64 {
    if z.abs() < FAR { erfc(z.abs() * FRAC_1_SQRT_2) } else { ln_normal_two_sided(z).exp() }
}

/// Natural logarithm of [`normal_two_sided`], which does not underflow: for volcano plots.
pub fn ln_normal_two_sided(z: f64) -> f64 {
    let z = z.abs();
    if z < FAR {
        return normal_two_sided(z).ln();
    }
    // Laplace's continued fraction of Mills' ratio: Q(z)/φ(z) = 1/(z + 1/(z + 2/(z + 3/(z + …)))).
    let fraction = (1..=TERMS).rev().fold(z, |tail, term| z + f64::from(term) / tail);
    // ln 2φ(z) = −z²/2 + ln(2/√(2π)).
    -0.5 * z * z + 0.5 * FRAC_2_PI.ln() - fraction.ln()
}

/// P(|T| ≥ |t|) of Student's t with `freedom` degrees of freedom (not necessarily whole), with the relative precision of
/// [`normal_two_sided`]. 1 where undefined.
pub fn student_two_sided(t: f64, freedom: f64) -> f64 {
    if t.is_nan() || freedom.is_nan() || freedom <= 0.0 {
        return 1.0;
    }
    if t.is_infinite() {
        return 0.0;
    }
    if freedom.is_infinite() {
        return normal_two_sided(t);
    }
    // Iₓ(a, ½) with a = freedom / 2 and x = freedom / (freedom + t²), the regularised incomplete beta function.
    let (a, b) = (freedom / 2.0, 0.5);
    let share = t * t / (freedom + t * t);
    if share == 0.0 {
        return 1.0;
    }
    let ln_front = 0.5 * share.ln() - a * (t * t / freedom).ln_1p() + ln_gamma_ratio(a) - 0.5 * PI.ln();
    // The continued fraction converges fast on one side of the distribution's mean, its mirror image on the other.
    let p = if 1.0 - share < (a + 1.0) / (a + b + 2.0) {
        ln_front.exp() / a * beta_fraction(a, b, 1.0 - share)
    } else {
        1.0 - ln_front.exp() / b * beta_fraction(b, a, share)
    };
    p.clamp(0.0, 1.0)
}

/// ln(Γ(a + ½) / Γ(a)), without the difference of two large logarithms.
fn ln_gamma_ratio(a: f64) -> f64 {
    const LARGE: f64 = 24.0;
    let (mut a, mut shifted) = (a, 0.0);
    while a < LARGE {
        // Γ(a + 1) = a·Γ(a), above and below.
        shifted += (a / (a + 0.5)).ln();
        a += 1.0;
    }
    // Stirling's series of the ratio (Tricomi & Erdélyi 1951).
    let square = 1.0 / (a * a);
    let series = -1.0 / 8.0 + square * (1.0 / 192.0 + square * (-1.0 / 640.0 + square * (17.0 / 14336.0)));
    shifted + 0.5 * a.ln() + series / a
}

/// The continued fraction of Iₓ(a, b)·a·B(a, b) / (xᵃ(1 − x)ᵇ), evaluated by the modified Lentz method.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for term in 1..=MOST_TERMS {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        value *= c * d;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        let factor = c * d;
        value *= factor;
        if (factor - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_tails_are_precise() {
        // 2·norm.sf(z) of SciPy.
        for (z, expected) in [
            (0.0, 1.0),
            (1.959_963_984_540_054, 0.05),
            (7.9, 2.789_034_293_318_522e-15),
            (8.1, 5.495_918_784_796_442e-16),
            (10.0, 1.523_970_604_832_094e-23),
            (20.0, 5.507_248_237_212_311e-89),
            (33.0, 8.122_371_241_831_71e-239),
            (37.0, 1.145_114_244_504_785_3e-299),
        ] {
            let p = normal_two_sided(z);
            assert!((p / expected - 1.0).abs() < 1e-10, "z {z}: {p:e} instead of {expected:e}");
            assert_eq!(p, normal_two_sided(-z));
        }
    }

    #[test]
    fn logarithms_do_not_underflow() {
        assert!((ln_normal_two_sided(100.0) + 5_004.831_061_513_645).abs() < 1e-9);
        assert!((ln_normal_two_sided(1.0) - normal_two_sided(1.0).ln()).abs() < 1e-15);
    }

    #[test]
    fn student_tails_are_precise() {
        // Iₓ(a, ½) with 60 digits (mpmath).
        for (t, freedom, expected) in [
            (1e-05, 7.0, 9.999_923_001_709_84e-1),
            (0.7, 1.0, 6.111_997_755_715_70e-1),
            (2.5, 3.7, 7.182_202_291_182_68e-2),
            (12.0, 40.2, 7.250_749_350_797_51e-15),
            (-30.0, 500.0, 7.214_288_888_428_02e-114),
            (45.0, 1000.0, 1.336_836_804_037_07e-242),
            (8.0, 2.0, 1.526_807_216_533_81e-2),
            (1.2, 200000.5, 2.301_407_618_798_73e-1),
            (1.8, 200000.5, 7.186_214_459_179_83e-2),
            (36.5, 98765.4, 9.585_159_144_816_04e-290),
            (33.7, 1000000.0, 7.982_819_468_066_14e-249),
            (60.0, 310.5, 7.445_703_553_875_18e-173),
            (150.0, 80.3, 4.178_942_248_736_70e-100),
        ] {
            let p = student_two_sided(t, freedom);
            assert!((p / expected - 1.0).abs() < 1e-10, "t {t}, {freedom}: {p:e} instead of {expected:e}");
            assert_eq!(p, student_two_sided(-t, freedom));
        }
    }

    #[test]
    fn student_becomes_normal() {
        for t in [0.0, 0.3, 1.0, 1.8, 4.0] {
            let (p, normal) = (student_two_sided(t, 1e9), normal_two_sided(t));
            assert!((p / normal - 1.0).abs() < 1e-6, "t {t}: {p:e} instead of {normal:e}");
        }
        assert_eq!(student_two_sided(f64::INFINITY, 3.0), 0.0);
        assert_eq!(student_two_sided(2.0, f64::NAN), 1.0);
    }
}
