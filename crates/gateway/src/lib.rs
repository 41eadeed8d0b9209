//! The enforcement point and its data path.
