//! Inventory: keeps the stock. The policies of `resources/inventory.cedar` say who may do what.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use durward_verify::{Authenticated, Problem};
use serde::{Deserialize, Serialize};

use crate::ServiceSettings;

/// Joins the authority and makes the service's routes.
pub async fn routes(settings: &ServiceSettings) -> anyhow::Result<Router> {
    let verifier = settings.verifier().await?;
    Ok(Router::new()
        .route("/stock/{sku}", get(read))
        .route("/stock/{sku}/reserve", post(reserve))
        .route("/stock/{sku}/restock", post(restock))
        .with_state(Stock::default())
        .layer(verifier.layer("inventory")))
}

/// Articles in stock. Every article begins with ten.
#[derive(Clone, Default)]
struct Stock(Arc<Mutex<HashMap<String, u64>>>);

#[derive(Serialize)]
struct Level {
    sku: String,
    quantity: u64,
}

/// How many of an article, to be taken out or put in.
#[derive(Serialize, Deserialize)]
pub(crate) struct Amount {
    pub(crate) quantity: u64,
}

async fn read(caller: Authenticated, State(stock): State<Stock>, Path(sku): Path<String>) -> Result<Json<Level>, Problem> {
    caller.authorize("inventory:read", ("Stock", &sku))?;
    stock.change(sku, Some)
}

async fn reserve(
    caller: Authenticated,
    State(stock): State<Stock>,
    Path(sku): Path<String>,
    Json(amount): Json<Amount>,
) -> Result<Json<Level>, Problem> {
    caller.authorize("inventory:reserve", ("Stock", &sku))?;
    stock.change(sku, |level| level.checked_sub(amount.quantity))
}

async fn restock(
    caller: Authenticated,
    State(stock): State<Stock>,
    Path(sku): Path<String>,
    Json(amount): Json<Amount>,
) -> Result<Json<Level>, Problem> {
    caller.authorize("inventory:restock", ("Stock", &sku))?;
    stock.change(sku, |level| level.checked_add(amount.quantity))
}

impl Stock {
    fn change(&self, sku: String, change: impl FnOnce(u64) -> Option<u64>) -> Result<Json<Level>, Problem> {
        let mut levels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let level = levels.get(&sku).copied().unwrap_or(10);
        let quantity =
            change(level).ok_or_else(|| Problem::new(StatusCode::CONFLICT, "out_of_stock", format!("There are {level} left.")))?;
        levels.insert(sku.clone(), quantity);
        Ok(Json(Level { sku, quantity }))
    }
}
