//! A scene as SVG text.
//!
//! Text stays text, every layer is a group that Inkscape and Illustrator show as a layer, and the same scene gives the
//! same bytes.

use std::fmt::Write;

use super::font;
use super::metadata::FigureMetadata;
use super::scene::{Anchor, Colour, Layer, Primitive, Scene, Stroke, Triangle, Weight};

/// Points in a millimetre.
pub const POINTS_PER_MM: f32 = 72.0 / 25.4;

/// Width of a text's halo, over its font size.
const HALO: f32 = 0.24;

/// `scene` as an SVG document, `width_mm` wide; its units are the scene's points.
pub fn svg(scene: &Scene, metadata: &FigureMetadata, width_mm: f32) -> String {
    let [width, height] = scene.size;
    let height_mm = width_mm * height / width;
    let mut out = String::with_capacity(4096 + 128 * scene.layers.iter().map(|l| l.primitives.len()).sum::<usize>());
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"");
    out.push_str(" xmlns:inkscape=\"http://www.inkscape.org/namespaces/inkscape\" version=\"1.1\"");
    let _ = write!(out, " width=\"{}mm\" height=\"{}mm\"", Fine(width_mm), Fine(height_mm));
    let _ = write!(out, " viewBox=\"0 0 {} {}\"", Short(width), Short(height));
    let _ = writeln!(out, " font-family=\"{}\" fill=\"none\">", font::FAMILY_LIST);
    write_metadata(&mut out, metadata);
    let clips: Vec<&[[f32; 2]; 2]> = scene.layers.iter().filter_map(|layer| layer.clip.as_ref()).collect();
    if !clips.is_empty() {
        out.push_str("<defs>\n");
        let mut number = 0;
        for layer in &scene.layers {
            if let Some(clip) = &layer.clip {
                let _ = write!(out, "<clipPath id=\"clip-{number}\">");
                write_rectangle(&mut out, clip[0], clip[1], 0.0);
                out.push_str("/></clipPath>\n");
                number += 1;
            }
        }
        out.push_str("</defs>\n");
    }
    if let Some(background) = scene.background {
        out.push_str("<rect id=\"background\"");
        let _ = write!(out, " width=\"{}\" height=\"{}\"", Short(width), Short(height));
        write_fill(&mut out, background);
        out.push_str("/>\n");
    }
    let mut ids = Ids::default();
    let mut clip = 0;
    for layer in &scene.layers {
        if layer.primitives.is_empty() {
            clip += usize::from(layer.clip.is_some());
            continue;
        }
        let id = ids.unique(&layer.name);
        let _ = write!(out, "<g id=\"{id}\" inkscape:groupmode=\"layer\" inkscape:label=\"");
        escape(&mut out, &layer.name);
        out.push('"');
        if layer.clip.is_some() {
            let _ = write!(out, " clip-path=\"url(#clip-{clip})\"");
            clip += 1;
        }
        out.push_str(">\n");
        write_layer(&mut out, layer);
        out.push_str("</g>\n");
    }
    out.push_str("</svg>\n");
    out
}

