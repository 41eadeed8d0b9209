//! Where the store is.

use std::path::PathBuf;

use durward_base::Secret;

/// Where the store is.
#[derive(Debug, Clone)]
pub enum StoreSettings {
    /// One file, made with mode 0600 when absent. Its directory must exist.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
    /// A PostgreSQL cluster, 15 or newer.
    Postgres {
        /// `postgresql://user:password@host1,host2/database?sslmode=verify-full&sslrootcert=/path/to/ca.pem`, or the `key=value` form.
        dsn: Secret,
    },
}

impl StoreSettings {
    /// One file.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self::Sqlite { path: path.into() }
    }

    /// A PostgreSQL cluster.
    pub const fn postgres(dsn: Secret) -> Self {
        Self::Postgres { dsn }
    }
}
