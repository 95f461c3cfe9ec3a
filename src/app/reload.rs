//! Applies a changed configuration while the program runs. It is applied as a whole or not at all.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use toml::{Table, Value};
use tracing::{error, info, warn};

use crate::alert::AlertSettings;
use crate::clock::Clock;
use crate::config::{Config, ConfigError, Storage};
use crate::http::ReadGate;
use crate::ingest::{GateSet, Gates};
use crate::trouble::{Trouble, Troubles};

/// The keys that a reload applies. A change of any other key waits for a restart.
const RELOADED: [&str; 24] = [
    "alerts.delivery_lag_minutes",
    "alerts.failed_per_hour",
    "alerts.heartbeat_hours",
    "alerts.heartbeat_url",
    "alerts.ignored_instances",
    "alerts.include_text",
    "alerts.repeat_hours",
    "alerts.silence_hours",
    "alerts.to",
    "ingest.allow_anonymous",
    "ingest.allowed_sources",
    "ingest.ignored_types",
    "ingest.tokens",
    "ingest.tokens_file",
    "ingest.trusted_proxies",
    "log.level",
    "private.tokens",
    "private.tokens_file",
    "storage.compression",
    "storage.max_bytes",
    "storage.min_free_bytes",
    "storage.retention_days",
    "storage.strip_thumbnails_days",
    "storage.when_full",
];

/// What a reload replaces. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reload(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    gates: Arc<Gates>,
    private: Arc<ReadGate>,
    alerts: AlertSettings,
    storage: watch::Sender<Storage>,
    in_use: Mutex<Config>,
    troubles: Troubles,
    clock: Clock,
}

impl Reload {
    pub(super) fn new(
        config: Config,
        gates: Arc<Gates>,
        private: Arc<ReadGate>,
        (alerts, storage): (AlertSettings, watch::Sender<Storage>),
        (troubles, clock): (Troubles, Clock),
    ) -> Self {
        Self(Arc::new(Parts {
            gates,
            private,
            alerts,
            storage,
            in_use: Mutex::new(config),
            troubles,
            clock,
        }))
    }

    /// Applies the settings of a configuration that was loaded again, as far as they can change while the program runs, and reads the files with secrets again. Logs the
    /// changed keys that need a restart.
    ///
    /// # Errors
    ///
    /// The configuration could not be loaded, or it is invalid. Nothing has changed then.
    pub fn apply(&self, loaded: Result<Config, ConfigError>) -> Result<Config, ConfigError> {
        let applied = loaded.and_then(|config| self.replace(&config).map(|()| config));
        match &applied {
            Ok(_) => self.0.troubles.end(Trouble::TokenFileUnreadable),
            Err(failure) => {
                error!(%failure, "configuration not reloaded; nothing has changed: {failure}");
                let now = self.0.clock.now();
                let detail = || "the configuration was not reloaded; the log says why".to_owned();
                self.0
                    .troubles
                    .observe(Trouble::TokenFileUnreadable, now, detail);
            }
        }
        applied
    }

    fn replace(&self, config: &Config) -> Result<(), ConfigError> {
        config.check()?;
        // Everything that can fail comes before the first change.
        let gates = GateSet::new(&config.ingest)?;
        let private = config.private.all_tokens()?;
        let alerts = self.0.alerts.prepare(&config.alerts)?;
        self.0.gates.replace(gates);
        self.0.private.replace(&private);
        self.0.alerts.replace(alerts);
        self.0.storage.send_replace(config.storage.clone());
        let mut in_use = self.0.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = changed_keys(&in_use, config);
        in_use.clone_from(config);
        let (applied, waiting): (Vec<_>, Vec<_>) = changed
            .into_iter()
            .partition(|key| RELOADED.contains(&key.as_str()));
        info!(
            changed = applied.join(", "),
            "configuration reloaded; the files with tokens and secrets were read again"
        );
        if !waiting.is_empty() {
            let keys = waiting.join(", ");
            warn!(
                keys,
                "changed, but only applied at the next start: {keys}\n  help: restart the program"
            );
        }
        Ok(())
    }
}

/// The keys whose values differ, without the values. A redacted value counts as unchanged.
fn changed_keys(before: &Config, after: &Config) -> Vec<String> {
    // The settings always serialize to TOML.
    let table = |config| Table::try_from(config).unwrap_or_default();
    let (before, after) = (table(before), table(after));
    let mut changed = Vec::new();
    for section in before.keys().chain(after.keys()) {
        compare(
            &mut changed,
            section,
            before.get(section),
            after.get(section),
        );
    }
    changed.sort_unstable();
    changed.dedup();
    changed
}

fn compare(changed: &mut Vec<String>, key: &str, before: Option<&Value>, after: Option<&Value>) {
    match (before, after) {
        (Some(Value::Table(before)), Some(Value::Table(after))) => {
            for inner in before.keys().chain(after.keys()) {
                let key = format!("{key}.{inner}");
                compare(changed, &key, before.get(inner), after.get(inner));
            }
        }
        _ if before != after => changed.push(key.to_owned()),
        _ => {}
    }
}
