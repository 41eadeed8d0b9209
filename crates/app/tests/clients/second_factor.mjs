// A person in Chromium sets up a second factor, on a phone and a desktop, in light and dark, and logs in with it; the app is this script.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { ISSUER, CLIENTS, PERSON, PASSWORD, SCREENSHOTS, CHROMIUM = "/usr/bin/chromium" } = process.env;
const { default: playwright } = await import(pathToFileURL(createRequire(`${CLIENTS}/`).resolve("playwright-core")).href);

function code(secret, step) {
    let bits = "";
    for (const letter of secret.replaceAll(" ", "")) bits += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0");
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(step));
    const mac = createHmac("sha1", Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))).update(counter).digest();
    return String((mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

const step = () => Math.floor(Date.now() / 30_000);
const browser = await playwright.chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"] });
const alarms = [];

async function opened(options = {}) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, reducedMotion: "reduce", ...options });
    const page = await context.newPage();
    page.on("console", (message) => message.type() === "error" && !message.text().includes("status of 4") && alarms.push(message.text()));
    page.on("pageerror", (error) => alarms.push(String(error)));
    return page;
}

async function logIn(page, place) {
    await page.goto(`${ISSUER}/account${place}`);
    await page.fill("#username", PERSON);
    await page.fill("#password", PASSWORD);
    await page.click("#login-submit");
}

/** Each page fits into a phone and a desktop, in light and dark. */
async function seen(page, name) {
    for (const [device, width, height] of [["phone", 375, 760], ["desktop", 1200, 860]]) {
        for (const colorScheme of ["light", "dark"]) {
            await page.setViewportSize({ width, height });
            await page.emulateMedia({ colorScheme });
            const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
            assert.equal(overflow, 0, `${name} is too wide for a ${device}`);
            if (SCREENSHOTS) await page.screenshot({ path: `${SCREENSHOTS}/${name}-${device}-${colorScheme}.png`, fullPage: true });
        }
    }
}

try {
    const page = await opened();
    await logIn(page, "/totp");
    const secret = await page.locator("#totp-secret").textContent();
    assert.ok(await page.locator("svg.qr").isVisible());
    await seen(page, "enrol");
    const began = step();
    await page.fill("#totp", code(secret, began - 1));
    await page.click("#totp-submit");
    const codes = await page.locator("#recovery-codes code").allTextContents();
    assert.equal(codes.length, 10);
    await seen(page, "recovery-codes");
    await page.click("#totp-continue");
    await page.waitForSelector("#totp-on");
    for (const [name, place] of [["profile", ""], ["totp", "/totp"], ["sessions", "/sessions"], ["consents", "/consents"], ["tokens", "/tokens"]]) {
        await page.goto(`${ISSUER}/account${place}`);
        await page.waitForSelector("nav a[aria-current=page]");
        await seen(page, name);
    }

    const again = await opened();
    await logIn(again, "");
    await again.waitForSelector("#totp");
    await seen(again, "login-totp");
    await again.fill("#totp", code(secret, began - 1));
    await again.click("#totp-submit");
    await again.waitForSelector("#totp-error");
    await again.fill("#totp", code(secret, began));
    await again.click("#totp-submit");
    await again.waitForSelector("#profile-username");

    const lost = await opened();
    await logIn(lost, "");
    await lost.click("#use-recovery");
    await seen(lost, "login-recovery");
    await lost.fill("#recovery-code", codes[0]);
    await lost.click("#totp-submit");
    await lost.waitForSelector("#profile-username");
    await lost.goto(`${ISSUER}/account/totp`);
    await lost.click("#totp-remove");
    await lost.waitForSelector("#username");
    await logIn(lost, "/totp");
    await lost.waitForSelector("svg.qr");
    assert.deepEqual(alarms, []);
} finally {
    await browser.close();
}
