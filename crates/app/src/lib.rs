//! Durward: authentication and authorization for a fleet of microservices.
