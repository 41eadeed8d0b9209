//! One behaviour suite and one race suite, each on both databases.

mod bench;
mod consents;
mod crash;
mod devices;
mod disk;
mod faults;
mod feed;
mod housekeeping;
mod ledger;
mod logout_notices;
mod material;
mod people;
mod personal_tokens;
mod postgres;
mod races;
mod registrations;
mod resources;
mod speed;
mod sqlite;
mod statements;
mod totp;

/// Makes two tests of each function: one on SQLite, one on PostgreSQL.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                super::$name(crate::tests::bench::Bench::sqlite().await).await;
            })*
        }

        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                super::$name(crate::tests::bench::Bench::postgres().await).await;
            })*
        }
    };
}

use on_both;
