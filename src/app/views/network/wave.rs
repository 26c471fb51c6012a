//! The wave from the knocked-out genes on the canvas: what it colours, how it goes on by itself, and the strip that plays it.
//!
//! The picture changes twice a step, when the wave sets out and when it arrives; in between only dots run along the edges,
//! above a drawing that stays. Paused, nothing is drawn anew.

use std::sync::Arc;
use std::time::Duration;

use egui::{Frame, Margin, Painter, Rect, RichText, Slider, Ui, WidgetInfo, vec2};

use super::shown::Shown;
use super::{Drawn, NetworkView};
use crate::app::findings::FoundWave;
use crate::app::state::WaveView;
use crate::app::widgets::{Placement, scene_painter};
use crate::app::{Action, State, theme};
use crate::figures::FigureTheme;
use crate::figures::network::{NetworkStyle, NodeColour};
use crate::network::GeneId;
use crate::words::{counted, grouped, listed};

/// Seconds that the wave rests at a step, and that it is on its way to the next.
const REST: f64 = 0.3;
const WAY: f64 = 0.5;
/// Between two pictures while dots run.
const FRAME: Duration = Duration::from_millis(33);
/// Where the scale of what has arrived begins.
const LEAST: f32 = 1e-3;
/// Most dots at a time.
const DOTS: usize = 300;
/// Width of the slider, in points.
const SLIDER: f32 = 110.0;
/// In narrower strips the words stand below the buttons.
const WIDE: f32 = 440.0;

/// Where the wave is, by the clock.
#[derive(Default)]
pub(super) struct Player {
    /// What was shown at the frame before, and since when.
    since: Option<(WaveView, f64)>,
    now: Option<Now>,
}

/// What is to be drawn of a wave.
pub(super) struct Now {
    found: Arc<FoundWave>,
    key: WaveKey,
    /// How far it is on its way to the next step; 0 while it rests.
    way: f32,
    genes: String,
}

/// What changes the picture.
#[derive(Clone, PartialEq)]
pub(super) struct WaveKey {
    found: usize,
    step: usize,
    /// It has set out for the next step.
    under_way: bool,
}

impl WaveKey {
    /// The step whose edges are pointed out: the one the wave is on, the first before it starts.
    fn edges_of(&self) -> usize {
        if self.under_way { self.step + 1 } else { self.step.max(1) }
    }
}

impl Player {
    /// What is to be drawn now.
    pub(super) fn now(&self) -> Option<&Now> {
        self.now.as_ref()
    }

    /// Let time pass.
    pub(super) fn follow(&mut self, ui: &Ui, state: &State, actions: &mut Vec<Action>) {
        let Some((view, found)) = state.wave() else {
            *self = Self::default();
            return;
        };
        let time = ui.input(|input| input.time);
        let start = match self.since {
            Some((before, start)) if before == view => start,
            _ => time,
        };
        self.since = Some((view, start));
        let passed = time - start;
        let goes_on = view.playing && view.step < found.last();
        let under_way = goes_on && passed >= REST;
        if view.playing && !goes_on {
            actions.push(Action::SetWave(Some(WaveView { playing: false, ..view })));
        } else if passed >= REST + WAY && goes_on {
            let step = view.step + 1;
            actions.push(Action::SetWave(Some(WaveView { step, playing: step < found.last() })));
        } else if under_way {
            ui.ctx().request_repaint_after(FRAME);
        } else if goes_on {
            ui.ctx().request_repaint_after(Duration::from_secs_f64((REST - passed).max(0.0)));
        }
        self.now = Some(Now {
            key: WaveKey { found: Arc::as_ptr(found) as usize, step: view.step, under_way },
            way: if under_way { (((passed - REST) / WAY) as f32).min(1.0) } else { 0.0 },
            genes: listed(&found.doses.keys().cloned().collect::<Vec<_>>(), 3),
            found: found.clone(),
        });
    }
}

impl Now {
    pub(super) fn key(&self) -> &WaveKey {
        &self.key
    }

    /// The name of a file with this picture.
    pub(super) fn file_name(&self) -> String {
        let genes: Vec<&str> = self.found.doses.keys().map(String::as_str).collect();
        format!("wave-{}-step-{}", genes.join("-"), self.key.step)
    }

    /// What the picture shows, for the description of a file.
    pub(super) fn describe(&self) -> String {
        let (step, last) = (self.key.step, self.found.last());
        format!("step {step} of {last} from {}, over all edges likelier than not", self.genes)
    }

