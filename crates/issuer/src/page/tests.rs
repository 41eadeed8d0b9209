use durward_base::{Duration, Timestamp};

use super::*;

fn login(text: &str) -> Login<'_> {
    Login {
        frame: Frame { title: text.to_owned() },
        destination: text,
        action: "/realms/main/login".to_owned(),
        transaction: text,
        username: text,
        error: Some(text.to_owned()),
    }
}

/// AUTHZ-012
#[test]
fn whatever_is_shown_is_escaped() {
    let page = login("\"><script>alert(1)</script>'&").render().unwrap();
    assert!(!page.contains("<script"), "{page}");
    assert!(!page.contains("value=\"\">"), "{page}");
}

/// AUTHZ-011, AUTHZ-015
#[test]
fn every_page_says_how_it_may_be_used() {
    let response = html(StatusCode::OK, &login("x"), Some("https://app.example:8443/callback?a=b"));
    let header = |name: HeaderName| response.headers().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(
        header(CONTENT_SECURITY_POLICY),
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' https://app.example:8443; frame-ancestors 'none'; base-uri 'none'"
    );
    assert_eq!(header(X_FRAME_OPTIONS), "DENY");
    assert_eq!(header(REFERRER_POLICY), "no-referrer");
    assert_eq!(header(X_CONTENT_TYPE_OPTIONS), "nosniff");
    assert_eq!(header(CACHE_CONTROL), "no-store");
}

#[test]
fn moments_read_like_a_person_says_them() {
    let now = Timestamp::from_seconds(1_795_378_504);
    for (seconds, words) in [
        (0, "just now"),
        (61, "a minute ago"),
        (59 * 60, "59 minutes ago"),
        (3600, "an hour ago"),
        (23 * 3600 + 3599, "23 hours ago"),
        (86_400, "21 November 2026, 20:15 UTC"),
        (19 * 86_400, "3 November 2026, 20:15 UTC"),
    ] {
        assert_eq!(ago(now - Duration::from_secs(seconds), now), words);
    }
}

#[test]
fn browsers_are_named_by_their_most_particular_mark() {
    for (said, name) in [
        (Some("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"), "Firefox on Linux"),
        (
            Some("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36 Edg/142.0"),
            "Edge on Windows",
        ),
        (
            Some("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1"),
            "Safari on iPhone",
        ),
        (Some("curl/8.17.0"), "curl"),
        (Some("something"), "Unknown browser"),
        (None, "Unknown browser"),
    ] {
        assert_eq!(browser(said), name);
    }
}
