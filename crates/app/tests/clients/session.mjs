// A person in Chromium at the gateway: sent to log in and back, a script of the page, another site's form, and out again.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { GATEWAY, ISSUER, CLIENTS, PERSON, PASSWORD, ROLES, CHROMIUM = "/usr/bin/chromium" } = process.env;
const { default: playwright } = await import(pathToFileURL(createRequire(`${CLIENTS}/`).resolve("playwright-core")).href);

// Another site: whoever loads it sends the gateway a form.
const evil = createServer((request, response) => {
    response.setHeader("content-type", "text/html");
    response.end(`<form id=f method=post action="${GATEWAY}/app"><input name=a value=b></form><script>f.submit()</script>`);
}).listen(0, "127.0.0.1");
await new Promise((listening) => evil.once("listening", listening));

const browser = await playwright.chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"] });
try {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();

    // A script is told; a person is sent.
    await page.goto(`${GATEWAY}/.durward/session`);
    assert.equal(await page.evaluate(() => fetch("/app").then((answer) => answer.status)), 401);
    await page.goto(`${GATEWAY}/app/orders?page=2`);
    assert.ok(page.url().startsWith(ISSUER), page.url());
    await page.fill("#username", PERSON);
    await page.fill("#password", PASSWORD);
    await page.click("#login-submit");
    await page.waitForURL(`${GATEWAY}/app/orders?page=2`);
    assert.equal(await page.title(), "The shop");
    assert.equal(await page.textContent("#cookies"), "none");

    // Nothing of the session is within a script's reach, but that it works.
    assert.equal(await page.evaluate(() => document.cookie), "");
    const told = await page.evaluate(() => fetch("/.durward/session").then((answer) => answer.json()));
    assert.equal(told.authenticated, true);
    assert.deepEqual(told.roles, JSON.parse(ROLES));
    assert.equal(await page.evaluate(() => fetch("/app", { method: "POST" }).then((answer) => answer.status)), 200);
    const kept = (await context.cookies(GATEWAY)).find((cookie) => cookie.name === "__Host-dw-app-main");
    assert.ok(kept.httpOnly && kept.secure && kept.sameSite === "Lax" && kept.path === "/");

    // Another site's form comes without the session.
    const other = await context.newPage();
    const refused = other.waitForResponse((answer) => answer.url() === `${GATEWAY}/app`);
    await other.goto(`http://127.0.0.1:${evil.address().port}/`);
    assert.equal((await refused).status(), 401);

    // A second tab is in already; the first signs both out.
    await other.goto(`${GATEWAY}/app`);
    assert.equal(await other.title(), "The shop");
    await page.evaluate(() => {
        const form = document.createElement("form");
        [form.method, form.action] = ["post", "/.durward/logout"];
        document.body.append(form);
        form.submit();
    });
    await page.waitForURL(`${GATEWAY}/`);
    await other.goto(`${GATEWAY}/app`);
    assert.ok(other.url().startsWith(ISSUER), other.url());
    assert.equal(await other.locator("#password").count(), 1);

    // The cookie of before, planted again, is dead.
    await context.addCookies([kept]);
    await other.goto(`${GATEWAY}/.durward/session`);
    assert.equal(JSON.parse(await other.textContent("body")).authenticated, false);
} finally {
    await browser.close();
    evil.close();
}
