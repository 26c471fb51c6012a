//! What stands for a GPU where there is none: the kernels compiled by the host's compiler (`host.cpp`).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use candle_core::{Result, bail};
use rand::RngExt as _;
use rand_distr::{Distribution as _, StandardNormal};
use tempfile::TempDir;

use super::{Argument, Array, Grid, Machine, Matrix, words};
use crate::random::{self, Rng};

/// A program that runs the kernels, one for every one of these.
pub struct Host {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    random: Rng,
    /// How often each kernel was launched.
    pub launches: std::collections::BTreeMap<&'static str, usize>,
}

/// The program, compiled once; none where there is no compiler for it.
fn program() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<TempDir>> = OnceLock::new();
    let folder = PROGRAM.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/models/nn/gpu");
        let kernels = format!("-DKERNELS=\"{}\"", source.join("kernels.cu").display());
        let mut compiler = Command::new("c++");
        compiler.args(["-std=c++17", "-O1", "-w", &kernels, "-o"]).arg(folder.path().join("kernels"));
        let Ok(output) = compiler.arg(source.join("host.cpp")).output() else {
            println!("skipped: there is no c++ to compile the kernels with");
            return None;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(folder)
    });
    static PATH: OnceLock<std::path::PathBuf> = OnceLock::new();
    folder.as_ref().map(|folder| PATH.get_or_init(|| folder.path().join("kernels")).as_path())
}

impl Host {
    /// One with no memory taken; none (and the reason printed) where the kernels cannot be compiled.
    pub fn new() -> Option<Self> {
        let mut child =
            Command::new(program()?).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it was compiled");
        let requests = child.stdin.take().expect("asked for");
        let answers = BufReader::new(child.stdout.take().expect("asked for"));
        Some(Self { child, requests, answers, random: random::stream(0, "draws"), launches: Default::default() })
    }

    fn ask(&mut self, request: &str, words: &[u32]) -> Result<String> {
        let mut bytes = format!("{request}\n").into_bytes();
        bytes.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
        let mut answer = String::new();
        let asked = self.requests.write_all(&bytes).and_then(|()| self.requests.flush());
        if asked.is_err() || self.answers.read_line(&mut answer).unwrap_or(0) == 0 {
            bail!("{} ended it", request.split(' ').take(2).collect::<Vec<_>>().join(" "));
        }
        Ok(answer.trim().to_owned())
    }

    /// Memory with these numbers.
    pub fn with(&mut self, values: &[f32]) -> Array {
        let array = self.allocate(values.len()).unwrap();
        self.upload(&words(values), array).unwrap();
        array
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Its input ends with this; what has not ended by then would never.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Machine for Host {
    fn allocate(&mut self, count: usize) -> Result<Array> {
        let pointer = self.ask(&format!("allocate {count}"), &[])?;
        Ok(Array { pointer: pointer.parse().expect("a number"), len: count })
    }

    fn release(&mut self, array: Array) {
        self.ask(&format!("release {}", array.pointer), &[]).expect("it was allocated");
    }

    fn upload(&mut self, words: &[u32], to: Array) -> Result<()> {
        assert!(words.len() <= to.len());
        self.ask(&format!("upload {} {}", to.pointer, words.len()), words).map(drop)
    }

    fn download(&mut self, from: Array) -> Result<Vec<f32>> {
        self.ask(&format!("download {} {}", from.pointer, from.len()), &[])?;
        let mut bytes = vec![0; 4 * from.len()];
        self.answers.read_exact(&mut bytes).expect("they follow");
        Ok(bytes.chunks_exact(4).map(|word| f32::from_ne_bytes(word.try_into().expect("four"))).collect())
    }

    fn launch(&mut self, kernel: &'static str, grid: Grid, arguments: &[Argument]) -> Result<()> {
        *self.launches.entry(kernel).or_default() += 1;
        let [x, y] = grid.threads;
        let mut request = format!("launch {kernel} {} {x} {y} {}", grid.blocks, arguments.len());
        for argument in arguments {
            request.push_str(&match argument {
                Argument::Array(pointer) => format!(" a {pointer}"),
                Argument::Whole(value) => format!(" w {value}"),
                Argument::Place(value) => format!(" p {value}"),
                Argument::Number(value) => format!(" n {value:e}"),
            });
        }
        self.ask(&request, &[]).map(drop)
    }

    fn product(&mut self, into: Matrix, keep: f32, factor: f32, a: Matrix, b: Matrix) -> Result<()> {
        *self.launches.entry("product").or_default() += 1;
        let [rows, columns, inner] = into.sizes(&a, &b)?;
        let mut request = format!("product {rows} {columns} {inner} {keep:e} {factor:e}");
        for (array, stride, transposed) in [into.layout(), a.layout(), b.layout()] {
            request.push_str(&format!(" {} {stride} {}", array.pointer, u8::from(transposed)));
        }
        self.ask(&request, &[]).map(drop)
    }

    fn seed(&mut self, seed: u64) -> Result<()> {
        self.random = random::stream(seed, "draws");
        Ok(())
    }

    fn uniform(&mut self, to: Array) -> Result<()> {
        let values: Vec<f32> = (0..to.len()).map(|_| self.random.random()).collect();
        self.upload(&words(&values), to)
    }

    fn normal(&mut self, to: Array) -> Result<()> {
        let values: Vec<f32> = (0..to.len()).map(|_| StandardNormal.sample(&mut self.random)).collect();
        self.upload(&words(&values), to)
    }
}
