// A person in Chromium: the login page in light and dark, a wrong password, markup typed as a name (AUTHZ-012), the way back with a code.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { createHash } from "node:crypto";

const { ISSUER, CLIENTS, PERSON, PASSWORD, CHROMIUM = "/usr/bin/chromium" } = process.env;
const { default: playwright } = await import(pathToFileURL(createRequire(`${CLIENTS}/`).resolve("playwright-core")).href);

// The application: its redirect URI is on the loopback, where any port will do (RFC 8252 section 7.3).
const application = createServer((request, response) => response.end("<title>The application</title>")).listen(0, "127.0.0.1");
await new Promise((listening) => application.once("listening", listening));
const callback = `http://127.0.0.1:${application.address().port}/callback`;

const challenge = createHash("sha256").update("v".repeat(43)).digest("base64url");
const start = `${ISSUER}/oauth2/authorize?` + new URLSearchParams({
    response_type: "code", client_id: "web", redirect_uri: callback, scope: "openid", state: "s",
    code_challenge: challenge, code_challenge_method: "S256",
});

const browser = await playwright.chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"] });
try {
    const backgrounds = [];
    for (const colorScheme of ["light", "dark"]) {
        const context = await browser.newContext({ colorScheme, ignoreHTTPSErrors: true });
        const page = await context.newPage();
        const alarms = [];
        page.on("dialog", (dialog) => { alarms.push(dialog.message()); dialog.dismiss(); });
        page.on("console", (message) => message.type() === "error" && !message.text().includes("status of 4") && alarms.push(message.text()));
        page.on("pageerror", (error) => alarms.push(String(error)));

        await page.goto(start);
        assert.match(await page.title(), /Sign in/);
        backgrounds.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));

        const markup = `"><script>alert(1)</script><img src=x onerror=alert(2)>`;
        await page.fill("#username", markup);
        await page.fill("#password", "wrong");
        await page.click("#login-submit");
        await page.waitForSelector("#login-error");
        assert.equal(await page.inputValue("#username"), markup);
        assert.equal(await page.locator("script, img[src=x]").count(), 0);

        await page.fill("#username", PERSON);
        await page.fill("#password", PASSWORD);
        await page.click("#login-submit");
        await page.waitForURL(`${callback}?**`);
        const back = new URL(page.url()).searchParams;
        assert.equal(back.get("state"), "s");
        assert.equal(back.get("iss"), ISSUER);
        assert.ok(back.get("code"));
        assert.deepEqual(alarms, []);
        await context.close();
    }
    assert.notEqual(backgrounds[0], backgrounds[1]);
} finally {
    await browser.close();
    application.close();
}