    /// Colour what has been reached, and point out the edges that bring most.
    pub(super) fn dress(&self, style: &mut NetworkStyle, shown: &Shown) {
        let wave = &self.found.wave;
        let (step, most) = (self.key.step, wave.most());
        let share = |(gene, amount): (usize, &f64)| {
            let counts = *amount > 0.0 && !wave.is_source(GeneId(gene as u32));
            if counts { (amount / most) as f32 } else { 0.0 }
        };
        style.colour = NodeColour::Arrived {
            shares: wave.arrived(step).iter().enumerate().map(share).collect(),
            least: LEAST,
            label: format!("Arrived by step {step} of {} (log scale)", self.found.last()),
            note: "What the learned network passes on, not a time course".to_owned(),
        };
        let step = self.key.edges_of();
        let carriers = shown.edges().filter(|edge| wave.is_carrier(edge, step));
        style.emphasised = carriers.map(|edge| edge.rank).collect();
        style.emphasised.sort_unstable();
        style.emphasis = Some(format!("Bring most of step {step}"));
    }

    /// What is told of a step.
    fn words(&self) -> String {
        let (wave, step, last) = (&self.found.wave, self.key.step, self.found.last());
        if last == 0 {
            return format!("The network passes nothing on from {}", self.genes);
        }
        if step == 0 {
            return format!("The wave starts at {}", self.genes);
        }
        let share = 100.0 * wave.share(step);
        let share = if share < 1.0 { "< 1".to_owned() } else { format!("{share:.0}") };
        format!("Step {step} of {last}: {share} % of all, {} reached", counted(wave.reached(step), "gene"))
    }

    /// How much of the wave can be seen.
    fn hint(&self, shown: &Shown) -> String {
        let step = self.key.edges_of();
        let seen = shown.edges().filter(|edge| self.found.wave.is_carrier(edge, step)).count();
        let all = counted(self.found.wave.carriers(step).count, "edge");
        format!(
            "Powers of the learned network, S = A + A²/T + …, over all edges likelier than not. {all} bring four fifths of step {step}; \
             {} of them are shown, in full strength",
            grouped(seen)
        )
    }
}

/// What the wave brings to a gene, for its tooltip.
pub(super) fn told(gene: GeneId, state: &State) -> Option<String> {
    let (view, found) = state.wave()?;
    let wave = &found.wave;
    if wave.is_source(gene) {
        return Some("The wave starts here".to_owned());
    }
    let amount = wave.arrived(view.step).get(gene.0 as usize).copied().unwrap_or(0.0);
    if amount <= 0.0 {
        return Some(format!("Not reached with step {}", view.step));
    }
    let first =
        (1..=view.step).find(|&step| wave.arriving(step).get(gene.0 as usize).is_some_and(|amount| *amount > 0.0))?;
    let share = 100.0 * amount / wave.most();
    let share = if share < 0.1 { "less than 0.1".to_owned() } else { format!("{share:.1}") };
    Some(format!("First reached with step {first}; {share} % of the most that arrives"))
}

/// Dots on their way along the edges that are pointed out.
pub(super) fn dots(now: &Now, drawn: &Drawn, theme: &FigureTheme, painter: &Painter, placement: Placement) {
    if now.way <= 0.0 {
        return;
    }
    let area = drawn.scene.area.map(|corner| placement.to_screen(corner));
    let painter = painter.with_clip_rect(painter.clip_rect().intersect(Rect::from_min_max(area[0], area[1])));
    // Slowly off and slowly in.
    let way = now.way * now.way * (3.0 - 2.0 * now.way);
    let edges = drawn.scene.hits.edges().filter(|(at, _)| drawn.figure.edges[*at].highlighted);
    let lines: Vec<&[[f32; 2]]> = edges.map(|(_, line)| line).collect();
    // The best come last.
    for line in lines.iter().rev().take(DOTS) {
        if let Some(at) = along(line, way) {
            let at = placement.to_screen(at);
            painter.circle_filled(at, 3.6, scene_painter::colour(theme.background));
            painter.circle_filled(at, 2.6, scene_painter::colour(theme.highlight));
        }
    }
}

/// The point at this share of a line's length.
fn along(line: &[[f32; 2]], share: f32) -> Option<[f32; 2]> {
    let length = |ends: &[[f32; 2]]| (ends[1][0] - ends[0][0]).hypot(ends[1][1] - ends[0][1]);
    let mut left = share * line.windows(2).map(length).sum::<f32>();
    for ends in line.windows(2) {
        let here = length(ends);
        if left <= here && here > 0.0 {
            return Some([0, 1].map(|axis| ends[0][axis] + (ends[1][axis] - ends[0][axis]) * left / here));
        }
        left -= here;
    }
    line.last().copied()
}

