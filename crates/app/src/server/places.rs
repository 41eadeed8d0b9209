//! The file that says where addresses are.

use std::path::Path;

use anyhow::Context as _;
use durward_enforce::Places;

use super::followed::Followed;

/// Reads the file, and says how to follow it. Nothing is known where none is named.
///
/// # Errors
/// When it cannot be read, or is no such file.
pub fn open(file: Option<&Path>) -> anyhow::Result<(Places, Followed)> {
    let places = Places::default();
    let read = {
        let (file, places) = (file.map(Path::to_owned), places.clone());
        move || {
            let Some(file) = &file else { return Ok(()) };
            let named = || format!("places: the file {}", file.display());
            places.replace(std::fs::read(file).with_context(named)?).with_context(named)
        }
    };
    let files = file.map(Path::to_owned).into_iter().collect();
    Ok((places, Followed::read("places", files, read)?))
}
