pub(crate) mod strip;
