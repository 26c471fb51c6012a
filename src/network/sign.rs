//! The sign of an edge, which the model's probabilities do not carry (it fits |shift|).
//!
//! The target's measured shift under perturbation of the regulator decides where it is significant, otherwise the
//! predicted one. Where the regulator was lost (knock-out, knock-down), a falling target means activation; where it was
//! activated, a rising one does.

use super::{Sign, SignEvidence};
use crate::data::PerturbationKind;

/// A measured shift of a target under perturbation of its regulator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShiftEvidence {
    /// log2 against control.
    pub shift: f32,
    /// Whether it differs from 0 beyond chance.
    pub significant: bool,
}

/// The sign of an edge, what it rests on, and the shift (log2) that gave it. A shift of 0, or one that is not finite, is
/// no evidence.
pub fn sign_of(
    kind: PerturbationKind,
    measured: Option<ShiftEvidence>,
    predicted: Option<f32>,
) -> (Sign, SignEvidence, Option<f32>) {
    let measured = measured.filter(|evidence| evidence.significant).map(|evidence| evidence.shift);
    let usable = |shift: &f32| shift.is_finite() && *shift != 0.0;
    let (shift, evidence) = match (measured.filter(usable), predicted.filter(usable)) {
        (Some(shift), _) => (shift, SignEvidence::Measured),
        (None, Some(shift)) => (shift, SignEvidence::Predicted),
        (None, None) => return (Sign::Unknown, SignEvidence::None, None),
    };
    let sign = if shift * kind.direction() > 0.0 { Sign::Activates } else { Sign::Represses };
    (sign, evidence, Some(shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(shift: f32, significant: bool) -> Option<ShiftEvidence> {
        Some(ShiftEvidence { shift, significant })
    }

    #[test]
    fn loss_flips_the_sign_and_activation_keeps_it() {
        for kind in [PerturbationKind::KnockOut, PerturbationKind::KnockDown] {
            assert_eq!(sign_of(kind, measured(-1.0, true), None).0, Sign::Activates);
            assert_eq!(sign_of(kind, measured(0.5, true), None).0, Sign::Represses);
        }
        assert_eq!(sign_of(PerturbationKind::Activation, measured(0.5, true), None).0, Sign::Activates);
        assert_eq!(sign_of(PerturbationKind::Activation, None, Some(-0.5)).0, Sign::Represses);
    }

    #[test]
    fn a_significant_measurement_comes_before_the_prediction() {
        let kind = PerturbationKind::KnockOut;
        let given = sign_of(kind, measured(-1.0, true), Some(2.0));
        assert_eq!(given, (Sign::Activates, SignEvidence::Measured, Some(-1.0)));
        let given = sign_of(kind, measured(-1.0, false), Some(2.0));
        assert_eq!(given, (Sign::Represses, SignEvidence::Predicted, Some(2.0)));
        let given = sign_of(kind, measured(f32::NAN, true), Some(2.0));
        assert_eq!(given, (Sign::Represses, SignEvidence::Predicted, Some(2.0)));
    }

    #[test]
    fn without_evidence_the_sign_is_unknown() {
        let unknown = (Sign::Unknown, SignEvidence::None, None);
        assert_eq!(sign_of(PerturbationKind::KnockOut, None, None), unknown);
        assert_eq!(sign_of(PerturbationKind::KnockOut, measured(-1.0, false), Some(0.0)), unknown);
        assert_eq!(sign_of(PerturbationKind::KnockOut, measured(-1.0, false), Some(f32::INFINITY)), unknown);
    }
}
