//! A tower layer and extractors that verify and authorize in-process.
