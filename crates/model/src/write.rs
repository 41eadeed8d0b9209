//! What a decision asks the store to do. Each is one guarded statement: when its guard misses, nothing of the batch happens.

use durward_base::{ClientId, DeviceId, FamilyId, KeyId, PersonId, SessionId, Timestamp, TokenId};

use crate::key::{KeyState, SealedKey};
use crate::resource::Stored;
use crate::{
    ApiKey, Assurance, BoundKey, ClientSecret, Consent, DeviceAuthorization, DeviceState, Family, InitialAccess, Person, PersonalToken,
    Registration, ResourceKind, Revocation, Session,
};

/// A write. The store's mapping from each to its statement is in `durward_store`, file by aggregate.
#[derive(Debug, Clone)]
pub enum Write {
    /// Marks an id as used. Guard: it was not.
    Spend {
        /// The realm's name.
        realm: String,
        /// What kind of id.
        what: Spent,
        /// The id (a `jti` is reduced to 16 bytes of its SHA-256 with its issuer).
        id: [u8; 16],
        /// When a replay would be refused by expiry alone.
        expires: Timestamp,
    },
    /// A login. Guard: no such id.
    OpenSession(Session),
    /// Ends a login and all its families, writing a revocation for each. No guard: ending twice is ending.
    EndSession {
        /// The realm's name.
        realm: String,
        /// Which.
        session: SessionId,
        /// When.
        at: Timestamp,
        /// Why, as in `Revocation::reason`.
        reason: &'static str,
    },
    /// Says anew what a login is worth: its person has proved more, or again. Guard: it is not ended.
    RaiseSession {
        /// The realm's name.
        realm: String,
        /// Which.
        session: SessionId,
        /// What it is worth from now on.
        assurance: Assurance,
    },
    /// A client in a login. Guard: no such id, and the session is not ended.
    OpenFamily(Family),
    /// Moves a family's refresh token on by one. Guard: it is at `from` and not ended.
    RotateFamily {
        /// The realm's name.
        realm: String,
        /// Which.
        family: FamilyId,
        /// The generation presented.
        from: u32,
        /// When.
        at: Timestamp,
    },
    /// Lets a family's refresh token be of a generation that a restored backup does not know. No guard: one that is as far stays.
    AdoptGeneration {
        /// The realm's name.
        realm: String,
        /// Which.
        family: FamilyId,
        /// How far it had come.
        generation: u32,
        /// When.
        at: Timestamp,
    },
    /// Binds a family's refresh tokens to a key. Guard: it is bound to none and not ended.
    BindFamily {
        /// The realm's name.
        realm: String,
        /// Which.
        family: FamilyId,
        /// The key.
        key: BoundKey,
    },
    /// Ends a family, writing its revocation. No guard.
    EndFamily {
        /// The realm's name.
        realm: String,
        /// Which.
        family: FamilyId,
        /// When.
        at: Timestamp,
        /// Why.
        reason: &'static str,
    },
    /// Forgets that a client is to be told of a family's end: it was, or never will be. No guard.
    DropLogoutNotice {
        /// The realm's name.
        realm: String,
        /// The family that ended.
        family: FamilyId,
    },
    /// A revocation by itself: a token, a key, a watermark. No guard.
    Revoke(Revocation),
    /// What a person allowed a client, replacing what they had. No guard.
    PutConsent(Consent),
    /// Forgets what a person allowed a client for an audience, and ends the families that stood on it, writing a revocation for each. No
    /// guard.
    EndConsent {
        /// The realm's name.
        realm: String,
        /// Who had allowed it.
        person: PersonId,
        /// To which client.
        client: ClientId,
        /// For which audience.
        audience: String,
        /// When.
        at: Timestamp,
    },
    /// A device that asks for a person's answer. Guard: neither id nor user code exists in the realm.
    OpenDevice(DeviceAuthorization),
    /// Moves a device on. Guard: it is in `from`, and not expired.
    MoveDevice {
        /// The realm's name.
        realm: String,
        /// Which.
        device: DeviceId,
        /// Where it is.
        from: DeviceState,
        /// Where it goes.
        to: DeviceState,
        /// The family that an approval opened.
        family: Option<FamilyId>,
        /// When.
        at: Timestamp,
    },
    /// A personal access token. Guard: no such id, and the person is enabled.
    PutPersonalToken(PersonalToken),
    /// Ends a personal access token, writing its revocation. No guard.
    EndPersonalToken {
        /// The realm's name.
        realm: String,
        /// Whose.
        person: PersonId,
        /// Which.
        token: TokenId,
        /// When.
        at: Timestamp,
    },
    /// Makes an API key. Guard: neither its id nor its hash exists in the realm.
    PutApiKey(Box<ApiKey>),
    /// Lets an API key end at a time. Guard: it exists, and does not end before.
    ExpireApiKey {
        /// The realm's name.
        realm: String,
        /// Which.
        key: KeyId,
        /// When it ends.
        at: Timestamp,
    },
    /// Ends an API key, writing its revocation. No guard.
    EndApiKey {
        /// The realm's name.
        realm: String,
        /// Which.
        key: KeyId,
        /// When.
        at: Timestamp,
    },
    /// Makes a person. Guard: neither id nor username exists in the realm.
    CreatePerson {
        /// The record.
        person: Person,
        /// argon2id in PHC form.
        password_hash: Option<String>,
    },
    /// Changes a person. Guard: the stored version is `person.version - 1`.
    UpdatePerson(Person),
    /// Sets a password, or takes it away. Guard: the person exists.
    SetPassword {
        /// The realm's name.
        realm: String,
        /// Whose.
        person: PersonId,
        /// argon2id in PHC form.
        hash: Option<String>,
    },
    /// Sets up a person's second factor. Guard: they have none.
    EnrolTotp {
        /// The realm's name.
        realm: String,
        /// Whose.
        person: PersonId,
        /// The secret, sealed.
        sealed: Vec<u8>,
        /// The step whose code confirmed it.
        used: u64,
        /// When.
        at: Timestamp,
    },
    /// Marks the code of a step as used. Guard: no code of this step or a later one was.
    SpendTotp {
        /// The realm's name.
        realm: String,
        /// Whose.
        person: PersonId,
        /// Which.
        step: u64,
    },
    /// Removes a person's second factor and their recovery codes. Guard: they have one.
    RemoveTotp {
        /// The realm's name.
        realm: String,
        /// Whose.
        person: PersonId,
    },
    /// Gives a person with a second factor recovery codes, in place of those they had. Guard: they have a second factor.
    PutRecoveryCodes {
        /// The realm's name.
        realm: String,
        /// Whose.
        person: PersonId,
        /// Keyed hashes of the codes.
        hashes: Vec<[u8; 32]>,
    },
    /// Uses up a recovery code. Guard: it is there.
    SpendRecoveryCode {
        /// The realm's name.
        realm: String,
        /// Whose.
        person: PersonId,
        /// Its keyed hash.
        hash: [u8; 32],
    },
    /// Ends all logins and families of a person. No guard.
    EndSessionsOf {
        /// The realm's name.
        realm: String,
        /// Whose.
        person: PersonId,
        /// When.
        at: Timestamp,
        /// Why.
        reason: &'static str,
    },
    /// Removes a person. Guard: they exist.
    DeletePerson {
        /// The realm's name.
        realm: String,
        /// Whom.
        person: PersonId,
    },
    /// Moves on the count of what is declared: what was decided over all resources together holds only over those that were seen. Guard: it
    /// is at `seen`. A batch with resources and without this one moves it on unguarded.
    Declare {
        /// Where it was, before the resources were read.
        seen: u64,
    },
    /// Makes or changes a resource. Guard: the stored version is `expected` (`None`: no such name).
    PutResource {
        /// The resource as it is to be.
        stored: Box<Stored>,
        /// The version it replaces.
        expected: Option<u64>,
    },
    /// Removes a resource. Guard: the stored version is `expected`.
    DeleteResource {
        /// The realm's name.
        realm: String,
        /// Its kind.
        kind: ResourceKind,
        /// Its name.
        name: String,
        /// The version seen.
        expected: u64,
    },
    /// Makes a key. Guard: no such `kid`.
    PutKey(Box<SealedKey>),
    /// Moves a key in its life. Guard: it is in `from`, which may become `to`.
    MoveKey {
        /// Which.
        kid: String,
        /// Where it is.
        from: KeyState,
        /// Where it goes.
        to: KeyState,
        /// When.
        at: Timestamp,
    },
    /// A client that registered itself. Guard: no such id.
    OpenRegistration(Registration),
    /// Moves on to the next registration access token. Guard: it is at `from`.
    RotateRegistration {
        /// The realm's name.
        realm: String,
        /// Whose.
        client: ClientId,
        /// The generation presented.
        from: u32,
    },
    /// Forgets that a client registered itself. No guard.
    EndRegistration {
        /// The realm's name.
        realm: String,
        /// Which.
        client: ClientId,
    },
    /// Makes an initial access token. Guard: no such id.
    PutInitialAccess(InitialAccess),
    /// Registers one client with an initial access token. Guard: it is good at `at`, for one more.
    UseInitialAccess {
        /// The realm's name.
        realm: String,
        /// Which.
        id: KeyId,
        /// When.
        at: Timestamp,
    },
    /// Ends an initial access token. Guard: it exists.
    EndInitialAccess {
        /// The realm's name.
        realm: String,
        /// Which.
        id: KeyId,
    },
    /// Makes a client's secret. Guard: no such id.
    PutClientSecret(ClientSecret),
    /// Lets a client's secret end at a time. Guard: it exists and does not end before.
    ExpireClientSecret {
        /// The realm's name.
        realm: String,
        /// Which.
        secret: KeyId,
        /// When it ends.
        at: Timestamp,
    },
}

/// Kinds of ids that are good once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Spent {
    /// An authorization code.
    Code,
    /// A client assertion's `jti`.
    ClientAssertion,
    /// A login or consent form.
    Transaction,
    /// The `jti` of a JWT that was presented as a grant.
    GrantAssertion,
    /// The `jti` of a DPoP proof whose nonce every node takes.
    DpopProof,
    /// A pushed authorization request.
    PushedRequest,
}

impl Spent {
    /// The number stored; never reused.
    pub const fn number(self) -> i16 {
        match self {
            Self::Code => 1,
            Self::ClientAssertion => 2,
            Self::Transaction => 3,
            Self::GrantAssertion => 10,
            Self::DpopProof => 20,
            Self::PushedRequest => 40,
        }
    }
}
