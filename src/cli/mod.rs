//! The command line: one file per command, the same tasks as the window.
//!
//! Results go to stdout (`--json` for programs), everything else to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage,
//! 130 interrupted.

mod benchmark;
mod console;
mod distances;
mod edges;
mod evaluate;
mod failure;
mod figure;
mod import;
mod inspect;
mod interactions;
mod interrupt;
mod memory;
mod merge;
mod network;
mod output;
mod predict;
mod preprocess;
mod sample;
mod simulate;
mod text;
mod train;
mod truth;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use failure::report;

use console::Console;

/// Candle's backward pass recurses: the main thread's stack may be too small.
const STACK_BYTES: usize = 16 << 20;

const AFTER_HELP: &str = "Without a command the window opens, with each FILE in it, one after the other: a data set, the model trained on it.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (Ctrl-C).
Ctrl-C stops a training run and keeps its best epoch; a second Ctrl-C discards it. Every other command is cancelled.
Nothing half-written is left behind.";

/// Explore gene regulatory networks learned from Perturb-seq screens
#[derive(Debug, Parser)]
#[command(name = "grn-explorer", version, about, after_help = AFTER_HELP)]
#[command(subcommand_precedence_over_arg = true)]
#[command(override_usage = "grn-explorer [FILE]...\n       grn-explorer COMMAND [OPTIONS]")]
pub struct Arguments {
    /// Data set, model or session to open in the window; several are opened one after the other
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// What every command understands.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every command.
#[derive(Clone, Debug, Default, Args)]
pub struct Common {
    /// Print the result as JSON
    #[arg(long, global = true)]
    json: bool,
    /// Print results and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Tell more of what is done
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Threads to compute with (all by default)
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

impl Common {
    /// How much is logged.
    pub fn log_level(&self) -> &'static str {
        match (self.quiet, self.verbose) {
            (true, _) => "error",
            (_, true) => "grn_explorer=debug,info",
            _ => "warn",
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Simulate a screen with a known network
    Simulate(simulate::Simulate),
    /// Tell what a data set or model holds
    Inspect(inspect::Inspect),
    /// Measure, normalise and test a data set: quality, variable genes, differential expression
    Preprocess(preprocess::Preprocess),
    /// Train a model on a data set
    Train(Box<train::Train>),
    /// Join members of an ensemble that were trained apart
    Merge(merge::Merge),
    /// Predict the response to a knock-out
    Predict(predict::Predict),
    /// Write the edges of a model's network
    Network(network::Network),
    /// Judge a model on held-out cells, beside the baselines
    Evaluate(evaluate::Evaluate),
    /// Tell genetic interactions: what pairs of perturbed genes do beyond the sum of what each does
    Interactions(interactions::Interactions),
    /// Rank edges with the baselines alone, and hold them against known edges
    Benchmark(Box<benchmark::Benchmark>),
    /// Draw cells from a model, control and perturbed, as a screen
    Sample(sample::Sample),
    /// Draw a figure of a model
    Figure(figure::DrawFigure),
}

/// Understand `arguments` (the program's name first), or print what is wrong (or the help asked for) and tell the exit
/// code.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Arguments, ExitCode> {
    let parsed = Arguments::try_parse_from(arguments).map_err(|error| {
        // Fails only if stdout or stderr is closed.
        let _ = error.print();
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    })?;
    if parsed.command.is_some() && !parsed.files.is_empty() {
        return Err(wrong_usage("a FILE to open in the window and a command exclude each other"));
    }
    if let (None, Some(file)) = (&parsed.command, parsed.files.first())
        && let Some(command) = meant(file)
    {
        return Err(wrong_usage(&format!("there is no file {}; did you mean the command {command}?", file.display())));
    }
    Ok(parsed)
}

/// The command that a FILE without an ending, which does not exist, was probably meant to be.
fn meant(file: &std::path::Path) -> Option<&'static str> {
    const COMMANDS: [&str; 12] = [
        "simulate",
        "inspect",
        "preprocess",
        "train",
        "merge",
        "predict",
        "network",
        "evaluate",
        "interactions",
        "benchmark",
        "sample",
        "figure",
    ];
    let name = file.to_str().filter(|name| !name.contains(['.', '/', '\\']) && !file.exists())?;
    crate::data::nearest(name, COMMANDS, 1).first().copied()
}

fn wrong_usage(message: &str) -> ExitCode {
    failure::print(message, Some("see grn-explorer --help"));
    ExitCode::from(failure::USAGE)
}

/// Run `command` and tell the exit code; errors are printed.
pub fn run(command: Command, common: Common) -> ExitCode {
    if let Some(threads) = common.threads {
        // Fails only if a pool exists already, which is then used.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build_global();
    }
    interrupt::install();
    let console = Console::new(&common, matches!(command, Command::Train(_)));
    let work = move || {
        let result = match command {
            Command::Simulate(command) => command.run(&console),
            Command::Inspect(command) => command.run(&console),
            Command::Preprocess(command) => command.run(&console),
            Command::Train(command) => command.run(&console),
            Command::Merge(command) => command.run(&console),
            Command::Predict(command) => command.run(&console),
            Command::Network(command) => command.run(&console),
            Command::Evaluate(command) => command.run(&console),
            Command::Interactions(command) => command.run(&console),
            Command::Benchmark(command) => command.run(&console),
            Command::Sample(command) => command.run(&console),
            Command::Figure(command) => command.run(&console),
        };
        console.finish();
        result
    };
    let thread = std::thread::Builder::new().name("command".to_owned()).stack_size(STACK_BYTES).spawn(work);
    match thread.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        Ok(Ok(Err(error))) => report(&error),
        Ok(Err(_)) => {
            // The panic hook has told where.
            failure::print(
                "this is a defect of the program, not of your data",
                Some("please report it with the message above"),
            );
            ExitCode::from(failure::FAILURE)
        }
        Err(error) => report(&anyhow::Error::new(error).context("no thread could be started")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_options_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn files_and_commands_are_told_apart() {
        let parsed = |words: &[&str]| Arguments::try_parse_from(std::iter::once(&"grn-explorer").chain(words)).unwrap();
        let both = parsed(&["screen.h5ad", "model.safetensors"]);
        assert!(both.command.is_none() && both.files.len() == 2);
        let command = parsed(&["inspect", "screen.h5ad"]);
        assert!(command.command.is_some() && command.files.is_empty());
        assert!(parsed(&[]).files.is_empty());
        let mixed = ["grn-explorer", "screen.h5ad", "inspect", "screen.h5ad"].map(OsString::from);
        assert!(parse(mixed).is_err(), "the window and a command exclude each other");
    }

    #[test]
    fn a_mistyped_command_is_told_from_a_file() {
        assert_eq!(meant("trian".as_ref()), Some("train"));
        assert_eq!(meant("screen.h5ad".as_ref()), None);
        assert_eq!(meant("zzz".as_ref()), None);
    }
}
