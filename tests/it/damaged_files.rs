//! Files of every format with damaged bytes: an error or a data set, but never a panic, an abort or a flood of memory.
//!
//! `GRN_FUZZ_SECONDS=600 cargo test --test it damaged_files` looks for longer, and with other damage each time.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use grn_explorer::data::{ImportOptions, h5ad};
use grn_explorer::jobs::Silent;
use grn_explorer::tasks::open;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::{h5ad_variants, text_formats};

/// Seconds to look for, several by default.
const SECONDS: &str = "GRN_FUZZ_SECONDS";
const DEFAULT_SECONDS: u64 = 5;
/// The folder with files to open, and the number of the first: tells the child what to do.
const JOB: &str = "GRN_TEST_DAMAGED_FILES";
const BATCH: usize = 150;
/// Address space of the child in KiB: an allocation beyond ends it.
const MOST_KIB: u64 = 6 << 20;
/// Memory that the child may have used at most, in KiB: the files have a few KiB each.
const MOST_PEAK_KIB: u64 = 600 << 10;
/// No small file may take so long; HDF5 itself never ends on some.
const MOST_TIME: Duration = Duration::from_secs(60);
const MOST_TIME_HDF5: Duration = Duration::from_secs(8);

/// Files that belong together.
#[derive(Clone)]
struct Example {
    /// The one to open.
    open: String,
    files: Vec<(String, Vec<u8>)>,
}

impl Example {
    fn is_hdf5(&self) -> bool {
        self.open.ends_with(".h5") || self.open.ends_with(".h5ad")
    }
}

fn examples() -> Vec<Example> {
    let mut examples: Vec<Example> = text_formats::examples()
        .into_iter()
        .map(|(open, files)| Example {
            open: open.to_owned(),
            files: files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect(),
        })
        .collect();
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("screen.h5ad");
    h5ad::write(&path, &crate::h5ad::screen()).expect("written");
    let mut screens = h5ad_variants::examples();
    screens.push(std::fs::read(&path).expect("read"));
    let screen = |bytes| Example { open: "screen.h5ad".to_owned(), files: vec![("screen.h5ad".to_owned(), bytes)] };
    examples.extend(screens.into_iter().map(screen));
    examples
}

/// One thing done to the bytes of a file.
#[derive(Clone, Debug)]
enum Damage {
    Byte(Index, u8),
    Bit(Index, u8),
    /// Eight bytes become a number, as sizes and addresses are stored.
    Number(Index, u64),
    /// Text in the place of text: numbers out of range, separators, quotes.
    Text(Index, &'static str, u8),
    Remove(Index, u8),
    /// A part comes again, often.
    Repeat(Index, u8, u8),
    Cut(Index),
}

const TEXTS: [&str; 22] = [
    "0",
    "-1",
    "4294967296",
    "18446744073709551616",
    "1e39",
    "nan",
    "inf",
    "0.5",
    "",
    ",",
    "\t",
    ";",
    "\n",
    "\r\n\r\n",
    "\"",
    "\0",
    "%",
    "+",
    "_",
    "||",
    "control",
    "é\u{feff}",
];

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    let extremes = prop_oneof![
        any::<u64>(),
        (0u32..64).prop_map(|bit| 1u64 << bit),
        (0u32..64).prop_map(|bit| (1u64 << bit) - 1),
        Just(u64::MAX)
    ];
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        (at(), 0u8..8).prop_map(|(at, bit)| Damage::Bit(at, bit)),
        (at(), extremes).prop_map(|(at, number)| Damage::Number(at, number)),
        (at(), prop::sample::select(&TEXTS[..]), 0u8..6).prop_map(|(at, text, over)| Damage::Text(at, text, over)),
        (at(), any::<u8>()).prop_map(|(at, length)| Damage::Remove(at, length)),
        (at(), 1u8.., 1u8..).prop_map(|(at, length, times)| Damage::Repeat(at, length, times)),
        at().prop_map(Damage::Cut),
    ]
}

fn spoil(bytes: &mut Vec<u8>, damage: &Damage) {
    if bytes.is_empty() {
        return;
    }
    let length = bytes.len();
    let end = |at: usize, more: u8| (at + usize::from(more)).min(length);
    match damage {
        Damage::Byte(at, byte) => bytes[at.index(length)] = *byte,
        Damage::Bit(at, bit) => bytes[at.index(length)] ^= 1 << bit,
        Damage::Number(at, number) => {
            let at = at.index(length);
            let end = end(at, 8);
            bytes[at..end].copy_from_slice(&number.to_le_bytes()[..end - at]);
        }
        Damage::Text(at, text, over) => {
            let at = at.index(length);
            bytes.splice(at..end(at, *over), text.bytes());
        }
        Damage::Remove(at, more) => {
            let at = at.index(length);
            bytes.drain(at..end(at, *more));
        }
        Damage::Repeat(at, more, times) => {
            let at = at.index(length);
            let part = bytes[at..end(at, *more)].repeat(usize::from(*times));
            bytes.splice(at..at, part);
        }
        Damage::Cut(at) => bytes.truncate(at.index(length)),
    }
}

