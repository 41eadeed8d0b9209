//! The head of a request as received: what steps 2 to 5 see of it, whatever codec read it.

/// Method, target and headers, as they came.
#[derive(Debug, Clone)]
pub struct Head<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// The path and query, as sent: RFC 9112 section 3.2.1, origin-form.
    pub target: &'a str,
    /// The one validated authority: `Host` or `:authority`, port included.
    pub authority: &'a str,
    /// Name and value of each field line, in the order received.
    pub headers: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Head<'a> {
    /// The head of a request held by the `http` crate's types.
    pub fn new(method: &'a http::Method, target: &'a str, authority: &'a str, headers: &'a http::HeaderMap) -> Self {
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        Self { method: method.as_str(), target, authority, headers }
    }

    /// The values of all field lines of this name.
    pub fn header(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// The path, without the query.
    pub fn path(&self) -> &'a str {
        self.target.split_once('?').map_or(self.target, |(path, _)| path)
    }

    /// The host in lower case, without port.
    pub fn host(&self) -> String {
        let host = match self.authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => self.authority,
        };
        host.to_ascii_lowercase()
    }
}
