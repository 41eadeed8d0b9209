//! Credential, principal and decision over a compiled view of the snapshot.
