//! Who may call an endpoint, and how often: every endpoint states both.

/// Who may call an endpoint. `Admin` and `Node` are held to by the gate before the handler (`durward_admin::gate`, `durward_fleet::gate`); what
/// the others take is part of the request's own protocol, and the handler's first line asks for it (`durward_issuer::client`, `sso`,
/// `transaction`). A test of the app calls every endpoint without a credential and with wrong ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccessClass {
    /// Anyone; the answer holds nothing that is not public.
    Public,
    /// A browser in a login of its own: every state change carries the sealed transaction or session and a CSRF token.
    Browser,
    /// A client by its registered method (RFC 6749 section 2.3), public clients included.
    Client,
    /// A confidential client by its registered method.
    ConfidentialClient,
    /// The holder of an access token of this authority.
    Bearer,
    /// A principal with at least this administrative role, by token or over the local socket.
    Admin(AdminRole),
    /// A node: a service or gateway with a token for the fleet's audience.
    Node,
    /// Whoever reaches the operations listener.
    Operations,
}

/// Administrative roles, each holding what those after it hold. Nobody grants more than they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AdminRole {
    /// Everything.
    Admin,
    /// Day-to-day changes: people, sessions, clients, routes; no keys, no administrators.
    Operator,
    /// Reads everything, changes nothing.
    Auditor,
}

impl AdminRole {
    /// The role's name as it stands in a token's `roles`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "durward-admin",
            Self::Operator => "durward-operator",
            Self::Auditor => "durward-auditor",
        }
    }

    /// The role of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Admin, Self::Operator, Self::Auditor].into_iter().find(|role| role.name() == name)
    }

    /// Whether a holder of this role may do what `needed` may.
    pub const fn holds(self, needed: AdminRole) -> bool {
        self.rank() >= needed.rank()
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Admin => 2,
            Self::Operator => 1,
            Self::Auditor => 0,
        }
    }
}

/// How often one network may call an endpoint: a /24 of IPv4 or a /64 of IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateClass {
    /// Documents, pages and probes: 60,000 a minute.
    Read,
    /// Machine endpoints that sign or verify: bounded by the work itself, not by address.
    Machine,
    /// Endpoints that try a person's password or second factor: bounded by the throttle of failures, and not counted here.
    Login,
    /// Management: 1,200 a minute.
    Manage,
}
