//! Every OAuth and OpenID Connect rule as pure functions, one file per concept.
