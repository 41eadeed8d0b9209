use durward_model::{Outcome, RevocationKind, Write};
use durward_oauth::presented_token::PresentedToken;
use durward_oauth::revoke::{Revoking, decide};

use crate::fixture::{NOW, Rows, World, form};

fn revoke(world: &World, client: &str, token: &str, rows: Option<&Rows>) -> Revoking {
    let fields = [("token", token), ("token_type_hint", "something_else")];
    let presented = PresentedToken::read(&form(&fields), world, &world.handles, NOW).unwrap();
    decide(world, &world.authenticated(client), &presented, rows.map(Rows::lineage), NOW)
}

/// TOK-004
#[test]
fn a_client_revokes_its_own_access_token() {
    let world = World::new();
    let minted = world.minted("web", &world.rows("web"));
    let revoking = revoke(&world, "web", minted.access_token.expose(), None);
    assert_eq!((revoking.answer, revoking.event.outcome), (Ok(()), Outcome::Changed));
    let [Write::Revoke(revocation)] = revoking.writes.as_slice() else { panic!("{:?}", revoking.writes) };
    assert_eq!((revocation.kind, &revocation.key), (RevocationKind::Token, &minted.jti.to_string()));
    assert!(revocation.expires.seconds() > NOW.seconds() + 300, "it outlives the token");
}

/// TOK-004: a refresh token, of whatever generation, takes all that hangs on its family with it.
#[test]
fn a_client_revokes_its_own_refresh_token_and_all_that_came_of_it() {
    let world = World::new();
    let mut rows = world.rows("web");
    rows.family.generation = 3;
    for generation in [0, 3] {
        let revoking = revoke(&world, "web", world.refresh_text(&rows, generation).expose(), Some(&rows));
        assert_eq!(revoking.answer, Ok(()));
        assert!(matches!(revoking.writes.as_slice(), [Write::EndFamily { family, reason: "revoked", .. }] if *family == rows.family.id));
    }
}

/// TOK-004
#[test]
fn another_clients_token_is_not_revoked() {
    let world = World::new();
    let rows = world.rows("web");
    let minted = world.minted("web", &rows);
    for token in [minted.access_token.expose(), minted.refresh_token.unwrap().expose()] {
        for client in ["portal", "payments-program"] {
            let revoking = revoke(&world, client, token, Some(&rows));
            assert_eq!(revoking.answer.unwrap_err().reason, "token.client_mismatch", "{client}");
            assert!(revoking.writes.is_empty());
            assert_eq!(revoking.event.outcome, Outcome::Denied);
        }
    }
}

/// TOK-004
#[test]
fn what_is_no_token_is_revoked_already() {
    let world = World::new();
    let gone = world.refresh_text(&world.rows("web"), 0);
    for token in ["garbage", "a.b.c", gone.expose()] {
        let revoking = revoke(&world, "web", token, None);
        assert_eq!((revoking.answer, revoking.writes.len()), (Ok(()), 0), "{token}");
    }
}
