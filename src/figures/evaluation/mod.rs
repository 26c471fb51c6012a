//! Figures of an evaluation: how methods do, beside each other.

mod curves;
mod scale;

pub use curves::{Curve, CurvesFigure, Guide};
pub use scale::{ScaleFigure, ScaledMetric};

use super::scene::Colour;
use super::theme::FigureTheme;

/// Whose a dot or a curve is: the same colour in every figure of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Of the model.
    Model,
    /// Of another method, by its place among them.
    Other(usize),
    /// Of a measurement.
    Measured,
}

impl Tone {
    fn colour(self, theme: &FigureTheme) -> Colour {
        match self {
            Self::Model => theme.predicted,
            Self::Other(at) => {
                // The first of the series is the model's; the other blue comes last.
                const ORDER: [usize; 7] = [1, 2, 3, 4, 6, 7, 5];
                theme.series[ORDER[at % ORDER.len()]]
            }
            Self::Measured => theme.observed,
        }
    }

    /// The model is drawn above everything else.
    fn rank(self) -> u8 {
        u8::from(self == Self::Model)
    }
}
