//! ENDPOINTS.txt, which a test of the app generates from the endpoint table: every handler's path follows from its URL.

use std::path::Path;

use super::Fault;

/// Prefixes that are no part of the module path.
const PREFIXES: [&str; 1] = ["/realms/{realm}"];

pub fn check() -> anyhow::Result<Vec<Fault>> {
    let page = super::page("ENDPOINTS.txt")?;
    Ok(page.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).filter_map(fault).collect())
}

/// Rows: `METHOD path access rate event handler`.
fn fault(row: &str) -> Option<Fault> {
    let cells: Vec<&str> = row.split_whitespace().collect();
    let [method, path, _, _, _, handler] = cells.as_slice() else { return Some(format!("ENDPOINTS.txt: `{row}`: expected six columns")) };
    let Some((package, actual)) = handler.split_once("::http::") else {
        return Some(format!("ENDPOINTS.txt: {method} {path}: {handler} is not in a module `http`"));
    };
    let expected = module(path, method);
    if actual != expected {
        return Some(format!("ENDPOINTS.txt: {method} {path}: its handler is http::{actual}, expected http::{expected}"));
    }
    let modules = expected.rsplit_once("::").map_or("", |(modules, _)| modules).replace("::", "/");
    let directory = format!("crates/{}/src/http/{modules}", package.trim_start_matches("durward_"));
    let there = Path::new(&format!("{directory}.rs")).exists() || Path::new(&directory).join("mod.rs").exists();
    (!there).then(|| format!("ENDPOINTS.txt: {method} {path}: there is no {directory}.rs"))
}

/// `/oauth2/token` and `POST` → `oauth2::token::post`; `-` and `.` become `_`, parameters are dropped, a trailing one is `one`.
fn module(path: &str, method: &str) -> String {
    let path = PREFIXES.iter().find_map(|prefix| path.strip_prefix(prefix)).unwrap_or(path);
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let last = segments.len().saturating_sub(1);
    let mut modules: Vec<String> = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        match segment.starts_with('{') {
            true if index == last => modules.push("one".to_owned()),
            true => {}
            false => modules.push(segment.replace(['-', '.'], "_")),
        }
    }
    modules.push(method.to_ascii_lowercase());
    modules.join("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_follow_from_urls() {
        for (method, path, expected) in [
            ("POST", "/realms/{realm}/oauth2/token", "oauth2::token::post"),
            ("GET", "/admin/v1/clients/{id}", "admin::v1::clients::one::get"),
            ("GET", "/realms/{realm}/.well-known/openid-configuration", "_well_known::openid_configuration::get"),
            ("GET", "/admin/v1/people/{name}/sessions", "admin::v1::people::sessions::get"),
        ] {
            assert_eq!(module(path, method), expected);
        }
    }

    #[test]
    fn a_handler_in_the_wrong_place_is_found() {
        assert!(fault("POST /oauth2/token Client Machine token.issued durward_issuer::http::token::post").is_some());
        assert!(fault("POST /oauth2/token Client").is_some());
    }
}
