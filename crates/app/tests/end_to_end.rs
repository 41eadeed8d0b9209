//! The real program over real TLS, from outside.
#![cfg(test)]

mod adopt;
mod backup;
mod browser_session;
mod clients;
mod clock;
mod commands;
mod documentation;
mod endpoints;
mod fixture;
mod foreign_tokens;
mod keys;
mod kill;
mod one_event;
mod record;
mod referees;
mod reload;
mod revocation;
mod shop;
mod start;
mod traces;
mod ways_in;
