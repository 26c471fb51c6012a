//! Colours of figures. Told apart with any kind of colour vision: activation is teal and repression orange (brewed from
//! ColorBrewer's brown–teal), shifts run from blue over neutral to red (red–blue), series follow Okabe and Ito (2008).

use super::scene::Colour;

/// Which theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ThemeName {
    /// Dark on a soft white, for the window.
    #[default]
    Light,
    /// Light on near black, for the window and slides.
    Dark,
    /// Black on white, for print.
    Paper,
}

/// The colours of every part of a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureTheme {
    /// Which theme it is.
    pub name: ThemeName,
    /// Behind everything.
    pub background: Colour,
    /// Titles, labels.
    pub text: Colour,
    /// Tick labels, captions.
    pub weak_text: Colour,
    /// Grid lines.
    pub grid: Colour,
    /// Axes and ticks.
    pub axis: Colour,
    /// Inside of a node without a value.
    pub node: Colour,
    /// Inside of a node without a value where the others are coloured by theirs.
    pub no_value: Colour,
    /// Rim of a node.
    pub node_rim: Colour,
    /// Edges that activate.
    pub activation: Colour,
    /// Edges that repress.
    pub repression: Colour,
    /// Edges without a sign.
    pub unknown: Colour,
    /// What is selected or pointed at.
    pub highlight: Colour,
    /// Genes that are knocked out.
    pub knock_out: Colour,
    /// What was measured, in plots.
    pub observed: Colour,
    /// What the model predicts, in plots.
    pub predicted: Colour,
    /// Edges that a reference network knows.
    pub known: Colour,
    /// Further series, in order.
    pub series: [Colour; 8],
    /// Lowest, below zero, zero, above zero, highest.
    ramp: [Colour; 5],
    /// From the least to the most; brighter or darker all the way (viridis, van der Walt and Smith 2015).
    amounts: [Colour; 5],
}

/// Colours of groups (Okabe and Ito 2008).
const GROUPS: [u32; 7] = [0x0072B2, 0xE69F00, 0x009E73, 0xCC79A7, 0x56B4E9, 0xD55E00, 0xF0E442];

impl FigureTheme {
    /// The theme called `name`.
    pub fn of(name: ThemeName) -> Self {
        match name {
            ThemeName::Light => Self::light(),
            ThemeName::Dark => Self::dark(),
            ThemeName::Paper => Self::paper(),
        }
    }

    /// Dark on a soft white, for the window.
    pub fn light() -> Self {
        Self {
            name: ThemeName::Light,
            background: Colour::hex(0xFBFBFC),
            text: Colour::hex(0x1C2128),
            weak_text: Colour::hex(0x57606A),
            grid: Colour::hex(0xE4E7EB),
            ..Self::paper()
        }
    }

    /// Black on white, for print.
    pub fn paper() -> Self {
        Self {
            name: ThemeName::Paper,
            background: Colour::hex(0xFFFFFF),
            text: Colour::hex(0x000000),
            weak_text: Colour::hex(0x3F444B),
            grid: Colour::hex(0xE6E6E6),
            axis: Colour::hex(0x3F444B),
            node: Colour::hex(0xD5DCE6),
            no_value: Colour::hex(0xBDBDBD),
            node_rim: Colour::hex(0x4E5B6C),
            activation: Colour::hex(0x0B7A70),
            repression: Colour::hex(0xC8590A),
            unknown: Colour::hex(0x8A919B),
            highlight: Colour::hex(0x7A3DF0),
            knock_out: Colour::hex(0x111418),
            observed: Colour::hex(0x5A6270),
            predicted: Colour::hex(0x0072B2),
            series: [0x0072B2, 0xD55E00, 0x009E73, 0xA8457F, 0xC98A00, 0x3A9AD9, 0x5A6270, 0x7A4B1F].map(Colour::hex),
            known: Colour::hex(0xB8860B),
            amounts: [0xF4E61E, 0x5EC962, 0x21918C, 0x3B528B, 0x440154].map(Colour::hex),
            ramp: [0x1F5FA8, 0x86B4DA, 0xF3F3F1, 0xEE9A80, 0xB2182B].map(Colour::hex),
        }
    }

    /// Light on near black, for the window and slides.
    pub fn dark() -> Self {
        Self {
            name: ThemeName::Dark,
            background: Colour::hex(0x16191E),
            text: Colour::hex(0xE8EBEF),
            weak_text: Colour::hex(0xA3ACB8),
            grid: Colour::hex(0x2B3038),
            axis: Colour::hex(0x7D8794),
            node: Colour::hex(0x46536A),
            no_value: Colour::hex(0x6B7078),
            node_rim: Colour::hex(0xA9B6C9),
            activation: Colour::hex(0x3FC1B0),
            repression: Colour::hex(0xF2994A),
            unknown: Colour::hex(0x7B8491),
            highlight: Colour::hex(0xC7A6FF),
            knock_out: Colour::hex(0xFFFFFF),
            observed: Colour::hex(0xAEB7C4),
            predicted: Colour::hex(0x4FB0EC),
            series: [0x4FB0EC, 0xF28E4B, 0x3CC796, 0xE08ABF, 0xE5B53A, 0xF0EBD8, 0xAEB7C4, 0xC79A6B].map(Colour::hex),
            known: Colour::hex(0xE5C453),
            amounts: [0x414487, 0x2A788E, 0x22A884, 0x7AD151, 0xFDE725].map(Colour::hex),
            ramp: [0x6DB3FF, 0x3D6FA8, 0x343A43, 0xA8483E, 0xFF8068].map(Colour::hex),
        }
    }

