use durward_base::Duration;
use durward_model::RevocationKind;
use durward_model::revocation::WATERMARK_MARGIN;
use durward_oauth::Decision;

use crate::fixture::{NOW, World, alice, granted};

/// A token made at or before a watermark would be dead at birth: the handler waits and decides again.
#[test]
fn a_token_is_not_minted_until_every_watermark_is_past() {
    for (kind, key) in
        [(RevocationKind::Subject, alice().sub), (RevocationKind::Client, "web".to_owned()), (RevocationKind::Realm, "main".to_owned())]
    {
        let mut world = World::new();
        let rows = world.rows("web");
        world.revoke(kind, key, NOW + WATERMARK_MARGIN);
        let Decision::Wait { until } = world.refresh("web", &rows, 0, &[], NOW) else { panic!("{kind:?}") };
        assert_eq!(until, NOW + WATERMARK_MARGIN + Duration::from_millis(1));
        assert!(matches!(world.refresh("web", &rows, 0, &[], until - Duration::from_millis(1)), Decision::Wait { .. }));
        granted(world.refresh("web", &rows, 0, &[], until));
    }
}

#[test]
fn a_watermark_of_somebody_else_holds_nobody_up() {
    let mut world = World::new();
    let rows = world.rows("web");
    world.revoke(RevocationKind::Subject, "somebody-else", NOW + WATERMARK_MARGIN);
    world.revoke(RevocationKind::Client, "portal", NOW + WATERMARK_MARGIN);
    granted(world.refresh("web", &rows, 0, &[], NOW));
}

/// LOGIN, RT-005: offline access is what outlives a login that ran out, and nothing outlives one that was ended.
#[test]
fn offline_access_outlives_the_end_of_a_login_but_not_its_revocation() {
    let world = World::new();
    let mut rows = world.rows("web");
    rows.family.scopes = vec!["openid".into(), "offline_access".into()];
    rows.family.expires = NOW + Duration::from_secs(86_400 * 30);
    granted(world.refresh("web", &rows, 0, &[], rows.session.expires + Duration::from_secs(86_400)));
    rows.session.revoked = Some(NOW);
    assert_eq!(crate::fixture::denied(world.refresh("web", &rows, 0, &[], NOW)).reason, "session_ended");
}

/// R14: administrative tokens follow the person's roles at each refresh.
#[test]
fn an_administrator_who_is_one_no_more_gets_no_more_tokens() {
    let world = World::new();
    let mut rows = world.rows("durward-cli");
    rows.family.audience = durward_oauth::ADMIN_AUDIENCE.into();
    rows.family.scopes = vec!["openid".into(), "durward-admin".into(), "durward-auditor".into()];
    rows.person.roles = vec!["durward-admin".into()];
    assert_eq!(world.minted("durward-cli", &rows).scope, "openid durward-admin durward-auditor");
    rows.person.roles = vec!["durward-auditor".into()];
    assert_eq!(world.minted("durward-cli", &rows).scope, "openid durward-auditor");
    rows.person.roles.clear();
    assert_eq!(crate::fixture::denied(world.refresh("durward-cli", &rows, 0, &[], NOW)).reason, "role_missing");
}
