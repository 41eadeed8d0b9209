//! Every statement is one that its database understands.

use super::bench::{Bench, connect};
use crate::sql::Sql;
use crate::{
    StoreSettings, api_key, client_secret, consent, device, event, family, feed, key, logout_notice, material, person, personal_token,
    registration, resource, revocation, session, spent, totp,
};

const ALL: &[(&str, &[(&str, Sql)])] = &[
    ("api_key", api_key::STATEMENTS),
    ("client_secret", client_secret::STATEMENTS),
    ("consent", consent::STATEMENTS),
    ("device", device::STATEMENTS),
    ("event", event::STATEMENTS),
    ("family", family::STATEMENTS),
    ("feed", feed::STATEMENTS),
    ("key", key::STATEMENTS),
    ("logout_notice", logout_notice::STATEMENTS),
    ("material", material::STATEMENTS),
    ("person", person::STATEMENTS),
    ("personal_token", personal_token::STATEMENTS),
    ("registration", registration::STATEMENTS),
    ("resource", resource::STATEMENTS),
    ("revocation", revocation::STATEMENTS),
    ("session", session::STATEMENTS),
    ("spent", spent::STATEMENTS),
    ("totp", totp::STATEMENTS),
];

#[tokio::test]
async fn every_statement_prepares_on_sqlite() {
    let bench = Bench::sqlite().await;
    let StoreSettings::Sqlite { path } = &bench.settings else { unreachable!() };
    let connection = rusqlite::Connection::open(path).unwrap();
    for (table, statements) in ALL {
        for (name, sql) in *statements {
            connection.prepare(sql.sqlite).unwrap_or_else(|error| panic!("{table}::{name}: {error}"));
        }
    }
}

#[tokio::test]
async fn every_statement_prepares_on_postgresql() {
    let bench = Bench::postgres().await;
    let StoreSettings::Postgres { dsn } = &bench.settings else { unreachable!() };
    let client = connect(dsn.expose()).await;
    for (table, statements) in ALL {
        for (name, sql) in *statements {
            client.prepare(sql.postgres).await.unwrap_or_else(|error| panic!("{table}::{name}: {error:?}"));
        }
    }
}
