//! File dialogs of the system. They block, so they are called from a thread of their own.

use std::path::{Path, PathBuf};

/// What a dialog offers: a name for people, and extensions without the dot.
#[derive(Clone, Debug)]
pub struct FileFilter {
    /// `Data sets, models and sessions`.
    pub name: &'static str,
    /// `["h5ad", "safetensors"]`.
    pub extensions: Vec<&'static str>,
}

/// Asks the user for a file; none if the user changed their mind or there is no dialog.
pub trait FileChooser: Send + Sync {
    /// A file that exists.
    fn open(&self, title: &str, filter: &FileFilter, folder: Option<&Path>) -> Option<PathBuf>;
    /// A file to write.
    fn save(&self, title: &str, filter: &FileFilter, folder: Option<&Path>, name: &str) -> Option<PathBuf>;
}

/// The system's own dialogs.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDialogs;

impl SystemDialogs {
    fn dialog(title: &str, filter: &FileFilter, folder: Option<&Path>) -> rfd::FileDialog {
        let dialog = rfd::FileDialog::new().set_title(title).add_filter(filter.name, &filter.extensions);
        match folder {
            Some(folder) => dialog.set_directory(folder),
            None => dialog,
        }
    }
}

impl FileChooser for SystemDialogs {
    fn open(&self, title: &str, filter: &FileFilter, folder: Option<&Path>) -> Option<PathBuf> {
        Self::dialog(title, filter, folder).add_filter("All files", &["*"]).pick_file()
    }

    fn save(&self, title: &str, filter: &FileFilter, folder: Option<&Path>, name: &str) -> Option<PathBuf> {
        Self::dialog(title, filter, folder).set_file_name(name).save_file()
    }
}
