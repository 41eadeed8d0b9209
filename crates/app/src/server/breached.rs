//! A file of breached passwords, as they are published: SHA-1 digests in hexadecimal, sorted, one a line, each perhaps followed by `:COUNT`.
//! It is searched where it lies, however large it is, and asked of nobody.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use durward_authn::password::{Breached, BreachedUnavailable};

/// No line is longer, its end included.
const MAX_LINE: usize = 64;
/// Hexadecimal digits of a SHA-1 digest.
const DIGITS: usize = 40;

/// The file, open.
#[derive(Debug)]
pub struct BreachedFile {
    file: File,
    size: u64,
}

/// One line: where it begins and where the next one does, and its digest.
struct Line {
    start: u64,
    end: u64,
    digest: [u8; 20],
}

impl BreachedFile {
    /// Opens a file, and looks whether it is one.
    ///
    /// # Errors
    /// When it cannot be read, or its first and last lines are no digests in order.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let named = || format!("passwords.breached: {}", path.display());
        let file = File::open(path).with_context(named)?;
        let size = file.metadata().with_context(named)?.len();
        let file = Self { file, size };
        let ends = (file.line_at(0), file.line_at(size.saturating_sub(1)));
        match ends {
            (Ok(first), Ok(last)) if first.digest <= last.digest => Ok(file),
            _ => bail!("{}: expected sorted lines of a SHA-1 digest in hexadecimal, each perhaps followed by `:COUNT`", named()),
        }
    }

    /// The line that a byte is part of.
    fn line_at(&self, offset: u64) -> Result<Line, BreachedUnavailable> {
        let from = offset.saturating_sub(MAX_LINE as u64);
        let mut window = [0; 2 * MAX_LINE];
        let read = self.file.read_at(&mut window, from).map_err(|_| BreachedUnavailable)?;
        let window = window.get(..read).ok_or(BreachedUnavailable)?;
        let at = usize::try_from(offset - from).map_err(|_| BreachedUnavailable)?;
        let (before, rest) = window.split_at_checked(at).ok_or(BreachedUnavailable)?;
        let begins = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |line_end| line_end + 1);
        let ends = rest.iter().position(|byte| *byte == b'\n').map_or(read, |line_end| at + line_end + 1);
        let line = window.get(begins..ends).filter(|_| begins > 0 || from == 0).ok_or(BreachedUnavailable)?;
        let digest = line.split_first_chunk::<DIGITS>().and_then(|(digits, rest)| {
            let alone = matches!(rest.first(), None | Some(b':' | b'\r' | b'\n'));
            decode(digits).filter(|_| alone)
        });
        Ok(Line { start: from + begins as u64, end: from + ends as u64, digest: digest.ok_or(BreachedUnavailable)? })
    }
}

impl Breached for BreachedFile {
    fn contains(&self, sha1: &[u8; 20]) -> Result<bool, BreachedUnavailable> {
        let (mut low, mut high) = (0, self.size);
        while low < high {
            let line = self.line_at(low + (high - low) / 2)?;
            match sha1.cmp(&line.digest) {
                std::cmp::Ordering::Equal => return Ok(true),
                std::cmp::Ordering::Less => high = line.start,
                std::cmp::Ordering::Greater => low = line.end,
            }
        }
        Ok(false)
    }
}

fn decode(digits: &[u8; DIGITS]) -> Option<[u8; 20]> {
    let mut digest = [0; 20];
    for (byte, pair) in digest.iter_mut().zip(digits.as_chunks::<2>().0) {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u32) -> [u8; 20] {
        let mut digest = [0; 20];
        digest[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_be_bytes());
        digest
    }

    fn hexadecimal(digest: [u8; 20]) -> String {
        digest.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    fn written(text: &str) -> (tempfile::NamedTempFile, anyhow::Result<BreachedFile>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let opened = BreachedFile::open(file.path());
        (file, opened)
    }

    /// LOGIN-004
    #[test]
    fn every_digest_of_the_file_is_found_and_no_other() {
        for line_end in ["\n", "\r\n"] {
            let mut known: Vec<_> = (0..500).map(|number| digest(2 * number)).collect();
            known.sort_unstable();
            let lines: Vec<_> = known.iter().enumerate().map(|(at, digest)| format!("{}:{}", hexadecimal(*digest), at * at)).collect();
            for text in [lines.join(line_end), lines.join(line_end) + line_end] {
                let file = written(&text).1.unwrap();
                assert!(known.iter().all(|digest| file.contains(digest) == Ok(true)));
                assert!((0..500).map(|number| digest(2 * number + 1)).all(|digest| file.contains(&digest) == Ok(false)));
                assert_eq!((file.contains(&[0xff; 20]), file.contains(&known[0])), (Ok(false), Ok(true)));
            }
        }
        let alone = written(&hexadecimal([7; 20]).to_lowercase()).1.unwrap();
        assert_eq!((alone.contains(&[7; 20]), alone.contains(&[6; 20]), alone.contains(&[8; 20])), (Ok(true), Ok(false), Ok(false)));
    }

    #[test]
    fn what_is_no_such_file_is_refused_when_it_is_opened() {
        let (low, high) = (hexadecimal([1; 20]), hexadecimal([2; 20]));
        for text in [
            "",
            "password\n123456\n",
            "\n",
            &format!("{high}\n{low}\n"),
            &format!("{low}AB\n{high}\n"),
            &format!("{low}\n{high}\n\n"),
            &"A".repeat(1000),
            &format!("{}\n", &low[..39]),
        ] {
            let error = written(text).1.unwrap_err().to_string();
            assert!(error.contains("passwords.breached: /") && error.contains("SHA-1"), "{text:?}: {error}");
        }
        assert!(BreachedFile::open(Path::new("/nowhere/at-all")).is_err());
    }

    #[test]
    fn a_file_that_is_damaged_in_the_middle_is_an_error_and_never_a_no() {
        let lines: Vec<_> = (0..9).map(|byte| hexadecimal([byte; 20])).collect();
        let file = written(&lines.join("\n").replace(&lines[4], &"?".repeat(40))).1.unwrap();
        assert_eq!(file.contains(&[4; 20]), Err(BreachedUnavailable));
    }
}
