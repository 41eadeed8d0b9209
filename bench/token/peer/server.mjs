// npm's oidc-provider with its storage in memory, over TLS: client_credentials, ES256 JWT access tokens. PORT names where it listens, TLS the
// directory of its certificate.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { PORT, PEER, SECRET, TLS } = process.env;
const { default: Provider } = await import(pathToFileURL(createRequire(`${PEER}/`).resolve("oidc-provider")).href);
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const resource = "https://api.example";

const provider = new Provider(`https://127.0.0.1:${PORT}`, {
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: "bench", alg: "ES256", use: "sig" }] },
    clients: [{
        client_id: "bench",
        client_secret: SECRET,
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: "client_secret_basic",
        id_token_signed_response_alg: "ES256",
    }],
    scopes: ["api:read"],
    features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
            enabled: true,
            defaultResource: () => resource,
            useGrantedResource: () => true,
            getResourceServerInfo: () => ({
                scope: "api:read",
                audience: resource,
                accessTokenTTL: 300,
                accessTokenFormat: "jwt",
                jwt: { sign: { alg: "ES256" } },
            }),
        },
    },
    ttl: { ClientCredentials: 300 },
});
const certificate = { key: readFileSync(`${TLS}/peer.key`), cert: readFileSync(`${TLS}/peer.crt`) };
createServer(certificate, provider.callback()).listen(Number(PORT), "127.0.0.1");
