//! What every process keeps: feed client, snapshot, the driver that answers `Ask`, audit journal.
