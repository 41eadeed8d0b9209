// oauth4webapi as its users write it, one cell at a time.

import { answer, dead, fetchWith, library, mutual, signingKey, visit } from "./cells.mjs";

const { ISSUER, CALLBACK, SECRET } = process.env;
const oauth = await library("oauth4webapi");
const [right, wrong] = await Promise.all(["right", "wrong"].map(signingKey));
const issuer = new URL(ISSUER);
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer));

/** Who asks, how it proves that, and the options of its requests. */
function requester(cell, keys, attempt) {
    const bad = attempt === "credential";
    const methods = {
        none: () => oauth.None(),
        client_secret_basic: () => oauth.ClientSecretBasic(bad ? SECRET.toLowerCase() : SECRET),
        private_key_jwt: () => oauth.PrivateKeyJwt({ key: bad ? wrong : right, kid: "right" }),
        tls_client_auth: () => oauth.TlsClientAuth(),
    };
    const client_id = bad && cell.authentication === "none" ? "nobody" : cell.client_id;
    const withheld = attempt === "unproved" && cell.binding === "mtls";
    const certificate = withheld ? undefined : bad && cell.authentication === "tls_client_auth" ? "wrong" : "right";
    const client = { client_id, use_mtls_endpoint_aliases: mutual(cell) };
    const options = mutual(cell) ? { [oauth.customFetch]: fetchWith(certificate) } : {};
    if (cell.binding === "dpop" && attempt !== "unproved") options.DPoP = oauth.DPoP(client, keys);
    return { client, authentication: methods[cell.authentication](), options };
}

/** A request, again when the server has a nonce for the proof (RFC 9449 section 8). */
async function retried(request) {
    try {
        return await request();
    } catch (error) {
        if (!oauth.isDPoPNonceError(error)) throw error;
        return request();
    }
}

async function authorize({ client }, scope) {
    const [verifier, state, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce()];
    const start = new URL(server.authorization_endpoint);
    start.search = new URLSearchParams({
        response_type: "code",
        client_id: client.client_id,
        redirect_uri: CALLBACK,
        scope,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
        state,
        nonce,
    });
    return { callback: oauth.validateAuthResponse(server, client, await visit(start), state), verifier, nonce };
}

const redeem = ({ client, authentication, options }, { callback, verifier, nonce }, additionalParameters) =>
    retried(async () => {
        const asked = { ...options, additionalParameters };
        const response = await oauth.authorizationCodeGrantRequest(server, client, authentication, callback, CALLBACK, verifier, asked);
        return oauth.processAuthorizationCodeResponse(server, client, response, { expectedNonce: nonce, requireIdToken: true });
    });

const generic = ({ client, authentication, options }, grant, parameters) =>
    retried(async () => {
        const response = await oauth.genericTokenEndpointRequest(server, client, authentication, grant, parameters, options);
        return oauth.processGenericTokenEndpointResponse(server, client, response);
    });

const poll = ({ client, authentication, options }, device_code) =>
    retried(async () => {
        const response = await oauth.deviceCodeGrantRequest(server, client, authentication, device_code, options);
        return oauth.processDeviceCodeResponse(server, client, response);
    });

const revoke = async ({ client, authentication, options }, token) =>
    oauth.processRevocationResponse(await oauth.revocationRequest(server, client, authentication, token, plain(options)));

/** Options of requests that have no proof. */
const plain = ({ DPoP, ...options }) => options;

const grants = {
    async authorization_code(good, last, { attempt }) {
        const code = await authorize(good, "openid orders:read");
        if (attempt === "spent") await redeem(good, code);
        return redeem(last, code, attempt === "reach" ? { resource: "billing" } : {});
    },
    async refresh_token(good, last, { attempt }) {
        const { refresh_token } = await redeem(good, await authorize(good, "openid offline_access orders:read"));
        if (attempt === "spent") await revoke(good, refresh_token);
        const additionalParameters = attempt === "reach" ? { scope: "openid orders:write" } : {};
        return retried(async () => {
            const asked = { ...last.options, additionalParameters };
            const response = await oauth.refreshTokenGrantRequest(server, last.client, last.authentication, refresh_token, asked);
            return oauth.processRefreshTokenResponse(server, last.client, response);
        });
    },
    async "urn:ietf:params:oauth:grant-type:device_code"(good, last, { attempt }) {
        const { client, authentication, options } = good;
        const asked = attempt === "reach" ? { resource: "billing" } : { scope: "orders:read" };
        const response = await oauth.deviceAuthorizationRequest(server, client, authentication, asked, plain(options));
        const { device_code, verification_uri_complete } = await oauth.processDeviceAuthorizationResponse(server, client, response);
        await visit(verification_uri_complete);
        if (attempt === "spent") await poll(good, device_code);
        return poll(last, device_code);
    },
    async client_credentials(good, last, { attempt }) {
        const tokens = await retried(async () => {
            const asked = { scope: attempt === "reach" ? "orders:write" : "orders:read" };
            const response = await oauth.clientCredentialsGrantRequest(server, last.client, last.authentication, asked, last.options);
            return oauth.processClientCredentialsResponse(server, last.client, response);
        });
        if (attempt !== "spent") return tokens;
        await revoke(good, tokens.access_token);
        const { client, authentication, options } = good;
        return dead(async () => {
            const response = await oauth.introspectionRequest(server, client, authentication, tokens.access_token, plain(options));
            return (await oauth.processIntrospectionResponse(server, client, response)).active;
        });
    },
    async "urn:ietf:params:oauth:grant-type:token-exchange"(good, last, { attempt, grant, subject_token }) {
        const subject_token_type = "urn:ietf:params:oauth:token-type:access_token";
        return generic(last, grant, { subject_token, subject_token_type, resource: attempt === "reach" ? "billing" : "orders" });
    },
    async "urn:ietf:params:oauth:grant-type:jwt-bearer"(good, last, { attempt, grant, assertion }) {
        const parameters = { assertion, resource: attempt === "reach" ? "billing" : "orders" };
        if (attempt === "spent") await generic(good, grant, parameters);
        return generic(last, grant, parameters);
    },
};

await answer(async (cell) => {
    const keys = await oauth.generateKeyPair("ES256");
    return grants[cell.grant](requester(cell, keys), requester(cell, keys, cell.attempt), cell);
});
