//! One behaviour suite and one race suite, each on both databases.
