//! One row for each alert: how to cause it, how to make it go on, how to settle it. The compiler asks for a row if a
//! name is added.

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use green_inbox::model::AlertName;
use green_inbox::trouble::Trouble;
use serde_json::json;

use super::stage::{Configure, Stage};
use super::steps::{
    DAY, accepted, account, correct_settings, damage, delete_before_delivery, end, forward,
    keep_old_event, late, lock_projection, nothing, observe, pass, recover, reload, sql,
};
use crate::alert::{HOUR, MINUTE, webhook};
use crate::support::said;

/// More free bytes than any disk has.
const NEVER_FREE: u64 = 1 << 60;

/// Does something to a server.
type Step = for<'a> fn(&'a mut Stage) -> LocalBoxFuture<'a, ()>;

/// What a restart does to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// It goes on.
    GoesOn,
    /// The program starts only if the cause is gone.
    Ends,
}

/// How an alert lives.
pub struct Row {
    pub configure: Configure,
    /// Brings it about.
    pub cause: Step,
    /// Makes it go on.
    pub again: Step,
    /// Takes the cause away, or lets the time pass after which it is over by itself.
    pub settle: Step,
    /// Milliseconds for which it goes on without `again`.
    pub step: i64,
    /// Milliseconds after which a destination is told of the alert again.
    pub repeat: i64,
    pub restart: Restart,
}

impl Row {
    /// An alert about something that lasts until it is settled.
    fn lasting(cause: Step, settle: Step) -> Self {
        Self {
            configure: |_, _| {},
            cause,
            again: |_| Box::pin(async {}),
            settle,
            step: DAY,
            repeat: 6 * HOUR,
            restart: Restart::GoesOn,
        }
    }

    /// An alert about something that happens, and is over when it did not happen again for a while.
    fn happening(cause: Step, settle: Step, step: i64) -> Self {
        Self {
            again: cause,
            step,
            ..Self::lasting(cause, settle)
        }
    }

    /// An alert about the first event of a kind. Later events are counted, and destinations get the count once a day.
    fn counted(cause: Step) -> Self {
        Self {
            repeat: DAY,
            ..Self::happening(cause, |s| pass(s, DAY), 23 * HOUR)
        }
    }

    fn with(mut self, configure: Configure) -> Self {
        self.configure = configure;
        self
    }

    fn again(mut self, again: Step) -> Self {
        self.again = again;
        self
    }

