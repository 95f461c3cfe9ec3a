//! `/api/v1/accounts`: the configured accounts as GREEN-API showed them last, and comparing their journals.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use serde::Serialize;
use tokio::sync::oneshot;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::parameters::Parameters;
use crate::clock::UnixMillis;
use crate::http::Problem;
use crate::model::{Account, ReconcileCommand, Reconciled};

/// Milliseconds of a day: what is compared unless the request says otherwise.
const DAY: i64 = 24 * 3_600_000;

/// Days that a journal can cover.
const MOST_DAYS: i64 = 30;

/// The configured accounts.
#[derive(Serialize, ToSchema)]
#[schema(as = Accounts)]
pub(super) struct Shown {
    /// Sorted by `idInstance`.
    data: Vec<Account>,
}

/// Lists the configured accounts with their state, queue and settings that differ
///
/// The values are those of the last check, which is made every `watch_seconds`; nothing is called for this request.
#[utoipa::path(
    get,
    path = "/api/v1/accounts",
    tag = "accounts",
    responses(
        (status = OK, body = Shown),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Shown>, Problem> {
    Parameters::read(query.as_deref())?.finish()?;
    let mut data = api.accounts.all();
    for account in &mut data {
        let node = api.duties.account(account.id_instance).elsewhere();
        account.node = node.map(|node| node.to_string());
    }
    Ok(Json(Shown { data }))
}

/// What a comparison covers.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct ReconcileParameters {
    /// Messages and calls since this time (RFC 3339), at most 30 days ago. Default: a day ago.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<UnixMillis>,
    /// `true`: store nothing, only count.
    #[param(default = false)]
    dry_run: Option<bool>,
}

/// Compares the journals of an account with the database, and stores what never arrived
///
/// The answer is the comparison as it begins. `reconciled` of `GET /api/v1/accounts` shows how far it is. While one
/// runs, another cannot begin: 503.
#[utoipa::path(
    post,
    path = "/api/v1/accounts/{idInstance}/reconcile",
    tag = "accounts",
    params(("idInstance" = i64, Path, description = "the account"), ReconcileParameters),
    responses(
        (status = OK, body = Reconciled),
        (status = "4XX", description = "refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "failed", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn reconcile(
    State(api): State<Arc<Api>>,
    Path(id_instance): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Reconciled>, Problem> {
    let mut parameters = Parameters::read(query.as_deref())?;
    let own = ReconcileParameters {
        since: parameters.moment("since")?,
        dry_run: parameters.flag("dryRun")?,
    };
    parameters.finish()?;
    let id_instance = id_instance
        .parse()
        .map_err(|_| Problem::bad_parameter("`idInstance` must be a whole number."))?;
    let commands = api.accounts.commands(id_instance);
    let commands = commands.ok_or_else(Problem::not_found)?;
    let duty = api.duties.account(id_instance);
    if !duty.is_held() {
        return Err(Problem::elsewhere(duty.elsewhere().as_deref()));
    }
    let now = api.clock.now();
    let since = own.since.unwrap_or(UnixMillis(now.0 - DAY));
    if since > now || since.0 < now.0 - MOST_DAYS * DAY {
        return Err(Problem::bad_parameter(
            "`since` must be a moment of the last 30 days.",
        ));
    }
    let (started, starting) = oneshot::channel();
    let command = ReconcileCommand {
        since,
        dry_run: own.dry_run.unwrap_or(false),
        started,
    };
    let busy =
        || Problem::unavailable("A comparison runs, or the program is stopping; retry later.");
    let last = api
        .accounts
        .get(id_instance)
        .and_then(|account| account.reconciled);
    if last.is_some_and(|last| last.finished_at.is_none()) {
        return Err(busy());
    }
    commands.try_send(command).map_err(|_| busy())?;
    starting.await.map(Json).map_err(|_| busy())
}
