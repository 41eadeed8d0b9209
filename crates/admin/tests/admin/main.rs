//! The admin API in-process: its surface, a store in a temporary directory, a clock that stands still.

mod access;
mod apply;
mod audit;
mod backup;
mod consequences;
mod escalation;
mod fixture;
mod keys;
mod people;
mod requests;
