//! Key sets that others publish (RFC 7517 section 5): fetched by the guarded way out, kept, fetched again when a key is missing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use durward_base::{Clock, Duration, Timestamp};
use durward_jose::JwkSet;
use durward_model::EgressUrl;
use durward_net::Egress;

/// Age at which a set is fetched again, while the old one goes on serving.
const FRESH: Duration = Duration::from_secs(300);
/// Age from which a set serves no more, however its owner is doing.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// Least time between two fetches from one place: what anybody can make us do by naming unknown keys.
const AGAIN: Duration = Duration::from_secs(60);
/// The most places remembered.
const PLACES: usize = 1_000;
/// The largest set, in bytes.
const LARGEST: usize = 64 * 1024;

/// Key sets by the place they are published at. A handle: clones share one.
#[derive(Clone)]
pub struct KeySets(Arc<Inner>);

struct Inner {
    egress: Egress,
    clock: Clock,
    places: Mutex<HashMap<EgressUrl, Arc<Place>>>,
}

#[derive(Default)]
struct Place {
    kept: ArcSwapOption<Kept>,
    /// Held while fetching: one at a time. When it was last tried.
    tried: tokio::sync::Mutex<Option<Timestamp>>,
}

struct Kept {
    set: Arc<JwkSet>,
    fetched: Timestamp,
}

impl KeySets {
    /// No set yet.
    pub fn new(egress: Egress, clock: Clock) -> Self {
        Self(Arc::new(Inner { egress, clock, places: Mutex::default() }))
    }

    /// What is kept of a place, without waiting; none when nothing is, or it is a day old.
    pub fn kept(&self, url: &EgressUrl) -> Option<Arc<JwkSet>> {
        let place = self.0.places.lock().unwrap_or_else(PoisonError::into_inner).get(url).cloned()?;
        place.usable(self.0.clock.now())
    }

    /// The set at a place. It is fetched when there is none or, once a minute at most, when it lacks the key of this `kid`; a set that is
    /// merely old is fetched beside the request. None when it cannot be had.
    pub async fn load(&self, url: &EgressUrl, kid: Option<&str>) -> Option<Arc<JwkSet>> {
        let (now, place) = (self.0.clock.now(), self.place(url));
        let has = |set: &Arc<JwkSet>| kid.is_none_or(|kid| set.keys.iter().any(|key| key.kid() == Some(kid)));
        if let Some(set) = place.usable(now).filter(has) {
            if place.is_old(now) {
                let (this, url) = (self.clone(), url.clone());
                tokio::spawn(async move { this.fetch(&url, &place, |_| false).await });
            }
            return Some(set);
        }
        // Boxed: most requests fetch nothing, and need no room for it.
        Box::pin(self.fetch(url, &place, |set| has(&set))).await;
        place.usable(now)
    }

    /// Fetches, unless that was done lately, or somebody did it meanwhile and it is enough.
    async fn fetch(&self, url: &EgressUrl, place: &Place, enough: impl Fn(Arc<JwkSet>) -> bool) {
        let before = place.fetched();
        let mut tried = place.tried.lock().await;
        let now = self.0.clock.now();
        if place.fetched() != before && place.usable(now).is_some_and(enough) || tried.is_some_and(|tried| now < tried + AGAIN) {
            return;
        }
        *tried = Some(now);
        let answer = self.0.egress.get(url, "application/jwk-set+json, application/json", LARGEST).await;
        let set =
            answer.map_err(|error| error.to_string()).and_then(|answer| JwkSet::parse(answer.body()).map_err(|error| error.to_string()));
        match set {
            Ok(set) => place.kept.store(Some(Arc::new(Kept { set: Arc::new(set), fetched: now }))),
            Err(error) => tracing::warn!(host = url.host(), error, "a key set cannot be fetched"),
        }
    }

    fn place(&self, url: &EgressUrl) -> Arc<Place> {
        let mut places = self.0.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get(url) {
            return Arc::clone(place);
        }
        if places.len() >= PLACES {
            let oldest = places.iter().min_by_key(|(_, place)| place.fetched()).map(|(url, _)| url.clone());
            oldest.and_then(|url| places.remove(&url));
        }
        Arc::clone(places.entry(url.clone()).or_default())
    }
}