fn write_metadata(out: &mut String, metadata: &FigureMetadata) {
    if !metadata.title.is_empty() {
        out.push_str("<title>");
        escape(out, &metadata.title);
        out.push_str("</title>\n");
    }
    if !metadata.description.is_empty() {
        out.push_str("<desc>");
        escape(out, &metadata.description);
        out.push_str("</desc>\n");
    }
    out.push_str("<metadata>\n<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"");
    out.push_str(" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:grn=\"urn:grn-explorer:figure\">\n");
    out.push_str("<rdf:Description rdf:about=\"\">\n");
    for (name, value) in [("title", &metadata.title), ("creator", &metadata.program)] {
        if !value.is_empty() {
            let _ = write!(out, "<dc:{name}>");
            escape(out, value);
            let _ = writeln!(out, "</dc:{name}>");
        }
    }
    for (name, value) in metadata.entries() {
        out.push_str("<grn:setting grn:name=\"");
        escape(out, name);
        out.push_str("\">");
        escape(out, value);
        out.push_str("</grn:setting>\n");
    }
    out.push_str("</rdf:Description>\n</rdf:RDF>\n</metadata>\n");
}

fn write_layer(out: &mut String, layer: &Layer) {
    for primitive in &layer.primitives {
        match primitive {
            Primitive::Polyline { points, stroke, dash } => {
                if let [from, to] = points.as_slice() {
                    let _ = write!(out, "<path d=\"M{}{}\"", Point(*from), LineTo(*from, *to));
                } else {
                    out.push_str("<polyline points=\"");
                    write_points(out, points);
                    out.push_str("\" stroke-linejoin=\"round\"");
                }
                write_stroke(out, *stroke);
                if let Some([on, off]) = dash {
                    let _ = write!(out, " stroke-dasharray=\"{} {}\"", Short(*on), Short(*off));
                }
                out.push_str("/>\n");
            }
            Primitive::Lines(lines) => {
                // One path for all that follow each other in one stroke.
                for run in lines.chunk_by(|a, b| a.stroke == b.stroke) {
                    out.push_str("<path d=\"");
                    for line in run {
                        let [from, to] = line.ends;
                        let _ = write!(out, "M{}{}", Point(from), LineTo(from, to));
                    }
                    out.push('"');
                    write_stroke(out, run[0].stroke);
                    out.push_str("/>\n");
                }
            }
            Primitive::Triangles(triangles) => {
                for run in triangles.chunk_by(|a, b| a.fill == b.fill) {
                    out.push_str("<path d=\"");
                    for Triangle { corners: [a, b, c], .. } in run {
                        let _ = write!(out, "M{}{}{}Z", Point(*a), LineTo(*a, *b), LineTo(*b, *c));
                    }
                    out.push('"');
                    write_fill(out, run[0].fill);
                    out.push_str("/>\n");
                }
            }
            Primitive::Curve { points: [from, a, b, to], stroke } => {
                let _ = write!(out, "<path d=\"M{}C{} {} {}\"", Point(*from), Point(*a), Point(*b), Point(*to));
                write_stroke(out, *stroke);
                out.push_str("/>\n");
            }
            Primitive::Polygon { points, fill, stroke } => {
                out.push_str("<polygon points=\"");
                write_points(out, points);
                out.push('"');
                write_fill(out, *fill);
                if let Some(stroke) = stroke {
                    write_stroke(out, *stroke);
                    out.push_str(" stroke-linejoin=\"round\"");
                }
                out.push_str("/>\n");
            }
            Primitive::Circle { centre: [x, y], radius, fill, stroke } => {
                let _ = write!(out, "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"", Short(*x), Short(*y), Short(*radius));
                write_fill(out, *fill);
                if let Some(stroke) = stroke {
                    write_stroke(out, *stroke);
                }
                out.push_str("/>\n");
            }
            Primitive::Rectangle { min, max, corner, fill, stroke } => {
                write_rectangle(out, *min, *max, *corner);
                write_fill(out, *fill);
                if let Some(stroke) = stroke {
                    write_stroke(out, *stroke);
                }
                out.push_str("/>\n");
            }
            Primitive::Text { position, anchor, text, size, colour, weight, rotation, halo } => {
                let [x, y] = *position;
                // The position is the middle of the capitals; SVG wants the base line.
                let base = y + font::CAPITAL_HEIGHT / 2.0 * size;
                let _ = write!(out, "<text x=\"{}\" y=\"{}\" font-size=\"{}\"", Short(x), Short(base), Short(*size));
                match anchor {
                    Anchor::Start => {}
                    Anchor::Middle => out.push_str(" text-anchor=\"middle\""),
                    Anchor::End => out.push_str(" text-anchor=\"end\""),
                }
                if *weight == Weight::Bold {
                    out.push_str(" font-weight=\"bold\"");
                }
                if *rotation != 0.0 {
                    let _ = write!(out, " transform=\"rotate({} {} {})\"", Short(*rotation), Short(x), Short(y));
                }
                write_fill(out, *colour);
                if let Some(halo) = halo {
                    write_stroke(out, Stroke { width: size * HALO, colour: *halo });
                    out.push_str(" paint-order=\"stroke\" stroke-linejoin=\"round\"");
                }
                if text.starts_with(' ') || text.ends_with(' ') || text.contains("  ") {
                    out.push_str(" xml:space=\"preserve\"");
                }
                out.push('>');
                escape(out, text);
                out.push_str("</text>\n");
            }
        }
    }
}

fn write_rectangle(out: &mut String, min: [f32; 2], max: [f32; 2], corner: f32) {
    let (width, height) = ((max[0] - min[0]).max(0.0), (max[1] - min[1]).max(0.0));
    let _ = write!(out, "<rect x=\"{}\" y=\"{}\"", Short(min[0]), Short(min[1]));
    let _ = write!(out, " width=\"{}\" height=\"{}\"", Short(width), Short(height));
    if corner > 0.0 {
        let _ = write!(out, " rx=\"{}\"", Short(corner));
    }
}

fn write_points(out: &mut String, points: &[[f32; 2]]) {
    for (at, point) in points.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        let _ = write!(out, "{}", Point(*point));
    }
}

fn write_fill(out: &mut String, Colour(red, green, blue, opacity): Colour) {
    let _ = write!(out, " fill=\"#{red:02x}{green:02x}{blue:02x}\"");
    if opacity < 255 {
        let _ = write!(out, " fill-opacity=\"{}\"", Fine(f32::from(opacity) / 255.0));
    }
}

fn write_stroke(out: &mut String, Stroke { width, colour: Colour(red, green, blue, opacity) }: Stroke) {
    let _ = write!(out, " stroke=\"#{red:02x}{green:02x}{blue:02x}\" stroke-width=\"{}\"", Fine(width));
    if opacity < 255 {
        let _ = write!(out, " stroke-opacity=\"{}\"", Fine(f32::from(opacity) / 255.0));
    }
}

/// Text as it may stand in an element or attribute. Characters that XML forbids are left out.
fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(' '),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {}
            letter => out.push(letter),
        }
    }
}

