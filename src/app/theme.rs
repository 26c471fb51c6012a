//! How the window looks: colours, spacing, type scale and rounding, defined here and nowhere else.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::style::{Selection, WidgetVisuals, Widgets};
use egui::{
    Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Shadow, Stroke, Style,
    TextStyle, Theme, Visuals,
};
use serde::{Deserialize, Serialize};

use crate::figures::font;

/// Light, dark or as the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThemeChoice {
    /// As the system.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl From<ThemeChoice> for egui::ThemePreference {
    fn from(choice: ThemeChoice) -> Self {
        match choice {
            ThemeChoice::System => Self::System,
            ThemeChoice::Light => Self::Light,
            ThemeChoice::Dark => Self::Dark,
        }
    }
}

/// Distance between things that belong together.
pub const SMALL: f32 = 4.0;
/// Distance between neighbours.
pub const MEDIUM: f32 = 8.0;
/// Distance between groups, and of content from its panel's edge.
pub const LARGE: f32 = 16.0;
/// Rounding of buttons, fields and cards.
pub const ROUNDING: u8 = 6;
/// Height of a table row.
pub const ROW_HEIGHT: f32 = 24.0;

/// Type scale: captions, body, headings, page titles.
const CAPTION: f32 = 12.0;
const BODY: f32 = 14.0;
const HEADING: f32 = 16.0;
const TITLE: f32 = 21.0;

/// The text style of page titles.
pub fn title() -> TextStyle {
    TextStyle::Name("title".into())
}

/// The text style of words that stand out in running text.
pub fn strong() -> TextStyle {
    TextStyle::Name("strong".into())
}

/// The family of bold letters.
pub fn bold() -> FontFamily {
    FontFamily::Name("bold".into())
}

/// The figures' font, so that window and export agree; egui's own for what it lacks.
fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let fallback = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    for (family, name, bytes) in [(FontFamily::Proportional, "regular", font::REGULAR), (bold(), "bold", font::BOLD)] {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
        let names = std::iter::once(name.to_owned()).chain(fallback.iter().cloned()).collect();
        fonts.families.insert(family, names);
    }
    fonts
}

/// The window's colours in one theme; text on `panel`, `page` and `field` has a contrast of at least 4.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colours {
    /// Bars and side panels.
    pub panel: Color32,
    /// The centre.
    pub page: Color32,
    /// Cards on the page, menus, popups.
    pub card: Color32,
    /// Text fields, tracks.
    pub field: Color32,
    /// Buttons at rest.
    pub button: Color32,
    /// Buttons under the pointer.
    pub button_hovered: Color32,
    /// Buttons pressed.
    pub button_pressed: Color32,
    /// Lines between and around things.
    pub line: Color32,
    /// Text.
    pub text: Color32,
    /// Headings.
    pub text_strong: Color32,
    /// Captions and hints.
    pub text_weak: Color32,
    /// What is selected or most important: links, primary buttons, marks.
    pub accent: Color32,
    /// Text on `accent`.
    pub on_accent: Color32,
    /// Behind selected text and rows.
    pub accent_soft: Color32,
    /// Success.
    pub good: Color32,
    /// Warnings.
    pub warning: Color32,
    /// Failures.
    pub bad: Color32,
    /// Shift upwards; in all views.
    pub up: Color32,
    /// Shift downwards; in all views.
    pub down: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

const LIGHT: Colours = Colours {
    panel: rgb(0xf4f5f7),
    page: rgb(0xffffff),
    card: rgb(0xffffff),
    field: rgb(0xffffff),
    button: rgb(0xe7eaee),
    button_hovered: rgb(0xdce1e7),
    button_pressed: rgb(0xcdd4dc),
    line: rgb(0xd5dae0),
    text: rgb(0x27303a),
    text_strong: rgb(0x0f161d),
    text_weak: rgb(0x596572),
    accent: rgb(0x0b6e78),
    on_accent: rgb(0xffffff),
    accent_soft: rgb(0xcfe7e9),
    good: rgb(0x1b7540),
    warning: rgb(0x8d5a00),
    bad: rgb(0xb3261e),
    up: rgb(0xb5402c),
    down: rgb(0x2b66a8),
};

const DARK: Colours = Colours {
    panel: rgb(0x1d2227),
    page: rgb(0x15191d),
    card: rgb(0x22282e),
    field: rgb(0x101316),
    button: rgb(0x323a42),
    button_hovered: rgb(0x3d4750),
    button_pressed: rgb(0x48545e),
    line: rgb(0x37404a),
    text: rgb(0xd6dde4),
    text_strong: rgb(0xf4f7fa),
    text_weak: rgb(0x9aa7b4),
    accent: rgb(0x4fc3cf),
    on_accent: rgb(0x06282c),
    accent_soft: rgb(0x1d4a50),
    good: rgb(0x6fcf97),
    warning: rgb(0xf0b354),
    bad: rgb(0xff8a80),
    up: rgb(0xf08a6c),
    down: rgb(0x76aef0),
};

