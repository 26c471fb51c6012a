//! The figure page in the file.

use serde::{Deserialize, Serialize};

use super::SessionError;
use crate::document::{FigurePage, PagePanel};
use crate::figures::ThemeName;

#[derive(Debug, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Page {
    panels: Vec<Panel>,
    columns: usize,
    width_mm: f32,
    text_size: f32,
    theme: Theme,
    #[serde(skip_serializing_if = "Option::is_none")]
    perturbation: Option<String>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Panel {
    Network,
    Scatter,
    Shifts,
    Movers,
    Effects,
    Training,
    Comparison,
    HeatMap,
    Cells,
    GeneCells,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Theme {
    Paper,
    Light,
    Dark,
}

impl Default for Page {
    fn default() -> Self {
        Self::of(&FigurePage::default())
    }
}

const PANELS: [(Panel, PagePanel); 10] = [
    (Panel::Network, PagePanel::Network),
    (Panel::Scatter, PagePanel::Scatter),
    (Panel::Shifts, PagePanel::Shifts),
    (Panel::Movers, PagePanel::Movers),
    (Panel::Effects, PagePanel::Effects),
    (Panel::Training, PagePanel::Training),
    (Panel::Comparison, PagePanel::Comparison),
    (Panel::HeatMap, PagePanel::HeatMap),
    (Panel::Cells, PagePanel::Cells),
    (Panel::GeneCells, PagePanel::GeneCells),
];

impl Page {
    pub(super) fn of(page: &FigurePage) -> Self {
        let panel = |panel: &PagePanel| PANELS.iter().find(|(_, known)| known == panel).map(|(kept, _)| *kept);
        Self {
            panels: page.panels.iter().filter_map(panel).collect(),
            columns: page.columns,
            width_mm: page.width_mm,
            text_size: page.text_size,
            theme: match page.theme {
                ThemeName::Paper => Theme::Paper,
                ThemeName::Light => Theme::Light,
                ThemeName::Dark => Theme::Dark,
            },
            perturbation: page.perturbation.clone(),
        }
    }

    pub(super) fn into_page(self) -> Result<FigurePage, SessionError> {
        let sound = (1..=3).contains(&self.columns)
            && (20.0..=500.0).contains(&self.width_mm)
            && (2.0..=40.0).contains(&self.text_size);
        if !sound {
            let Self { columns, width_mm, text_size, .. } = self;
            let reason = format!(
                "a figure page of {columns} columns, {width_mm} mm, {text_size} points; expected 1 to 3, 20 to 500 and 2 to 40"
            );
            return Err(SessionError::Damaged { reason });
        }
        let panel = |panel: Panel| match panel {
            Panel::Network => PagePanel::Network,
            Panel::Scatter => PagePanel::Scatter,
            Panel::Shifts => PagePanel::Shifts,
            Panel::Movers => PagePanel::Movers,
            Panel::Effects => PagePanel::Effects,
            Panel::Training => PagePanel::Training,
            Panel::Comparison => PagePanel::Comparison,
            Panel::HeatMap => PagePanel::HeatMap,
            Panel::Cells => PagePanel::Cells,
            Panel::GeneCells => PagePanel::GeneCells,
        };
        Ok(FigurePage {
            panels: self.panels.into_iter().map(panel).collect(),
            columns: self.columns,
            width_mm: self.width_mm,
            text_size: self.text_size,
            theme: match self.theme {
                Theme::Paper => ThemeName::Paper,
                Theme::Light => ThemeName::Light,
                Theme::Dark => ThemeName::Dark,
            },
            perturbation: self.perturbation,
        })
    }
}
