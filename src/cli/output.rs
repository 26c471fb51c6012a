//! Files that a command will write, checked before the work begins.

use std::path::Path;

use anyhow::Context as _;

use super::failure::UsageError;

/// Make sure that `path` can be written before hours go into its content: its folder exists and takes files, and it is
/// no folder or device itself.
pub(super) fn check(path: &Path) -> anyhow::Result<()> {
    let shown = path.display();
    if let Ok(found) = std::fs::metadata(path) {
        if found.is_dir() {
            return Err(UsageError(format!("{shown} is a folder; give the name of a file in it")).into());
        }
        if !found.is_file() {
            return Err(UsageError(format!("{shown} is no ordinary file; give the name of a file")).into());
        }
    }
    if path.file_name().is_none() {
        return Err(UsageError(format!("{shown} is not the name of a file")).into());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(UsageError(format!("cannot write {shown}: there is no folder {}", folder.display())).into());
    }
    tempfile::tempfile_in(folder).with_context(|| format!("cannot write {shown}"))?;
    Ok(())
}

/// Make sure that `output` is not one of the `inputs`.
pub(super) fn distinct(output: &Path, inputs: &[&Path]) -> anyhow::Result<()> {
    let Ok(target) = output.canonicalize() else { return Ok(()) };
    if inputs.iter().any(|input| input.canonicalize().is_ok_and(|input| input == target)) {
        return Err(UsageError(format!("{} would be written over what it is made from", output.display())).into());
    }
    Ok(())
}

/// Write `report` to `path`, whole or not at all.
pub(super) fn write_json(path: &Path, report: &impl serde::Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(report)?;
    crate::files::write_whole(path, |file| std::io::Write::write_all(file, text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("model.safetensors");
        assert!(check(&file).is_ok());
        assert!(!file.exists(), "checking leaves nothing behind");
        assert!(check(folder.path()).unwrap_err().to_string().contains("is a folder"));
        assert!(check(&folder.path().join("none/model")).unwrap_err().to_string().contains("there is no folder"));
        std::fs::write(&file, "x").unwrap();
        assert!(distinct(&file, &[&file]).is_err());
        assert!(distinct(&folder.path().join("other"), &[&file]).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn devices_are_not_replaced() {
        assert!(check(Path::new("/dev/null")).unwrap_err().to_string().contains("ordinary file"));
    }
}
