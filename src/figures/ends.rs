//! Names at the ends of curves.

use super::scene::Colour;
use super::theme::{FigureTheme, contrast};

/// A series' colour dark (or light) enough for letters.
pub(super) fn readable(colour: Colour, theme: &FigureTheme) -> Colour {
    let steps = (0..8).map(|step| colour.mix(theme.text, step as f32 / 8.0));
    steps.into_iter().find(|mixed| contrast(*mixed, theme.background) >= 4.5).unwrap_or(theme.text)
}

/// Moves labels apart to at least `gap`, keeping their order and as near to their places as may be.
pub(super) fn spread(mut ends: Vec<(f32, &str, Colour)>, gap: f32, top: f32, bottom: f32) -> Vec<(f32, &str, Colour)> {
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    for at in 1..ends.len() {
        ends[at].0 = ends[at].0.max(ends[at - 1].0 + gap);
    }
    let mut limit = bottom - gap * 0.3;
    for end in ends.iter_mut().rev() {
        end.0 = end.0.min(limit);
        limit = end.0 - gap;
    }
    // More labels than room: from the top, as far as they go.
    if ends.first().is_some_and(|end| end.0 < top) {
        for (at, end) in ends.iter_mut().enumerate() {
            end.0 = top + gap * (at as f32 + 0.3);
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_moved_apart() {
        let colour = Colour::hex(0);
        let ends = vec![(50.0, "b", colour), (49.0, "a", colour), (98.0, "d", colour), (97.0, "c", colour)];
        let apart = spread(ends, 10.0, 0.0, 100.0);
        assert_eq!(apart.iter().map(|end| end.1).collect::<String>(), "abcd");
        assert!(apart.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 9.99), "{apart:?}");
        assert!(apart.iter().all(|end| end.0 <= 100.0));
    }
}
