//! What the demo prints: what to try, and how to see why it went as it did.

use std::path::Path;

use super::shop::{CLERK_PASSWORD, CUSTOMER_PASSWORD, Shop};

/// The addresses a newcomer needs.
pub(super) struct Addresses<'a> {
    pub(super) issuer: &'a str,
    /// The gateway's port.
    pub(super) gateway: u16,
    pub(super) data: &'a Path,
}

/// The whole text.
pub(super) fn text(shop: &Shop, at: &Addresses<'_>) -> anyhow::Result<String> {
    let Addresses { issuer, gateway, data } = at;
    let program = std::env::current_exe()?;
    let (program, data) = (program.display(), data.display());
    let inventory = shop.url("inventory")?;
    let (customer, clerk) = (&shop.customer_password, &shop.clerk_password);
    let secrets = shop.secrets.display();
    Ok(format!(
        r#"The shop is open: an authority, a gateway, and three services (accounts, payments, inventory), each a process of its own.

  Log in at        {issuer}/account
  as the customer  customer  {customer}
  or the clerk     clerk     {clerk}

Try this in another terminal. First who you are:

  alias durward={program}; export DURWARD_DATA={data}; CA={data}/ca.pem
  CUSTOMER=$(durward token --client shop-web --person customer --password-file {secrets}/{CUSTOMER_PASSWORD})
  CLERK=$(durward token --client shop-web --person clerk --password-file {secrets}/{CLERK_PASSWORD})

The customer orders. payments reserves the goods at inventory with a token of its own: 201
  curl -i --cacert $CA -H "Authorization: Bearer $CUSTOMER" --json '{{"sku": "lamp", "quantity": 1}}' https://localhost:{gateway}/orders

The clerk restocks: 200. The customer may not: 403
  curl -i --cacert $CA -H "Authorization: Bearer $CLERK" --json '{{"quantity": 5}}' https://localhost:{gateway}/stock/lamp/restock
  curl -i --cacert $CA -H "Authorization: Bearer $CUSTOMER" --json '{{"quantity": 5}}' https://localhost:{gateway}/stock/lamp/restock

The customer asks for money back: 401, and which login would do. A second factor is set up at {issuer}/account/totp
  curl -i --cacert $CA -H "Authorization: Bearer $CUSTOMER" --json '{{"order": "lamp"}}' https://localhost:{gateway}/refunds

A partner's program looks at the stock, with an API key of its own: 200
  KEY=$(durward api-keys issue shop-partner --for shop)
  curl -i --cacert $CA -H "X-API-Key: $KEY" https://localhost:{gateway}/stock/lamp

Without a token: 401. The customer's token straight at inventory, for which it was not made: 401
  curl -i --cacert $CA https://localhost:{gateway}/me
  curl -i -H "Authorization: Bearer $CUSTOMER" {inventory}stock/lamp

Why any of them was answered so, hop by hop, by the X-Request-Id of its answer
  durward explain REQUEST_ID

Revoke the customer: within a second the token is dead everywhere
  durward revoke person customer

Ctrl-C ends it and leaves nothing behind."#
    ))
}
