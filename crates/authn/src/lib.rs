//! Password policy, throttles, assurance levels.
