//! The change feed: records, snapshot, apply, gap detection, staleness.
