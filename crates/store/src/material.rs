//! Named bytes that exist once: the sealed root, the authority's certificates and sealed keys, the time of the last restore.

use durward_base::SecretBytes;

use crate::batch::Batch;
use crate::sql::{Query, Sql, Step, Value, statements};
use crate::{Store, StoreError};

statements! {
    PUT = Sql::shared("INSERT INTO material (name, bytes) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes");
    PUT_IF_ABSENT = Sql::shared("INSERT INTO material (name, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING");
    FIND = Sql::shared("SELECT bytes FROM material WHERE name = $1");
}

impl Store {
    /// The bytes of this name.
    pub async fn material(&self, name: &str) -> Result<Option<SecretBytes>, StoreError> {
        let read = |row: &mut crate::sql::Row<'_>| row.bytes().map(SecretBytes::new);
        self.one(Query { what: "material", sql: FIND, params: vec![name.into()], read }).await
    }

    /// Keeps bytes under a name that has none yet. Says whether it was so: of several nodes that start at once, one is told yes, and the
    /// others read what it wrote.
    pub async fn put_material_if_absent(&self, name: &str, bytes: &SecretBytes) -> Result<bool, StoreError> {
        let step = Step::any(PUT_IF_ABSENT, [name.into(), Value::Bytes(bytes.expose().to_vec())]);
        Ok(self.run(Batch::of_steps(vec![step], self.clock.now())).await?.touched == 1)
    }

    /// Keeps bytes under a name in place of what stood there: a root key that was sealed anew.
    pub async fn replace_material(&self, name: &str, bytes: &SecretBytes) -> Result<(), StoreError> {
        self.run(Batch::of_steps(vec![put(name, bytes.expose().to_vec())], self.clock.now())).await.map(drop)
    }
}

pub(crate) fn put(name: &str, bytes: Vec<u8>) -> Step {
    Step::any(PUT, [name.into(), Value::Bytes(bytes)])
}