/// A number with at most two decimals (0.01 pt is 3.5 µm) and no more letters than it needs.
struct Short(f32);

impl std::fmt::Display for Short {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        trimmed(formatter, self.0, 2)
    }
}

/// A number with at most three decimals.
struct Fine(f32);

impl std::fmt::Display for Fine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        trimmed(formatter, self.0, 3)
    }
}

fn trimmed(formatter: &mut std::fmt::Formatter<'_>, value: f32, decimals: u32) -> std::fmt::Result {
    // Not finite has no place in a drawing; figures drop such values, and a stray one must not break the file.
    let value = if value.is_finite() { f64::from(value) } else { 0.0 };
    let power = 10_i64.pow(decimals);
    let rounded = (value * power as f64).round() as i64;
    if rounded < 0 {
        formatter.write_char('-')?;
    }
    let (whole, mut part) = (rounded.unsigned_abs() / power as u64, rounded.unsigned_abs() % power as u64);
    write!(formatter, "{whole}")?;
    if part > 0 {
        let mut digits = decimals as usize;
        while part % 10 == 0 {
            part /= 10;
            digits -= 1;
        }
        write!(formatter, ".{part:0digits$}")?;
    }
    Ok(())
}

struct Point([f32; 2]);

impl std::fmt::Display for Point {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{},{}", Short(self.0[0]), Short(self.0[1]))
    }
}

/// The rest of a line's path: `H` and `V` where it is straight.
struct LineTo([f32; 2], [f32; 2]);

impl std::fmt::Display for LineTo {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (from, to) = (self.0, self.1);
        if from[1] == to[1] {
            write!(formatter, "H{}", Short(to[0]))
        } else if from[0] == to[0] {
            write!(formatter, "V{}", Short(to[1]))
        } else {
            write!(formatter, "L{}", Point(to))
        }
    }
}

/// Hands out ids that are valid and unique.
#[derive(Default)]
struct Ids(Vec<String>);

impl Ids {
    fn unique(&mut self, name: &str) -> String {
        let mut id: String =
            name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
        if !id.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
            id.insert_str(0, "layer-");
        }
        let plain = id.clone();
        let mut number = 2;
        while id == "background" || id.starts_with("clip-") || self.0.contains(&id) {
            id = format!("{plain}-{number}");
            if id.starts_with("clip-") {
                id.insert_str(0, "layer-");
            }
            number += 1;
        }
        self.0.push(id.clone());
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compact() {
        let written = [0.0, -0.001, 1.0, 1.5, -2.25, 0.05, 1234.567, 100.0, f32::NAN].map(|n| Short(n).to_string());
        assert_eq!(written, ["0", "0", "1", "1.5", "-2.25", "0.05", "1234.57", "100", "0"]);
        assert_eq!(Fine(0.125).to_string(), "0.125");
    }

    #[test]
    fn text_is_escaped_and_forbidden_letters_left_out() {
        let mut out = String::new();
        escape(&mut out, "a<b>&\"c\u{1}\n");
        assert_eq!(out, "a&lt;b&gt;&amp;&quot;c ");
    }

    #[test]
    fn ids_are_valid_and_unique() {
        let mut ids = Ids::default();
        let names = ["edges", "edges", "1 a", "background", "clip-0"].map(|name| ids.unique(name));
        assert_eq!(names, ["edges", "edges-2", "layer-1-a", "background-2", "layer-clip-0-2"]);
    }
}
