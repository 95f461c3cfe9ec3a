//! Writes the seed corpora of the fuzz targets: every sample, and some queries.

use std::fs;
use std::path::Path;

use green_inbox::sample::{self, Values};

fn main() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let write = |target: &str, index: usize, seed: &[u8]| {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(format!("seed-{index}")), seed).expect("a file");
    };
    for (index, sample) in sample::all().iter().enumerate() {
        let values = Values {
            id_instance: 1_101_000_001,
            serial: 1,
            timestamp: 1_767_225_600,
        };
        write("parser", index, &sample.body(&values));
    }
    for (index, query) in [
        "limit=5&order=asc&instance=1101000001",
        "type=incomingCall&since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00%2B03:00",
        "q=хлеб+заказ*&direction=incoming&status=read&chat=79000000050%40c.us",
        "body=true&after=1&typeMessage=textMessage&outcome=unknown",
        "q=%22NEAR(a%20b)%22&cursor=AAAA",
    ]
    .iter()
    .enumerate()
    {
        for list in 0..6 {
            let seed = [&[list], query.as_bytes()].concat();
            write("query", index * 6 + usize::from(list), &seed);
        }
    }
}