/// The strip that plays it, above the network: nothing lies below it.
pub(super) fn strip(view: &NetworkView, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(shown) = state.view.wave else { return };
    let colours = theme::colours(ui);
    let frame = Frame::new().fill(colours.card).stroke(egui::Stroke::new(1.0, colours.line));
    let frame = frame.corner_radius(theme::ROUNDING).inner_margin(Margin::symmetric(6, 4));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        let Some(now) = view.wave.now() else {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.label("Following the edges…");
            });
            return;
        };
        let words = |ui: &mut Ui| {
            let words = egui::Label::new(RichText::new(now.words()).small()).truncate();
            // A look at all edges, only for who asks.
            ui.add(words)
                .on_hover_ui(|ui| _ = ui.label(view.shown.as_ref().map_or(String::new(), |shown| now.hint(shown))));
        };
        let wide = ui.available_width() >= WIDE;
        controls(now, shown, ui, actions, |ui| {
            if wide {
                words(ui);
            }
        });
        if !wide {
            words(ui);
        }
    });
}

/// Buttons and slider, then `words`, and at the end the button that closes it.
fn controls(now: &Now, shown: WaveView, ui: &mut Ui, actions: &mut Vec<Action>, words: impl FnOnce(&mut Ui)) {
    let (step, last) = (now.key.step, now.found.last());
    let mut wanted = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 3.0;
        ui.spacing_mut().button_padding.x = 6.0;
        if button(ui, Sign::Back, "Step back", step > 0) {
            wanted = Some(WaveView { step: step.saturating_sub(1), playing: false });
        }
        let (sign, label) = if shown.playing { (Sign::Pause, "Pause the wave") } else { (Sign::Play, "Play the wave") };
        if button(ui, sign, label, last > 0) {
            // At its end it begins anew.
            let from = if shown.playing || step < last { step } else { 0 };
            wanted = Some(WaveView { step: from, playing: !shown.playing });
        }
        if button(ui, Sign::On, "Step on", step < last) {
            wanted = Some(WaveView { step: step + 1, playing: false });
        }
        let mut to = step;
        ui.spacing_mut().slider_width = SLIDER;
        let slider = ui.add_enabled(last > 0, Slider::new(&mut to, 0..=last.max(1)).show_value(false));
        slider.widget_info(|| WidgetInfo::slider(last > 0, to as f64, "Step of the wave"));
        if slider.changed() && to <= last {
            wanted = Some(WaveView { step: to, playing: false });
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if button(ui, Sign::Close, "Close the wave", true) {
                actions.push(Action::SetWave(None));
            }
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), words);
        });
    });
    actions.extend(wanted.map(|wave| Action::SetWave(Some(wave))));
}

/// What is drawn on a button; the font has no such letters.
#[derive(Clone, Copy)]
enum Sign {
    Back,
    Play,
    Pause,
    On,
    Close,
}

fn button(ui: &mut Ui, sign: Sign, label: &str, enabled: bool) -> bool {
    let button = ui.add_enabled(enabled, egui::Button::new("").min_size(vec2(26.0, 22.0)));
    button.widget_info(|| WidgetInfo::labeled(egui::Role::Button, enabled, label));
    let visuals = ui.style().interact(&button);
    let ink = if enabled { visuals.fg_stroke.color } else { theme::colours(ui).line };
    let (centre, painter) = (button.rect.center(), ui.painter());
    let at = |x: f32, y: f32| centre + vec2(x, y);
    let triangle = |from: f32, to: f32| {
        let corners = vec![at(from, -5.0), at(to, 0.0), at(from, 5.0)];
        painter.add(egui::Shape::convex_polygon(corners, ink, egui::Stroke::NONE));
    };
    let bar = |x: f32| _ = painter.rect_filled(Rect::from_center_size(at(x, 0.0), vec2(2.2, 10.0)), 0.0, ink);
    match sign {
        Sign::Play => triangle(-3.5, 5.0),
        Sign::Pause => [-2.8, 2.8].map(bar).into_iter().collect(),
        Sign::On => {
            triangle(-5.0, 2.5);
            bar(4.0);
        }
        Sign::Back => {
            triangle(5.0, -2.5);
            bar(-4.0);
        }
        Sign::Close => {
            let stroke = egui::Stroke::new(1.6, ink);
            painter.line_segment([at(-4.0, -4.0), at(4.0, 4.0)], stroke);
            painter.line_segment([at(-4.0, 4.0), at(4.0, -4.0)], stroke);
        }
    }
    button.on_hover_text(label).clicked()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_run_along_the_whole_line() {
        let line = [[0.0, 0.0], [3.0, 0.0], [3.0, 0.0], [3.0, 1.0]];
        let at = [0.0, 0.5, 0.75, 1.0].map(|share| along(&line, share).unwrap());
        assert_eq!(at, [[0.0, 0.0], [2.0, 0.0], [3.0, 0.0], [3.0, 1.0]]);
        assert_eq!((along(&[], 0.5), along(&[[1.0, 2.0]], 0.5)), (None, Some([1.0, 2.0])));
    }

    #[test]
    fn the_edges_pointed_out_are_those_of_the_step() {
        let key = |step, under_way| WaveKey { found: 0, step, under_way };
        assert_eq!([key(0, false), key(0, true), key(1, false), key(1, true)].map(|key| key.edges_of()), [1, 1, 1, 2]);
    }
}
