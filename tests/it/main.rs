//! Tests from outside: the real router on a port of its own, and the real program.

mod architecture;
mod failing_disk;
mod notification;
mod smoke;
mod support;
