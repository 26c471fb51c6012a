//! The program: arguments, logging, exit code.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use grn_explorer::cli;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    spare_the_other_threads();
    let arguments = match cli::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    start_logging(&arguments.common);
    match arguments.command {
        Some(command) => cli::run(command, arguments.common),
        None => open_window(arguments.files),
    }
}

/// Candle's own thread pool waits by spinning, which costs more than it gains beside our kernels, the window, or other
/// programs. Ours use rayon and are not touched; who sets the variable keeps it.
#[allow(unsafe_code)]
fn spare_the_other_threads() {
    if std::env::var_os("CANDLE_NUM_THREADS").is_none() {
        // SAFETY: nothing else runs yet, so no other thread reads the environment.
        unsafe { std::env::set_var("CANDLE_NUM_THREADS", "1") };
    }
}

/// Log to stderr; `RUST_LOG` decides more finely than the options.
fn start_logging(common: &cli::Common) {
    let level = common.log_level();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .with_target(false)
        .init();
}

#[cfg(feature = "gui")]
fn open_window(files: Vec<PathBuf>) -> ExitCode {
    match grn_explorer::app::run(files) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::report(&error),
    }
}

#[cfg(not(feature = "gui"))]
fn open_window(_: Vec<PathBuf>) -> ExitCode {
    cli::report(&anyhow::anyhow!("this build has no window; build with the feature gui, or see grn-explorer --help"))
}