impl Place {
    fn fetched(&self) -> Option<Timestamp> {
        self.kept.load().as_ref().map(|kept| kept.fetched)
    }

    fn usable(&self, now: Timestamp) -> Option<Arc<JwkSet>> {
        self.kept.load().as_ref().filter(|kept| now < kept.fetched + STALE).map(|kept| Arc::clone(&kept.set))
    }

    fn is_old(&self, now: Timestamp) -> bool {
        self.fetched().is_some_and(|fetched| now >= fetched + FRESH)
    }
}

impl std::fmt::Debug for KeySets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let places = self.0.places.lock().unwrap_or_else(PoisonError::into_inner).len();
        write!(f, "KeySets({places})")
    }
}

#[cfg(test)]
mod tests {
    use durward_model::EgressRules;
    use durward_testkit::FakeClock;
    use durward_testsite::Site;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn set_of(kid: &str) -> http::Response<String> {
        let key = format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}"#);
        http::Response::new(format!(r#"{{"keys":[{key}]}}"#))
    }

    async fn world() -> (Site, FakeClock, KeySets, EgressUrl) {
        let (site, clock) = (Site::open().await, FakeClock::at(NOW));
        let egress = Egress::new(EgressRules { loopback: true }, site.roots().as_bytes().to_vec());
        let (sets, url) = (KeySets::new(egress, clock.clock()), EgressUrl::parse(&site.url("/jwks")).unwrap());
        (site, clock, sets, url)
    }

    #[tokio::test]
    async fn a_set_is_fetched_once_and_kept() {
        let (site, _, sets, url) = world().await;
        site.answers("/jwks", set_of("a"));
        assert!(sets.kept(&url).is_none());
        let (first, second) = tokio::join!(sets.load(&url, Some("a")), sets.load(&url, None));
        assert!(first.is_some() && second.is_some());
        assert!(sets.kept(&url).is_some());
        assert_eq!(site.seen().len(), 1);
    }

    #[tokio::test]
    async fn an_unknown_key_fetches_again_but_once_a_minute_whoever_asks() {
        let (site, clock, sets, url) = world().await;
        site.answers("/jwks", set_of("a"));
        sets.load(&url, Some("a")).await;
        site.answers("/jwks", set_of("b"));
        for _ in 0..5 {
            let set = sets.load(&url, Some("b")).await.unwrap();
            assert_eq!(set.keys[0].kid(), Some("a"), "fetched too soon");
        }
        clock.advance(AGAIN);
        assert_eq!(sets.load(&url, Some("b")).await.unwrap().keys[0].kid(), Some("b"));
        sets.load(&url, Some("c")).await;
        assert_eq!(site.seen().len(), 2);
    }

    /// JOSE-011
    #[tokio::test]
    async fn a_set_with_one_bad_key_is_refused_whole_and_the_last_good_one_kept() {
        let (site, clock, sets, url) = world().await;
        site.answers("/jwks", set_of("a"));
        sets.load(&url, Some("a")).await;
        let good = r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
        for bad in [
            format!(r#"{{{good},"kid":"b"}},{{{good},"kid":"b"}}"#),
            format!(r#"{{{good},"kid":"b","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}}"#),
            format!(r#"{{{good},"kid":"b"}},{{"kty":"oct","k":"AAAA"}}"#),
        ] {
            site.answers("/jwks", http::Response::new(format!(r#"{{"keys":[{bad}]}}"#)));
            clock.advance(AGAIN);
            let kept = sets.load(&url, Some("b")).await.unwrap();
            assert_eq!(kept.keys.iter().map(|key| key.kid()).collect::<Vec<_>>(), [Some("a")], "{bad}");
        }
        assert_eq!(site.seen().len(), 4);
    }

    #[tokio::test]
    async fn an_old_set_serves_for_a_day_while_its_owner_is_away() {
        let (site, clock, sets, url) = world().await;
        site.answers("/jwks", set_of("a"));
        sets.load(&url, Some("a")).await;
        site.answers("/jwks", http::Response::new("not a key set".to_owned()));
        clock.advance(FRESH);
        assert!(sets.load(&url, Some("a")).await.is_some());
        site.asked(2).await;
        clock.advance(STALE);
        assert!(sets.load(&url, Some("a")).await.is_none());
    }
}
