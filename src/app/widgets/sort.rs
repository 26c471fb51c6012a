//! Tables sorted by a click on their header.

use std::cmp::Ordering;

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
    pub fn apply(&self, order: Ordering) -> Ordering {
        if self.falling { order.reverse() } else { order }
    }

    /// The order of two numbers. One that is missing, or not a number, comes last whichever way round.
    pub fn numbers<N: Into<f64>>(&self, a: Option<N>, b: Option<N>) -> Ordering {
        let number = |value: Option<N>| value.map(N::into).filter(|value| !value.is_nan());
        match (number(a), number(b)) {
            (Some(a), Some(b)) => self.apply(a.total_cmp(&b)),
            (a, b) => a.is_none().cmp(&b.is_none()),
        }
    }
}

/// A column that sorts.
#[derive(Clone, Copy)]
pub struct SortColumn<'a, K> {
    /// What sorts by it.
    pub key: K,
    title: &'a str,
    explanation: &'a str,
    falling_first: bool,
}

impl<'a, K: Copy + PartialEq> SortColumn<'a, K> {
    /// A column of which the first click brings the smallest up.
    pub const fn rising(key: K, title: &'a str, explanation: &'a str) -> Self {
        Self { key, title, explanation, falling_first: false }
    }

    /// A column of which the first click brings the largest up.
    pub const fn falling(key: K, title: &'a str, explanation: &'a str) -> Self {
        Self { key, title, explanation, falling_first: true }
    }

    /// Its header; a click sorts by it. Gives back whether the order changed.
    pub fn header(&self, ui: &mut Ui, sort: &mut Sort<K>) -> bool {
        let sorted = sort.key == self.key;
        let colours = theme::colours(ui);
        let ink = if sorted { colours.text_strong } else { colours.text_weak };
        let text = RichText::new(self.title).small().strong().color(ink);
        let response = ui.add(Button::new(text).frame(false).truncate());
        if sorted {
            arrow(ui, &response, sort.falling, ink);
        }
        let label = || format!("Sort by {}", self.title);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, label()));
        let clicked = response.on_hover_text(self.explanation).clicked();
        if clicked {
            sort.click(self.key, self.falling_first);
        }
        clicked
    }
}

/// The headers of all `columns`, in a table's first row.
pub fn sort_headers<K: Copy + PartialEq>(
    row: &mut egui_extras::TableRow<'_, '_>,
    sort: &mut Sort<K>,
    columns: &[SortColumn<'_, K>],
) {
    for column in columns {
        row.col(|ui| _ = column.header(ui, sort));
    }
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
        assert_eq!(sort.apply(1.cmp(&2)), Ordering::Less);
    }

    #[test]
    fn what_is_no_number_comes_last_either_way() {
        let numbers = [None, Some(2.0), Some(f32::NAN), Some(-1.0), Some(5.0)];
        let sorted = |sort: Sort<char>| {
            let mut rows = [0, 1, 2, 3, 4];
            rows.sort_by(|&a, &b| sort.numbers(numbers[a], numbers[b]));
            rows
        };
        assert_eq!(sorted(Sort::rising('a')), [3, 1, 4, 0, 2], "and in the order in which they were");
        assert_eq!(sorted(Sort::falling('a')), [4, 1, 3, 0, 2]);
    }
}
