//! The demo's three services: what a user's services would look like.
