//! RFC 6749 section 3.3: "the authorization server MAY fully or partially ignore the scope requested by the client, based on [...] the
//! resource owner's instructions": what people allow somebody else's client, scope by scope and for one service.

use aws_lc_rs::digest::{SHA256, digest};
use durward_base::{ClientId, Timestamp, base64url};
use durward_model::resource::{Client, Trust};
use durward_model::{Consent, Person, Revocation, RevocationKind, Write};
use serde_json::json;

use crate::registry::{RegisteredClient, Registry};

/// What a client asks a person for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The client.
    pub client: RegisteredClient<'a>,
    /// The service.
    pub audience: &'a str,
    /// The scopes.
    pub scopes: &'a [String],
}

/// Whether a person may leave this scope out and the client still get the others.
pub fn is_optional(client: &Client, scope: &str) -> bool {
    client.optional_scopes.iter().any(|optional| optional == scope)
}

impl Asked<'_> {
    /// Whether the person has answered all of this before. What has grown since is not answered.
    pub fn is_answered_by(&self, consent: Option<&Consent>) -> bool {
        self.earlier(consent)
            .is_some_and(|consent| self.scopes.iter().all(|scope| self.allows(consent, scope) || self.declines(consent, scope)))
    }

    /// What is left of it after the person's earlier answer.
    pub fn narrowed_by(&self, consent: Option<&Consent>) -> Vec<String> {
        let earlier = self.earlier(consent).filter(|_| self.client.metadata.trust == Trust::ThirdParty);
        let is_left = |scope: &&String| earlier.is_none_or(|consent| !self.declines(consent, scope));
        self.scopes.iter().filter(is_left).cloned().collect()
    }

    /// The person's answer: all of it, but for the optional scopes in `left_out`. With what they had allowed before, this is what they allow
    /// from here on; where they take something back, what stood on it ends.
    pub fn allowed(
        &self,
        registry: &dyn Registry,
        person: &Person,
        (left_out, before): (&[String], Option<&Consent>),
        now: Timestamp,
    ) -> (Consent, Vec<Write>) {
        // Whatever the client called itself then, tokens were made for it.
        let taken_back = before.is_some_and(|before| self.is_of_this(before) && before.scopes.iter().any(|scope| left_out.contains(scope)));
        let before = self.earlier(before);
        let scopes = union(self.scopes, before.map(|before| &before.scopes), left_out);
        let declined = union(left_out, before.map(|before| &before.declined), self.scopes);
        let realm = registry.realm().name.clone();
        let (client, client_name, audience) = (self.client.id, self.client.metadata.name.clone(), self.audience.to_owned());
        let mut writes = if taken_back { withdrawn(person, client, self.audience, now) } else { Vec::new() };
        let shown = shown(self.client.metadata);
        let consent = Consent { realm, person: person.id, client, client_name, scopes, declined, audience, shown, granted: now };
        writes.push(Write::PutConsent(consent.clone()));
        (consent, writes)
    }

    /// An answer is to one client, as it was shown, about one service.
    fn earlier<'c>(&self, consent: Option<&'c Consent>) -> Option<&'c Consent> {
        consent.filter(|consent| self.is_of_this(consent) && consent.shown == shown(self.client.metadata))
    }

    fn is_of_this(&self, consent: &Consent) -> bool {
        consent.client == self.client.id && consent.audience == self.audience
    }

    fn allows(&self, consent: &Consent, scope: &String) -> bool {
        consent.scopes.contains(scope)
    }

    /// A scope that is not optional any more is asked about again.
    fn declines(&self, consent: &Consent, scope: &String) -> bool {
        consent.declined.contains(scope) && is_optional(self.client.metadata, scope)
    }
}

/// Takes back what a person allowed a client for a service: refresh tokens die with their families, and every token of the person made until
/// now by the watermark, whatever came of it meanwhile.
pub fn withdrawn(person: &Person, client: ClientId, audience: &str, now: Timestamp) -> Vec<Write> {
    let (realm, audience) = (person.realm.clone(), audience.to_owned());
    let watermark = Revocation::new(&realm, RevocationKind::Subject, &person.sub, now, "consent_withdrawn");
    vec![Write::EndConsent { realm, person: person.id, client, audience, at: now }, Write::Revoke(watermark)]
}

/// What people go by who allow a client that nobody vouches for, as a digest: its name, where it takes them, its home and its sign. It may
/// change all of them at any time, and what they allowed was another's.
pub fn shown(client: &Client) -> String {
    if client.origin.is_declared() {
        return String::new();
    }
    let text = json!([client.title, client.redirect_uris, client.client_uri, client.logo_uri]).to_string();
    base64url::encode(digest(&SHA256, text.as_bytes()).as_ref())
}

/// `new` and `old` without `except`, sorted.
fn union(new: &[String], old: Option<&Vec<String>>, except: &[String]) -> Vec<String> {
    let mut all: Vec<String> = new.iter().chain(old.into_iter().flatten()).filter(|scope| !except.contains(scope)).cloned().collect();
    all.sort_unstable();
    all.dedup();
    all
}
