//! The real program over real TLS, from outside.
#![cfg(test)]

mod backup;
mod clients;
mod endpoints;
mod fixture;
mod keys;
mod kill;
mod revocation;
mod shop;
