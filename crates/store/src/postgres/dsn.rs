//! The DSN: what libpq understands, of which tokio-postgres knows all but the trust in the server.

use std::path::PathBuf;

use durward_base::{Duration, Secret};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::OpenError;

/// Where the server is and whom to trust there.
pub(super) struct Dsn {
    pub config: Config,
    /// PEM of the authorities that the server's certificate must come from; without it there is no TLS.
    pub roots: Option<PathBuf>,
}

const CONNECT: Duration = Duration::from_secs(2);

/// Limits that the server keeps for us: a lost node must not hold a lock, nor an unanswered question a connection.
const OPTIONS: &str = "-c statement_timeout=5s -c lock_timeout=4s -c idle_in_transaction_session_timeout=5s";

/// Reads a DSN. Its text never gets into an error.
pub(super) fn parse(dsn: &Secret) -> Result<Dsn, OpenError> {
    let refuse = |problem: &str| OpenError::Settings(format!("PostgreSQL DSN: {problem}"));
    let (rest, roots) = without(dsn.expose(), "sslrootcert=");
    let (rest, mode) = without(&rest, "sslmode=");
    let mut config: Config =
        rest.parse().map_err(|_| refuse("cannot be read; expected postgresql://user:password@host:5432/database?sslmode=verify-full…"))?;
    let mode = match mode.as_deref() {
        Some("disable") => SslMode::Disable,
        Some("require" | "verify-ca" | "verify-full") => SslMode::Require,
        None | Some("prefer" | "allow") => SslMode::Prefer,
        Some(_) => return Err(refuse("`sslmode` is none of disable, prefer, require, verify-ca, verify-full")),
    };
    match (mode, &roots) {
        (SslMode::Disable, _) => config.ssl_mode(SslMode::Disable),
        (_, Some(_)) => config.ssl_mode(SslMode::Require),
        (SslMode::Prefer, None) if config.get_hosts().iter().all(is_local) => config.ssl_mode(SslMode::Disable),
        (_, None) => {
            return Err(refuse(
                "the server is elsewhere: add sslmode=verify-full and sslrootcert=/path/to/ca.pem, or sslmode=disable on a network you trust",
            ));
        }
    };
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    config.options(format!("{OPTIONS} {}", config.get_options().unwrap_or_default()));
    config.application_name("durward").target_session_attrs(TargetSessionAttrs::ReadWrite);
    Ok(Dsn { config, roots: roots.map(PathBuf::from) })
}

/// Takes a parameter out of a DSN of either form: up to `&` in a URL, up to white space between `key=value` pairs.
fn without(dsn: &str, parameter: &str) -> (String, Option<String>) {
    let Some((before, after)) = dsn.match_indices(parameter).find_map(|(at, _)| {
        let (before, after) = dsn.split_at_checked(at)?;
        let begins = before.chars().next_back().is_none_or(|last| matches!(last, '?' | '&') || last.is_whitespace());
        begins.then_some((before, after.strip_prefix(parameter)?))
    }) else {
        return (dsn.to_owned(), None);
    };
    let end = after.find(|c: char| c == '&' || c.is_whitespace()).unwrap_or(after.len());
    let (value, rest) = after.split_at_checked(end).unwrap_or((after, ""));
    let rest = rest.strip_prefix('&').unwrap_or(rest);
    (format!("{before}{rest}").trim_end_matches(['?', '&']).to_owned(), Some(value.to_owned()))
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback()),
        Host::Unix(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(dsn: &str) -> Result<Dsn, String> {
        parse(&Secret::new(dsn)).map_err(|error| error.to_string())
    }

    #[test]
    fn both_forms_name_several_hosts_and_only_the_writable_one_is_used() {
        for dsn in [
            "postgresql://u:hunter2@db1,db2:5433/d?sslmode=verify-full&sslrootcert=/ca.pem&connect_timeout=1",
            "host=db1,db2 port=5432,5433 user=u password=hunter2 dbname=d sslrootcert=/ca.pem sslmode=verify-full connect_timeout=1",
        ] {
            let dsn = read(dsn).unwrap();
            assert_eq!(dsn.config.get_hosts().len(), 2);
            assert_eq!(dsn.config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
            assert_eq!(dsn.config.get_ssl_mode(), SslMode::Require);
            assert_eq!(dsn.config.get_connect_timeout(), Some(&Duration::from_secs(1)));
            assert_eq!(dsn.roots, Some(PathBuf::from("/ca.pem")));
        }
    }

    #[test]
    fn a_server_elsewhere_is_not_reached_without_tls_unless_one_says_so() {
        assert!(read("postgresql://u@db1/d").is_err());
        assert!(read("postgresql://u@127.0.0.1,db1/d").is_err());
        assert!(read("postgresql://u@127.0.0.1/d?sslmode=require").is_err());
        for dsn in ["postgresql://u@db1/d?sslmode=disable", "postgresql://u@127.0.0.1/d", "postgresql://u@[::1]/d", "host=/run/pg user=u"] {
            assert_eq!(read(dsn).unwrap().config.get_ssl_mode(), SslMode::Disable, "{dsn}");
        }
    }

    #[test]
    fn an_unreadable_dsn_is_not_repeated() {
        for dsn in ["postgresql//u:hunter2@h/d", "hunter2", "postgresql://u:hunter2@h:port/d", "postgresql://u@h/d?sslmode=hunter2"] {
            let error = read(dsn).err().unwrap();
            assert!(error.starts_with("store settings: PostgreSQL DSN") && !error.contains("hunter2"), "{error}");
        }
    }
}