/// The colours of the theme in use.
pub fn colours(ui: &egui::Ui) -> &'static Colours {
    colours_of(ui.visuals().dark_mode)
}

/// The colours of the dark or the light theme.
pub fn colours_of(dark: bool) -> &'static Colours {
    if dark { &DARK } else { &LIGHT }
}

/// Give `context` the fonts and both themes; call once.
pub fn install(context: &Context) {
    context.set_fonts(fonts());
    for theme in [Theme::Light, Theme::Dark] {
        context.set_style_of(theme, style(theme));
    }
}

fn style(theme: Theme) -> Style {
    let dark = theme == Theme::Dark;
    let mut style = Style { visuals: visuals(dark), ..Style::default() };
    let font = |size| FontId::new(size, FontFamily::Proportional);
    style.text_styles = BTreeMap::from([
        (TextStyle::Small, font(CAPTION)),
        (TextStyle::Body, font(BODY)),
        (TextStyle::Button, font(BODY)),
        (strong(), FontId::new(BODY, bold())),
        (TextStyle::Heading, FontId::new(HEADING, bold())),
        (title(), FontId::new(TITLE, bold())),
        (TextStyle::Monospace, FontId::new(BODY - 1.0, FontFamily::Monospace)),
    ]);
    let spacing = &mut style.spacing;
    spacing.item_spacing = egui::vec2(MEDIUM, MEDIUM * 0.75);
    spacing.button_padding = egui::vec2(10.0, 4.0);
    spacing.interact_size = egui::vec2(36.0, 26.0);
    spacing.window_margin = Margin::same(LARGE as i8);
    spacing.menu_margin = Margin::same(6);
    spacing.slider_width = 140.0;
    spacing.tooltip_width = 360.0;
    style.interaction.tooltip_delay = 0.35;
    style
}

fn visuals(dark: bool) -> Visuals {
    let colours = colours_of(dark);
    let rounding = CornerRadius::same(ROUNDING);
    let widget = |fill: Color32, line: Color32, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, line),
        fg_stroke: Stroke::new(1.0, text),
        corner_radius: rounding,
        expansion: 0.0,
    };
    let shadow = |blur: u8| Shadow {
        offset: [0, 4],
        blur,
        spread: 0,
        color: Color32::from_black_alpha(if dark { 110 } else { 40 }),
    };
    Visuals {
        weak_text_color: Some(colours.text_weak),
        widgets: Widgets {
            noninteractive: widget(colours.panel, colours.line, colours.text),
            inactive: widget(colours.button, Color32::TRANSPARENT, colours.text),
            hovered: widget(colours.button_hovered, colours.line, colours.text_strong),
            active: widget(colours.button_pressed, colours.accent, colours.text_strong),
            open: widget(colours.button_hovered, colours.line, colours.text_strong),
        },
        selection: Selection { bg_fill: colours.accent_soft, stroke: Stroke::new(1.0, colours.text_strong) },
        hyperlink_color: colours.accent,
        faint_bg_color: colours.panel,
        extreme_bg_color: colours.field,
        // White on a white page would not be seen.
        text_edit_bg_color: (!dark).then_some(colours.button),
        code_bg_color: colours.button,
        warn_fg_color: colours.warning,
        error_fg_color: colours.bad,
        window_corner_radius: CornerRadius::same(ROUNDING + 4),
        menu_corner_radius: rounding,
        window_shadow: shadow(28),
        popup_shadow: shadow(14),
        window_fill: colours.card,
        window_stroke: Stroke::new(1.0, colours.line),
        panel_fill: colours.panel,
        slider_trailing_fill: true,
        ..if dark { Visuals::dark() } else { Visuals::light() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, WCAG 2.1.
    fn luminance(colour: Color32) -> f64 {
        let channel = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(colour.r()) + 0.7152 * channel(colour.g()) + 0.0722 * channel(colour.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_can_be_read_in_both_themes() {
        for (theme, c) in [("light", LIGHT), ("dark", DARK)] {
            for ground in [c.panel, c.page, c.card, c.field] {
                for text in [c.text, c.text_strong, c.text_weak, c.accent, c.good, c.warning, c.bad, c.up, c.down] {
                    let found = contrast(text, ground);
                    assert!(found >= 4.5, "{theme}: {text:?} on {ground:?} has contrast {found:.2}");
                }
            }
            for (text, ground) in [
                (c.text, c.button),
                (c.text_weak, c.button),
                (c.text_strong, c.button_hovered),
                (c.text_strong, c.button_pressed),
                (c.text_strong, c.accent_soft),
                (c.on_accent, c.accent),
            ] {
                let found = contrast(text, ground);
                assert!(found >= 4.5, "{theme}: {text:?} on {ground:?} has contrast {found:.2}");
            }
        }
    }
}
