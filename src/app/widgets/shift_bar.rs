//! A predicted and a measured shift in one line.

use egui::{Color32, Rect, Stroke, Ui, vec2};

use crate::app::theme;

/// The predicted shift as a bar from the middle, with the line of its interval where `half_width` gives one, the measured shift as
/// a tick; `largest` reaches the edge.
pub fn shift_bar(ui: &mut Ui, predicted: Option<f32>, half_width: Option<f32>, measured: Option<f32>, largest: f32) {
    let colours = theme::colours(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), theme::ROW_HEIGHT - 8.0));
    if largest <= 0.0 {
        return;
    }
    let half = rect.width() * 0.5 - 3.0;
    let at = |shift: f32| rect.center().x + (shift / largest).clamp(-1.0, 1.0) * half;
    let painter = ui.painter();
    painter.vline(rect.center().x, rect.y_range(), Stroke::new(1.0, colours.line));
    if let Some(shift) = predicted.filter(|shift| shift.is_finite()) {
        let ink: Color32 = if shift < 0.0 { colours.down } else { colours.up };
        let ends = [rect.center().x, at(shift)];
        let bar =
            Rect::from_x_y_ranges(ends[0].min(ends[1])..=ends[0].max(ends[1]), rect.shrink2(vec2(0.0, 3.0)).y_range());
        painter.rect_filled(bar, 1.0, ink);
        if let Some(half) = half_width {
            painter.hline(at(shift - half)..=at(shift + half), rect.center().y, Stroke::new(1.0, colours.text));
        }
    }
    if let Some(shift) = measured.filter(|shift| shift.is_finite()) {
        painter.vline(at(shift), rect.y_range(), Stroke::new(2.0, colours.text_strong));
    }
}
