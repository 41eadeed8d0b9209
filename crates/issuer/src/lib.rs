//! The authorization server's HTTP surface and its pages.
