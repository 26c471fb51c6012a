//! The plan of the house: who may import whom, and who may name which library.

use std::path::{Path, PathBuf};

/// Rooms from what was measured to what is shown; a room may import those of lower floors only. Rooms of one floor do not
/// know each other.
const FLOORS: [&[&str]; 9] = [
    &["data"],
    &["preprocess", "network"],
    &["models", "evaluation"],
    &["training", "layout"],
    &["figures"],
    &["document"],
    &["session"],
    &["tasks"],
    &["app", "cli"],
];
/// Import nothing of ours; anyone may import them.
const FREE: [&str; 5] = ["files", "history", "jobs", "random", "words"];
/// Library, and the folders that may name it.
const LIBRARIES: [(&str, &[&str]); 6] = [
    ("hdf5::", &["src/data/h5ad/"]),
    ("candle_core", &["src/models/", "src/training/"]),
    ("candle_nn", &["src/models/", "src/training/"]),
    ("egui", &["src/app/"]),
    ("eframe", &["src/app/"]),
    ("rfd::", &["src/app/"]),
];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&room))
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("source folder") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Path from the project's root with `/`, and text without line comments.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    files(&root.join("src"), &mut paths);
    paths.sort();
    let source = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("source");
        let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        let name = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
        (name, code.collect::<Vec<_>>().join("\n"))
    };
    paths.into_iter().map(source).collect()
}

/// The room of `src/data/h5ad/read.rs` is `data`, that of `src/tasks.rs` `tasks`.
fn room(file: &str) -> &str {
    let below = file.strip_prefix("src/").unwrap_or(file);
    below.split('/').next().unwrap_or(below).trim_end_matches(".rs")
}

/// First segments of all `crate::…` paths, those in `crate::{a::…, b}` too.
fn imported(code: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.trim_start().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
    };
    let mut rooms = Vec::new();
    for after in code.split("crate::").skip(1) {
        let Some(group) = after.strip_prefix('{') else {
            rooms.push(word(after));
            continue;
        };
        let (mut depth, mut start) = (0, 0);
        for (at, letter) in group.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    rooms.push(word(&group[start..at]));
                    start = at + 1;
                    if letter == '}' {
                        break;
                    }
                }
                _ => {}
            }
        }
    }
    rooms.retain(|room| !room.is_empty());
    rooms
}

#[test]
fn rooms_import_only_from_below() {
    let mut wrong = Vec::new();
    for (file, code) in sources() {
        let from = room(&file);
        if from == "lib" || from == "main" {
            continue;
        }
        assert!(floor(from).is_some() || FREE.contains(&from), "{file} is in no room of the plan");
        for to in imported(&code) {
            let below = match (floor(from), floor(&to)) {
                (Some(from), Some(to)) => to < from,
                _ => false,
            };
            if to != from && !FREE.contains(&to.as_str()) && !below {
                wrong.push(format!("{file} imports crate::{to}"));
            }
        }
    }
    assert!(wrong.is_empty(), "against the direction of imports:\n{}", wrong.join("\n"));
}

#[test]
fn each_library_has_its_room() {
    let mut wrong = Vec::new();
    for (file, code) in sources() {
        for (library, folders) in LIBRARIES {
            // `crate::…::rfd::` or `my_egui` would be another word.
            let named = code.match_indices(library).any(|(at, _)| {
                !code[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':')
            });
            if named && !folders.iter().any(|folder| file.starts_with(folder)) {
                wrong.push(format!("{file} names {library}"));
            }
        }
    }
    assert!(wrong.is_empty(), "a library outside its room:\n{}", wrong.join("\n"));
}

#[test]
fn nothing_is_left_to_be_written_and_main_stays_small() {
    for (file, code) in sources() {
        for unfinished in ["unimplemented!", "todo!"] {
            assert!(!code.contains(unfinished), "{file} has {unfinished}");
        }
        if file == "src/main.rs" {
            assert!(code.lines().count() < 60, "src/main.rs grows");
        }
    }
}

#[test]
fn imports_are_found_in_every_form() {
    let code =
        "use crate::data::Gene;\nuse crate::{jobs::{Progress, Silent}, network, models::Card};\ncrate::files::write";
    assert_eq!(imported(code), ["data", "jobs", "network", "models", "files"]);
    assert_eq!(room("src/data/h5ad/read.rs"), "data");
    assert_eq!(room("src/tasks.rs"), "tasks");
}
