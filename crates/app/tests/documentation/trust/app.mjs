// Node's own client, which trusts what NODE_EXTRA_CA_CERTS adds.
const answer = await fetch(`${process.env.AUTHORITY}/realms/main/.well-known/openid-configuration`);
console.log((await answer.json()).issuer);
