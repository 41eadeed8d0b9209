// openid-client as its users write it, one cell at a time.

import { answer, dead, fetchWith, library, mutual, signingKey, visit } from "./cells.mjs";

const { ISSUER, CALLBACK, SECRET } = process.env;
const client = await library("openid-client");
const [right, wrong] = await Promise.all(["right", "wrong"].map(signingKey));

async function configured(cell, attempt) {
    const bad = attempt === "credential";
    const methods = {
        none: () => client.None(),
        client_secret_basic: () => client.ClientSecretBasic(bad ? SECRET.toLowerCase() : SECRET),
        private_key_jwt: () => client.PrivateKeyJwt({ key: bad ? wrong : right, kid: "right" }),
        tls_client_auth: () => client.TlsClientAuth(),
    };
    const name = bad && cell.authentication === "none" ? "nobody" : cell.client_id;
    const withheld = attempt === "unproved" && cell.binding === "mtls";
    const certificate = withheld ? undefined : bad && cell.authentication === "tls_client_auth" ? "wrong" : "right";
    const options = mutual(cell) ? { [client.customFetch]: fetchWith(certificate) } : undefined;
    return client.discovery(new URL(ISSUER), name, { use_mtls_endpoint_aliases: mutual(cell) }, methods[cell.authentication](), options);
}

async function authorize(config, scope) {
    const [pkceCodeVerifier, expectedState, expectedNonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
    const start = client.buildAuthorizationUrl(config, {
        redirect_uri: CALLBACK,
        scope,
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: "S256",
        state: expectedState,
        nonce: expectedNonce,
    });
    return [await visit(start), { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }];
}

const grants = {
    async authorization_code({ good, last, proof, lastProof }, { attempt }) {
        const [back, checks] = await authorize(good, "openid orders:read");
        const resource = attempt === "reach" ? { resource: "billing" } : {};
        if (attempt === "spent") await client.authorizationCodeGrant(good, back, checks, resource, proof);
        return client.authorizationCodeGrant(last, back, checks, resource, lastProof);
    },
    async refresh_token({ good, last, proof, lastProof }, { attempt }) {
        const [back, checks] = await authorize(good, "openid offline_access orders:read");
        const { refresh_token } = await client.authorizationCodeGrant(good, back, checks, undefined, proof);
        if (attempt === "spent") await client.tokenRevocation(good, refresh_token);
        return client.refreshTokenGrant(last, refresh_token, attempt === "reach" ? { scope: "openid orders:write" } : {}, lastProof);
    },
    async "urn:ietf:params:oauth:grant-type:device_code"({ good, last, proof, lastProof }, { attempt }) {
        const started = await client.initiateDeviceAuthorization(good, attempt === "reach" ? { resource: "billing" } : { scope: "orders:read" });
        await visit(started.verification_uri_complete);
        // The person has answered already.
        const device = { ...started, interval: 0 };
        if (attempt === "spent") await client.pollDeviceAuthorizationGrant(good, device, undefined, proof);
        return client.pollDeviceAuthorizationGrant(last, device, undefined, lastProof);
    },
    async "urn:openid:params:grant-type:ciba"({ good, last, proof, lastProof }, { attempt }) {
        const asked = { scope: "openid orders:read", login_hint: "alice", binding_message: "Counter 4" };
        const started = await client.initiateBackchannelAuthentication(
            attempt === "credential" ? last : good,
            attempt === "reach" ? { ...asked, resource: "billing" } : asked,
        );
        await visit(`${ISSUER}/account/requests`);
        const answered = { ...started, interval: 0 };
        if (attempt === "spent") await client.pollBackchannelAuthenticationGrant(good, answered, undefined, proof);
        return client.pollBackchannelAuthenticationGrant(last, answered, undefined, lastProof);
    },
    async client_credentials({ good, last, lastProof }, { attempt }) {
        const tokens = await client.clientCredentialsGrant(last, { scope: attempt === "reach" ? "orders:write" : "orders:read" }, lastProof);
        if (attempt === "spent") {
            await client.tokenRevocation(good, tokens.access_token);
            await dead(async () => (await client.tokenIntrospection(good, tokens.access_token)).active);
        }
        return tokens;
    },
    async "urn:ietf:params:oauth:grant-type:token-exchange"({ last, lastProof }, { attempt, grant, subject_token }) {
        const resource = attempt === "reach" ? "billing" : "orders";
        const subject_token_type = "urn:ietf:params:oauth:token-type:access_token";
        return client.genericGrantRequest(last, grant, { subject_token, subject_token_type, resource }, lastProof);
    },
    async "urn:ietf:params:oauth:grant-type:jwt-bearer"({ good, last, proof, lastProof }, { attempt, grant, assertion }) {
        const resource = attempt === "reach" ? "billing" : "orders";
        if (attempt === "spent") await client.genericGrantRequest(good, grant, { assertion, resource }, proof);
        return client.genericGrantRequest(last, grant, { assertion, resource }, lastProof);
    },
};

await answer(async (cell) => {
    const good = await configured(cell);
    const last = await configured(cell, cell.attempt);
    const keys = await client.randomDPoPKeyPair();
    const bound = (config) => (cell.binding === "dpop" ? { DPoP: client.getDPoPHandle(config, keys) } : undefined);
    const lastProof = cell.attempt === "unproved" ? undefined : bound(last);
    return grants[cell.grant]({ good, last, proof: bound(good), lastProof }, cell);
});
