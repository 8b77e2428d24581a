//! Reads texts from standard input, separated by NUL, and prints how many of them are changed by each kind of
//! normalization and how fast. With `--show KIND` it prints the texts that this kind changed.

use std::hint::black_box;
use std::io::Read;
use std::time::Instant;

use toxicity_text::normalization::{Change, normalize};

/// How often the speed is measured.
const ROUNDS: usize = 10;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let shown = Change::ALL
        .into_iter()
        .find(|kind| arguments == ["--show", kind.name()]);
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    let texts: Vec<&str> = input.split('\0').filter(|text| !text.is_empty()).collect();

    let mut counts = [0_usize; Change::ALL.len()];
    let mut beyond_form = 0_usize;
    for text in &texts {
        let Some(normalized) = normalize(text) else {
            continue;
        };
        for (count, kind) in counts.iter_mut().zip(Change::ALL) {
            *count += usize::from(normalized.changes.count(kind) > 0);
        }
        let changed = |kind| normalized.changes.count(kind) > 0;
        beyond_form += usize::from(
            [Change::Homoglyph, Change::Spacing, Change::Leet]
                .into_iter()
                .any(changed),
        );
        if shown.is_some_and(changed) {
            println!("{text}\n  -> {}", normalized.text);
        }
    }
    let percent = |count: usize| 100.0 * approximate(count) / approximate(texts.len());
    println!("{} texts, {} bytes", texts.len(), input.len());
    for (count, kind) in counts.into_iter().zip(Change::ALL) {
        println!("{:>14}: {count:6} ({:.3} %)", kind.name(), percent(count));
    }
    println!(
        "look-alikes, spacing or leet: {beyond_form} ({:.3} %)",
        percent(beyond_form)
    );

    let ordinary: Vec<&str> = texts
        .iter()
        .copied()
        .filter(|text| normalize(text).is_none())
        .collect();
    print_speed("ordinary texts", &ordinary);
    print_speed("all texts", &texts);
    Ok(())
}

/// Prints the fastest of some rounds, since other processes only slow a round down.
fn print_speed(name: &str, texts: &[&str]) {
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    let round = || {
        let begun = Instant::now();
        for text in texts {
            black_box(normalize(black_box(text)));
        }
        begun.elapsed().as_secs_f64() * 1e9
    };
    let nanoseconds = std::iter::repeat_with(round)
        .take(ROUNDS)
        .fold(f64::INFINITY, f64::min);
    println!(
        "{name}: {:.0} ns per 100 bytes",
        100.0 * nanoseconds / approximate(bytes)
    );
}

#[allow(
    clippy::cast_precision_loss,
    reason = "counts of texts and bytes are far below 2^52"
)]
fn approximate(count: usize) -> f64 {
    count as f64
}
