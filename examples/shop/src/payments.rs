//! Payments: takes orders, and asks inventory, on the customer's behalf, to reserve the goods.

use anyhow::Context as _;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use durward_verify::{Acr, Authenticated, Peer, Problem, Requirement, Transaction};
use serde::{Deserialize, Serialize};

use crate::ServiceSettings;
use crate::inventory::Amount;

/// Joins the authority and makes the service's routes.
pub async fn routes(settings: &ServiceSettings) -> anyhow::Result<Router> {
    let verifier = settings.verifier().await?;
    let inventory = verifier.peer("inventory", settings.inventory.as_ref().context("payments must know where inventory is")?);
    let routes = Router::new().route("/orders", post(order)).route("/refunds", post(refund));
    Ok(routes.with_state(inventory).layer(verifier.layer("payments")))
}

#[derive(Deserialize)]
struct Order {
    sku: String,
    quantity: u64,
}

#[derive(Serialize)]
struct Placed {
    order: String,
    customer: String,
    left: u64,
}

#[derive(Deserialize)]
struct Level {
    quantity: u64,
}

/// Customers order. Inventory sees that payments asks, and for whom. The reservation names the order's transaction, so that `durward explain` finds both hops.
async fn order(
    caller: Authenticated,
    transaction: Transaction,
    State(inventory): State<Peer>,
    Json(order): Json<Order>,
) -> Result<(StatusCode, Json<Placed>), Problem> {
    let customer = caller.require_role("customer")?;
    let path = format!("/stock/{}/reserve", article(&order.sku)?);
    let reserved =
        inventory.on_behalf_of(&caller).post(&path, &Amount { quantity: order.quantity }, &transaction).await.map_err(not_reserved)?;
    let Level { quantity } = reserved.json().map_err(not_reserved)?;
    let placed = Placed { order: transaction.request_id(), customer: customer.id.clone(), left: quantity };
    Ok((StatusCode::CREATED, Json(placed)))
}

#[derive(Serialize, Deserialize)]
struct Refund {
    order: String,
}

/// Customers get their money back, if it is certain that it is them: what the route demands, demanded once more where the money is.
async fn refund(caller: Authenticated, Json(refund): Json<Refund>) -> Result<Json<Refund>, Problem> {
    let certain = Requirement { acr: Some(Acr::Mfa), max_age_seconds: Some(300), ..Requirement::default() };
    caller.require(&Requirement { roles: vec!["customer".to_owned()], ..certain })?;
    Ok(Json(refund))
}

/// An article's name as a segment of a path: letters, digits and hyphens.
fn article(sku: &str) -> Result<&str, Problem> {
    let named = (1..=40).contains(&sku.len()) && sku.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    named.then_some(sku).ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "unknown_article", "There is no such article."))
}

fn not_reserved(why: durward_verify::CallError) -> Problem {
    Problem::new(StatusCode::BAD_GATEWAY, "not_reserved", format!("The goods could not be reserved: {why}."))
}
