//! A figure in a view: painted at the size it is given, with a tooltip for what is under the pointer.

use egui::{Response, Sense, Ui, Vec2, WidgetInfo};

use super::{Placement, ScenePainter};
use crate::figures::FigureScene;

/// Keeps the drawing of one figure until its data or its size change.
#[derive(Default)]
pub struct FigureWidget {
    painter: ScenePainter,
    drawn: Option<Drawn>,
    version: u64,
}

struct Drawn {
    key: u64,
    size: [f32; 2],
    dark: bool,
    figure: FigureScene,
}

/// What was pointed at and clicked.
pub struct FigureResponse {
    /// The whole area.
    pub response: Response,
    /// Position of the thing under the pointer in the figure's own list.
    pub hovered: Option<usize>,
    /// Position of the thing that was clicked.
    pub clicked: Option<usize>,
}

impl FigureWidget {
    /// Draw into `size` points of `ui`. `draw` is called when `key` (of everything it draws), size or theme changed; it
    /// gets the size and whether the theme is dark. `label` says to screen readers what it shows.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        size: Vec2,
        key: u64,
        label: &str,
        draw: impl FnOnce([f32; 2], bool) -> FigureScene,
    ) -> FigureResponse {
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::GraphicsObject, true, label));
        let size = [rect.width().round(), rect.height().round()];
        let dark = ui.visuals().dark_mode;
        let current =
            self.drawn.as_ref().is_some_and(|drawn| drawn.key == key && drawn.size == size && drawn.dark == dark);
        if !current {
            self.version += 1;
            self.drawn = Some(Drawn { key, size, dark, figure: draw(size, dark) });
        }
        let mut result = FigureResponse { response, hovered: None, clicked: None };
        let Some(drawn) = &self.drawn else { return result };
        let placement = Placement::at(rect.min.round());
        if ui.is_rect_visible(rect) {
            let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
            self.painter.paint(&painter, &drawn.figure.scene, self.version, placement);
        }
        let pointed = result.response.hover_pos().and_then(|at| drawn.figure.hit(placement.to_scene(at), 4.0));
        if let Some(hit) = pointed {
            result.hovered = Some(hit.index);
            result.clicked = result.response.clicked().then_some(hit.index);
            let text = hit.text.clone();
            result.response = result.response.on_hover_text_at_pointer(text);
        }
        result
    }
}
