//! Every endpoint of the issuer: method, path, who may call it, how often, the event it writes, the handler.

use durward_model::AccessClass::{Bearer, Browser, Client, ConfidentialClient, Public};
use durward_model::EventKind::{
    AccessEvaluated, AuthorizationPushed, AuthorizationRequested, BackchannelAuthenticationRequested, BackchannelAuthenticationSubmitted,
    BackchannelAuthenticationsListed, ClientRegistered, ConsentRevoked, ConsentSubmitted, ConsentsListed, DeviceAuthorizationRequested,
    DeviceShown, DeviceSubmitted, DocumentRead, LoggedOut, LoginShown, LoginSubmitted, PersonalTokenChanged, PersonalTokensListed,
    RegistrationChanged, RegistrationRead, SecondFactorChanged, SecondFactorShown, SessionRevoked, SessionsListed, TokenIntrospected,
    TokenIssued, TokenRevoked, UserinfoRead,
};
use durward_model::RateClass::{Login, Machine, Read};
use durward_net::{Endpoint, Endpoints};

use crate::Issuer;
use crate::http::{_well_known, access, account, assets, consent, device, gateways, login, oauth2};

#[rustfmt::skip]
pub(crate) fn all(issuer: Issuer) -> Vec<Endpoint> {
    Endpoints::new(issuer)
        .get("/realms/{realm}/.well-known/openid-configuration", Public, Read, DocumentRead, _well_known::openid_configuration::get)
        .get("/.well-known/oauth-authorization-server/realms/{realm}", Public, Read, DocumentRead, _well_known::oauth_authorization_server::realms::one::get)
        .get("/realms/{realm}/oauth2/jwks", Public, Read, DocumentRead, oauth2::jwks::get)
        .get("/realms/{realm}/oauth2/authorize", Browser, Read, AuthorizationRequested, oauth2::authorize::get)
        .post("/realms/{realm}/oauth2/authorize", Browser, Read, AuthorizationRequested, oauth2::authorize::post)
        .post("/realms/{realm}/oauth2/par", Client, Machine, AuthorizationPushed, oauth2::par::post)
        .options("/realms/{realm}/oauth2/par", Public, Read, DocumentRead, oauth2::par::options)
        .get("/realms/{realm}/login", Browser, Read, LoginShown, login::get)
        .post("/realms/{realm}/login", Browser, Login, LoginSubmitted, login::post)
        .get("/realms/{realm}/login/totp", Browser, Read, LoginShown, login::totp::get)
        .post("/realms/{realm}/login/totp", Browser, Login, LoginSubmitted, login::totp::post)
        .get("/realms/{realm}/consent", Browser, Read, LoginShown, consent::get)
        .post("/realms/{realm}/consent", Browser, Read, ConsentSubmitted, consent::post)
        .post("/realms/{realm}/oauth2/device_authorization", Client, Machine, DeviceAuthorizationRequested, oauth2::device_authorization::post)
        .post("/realms/{realm}/oauth2/bc-authorize", ConfidentialClient, Machine, BackchannelAuthenticationRequested, oauth2::bc_authorize::post)
        .get("/realms/{realm}/device", Browser, Read, DeviceShown, device::get)
        .post("/realms/{realm}/device", Browser, Read, DeviceSubmitted, device::post)
        .post("/realms/{realm}/oauth2/token", Client, Machine, TokenIssued, oauth2::token::post)
        .options("/realms/{realm}/oauth2/token", Public, Read, DocumentRead, oauth2::token::options)
        .post("/realms/{realm}/oauth2/register", Bearer, Machine, ClientRegistered, oauth2::register::post)
        .get("/realms/{realm}/oauth2/register/{client_id}", Bearer, Machine, RegistrationRead, oauth2::register::one::get)
        .put("/realms/{realm}/oauth2/register/{client_id}", Bearer, Machine, RegistrationChanged, oauth2::register::one::put)
        .delete("/realms/{realm}/oauth2/register/{client_id}", Bearer, Machine, RegistrationChanged, oauth2::register::one::delete)
        .post("/realms/{realm}/oauth2/introspect", ConfidentialClient, Machine, TokenIntrospected, oauth2::introspect::post)
        .post("/realms/{realm}/oauth2/revoke", Client, Machine, TokenRevoked, oauth2::revoke::post)
        .options("/realms/{realm}/oauth2/revoke", Public, Read, DocumentRead, oauth2::revoke::options)
        .get("/realms/{realm}/oauth2/userinfo", Bearer, Machine, UserinfoRead, oauth2::userinfo::get)
        .post("/realms/{realm}/oauth2/userinfo", Bearer, Machine, UserinfoRead, oauth2::userinfo::post)
        .options("/realms/{realm}/oauth2/userinfo", Public, Read, DocumentRead, oauth2::userinfo::options)
        .get("/realms/{realm}/oauth2/logout", Browser, Read, LoggedOut, oauth2::logout::get)
        .post("/realms/{realm}/oauth2/logout", Browser, Read, LoggedOut, oauth2::logout::post)
        .get("/realms/{realm}/account", Browser, Read, SessionsListed, account::get)
        .get("/realms/{realm}/account/sessions", Browser, Read, SessionsListed, account::sessions::get)
        .post("/realms/{realm}/account/sessions", Browser, Read, SessionRevoked, account::sessions::post)
        .get("/realms/{realm}/account/consents", Browser, Read, ConsentsListed, account::consents::get)
        .post("/realms/{realm}/account/consents", Browser, Read, ConsentRevoked, account::consents::post)
        .get("/realms/{realm}/account/requests", Browser, Read, BackchannelAuthenticationsListed, account::requests::get)
        .post("/realms/{realm}/account/requests", Browser, Read, BackchannelAuthenticationSubmitted, account::requests::post)
        .get("/realms/{realm}/account/tokens", Browser, Read, PersonalTokensListed, account::tokens::get)
        .post("/realms/{realm}/account/tokens", Browser, Read, PersonalTokenChanged, account::tokens::post)
        .get("/realms/{realm}/account/totp", Browser, Read, SecondFactorShown, account::totp::get)
        .post("/realms/{realm}/account/totp", Browser, Read, SecondFactorChanged, account::totp::post)
        .get("/gateways/{name}/.well-known/openid-configuration", Public, Read, DocumentRead, gateways::_well_known::openid_configuration::get)
        .get("/gateways/{name}/jwks", Public, Read, DocumentRead, gateways::jwks::get)
        .get("/.well-known/authzen-configuration/realms/{realm}", Public, Read, DocumentRead, _well_known::authzen_configuration::realms::one::get)
        .post("/realms/{realm}/access/v1/evaluation", Bearer, Machine, AccessEvaluated, access::v1::evaluation::post)
        .post("/realms/{realm}/access/v1/evaluations", Bearer, Machine, AccessEvaluated, access::v1::evaluations::post)
        .get("/assets/{file}", Public, Read, DocumentRead, assets::one::get)
        .into_rows()
}
