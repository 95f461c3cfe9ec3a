//! Which alerts which of several nodes tells. What is derived from the events, every node sees: the holder of the lease
//! tells it. What a node alone sees, it tells by itself and adds its name.

use super::{accounts, forwards, troubles};
use crate::model::{Alert, AlertName};
use crate::store::Duty;

/// The place of this node among several.
#[derive(Debug, Clone)]
pub struct Place {
    /// Whether this node tells what every node sees.
    pub duty: Duty,
    /// The name of this node; `None` if it is alone.
    pub node: Option<String>,
}

/// Whether only the node that sees it can tell it.
pub(super) fn is_of_node(name: AlertName) -> bool {
    troubles::is_from_trouble(name)
        || accounts::is_about_account(name)
        || forwards::is_about_forward(name)
        || name == AlertName::DestinationFailing
}

impl Place {
    /// The alerts of this node, with its name, and those that every node sees.
    pub(super) fn split(&self, alerts: &[Alert]) -> (Vec<Alert>, Vec<Alert>) {
        let (mut own, common): (Vec<_>, Vec<_>) = alerts
            .iter()
            .cloned()
            .partition(|alert| is_of_node(alert.key.name));
        if let Some(node) = &self.node {
            for alert in &mut own {
                let detail = std::mem::take(&mut alert.detail);
                let colon = if detail.is_empty() { "" } else { ": " };
                alert.detail = format!("node {node}{colon}{detail}");
            }
        }
        (own, common)
    }

    /// The destination in the ids of this node's own alerts: two nodes may have the same trouble at the same moment.
    pub(super) fn own_name(&self, destination: &str) -> String {
        let node = self.node.as_deref().unwrap_or_default();
        format!(
            "{destination}{}{node}",
            if node.is_empty() { "" } else { "@" }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Place;
    use crate::clock::UnixMillis;
    use crate::model::{Alert, AlertKey, AlertName};
    use crate::store::Duty;

    #[test]
    fn alert_that_only_one_node_sees_names_the_node() {
        let alert = |name| Alert {
            key: AlertKey {
                name,
                id_instance: None,
                subject: String::new(),
            },
            since: UnixMillis(1),
            last: UnixMillis(1),
            count: 1,
            detail: "why".to_owned(),
            resolved_at: None,
        };
        let alerts = vec![alert(AlertName::DiskLow), alert(AlertName::InstanceSilent)];
        let place = |node: Option<&str>| Place {
            duty: Duty::alone(),
            node: node.map(str::to_owned),
        };
        let (own, common) = place(Some("two")).split(&alerts);
        assert_eq!((own.len(), &*own[0].detail), (1, "node two: why"));
        assert_eq!((common.len(), &*common[0].detail), (1, "why"));
        assert_eq!(place(None).split(&alerts).0[0].detail, "why");
        assert_eq!(place(None).own_name("a"), "a");
        assert_ne!(
            place(Some("two")).own_name("a"),
            place(Some("one")).own_name("a")
        );
    }
}
