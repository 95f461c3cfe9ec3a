//! Tests from outside.
#[test]
fn examples() {
    for file in std::fs::read_dir("../shared/notifications").unwrap() {
        let path = file.unwrap().path();
        let body = std::fs::read(&path).unwrap();
        let parsed = green_inbox::notification::parse(&body);
        println!("{:?} {:?}", path.file_name().unwrap(), parsed.columns);
        if let green_inbox::notification::Outcome::Known(n) = &parsed.outcome {
            let _ = n;
        } else {
            println!("BAD {:?}", parsed.outcome);
        }
    }
}