/// Opens the files 0, 1, … of a folder, in a process of its own, from the number given on; see the next test.
#[test]
fn child_that_opens_damaged_files() {
    let Ok(job) = std::env::var(JOB) else { return };
    let (first, folder) = job.split_once(' ').expect("number and folder");
    let folder = Path::new(folder);
    for number in first.parse::<usize>().expect("number").. {
        let place = folder.join(number.to_string());
        let Ok(name) = std::fs::read_to_string(place.join("open")) else { break };
        std::fs::write(folder.join("opening"), number.to_string()).expect("noted");
        let path = place.join(name);
        if open::kind_of(&path).is_err() {
            continue;
        }
        match open::dataset(&path, &ImportOptions::default(), &Silent) {
            Ok(dataset) => assert_eq!(dataset.roles().len(), dataset.cell_count()),
            Err(error) => {
                let error = format!("{error:#}");
                assert!(!error.is_empty() && error.len() < 2000, "{error}");
            }
        }
    }
    // Only Linux tells.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    std::fs::write(folder.join("peak"), peak.trim().trim_end_matches(" kB")).expect("noted");
}

/// Run the child on `folder` from file `first` on, within limits of memory and of time for each file; none if it took too long.
fn run_child(folder: &Path, first: usize, batch: &[(Example, Vec<(Index, Damage)>)]) -> Option<Output> {
    let program = std::env::current_exe().expect("this program");
    let arguments = ["--exact", "damaged_files::child_that_opens_damaged_files", "--nocapture", "--test-threads=1"];
    let mut command = if cfg!(target_os = "linux") {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -v {MOST_KIB}; exec \"$0\" \"$@\"")]).arg(program);
        shell
    } else {
        Command::new(program)
    };
    // What it says goes to files: nobody empties a pipe meanwhile.
    let output = |name: &str| std::fs::File::create(folder.join(name)).expect("new");
    let mut child = command
        .args(arguments)
        .env(JOB, format!("{first} {}", folder.display()))
        .env("RUST_BACKTRACE", "0")
        .stdout(Stdio::from(output("stdout")))
        .stderr(Stdio::from(output("stderr")))
        .spawn()
        .expect("started");
    let opening = || std::fs::read_to_string(folder.join("opening")).unwrap_or_default();
    let (mut start, mut file) = (Instant::now(), opening());
    loop {
        if let Some(status) = child.try_wait().expect("waited") {
            let stderr = std::fs::read(folder.join("stderr")).expect("read");
            return Some(Output { status, stdout: Vec::new(), stderr });
        }
        let now = opening();
        if now != file {
            (start, file) = (Instant::now(), now);
        }
        let is_hdf5 = file.parse::<usize>().is_ok_and(|number| batch[number].0.is_hdf5());
        if start.elapsed() > if is_hdf5 { MOST_TIME_HDF5 } else { MOST_TIME } {
            child.kill().expect("killed");
            child.wait().expect("ended");
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// HDF5 before version 1.14 itself crashes on some damaged files, and on some never ends; that is told, but is not ours.
#[test]
fn damaged_files_are_errors_or_data_sets() {
    let long = std::env::var(SECONDS).ok().map(|seconds| seconds.parse::<u64>().expect("a number of seconds"));
    let limit = Duration::from_secs(long.unwrap_or(DEFAULT_SECONDS));
    let mut seed = [7u8; 32];
    if long.is_some() {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("later");
        seed[..16].copy_from_slice(&now.as_nanos().to_le_bytes());
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let examples = examples();
    let strategy = (0..examples.len(), prop::collection::vec((any::<Index>(), damage()), 1..6));
    let start = Instant::now();
    let (mut opened, mut crashes, mut endless, mut peak) = (0, 0, 0, 0u64);
    while start.elapsed() < limit {
        let folder = tempfile::tempdir().expect("folder");
        let mut batch = Vec::new();
        for number in 0..BATCH {
            let (which, damages) = strategy.new_tree(&mut runner).expect("a value").current();
            let mut example = examples[which].clone();
            for (file, damage) in &damages {
                let at = file.index(example.files.len());
                spoil(&mut example.files[at].1, damage);
            }
            let place = folder.path().join(number.to_string());
            std::fs::create_dir(&place).expect("new");
            for (name, bytes) in &example.files {
                std::fs::write(place.join(name), bytes).expect("written");
            }
            std::fs::write(place.join("open"), &example.open).expect("written");
            batch.push((example, damages));
        }
        let mut next = 0;
        while next < BATCH {
            let output = run_child(folder.path(), next, &batch);
            if output.as_ref().is_some_and(|output| output.status.success()) {
                break;
            }
            let number = std::fs::read_to_string(folder.path().join("opening")).expect("noted");
            let number = number.parse::<usize>().expect("number");
            let (example, damages) = &batch[number];
            let words =
                output.as_ref().map_or("took too long".into(), |output| String::from_utf8_lossy(&output.stderr));
            let exited = output.as_ref().is_some_and(|output| output.status.code().is_some());
            let ours =
                ["panicked", "memory allocation", "overflowed its stack"].iter().any(|word| words.contains(word));
            if ours || exited || !example.is_hdf5() {
                let kept = folder.keep();
                panic!("{} in {}: {words}\nafter {damages:?}", example.open, kept.join(number.to_string()).display());
            }
            *if output.is_none() { &mut endless } else { &mut crashes } += 1;
            next = number + 1;
        }
        opened += BATCH;
        let noted = std::fs::read_to_string(folder.path().join("peak")).unwrap_or_default();
        peak = peak.max(noted.parse().unwrap_or(0));
        if peak > MOST_PEAK_KIB {
            panic!("{peak} KiB of memory for small files in {}", folder.keep().display());
        }
    }
    println!(
        "{opened} damaged files opened, at most {} MiB used; HDF5 itself crashed on {crashes} and never ended on {endless}",
        peak >> 10
    );
}
