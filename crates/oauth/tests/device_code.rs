//! RFC 8628 sections 3.4, 3.5 and 6.1.

use durward_base::{DeviceId, Duration, FamilyId};
use durward_model::{Answerer, DeviceAuthorization, DeviceState, GrantType, Write};
use durward_oauth::device::UserCode;
use durward_oauth::grant::device_code::{self, Facts};
use durward_oauth::{Decision, Registry as _};

use crate::fixture::{NOW, World, claims, denied, form, granted, jti};

fn world() -> World {
    let mut world = World::new();
    for client in ["web", "portal"] {
        world.change_client(client, |client| client.grants.push(GrantType::DeviceCode));
    }
    world
}

fn device(world: &World, client: &str, state: DeviceState) -> DeviceAuthorization {
    DeviceAuthorization {
        id: DeviceId::from_bytes([3; 16]),
        realm: "main".into(),
        answerer: Answerer::UserCode("WDJBMJHT".into()),
        client: world.client(client).unwrap().id,
        client_name: client.into(),
        scopes: vec!["openid".into(), "orders:read".into()],
        audience: "payments".into(),
        address: None,
        state,
        family: Some(FamilyId::from_bytes([0xfa; 16])),
        created: NOW,
        expires: NOW + Duration::from_secs(600),
    }
}

/// DEV-004
#[test]
fn what_a_device_gets_is_told_by_where_its_request_stands() {
    let world = world();
    let rows = world.rows("web");
    let late = NOW + Duration::from_secs(600);
    for (state, too_soon, now, code) in [
        (DeviceState::Pending, false, NOW, "authorization_pending"),
        (DeviceState::Pending, true, NOW, "slow_down"),
        (DeviceState::Pending, false, late, "expired_token"),
        (DeviceState::Approved, false, late, "expired_token"),
        (DeviceState::Denied, false, NOW, "access_denied"),
        (DeviceState::Denied, false, late, "access_denied"),
    ] {
        let device = device(&world, "web", state);
        let facts = Facts { grant: GrantType::DeviceCode, device: Some(&device), lineage: Some(rows.lineage()), too_soon, restored: None };
        let decision = device_code::decide(&world, &form(&[]), &world.authenticated("web"), facts, jti(now), now);
        assert_eq!(denied(decision).code.name(), code, "{state:?} {too_soon}");
    }
}

/// DEV-004, DEV-003
#[test]
fn an_approved_code_is_redeemed_by_its_client_in_the_same_commit() {
    let world = world();
    let mut rows = world.rows("web");
    let approved = device(&world, "web", DeviceState::Approved);
    let decide = |client: &str, rows: &crate::fixture::Rows, device: Option<&DeviceAuthorization>, restored| {
        let facts = Facts { grant: GrantType::DeviceCode, device, lineage: Some(rows.lineage()), too_soon: false, restored };
        device_code::decide(&world, &form(&[]), &world.authenticated(client), facts, jti(NOW), NOW)
    };
    let decision = decide("web", &rows, Some(&approved), None);
    let Decision::Issue { writes, .. } = &decision else { panic!("{decision:?}") };
    assert!(matches!(&writes[..], [Write::MoveDevice { from: DeviceState::Approved, to: DeviceState::Redeemed, .. }]), "{writes:?}");
    let minted = world.mint(&granted(decision));
    assert_eq!(claims(&minted.access_token)["scope"], minted.scope);

    assert_eq!(denied(decide("portal", &rows, Some(&approved), None)).reason, "device.client_mismatch");
    assert_eq!(denied(decide("web", &rows, None, None)).reason, "device.unknown");
    assert_eq!(denied(decide("web", &rows, Some(&approved), Some(NOW))).reason, "device.before_restore");
    rows.person.disabled = true;
    assert_eq!(denied(decide("web", &rows, Some(&approved), None)).reason, "person_disabled");
}

/// DEV-004
#[test]
fn a_code_that_comes_twice_ends_what_it_bought() {
    let world = world();
    let rows = world.rows("web");
    let redeemed = device(&world, "web", DeviceState::Redeemed);
    let facts =
        Facts { grant: GrantType::DeviceCode, device: Some(&redeemed), lineage: Some(rows.lineage()), too_soon: false, restored: None };
    let decision = device_code::decide(&world, &form(&[]), &world.authenticated("web"), facts, jti(NOW), NOW);
    let Decision::Replay { error, writes, .. } = decision else { panic!("{decision:?}") };
    assert_eq!(error.code.name(), "invalid_grant");
    assert!(matches!(&writes[..], [Write::EndFamily { .. }]));
}

/// DEV-001
#[test]
fn a_user_code_is_one_however_it_is_typed() {
    let code = UserCode::parse("WDJB-MJHT").unwrap();
    assert_eq!((code.as_str(), code.shown().as_str()), ("WDJBMJHT", "WDJB-MJHT"));
    for same in ["wdjbmjht", "wdjb mjht", " W-D-J-B.M.J.H.T ", "WDJB\u{a0}MJHT"] {
        assert_eq!(UserCode::parse(same), Some(code.clone()), "{same}");
    }
    for none in ["", "WDJB-MJH", "WDJB-MJHTT", "ADJB-MJHT", "WDJB-MJH0", "WDJB-MJH\u{442}", "\u{fe0f}"] {
        assert_eq!(UserCode::parse(none), None, "{none}");
    }
    let made: std::collections::BTreeSet<_> = (0..50).map(|seed| UserCode::new(&durward_testkit::seeded(seed))).collect();
    assert_eq!(made.len(), 50);
    assert!(made.iter().all(|code| UserCode::parse(&code.shown()).as_ref() == Some(code)));
}
