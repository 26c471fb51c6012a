//! The program: arguments, logging, exit code.

fn main() {}
