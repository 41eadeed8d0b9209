//! The schema's history: numbered, checksummed, forward only.

use aws_lc_rs::digest::{SHA256, digest};
use durward_base::base64url;

use crate::OpenError;
use crate::sql::Sql;

/// One step of the schema. What was once released never changes: a later step mends it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Migration {
    pub number: i64,
    pub text: &'static str,
}

pub(crate) const SQLITE: &[Migration] = &[
    Migration { number: 1, text: include_str!("../migrations/sqlite/0001_ledger.sql") },
    Migration { number: 2, text: include_str!("../migrations/sqlite/0002_family_binding.sql") },
    Migration { number: 3, text: include_str!("../migrations/sqlite/0003_devices_and_tokens.sql") },
    Migration { number: 4, text: include_str!("../migrations/sqlite/0004_declaration.sql") },
    Migration { number: 5, text: include_str!("../migrations/sqlite/0005_second_factor.sql") },
    Migration { number: 6, text: include_str!("../migrations/sqlite/0006_registration.sql") },
    Migration { number: 7, text: include_str!("../migrations/sqlite/0007_logout_notice.sql") },
    Migration { number: 8, text: include_str!("../migrations/sqlite/0008_api_keys.sql") },
    Migration { number: 9, text: include_str!("../migrations/sqlite/0009_backchannel.sql") },
    Migration { number: 10, text: include_str!("../migrations/sqlite/0010_authorization_details.sql") },
    Migration { number: 11, text: include_str!("../migrations/sqlite/0011_consent_client_name.sql") },
    Migration { number: 12, text: include_str!("../migrations/sqlite/0012_consent_shown.sql") },
];

pub(crate) const POSTGRES: &[Migration] = &[
    Migration { number: 1, text: include_str!("../migrations/postgres/0001_ledger.sql") },
    Migration { number: 2, text: include_str!("../migrations/postgres/0002_family_binding.sql") },
    Migration { number: 3, text: include_str!("../migrations/postgres/0003_devices_and_tokens.sql") },
    Migration { number: 4, text: include_str!("../migrations/postgres/0004_declaration.sql") },
    Migration { number: 5, text: include_str!("../migrations/postgres/0005_second_factor.sql") },
    Migration { number: 6, text: include_str!("../migrations/postgres/0006_registration.sql") },
    Migration { number: 7, text: include_str!("../migrations/postgres/0007_logout_notice.sql") },
    Migration { number: 8, text: include_str!("../migrations/postgres/0008_api_keys.sql") },
    Migration { number: 9, text: include_str!("../migrations/postgres/0009_backchannel.sql") },
    Migration { number: 10, text: include_str!("../migrations/postgres/0010_authorization_details.sql") },
    Migration { number: 11, text: include_str!("../migrations/postgres/0011_consent_client_name.sql") },
    Migration { number: 12, text: include_str!("../migrations/postgres/0012_consent_shown.sql") },
];

pub(crate) const TABLE: Sql = Sql::each(
    "CREATE TABLE IF NOT EXISTS migration (number INTEGER NOT NULL PRIMARY KEY, checksum TEXT NOT NULL, applied INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS migration (number BIGINT NOT NULL PRIMARY KEY, checksum TEXT NOT NULL, applied BIGINT NOT NULL)",
);

pub(crate) const APPLIED: Sql = Sql::shared("SELECT number, checksum FROM migration ORDER BY number");

pub(crate) const APPLY: Sql = Sql::each(
    "INSERT INTO migration (number, checksum, applied) VALUES (?1, ?2, ?3)",
    "INSERT INTO migration (number, checksum, applied) VALUES ($1, $2, $3)",
);

impl Migration {
    pub fn checksum(&self) -> String {
        base64url::encode(digest(&SHA256, self.text.as_bytes()).as_ref())
    }

    pub fn failed(&self, cause: impl std::fmt::Display) -> OpenError {
        OpenError::Migration { number: self.number, cause: cause.to_string() }
    }
}

/// The next migration to run over a schema where `applied` were, or why this version must keep its hands off it.
pub(crate) fn next<'a>(known: &'a [Migration], applied: &[(i64, String)]) -> Result<Option<&'a Migration>, OpenError> {
    for (index, (number, checksum)) in applied.iter().enumerate() {
        match known.get(index) {
            None => {
                return Err(OpenError::Newer {
                    found: newest(applied.iter().map(|(number, _)| *number)),
                    known: newest(known.iter().map(|one| one.number)),
                });
            }
            Some(migration) if migration.number != *number || migration.checksum() != *checksum => {
                return Err(OpenError::Changed { number: *number });
            }
            Some(_) => {}
        }
    }
    Ok(known.get(applied.len()))
}

fn newest(numbers: impl Iterator<Item = i64>) -> i64 {
    numbers.last().unwrap_or_default()
}
