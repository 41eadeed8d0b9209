//! The real program over real TLS, from outside.
#![cfg(test)]

mod acme;
mod adopt;
mod backup;
mod browser_session;
mod certificates;
mod client_certificates;
mod clients;
mod clock;
mod command_line;
mod commands;
mod documentation;
mod endpoints;
mod fixture;
mod foreign_tokens;
mod fronts;
mod http2;
mod keys;
mod kill;
mod observe;
mod one_event;
mod places;
mod protect;
mod record;
mod referees;
mod reload;
mod revocation;
mod shop;
mod slow;
mod start;
mod traces;
mod upstreams;
mod ways_in;
