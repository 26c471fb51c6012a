//! Ctrl-C: the first stops, the second cancels, the third ends the program at once.

use std::sync::atomic::{AtomicU32, Ordering};

static PRESSED: AtomicU32 = AtomicU32::new(0);

/// Listen to Ctrl-C (and the request to terminate) from now on.
pub(super) fn install() {
    let listening = ctrlc::set_handler(|| {
        if PRESSED.fetch_add(1, Ordering::Relaxed) >= 2 {
            std::process::exit(i32::from(super::failure::INTERRUPTED));
        }
    });
    if let Err(error) = listening {
        tracing::warn!("Ctrl-C will end the program at once: {error}");
    }
}

/// How often it was pressed.
pub(super) fn count() -> u32 {
    PRESSED.load(Ordering::Relaxed)
}
