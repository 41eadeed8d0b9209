//! Which files hold resources.

use std::path::{Path, PathBuf};

use super::ConfigurationError;

/// How deep directories may nest.
const DEEPEST: usize = 16;
/// The most files.
const MOST_FILES: usize = 5_000;

/// The file itself, or those below a directory whose names end as those of resources do, in order of their paths.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>, ConfigurationError> {
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if metadata.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    below(path, DEEPEST, &mut files)?;
    files.sort();
    Ok(files)
}

fn below(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), ConfigurationError> {
    for entry in std::fs::read_dir(directory).map_err(|error| unreadable(directory, &error))? {
        let entry = entry.map_err(|error| unreadable(directory, &error))?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let metadata = std::fs::metadata(&path).map_err(|error| unreadable(&path, &error))?;
        if metadata.is_dir() {
            if depth == 0 {
                return Err(ConfigurationError::of_file(&path, format!("directories nest deeper than {DEEPEST}")));
            }
            below(&path, depth - 1, files)?;
        } else if is_resource(&path) {
            files.push(path);
        }
        if files.len() > MOST_FILES {
            return Err(ConfigurationError::of_file(directory, format!("holds more than {MOST_FILES} files of resources")));
        }
    }
    Ok(())
}

fn is_resource(path: &Path) -> bool {
    matches!(path.extension().and_then(|extension| extension.to_str()), Some("yaml" | "yml" | "cedar" | "cedarschema"))
}

fn unreadable(path: &Path, error: &std::io::Error) -> ConfigurationError {
    ConfigurationError::of_file(path, format!("cannot be read: {error}"))
}