    #[expect(clippy::too_many_lines, reason = "a table")]
    pub fn of(name: AlertName) -> Self {
        match name {
            AlertName::TokenRejected => Self::happening(|s| s.knock().boxed_local(), accepted, DAY),
            AlertName::BodyTooLarge => {
                let large: Step = |s| async { s.post(&" ".repeat(3000), 413).await }.boxed_local();
                Self::happening(large, accepted, DAY)
                    .with(|_, config| config.ingest.body_limit_bytes = 2000)
            }
            AlertName::StorageRefuses => {
                let refused: Step = |s| {
                    reload(s, |config| config.storage.min_free_bytes = NEVER_FREE);
                    async { s.post("{}", 503).await }.boxed_local()
                };
                Self::happening(
                    refused,
                    |s| {
                        reload(s, |config| config.storage.min_free_bytes = 0);
                        async { s.post("{}", 200).await }.boxed_local()
                    },
                    DAY,
                )
            }
            AlertName::DiskLow => Self::lasting(nothing, |s| {
                reload(s, |config| config.storage.min_free_bytes = 0);
                nothing(s)
            })
            .with(|_, config| config.storage.min_free_bytes = NEVER_FREE),
            AlertName::DamagedBody => Self::lasting(damage, |s| pass(s, 7 * DAY)),
            AlertName::RetentionStuck => Self::lasting(
                |s| Box::pin(keep_old_event(s)),
                |s| {
                    sql(s, "DROP TRIGGER keep");
                    nothing(s)
                },
            )
            .with(|_, config| {
                config.alerts.silence_hours = 0;
                config.storage.retention_days = 1;
            }),
            AlertName::ProjectionBehind => Self::lasting(lock_projection, |s| {
                s.lock = None;
                nothing(s)
            })
            .again(lock_projection),
            AlertName::BackupOld => Self::lasting(nothing, |s| {
                std::fs::remove_file(s.outside.no_folder()).unwrap();
                nothing(s)
            })
            .with(|outside, config| {
                config.backup.path = Some(outside.no_folder().join("copy.db"));
                config.backup.minutes = 10 * 60;
            }),
            AlertName::TokenFileUnreadable => Self {
                restart: Restart::Ends,
                ..Self::lasting(
                    |s| {
                        std::fs::write(s.outside.tokens(), "").unwrap();
                        assert!(s.server().reload().is_err());
                        nothing(s)
                    },
                    |s| {
                        std::fs::write(s.outside.tokens(), crate::support::TOKEN).unwrap();
                        s.restart().boxed_local()
                    },
                )
            }
            .with(|outside, config| config.ingest.tokens_file = Some(outside.tokens())),

            AlertName::InstanceNotAuthorized => {
                Self::state(|s| s.state("notAuthorized").boxed_local())
            }
            AlertName::InstanceBlocked => Self::state(|s| s.state("blocked").boxed_local()),
            AlertName::InstanceYellowCard => Self::state(|s| s.state("yellowCard").boxed_local()),
            AlertName::InstanceSuspended => Self::state(|s| s.state("suspended").boxed_local()),
            AlertName::InstanceStarting => Self::state(|s| {
                Box::pin(async {
                    s.state("starting").await;
                    s.pass(10 * MINUTE);
                })
            }),
            AlertName::InstanceSilent => Self::lasting(
                |s| {
                    Box::pin(async {
                        s.text("Good morning").await;
                        s.pass(DAY);
                    })
                },
                |s| s.text("Good evening").boxed_local(),
            ),
            AlertName::DeliveryLag => Self::happening(
                |s| {
                    Box::pin(async {
                        for _ in 0..2 {
                            late(s).await;
                            s.looked().await;
                        }
                    })
                },
                |s| s.text("Good evening").boxed_local(),
                10 * MINUTE,
            )
            .again(|s| late(s).boxed_local()),
            AlertName::DeliveryRepeated => Self::happening(
                |s| {
                    Box::pin(async {
                        for _ in 0..5 {
                            s.say(&said::text("B1", said::NOON, "Good morning")).await;
                        }
                    })
                },
                |s| pass(s, HOUR),
                50 * MINUTE,
            ),

            AlertName::QueueGrowing => Self::lasting(
                |s| {
                    Box::pin(async {
                        s.outside.green_api.push("{}");
                        s.listed("/api/v1/accounts", |all| all[0]["queueNotifications"] == 1)
                            .await;
                        s.pass(6 * MINUTE);
                    })
                },
                |s| {
                    s.outside.green_api.instance().queue.clear();
                    s.checked("getWebhooksCount").boxed_local()
                },
            )
            .again(|s| s.checked("getWebhooksCount").boxed_local())
            .with(account),
            AlertName::SettingsChanged => Self::lasting(nothing, |s| Box::pin(correct_settings(s)))
                .again(|s| s.checked("getSettings").boxed_local())
                .with(account),
            AlertName::AccountUnreachable => Self::lasting(
                |s| {
                    Box::pin(async {
                        for _ in 0..1000 {
                            s.outside.green_api.answer_next("getStateInstance", 401, "");
                        }
                        s.listed("/api/v1/accounts", |all| !all[0]["failure"].is_null())
                            .await;
                        s.pass(16 * MINUTE);
                    })
                },
                |s| {
                    s.outside.green_api.instance().answers.clear();
                    s.checked("getWebhooksCount").boxed_local()
                },
            )
            .again(|s| s.checked("getStateInstance").boxed_local())
            .with(account),

            AlertName::MessageMarker => Self::happening(
                |s| s.text("{{SWE001}}").boxed_local(),
                |s| pass(s, HOUR),
                50 * MINUTE,
            ),
            AlertName::MessageFailed => Self::happening(
                |s| {
                    Box::pin(async {
                        for status in ["failed", "noAccount"] {
                            let id = s.id();
                            s.say(&said::status(&id, s.seconds(), status)).await;
                        }
                    })
                },
                |s| pass(s, HOUR),
                50 * MINUTE,
            )
            .with(|_, config| config.alerts.failed_per_hour = 2),
            AlertName::QuotaExceeded => Self::happening(
                |s| {
                    Box::pin(async {
                        let used = s.passed;
                        s.say(&json!({
                            "typeWebhook": "quotaExceeded",
                            "instanceData": { "idInstance": said::INSTANCE, "wid": "", "typeInstance": "whatsapp" },
                            "quotaData": { "method": "sendMessage", "used": used, "total": 3000, "status": "FULL" },
                        }))
                        .await;
                    })
                },
                |s| pass(s, DAY),
                DAY - HOUR,
            ),
            AlertName::MalformedBody => Self::counted(|s| {
                Box::pin(async {
                    let body = format!("{{\"id\": \"{}\", ", s.id());
                    s.post(&body, 200).await;
                })
            }),
            AlertName::UnknownType => Self::counted(|s| {
                Box::pin(async {
                    let body = json!({ "typeWebhook": "newKind", "id": s.id() });
                    s.say(&body).await;
                })
            }),
            AlertName::FieldDrift => Self::counted(|s| {
                Box::pin(async {
                    let mut body = said::text(&s.id(), s.seconds(), "Good morning");
                    body["senderData"]["senderName"] = json!(["Nina"]);
                    s.say(&body).await;
                })
            }),

            AlertName::ForwardExpired => {
                Self::lasting(|s| Box::pin(delete_before_delivery(s)), |s| pass(s, DAY)).with(
                    |outside, config| {
                        config.forward = vec![forward(outside)];
                        config.storage.retention_days = 1;
                    },
                )
            }
            AlertName::FileLost => Self::happening(
                |s| {
                    Box::pin(async {
                        let url = s.outside.files.url("/status/404");
                        let mut body = said::picture(&s.id(), s.seconds(), "A bun");
                        body["messageData"]["fileMessageData"]["downloadUrl"] = url.into();
                        s.say(&body).await;
                    })
                },
                |s| pass(s, 25 * HOUR),
                DAY,
            )
            .with(|outside, config| {
                account(outside, config);
                config.accounts[0].media = true;
                config.media.allow_private = vec!["127.0.0.1".parse().unwrap()];
            }),
            // Nodes are tested in tests/cluster; this is what they report.
            AlertName::NoStandby => Self::happening(
                |s| observe(s, Trouble::NoStandby),
                |s| end(s, Trouble::NoStandby),
                DAY,
            ),
            AlertName::NodeBehind => Self::happening(
                |s| observe(s, Trouble::NodeBehind),
                |s| end(s, Trouble::NodeBehind),
                DAY,
            ),
            AlertName::Rewound => Self::happening(
                |s| observe(s, Trouble::Rewound),
                |s| end(s, Trouble::Rewound),
                DAY,
            ),
            AlertName::DestinationFailing => Self::lasting(
                |s| {
                    Box::pin(async {
                        // Something to tell.
                        s.say(&json!({ "typeWebhook": "newKind" })).await;
                        s.outside.failing.wait_for(|_| true).await;
                        s.pass(16 * MINUTE);
                    })
                },
                recover,
            )
            .with(|outside, config| config.alerts.to.insert(0, webhook(&outside.failing))),
            AlertName::ForwardFailing => Self::lasting(
                |s| {
                    Box::pin(async {
                        s.text("Good morning").await;
                        s.listed("/api/v1/forward", |all| all[0]["failingSince"].is_string())
                            .await;
                        s.pass(6 * MINUTE);
                    })
                },
                |s| {
                    Box::pin(async {
                        recover(s).await;
                        let other = said::text(&s.id(), s.seconds(), "Good evening");
                        s.say(&said::within("79001112233@c.us", other)).await;
                    })
                },
            )
            .with(|outside, config| config.forward = vec![forward(outside)]),
            AlertName::ForwardDeadLetter => Self::lasting(
                |s| {
                    Box::pin(async {
                        s.text("Good morning").await;
                        s.outside.failing.wait_for(|_| true).await;
                        s.listed("/api/v1/forward", |all| all[0]["waiting"] == 1)
                            .await;
                        s.pass(2_000);
                    })
                },
                |s| pass(s, DAY),
            )
            .with(|outside, config| {
                let mut forward = forward(outside);
                forward.retry_seconds = vec![1];
                config.forward = vec![forward];
            }),
        }
    }

    /// An alert about the state of an instance.
    fn state(cause: Step) -> Self {
        Self::lasting(cause, |s| s.state("authorized").boxed_local())
    }
}
