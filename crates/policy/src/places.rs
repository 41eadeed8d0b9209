//! Where addresses are, as a file in MaxMind's format says (MaxMind DB File Format Specification 2.0).

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Weak};

use arc_swap::ArcSwapOption;
use maxminddb::{LookupResult, MaxMindDbError, PathElement, Reader, path};

/// The largest file, in bytes. Those of cities are a tenth of it.
const LARGEST: usize = 1 << 30;

/// What is known of where addresses are: nothing, until a file is taken in. Clones know the same.
#[derive(Clone, Default)]
pub struct Places(Arc<ArcSwapOption<Reader<Vec<u8>>>>);

/// Which file it was that something was known by, if there was one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edition(Weak<Reader<Vec<u8>>>);

/// Where an address is. What the file does not say is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Place {
    /// ISO 3166-1: two letters.
    pub country: Option<String>,
    /// Its English name.
    pub city: Option<String>,
}

/// What was to be taken in is no such file.
#[derive(Debug, thiserror::Error)]
pub enum PlacesError {
    /// It does not read.
    #[error("found no file in MaxMind's format (.mmdb), as GeoLite2 City and Country have it: {0}")]
    Format(#[from] MaxMindDbError),
    /// It is too large.
    #[error("found {0} bytes, expected {LARGEST} at most")]
    TooLarge(usize),
}

impl Places {
    /// Takes in a file, instead of what was known before.
    ///
    /// # Errors
    /// `PlacesError` when it is none; what was known before stays.
    pub fn replace(&self, file: Vec<u8>) -> Result<(), PlacesError> {
        if file.len() > LARGEST {
            return Err(PlacesError::TooLarge(file.len()));
        }
        self.0.store(Some(Arc::new(Reader::from_source(file)?)));
        Ok(())
    }

    /// Where an address is, and which file says so.
    pub(crate) fn of(&self, address: Option<IpAddr>) -> (Place, Edition) {
        let known = self.0.load();
        let found = known.as_ref().zip(address).and_then(|(reader, address)| reader.lookup(address.to_canonical()).ok());
        (found.map(|found| Place::of(&found)).unwrap_or_default(), Edition(known.as_ref().map(Arc::downgrade).unwrap_or_default()))
    }
}

impl Edition {
    /// Whether these places still know the same. No other file comes to stand where this one stood, as long as this is held.
    pub fn is_that_of(&self, places: &Places) -> bool {
        let known = places.0.load();
        self.0.as_ptr() == known.as_ref().map_or_else(|| Weak::new().as_ptr(), Arc::as_ptr)
    }
}

impl PartialEq for Edition {
    fn eq(&self, other: &Self) -> bool {
        self.0.ptr_eq(&other.0)
    }
}

impl Eq for Edition {}

impl Place {
    fn of(found: &LookupResult<'_, Vec<u8>>) -> Self {
        let text = |path: &[PathElement<'_>]| found.decode_path::<String>(path).ok().flatten();
        Self { country: text(&path!["country", "iso_code"]), city: text(&path!["city", "names", "en"]) }
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.0.load().as_ref().map(|reader| reader.metadata().database_type.clone());
        f.debug_tuple("Places").field(&kind).finish()
    }
}
