// SPDX-License-Identifier: Apache-2.0
//! sqlparser-rs over a file of {"sql": ...} lines or over one script; a JSON line a pass, CPU seconds of the one thread.
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Tokenizer;

/// CPU seconds of this thread.
fn cpu_now() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 + t.tv_nsec as f64 / 1e9
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (what, path, limit) = (&args[1], &args[2], args[3].parse::<f64>().unwrap());
    let file = std::fs::read_to_string(path).unwrap();
    let texts: Vec<String> = if what == "script" {
        vec![file]
    } else {
        file.lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["sql"].as_str().unwrap().to_string())
            .collect()
    };
    let bytes: usize = texts.iter().map(|t| t.len()).sum();
    let dialect = GenericDialect {};
    let end = cpu_now() + limit;
    let mut pass = 0;
    while pass < 3 || cpu_now() < end {
        pass += 1;
        let start = cpu_now();
        let mut taken = 0;
        let mut taken_bytes = 0;
        for text in &texts {
            if what == "lex" {
                taken += Tokenizer::new(&dialect, text).tokenize().map(|t| t.len()).unwrap_or(0);
            } else if let Ok(parsed) = Parser::parse_sql(&dialect, text) {
                taken += parsed.len();
                taken_bytes += text.len();
            }
        }
        println!(
            "{{\"seconds\":{:.9},\"statements\":{},\"taken\":{},\"bytes\":{},\"takenBytes\":{}}}",
            cpu_now() - start,
            texts.len(),
            taken,
            bytes,
            taken_bytes
        );
    }
}
