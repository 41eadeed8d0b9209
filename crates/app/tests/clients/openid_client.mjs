// openid-client as its users write it: discovery, code with PKCE, refresh, introspection, revocation.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { logIn } from "./forms.mjs";

const { ISSUER, CLIENTS, CALLBACK, PERSON, PASSWORD, PROGRAM, PROGRAM_SECRET } = process.env;
const client = await import(pathToFileURL(createRequire(`${CLIENTS}/`).resolve("openid-client")).href);

const web = await client.discovery(new URL(ISSUER), "web", undefined, client.None());
const program = await client.discovery(new URL(ISSUER), PROGRAM, undefined, client.ClientSecretBasic(PROGRAM_SECRET));

const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const expectedNonce = client.randomNonce();
const start = client.buildAuthorizationUrl(web, {
    redirect_uri: CALLBACK,
    scope: "openid profile offline_access orders:read",
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: expectedState,
    nonce: expectedNonce,
});
const back = await logIn(start, CALLBACK, PERSON, PASSWORD);
const tokens = await client.authorizationCodeGrant(web, back, { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true });
const subject = tokens.claims().sub;
const person = await client.fetchUserInfo(web, tokens.access_token, subject);
assert.equal(person.sub, subject);

const refreshed = await client.refreshTokenGrant(web, tokens.refresh_token);
assert.notEqual(refreshed.access_token, tokens.access_token);
assert.notEqual(refreshed.refresh_token, tokens.refresh_token);

const own = await client.clientCredentialsGrant(program);
assert.equal((await client.tokenIntrospection(program, refreshed.access_token)).active, true);
assert.equal((await client.tokenIntrospection(program, own.access_token)).active, true);

await client.tokenRevocation(web, refreshed.refresh_token);
const revoked = Date.now();
while ((await client.tokenIntrospection(program, refreshed.access_token)).active) assert.ok(Date.now() - revoked < 1000);
await assert.rejects(client.refreshTokenGrant(web, refreshed.refresh_token), { error: "invalid_grant" });

// The same with DPoP (RFC 9449): the first proofs have no nonce of the server's yet, and the library comes again with one.
const DPoP = client.getDPoPHandle(web, await client.randomDPoPKeyPair());
const boundVerifier = client.randomPKCECodeVerifier();
const boundStart = client.buildAuthorizationUrl(web, {
    redirect_uri: CALLBACK,
    scope: "openid offline_access orders:read",
    code_challenge: await client.calculatePKCECodeChallenge(boundVerifier),
    code_challenge_method: "S256",
    dpop_jkt: await DPoP.calculateThumbprint(),
});
const boundBack = await logIn(boundStart, CALLBACK, PERSON, PASSWORD);
const bound = await client.authorizationCodeGrant(web, boundBack, { pkceCodeVerifier: boundVerifier, idTokenExpected: true }, undefined, { DPoP });
assert.equal(bound.token_type, "dpop");
assert.equal((await client.fetchUserInfo(web, bound.access_token, bound.claims().sub, { DPoP })).sub, bound.claims().sub);
const again = await client.refreshTokenGrant(web, bound.refresh_token, undefined, { DPoP });
assert.equal(again.token_type, "dpop");
assert.equal(again.refresh_token, bound.refresh_token);
await assert.rejects(client.refreshTokenGrant(web, bound.refresh_token), { error: "invalid_grant" });
await assert.rejects(client.fetchUserInfo(web, bound.access_token, bound.claims().sub));
