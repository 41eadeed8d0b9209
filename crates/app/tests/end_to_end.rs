//! The real program over real TLS, from outside.
#![cfg(test)]

mod clients;
mod endpoints;
mod fixture;
mod kill;
mod shop;
