//! Pictures of the pages at two sizes and in both themes, compared with those in `tests/snapshots`.
//!
//! They need a graphics driver (lavapipe will do); without one they say so and pass. `UPDATE_SNAPSHOTS=1` draws them anew.

use egui::Theme;
use egui_kittest::{Harness, SnapshotOptions};
use grn_explorer::app::state::Tab;
use grn_explorer::app::{Action, App, Setup};

use super::{Answers, Window, screen};

/// A window that can be photographed, or none where there is no graphics driver.
pub fn photographed(size: [f32; 2], theme: Theme) -> Option<Window> {
    let answers = std::sync::Arc::new(Answers::default());
    let setup = Setup { chooser: answers.clone(), ..Setup::default() };
    let options = SnapshotOptions::new().threshold(1.0).max_failed_pixels((size[0] * size[1] * 0.002) as usize);
    // Without an adapter the renderer panics while it is built.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let built = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        Harness::builder()
            .with_size(size)
            .with_theme(theme)
            .with_options(options)
            .wgpu()
            .build_eframe(move |creation| App::new(creation, setup))
    }));
    std::panic::set_hook(hook);
    match built {
        Ok(harness) => Some(Window { harness, answers }),
        Err(_) => {
            eprintln!("skipped: no graphics driver to draw with (install mesa-vulkan-drivers)");
            None
        }
    }
}

#[test]
#[ignore = "its pictures are not drawn yet: run once with UPDATE_SNAPSHOTS=1, look at them, commit them"]
fn the_pages_look_as_they_did() {
    let folder = tempfile::tempdir().unwrap();
    let path = screen(folder.path());
    for (size, theme, name) in [
        ([1024.0, 640.0], Theme::Light, "small-light"),
        ([1024.0, 640.0], Theme::Dark, "small-dark"),
        ([1440.0, 900.0], Theme::Light, "large-light"),
        ([1440.0, 900.0], Theme::Dark, "large-dark"),
    ] {
        let Some(mut window) = photographed(size, theme) else { return };
        window.harness.run_steps(4);
        window.harness.snapshot(format!("welcome-{name}"));
        window.open(&path);
        // The path differs from run to run.
        window.harness.state_mut().send(Action::SetTab(Tab::Training));
        window.harness.run_steps(6);
        window.harness.snapshot(format!("training-{name}"));
    }
}
