//! Tables sorted by a click on their header.

use egui::{Button, RichText, Ui, vec2};

use crate::app::theme;

/// By which column a table is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort<K> {
    /// The column.
    pub key: K,
    /// Largest first.
    pub falling: bool,
}

impl<K: Copy + PartialEq> Sort<K> {
    /// By `key`, largest first.
    pub fn falling(key: K) -> Self {
        Self { key, falling: true }
    }

    /// By `key`, smallest first.
    pub fn rising(key: K) -> Self {
        Self { key, falling: false }
    }

    /// A click on the header of `key`: sort by it, or turn the order round.
    pub fn click(&mut self, key: K, falling_first: bool) {
        *self =
            if self.key == key { Self { key, falling: !self.falling } } else { Self { key, falling: falling_first } };
    }

    /// `order` for rising, reversed for falling.
    pub fn apply(&self, order: std::cmp::Ordering) -> std::cmp::Ordering {
        if self.falling { order.reverse() } else { order }
    }
}

/// A column that sorts.
#[derive(Clone, Copy)]
pub struct SortColumn<K> {
    /// What sorts by it.
    pub key: K,
    title: &'static str,
    explanation: &'static str,
    falling_first: bool,
}

impl<K: Copy + PartialEq> SortColumn<K> {
    /// A column of which the first click brings the smallest up.
    pub const fn rising(key: K, title: &'static str, explanation: &'static str) -> Self {
        Self { key, title, explanation, falling_first: false }
    }

    /// A column of which the first click brings the largest up.
    pub const fn falling(key: K, title: &'static str, explanation: &'static str) -> Self {
        Self { key, title, explanation, falling_first: true }
    }

    /// Its header; a click sorts by it.
    pub fn header(&self, ui: &mut Ui, sort: &mut Sort<K>) -> bool {
        sort_header(ui, sort, self.key, self.title, self.explanation, self.falling_first)
    }
}

/// The headers of all `columns`, in a table's first row.
pub fn sort_headers<K: Copy + PartialEq>(
    row: &mut egui_extras::TableRow<'_, '_>,
    sort: &mut Sort<K>,
    columns: &[SortColumn<K>],
) {
    for column in columns {
        row.col(|ui| _ = column.header(ui, sort));
    }
}

/// The header of a column; a click sorts by it. Gives back whether the order changed.
pub fn sort_header<K: Copy + PartialEq>(
    ui: &mut Ui,
    sort: &mut Sort<K>,
    key: K,
    title: &str,
    explanation: &str,
    falling_first: bool,
) -> bool {
    let sorted = sort.key == key;
    let colours = theme::colours(ui);
    let ink = if sorted { colours.text_strong } else { colours.text_weak };
    let text = RichText::new(title).small().strong().color(ink);
    let response = ui.add(Button::new(text).frame(false).truncate());
    if sorted {
        arrow(ui, &response, sort.falling, ink);
    }
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, format!("Sort by {title}")));
    let clicked = response.on_hover_text(explanation).clicked();
    if clicked {
        sort.click(key, falling_first);
    }
    clicked
}

/// The header of a column that does not sort.
pub fn plain_header(ui: &mut Ui, title: &str, explanation: &str) {
    let text = RichText::new(title).small().strong().color(theme::colours(ui).text_weak);
    let sense = egui::Sense::hover();
    let response = ui.add(Button::new(text).frame(false).truncate().sense(sense));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::ColumnHeader, true, title));
    response.on_hover_text(explanation);
}

/// A triangle under the header's text: fonts lack one that is sure to be there.
fn arrow(ui: &Ui, response: &egui::Response, falling: bool, ink: egui::Color32) {
    let tip = if falling { 3.0 } else { -3.0 };
    let middle = response.rect.center() + vec2(0.0, 9.5);
    let corners = vec![middle + vec2(-4.0, -tip / 2.0), middle + vec2(4.0, -tip / 2.0), middle + vec2(0.0, tip / 2.0)];
    ui.painter().add(egui::Shape::convex_polygon(corners, ink, egui::Stroke::NONE));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_click_turns_the_order_round() {
        let mut sort = Sort::rising('a');
        sort.click('b', true);
        assert_eq!(sort, Sort::falling('b'));
        sort.click('b', true);
        assert_eq!(sort, Sort::rising('b'));
        assert_eq!(sort.apply(1.cmp(&2)), std::cmp::Ordering::Less);
    }
}