    /// The colour of a shift as a share of the scale's limit: −1 is the lowest, 0 no change, 1 the highest.
    pub fn shift(&self, share: f32) -> Colour {
        let at = (share.clamp(-1.0, 1.0) + 1.0) * 2.0;
        let below = (at.floor() as usize).min(3);
        self.ramp[below].mix(self.ramp[below + 1], at - below as f32)
    }

    /// The colour of an amount as a share of the scale: 0 the least, 1 the most.
    pub fn amount(&self, share: f32) -> Colour {
        let at = share.clamp(0.0, 1.0) * 4.0;
        let below = (at.floor() as usize).min(3);
        self.amounts[below].mix(self.amounts[below + 1], at - below as f32)
    }

    /// The colour of a group: those of Okabe and Ito, which all can tell apart as discs with a rim; grey stands for all
    /// groups that come after.
    pub fn group(&self, group: usize) -> Colour {
        GROUPS.get(group).map_or(self.no_value, |colour| Colour::hex(*colour))
    }

    /// Black or white, whichever reads better on `fill`.
    pub fn text_on(&self, fill: Colour) -> Colour {
        let (dark, light) = (Colour::hex(0x0B0D10), Colour::hex(0xFFFFFF));
        if contrast(fill, dark) >= contrast(fill, light) { dark } else { light }
    }
}

/// Contrast of two opaque colours, 1 to 21, as the Web Content Accessibility Guidelines 2.1 define it.
pub fn contrast(a: Colour, b: Colour) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Parts of linear light, 0 to 1.
fn linear(Colour(red, green, blue, _): Colour) -> [f32; 3] {
    [red, green, blue].map(|part| {
        let part = f32::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    })
}

fn luminance(colour: Colour) -> f32 {
    let [red, green, blue] = linear(colour);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_reads_on_its_background() {
        for name in [ThemeName::Light, ThemeName::Dark, ThemeName::Paper] {
            let theme = FigureTheme::of(name);
            for colour in [theme.text, theme.weak_text] {
                assert!(contrast(colour, theme.background) >= 4.5, "{name:?} text {colour:?}");
            }
            let lines =
                [theme.activation, theme.repression, theme.unknown, theme.highlight, theme.axis, theme.node_rim];
            for colour in lines.into_iter().chain([theme.observed, theme.predicted, theme.known]).chain(theme.series) {
                assert!(contrast(colour, theme.background) >= 2.7, "{name:?} {colour:?}");
            }
        }
    }

    /// Linear light of a colour as it is seen with full vision, without red, green or blue cones (Machado, Oliveira and
    /// Fernandes 2009, doi:10.1109/TVCG.2009.113, severity 1).
    const VISIONS: [(&str, [[f32; 3]; 3]); 4] = [
        ("full", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        ("protanopia", [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]]),
        ("deuteranopia", [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]]),
        ("tritanopia", [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]]),
    ];

    /// In Oklab (Ottosson 2020), where equal distances look equal; black and white are 100 apart.
    fn seen(colour: Colour, vision: &[[f32; 3]; 3]) -> [f32; 3] {
        let times =
            |rows: [[f32; 3]; 3], by: [f32; 3]| rows.map(|row| row.iter().zip(by).map(|(a, b)| a * b).sum::<f32>());
        let light = times(*vision, linear(colour)).map(|part| part.clamp(0.0, 1.0));
        let cones = [[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]];
        let lab = [[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]];
        times(lab, times(cones, light).map(f32::cbrt)).map(|part| 100.0 * part)
    }

    #[test]
    fn colours_that_are_compared_can_be_told_apart_with_any_vision() {
        for name in [ThemeName::Light, ThemeName::Dark, ThemeName::Paper] {
            let theme = FigureTheme::of(name);
            let groups: Vec<Colour> = (0..=GROUPS.len()).map(|group| theme.group(group)).collect();
            let lists: [(&str, &[Colour]); 6] = [
                ("signs", &[theme.activation, theme.repression, theme.unknown]),
                ("evidence", &[theme.series[3], theme.predicted, theme.known, theme.unknown]),
                ("groups", &groups),
                ("sides of a comparison", &[theme.node_rim, theme.series[0], theme.series[1]]),
                ("plots", &[theme.observed, theme.predicted]),
                ("ends of the ramp", &[theme.shift(-1.0), theme.shift(0.0), theme.shift(1.0)]),
            ];
            for (list, colours) in lists {
                for (vision, matrix) in &VISIONS {
                    let seen: Vec<[f32; 3]> = colours.iter().map(|colour| seen(*colour, matrix)).collect();
                    for (at, a) in seen.iter().enumerate() {
                        for (other, b) in seen.iter().enumerate().skip(at + 1) {
                            let apart = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
                            assert!(apart > 6.9, "{name:?}, {list} {at} and {other}, {vision}: {apart}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn amounts_grow_evenly_away_from_the_background() {
        for name in [ThemeName::Light, ThemeName::Dark, ThemeName::Paper] {
            let theme = FigureTheme::of(name);
            let steps: Vec<f32> =
                (0..=20).map(|step| contrast(theme.amount(step as f32 / 20.0), theme.background)).collect();
            assert!(steps.windows(2).all(|pair| pair[1] > pair[0]), "{name:?}: {steps:?}");
        }
    }

    #[test]
    fn the_ramp_runs_from_blue_over_neutral_to_red() {
        for name in [ThemeName::Light, ThemeName::Dark, ThemeName::Paper] {
            let theme = FigureTheme::of(name);
            let (low, zero, high) = (theme.shift(-2.0), theme.shift(0.0), theme.shift(1.0));
            assert!(low.2 > low.0 && high.0 > high.2, "{name:?}");
            assert!(zero.0.abs_diff(zero.2) < 24, "{name:?}");
            assert_eq!(theme.shift(-1.0), low);
        }
    }
}
