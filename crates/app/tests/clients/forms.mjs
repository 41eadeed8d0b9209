// The login page walked without a browser: cookies, redirects, one form.

export async function logIn(start, callback, username, password) {
    const cookies = new Map();
    let url = new URL(start);
    let request = {};
    for (let step = 0; step < 12; step += 1) {
        const headers = { ...request.headers, cookie: [...cookies].map((pair) => pair.join("=")).join("; ") };
        const answer = await fetch(url, { ...request, headers, redirect: "manual" });
        for (const cookie of answer.headers.getSetCookie()) {
            const [name, value] = cookie.split(";")[0].split(/=(.*)/s);
            cookies.set(name, value);
        }
        const location = answer.headers.get("location");
        request = {};
        if (location) {
            url = new URL(location, url);
            if (url.href.startsWith(callback)) return url;
            continue;
        }
        const page = await answer.text();
        const transaction = page.match(/name="transaction" value="([^"]*)"/);
        if (!transaction) throw new Error(`${url} shows no form (status ${answer.status}): ${page}`);
        url = new URL(page.match(/<form[^>]*action="([^"]*)"/)[1].replaceAll("&#38;", "&"), url);
        request = {
            method: "POST",
            headers: { origin: url.origin, "sec-fetch-site": "same-origin" },
            body: new URLSearchParams({ transaction: transaction[1], username, password }),
        };
    }
    throw new Error("the login did not end");
}
