// Another OpenID provider (npm oidc-provider), and a person in Chromium who logs in there to use the gateway, and out again at both.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { GATEWAY, PORT, CERTIFICATE, KEY, SECRET, CLIENTS, CHROMIUM = "/usr/bin/chromium" } = process.env;
const ISSUER = `https://localhost:${PORT}`;
const load = async (name) => (await import(pathToFileURL(createRequire(`${CLIENTS}/`).resolve(name)).href)).default;
const [Provider, playwright] = [await load("oidc-provider"), await load("playwright-core")];
const { privateKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
const { kty, crv, x, y, d } = await crypto.subtle.exportKey("jwk", privateKey);
const provider = new Provider(ISSUER, {
    clients: [
        {
            client_id: "shop-gateway",
            client_secret: SECRET,
            redirect_uris: [`${GATEWAY}/.durward/callback/main`],
            post_logout_redirect_uris: [`${GATEWAY}/`],
            grant_types: ["authorization_code", "refresh_token"],
            id_token_signed_response_alg: "ES256",
            backchannel_logout_uri: `${GATEWAY}/.durward/backchannel-logout`,
            backchannel_logout_session_required: true,
        },
    ],
    jwks: { keys: [{ kty, crv, x, y, d, kid: "own", use: "sig", alg: "ES256" }] },
    claims: { openid: ["sub", "groups"] },
    conformIdTokenClaims: false,
    cookies: { keys: [SECRET] },
    enabledJWA: { idTokenSigningAlgValues: ["ES256"] },
    features: { backchannelLogout: { enabled: true }, revocation: { enabled: true }, rpInitiatedLogout: { enabled: true }, devInteractions: { enabled: true } },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, groups: ["buyers"] }) }),
    issueRefreshToken: () => true,
    // The gateway is on this machine, which it would not call by itself.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
});
const failed = [];
for (const name of ["server_error", "grant.error", "backchannel.error", "authorization.error"]) {
    provider.on(name, (_, error) => failed.push(`${name}: ${error?.error_description ?? error}`));
}
const told = new Promise((sent, refused) => {
    provider.once("backchannel.success", sent);
    provider.once("backchannel.error", (_, error) => refused(error));
});
const server = createServer({ cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) }, provider.callback()).listen(PORT, "127.0.0.1");
await new Promise((listening) => server.once("listening", listening));

const browser = await playwright.chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"] });
try {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    const session = () => page.evaluate(() => fetch("/.durward/session").then((answer) => answer.json()));
    const logIn = async () => {
        await page.goto(`${GATEWAY}/app/orders?page=2`);
        assert.ok(page.url().startsWith(ISSUER), page.url());
        await page.fill("input[name=login]", "dora");
        await page.fill("input[name=password]", "whatever");
        // The first time it asks for consent, too.
        do {
            await Promise.all([page.waitForNavigation(), page.click("[type=submit]")]);
        } while (page.url().startsWith(ISSUER));
        assert.equal(page.url(), `${GATEWAY}/app/orders?page=2`);
    };

    await logIn();
    assert.equal(await page.title(), "The shop");
    assert.ok(!(await page.textContent("#cookies")).includes("__Host-dw"), "cookies of the provider are of the same host here, and ours are not passed on");
    assert.equal(await page.evaluate(() => document.cookie), "");
    const who = await session();
    assert.deepEqual([who.authenticated, who.sub, who.roles], [true, "partner|dora", ["customer"]]);

    // Out there: the provider tells the gateway.
    await page.goto(`${ISSUER}/session/end`);
    await page.click("[name=logout]");
    await told;
    await page.goto(`${GATEWAY}/.durward/session`);
    assert.equal((await session()).authenticated, false);

    // In again; out here: the gateway sends the person to sign out there, and they come back.
    await logIn();
    const kept = (await context.cookies(GATEWAY)).find((cookie) => cookie.name === "__Host-dw-app-main");
    await page.evaluate(() => {
        const form = document.createElement("form");
        [form.method, form.action] = ["post", "/.durward/logout"];
        document.body.append(form);
        form.submit();
    });
    await page.waitForURL(`${ISSUER}/session/end?**`);
    await page.click("[name=logout]");
    await page.waitForURL(`${GATEWAY}/`);
    await context.addCookies([kept]);
    await page.goto(`${GATEWAY}/.durward/session`);
    assert.equal((await session()).authenticated, false, "the cookie of before, planted again");
    assert.deepEqual(failed, []);
} catch (error) {
    console.error(failed);
    throw error;
} finally {
    await browser.close();
    server.close();
}
