fn main() {
    use std::io::BufRead;
    for l in std::io::stdin().lock().lines() {
        let l = l.unwrap();
        let p = green_inbox::notification::parse(l.as_bytes());
        match p.outcome {
            green_inbox::notification::Outcome::Malformed(r) => {
                println!("{r}   <- {}", l.chars().take(60).collect::<String>())
            }
            o => println!("{:.60?} <- {}", o, l.chars().take(60).collect::<String>()),
        }
    }
}
