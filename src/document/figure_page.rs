//! The figure for the paper: which panels on how wide a page.

use crate::figures::ThemeName;
use crate::figures::response::HeatMapOptions;

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
    /// Change of every gene in the perturbation's cells against how surely it changes.
    Volcano,
    /// The same against the mean in both groups of cells (MA plot).
    MeanChange,
    /// Pairs of genes perturbed together against the sum of their singles.
    Interactions,
}

impl PagePanel {
    /// All, in the order of the menu.
    pub const ALL: [Self; 13] = [
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
        Self::Volcano,
        Self::MeanChange,
        Self::Interactions,
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
            Self::Volcano => "Volcano plot of the perturbation",
            Self::MeanChange => "MA plot of the perturbation",
            Self::Interactions => "Map of genetic interactions",
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
    /// The perturbation of scatter, shifts, cells, volcano and MA plot; none for all together (scatter) or the strongest (the others).
    pub perturbation: Option<String>,
    /// What the heat map shows.
    pub heat_map: HeatMapOptions,
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
            heat_map: HeatMapOptions::default(),
        }
    }
}
