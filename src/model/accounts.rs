//! The accounts as GREEN-API showed them last, for the readers in this process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::mpsc;
use utoipa::ToSchema;

use super::reconciled::{ReconcileCommand, Reconciled};
use crate::clock::UnixMillis;

/// An account as GREEN-API showed it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// `idInstance`.
    pub id_instance: i64,
    /// `webhook` or `pull`.
    pub receive: &'static str,
    /// `stateInstance`; null before the first check.
    #[schema(required)]
    pub state: Option<String>,
    /// Until when the messenger restricts the account, in seconds since 1970.
    #[schema(required)]
    pub suspended_until: Option<i64>,
    /// Notifications that wait in GREEN-API's queue; null if it does not tell.
    #[schema(required)]
    pub queue_notifications: Option<i64>,
    /// Since when the queue is not empty and has not become shorter.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub queue_since: Option<UnixMillis>,
    /// Settings whose values differ from what `account connect` would set.
    pub differences: Vec<Difference>,
    /// When the account was last checked with success.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub checked_at: Option<UnixMillis>,
    /// Since when every check fails.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<UnixMillis>,
    /// Why the last check failed.
    #[schema(required)]
    pub failure: Option<String>,
    /// The last comparison of the journals with the database; null before the first.
    #[schema(required)]
    pub reconciled: Option<Reconciled>,
    /// The node that calls GREEN-API for it, if it is not this one: the values from checks are null here then.
    #[schema(required)]
    pub node: Option<String>,
    /// Whether it is checked at all.
    #[serde(skip)]
    pub is_watched: bool,
    /// Whether another node checks it, or none does at the moment.
    #[serde(skip)]
    pub is_elsewhere: bool,
}

/// A setting that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// Its value in GREEN-API. A token is not shown.
    pub value: String,
    /// The value that `account connect` would set.
    pub wanted: String,
}

impl Account {
    /// An account that was not checked yet.
    #[must_use]
    pub fn unchecked(id_instance: i64, receive: &'static str, is_watched: bool) -> Self {
        Self {
            id_instance,
            receive,
            state: None,
            suspended_until: None,
            queue_notifications: None,
            queue_since: None,
            differences: Vec::new(),
            checked_at: None,
            failing_since: None,
            failure: None,
            reconciled: None,
            node: None,
            is_watched,
            is_elsewhere: false,
        }
    }

    /// Forgets what was seen, because another node checks the account from now on.
    pub fn forget(&mut self) {
        *self = Self {
            is_elsewhere: true,
            ..Self::unchecked(self.id_instance, self.receive, self.is_watched)
        };
    }

    /// Whether it will be checked, but was not checked with success since the start of the program.
    #[must_use]
    pub fn awaits_check(&self) -> bool {
        self.is_watched && self.checked_at.is_none() && !self.is_elsewhere
    }
}

/// All configured accounts. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Accounts(Arc<Mutex<BTreeMap<i64, Known>>>);

#[derive(Debug)]
struct Known {
    account: Account,
    commands: mpsc::Sender<ReconcileCommand>,
}

impl Accounts {
    /// Adds an account, and the receiver of its commands.
    pub fn put(&self, account: Account, commands: mpsc::Sender<ReconcileCommand>) {
        let id_instance = account.id_instance;
        let known = Known { account, commands };
        self.lock().insert(id_instance, known);
    }

    /// Changes an account.
    pub fn change(&self, id_instance: i64, change: impl FnOnce(&mut Account)) {
        if let Some(known) = self.lock().get_mut(&id_instance) {
            change(&mut known.account);
        }
    }

    /// An account.
    #[must_use]
    pub fn get(&self, id_instance: i64) -> Option<Account> {
        let known = self.lock();
        known.get(&id_instance).map(|known| known.account.clone())
    }

    /// Where commands for an account go; `None` if it is not configured.
    #[must_use]
    pub fn commands(&self, id_instance: i64) -> Option<mpsc::Sender<ReconcileCommand>> {
        let known = self.lock();
        known.get(&id_instance).map(|known| known.commands.clone())
    }

    /// All accounts, sorted by `idInstance`.
    #[must_use]
    pub fn all(&self) -> Vec<Account> {
        let known = self.lock();
        known.values().map(|known| known.account.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
