//! Parts that several views are made of.

mod badge;
mod empty;
pub mod figure;
mod quick_mesh;
pub mod scene_painter;
mod shift_bar;
mod sort;

pub use badge::{badge, evidence_badge, evidence_badges, evidence_dot, told};
pub use empty::empty_page;
pub use figure::FigureWidget;
pub use scene_painter::{Placement, ScenePainter};
pub use shift_bar::shift_bar;
pub use sort::{Sort, SortColumn, plain_header, sort_headers};

/// A number as people read it: `+0.42`, `−1.30`, with a true minus sign.
pub fn signed(value: f32) -> String {
    if !value.is_finite() {
        return "n/a".to_owned();
    }
    let text = format!("{:.2}", value.abs());
    match (value < 0.0, text.as_str()) {
        (_, "0.00") => text,
        (true, _) => format!("−{text}"),
        (false, _) => format!("+{text}"),
    }
}

/// A correlation or R²: `0.63`, `−1.20`, `n/a` where it is not defined.
pub fn coefficient(value: Option<f64>) -> String {
    match value {
        None => "n/a".to_owned(),
        Some(value) if value < -99.5 => "< −99".to_owned(),
        Some(value) if value < -0.005 => format!("−{:.2}", -value),
        Some(value) => format!("{:.2}", value.abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!([0.421, -1.3, -0.001, f32::NAN].map(signed), ["+0.42", "−1.30", "0.00", "n/a"]);
        let coefficients = [Some(0.634), Some(-1.2), Some(-0.001), Some(-1e6), None].map(coefficient);
        assert_eq!(coefficients, ["0.63", "−1.20", "0.00", "< −99", "n/a"]);
    }
}
