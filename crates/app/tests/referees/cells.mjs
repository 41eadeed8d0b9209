// What every script of a JavaScript library has: cells come in as JSON, a line each; what came of them goes out the same way.

import { createInterface } from "node:readline";
import { createPrivateKey, webcrypto } from "node:crypto";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { CLIENTS, DIRECTORY, NODE_EXTRA_CA_CERTS } = process.env;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** A library that is installed. */
export const library = (name) => import(pathToFileURL(createRequire(`${CLIENTS}/`).resolve(name)).href);

const undici = await library("undici");
const read = (name) => readFileSync(`${DIRECTORY}/${name}`, "utf8");
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const hear = async () => JSON.parse((await lines.next()).value ?? "null");

/** Has the person's browser go to an address; where it ends. */
export async function visit(url) {
    say({ visit: String(url) });
    return new URL((await hear()).back);
}

/** Tries each cell that comes in. `attempt` gives the tokens, or throws what the library throws. */
export async function answer(attempt) {
    for (let cell = await hear(); cell; cell = await hear()) {
        try {
            const { access_token, token_type } = await attempt(cell);
            say({ access_token, token_type });
        } catch (error) {
            // Of an answer with a challenge the libraries leave the body to whoever caught it.
            const code = error.error ?? (await error.response?.json())?.error;
            say(code ? { error: code } : { broken: `${error.stack}\n${error.cause?.stack ?? ""}` });
        }
    }
}

/** A private key that the client signs its assertions with. */
export async function signingKey(name) {
    const der = createPrivateKey(read(`${name}.key`)).export({ type: "pkcs8", format: "der" });
    return webcrypto.subtle.importKey("pkcs8", der, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
}

/** Whether a cell is of a client that goes where certificates are asked for. */
export const mutual = (cell) => cell.authentication === "tls_client_auth" || cell.binding === "mtls";

/** `fetch` with the certificate of that name, or with none. */
export function fetchWith(certificate) {
    const ca = readFileSync(NODE_EXTRA_CA_CERTS);
    const connect = certificate ? { ca, key: read(`${certificate}.key`), cert: read(`${certificate}.pem`) } : { ca };
    const dispatcher = new undici.Agent({ connect });
    return (url, options) => undici.fetch(url, { ...options, dispatcher });
}

/** What was revoked is nothing to its client: introspection says so within a second. */
export async function dead(isActive) {
    const revoked = Date.now();
    while (await isActive()) if (Date.now() - revoked > 1000) throw new Error("still active a second after its revocation");
    throw Object.assign(new Error("revoked"), { error: "inactive" });
}
