//! ISO/IEC 18004: a text as a QR code, drawn as one path: no script, no image of another origin.

use std::fmt::Write as _;

use qrcode::types::{Color, QrError};

/// A QR code, in modules, with the quiet zone of four that readers need.
#[derive(Debug)]
pub(crate) struct QrCode {
    /// How wide and high it is.
    pub side: usize,
    /// The dark modules, as the `d` of an SVG path.
    pub path: String,
}

impl QrCode {
    /// Draws a text.
    ///
    /// # Errors
    /// When it is too long.
    pub(crate) fn of(text: &str) -> Result<Self, QrError> {
        let code = qrcode::QrCode::new(text)?;
        let (width, colors) = (code.width(), code.to_colors());
        let mut path = String::new();
        for (y, row) in colors.chunks(width.max(1)).enumerate() {
            for (x, _) in row.iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
                // Writing to a string does not fail.
                let _ = write!(path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
            }
        }
        Ok(Self { side: width + 2 * QUIET, path })
    }
}

const QUIET: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_finders_and_a_quiet_zone() {
        let code = QrCode::of("otpauth://totp/Shop:alice?secret=GEZDGNBVGY3TQOJQ").unwrap();
        let last = code.side - QUIET;
        for (x, y) in [(QUIET, QUIET), (last - 7, QUIET), (QUIET, last - 7)] {
            assert!(code.path.contains(&format!("M{x} {y}h1v1h-1z")) && code.path.contains(&format!("M{} {}h1v1h-1z", x + 3, y + 3)));
            assert!(!code.path.contains(&format!("M{} {}h", x + 1, y + 1)), "the ring around a finder's middle is light");
        }
        assert!(!code.path.contains("M3 ") && !code.path.contains(" 3h"));
        assert!(QrCode::of(&"x".repeat(5_000)).is_err());
    }
}
