//! The one font of every figure: Liberation Sans, whose letters are as wide as Arial's, so that a figure keeps its
//! layout where a journal sets it in Arial or Helvetica.
//!
//! Licence: SIL Open Font Licence 1.1 (`assets/fonts/OFL.txt`).

use std::sync::LazyLock;

use ttf_parser::Face;

use super::scene::Weight;

/// Liberation Sans Regular, a TrueType file.
pub const REGULAR: &[u8] = include_bytes!("../../assets/fonts/LiberationSans-Regular.ttf");

/// Liberation Sans Bold, a TrueType file.
pub const BOLD: &[u8] = include_bytes!("../../assets/fonts/LiberationSans-Bold.ttf");

/// The bundled family's name.
pub const FAMILY: &str = "Liberation Sans";

/// What an SVG asks for, best first; all have the same letter widths.
pub const FAMILY_LIST: &str = "Arial, Helvetica, 'Liberation Sans', sans-serif";

/// Height of a capital letter over the font size.
pub const CAPITAL_HEIGHT: f32 = 1409.0 / 2048.0;

/// Height above the base line, over the font size, that letters with ascenders and accents may take.
pub const ASCENT: f32 = 0.905;

/// Depth below the base line, over the font size.
pub const DESCENT: f32 = 0.212;

/// A face with the advances of its ASCII letters at hand.
struct Measured {
    face: Face<'static>,
    ascii: [f32; 128],
    missing: f32,
}

impl Measured {
    fn new(bytes: &'static [u8]) -> Self {
        #[allow(clippy::expect_used)]
        let face = Face::parse(bytes, 0).expect("the bundled font is a valid TrueType file (a test says so)");
        let em = f32::from(face.units_per_em());
        let advance = |letter: char| {
            let glyph = face.glyph_index(letter)?;
            Some(f32::from(face.glyph_hor_advance(glyph)?) / em)
        };
        let missing = advance('n').unwrap_or(0.6);
        let ascii = std::array::from_fn(|code| advance(code as u8 as char).unwrap_or(missing));
        Self { face, ascii, missing }
    }

    fn advance(&self, letter: char) -> f32 {
        match self.ascii.get(letter as usize) {
            Some(width) => *width,
            None => {
                let width = self.face.glyph_index(letter).and_then(|glyph| self.face.glyph_hor_advance(glyph));
                width.map_or(self.missing, |width| f32::from(width) / f32::from(self.face.units_per_em()))
            }
        }
    }
}

static REGULAR_FACE: LazyLock<Measured> = LazyLock::new(|| Measured::new(REGULAR));
static BOLD_FACE: LazyLock<Measured> = LazyLock::new(|| Measured::new(BOLD));

fn measured(weight: Weight) -> &'static Measured {
    match weight {
        Weight::Regular => &REGULAR_FACE,
        Weight::Bold => &BOLD_FACE,
    }
}

/// Width of `text` in points at font `size`, without kerning (which only ever narrows it by a little).
pub fn text_width(text: &str, size: f32, weight: Weight) -> f32 {
    let face = measured(weight);
    text.chars().map(|letter| face.advance(letter)).sum::<f32>() * size
}

/// Whether the bundled font can draw `letter`.
pub fn has_glyph(letter: char) -> bool {
    [Weight::Regular, Weight::Bold].into_iter().all(|weight| measured(weight).face.glyph_index(letter).is_some())
}

/// `text` shortened with an ellipsis so that it is at most `room` points wide; empty if not even that fits.
pub fn shortened(text: &str, room: f32, size: f32, weight: Weight) -> String {
    if text_width(text, size, weight) <= room {
        return text.to_owned();
    }
    let face = measured(weight);
    let mut width = face.advance('…') * size;
    if width > room {
        return String::new();
    }
    let mut kept = String::new();
    for letter in text.chars() {
        width += face.advance(letter) * size;
        if width > room {
            break;
        }
        kept.push(letter);
    }
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        // Arial's advance of A is 1366 units of 2048, of i 455; bold A 1479.
        assert!((text_width("A", 2048.0, Weight::Regular) - 1366.0).abs() < 0.01);
        assert!((text_width("i", 2048.0, Weight::Regular) - 455.0).abs() < 0.01);
        assert!((text_width("A", 2048.0, Weight::Bold) - 1479.0).abs() < 0.01);
        assert!((text_width("Ai", 10.0, Weight::Regular) - 18.21 / 2.048).abs() < 0.01);
    }

    #[test]
    fn every_letter_that_the_figures_write_is_in_the_font() {
        let missing: String = "Δ→←≥≤²ρμ−–…×·±σλ∞≈".chars().filter(|letter| !has_glyph(*letter)).collect();
        assert_eq!(missing, "");
        // The tee of repression is not: figures draw it, they never write it.
        assert!(!has_glyph('⊣'));
    }

    #[test]
    fn text_is_shortened_to_its_room() {
        assert_eq!(shortened("STAT1", 100.0, 8.0, Weight::Regular), "STAT1");
        let short = shortened("A very long gene name", 40.0, 8.0, Weight::Regular);
        assert!(short.ends_with('…') && text_width(&short, 8.0, Weight::Regular) <= 40.0);
        assert_eq!(shortened("STAT1", 1.0, 8.0, Weight::Regular), "");
    }

    #[test]
    fn heights_are_those_of_the_font() {
        for face in [&REGULAR_FACE.face, &BOLD_FACE.face] {
            let em = f32::from(face.units_per_em());
            let capital = face.capital_height().map_or(CAPITAL_HEIGHT, |height| f32::from(height) / em);
            assert!((capital - CAPITAL_HEIGHT).abs() < 0.01, "{capital}");
            assert!((f32::from(face.ascender()) / em - ASCENT).abs() < 0.01);
            assert!((f32::from(face.descender()) / em + DESCENT).abs() < 0.01);
        }
    }
}
