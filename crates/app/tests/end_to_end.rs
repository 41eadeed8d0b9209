//! The real program over real TLS, from outside.
#![cfg(test)]

mod backup;
mod clients;
mod documentation;
mod endpoints;
mod fixture;
mod keys;
mod kill;
mod record;
mod reload;
mod revocation;
mod shop;
