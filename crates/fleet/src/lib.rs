//! The authority's side of every node: feed, event intake, enrolment.
