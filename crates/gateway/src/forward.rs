//! Step 6.

pub(crate) mod head;
pub(crate) mod strip;
