//! The figure page in the file.

use serde::{Deserialize, Serialize};

use super::SessionError;
use crate::document::{FigurePage, PagePanel};
use crate::figures::ThemeName;
use crate::figures::response::{HeatMapOptions, HeatMapShifts, MOST_IN_HEAT_MAP};

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
    #[serde(skip_serializing_if = "HeatMap::is_usual")]
    heat_map: HeatMap,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct HeatMap {
    shifts: Shifts,
    genes: usize,
    perturbations: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shifts {
    Observed,
    Predicted,
    Both,
}

impl Default for HeatMap {
    fn default() -> Self {
        Self::of(HeatMapOptions::default())
    }
}

impl HeatMap {
    fn of(options: HeatMapOptions) -> Self {
        let HeatMapOptions { shifts, genes, perturbations } = options;
        let shifts = match shifts {
            HeatMapShifts::Observed => Shifts::Observed,
            HeatMapShifts::Predicted => Shifts::Predicted,
            HeatMapShifts::Both => Shifts::Both,
        };
        Self { shifts, genes, perturbations }
    }

    fn into_options(self) -> HeatMapOptions {
        let shifts = match self.shifts {
            Shifts::Observed => HeatMapShifts::Observed,
            Shifts::Predicted => HeatMapShifts::Predicted,
            Shifts::Both => HeatMapShifts::Both,
        };
        HeatMapOptions { shifts, genes: self.genes, perturbations: self.perturbations }
    }

    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
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
    Volcano,
    MeanChange,
    Interactions,
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

/// From the document's panels to the file's and back, from one list: one that is not in it does not compile.
macro_rules! kept_as {
    ($($panel:ident),+ $(,)?) => {
        impl From<PagePanel> for Panel {
            fn from(panel: PagePanel) -> Self {
                match panel {
                    $(PagePanel::$panel => Self::$panel,)+
                }
            }
        }

        impl From<Panel> for PagePanel {
            fn from(panel: Panel) -> Self {
                match panel {
                    $(Panel::$panel => Self::$panel,)+
                }
            }
        }
    };
}

kept_as!(
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
    Volcano,
    MeanChange,
    Interactions,
);

impl Page {
    pub(super) fn of(page: &FigurePage) -> Self {
        Self {
            panels: page.panels.iter().copied().map(Panel::from).collect(),
            columns: page.columns,
            width_mm: page.width_mm,
            text_size: page.text_size,
            theme: match page.theme {
                ThemeName::Paper => Theme::Paper,
                ThemeName::Light => Theme::Light,
                ThemeName::Dark => Theme::Dark,
            },
            perturbation: page.perturbation.clone(),
            heat_map: HeatMap::of(page.heat_map),
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
        let drawn = 2..=MOST_IN_HEAT_MAP;
        if !(drawn.contains(&self.heat_map.genes) && drawn.contains(&self.heat_map.perturbations)) {
            let HeatMap { genes, perturbations, .. } = self.heat_map;
            let reason = format!(
                "a heat map of {genes} genes and {perturbations} perturbations; expected 2 to {MOST_IN_HEAT_MAP} of each"
            );
            return Err(SessionError::Damaged { reason });
        }
        Ok(FigurePage {
            panels: self.panels.into_iter().map(PagePanel::from).collect(),
            columns: self.columns,
            width_mm: self.width_mm,
            text_size: self.text_size,
            theme: match self.theme {
                Theme::Paper => ThemeName::Paper,
                Theme::Light => ThemeName::Light,
                Theme::Dark => ThemeName::Dark,
            },
            perturbation: self.perturbation,
            heat_map: self.heat_map.into_options(),
        })
    }
}
