//! JWS, JWK and JWT over aws-lc-rs, with parsed keys and a per-key algorithm.
