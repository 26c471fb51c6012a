//! The figure for the paper: which panels on how wide a page.

use crate::figures::ThemeName;

/// What a panel shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PagePanel {
    /// The network as filtered, laid out and coloured in the document.
    Network,
    /// Predicted against measured shift of every gene, of one perturbation or of all.
    Scatter,
    /// The genes with the largest measured shifts, measured beside predicted.
    Shifts,
    /// The perturbations that shift the selected gene most, measured beside predicted.
    Movers,
    /// The genes with the largest predicted shifts under the knock-out asked for.
    Effects,
    /// The course of the training.
    Training,
    /// The network beside another one, as the document compares them.
    Comparison,
    /// Shifts of many genes under many perturbations, clustered.
    HeatMap,
    /// Cells of the perturbation as boxes, for the genes with the largest measured shifts.
    Cells,
    /// The selected gene in control, perturbed and predicted cells.
    GeneCells,
}

impl PagePanel {
    /// All, in the order of the menu.
    pub const ALL: [Self; 10] = [
        Self::Network,
        Self::Scatter,
        Self::Shifts,
        Self::Movers,
        Self::Effects,
        Self::Training,
        Self::Comparison,
        Self::HeatMap,
        Self::Cells,
        Self::GeneCells,
    ];

    /// Its name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Network => "Network",
            Self::Scatter => "Predicted against measured",
            Self::Shifts => "Largest measured shifts",
            Self::Movers => "What moves the selected gene",
            Self::Effects => "Effects of the knock-out",
            Self::Training => "Course of the training",
            Self::Comparison => "Comparison of two networks",
            Self::HeatMap => "Heat map of shifts",
            Self::Cells => "Cells of the largest shifts",
            Self::GeneCells => "Cells of the selected gene",
        }
    }
}

/// A page of panels.
#[derive(Clone, Debug, PartialEq)]
pub struct FigurePage {
    /// The panels, lettered a, b, c, … from left to right, top to bottom.
    pub panels: Vec<PagePanel>,
    /// Panels beside each other at most, 1 to 3.
    pub columns: usize,
    /// Width in millimetres.
    pub width_mm: f32,
    /// Font size in points.
    pub text_size: f32,
    /// Colours.
    pub theme: ThemeName,
    /// The perturbation of scatter, shifts and cells; none for all together (scatter) or the strongest (the others).
    pub perturbation: Option<String>,
}

/// Widths that journals ask for, in millimetres: one column, two columns.
pub const COLUMN_WIDTHS: [f32; 2] = [89.0, 183.0];

impl Default for FigurePage {
    fn default() -> Self {
        Self {
            panels: vec![PagePanel::Network, PagePanel::Scatter, PagePanel::Shifts],
            columns: 2,
            width_mm: COLUMN_WIDTHS[1],
            text_size: 7.0,
            theme: ThemeName::Paper,
            perturbation: None,
        }
    }
}
